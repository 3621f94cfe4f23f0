"""The cells of the table, measured: a function for each, and `measure` for all of a pipeline."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import transformers

from tools.pipeline_denoisers import DENOISERS
from tools.pipeline_recorder import Recorder
from tools.pipeline_rows import pooled_of, same, samples, taken
from tools.pipeline_specs import EMBEDS, MASK, NEGATIVE, POOLED, Spec

SHORT, LONG = "a dog", "a cat on a mat"
NOT_RUN = "not run"
SMALL = {"height": 32, "width": 32, "use_resolution_binning": False}


def padding(recorder: Recorder) -> dict[str, Any]:
    """For each encoder: where padding stands, what it is, and whether the encoder is told.

    The ids of toy tokenizers are theirs alone, and are left out.
    """
    told = {}
    for name, given, _, _ in recorder.calls:
        ids, mask = given["input_ids"][0], given.get("attention_mask")
        tokenizer = recorder.tokenizer(name)
        pad, real = tokenizer.pad_token_id, isinstance(tokenizer, transformers.CLIPTokenizer)
        text = (ids != pad).nonzero().flatten()
        left, right = int(text[0]), len(ids) - 1 - int(text[-1])
        seen = mask is None or bool(mask[0][ids == pad].all())
        told.setdefault(name, {
            "ids": len(ids), "side": "left" if left else "right" if right else "none",
            "token": tokenizer.decode([pad]), "id": pad if real else None,
            "mask": "none" if mask is None else "all ones" if seen else "hides padding",
        })  # fmt: skip
    return told


def text_read(recorder: Recorder, name: str, given: dict[str, Any]) -> str:
    """What an encoder reads in a call's first sample, marks included, padding left out."""
    tokenizer = recorder.tokenizer(name)
    pad = tokenizer.pad_token_id
    ids = [i for i in given["input_ids"][0].tolist() if i != pad]
    # CLIP's padding is the mark of the end as well, and one of them is no padding.
    ends = tokenizer("a")["input_ids"][-1] == pad
    return tokenizer.decode([*ids, pad] if ends else ids)


def template(recorder: Recorder) -> dict[str, list[str]]:
    """What each encoder reads before and after the prompt."""
    recorder("zebra")
    around: dict[str, list[str]] = {}
    for name, given, _, _ in recorder.calls:
        before, met, after = text_read(recorder, name, given).partition("zebra")
        if met:
            around.setdefault(name, [before, after])
    return around


def order(many: Any, one_each: Any) -> str:
    """p0 p0 p1 p1, or p0 p1 p0 p1: which prompt each picture of two prompts got."""
    each = samples(one_each)
    if same([each[0]], [each[1]]):
        return "alike"
    letters = []
    for x in samples(many):
        (k,) = [k for k, y in enumerate(each) if same([x], [y])] or [None]
        letters.append("?" if k is None else f"p{k}")
    return " ".join(letters)


def tried(cell: Callable[[], Any]) -> Any:
    """A cell, or the error with which the pipeline stops."""
    try:
        return cell()
    except Exception as error:  # what a pipeline raises is what the cell says
        return f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"


def negatives(recorder: Recorder) -> dict[str, str]:
    """What no negative prompt and an empty one become."""
    if "negative_prompt" not in recorder.takes:
        return {"None": "encode_prompt has no negative", "''": "encode_prompt has no negative"}
    positive = recorder("")[EMBEDS]
    cells = {}
    for name, negative in (("None", None), ("''", "")):

        def cell(negative: Any = negative) -> str:
            got = recorder(SHORT, negative_prompt=negative)[NEGATIVE + EMBEDS]
            if got is None:
                return "nothing"
            if not any(x.any() for x in samples(got)):
                return "zeros"
            if same(got, positive):
                return "the encoding of ''"
            name, given, _, _ = recorder.calls[-1]
            return f"the encoding of {text_read(recorder, name, given)!r} as it stands"

        cells[name] = tried(cell)
    return cells


def two_by_two(recorder: Recorder) -> dict[str, str] | str:
    """The order of two prompts × two pictures, in everything that encode_prompt returns."""
    if "num_images_per_prompt" not in recorder.takes:
        return "encode_prompt makes no copies"
    prompts = [SHORT, LONG]
    each = recorder([*prompts], num_images_per_prompt=1)
    twice = recorder([*prompts], num_images_per_prompt=2)
    return {
        name: order(twice[name], each[name])
        for name in (EMBEDS, MASK, POOLED)
        if twice.get(name) is not None
    }


