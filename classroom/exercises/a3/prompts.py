"""A3.1–A3.2: a prompt's weighted fragments, and its tokens in chunks of 77."""

import random

from cliplab.prompts.register import parse_prompt

from ...compare import number, parts, show
from .. import Almost, exercise, expect, plain, trying, why

# A prompt, what to think of when the text is off, and what a wrong weight of a letter comes from.
PROMPTS = [
    ("a red fox", "", {}),
    ("a (red) fox", "", {1.0: "round brackets multiply by 1.1"}),
    (
        "a [red] fox",
        "",
        {
            0.9: "[x] divides by 1.1, which makes 0.909, not 0.9",
            1.1: "[x] makes less of x: divide by 1.1",
        },
    ),
    (
        "a (red:1.3) fox",
        "the number is no text",
        {1.43: "(x:r) weighs r, not 1.1 r", 1.1: "the number in (x:r) is not used"},
    ),
    (
        "(((red)) fox)",
        "",
        {
            1.1: "nested brackets multiply: only one of yours counts",
            1.3: "nested weights multiply; yours add up",
        },
    ),
    (
        "a ((red:1.3) fox) in fog",
        "",
        {
            1.3: "that is ComfyUI's way, where a number replaces; here they multiply",
            1.4: "nested weights multiply; yours add up",
        },
    ),
    (
        "a ( red : 1.3 ) fox",
        "the spaces around the number go with it; one before the colon is text",
        {},
    ),
    ("(red:2) (fox:.5) (fog:-0.4) (sun:0)", "a number may be 2, .5, −0.4 or 0", {}),
    (r"a \(red\) \[fox\] \\", "a bracket after a backslash is text, and the backslash goes", {}),
    (r"a (red \(fox\):1.3)", "an escaped bracket is text inside brackets too", {}),
    (r"(red\\) fox", r"\\ is one backslash, so the bracket after it is a bracket", {}),
    ("at 12:30 (sky: red: 1.2)", "a colon is text, except before the last number and a )", {}),
    ("a (red: fox)", "a colon without a number after it is text", {}),
    ("a (red fox", "", {1.0: "a bracket that is never closed reaches to the end of the prompt"}),
    ("a [red fox", "", {1.0: "a bracket that is never closed reaches to the end of the prompt"}),
    ("a red) fox] in fog", "a closing bracket that nothing opened is text", {}),
    ("a red:1.3) fox", "a closing bracket that nothing opened is text, its number too", {}),
    ("", "", {}),
]


@exercise("A3.1", title="Fragments")
def fragments(answer):
    call = trying(answer)
    drawn = random.Random(31)
    for prompt, text_hint, reasons in [
        *PROMPTS,
        *((draw_prompt(drawn), "", {}) for _ in range(40)),
    ]:
        where = f"for {prompt!r}"
        got = letters(call(prompt), where)
        wanted = [(c, f.weight) for f in parse_prompt(prompt, "a1111") for c in f.text]
        text, right = ("".join(c for c, _ in pairs) for pairs in (got, wanted))
        if text != right and text.replace(" ", "") == right.replace(" ", ""):
            text_hint = "spaces count: of the text nothing but brackets, numbers and marks goes"
        expect(text, right, f"{where}, the text:", text_hint)
        for (c, weight), (_, should) in zip(got, wanted, strict=True):
            hint = next((reason for w, reason in reasons.items() if abs(weight - w) < 1e-6), "")
            expect(weight, should, f"{where}, at the letter {c!r},", hint, tolerance=1e-6)
    return "brackets multiply, escapes protect, and what is never closed reaches to the end."


def letters(pieces, where: str = "") -> list[tuple[str, float]]:
    """Each letter with its weight: it does not matter where an answer cuts.

    Raises Almost for what is no list of pairs of a text and a number.
    """
    found = []
    for piece in parts(pieces) or []:
        pair = parts(piece)
        if not pair or len(pair) != 2 or not isinstance(pair[0], str):
            break
        weight = number(pair[1])
        if weight is None or isinstance(weight, bool):
            break
        found += [(c, float(weight)) for c in pair[0]]
    else:
        if parts(pieces) is not None:
            return found
    raise Almost(
        f"{where} a list of pairs [text, weight] is asked for; the answer is {show(plain(pieces))}."
    )


