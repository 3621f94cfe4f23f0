"""Byte-pair encoding: the alphabet of bytes, the merging of pairs, the learning of merges.

A vocabulary is a list of merges, nothing more. The ids follow from it, in CLIP's order:

    0 … 255            the 256 bytes
    256 … 511          the same bytes as the last of a word, written with ``</w>``
    512 …              one id per merge, in the order in which the merges were learned
    the last two       <|startoftext|> and <|endoftext|>

Source: Sennrich et al. 2016 for the merges, GPT-2 for the bytes, OpenAI's CLIP for ``</w>`` and the
order.
"""

import heapq
import json
from collections import Counter, defaultdict
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

END_OF_WORD = "</w>"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
Pair = tuple[int, int]  # of ids
REMEMBERED, REMEMBERED_LENGTH = 2**17, 64  # bounds on the memory that known words take


def _byte_alphabet() -> dict[int, str]:
    """One visible character per byte: itself if it prints, else one from U+0100 on, as in GPT-2."""
    runs = ("!~", "¡¬", "®ÿ")  # the first and the last of those that print
    printable = [byte for run in runs for byte in range(ord(run[0]), ord(run[1]) + 1)]
    hidden = [byte for byte in range(256) if byte not in printable]
    shown = {byte: chr(byte) for byte in printable}
    return shown | {byte: chr(256 + i) for i, byte in enumerate(hidden)}


BYTE_TO_CHAR = _byte_alphabet()
CHAR_TO_BYTE = {char: byte for byte, char in BYTE_TO_CHAR.items()}
BYTE_ID = {byte: i for i, byte in enumerate(BYTE_TO_CHAR)}  # in the table's order, not by value


def word_ids(word: str) -> list[int]:
    """The ids of a word's bytes before any merge; the last one is its end-of-word twin."""
    try:
        ids = [BYTE_ID[byte] for byte in word.encode("utf-8")]
    except UnicodeEncodeError as error:
        raise ValueError(
            f"U+{ord(word[error.start]):04X} in {word!a:.60} is half of a surrogate pair, not a "
            'character: mend the text, or clean it as "openai", which reads it as U+FFFD.'
        ) from None
    ids[-1] += 256
    return ids


def vocabulary_of(merges: list[tuple[str, str]]) -> dict[str, int]:
    """Token string → id for a list of merges."""
    symbols = list(BYTE_TO_CHAR.values())
    vocabulary = {s: i for i, s in enumerate(symbols + [s + END_OF_WORD for s in symbols])}
    for left, right in merges:
        if left not in vocabulary or right not in vocabulary:
            raise ValueError(
                f"The merge {left!r} {right!r} uses a symbol that no earlier merge has made; "
                "is the list in order?"
            )
        vocabulary.setdefault(left + right, len(vocabulary))
    for special in (BOS, EOS):
        vocabulary[special] = len(vocabulary)
    return vocabulary


def merge_steps(ids: list[int], ranks: dict[tuple[int, int], int], results: list[int]):
    """The definition of BPE: merge the pair of lowest rank, everywhere, until no pair has a rank.

    Yields (rank, ids after this step). Quadratic; for words that people look at.
    """
    while known := [pair for pair in pairwise(ids) if pair in ranks]:
        pair = min(known, key=ranks.get)  # type: ignore[arg-type]  # all that is known has a rank
        ids = replace_pair(ids, pair, results[ranks[pair]])
        yield ranks[pair], ids


def merge(ids: list[int], ranks: dict[tuple[int, int], int], results: list[int]) -> list[int]:
    """The last of ``merge_steps``, for words as people write them and for longer ones."""
    return (merge_short if len(ids) <= 40 else merge_long)(ids, ranks, results)


def merge_short(ids: list[int], ranks: dict[tuple[int, int], int], results: list[int]) -> list[int]:
    """Beside the symbols stand the ranks of their pairs; a merge renews those of its neighbors."""
    ids, rank_of, never = list(ids), ranks.get, len(results)
    rank_at = list(map(rank_of, pairwise(ids), repeat(never)))
    while rank_at and (rank := min(rank_at)) < never:
        while rank in rank_at:
            i = rank_at.index(rank)
            ids[i] = results[rank]
            del ids[i + 1], rank_at[i]
            if i > 0:
                rank_at[i - 1] = rank_of((ids[i - 1], ids[i]), never)
            if i < len(rank_at):
                rank_at[i] = rank_of((ids[i], ids[i + 1]), never)
    return ids


