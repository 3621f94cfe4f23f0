"""Answers to the exercises of assignment 3, right ones and usual mistakes."""

import re
import statistics

import numpy as np
import torch

import cliplab
from cliplab.weighting import from_empty, restore_mean, scale

tok = cliplab.CLIPTokenizer()

# A3.1

NUMBER = r":\s*-?[.\d]+\s*\)"
TOKEN = rf"\\[()\[\]\\]|{NUMBER}|[()\[\]]|:|[^()\[\]:\\]+"


def parser(
    square=1 / 1.1,
    combine=lambda weight, factor: weight * factor,
    token=TOKEN,
    factor=lambda text: float(text[1:-1]),
    unclosed=True,
    escapes=lambda text: text[1:],
    stray=lambda text: [(text, 1.0)],
):
    """A right parser, or one with a mistake put in."""

    def fragments(prompt):
        pieces, opened = [], []

        def multiply(start, by):
            pieces[start:] = [(text, combine(weight, by)) for text, weight in pieces[start:]]

        for text in re.findall(token, prompt):
            kind = "[" if text == "]" else "("
            if text in "([":
                opened.append((text, len(pieces)))
            elif text[0] == "\\":
                pieces.append((escapes(text), 1.0))
            elif text[-1] not in ")]":
                pieces.append((text, 1.0))
            elif not opened or opened[-1][0] != kind:
                pieces += stray(text)
            else:
                by = {")": 1.1, "]": square}
                multiply(opened.pop()[1], by[text] if text in by else factor(text))
        for kind, start in opened if unclosed else []:
            multiply(start, 1.1 if kind == "(" else square)
        return pieces

    return fragments


fragments = parser()


def by_the_package(prompt):
    return [[f.text, f.weight] for f in cliplab.parse_prompt(prompt, "a1111")]


def by_descent(prompt):
    """One letter at a time, a list of the weights that are open, and numbers looked up ahead."""
    pieces, opened, i = [], [], 0
    while i < len(prompt):
        letter = prompt[i]
        number = re.match(NUMBER, prompt[i:])
        if letter == "\\":
            pieces.append([prompt[i + 1], 1.0])
            i += 2
            continue
        if letter in "([":
            opened.append([letter, len(pieces)])
        elif opened and opened[-1][0] == "(" and (number or letter == ")"):
            by = float(number[0][1:-1]) if number else 1.1
            for piece in pieces[opened.pop()[1] :]:
                piece[1] *= by
            i += len(number[0]) - 1 if number else 0
        elif opened and opened[-1][0] == "[" and letter == "]":
            for piece in pieces[opened.pop()[1] :]:
                piece[1] /= 1.1
        else:
            pieces.append([letter, 1.0])
        i += 1
    for kind, start in opened:
        for piece in pieces[start:]:
            piece[1] *= 1.1 if kind == "(" else 1 / 1.1
    return pieces


def absolute(prompt):
    return [[f.text, f.weight] for f in cliplab.parse_prompt(prompt, "comfyui")]


def stripped(prompt):
    return [(text.strip(), weight) for text, weight in fragments(prompt)]


def outermost(weight, factor):
    return factor


NO_SPACES = TOKEN.replace(NUMBER, r":-?[.\d]+\)")
POSITIVE = TOKEN.replace(NUMBER, r":\s*[.\d]+\s*\)")
NO_ESCAPES = TOKEN.replace(r"\\[()\[\]\\]|", "").replace(r":\\]+", ":]+")
NO_DOUBLE = TOKEN.replace(r"\\[()\[\]\\]|", r"\\[()\[\]]|").replace(r":\\]+", r":\\]+|\\")


# A3.2


def row_weights(pieces):
    weights = [w for text, w in pieces for _ in tok.content(text)]
    rows = []
    for start in range(0, max(len(weights), 1), 75):
        chunk = [1.0, *weights[start : start + 75]]
        rows += chunk + [1.0] * (77 - len(chunk))
    return rows


