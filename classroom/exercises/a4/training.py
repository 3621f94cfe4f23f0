"""A4.5: a training run, and what it is measured by."""

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from classroom.clock import processor_seconds
from cliplab.checkpoints import load_clip
from cliplab.training import EmojiPairs, retrieval

from .. import Almost, exercise, random, trying

SECONDS = 10  # of the processor: the statement's limit for one run


@functools.cache
def miniature():
    return load_clip("mini")


@torch.no_grad()
def emoji_features(pairs: Sequence) -> tuple[Tensor, Tensor]:
    """What the miniature CLIP has before its two ends: captions [N, 128], pictures [N, 512].

    For a caption the row of EOS after the final LayerNorm, for a picture the average over all
    places of the last map. pairs: items of `cliplab.training.EmojiPairs`.
    """
    clip, captions, pictures = miniature(), [], []
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        captions.append(clip.text_model(clip.ids([p.caption for p in some])).pooled)
        pixels = torch.stack([clip.preprocess(p.image) for p in some])
        pictures.append(clip.image_model(pixels).features.mean((2, 3)))
    return torch.cat(captions), torch.cat(pictures)


def recall(matrices: Sequence, x: Tensor, y: Tensor, candidates: int = 100) -> float:
    """R@1 of pairs x [N, D_t], y [N, D_v] through W_t, W_v, among so many, mean of both ways.

    Raises Almost for what are no such matrices.
    """
    both = zip((x, y), matrices_of(matrices, x.shape[1], y.shape[1]), strict=True)
    u, v = (F.normalize(z @ W.to(z).T, dim=-1) for z, W in both)
    found = [
        retrieval(a, b, ks=(1,))
        for a, b in zip(u.split(candidates), v.split(candidates), strict=True)
    ]
    means = [(r.text_to_image[1] + r.image_to_text[1]) / 2 for r in found]
    return sum(means) / len(means)


@functools.cache
def sample() -> tuple:
    """200 pairs to train on with their groups, and 100 of a style never trained on."""
    known, unseen = EmojiPairs("train"), EmojiPairs("style")
    generator = torch.Generator().manual_seed(0)
    some = torch.randperm(len(known), generator=generator)[:200].tolist()
    other = torch.randperm(len(unseen), generator=generator)[:100].tolist()
    groups = [known.groups[i] for i in some]
    x, y = emoji_features([known[i] for i in some])
    return x, y, groups, *emoji_features([unseen[i] for i in other])


@exercise("A4.5", title="A training run")
def train(answer):
    call = trying(answer)
    z = random(160, 6, seed=55)
    x, y = z @ random(6, 9, seed=56), (z @ random(6, 14, seed=57)).tanh()
    found = recall(timed(call, x[:60], y[:60], list(range(60))), x[60:], y[60:])
    if found < 0.5:
        explain(found, "60 made-up pairs", 0.5)
    x, y, groups, new_x, new_y = sample()
    found = recall(timed(call, x, y, groups), new_x, new_y)
    if found < 0.3:
        explain(found, "200 emoji", 0.3)
    return "two matrices, and captions find pictures in a style that neither has seen."


def timed(train, x: Tensor, y: Tensor, groups: list[int]):
    """What the run gives; Almost when it takes more than SECONDS of processor time."""
    start = processor_seconds()
    matrices = train(x, y, groups)
    used = processor_seconds() - start
    if used > SECONDS:
        raise Almost(
            f"the run took {used:.1f} s of processor time, and {SECONDS} are allowed: fewer steps "
            "or smaller batches will do."
        )
    return matrices


def matrices_of(got, text_width: int, image_width: int) -> list[Tensor]:
    """The answer as two matrices [E, D_t] and [E, D_v]; Almost if it is not."""
    try:
        W, V = (torch.as_tensor(matrix).detach() for matrix in got)
    except (TypeError, ValueError, RuntimeError):
        raise Almost("a list of two matrices is asked for: [W_t, W_v].") from None
    shapes = f"{list(W.shape)} and {list(V.shape)}"
    if W.ndim != 2 or V.ndim != 2 or len(W) != len(V):
        raise Almost(f"W_t is [E, D_t] and W_v is [E, D_v], with one E; yours are {shapes}.")
    if (W.shape[1], V.shape[1]) == (image_width, text_width):
        raise Almost(f"the two are swapped: W_t, of the captions, comes first; yours are {shapes}.")
    if (W.shape[1], V.shape[1]) != (text_width, image_width):
        raise Almost(
            f"with captions of width {text_width} and pictures of width {image_width} W_t is "
            f"[E, {text_width}] and W_v is [E, {image_width}]; yours are {shapes}."
        )
    if not (W.isfinite().all() and V.isfinite().all()):
        raise Almost("there are values that are not finite: the learning rate is too large.")
    return [W, V]


def explain(found: float, what: str, least: float) -> None:
    """Says how far the run got, and what that usually comes from."""
    reason = "train longer, or with another learning rate"
    if found < 3 / 100:
        reason = "that is chance. Train longer, and keep the rows of x and y together"
    raise Almost(
        f"after training on {what}, R@1 among 100 new ones is {100 * found:.0f} %, and should be "
        f"at least {100 * least:.0f} %: {reason}."
    )
