"""A1.1–A1.4: a word's symbols, the next merge, all merges, and a prompt of exactly 77."""

from itertools import pairwise

from cliplab.tokenizer import BYTE_TO_CHAR
from cliplab.tokenizer.bpe import END_OF_WORD, replace_pair

from .. import Almost, exercise, expect, plain, trying, why


@exercise("A1.1", title="A word in bytes")
def word_symbols(answer):
    call = trying(answer)
    for word in ("dog", "a", "café", "日本", "🐕"):
        symbols = [BYTE_TO_CHAR[byte] for byte in word.encode()]
        wanted, got = marked(symbols), plain(call(word))
        mistakes = [
            (marked(list(word)), "a symbol is a byte, not a character: encode the word as UTF-8"),
            (
                marked([chr(byte) for byte in word.encode()]),
                "chr is not the table: bytes that do not print have other characters there",
            ),
            (symbols, "the last symbol carries the mark </w>"),
            ([*symbols, END_OF_WORD], "</w> is no symbol of its own; it is the end of the last"),
            ([s + END_OF_WORD for s in symbols], "only the last symbol ends the word"),
            (list(word.encode()), "those are the bytes' numbers; look each up in BYTE_TO_CHAR"),
            ("".join(wanted), "a list of symbols is asked for, not one string"),
        ]
        expect(got, wanted, f"for {word!r}", why(got, wanted, mistakes))
    return "one symbol for each byte, and the last one knows that it ends the word."


def marked(symbols: list[str]) -> list[str]:
    return [*symbols[:-1], symbols[-1] + END_OF_WORD]


@exercise("A1.2", title="The next merge")
def next_pair(answer):
    call = trying(answer)
    cases = [
        (["t", "h", "e", "n</w>"], {"t h": 5, "h e": 2, "e n</w>": 8}),
        (["h", "a", "t</w>"], {"a t</w>": 4}),
        (["c", "a", "t</w>"], {"c t</w>": 0, "a t</w>": 7, "c a": 9}),
        (["l", "o", "w", "e", "r</w>"], {"o w": 3, "l o": 0, "e r</w>": 1}),
        (["x", "y</w>"], {"a b": 0}),
        (["dog</w>"], {"d o": 5}),
    ]
    for symbols, ranks in cases:
        rank = by_pair(ranks)
        neighbors = list(pairwise(symbols))
        known = [pair for pair in neighbors if pair in rank]
        wanted = list(min(known, key=rank.get, default=()))
        got = plain(call(symbols, ranks))
        anywhere = [pair for pair in rank if {*pair} <= {*symbols}]
        mistakes = [
            ("".join(wanted), "give the two symbols, not the one that they become"),
            (" ".join(wanted), "give the two symbols as a list, not the key of the table"),
            (rank.get(tuple(wanted)), "that is the pair's rank; the pair itself is asked for"),
            (list(known[0] if known else ()), "that is the leftmost known pair, not the lowest"),
            (list(max(known, key=rank.get, default=())), "that is the highest rank"),
            (list(min(anywhere, key=rank.get, default=())), "these two do not stand side by side"),
            (
                list(min(filter(rank.get, known), key=rank.get, default=())),
                "a pair of rank 0 is known as well, and goes first",
            ),
            (
                list(min((p for p in neighbors[:-1] if p in rank), key=rank.get, default=())),
                "the last two symbols are neighbors, too",
            ),
            (symbols[:2], "no two neighbors are a known pair, so the answer is []"),
        ]
        expect(got, wanted, f"for {symbols} and {ranks}", why(got, wanted, mistakes))
    return "of the neighbors that the table knows, the pair that was learned first."


