"""Writes the golden vectors that hold the demos' JavaScript to Python: tests/data/golden_text.json.

    python tools/golden.py            write them
    python tools/golden.py --check    write nothing; say whether the file is what Python gives today

Tokens, merge ladders, and prompts with their fragments, warnings, errors and weighted tokens; all
places in UTF-16 units, as JavaScript counts. The inputs come by hand, from
tests/data/golden_inputs.json; from the stored answers of the tools; and at random, out of what is
special to each grammar.
"""

from __future__ import annotations

import functools
import json
import math
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from cliplab.demos.data.vocabulary import ASSETS
from cliplab.masks import TruncationWarning, length_normalization
from cliplab.prompts import TOOLS, Fragment, PromptError, PromptWarning
from cliplab.prompts.fragment import point_at
from cliplab.prompts.tree import Blend, Conjunction, Prompt, Swap
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel
from cliplab.tokenizer import SPECIAL, CLIPTokenizer
from cliplab.weighting import PromptEncoder

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
FILE = DATA / "golden_text.json"
INPUTS = json.loads((DATA / "golden_inputs.json").read_text(encoding="utf-8"))
SYNTAXES = [name for name in INPUTS["pieces"] if name != "common"]  # those with a port
LONE = re.compile(r"[\ud800-\udfff]")  # half of a surrogate pair, which JavaScript cannot be given
VOCABULARIES = {
    "clip_vocabulary": CLIPTokenizer,
    "mini_vocabulary": functools.partial(CLIPTokenizer.load, ASSETS / "clip-mini"),
    "sd_vocabulary": functools.partial(CLIPTokenizer.load, ASSETS / "sd-mini" / "tokenizer"),
}

LONG = [
    "very " * 80 + "(long)1.3 (prompt:1.2)",
    "a cat, " * 40 + "(red:1.3)",
    "a " * 55 + ", " + "b " * 25,  # A1111 cuts after a comma here,
    "a " * 54 + ", " + "b " * 25,  # and not here
    "One sentence here. " * 18 + "the (end)0.5, last; words" + " more" * 30,
    "(" + "many words in a bracket, " * 20 + ":1.2) and " + "more " * 10,
    "x" * 700 + " (" + "abc " * 90 + ")1.1",
    "a " * 70 + "(seven words stand in here now yes:1.4) BREAK b",
    "a " * 72 + "(seven tiny tokens in here:1.4) (one two three four five six seven eight:0.9)",
]


def stored(name: str, key: str) -> list[str]:
    """The inputs of a file of the tools' own answers."""
    cases = json.loads((DATA / name).read_text(encoding="utf-8"))["cases"]
    return [case[key] for case in cases if len(case[key]) < 80 and not LONE.search(case[key])]


def texts() -> list[str]:
    given = [*INPUTS["texts"], *stored("tokenizer.json", "s")]
    return list(dict.fromkeys(["", " ", "a " * 90, *given]))


def prompts(syntax: str) -> list[str]:
    tools = stored("a1111_parse.json", "prompt") + stored("compel_parse.json", "prompt")
    given = ["", *INPUTS["prompts"], *tools, *LONG]
    given += ["".join(piece * times for piece, times in INPUTS["repeated"].get(syntax, []))]
    return list(dict.fromkeys([*given, *random_prompts(syntax, 110, random.Random(syntax))]))


def random_prompts(syntax: str, number: int, rng: random.Random) -> Iterable[str]:
    """Prompts out of what is special to a grammar."""
    pieces = INPUTS["pieces"]["common"] + INPUTS["pieces"].get(syntax, [])
    return ("".join(rng.choices(pieces, k=rng.randint(1, 16))) for _ in range(number))


# Places in UTF-16 units ---------------------------------------------------------------------------


def utf16(text: str) -> list[int]:
    """For each index of a text, and for its end, how many UTF-16 units stand before it."""
    units = [0]
    for char in text:
        units.append(units[-1] + (2 if ord(char) > 0xFFFF else 1))
    return units


