"""04.1: nested brackets and numbers, from a prompt to the weight of each letter."""

import random

from .. import Almost, exercise, expect, trying

# Prompts as trees: texts, and brackets with what is in them: "(", "[", or a number for "(…:1.3)".
RED, FOG = ["red"], ["fog"]
PROMPTS = [
    ["a red fox"],
    ["a ", ("(", RED), " fox"],
    ["a ", ("[", RED), " fox"],
    ["a ", (1.3, RED), " fox"],
    ["a ", ("[", [("(", RED), " fox"])],
    ["a ", ("(", [("(", RED)]), " fox in ", ("[", [("[", FOG)])],
    ["a ", ("(", [(1.3, RED), " fox"]), " in ", ("[", FOG)],
    [(1.5, [("(", RED), " fox"]), " in fog"],
    [(2, ["a ", ("[", [(0, RED), " fox"]), " in ", (0.5, FOG)])],
]
# Ways to read: the weight w around a bracket, and the bracket's kind → the weight in it.
MISREADINGS = [
    (lambda w, kind: w + _factor(kind) - 1, "nested weights multiply; yours add up"),
    (lambda w, kind: w * _factor(kind, 0.9), "[x] divides by 1.1, which makes 0.909, not 0.9"),
    (lambda w, kind: w * _factor(kind, 1.1), "[x] makes less of x: divide by 1.1"),
    (lambda w, kind: w * _factor(kind, 1), "square brackets have a weight too"),
    (
        lambda w, kind: kind if _is_number(kind) else w * _factor(kind),
        "here a number replaces the weights around it, which is how ComfyUI reads",
    ),
    (lambda w, kind: _factor(kind), "only the innermost bracket counts in yours"),
    (lambda w, kind: _factor(kind) if w == 1 else w, "only the outermost bracket counts in yours"),
    (
        lambda w, kind: w * _factor(kind) * (1.1 if _is_number(kind) else 1),
        "(x:r) weighs r, not 1.1 r",
    ),
    (
        lambda w, kind: w * (1.1 if _is_number(kind) else _factor(kind)),
        "the number in (x:r) is not used",
    ),
]


@exercise("04.1", title="A parser for nested weights")
def nested_weights(answer):
    call = trying(answer)
    drawn = random.Random(41)
    for parts in [*PROMPTS, *(_draw_prompt(drawn, 4) for _ in range(20))]:
        where = f"for {_typed(parts)!r}"
        got = _characters(call(_typed(parts)), where)
        wanted = _characters(_read(parts, lambda w, kind: w * _factor(kind)))
        _compare_text(got, wanted, where)
        hint = ""
        for how, reason in MISREADINGS:
            if not hint and _equal(got, _characters(_read(parts, how))):
                hint = reason
        for (c, weight), (_, right) in zip(got, wanted, strict=True):
            expect(weight, right, f"{where}, at the letter {c!r},", hint, tolerance=1e-6)
    return "from the inside out, each bracket multiplies what it holds, as in Automatic1111."


def _is_number(kind) -> bool:
    return not isinstance(kind, str)


def _factor(kind, square: float = 1 / 1.1) -> float:
    return kind if _is_number(kind) else {"(": 1.1, "[": square}[kind]


def _typed(parts) -> str:
    """The prompt that a tree stands for."""
    out = ""
    for part in parts:
        if isinstance(part, str):
            out += part
        else:
            kind, inside = part[0], _typed(part[1])
            out += {"(": f"({inside})", "[": f"[{inside}]"}.get(kind, f"({inside}:{kind})")
    return out


def _read(parts, how, weight: float = 1.0) -> list:
    """Pairs (text, weight) of a tree, read in that way."""
    pairs: list = []
    for part in parts:
        inside = None if isinstance(part, str) else _read(part[1], how, how(weight, part[0]))
        pairs += [(part, weight)] if inside is None else inside
    return pairs


def _draw_prompt(drawn: random.Random, depth: int) -> list:
    """A random tree of words and brackets."""
    parts: list = []
    for _ in range(drawn.randint(1, 3)):
        parts.append(drawn.choice(["red", "fox", "in fog", "oil painting"]) + " ")
        if depth and drawn.random() < 0.7:
            kind = drawn.choice(["(", "[", 1.3, 0.5, 1.25, 2])
            parts.append((kind, _draw_prompt(drawn, depth - 1)))
    return parts


def _characters(pairs, where: str = "") -> list:
    """Each character with its weight, without spaces: it does not matter where an answer cuts."""
    try:  # "− 0" refuses a number in quotes, which float would take
        return [(c, float(weight - 0)) for text, weight in pairs for c in text if not c.isspace()]
    except (TypeError, ValueError):
        raise Almost(
            f"{where} a list of pairs (text, weight) is asked for; the answer is {pairs!r:.80}."
        ) from None


def _compare_text(got, wanted, where: str) -> None:
    text, right = ("".join(c for c, _ in pairs) for pairs in (got, wanted))
    if set("()[]") & set(text):
        raise Almost(f"{where} brackets are left in the text: {text!r}.")
    if ":" in text:
        raise Almost(f"{where} the colon or the number is left in the text: {text!r}.")
    expect(text, right, f"{where}, spaces aside,", "every word stays, in its order")


def _equal(a, b) -> bool:
    return all(abs(x - y) < 1e-6 for (_, x), (_, y) in zip(a, b, strict=True))