def merge_long(ids: list[int], ranks: dict[tuple[int, int], int], results: list[int]) -> list[int]:
    """In O(n log n), so that a word of 100,000 letters is no trap.

    Every place where a pair stands is filed under the pair's rank; the ranks are taken lowest
    first. Symbols form a linked list, so that a merge touches only its neighbors. A -1 stands
    beyond either end (the list's index -1 is its last) and has no rank with anything.
    """
    n, ids = len(ids), [*ids, -1]
    before, after = list(range(-1, n)), [*range(1, n + 1), n]
    rank_at = [ranks.get(pair) for pair in pairwise(ids)] + [None]
    places: dict[int, list[int]] = {}
    for i, rank in enumerate(rank_at):
        if rank is not None:
            places.setdefault(rank, []).append(i)
    queue = list(places)
    heapq.heapify(queue)
    while queue:
        rank = heapq.heappop(queue)
        for i in sorted(places.pop(rank)):  # left to right: "aaa" becomes "aa a"
            if rank_at[i] != rank:
                continue  # an earlier merge has taken one of the two
            j = after[i]
            ids[i], ids[j], rank_at[j] = results[rank], -1, None
            after[i] = after[j]
            before[after[j]] = i
            for left in (before[i], i):
                rank_at[left] = new = ranks.get((ids[left], ids[after[left]]))
                if new is not None:
                    if new not in places:
                        places[new] = []
                        heapq.heappush(queue, new)
                    places[new].append(left)
    return [i for i in ids if i >= 0]


def replace_pair(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """Write ``new`` wherever ``pair`` stands, from left to right without overlap."""
    out, i = [], 0
    while i < len(ids):
        hit = i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair
        out.append(new if hit else ids[i])
        i += 2 if hit else 1
    return out


def learn_merges(counts: Counter[str], number: int) -> list[tuple[str, str]]:
    """Learn up to ``number`` merges from word counts: again and again the most frequent pair.

    Ties go to the pair of lowest ids, so that the result does not depend on the order of the words.
    Stops early when every word is one token. Source: Sennrich et al. 2016, algorithm 1.
    """
    strings = list(vocabulary_of([]))[:-2]
    id_of = {s: i for i, s in enumerate(strings)}
    words = [(word_ids(word), count) for word, count in counts.items()]
    frequency, where = Counter[Pair](), defaultdict[Pair, set[int]](set)
    for w, (ids, count) in enumerate(words):
        for pair in pairwise(ids):
            frequency[pair] += count
            where[pair].add(w)
    queue = [(-count, pair) for pair, count in frequency.items()]
    heapq.heapify(queue)
    merges: list[tuple[str, str]] = []
    while queue and len(merges) < number:
        count, pair = heapq.heappop(queue)
        if -count != frequency[pair] or not count:
            continue  # an outdated entry: a newer one with the right count is in the queue
        left, right = strings[pair[0]], strings[pair[1]]
        merges.append((left, right))
        if left + right not in id_of:
            id_of[left + right] = len(strings)
            strings.append(left + right)
        changed = set[Pair]()
        for w in where.pop(pair):
            ids, count = words[w]
            new = replace_pair(ids, pair, id_of[left + right])
            changed |= {*pairwise(ids), *pairwise(new)}
            for old in pairwise(ids):
                frequency[old] -= count
            for fresh in pairwise(new):
                frequency[fresh] += count
                where[fresh].add(w)
            words[w] = new, count
        for touched in changed:
            if frequency[touched]:
                heapq.heappush(queue, (-frequency[touched], touched))
    return merges


def write_merges(path: str | Path, merges: list[str], **about: str) -> None:
    """Write merges ("a b", one per line) as JSON, after what there is to say about them."""
    head = "".join(
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n"
        for key, value in about.items()
    )
    lines = ",\n".join(json.dumps(line, ensure_ascii=False) for line in merges)
    Path(path).write_text(f'{{\n{head} "merges": [\n{lines}\n]}}\n', encoding="utf-8")


def read_merges(path: str | Path) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Read merges, and what is said about them, from JSON or from Hugging Face's ``merges.txt``."""
    about: dict[str, Any] = {}
    if Path(path).suffix == ".json":
        about = read_json(path)
        about = about.get("model", about)  # transformers' tokenizer.json has them one level down
        lines = about.pop("merges", None)
        if not isinstance(lines, list):
            raise ValueError(
                f'{path} holds no list of merges: a JSON object with the key "merges" is expected.'
            )
        lines = [" ".join(line) if isinstance(line, list) else line for line in lines]
    else:
        text = Path(path).read_text(encoding="utf-8")
        lines = [line for line in text.split("\n") if line and not line.startswith("#version")]
    merges = [line.split(" ") if isinstance(line, str) else [] for line in lines]
    for number, symbols in enumerate(merges):
        if len(symbols) != 2 or not all(symbols):
            raise ValueError(
                f"Merge {number} of {path} is {lines[number]!r}; "
                "two symbols with one space between them are expected."
            )
    return [(left, right) for left, right in merges], about


def read_json(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file; {} where there is no file. Raises ValueError for anything else."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}.") from None
    if not isinstance(document, dict):
        raise ValueError(f"{path} is no JSON object.")
    return document