def number(weight: float) -> float | str:
    """A weight as JSON has it: what is not finite has no number there."""
    return weight if math.isfinite(weight) else str(weight)


# One case each ------------------------------------------------------------------------------------


def token_case(tokenizer: CLIPTokenizer, text: str) -> list:
    """[text, [[id, token, start, end, word], …]] without BOS and EOS."""
    units, ids = utf16(text), tokenizer.content(text)
    spans, sizes = tokenizer.offsets(text)[1:-1], []  # how many tokens each word has
    for part in SPECIAL.split(text):
        if SPECIAL.fullmatch(part):
            sizes.append(1)
        else:
            words = tokenizer._cut(tokenizer.clean(part))
            sizes += [len(tokenizer._word(word.group())) for word in words]
    owner = [word for word, size in enumerate(sizes) for _ in range(size)]
    columns = zip(ids, tokenizer.tokens(ids), spans, owner, strict=True)
    return [text, [[i, token, units[a], units[b], w] for i, token, (a, b), w in columns]]


def ladder_case(tokenizer: CLIPTokenizer, word: str) -> list:
    """[word, [[pair, rank, pieces], …]], the pieces in one string; or [word, what is wrong]."""
    try:
        steps = tokenizer.merge_steps(word)
    except ValueError as error:
        return [word, str(error)]
    return [word, [[" ".join(step.pair), step.rank, " ".join(step.result)] for step in steps]]


def length_case(tokenizer: CLIPTokenizer, text: str, length: int, pad: int | None) -> list:
    """[text, length, pad, ids of that length, ids that are lost]."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ids = length_normalization(tokenizer(text), length, pad).tolist()
    lost = [w.message.lost[0] for w in caught if isinstance(w.message, TruncationWarning)]
    return [text, length, pad, ids, *(lost or [[]])]


def prompt_case(prompt: str, syntax: str, encoder: PromptEncoder) -> dict:
    """What a grammar makes of a prompt: fragments, warnings, chunks; or its error."""
    tool, case = TOOLS[syntax], {"prompt": prompt}
    said = attempt(case, prompt, lambda: tool.fragments(prompt))
    if said is not None:
        case["fragments"] = fragment_rows(prompt, said)
        case["chunks"] = [chunk_rows(chunk) for chunk in encoder.encoder.chunks_of(said)]
    else:
        whole: dict = {}
        tree = attempt(whole, prompt, lambda: tool.parse(prompt))
        if tree and tree.prompts and not is_one_prompt(tree):
            case |= whole
            case["parts"] = [part_rows(prompt, part) for part in tree.prompts]
            case["weights"] = [number(weight) for weight in tree.weights]
            case["loras"] = [[lora.name, lora.weight] for lora in tree.loras]
    outside: dict = {}
    attempt(outside, prompt, lambda: tool.warn(prompt))
    if "error" in outside:
        case["outside"] = outside["error"]
    elif "warnings" in outside:
        case["outside"] = outside["warnings"][0][0]
    return case


def is_one_prompt(tree: Conjunction) -> bool:
    """Whether a tree is one list of fragments, and no more than that."""
    return tree.weights == [1.0] and isinstance(tree.prompts[0], Prompt)


def attempt(case: dict, prompt: str, read: Callable):
    """What ``read`` gives; its warnings and its error go into the case."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            said = read()
        except PromptError as error:
            sentence, place = str(error).split("\n")[0], utf16(prompt)[error.position]
            case["error"] = [sentence, place]
            return None
    found = [str(w.message) for w in caught if issubclass(w.category, PromptWarning)]
    if found:
        case["warnings"] = [[w.split("\n")[0], place_of(prompt, w)] for w in found]
    return said


def place_of(prompt: str, warning: str) -> int | None:
    """Where a warning's caret points; None where it has none."""
    _, _, pointed = warning.partition("\n")
    places = range(len(prompt) + 1) if pointed else ()
    return next((utf16(prompt)[p] for p in places if point_at(prompt, p) == pointed), None)


