"""Answers to the exercises of assignment 3, right ones and usual mistakes."""

import re
import statistics

import numpy as np
import torch

import cliplab
from cliplab.weighting import from_empty, restore_mean, scale

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


def in_chunks(pieces, bos, eos):
    ids = [id for tokens, _ in pieces for id in tokens]
    weights = [w for tokens, w in pieces for _ in tokens]
    rows, heavy = [], []
    for start in range(0, max(len(ids), 1), 75):
        some = ids[start : start + 75]
        rows += [bos, *some] + [eos] * (76 - len(some))
        heavy += [1.0, *weights[start : start + 75]] + [1.0] * (76 - len(some))
    return rows, heavy


def in_chunks_by_places(pieces, bos, eos):
    """Token k stands in row k % 75 + 1 of chunk k // 75."""
    ids = torch.tensor([id for tokens, _ in pieces for id in tokens], dtype=torch.long)
    n, k = max(1, -(-len(ids) // 75)), torch.arange(len(ids))
    rows, weights = torch.full((n, 77), eos), torch.ones(n, 77)
    rows[:, 0] = bos
    rows[k // 75, k % 75 + 1] = ids
    weights[k // 75, k % 75 + 1] = torch.tensor([w for tokens, w in pieces for _ in tokens])
    return [rows.flatten(), weights.flatten()]


def in_chunks_one_by_one(pieces, bos, eos):
    """Closes a chunk when the next token finds it full."""
    ids, weights = [bos], [1.0]

    def close():
        missing = -len(ids) % 77
        ids.extend([eos] * missing)
        weights.extend([1.0] * missing)

    for tokens, weight in pieces:
        for token in tokens:
            if len(ids) % 77 == 76:
                close()
                ids.append(bos)
                weights.append(1.0)
            ids.append(token)
            weights.append(weight)
    close()
    return [ids, weights]


def in_chunks_with(room=75, most=None, fill=None, after=False, before=False, filled=True):
    """`in_chunks` with a mistake put in."""

    def wrong(pieces, bos, eos):
        tokens = [(id, w) for ids, w in pieces for id in ids][:most]
        rows = []
        for start in range(0, max(len(tokens), 1), room):
            end = (eos, tokens[-1][1] if after and tokens else 1.0)
            first = (bos, tokens[0][1] if before and tokens else 1.0)
            chunk = [first, *tokens[start : start + room], end][:77]
            pad = end if fill is None else (fill, 1.0)
            rows += chunk + [pad] * ((77 - len(chunk)) * filled)
        return [id for id, _ in rows], [w for _, w in rows]

    return wrong


def in_one_text(pieces, bos, eos):
    """As if the whole prompt had one BOS and one EOS."""
    ids = [bos, *[id for tokens, _ in pieces for id in tokens], eos]
    weights = [1.0, *[w for tokens, w in pieces for _ in tokens], 1.0]
    missing = -len(ids) % 77
    return ids + [eos] * missing, weights + [1.0] * missing


def around_each_piece(pieces, bos, eos):
    return in_chunks([[[bos, *tokens, eos], w] for tokens, w in pieces], bos, eos)


def and_a_chunk(pieces, bos, eos):
    """`n // 75 + 1` chunks: one too many where 75 divides the number of tokens."""
    ids, weights = in_chunks(pieces, bos, eos)
    n = sum(len(tokens) for tokens, _ in pieces)
    more = 77 * (n > 0 and n % 75 == 0)
    return ids + [bos, *[eos] * 76][:more], weights + [1.0] * more


def none_for_nothing(pieces, bos, eos):
    return in_chunks(pieces, bos, eos) if any(tokens for tokens, _ in pieces) else ([], [])


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


def turned(C, w, e):
    """Up to weight 1 on the line; beyond, in the plane of both, ever farther around from e."""
    v = w.double()[:, None]
    C, e = C.double(), e.double()
    along = e / e.norm(dim=-1, keepdim=True)
    length = C.norm(dim=-1, keepdim=True)
    cosine = (C * along).sum(-1, keepdim=True) / length
    across = C - cosine * length * along
    across = across / across.norm(dim=-1, keepdim=True)
    angle = cosine.acos()
    angle = angle + (torch.pi - angle) * (1 - 1 / v.clamp(min=1))
    around = length * (angle.cos() * along + angle.sin() * across)
    return torch.where(v > 1, around, e + v * (C - e))


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
    "A3.2": [in_chunks, in_chunks_by_places, in_chunks_one_by_one],
    "A3.3": [weigh, weigh_at_once],
    "A3.4": [shortened, turned, in_numpy],
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
        (in_chunks_with(most=75), "lost"),
        (in_chunks_with(after=True), "EOS and padding have weight 1"),
        (in_chunks_with(before=True), "BOS has weight 1"),
        (in_chunks_with(room=76), "room for 75"),
        (in_chunks_with(fill=0), "not 0"),
        (in_chunks_with(filled=False), "filled up"),
        (in_one_text, "of its own"),
        (around_each_piece, "not around each piece"),
        (and_a_chunk, "too many"),
        (none_for_nothing, "should be 77"),
        (lambda pieces, bos, eos: in_chunks(pieces, bos, eos)[0], "two lists"),
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
        (lambda C, w, e: scale(C, w) * C.mean() / scale(C, w).mean(), "property 2"),
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