def row_weights_by_places(pieces):
    """Token k stands in row 77 · (k // 75) + 1 + k % 75."""
    weights = [w for text, w in pieces for _ in tok.content(text)]
    rows = torch.ones(max(1, -(-len(weights) // 75)), 77)
    k = torch.arange(len(weights))
    rows[k // 75, 1 + k % 75] = torch.tensor(weights)
    return rows.flatten()


def row_weights_with(count=lambda text: len(tok.content(text)), most=None, room=75, after=False):
    def wrong(pieces):
        weights = [w for text, w in pieces for _ in range(count(text))][:most]
        rows = []
        for start in range(0, max(len(weights), 1), room):
            chunk = [1.0] * (room < 77) + weights[start : start + room]
            fill = weights[-1] if after and weights else 1.0
            rows += chunk + [fill] * (77 - len(chunk))
        return rows

    return wrong


def row_weights_of_one_text(pieces):
    """As if the whole prompt had one BOS and one EOS."""
    weights = [1.0, *[w for text, w in pieces for _ in tok.content(text)], 1.0]
    return weights + [1.0] * (-len(weights) % 77)


def row_weights_joined(pieces):
    """Tokenizes the prompt as a whole, and gives weights out by the pieces' numbers of words."""
    ids = tok.content("".join(text for text, _ in pieces))
    weights = [w for text, w in pieces for _ in tok.content(text)][: len(ids)]
    return row_weights_with()([["", 1.0]]) if not weights else _rows(weights)


def row_weights_and_a_chunk(pieces):
    """`n // 75 + 1` chunks: one too many where 75 divides the number of tokens."""
    weights = [w for text, w in pieces for _ in tok.content(text)]
    rows = row_weights(pieces)
    return rows + [1.0] * 77 if weights and len(weights) % 75 == 0 else rows


def row_weights_not_filled(pieces):
    n = sum(len(tok.content(text)) for text, _ in pieces)
    return row_weights(pieces)[: n + 2 * max(1, -(-n // 75))]


def _rows(weights):
    rows = []
    for start in range(0, len(weights), 75):
        chunk = [1.0, *weights[start : start + 75]]
        rows += chunk + [1.0] * (77 - len(chunk))
    return rows


# A3.3


def weigh(C, w, e, method):
    if method not in ("a1111", "comfyui"):
        raise ValueError(f"There is no method {method!r}: a1111 or comfyui.")
    L, parts = len(e), []
    for start in range(0, len(C), L):
        c, v = C[start : start + L], w[start : start + L, None]
        a1111 = v * c * (c.mean() / (v * c).mean())
        parts.append(a1111 if method == "a1111" else e + v * (c - e))
    return torch.cat(parts)


def weigh_at_once(C, w, e, method):
    c, v = C.reshape(-1, *e.shape), w.reshape(-1, len(e), 1)
    if method == "comfyui":
        return (e + v * (c - e)).flatten(0, 1)
    if method == "a1111":
        scaled = v * c
        return (scaled * (c.mean((1, 2)) / scaled.mean((1, 2)))[:, None, None]).flatten(0, 1)
    raise ValueError(f"unknown method {method}")


def weigh_with(a1111=None, comfyui=None):
    """`weigh` with one of its two methods made another way."""

    def wrong(C, w, e, method):
        other = {"a1111": a1111, "comfyui": comfyui}.get(method)
        return other(C, w, e) if other else weigh(C, w, e, method)

    return wrong


def per_chunk(operator):
    def wrong(C, w, e):
        parts = zip(C.split(len(e)), w.split(len(e)), strict=True)
        return torch.cat([operator(c, v) for c, v in parts])

    return wrong


def weigh_anything(C, w, e, method):
    return weigh(C, w, e, "a1111" if method == "a1111" else "comfyui")


def weigh_key_error(C, w, e, method):
    return {"a1111": weigh, "comfyui": weigh}[method](C, w, e, method)


def weigh_silently(C, w, e, method):
    if method not in ("a1111", "comfyui"):
        raise ValueError("something is wrong")
    return weigh(C, w, e, method)


# A3.4


def longest(C, e):
    return torch.maximum(C.norm(dim=-1), e.norm(dim=-1))[:, None]


def shortened(C, w, e):
    """From the empty prompt, and a row that became too long is shortened."""
    X = e + w[:, None] * (C - e)
    return torch.where(
        w[:, None] == 1, C, X * (longest(C, e) / X.norm(dim=-1)[:, None]).clamp(max=1)
    )


def slowed(C, w, e):
    """As far as 1 on the line; then on a sphere, turning away from e with ever smaller steps."""
    v = w[:, None]
    X = e + v.clamp(0, 1) * (C - e)
    beyond = C + (v - 1) * (C - e)
    turned = beyond / beyond.norm(dim=-1, keepdim=True) * longest(C, e)
    # between C, at weight 1, and the turned row, so that it begins where the line ends
    share = ((v - 1) / (v + 1)).clamp(min=0)
    mixed = (1 - share) * C + share * turned
    return torch.where(v > 1, mixed, X)


def in_numpy(C, w, e):
    c, v, e = C.double().numpy(), w.double().numpy()[:, None], e.double().numpy()
    x = e + v * (c - e)
    most = np.maximum(np.linalg.norm(c, axis=1), np.linalg.norm(e, axis=1))[:, None]
    length = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    return np.where(v == 1, c, x * np.minimum(1, most / length))


def held(C, w, e):
    return from_empty(C, w.clamp(0, 1), e)


def shortened_by_the_whole(C, w, e):
    """One length for the whole tensor."""
    X = from_empty(C, w, e)
    return X * min(1.0, float(longest(C, e).max() / X.norm(dim=-1).max()))


def always_turned(C, w, e):
    """Every row to the longest length, those of weight 1 too."""
    X = e + w[:, None] * (C - e)
    return X / X.norm(dim=-1, keepdim=True) * longest(C, e)


def towards_the_mean(C, w, e):
    """At weight 0 stands the mean of the prompt's rows."""
    return shortened(C, w, C.mean(0).expand_as(C))


def only_heavy_rows(C, w, e):
    return torch.where(w[:, None] > 1, shortened(C, w, e), C)


# A3.5


def color_share(picture, palette, index):
    away = picture[:, :, None].astype(float) - np.array(palette, dtype=float)
    return ((away**2).sum(-1).argmin(-1) == index).mean()


def color_gain(before, after, palette, index):
    return color_share(after, palette, index) - color_share(before, palette, index)


def color_gain_in_torch(before, after, palette, index):
    share = []
    for picture in (before, after):
        pixels = torch.as_tensor(picture).reshape(-1, 3).double()
        nearest = torch.cdist(pixels, torch.tensor(palette).double()).argmin(1)
        share.append((nearest == index).double().mean().item())
    return share[1] - share[0]


def color_gain_in_loops(before, after, palette, index):
    def share(picture):
        rows = [pixel for row in picture.tolist() for pixel in row]
        away = [
            [sum((a - b) ** 2 for a, b in zip(p, c, strict=True)) for c in palette] for p in rows
        ]
        return sum(one.index(min(one)) == index for one in away) / len(rows)

    return share(after) - share(before)


def color_gain_wrapped(before, after, palette, index):
    palette = np.array(palette, dtype=np.uint8)

    def share(picture):
        away = picture[:, :, None] - palette
        return ((away * away).astype(np.uint8).sum(-1).argmin(-1) == index).mean()

    return share(after) - share(before)


def color_gain_exact(before, after, palette, index):
    color = np.array(palette[index])
    return (after == color).all(-1).mean() - (before == color).all(-1).mean()


def color_gain_last(before, after, palette, index):
    last = len(palette) - 1 - index
    return color_gain(before, after, palette[::-1], last)


# A3.6


def paired_effect(before, after):
    d = torch.tensor(after, dtype=torch.float64) - torch.tensor(before, dtype=torch.float64)
    return [d.mean().item(), d.std().item() / len(d) ** 0.5]


def paired_effect_by_statistics(before, after):
    d = [b - a for a, b in zip(before, after, strict=True)]
    return statistics.fmean(d), statistics.stdev(d) / len(d) ** 0.5


def paired_effect_in_numpy(before, after):
    d = np.array(after) - np.array(before)
    return d.mean(), np.sqrt(((d - d.mean()) ** 2).sum() / (len(d) - 1) / len(d))


def unpaired(before, after):
    spread = (statistics.variance(before) + statistics.variance(after)) / len(before)
    return [paired_effect(before, after)[0], spread**0.5]


def with_error(error):
    def wrong(before, after):
        d = [b - a for a, b in zip(before, after, strict=True)]
        return [statistics.fmean(d), error(d, len(d))]

    return wrong


RIGHT = {
    "A3.1": [fragments, by_the_package, by_descent],
    "A3.2": [row_weights, row_weights_by_places, lambda pieces: tuple(row_weights(pieces))],
    "A3.3": [weigh, weigh_at_once],
    "A3.4": [shortened, slowed, in_numpy],
    "A3.5": [color_gain, color_gain_in_torch, color_gain_in_loops],
    "A3.6": [paired_effect, paired_effect_by_statistics, paired_effect_in_numpy],
}

WRONG = {
    "A3.1": [
        (lambda prompt: [(prompt, 1.0)], "should be 'a red fox'"),
        (parser(square=0.9), "0.909, not 0.9"),
        (parser(square=1.1), "makes less"),
        (parser(combine=lambda w, f: w + f - 1), "yours add up"),
        (parser(combine=outermost), "only one of yours"),
        (absolute, "the text"),
        (parser(factor=lambda text: 1.1), "is not used"),
        (parser(factor=lambda text: 1.1 * float(text[1:-1])), "not 1.1 r"),
        (parser(unclosed=False), "never closed"),
        (parser(escapes=lambda text: text), "the backslash goes"),
        (parser(token=NO_ESCAPES), "after a backslash"),
        (parser(token=NO_DOUBLE), "the backslash goes"),
        (parser(token=NO_SPACES), "spaces around the number"),
        (parser(token=POSITIVE), "−0.4"),
        (parser(stray=lambda text: []), "nothing opened"),
        (stripped, "spaces count"),
        (lambda prompt: "".join(text for text, _ in fragments(prompt)), "pairs"),
    ],
    "A3.2": [
        (row_weights_with(lambda text: len(text.split())), "not for each word"),
        (row_weights_with(lambda text: len(tok(text))), "a BOS and an EOS"),
        (row_weights_with(most=75), "lost"),
        (row_weights_with(after=True), "EOS and padding have weight 1"),
        (row_weights_with(room=77), "begins with BOS"),
        (row_weights_with(room=76), "room for 75"),
        (row_weights_of_one_text, "of its own"),
        (row_weights_joined, "by itself"),
        (row_weights_and_a_chunk, "too many"),
        (row_weights_not_filled, "filled up"),
        (lambda pieces: [w for text, w in pieces for _ in tok.content(text)], "missing"),
    ],
    "A3.3": [
        (weigh_with(a1111=lambda C, w, e: scale(C, w)), "not restored"),
        (weigh_with(a1111=lambda C, w, e: restore_mean(C, w)), "its own mean"),
        (
            weigh_with(
                a1111=per_chunk(lambda c, v: scale(c, v) * scale(c, v).mean() / c.mean()),
            ),
            "upside down",
        ),
        (
            weigh_with(
                a1111=per_chunk(lambda c, v: torch.where((v != 1)[:, None], restore_mean(c, v), c)),
            ),
            "weighted or not",
        ),
        (weigh_with(a1111=lambda C, w, e: C), "this is C again"),
        (weigh_with(comfyui=lambda C, w, e: scale(C, w)), "stands e"),
        (
            weigh_with(
                comfyui=lambda C, w, e: from_empty(C, w, e.repeat_interleave(len(C) // len(e), 0))
            ),
            "repeat the block",
        ),
        (
            weigh_with(comfyui=lambda C, w, e: C + scale(C - e.repeat(len(C) // len(e), 1), w)),
            "start",
        ),
        (lambda C, w, e, method: weigh(C, w, e, "comfyui"), "that is ComfyUI's"),
        (weigh_anything, "nothing was raised"),
        (weigh_key_error, "KeyError"),
        (weigh_silently, "name the unknown method"),
    ],
    "A3.4": [
        (lambda C, w, e: scale(C, w), "property 6"),
        (lambda C, w, e: from_empty(C, w, e), "property 6"),
        (lambda C, w, e: restore_mean(C, w), "property 2"),
        (lambda C, w, e: C, "nothing of C"),
        (held, "property 5"),
        (shortened_by_the_whole, "property 2"),
        (always_turned, "C itself"),
        (towards_the_mean, "property 3"),
        (only_heavy_rows, "nothing of C"),
        (lambda C, w, e: shortened(C, w, e)[:-1], "the shape"),
    ],
    "A3.5": [
        (color_gain_wrapped, "wrap"),
        (lambda b, a, p, i: -color_gain(b, a, p, i), "not the other way"),
        (lambda b, a, p, i: color_share(a, p, i), "take off"),
        (lambda b, a, p, i: color_gain(b, a, p, i) * a.shape[0] * a.shape[1], "number of pixels"),
        (lambda b, a, p, i: 100 * color_gain(b, a, p, i), "percent"),
        (lambda b, a, p, i: color_gain(b, a, p, i) / 3, "counts once"),
        (color_gain_exact, "the nearest counts"),
        (color_gain_last, "the first counts"),
    ],
    "A3.6": [
        (unpaired, "pairs"),
        (with_error(lambda d, n: statistics.pstdev(d) / n**0.5), "n − 1"),
        (with_error(lambda d, n: statistics.stdev(d)), "varies less"),
        (with_error(lambda d, n: statistics.stdev(d) / n), "by √n"),
        (with_error(lambda d, n: statistics.variance(d) / n), "square root"),
        (lambda b, a: paired_effect(a, b), "after minus before"),
        (lambda b, a: paired_effect(b, a)[0], "two numbers"),
    ],
}