def fragment_rows(prompt: str, fragments: list[Fragment]) -> list:
    units = utf16(prompt)
    return [[f.text, number(f.weight), units[f.start], units[f.end]] for f in fragments]


def part_rows(prompt: str, part) -> list | dict:
    """A part: its fragments, a swap as its two sides; or a blend of such parts."""
    if isinstance(part, Blend):
        parts = [part_rows(prompt, one) for one in part.prompts]
        weights = [number(weight) for weight in part.weights]
        return {"blend": parts, "weights": weights, "normalize": part.normalize}
    return item_rows(prompt, part.fragments)


def item_rows(prompt: str, items: list) -> list:
    rows = []
    for item in items:
        if isinstance(item, Swap):
            rows.append({"swap": [item_rows(prompt, s) for s in (item.original, item.edited)]})
        else:
            rows += fragment_rows(prompt, [item])
    return rows


def chunk_rows(chunk: list) -> list:
    """[ids up to the first padding, [how many, weight, fragment] in runs over all 77]."""
    ids = [token.id for token in chunk]
    while len(ids) > 1 and ids[-1] == ids[-2]:
        ids.pop()
    runs = groupby(chunk, key=lambda token: (str(token.weight), token.fragment))
    rows = [(list(run), fragment) for (_, fragment), run in runs]
    return [ids, [[len(run), number(run[0].weight), fragment] for run, fragment in rows]]


# All of them --------------------------------------------------------------------------------------


@functools.cache
def encoder_of(syntax: str) -> PromptEncoder:
    """A PromptEncoder for its chunks; its model is only asked for its sizes."""
    tokenizer = CLIPTokenizer()
    config = CLIPTextConfig(tokenizer.vocab_size, 77, width=1, heads=1, layers=1, mlp_width=1)
    return PromptEncoder(tokenizer, CLIPTextModel(config), syntax)


def prompt_cases(syntax: str) -> list[dict]:
    """All cases of a syntax."""
    return [prompt_case(prompt, syntax, encoder_of(syntax)) for prompt in prompts(syntax)]


def build() -> dict:
    tokenizers = {name: make() for name, make in VOCABULARIES.items()}
    clip, all_texts = tokenizers["clip_vocabulary"], texts()
    lengths = [("a running dog", 77, None), ("a running dog", 77, 0), ("a " * 90, 77, None)]
    lengths += [
        ("a b c d", 6, None),
        ("a b c d", 5, None),
        ("a b", 2, 0),
        ("a<|endoftext|>", 3, None),
    ]
    return {
        "tokens": {
            name: [token_case(t, text) for text in (all_texts if t is clip else all_texts[:60])]
            for name, t in tokenizers.items()
        },
        "ladders": [ladder_case(clip, word) for word in INPUTS["words"]],
        "lengths": [length_case(clip, *case) for case in lengths],
        "prompts": {syntax: prompt_cases(syntax) for syntax in SYNTAXES},
    }


def written(golden: dict) -> str:
    """JSON with one case to a line, so that a change shows as the cases that changed."""

    def lines(value, depth: int) -> str:
        if depth == 0 or not isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if isinstance(value, list):
            return "[\n" + ",\n".join(lines(one, 0) for one in value) + "\n]"
        items = (f"{json.dumps(key)}: {lines(one, depth - 1)}" for key, one in value.items())
        return "{\n" + ",\n".join(items) + "\n}"

    return lines(golden, 3) + "\n"


def main(arguments: list[str]) -> None:
    text = written(build())
    if arguments == ["--check"]:
        if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
            sys.exit(f"{FILE} is not what Python gives today: run `python tools/golden.py`.")
        print(f"{FILE.name} is up to date.")
    elif arguments:
        sys.exit(__doc__)
    else:
        FILE.write_text(text, encoding="utf-8")
        print(f"{FILE.name}: {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
