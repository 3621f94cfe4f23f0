"""A3.5–A3.6: how much of a color a picture gained, and whether that is more than noise."""

import random
from statistics import fmean, pstdev, stdev, variance

import numpy as np

from .. import Almost, exercise, expect, trying, why


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
        got = call(before, after, colors, index)
        wrapped = [shares(x, colors, np.uint8)[index] for x in (after, before)]
        exact = [(x == colors[index]).all(-1).mean() for x in (after, before)]
        pixels = before.shape[0] * before.shape[1]
        last = [shares(x, colors[::-1])[len(colors) - 1 - index] for x in (after, before)]
        mistakes = [
            (
                wrapped[0] - wrapped[1],
                "numbers of type uint8 wrap around below 0 and above 255: make them float first",
            ),
            (-wanted, "after minus before, not the other way round"),
            (shares(after, colors)[index], "that is the share in `after`: take off `before`'s"),
            (wanted * pixels, "a share from 0 to 1 is asked for, not a number of pixels"),
            (wanted * 100, "a share from 0 to 1 is asked for, not percent"),
            (wanted / 3, "a pixel counts once, not once for each of its three numbers"),
            (exact[0] - exact[1], "a pixel need not have the color exactly: the nearest counts"),
            (last[0] - last[1], "of two colors as near, the first counts"),
        ]
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
        drawn = random.Random(seed)
        before = [drawn.gauss(0, 5) for _ in range(n)]
        after = [b + drawn.gauss(0.3, 0.1) for b in before]
        d = [a - b for a, b in zip(after, before, strict=True)]
        mean, error = fmean(d), stdev(d) / n**0.5
        where = f"for {n} pictures"
        got = call(before, after)
        try:
            first, second = got
        except (TypeError, ValueError):
            raise Almost(f"{where} two numbers are asked for; the answer is {got!r:.80}.") from None
        wrong = [
            (-mean, "after minus before"),
            (sum(d), "divide by the number of pictures"),
        ]
        expect(first, mean, f"{where}, the mean:", why(first, mean, wrong))
        unpaired = ((variance(before) + variance(after)) / n) ** 0.5
        wrong = [
            (unpaired, "the pictures are pairs: take the spread of their differences"),
            (pstdev(d) / n**0.5, "for n pictures divide by n − 1, not by n"),
            (stdev(d), "that is the spread of one; the mean of n varies less, by √n"),
            (stdev(d) / n, "divide by √n, not by n"),
            (variance(d) / n, "the square root is missing"),
        ]
        expect(second, error, f"{where}, the standard error:", why(second, error, wrong))
    return "pairs from the same seed take the difference between seeds out."
