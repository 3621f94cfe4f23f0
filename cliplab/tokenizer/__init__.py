"""CLIP's tokenizer: a prompt becomes a list of ids.

Clean the text, cut it into words, write each word as bytes, merge the bytes. ``cleaning.py`` does
the first, ``bpe.py`` the last; this file is the class that people use.
"""

import functools
import json
import operator
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from re import Match, Pattern
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, overload

import regex

from ..checks import one_of, whole_number
from . import bpe, cleaning, unicode_tables
from .bpe import BOS, BYTE_TO_CHAR, CHAR_TO_BYTE, END_OF_WORD, EOS

if TYPE_CHECKING:
    from torch import Tensor

    from .batch import Stretches

# A word is a contraction's tail, a run of letters, one digit, or a run of anything else that is not
# white space.
TAILS = "'s|'t|'re|'ve|'m|'ll|'d"
WORD = TAILS + r"|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
SPECIAL = regex.compile(r"(<\|startoftext\|>|<\|endoftext\|>)")


class MergeStep(NamedTuple):
    """One step of a word's way from bytes to tokens."""

    pair: tuple[str, str]
    rank: int
    result: list[str]


class CLIPTokenizer:
    """Text → ids, as OpenAI's tokenizer or transformers 5's, with the place of every token.

    ``CLIPTokenizer()`` has CLIP's 49,408 entries; ``CLIPTokenizer.train(texts, vocab_size=…)``
    learns its own; ``CLIPTokenizer.load(path)`` reads one that was saved.

    clean   "hf" (default): as transformers 5, so as Stable Diffusion 1.5 through diffusers today;
            "openai": as openai/CLIP's published code (erratum E30).
    merges  [("i", "n"), …] in rank order; None for CLIP's.
    pad     the id that fills a sequence up; None for EOS. OpenCLIP's models, such as SDXL's second
            encoder, were trained with 0, which is also the symbol "!" (erratum E28). Under "hf" it
            is padding wherever it is typed, as in transformers: "dog!" ends with a 0.

    Ids are the tool's for every character. Where a letter is too new for some tables, "hf" goes by
    those that transformers' tokenizer carries, "openai" by those of Python and ``regex``, as OpenAI
    does. Ids start at 0 (erratum E8); the last two are BOS and EOS. Errors: TypeError for what is
    not text; ValueError for a lone surrogate under "hf" ("openai" reads it as U+FFFD, as OpenAI
    does). Source: openai/CLIP ``simple_tokenizer.py``; Sennrich et al. 2016; erratum E1 for the ids
    of "a running dog".
    """

    def __init__(
        self,
        merges: list[tuple[str, str]] | None = None,
        *,
        clean: str = "hf",
        pad: int | None = None,
    ):
        one_of("clean", clean, ("hf", "openai"))
        self.clean_as = clean
        known = clip_merges() if merges is None else merges
        self.merges = [(left, right) for left, right in known]
        self.vocabulary = bpe.vocabulary_of(self.merges)
        self.symbols = list(self.vocabulary)
        self.vocab_size = len(self.symbols)
        self.bos_id, self.eos_id = self.vocabulary[BOS], self.vocabulary[EOS]
        self.pad_id = self.eos_id if pad is None else self._checked(pad)
        self.learned_rows: Tensor | None = None  # [n, D], of the ids from vocab_size on
        # What is special where it is typed, with its ids: transformers takes BOS, EOS and padding
        # out of the text before it is cleaned, and learned words are taken out by all.
        specials = (self.bos_id, self.eos_id, self.pad_id) if clean == "hf" else ()
        self._typed = {self.symbols[i]: [i] for i in specials}
        self._look_for_specials()
        self.ranks: dict[tuple[int, int], int] = {}
        for rank, (left, right) in enumerate(self.merges):
            self.ranks.setdefault((self.vocabulary[left], self.vocabulary[right]), rank)
        self.results = [self.vocabulary[left + right] for left, right in self.merges]
        # Words that were met before, with their ids; first of all the specials, which the two tools
        # read differently once they have been lower-cased: OpenAI as BOS and EOS, transformers as
        # "<|", a word, "|>".
        flags = regex.IGNORECASE if clean == "openai" else 0
        self._pattern: Pattern[str] = regex.compile(f"{SPECIAL.pattern[1:-1]}|{WORD}", flags)
        self._known: dict[str, list[int]] = {}
        self._specials = {BOS: [self.bos_id], EOS: [self.eos_id]}
        if clean == "hf":
            self._specials = {
                s: [i for part in ("<|", s[2:-2], "|>") for i in self._word(part)]
                for s in (BOS, EOS)
            }
        self._known.update(self._specials)

    def __repr__(self) -> str:
        return f'CLIPTokenizer({self.vocab_size:,} entries, clean="{self.clean_as}")'

    # Text to ids ----------------------------------------------------------------------------------

    @overload
    def __call__(self, text: str) -> list[int]: ...
    @overload
    def __call__(self, text: list[str] | tuple[str, ...]) -> list[list[int]]: ...
    def __call__(self, text: str | list[str] | tuple[str, ...]) -> list[int] | list[list[int]]:
        """BOS + content + EOS of a text, unpadded and uncut; of a list of texts, a list of them."""
        if isinstance(text, (list, tuple)):
            return [self(one) for one in text]
        return [self.bos_id, *self.content(text), self.eos_id]

    def batch(self, texts: list[str], length: int = 77, pad: int | None = None) -> "Tensor":
        """Texts → int64 [N, length] at once: what ``length_normalization(self(texts), …)`` gives.

        Words that were met before are looked up, so it is fastest where words come again. pad None
        is the tokenizer's own. Warns once, with TruncationWarning, of what was cut off and where.
        Raises TypeError for what is no list of texts, ValueError for a length below 2.
        Source: Lecture eq. 7, for many texts.
        """
        from .batch import to_tensor  # torch is loaded when a tensor is asked for

        if isinstance(texts, str):
            raise TypeError("batch takes a list of texts; this is one text.")
        texts = list(texts)
        if set(map(type, texts)) - {str}:
            for text in texts:
                _require_text(text)
        pad = self.pad_id if pad is None else pad
        return to_tensor(self.stretches, texts, length, self.bos_id, self.eos_id, pad)

    @functools.cached_property
    def stretches(self) -> "Stretches":
        """What ``batch`` remembers."""
        from .batch import Stretches, as_typed

        if self.clean_as == "hf":  # no step there looks across white space
            return Stretches(self._typed_stretch, as_typed)
        if self.learned_rows is not None:  # which are looked for before the text is cleaned
            return Stretches(self.content, lambda texts: ([text] for text in texts))
        return Stretches(self._stretch, self._cleaned)

    def _cleaned(self, texts: list[str]) -> Iterator[list[str]]:
        return (self.clean(text).split(" ") for text in texts)  # ftfy judges a text as a whole

    def _typed_stretch(self, stretch: str) -> list[int]:
        if stretch.isascii() and stretch.isalpha() and not self._special_letters:  # as most are
            return self._word(stretch.lower())
        return self.content(stretch)

    def content(self, text: str) -> list[int]:
        """The ids of a text without BOS and EOS: the lecture's s₁ … sₘ."""
        _require_text(text)
        if not self._special.search(text):
            return self._plain(text)
        ids = []
        for part in self._special.split(text):
            ids += self._typed[part] if part in self._typed else self._plain(part)
        return ids

    def clean(self, text: str) -> str:
        """The text as it is cut into words: repaired or composed, single spaces, lower case."""
        return cleaning.clean_hf(text) if self.clean_as == "hf" else cleaning.clean_openai(text)

    def _plain(self, text: str) -> list[int]:
        # No word crosses a space, so whole stretches between spaces are remembered: "dog," at once.
        ids, known = [], self._known
        for stretch in self.clean(text).split(" "):
            ids += known[stretch] if stretch in known else self._stretch(stretch)
        return ids

    def _stretch(self, stretch: str) -> list[int]:
        return self._remember(
            stretch, [i for word in self._cut(stretch) for i in self._word(word.group())]
        )

    def _cut(self, cleaned: str) -> Iterator[Match[str]]:
        """The words of a cleaned text, as matches of a regular expression."""
        if self.clean_as == "openai" or cleaned.isascii():
            return self._pattern.finditer(cleaned)
        return unicode_tables.words(f"{SPECIAL.pattern[1:-1]}|{TAILS}").finditer(cleaned)

    def _word(self, word: str) -> list[int]:
        if word in self._known:
            return self._known[word]
        return self._remember(word, bpe.merge(bpe.word_ids(word), self.ranks, self.results))

    def _remember(self, text: str, ids: list[int]) -> list[int]:
        if len(text) <= bpe.REMEMBERED_LENGTH:
            if len(self._known) >= bpe.REMEMBERED:
                self._known = dict(self._specials)
            self._known[text] = ids
        return ids

    # Ids to text ----------------------------------------------------------------------------------

    def tokens(self, text: str | list[int]) -> list[str]:
        """The vocabulary's strings for a text (BOS and EOS included) or for ids.

        ``</w>`` ends a word; bytes that do not print stand as other characters ("Ġ"-like, GPT-2's
        table).
        """
        ids = self(text) if isinstance(text, str) else text
        return [self.symbols[self._checked(i)] for i in ids]

    def decode(self, ids: list[int]) -> str:
        """Ids → text, without BOS and EOS; case and spacing are lost, broken UTF-8 is U+FFFD."""
        symbols = [s for s in self.tokens(list(ids)) if s not in (BOS, EOS)]
        learned = {self.symbols[i] for i in range(self.vocab_size, len(self.symbols))}
        data = b"".join(f"{s} ".encode() if s in learned else _bytes_of(s) for s in symbols)
        return data.decode("utf-8", errors="replace").rstrip(" ")

    def _checked(self, number: SupportsIndex) -> int:
        try:
            i = operator.index(number)
        except TypeError:
            raise TypeError(
                f"Ids are whole numbers; this is {type(number).__name__}: {number!r:.60}"
            ) from None
        if not 0 <= i < len(self.symbols):
            raise ValueError(
                f"There is no token {i}: the ids of this vocabulary are 0 to "
                f"{len(self.symbols) - 1}."
            )
        return i

    # Looking inside -------------------------------------------------------------------------------

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """For each token of ``self(text)``: (start, end) of the characters that were typed for it.

        BOS stands at (0, 0), EOS at (n, n). A character cut into several tokens is named by each of
        them. Where ftfy rewrote a stretch ("openai"), its tokens name all of that stretch.
        """
        _require_text(text)
        spans, start = [(0, 0)], 0
        for part in self._special.split(text):
            if part in self._typed:
                spans += [(start, start + len(part))] * len(self._typed[part])
            else:
                spans += [(start + a, start + b) for a, b in self._plain_offsets(part)]
            start += len(part)
        return [*spans, (len(text), len(text))]

    def _plain_offsets(self, text: str) -> list[tuple[int, int]]:
        align = cleaning.align_hf if self.clean_as == "hf" else cleaning.align_openai
        cleaned, typed = align(text)
        spans = []
        for match in self._cut(cleaned):
            word = match.group()
            # The typed place of each byte of the word; tokens take their bytes from the left.
            ids, first = self._word(word), 0
            at = [typed[match.start() + k] for k, c in enumerate(word) for _ in c.encode("utf-8")]
            for i in ids:
                special = i in (self.bos_id, self.eos_id)
                size = len(at) if special else len(self.symbols[i].removesuffix(END_OF_WORD))
                spans.append((at[first][0], at[first + size - 1][1]))
                first += size
        return spans

    def merge_steps(self, word: str) -> list[MergeStep]:
        """The ladder of one word: for each step the merged pair, its rank, the symbols after it."""
        _require_text(word)
        words = [match.group() for match in self._cut(self.clean(word))]
        if len(words) != 1:
            raise ValueError(
                f"merge_steps takes one word; {word!r:.60} is cut into {len(words)}: {words[:8]}."
            )
        if words[0] in (BOS, EOS):
            raise ValueError(f"merge_steps takes one word; {word!r} is a special token.")
        ladder = bpe.merge_steps(bpe.word_ids(words[0]), self.ranks, self.results)
        return [
            MergeStep(self.merges[rank], rank, [self.symbols[i] for i in ids])
            for rank, ids in ladder
        ]

    # Learned words --------------------------------------------------------------------------------

    def learn(self, name: str, rows: "Tensor") -> list[int]:
        """Give a word rows of its own, found by textual inversion; return its ids, one a row.

            tok.learn("<toy>", rows)
            cliplab.encode_prompt("a (<toy>:1.3) on a hill", tok, model)

        name  as it is typed in prompts, without white space; found wherever it stands
        rows  [n, D], or [D] for one: what the encoder reads in place of rows of its table

        The ids go on behind the vocabulary, as in diffusers, and `encode_prompt` hands the rows to
        the encoder. `save` leaves learned words out. Raises ValueError for a word that is special
        already, and for rows of another width. Source: Gal et al. 2023.
        """
        from .learned import read_rows  # torch is loaded when there are rows

        table = read_rows(name, rows, self.learned_rows)
        if name in self._typed or name in (BOS, EOS):
            raise ValueError(f"{name} is a special word of this tokenizer already.")
        first = len(self.symbols)
        ids = [*range(first, self.vocab_size + len(table))]
        self.symbols += [name, *(f"{name}_{n}" for n in range(1, len(ids)))]
        self.learned_rows, self._typed[name] = table, ids
        self._look_for_specials()
        self.__dict__.pop("stretches", None)  # it remembers the word as it was
        return ids

    def _look_for_specials(self) -> None:
        """A pattern that finds what is special, the longest first; without any it finds nothing."""
        names = sorted(self._typed, key=len, reverse=True)
        self._special = re.compile(f"({'|'.join(map(re.escape, names))})" if names else r"(?!)")
        self._special_letters = any(name.isascii() and name.isalpha() for name in names)

    # A vocabulary of one's own --------------------------------------------------------------------

    @classmethod
    def train(cls, texts: list[str], *, vocab_size: int, clean: str = "hf") -> "CLIPTokenizer":
        """Learn a vocabulary on texts.

        ``vocab_size`` counts everything: 512 byte symbols, the merges, BOS and EOS. The same texts
        give the same vocabulary in any order. Warns when they are spent before that many merges.
        """
        smallest = 512 + 2
        whole_number("vocab_size, with 2 × 256 bytes, BOS and EOS,", vocab_size, smallest)
        if isinstance(texts, str):
            raise TypeError("train takes a list of texts; this is one text.")
        blank, counts = cls([], clean=clean), Counter[str]()
        for text in texts:
            _require_text(text)
            counts.update(match.group() for match in blank._cut(blank.clean(text)))
        for special in (BOS, EOS):
            counts.pop(special, None)
        learned = cls(bpe.learn_merges(counts, vocab_size - smallest), clean=clean)
        if learned.vocab_size < vocab_size:
            warnings.warn(
                f"The texts give {learned.vocab_size:,} entries, not {vocab_size:,}: "
                "every word is one token already.",
                stacklevel=2,
            )
        return learned

    def save(self, path: str | Path) -> None:
        """Write the vocabulary as one file of merges, when the path ends in ``.json``.

        Any other path becomes a folder with Hugging Face's ``vocab.json``, ``merges.txt`` and
        ``tokenizer_config.json``, which transformers' CLIPTokenizer opens.
        """
        path, lines = Path(path), [f"{left} {right}" for left, right in self.merges]
        if path.suffix == ".json":
            bpe.write_merges(path, lines, clean=self.clean_as, pad_token=self.symbols[self.pad_id])
            return
        path.mkdir(parents=True, exist_ok=True)
        (path / "vocab.json").write_text(
            json.dumps(self.vocabulary, ensure_ascii=False), encoding="utf-8"
        )
        about = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "clean": self.clean_as}
        pad = self.symbols[self.pad_id]
        specials = {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": pad}
        (path / "tokenizer_config.json").write_text(json.dumps(about | specials), encoding="utf-8")
        (path / "merges.txt").write_text(
            "#version: 0.2\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, path: str | Path, *, clean: str | None = None) -> "CLIPTokenizer":
        """Read what ``save`` wrote, or the tokenizer folder of a Stable Diffusion pipeline.

        ``clean`` is what the file says, "hf" where it says nothing, unless it is given here.
        """
        path, about = Path(path), dict[str, Any]()
        if path.is_dir():
            about = bpe.read_json(path / "tokenizer_config.json")
            files = [path / name for name in ("merges.txt", "tokenizer.json")]
            path = next((file for file in files if file.exists()), files[0])
        if not path.exists():
            raise FileNotFoundError(
                f"There is no vocabulary at {path}: give a .json file, or a folder that holds "
                "merges.txt or tokenizer.json."
            )
        merges, said = bpe.read_merges(path)
        said = about | said
        tokenizer = cls(merges, clean=clean or said.get("clean", "hf"))
        if (pad := tokenizer._id_of_padding(said.get("pad_token"))) != tokenizer.eos_id:
            tokenizer = cls(merges, clean=tokenizer.clean_as, pad=pad)
        stored = bpe.read_json(path.with_name("vocab.json")) if path.name == "merges.txt" else {}
        if stored and stored != tokenizer.vocabulary:
            raise ValueError(
                f"{path.with_name('vocab.json')} does not number its tokens as CLIP does: "
                "bytes, merges in order, BOS, EOS."
            )
        return tokenizer

    def _id_of_padding(self, symbol: Any) -> int:
        """What a file calls the padding: a symbol, or an object that holds one; None is EOS."""
        symbol = symbol.get("content") if isinstance(symbol, dict) else symbol
        if symbol is not None and symbol not in self.vocabulary:
            raise ValueError(f"The padding is {symbol!r:.40}, which is not in the vocabulary.")
        return self.vocabulary[symbol or EOS]


@functools.cache
def clip_merges() -> list[tuple[str, str]]:
    """CLIP's own 48,894 merges, which the package carries."""
    with resources.as_file(resources.files("cliplab") / "assets" / "clip_bpe.json") as path:
        return bpe.read_merges(path)[0]


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(
            f"A prompt is a str, or a list of them; this is {type(text).__name__}: {text!r:.60}"
        )


def _bytes_of(symbol: str) -> bytes:
    body = symbol.removesuffix(END_OF_WORD)
    return bytes(CHAR_TO_BYTE[char] for char in body) + (b" " if body != symbol else b"")


__all__ = ["BYTE_TO_CHAR", "CLIPTokenizer", "MergeStep"]