@exercise("A1.3", title="A word, merged to its tokens")
def merge_word(answer):
    call = trying(answer)
    cases = [
        (["t", "h", "e", "n", "s</w>"], {"t h": 3, "h e": 5, "e n": 1, "th e": 4}),
        (["l", "o", "w", "e", "r</w>"], {"l o": 2, "o w": 1, "e r</w>": 0, "l ow": 5}),
        (["b", "a", "n", "a", "n", "a</w>"], {"a n": 3, "an a</w>": 9, "b an": 6}),
        (["x", "a", "a", "a", "y</w>"], {"a a": 0, "a y</w>": 2}),
        (["a", "b", "a", "b", "c</w>"], {"a b": 4, "ab a": 1}),
        (["a", "b", "c", "a", "b", "d</w>"], {"b c": 2, "a b": 4, "bc ab": 1, "ab d</w>": 3}),
        (["s", "h", "e", "l", "l</w>"], {"s h": 3, "h e": 5, "sh el": 2, "e l": 7, "l l</w>": 9}),
        (["c", "a", "t</w>"], {"x y": 0}),
    ]
    for symbols, ranks in cases:
        rank = by_pair(ranks)
        wanted, got = merged(symbols, rank), plain(call(symbols, ranks))
        mistakes = [
            (symbols, "nothing was merged"),
            (merged(symbols, rank, steps=1), "that is one merge; go on until no pair is known"),
            (
                merged(symbols, {pair: -place for pair, place in rank.items()}),
                "take the pair of lowest rank, not of the highest",
            ),
            (
                merged(symbols, rank, leftmost=True),
                "take the pair of lowest rank, not the leftmost",
            ),
            (
                in_one_pass(symbols, rank),
                "after every merge, look for the lowest rank of all again",
            ),
            (
                merged(symbols, rank, join=leftmost_place),
                "join the pair in all its places before you look at the table again",
            ),
            (from_the_right(symbols, rank), "join from left to right: of three a's, the first two"),
            (["".join(symbols)], "only pairs that the table knows are joined"),
            ("".join(symbols), "a list of symbols is asked for, not one string"),
        ]
        expect(got, wanted, f"for {symbols} and {ranks}", why(got, wanted, mistakes))
    return "that is byte-pair encoding: choose and join, until no pair is known."


def by_pair(ranks: dict[str, int]) -> dict[tuple[str, ...], int]:
    return {tuple(pair.split(" ")): rank for pair, rank in ranks.items()}


def merged(symbols, rank, steps=99, leftmost=False, join=replace_pair):
    """BPE on strings; with few steps, the leftmost pair or another way to join, a misreading."""
    for _ in range(steps):
        known = [pair for pair in pairwise(symbols) if pair in rank]
        if not known:
            break
        pair = known[0] if leftmost else min(known, key=rank.get)
        symbols = join(symbols, pair, "".join(pair))
    return symbols


def leftmost_place(symbols, pair, new):
    i = list(pairwise(symbols)).index(pair)
    return [*symbols[:i], new, *symbols[i + 2 :]]


def in_one_pass(symbols, rank):
    """The table from top to bottom, once."""
    for pair in sorted(rank, key=rank.get):
        symbols = replace_pair(symbols, pair, "".join(pair))
    return symbols


def from_the_right(symbols, rank):
    """BPE on the mirrored word, mirrored back."""
    while known := [pair for pair in pairwise(symbols) if pair in rank]:
        pair = min(known, key=rank.get)
        symbols = replace_pair(symbols[::-1], pair[::-1], "".join(pair))[::-1]
    return symbols


@exercise("A1.4", title="Exactly 77, and what it costs")
def fit(answer):
    call = trying(answer)
    for content, length, pad in [
        (3, 12, 99),
        (9, 6, 99),
        (4, 6, 0),
        (5, 6, 0),
        (4, 2, 7),
        (80, 77, 98),
    ]:
        s, bos, eos = list(range(100, 100 + content)), 97, 98
        where = f"for {content} content tokens, length {length} and pad {pad}"
        got = plain(call(s, length, bos, eos, pad))
        if not isinstance(got, list) or len(got) != 2:
            raise Almost(f"{where} two lists are asked for: the ids, and what was lost.")
        ids, lost = map(plain, got)
        kept, cut, fill = s[: length - 2], s[length - 2 :], max(0, length - 2 - content)
        wanted = [bos, *kept, eos, *[pad] * fill]
        mistakes = [
            ([bos, *s][:length], "EOS is lost: the cut took it. Cut the content, then add EOS"),
            ([bos, *s, eos], "the length is not that asked for"),
            ([bos, *kept, *[pad] * fill, eos], "EOS follows the content; the padding comes last"),
            ([bos, *kept, eos, *[eos] * fill], "the padding is the id that was given, not EOS"),
            ([bos, *kept, eos, *[0] * fill], "the padding is the id that was given, not 0"),
            ([*[pad] * fill, bos, *kept, eos], "the padding belongs on the right"),
            ([bos, *kept], "EOS is missing"),
            ([bos, *s[content - len(kept) :], eos], "cut at the end, not at the beginning"),
        ]
        expect(ids, wanted, f"{where}, ids:", why(ids, wanted, mistakes))
        mistakes = [
            (len(cut), "the ids themselves are asked for, not their number"),
            ([*cut, eos], "EOS is not lost"),
            (s[length - 1 :], "BOS and EOS take two slots, so length − 2 content tokens fit"),
            (s[length:], "BOS and EOS take two slots, so length − 2 content tokens fit"),
            ([], "content was cut off, and nothing is said to be lost"),
            (kept, "those are the tokens that were kept"),
        ]
        expect(lost, cut, f"{where}, lost:", why(lost, cut, mistakes))
    return "EOS always survives, and whoever cuts also says what."