def draw_prompt(draw: random.Random, depth: int = 3) -> str:
    """A random prompt of the grammar of A3.1: nested brackets, numbers, escapes, colons.

    At its top closing brackets may stand that nothing opened, and at its end what never closes.
    """
    pieces = []
    for _ in range(draw.randint(1, 3)):
        words = ["red", "fox", "in fog", r"\(old\)", r"\[1\]", "oil, painting", "a\\\\b", "é🐕", ""]
        pieces.append(draw.choice(words) + draw.choice([" ", "  ", ""]))
        if depth and draw.random() < 0.5:
            pieces.append(bracketed(draw, draw_prompt(draw, depth - 1)))
        elif depth == 3 and draw.random() < 0.3:
            pieces.append(draw.choice([")", "]", ":1.3)", ": .5 ) b", "12:30 "]))
    if depth == 3 and draw.random() < 0.3:
        pieces.append(draw.choice(["(red fox", "((a) b", "(red: fox", "[a (b"]))
    return "".join(pieces)


def bracketed(draw: random.Random, inside: str) -> str:
    """The text in brackets of some form; square ones hold no colon."""
    number = draw.choice(["1.3", "0.5", "2", ".75", "-1", "-.5", "2.", "0", f"{draw.random():.4f}"])
    space = draw.choice(["", "", " ", "  "])
    forms = ["({})", "[{}]", f"({{}}:{number})", f"({{}}:{space}{number}{space})"]
    forms += [f"(say: {{}}:{number})", "({}: yes)", f"({{}} :{number})"]
    form = draw.choice([one for one in forms if ":" not in inside or one != "[{}]"])
    return form.format(inside) + draw.choice(["", " "])


@exercise("A3.2", title="Into chunks")
def in_chunks(answer):
    call = trying(answer)
    bos, eos = 900, 901
    for counts in ([5], [1, 1, 3, 1], [], [2, 0, 1], [75], [75, 1], [1, 100, 80]):
        weights = [1.5 + k / 4 for k in range(len(counts))]
        pieces = [
            [[10 * k + j % 7 for j in range(n)], w]
            for k, (n, w) in enumerate(zip(counts, weights, strict=True))
        ]
        tokens = [(id, w) for ids, w in pieces for id in ids]
        start, end = (bos, 1.0), (eos, 1.0)
        where = f"for pieces of {counts} tokens"
        wanted = cut(tokens, start, end)
        both = [t for ids, w in pieces for t in [(bos, w), *((i, w) for i in ids), (eos, w)]]
        loose = [start, *tokens, end]
        first, last = (tokens[0][1], tokens[-1][1]) if tokens else (1.0, 1.0)
        mistakes = [
            (
                cut(tokens[:75], start, end),
                "what goes beyond 75 tokens is lost; it gets more chunks",
            ),
            (cut(tokens, start, (eos, last)), "EOS and padding have weight 1"),
            (cut(tokens, (bos, first), end), "BOS has weight 1"),
            (cut(both, start, end), "BOS and EOS stand around a chunk, not around each piece"),
            (
                loose + [end] * (-len(loose) % 77),
                "each chunk of 77 has a BOS and an EOS of its own",
            ),
            (
                cut(tokens, start, end, room=76),
                "besides BOS and EOS a chunk has room for 75 tokens",
            ),
            (cut(tokens, start, end, fill=(0, 1.0)), "the padding is EOS again, not 0"),
            (wanted + cut([], start, end), "a chunk of padding too many"),
            (cut(tokens, start, end, fill=None), "each chunk is filled up to 77"),
            (tokens, "BOS, EOS and padding are missing"),
        ]
        got = call(pieces, bos, eos)
        try:
            ids, rows = (list(plain(x)) for x in got)
        except (TypeError, ValueError):
            raise Almost(f"{where} two lists are asked for, ids and weights.") from None
        if len(ids) != len(rows):
            raise Almost(f"{where} there are {len(ids)} ids and {len(rows)} weights: as many.")
        made = [(id, round(w, 6)) for id, w in zip(ids, rows, strict=True)]
        hint = why(made, wanted, mistakes)
        expect(len(ids), len(wanted), f"{where}, the number of ids:", hint)
        right, heavy = zip(*wanted, strict=True)
        expect(ids, right, f"{where}, the ids:", hint)
        expect(rows, heavy, f"{where}, the weights:", hint)
    return "75 tokens to a chunk, and BOS, EOS and padding weigh 1."


def cut(tokens: list, bos: tuple, eos: tuple, room: int = 75, fill: tuple | None = ()) -> list:
    """Tokens with their weights in chunks of 77; `fill` after EOS: () for EOS again, None: none."""
    rows = []
    for start in range(0, max(len(tokens), 1), room):
        chunk = [bos, *tokens[start : start + room], eos][:77]
        rows += chunk if fill is None else chunk + [fill or eos] * (77 - len(chunk))
    return rows
