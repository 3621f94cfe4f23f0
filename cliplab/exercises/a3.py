"""Checks for assignment 3: prompt weighting."""

import random

import numpy as np
import torch
from torch import Tensor

from ..prompts.parse import parse_prompt
from ..weighting.operators import from_empty, restore_mean, scale
from . import Almost, exercise, expect, trying, why
from . import random as normal

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
            hint = next((why for w, why in reasons.items() if abs(weight - w) < 1e-6), "")
            expect(weight, should, f"{where}, at the letter {c!r},", hint, tolerance=1e-6)
    return "brackets multiply, escapes protect, and what is never closed reaches to the end."


def letters(pieces, where: str) -> list[tuple[str, float]]:
    """Each letter with its weight: it does not matter where an answer cuts."""
    try:  # "− 0" refuses a number in quotes, which float would take
        return [(c, float(weight - 0)) for text, weight in pieces for c in text]
    except (TypeError, ValueError):
        raise Almost(
            f"{where} a list of pairs [text, weight] is asked for; the answer is {pieces!r:.80}."
        ) from None


def draw_prompt(draw: random.Random, depth: int = 3) -> str:
    """A random prompt of the grammar of A3.1: nested brackets, numbers, escapes, colons."""
    parts = []
    for _ in range(draw.randint(1, 3)):
        words = ["red", "fox", "in fog", r"\(old\)", r"\[1\]", "oil, painting", "a\\\\b"]
        parts.append(draw.choice(words) + " ")
        if depth and draw.random() < 0.6:
            inside = draw_prompt(draw, depth - 1).rstrip(" ")
            number = draw.choice(["1.3", "0.5", "2", ".75", "-1", "1.25"])
            forms = ["({})", "[{}]", "({}:{})", "({}: {} )", "(say: {}:{})", "({}: yes)"]
            form = draw.choice(forms if ":" not in inside else forms[:1] + forms[2:])
            parts.append(form.format(inside, number) + draw.choice(["", " "]))
    return "".join(parts)


# Chunks ---------------------------------------------------------------------------------------