def apostrophes(recorder: Recorder) -> dict[str, bool]:
    """Whether each encoder reads the apostrophes of a prompt as they are."""
    text = "a dog's bowl and a cat's bed"
    recorder(text)
    kept: dict[str, bool] = {}
    for name, given, _, _ in recorder.calls:
        read = recorder.tokenizer(name).decode(given["input_ids"][0].tolist())
        if "bowl" in read:
            kept[name] = text.replace(" ", "") in read.replace(" ", "")
    return kept


def left_alone(recorder: Recorder) -> bool:
    """Whether the caller's list of prompts is the same after the call."""
    prompts = [SHORT, LONG]
    recorder(prompts)
    return prompts == [SHORT, LONG]


def denoising_call(recorder: Recorder) -> dict[str, Any] | str:
    """How many rows of the prompt's context the denoiser reads: its estimate hangs on them.

    And whether it notices that all of them are 1.5 times as long, as under a weight.
    """
    if recorder.spec.name not in DENOISERS:
        return NOT_RUN
    calls: list[tuple[tuple, dict[str, Any]]] = []
    denoiser = getattr(recorder.pipe, "unet", None) or recorder.pipe.transformer
    hook = denoiser.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append((args, kwargs)), with_kwargs=True
    )
    recorder.pipe.set_progress_bar_config(disable=True)
    takes = inspect.signature(recorder.pipe.__call__).parameters
    small = {name: value for name, value in SMALL.items() if name in takes}
    # PixArt-α treats a single step as a model of its own, so there are two; the first counts.
    recorder.pipe(SHORT, num_inference_steps=2, output_type="latent", **small)
    hook.remove()
    args, kwargs = calls[0]
    rows = kwargs["encoder_hidden_states"].detach().clone().requires_grad_()

    def estimate(C: torch.Tensor) -> torch.Tensor:
        given = kwargs | {"encoder_hidden_states": C, "return_dict": False}
        return denoiser(*args, **given)[0][-1]  # the negative prompt's stands first

    (slope,) = torch.autograd.grad(estimate(rows).square().sum(), rows)
    assert slope.isfinite().all(), recorder.spec.name
    with torch.no_grad():
        plain = estimate(rows)
        change = (estimate(1.5 * rows) - plain).norm() / plain.norm()
    return {
        "rows read": int(slope[-1].any(-1).sum()),
        "rows": rows.shape[1],
        "rows × 1.5": "felt" if change > 1e-5 else "not felt",
    }


def measure(spec: Spec) -> dict[str, Any]:
    """All cells of a pipeline."""
    recorder = Recorder(spec)
    made = recorder(SHORT)
    rows = samples(made[EMBEDS])[0]
    cells: dict[str, Any] = {
        "title": spec.title,
        "pipeline": spec.name,
        "encoders": {name: type(m).__name__ for name, m in recorder.encoders.items()},
        "taken": [
            one
            for name in (EMBEDS, "embeds_2")
            if name in made
            for one in taken(samples(made[name])[0], recorder.calls, spec.from_front)
        ],
        "padding": padding(recorder),
        "rows": list(rows.shape),
        "rows of zeros": int((~rows.any(-1)).sum()),
        "rows seen in the mask handed on": "none",
        "pooled": "none",
    }
    if made.get(POOLED) is not None:
        cells["pooled"] = pooled_of(samples(made[POOLED])[0].flatten(), recorder.calls)
    if made.get(MASK) is not None:
        mask = made[MASK][0]
        cells["rows seen in the mask handed on"] = int(
            mask.reshape(cells["rows"][0], -1).any(-1).sum()
        )
    long = tried(lambda: len(samples(recorder("a cat " * 2000)[EMBEDS])[0]))
    return cells | {
        "rows of a long prompt": long,
        "template": template(recorder),
        "negative": negatives(recorder),
        "two prompts × two pictures": tried(lambda: two_by_two(recorder)),
        "list left alone": tried(lambda: left_alone(recorder)),
        "apostrophes left alone": tried(lambda: apostrophes(recorder)),
        "denoising call": denoising_call(recorder),
        "as read": spec.as_read or {},
    }