@exercise("A3.2", title="Into chunks")
def in_chunks(answer):
    call = trying(answer)
    bos, eos = 900, 901
    for counts in ([5], [1, 1, 3, 1], [], [2, 0, 1], [75], [75, 1], [1, 100, 80]):
        weights = [1.5 + k / 4 for k in range(len(counts))]
        pieces = [[[10 * k + j % 7 for j in range(n)], w]
                  for k, (n, w) in enumerate(zip(counts, weights, strict=True))]  # fmt: skip
        tokens = [(id, w) for ids, w in pieces for id in ids]
        total = len(tokens)
        where = f"for pieces of {counts} tokens"
        wanted = cut(tokens, (bos, 1.0), (eos, 1.0))
        both = [t for ids, w in pieces for t in [(bos, w), *((i, w) for i in ids), (eos, w)]]
        loose = [(bos, 1.0), *tokens, (eos, 1.0)]
        last = tokens[-1][1] if tokens else 1.0
        mistakes = [
            (cut(tokens[:75], (bos, 1.0), (eos, 1.0)), "what goes beyond 75 tokens is lost; it "
             "gets more chunks"),
            (cut(tokens, (bos, 1.0), (eos, last)), "EOS and padding have weight 1"),
            (cut(tokens, (bos, tokens[0][1] if tokens else 1.0), (eos, 1.0)), "BOS has weight 1"),
            (cut(both, (bos, 1.0), (eos, 1.0)), "BOS and EOS stand around a chunk, not around "
             "each piece"),
            (loose + [(eos, 1.0)] * (-len(loose) % 77), "each chunk of 77 has a BOS and an EOS of "
             "its own"),
            (cut(tokens, (bos, 1.0), (eos, 1.0), room=76), "besides BOS and EOS a chunk has room "
             "for 75 tokens"),
            (cut(tokens, (bos, 1.0), (eos, 1.0), fill=(0, 1.0)), "the padding is EOS again, not 0"),
            (wanted + cut([], (bos, 1.0), (eos, 1.0)), "a chunk of padding too many"),
            (cut(tokens, (bos, 1.0), (eos, 1.0), fill=None), "each chunk is filled up to 77"),
            (tokens, "BOS, EOS and padding are missing"),
        ]  # fmt: skip
        got = call([[list(ids), w] for ids, w in pieces], bos, eos)
        try:
            ids, rows = (x.tolist() if hasattr(x, "tolist") else list(x) for x in got)
        except (TypeError, ValueError):
            raise Almost(f"{where} two lists are asked for, ids and weights.") from None
        if len(ids) != len(rows):
            raise Almost(f"{where} there are {len(ids)} ids and {len(rows)} weights: as many.")
        made = [(id, round(w, 6)) for id, w in zip(ids, rows, strict=True)]
        hint = next((reason for wrong, reason in mistakes if wrong != wanted and made == wrong), "")
        expect(len(ids), 77 * max(1, -(-total // 75)), f"{where}, the number of ids:", hint)
        expect(
            torch.tensor(ids), torch.tensor([id for id, _ in wanted]), f"{where}, the ids:", hint
        )
        expect(torch.tensor(rows), torch.tensor([w for _, w in wanted]), f"{where}, the weights:",
               hint)  # fmt: skip
    return "75 tokens to a chunk, and BOS, EOS and padding weigh 1."


def cut(tokens: list, bos: tuple, eos: tuple, room: int = 75, fill: tuple | None = ()) -> list:
    """Tokens with their weights in chunks of 77; `fill` after EOS: () for EOS again, None: none."""
    rows = []
    for start in range(0, max(len(tokens), 1), room):
        chunk = [bos, *tokens[start : start + room], eos][:77]
        rows += chunk if fill is None else chunk + [fill or eos] * (77 - len(chunk))
    return rows


# Operators ------------------------------------------------------------------------------------


@exercise("A3.3", title="Two tools, chunk by chunk")
def weigh(answer):
    call = trying(answer)
    for chunks, L in [(1, 5), (2, 4), (3, 6)]:
        C, e = normal(chunks * L, L, seed=33) + 1, normal(L, L, seed=34)  # square: [L, 1] matters
        w = torch.ones(chunks * L)
        w[1 : L - 1] = torch.tensor([1.5, 0.5, 0.0, 2.0])[: L - 2]
        w[-2] = 1.3
        where = f"for {chunks} chunk{'s' * (chunks > 1)} of {L} rows, "
        parts = list(zip(C.split(L), w.split(L), strict=True))
        all_e = e.repeat(chunks, 1)
        a1111 = torch.cat([restore_mean(c, v) for c, v in parts])
        comfy = from_empty(C, w, all_e)
        upside = torch.cat([scale(c, v) * scale(c, v).mean() / c.mean() for c, v in parts])
        heavy = torch.where((w != 1)[:, None], a1111, C)
        mistakes = [
            (scale(C, w), "the mean is not restored"),
            (restore_mean(C, w), "each chunk restores its own mean, not that of all rows"),
            (upside, "the factor is upside down: old mean over new"),
            (heavy, "every row of a chunk is rescaled, weighted or not"),
            (C, "this is C again: one mean for the whole chunk, not one for each row"),
            (comfy, "that is ComfyUI's"),
        ]
        _compare(call, (C, w, e, "a1111"), a1111, where + "a1111,", mistakes)
        first = torch.cat([from_empty(C[:L], w[:L], e), C[L:]])
        mistakes = [
            (scale(C, w), "that is scaling: at weight 0 stands e"),
            (e.repeat_interleave(chunks, 0) + w[:, None] * (C - e.repeat_interleave(chunks, 0)),
             "each chunk meets the whole of e: repeat the block, not each row"),
            (C + w[:, None] * (C - all_e), "start from e: a weight of 1 gives C"),
            (all_e + w[:, None] * (all_e - C), "the direction is C − e"),
            (first, "only the first chunk is weighed"),
            (a1111, "that is Automatic1111's"),
        ]  # fmt: skip
        _compare(call, (C, w, e, "comfyui"), comfy, where + "comfyui,", mistakes)
    try:
        answer(C, w, e, "nonsense")
    except ValueError as error:
        if "nonsense" not in str(error):
            raise Almost("the message of your ValueError should name the unknown method.") from None
    except Exception as error:
        raise Almost(
            f"a method that is unknown should raise ValueError, not {type(error).__name__}."
        ) from None
    else:
        raise Almost("a method that is unknown should raise ValueError, and nothing was raised.")
    return "each chunk of 77 has its own mean, and its own copy of the empty prompt."


def _compare(call, given: tuple, wanted: Tensor, where: str, mistakes: list) -> None:
    """`expect` on copies; an answer that changes what it was given is told so."""
    copies = [x.clone() if torch.is_tensor(x) else x for x in given]
    got = call(*copies)
    for name, copy, x in zip("Cwe", copies, given, strict=False):
        if not torch.equal(copy, x):
            raise Almost(f"{where} {name} itself was changed in place: make a new tensor.")
    expect(got, wanted, where, why(got, wanted, mistakes))


@exercise("A3.4", title="A method of your own")
def my_weighting(answer):
    call = trying(answer)
    L, D = 7, 16
    # tilt: rows that lie near the empty prompt's, and rows that look the other way
    for seed, (tilt, length) in enumerate([(0.0, 1.6), (0.7, 1.4), (-0.5, 1.3), (0.0, 0.8)]):
        e = normal(L, D, seed=seed)
        C = length * (tilt * e + (1 - abs(tilt)) * normal(L, D, seed=90 + seed))

        def at(w, C=C, e=e):
            got = torch.as_tensor(call(C.clone(), w.clone(), e.clone()))
            expect(list(got.shape), list(C.shape), "the shape of the result:")
            if not got.isfinite().all():
                raise Almost("there are values that are not finite.")
            return got.double()

        rows_on_their_own(at, C)
        from_0_to_2(at, C, e)
    return "all six properties hold, and the method is yours."


def rows_on_their_own(at, C: Tensor) -> None:
    """Properties 1 to 4: what a row of the result may depend on."""
    L, D = C.shape
    w, own = torch.tensor([1.0, 0.0, 0.5, 1.5, 2.0, 1.0, 1.0]), C.double()
    hint = "that must be C itself (property 1)"
    expect(at(torch.ones(L)), own, "with all weights 1", hint)
    got, heavy = at(w), w != 1
    hint = "rows of weight 1 must stay as they are (property 2)"
    expect(got[~heavy], own[~heavy], f"with the weights {w.tolist()}, in the rows of 1,", hint)
    for i in range(L):
        other = torch.where(torch.arange(L)[:, None] == i, C, normal(L, D, seed=7))
        hint = "a row depends on its own row of C, w and e alone (property 3)"
        expect(at(w, other)[i], got[i], f"when all rows but row {i} change, in row {i}", hint, 1e-4)
    zeros, hint = torch.zeros(L), "nothing of C may be left there (property 4)"
    other = normal(L, D, seed=8)
    expect(at(zeros, other), at(zeros), "at weight 0, for another C,", hint, 1e-4)


def from_0_to_2(at, C: Tensor, e: Tensor) -> None:
    """Properties 5 and 6: how far a row goes, and how long it gets on the way."""
    weights = [k / 4 for k in range(9)]
    path = torch.stack([at(torch.full((len(C),), w)) for w in weights])  # [9, L, D]
    grows = ((path - path[0]).norm(dim=-1).diff(dim=0) > 1e-4).all(1).tolist()
    if False in grows:
        k = grows.index(False)
        raise Almost(
            "the way from weight 0 must grow with the weight (property 5); from "
            f"{weights[k]:g} to {weights[k + 1]:g} it does not, for at least one row."
        )
    most = torch.maximum(C.norm(dim=-1), e.norm(dim=-1)).double()
    longer = (path.norm(dim=-1) > most * 1.001).any(1).tolist()
    if True in longer:
        raise Almost(
            f"at weight {weights[longer.index(True)]:g} a row is longer than both its row of C and "
            "its row of e (property 6)."
        )


# Pictures -------------------------------------------------------------------------------------


@exercise("A3.5", title="How much of a color")
def color_gain(answer):
    call = trying(answer)
    palette = [[222, 32, 38], [36, 70, 214], [255, 255, 255], [0, 0, 0]]
    drawn = np.random.default_rng(35)
    white, red = np.full((4, 6, 3), 255, np.uint8), np.full((4, 6, 3), 255, np.uint8)
    red[:2, :3] = [222, 32, 38]
    dark, tie = np.full((2, 2, 3), 20, np.uint8), np.array([[[20, 0, 0]]], np.uint8)
    noise = [drawn.integers(0, 256, (9, 5, 3), dtype=np.uint8) for _ in range(2)]
    for name, (before, after), index, colors in [
        ("a red corner of 6 of 24 pixels on white", (white, red), 0, palette),
        ("the same, asked for white", (white, red), 2, palette),
        ("a dark picture that becomes white", (dark, white), 0, palette),
        ("pixels at random", noise, 0, palette),
        ("pixels at random, asked for blue", noise, 1, palette),
        ("a pixel as near to one color as to the other", (white, tie), 0, [[40, 0, 0], [0, 0, 0]]),
    ]:
        wanted = shares(after, colors)[index] - shares(before, colors)[index]
        got = call(before.copy(), after.copy(), [list(c) for c in colors], index)
        wrapped = [shares(x, colors, np.uint8)[index] for x in (after, before)]
        exact = [(x == colors[index]).all(-1).mean() for x in (after, before)]
        pixels = before.shape[0] * before.shape[1]
        last = [shares(x, colors[::-1])[len(colors) - 1 - index] for x in (after, before)]
        mistakes = [
            (wrapped[0] - wrapped[1], "numbers of type uint8 wrap around below 0 and above 255: "
             "make them float first"),
            (-wanted, "after minus before, not the other way round"),
            (shares(after, colors)[index], "that is the share in `after`: take off `before`'s"),
            (wanted * pixels, "a share from 0 to 1 is asked for, not a number of pixels"),
            (wanted * 100, "a share from 0 to 1 is asked for, not percent"),
            (wanted / 3, "a pixel counts once, not once for each of its three numbers"),
            (exact[0] - exact[1], "a pixel need not have the color exactly: the nearest counts"),
            (last[0] - last[1], "of two colors as near, the first counts"),
        ]  # fmt: skip
        expect(got, float(wanted), f"for {name}:", why(got, float(wanted), mistakes))
    return "each pixel votes for the nearest color, and uint8 did not wrap around."


def shares(picture: np.ndarray, palette, dtype=float) -> np.ndarray:
    """The share of pixels that are nearest to each color; of two as near, the first."""
    away = picture[:, :, None].astype(dtype) - np.array(palette, dtype=dtype)  # [H, W, colors, 3]
    nearest = (away * away).sum(-1).argmin(-1)  # [H, W]
    return np.bincount(nearest.ravel(), minlength=len(palette)) / nearest.size


@exercise("A3.6", title="Is it more than noise?")
def paired_effect(answer):
    call = trying(answer)
    for n, seed in [(5, 1), (12, 2), (2, 3)]:
        before = (5 * normal(n, seed=seed)).double()
        after = before + 0.3 + 0.1 * normal(n, seed=seed + 20)
        d = after - before
        mean, error = d.mean().item(), d.std().item() / n**0.5
        where = f"for {n} pictures"
        got = call(before.tolist(), after.tolist())
        try:
            first, second = got
        except (TypeError, ValueError):
            raise Almost(f"{where} two numbers are asked for; the answer is {got!r:.80}.") from None
        wrong = [
            (-mean, "after minus before"),
            (d.sum().item(), "divide by the number of pictures"),
        ]
        expect(first, mean, f"{where}, the mean:", why(first, mean, wrong))
        unpaired = (before.var() / n + after.var() / n).sqrt().item()
        wrong = [
            (unpaired, "the pictures are pairs: take the spread of their differences"),
            (d.std(correction=0).item() / n**0.5, "for n pictures divide by n − 1, not by n"),
            (d.std().item(), "that is the spread of one; the mean of n varies less, by √n"),
            (d.std().item() / n, "divide by √n, not by n"),
            (d.var().item() / n, "the square root is missing"),
        ]
        expect(second, error, f"{where}, the standard error:", why(second, error, wrong))
    return "pairs from the same seed take the difference between seeds out."
