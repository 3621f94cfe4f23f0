"""What the pipelines of diffusers really do with a prompt: built out of tiny parts, run, recorded.

    python tools/pipelines.py                  all, into book/pipelines.json
    python tools/pipelines.py --check          all, beside what is stored there
    python tools/pipelines.py flux sdxl        these alone, printed

Of each pipeline the half that reads is built: tokenizers (CLIP's is real, others are toys) and
random encoders. `encode_prompt` runs, each encoder's call is recorded, and every row of the context
is looked for among the encoders' states. Some get a tiny denoiser as well, and one call of it says
which rows it reads, whatever the mask says that it is handed.
"""

from __future__ import annotations

import argparse
import inspect
import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parent))
import pipeline_parts as parts
from pipeline_denoisers import DENOISERS

STORED = Path(__file__).resolve().parent.parent / "book" / "pipelines.json"
SHORT, LONG = "a dog", "a cat on a mat"
EMBEDS, MASK, POOLED = "embeds", "mask", "pooled"
NEGATIVE = "negative_"
NOT_RUN = "not run"
State = tuple[str, torch.Tensor]  # how it is called, and its rows
SMALL = {"height": 32, "width": 32, "use_resolution_binning": False}


class Spec(NamedTuple):
    """A pipeline: its title, its class, its reading half, what encode_prompt returns, in order.

    as_read     cell -> what was read in its source and cannot be confirmed with toys
    from_front  whether it counts its encoder's states from the first one
    """

    title: str
    name: str
    build: Callable[[], dict[str, Any]]
    returns: tuple[str, ...]
    as_read: dict[str, str] | None = None
    from_front: bool = False


BOTH = (EMBEDS, NEGATIVE + EMBEDS)
MASKED = (EMBEDS, MASK, NEGATIVE + EMBEDS, NEGATIVE + MASK)
WITH_POOLED = (*BOTH, POOLED, NEGATIVE + POOLED)


def of_clip() -> dict[str, Any]:
    return {"tokenizer": parts.clip_tokenizer(), "text_encoder": parts.clip(32)}


def of_two_clips() -> dict[str, Any]:
    return of_clip() | {
        "tokenizer_2": parts.clip_tokenizer(0), "text_encoder_2": parts.clip(40, 36)
    }  # fmt: skip


def of_sd3() -> dict[str, Any]:
    t5 = {"tokenizer_3": parts.toy_tokenizer(last="</s>"), "text_encoder_3": parts.t5(96)}
    return of_two_clips() | {"text_encoder": parts.clip(32, 28)} | t5


def of_flux() -> dict[str, Any]:
    t5 = {"tokenizer_2": parts.toy_tokenizer(last="</s>"), "text_encoder_2": parts.t5()}
    return of_clip() | t5


def of_t5() -> dict[str, Any]:
    return {"tokenizer": parts.toy_tokenizer(last="</s>"), "text_encoder": parts.t5()}


def of_umt5() -> dict[str, Any]:
    return of_t5() | {"text_encoder": parts.t5(kind="UMT5")}


def of_decoder(kind: str, first: str = "", side: str = "right", **shape: Any) -> dict[str, Any]:
    tokenizer = parts.toy_tokenizer(first=first, side=side)
    return {"tokenizer": tokenizer, "text_encoder": parts.decoder(kind, **shape)}


def of_hidream() -> dict[str, Any]:
    return of_two_clips() | {
        "text_encoder": parts.clip(32, 28, length=248),
        "text_encoder_2": parts.clip(40, 36, length=248),
        "tokenizer_3": parts.toy_tokenizer(last="</s>"), "text_encoder_3": parts.t5(),
        "tokenizer_4": parts.toy_tokenizer(first="<s>"),
        "text_encoder_4": parts.decoder("Llama", causal=True),
    }  # fmt: skip


def of_bert_and_t5() -> dict[str, Any]:
    t5 = {"tokenizer_2": parts.toy_tokenizer(last="</s>"), "text_encoder_2": parts.t5()}
    bert = parts.toy_tokenizer(first="<s>", last="</s>", longest=77)
    return {"tokenizer": bert, "text_encoder": parts.bert()} | t5


PIPELINES = {
    "sd15": Spec("Stable Diffusion 1.5", "StableDiffusionPipeline", of_clip, BOTH),
    "sdxl": Spec("SDXL", "StableDiffusionXLPipeline", of_two_clips, WITH_POOLED),
    "sd3": Spec("Stable Diffusion 3", "StableDiffusion3Pipeline", of_sd3, WITH_POOLED),
    "cascade": Spec(
        "Stable Cascade", "StableCascadePriorPipeline",
        lambda: {"tokenizer": parts.clip_tokenizer(), "text_encoder": parts.clip(40, 36)},
        (EMBEDS, POOLED, NEGATIVE + EMBEDS, NEGATIVE + POOLED),
    ),
    "flux": Spec("Flux.1", "FluxPipeline", of_flux, (EMBEDS, POOLED, "text_ids")),
    "if": Spec("DeepFloyd IF", "IFPipeline", of_t5, BOTH),
    "pixart_alpha": Spec("PixArt-α", "PixArtAlphaPipeline", of_t5, MASKED),
    "pixart_sigma": Spec("PixArt-Σ", "PixArtSigmaPipeline", of_t5, MASKED),
    "chroma": Spec(
        "Chroma", "ChromaPipeline", of_t5,
        (EMBEDS, "text_ids", MASK, NEGATIVE + EMBEDS, "negative_text_ids", NEGATIVE + MASK),
    ),
    "bria": Spec(
        "Bria 3.2", "BriaPipeline",
        lambda: of_t5() | {"vae": parts.vae(), "transformer": parts.Nothing()},
        (EMBEDS, NEGATIVE + EMBEDS, "text_ids"),
    ),
    "cogview3": Spec("CogView3-Plus", "CogView3PlusPipeline", of_t5, BOTH),
    "aura_flow": Spec("AuraFlow", "AuraFlowPipeline", of_umt5, MASKED),
    "hunyuan_dit": Spec(
        "Hunyuan-DiT", "HunyuanDiTPipeline", of_bert_and_t5,
        (EMBEDS, NEGATIVE + EMBEDS, MASK, NEGATIVE + MASK),
        {"taken": "the pipeline calls encode_prompt again for T5, with text_encoder_index=1"},
    ),
    "lumina2": Spec("Lumina 2", "Lumina2Pipeline", lambda: of_decoder("Gemma2", "<s>"), MASKED),
    "sana": Spec("Sana", "SanaPipeline", lambda: of_decoder("Gemma2", "<s>"), MASKED),
    "z_image": Spec("Z-Image", "ZImagePipeline", lambda: of_decoder("Qwen3"), BOTH),
    "flux2": Spec(
        "Flux.2", "Flux2Pipeline",
        lambda: {"tokenizer": parts.toy_tokenizer(), "text_encoder": parts.mistral3()},
        (EMBEDS, "text_ids"),
        {"template": "the marks are the toy's, and Mistral's tokenizer sets the side of padding"},
        from_front=True,
    ),
    "flux2_klein": Spec(
        "Flux.2 Klein", "Flux2KleinPipeline", lambda: of_decoder("Qwen3", layers=28, causal=True),
        (EMBEDS, "text_ids"), from_front=True,
    ),
    "ovis": Spec(
        "Ovis-Image", "OvisImagePipeline", lambda: of_decoder("Qwen3"),
        (EMBEDS, NEGATIVE + EMBEDS, "text_ids", "negative_text_ids"),
        {"rows": "28 rows are the instruction in Qwen's vocabulary, but for its last token"},
    ),
    "cogview4": Spec(
        "CogView4", "CogView4Pipeline", lambda: of_decoder("Glm", "<s>", side="left"), BOTH,
    ),
    "hidream": Spec(
        "HiDream-I1", "HiDreamImagePipeline", of_hidream,
        (EMBEDS, NEGATIVE + EMBEDS, "embeds_2", "negative_embeds_2", POOLED, NEGATIVE + POOLED),
    ),
    "qwen_image": Spec(
        "Qwen-Image", "QwenImagePipeline",
        lambda: {"tokenizer": parts.toy_tokenizer(), "text_encoder": parts.qwen2_5_vl()},
        (EMBEDS, MASK),
        {"rows": "34 rows are the system prompt in Qwen's vocabulary"},
    ),
}  # fmt: skip


class Recorder:
    """A pipeline whose encoders write down each call: ids, mask, states, pooled row."""

    def __init__(self, spec: Spec):
        kind = getattr(diffusers, spec.name)
        read = inspect.signature(kind.__init__).parameters
        torch.manual_seed(0)
        reads = spec.build()
        if spec.name in DENOISERS:
            reads |= DENOISERS[spec.name]()
        left_out = {
            name: None
            for name, p in read.items()
            if name not in (*reads, "self") and p.default is inspect.Parameter.empty
        }
        if "requires_safety_checker" in read:
            left_out["requires_safety_checker"] = False
        self.spec, self.pipe = spec, kind(**left_out, **reads)
        self.takes = inspect.signature(self.pipe.encode_prompt).parameters
        call = inspect.signature(self.pipe.__call__).parameters
        self.defaults = {  # what a call of the pipeline hands to encode_prompt
            name: p.default
            for name, p in call.items()
            if name in self.takes and p.default not in (None, inspect.Parameter.empty)
        }
        self.encoders = {n: m for n, m in reads.items() if n.startswith("text_encoder")}
        self.normed: dict[str, torch.Tensor] = {}
        self.calls: list[tuple[str, dict[str, Any], dict[int, State], Any]] = []
        for name, encoder in self.encoders.items():
            encoder.register_forward_pre_hook(self.ask_for_states, with_kwargs=True)
            encoder.register_forward_hook(self.write_down(name), with_kwargs=True)
            for path, module in encoder.named_modules():
                if path.split(".")[-1] in ("norm", "final_layer_norm"):
                    module.register_forward_hook(self.keep_normed(name))

    @staticmethod
    def ask_for_states(module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return args, {**kwargs, "output_hidden_states": True}

    def keep_normed(self, name: str) -> Callable[..., None]:
        def hook(module: Any, args: tuple, out: torch.Tensor) -> None:
            self.normed[name] = out

        return hook

    def write_down(self, name: str) -> Callable[..., None]:
        def hook(module: Any, args: tuple, kwargs: dict, out: Any) -> None:
            given = dict(zip(("input_ids", "attention_mask"), args, strict=False)) | kwargs
            self.calls.append((name, given, states_of(out, self.normed.get(name)), out))

        return hook

    @torch.no_grad()
    def __call__(self, prompt: Any, **given: Any) -> dict[str, Any]:
        """What encode_prompt returns, by name."""
        self.calls.clear()
        options: dict[str, Any] = dict.fromkeys(("prompt_2", "prompt_3", "prompt_4"))
        options |= {"batch_size": 1 if isinstance(prompt, str) else len(prompt)}
        options |= {
            "num_images_per_prompt": 1,
            "device": "cpu",
            "do_classifier_free_guidance": True,
        }
        options |= self.defaults | given
        options = {name: value for name, value in options.items() if name in self.takes}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = self.pipe.encode_prompt(prompt=prompt, **options)
        assert len(returned) == len(self.spec.returns), (len(returned), self.spec.returns)
        return dict(zip(self.spec.returns, returned, strict=True))

    def tokenizer(self, encoder: str) -> Any:
        return getattr(self.pipe, encoder.replace("text_encoder", "tokenizer"))


def samples(x: Any) -> list[torch.Tensor]:
    """A tensor per picture: from a list, from [B, …], or from states [N, B, L, D] side by side."""
    if isinstance(x, torch.Tensor) and x.dim() == 4:
        return [states.transpose(0, 1).flatten(1) for states in x.unbind(1)]
    return list(x)


def same(a: Any, b: Any) -> bool:
    """Whether two results are alike, whatever they are made of."""
    if a is None or b is None:
        return a is b
    one, other = samples(a), samples(b)
    return len(one) == len(other) and all(
        x.shape == y.shape and torch.allclose(x.float(), y.float(), atol=1e-5)
        for x, y in zip(one, other, strict=True)
    )


# Cells --------------------------------------------------------------------------------------------


def states_of(out: Any, normed: torch.Tensor | None) -> dict[int, State]:
    """The states of a call's first sample, from the first, and whether the norm is in the last."""
    hidden, last = out.hidden_states, getattr(out, "last_hidden_state", None)
    named = {k: (f"hidden_states[{k - len(hidden)}]", h[0]) for k, h in enumerate(hidden)}
    end = len(hidden) - 1
    if normed is not None and torch.equal(normed, hidden[-1]):
        named[end] = ("hidden_states[-1], after the norm", hidden[-1][0])
    elif last is not None and not torch.equal(last, hidden[-1]):
        named[end + 1] = ("last_hidden_state, after the norm", last[0])
    return named


def find(rows: torch.Tensor, state: torch.Tensor) -> list[tuple[int, int, int]]:
    """(row, row of the state that it is, how many follow alike), one after another.

    Rows of zeros are passed over. A state that none of the first 80 rows is of is not the one.
    """
    found: list[tuple[int, int, int]] = []
    r = 0
    while r < len(rows) and (found or r <= 80):
        alike = ((state - rows[r]).abs().amax(-1) < 1e-6).nonzero().flatten()
        if not rows[r].any() or not len(alike):
            r += 1
            continue
        at = int(alike[0])
        n = min(len(rows) - r, len(state) - at)
        same_so_far = (rows[r : r + n] - state[at : at + n]).abs().amax(-1) < 1e-6
        count = int(same_so_far.long().cumprod(0).sum())
        found.append((r, at, count))
        r += count
    return found


def taken(rows: torch.Tensor, calls: list, from_front: bool) -> list[dict[str, Any]]:
    """Which rows of which state of which encoder stand in a context [R, D], and in which columns.

    Rows are [first, last + 1]; those of the context stand before those of the state.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    most: dict[tuple[str, int], int] = {}
    for name, _, states, _ in calls:
        width = states[0][1].shape[-1]
        for column in range(0, rows.shape[-1] - width + 1, 4):
            place = (name, column)
            for k, (state, H) in states.items():
                pieces = find(rows[:, column : column + width], H)
                count = sum(n for _, _, n in pieces)
                # The negative prompt's call shares its first rows with the prompt's.
                if count <= most.get(place, 0):
                    continue
                most[place] = count
                found[place] = {
                    "encoder": name,
                    "state": f"hidden_states[{k}]" if from_front else state,
                    "columns": [column, column + width],
                    "rows": [[[r, r + n], [at, at + n]] for r, at, n in pieces],
                }
    return list(found.values())


def pooled_of(row: torch.Tensor, calls: list) -> str:
    """Whose pooled rows stand side by side in a pooled vector [E]."""
    vectors = [
        (f"{kind} of {name}", getattr(out, kind)[0])
        for name, _, _, out in calls
        for kind in ("text_embeds", "pooler_output")
        if getattr(out, kind, None) is not None
    ]
    found = []
    while len(row):
        for name, vector in vectors:
            front, rest = row[: len(vector)], row[len(vector) :]
            if len(front) == len(vector) and torch.allclose(front, vector):
                found.append(name)
                row = rest
                break
        else:
            return "not found among the encoders' pooled rows"
    return " and ".join(found)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="compare all with what is stored")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PIPELINES)}")
    arguments = parser.parse_args()
    names = arguments.names
    if unknown := [name for name in names if name not in PIPELINES]:
        parser.error(f"There is no {unknown[0]}; there are {', '.join(PIPELINES)}.")
    quiet()
    table = {}
    for name in names or PIPELINES:
        table[name] = measure(PIPELINES[name])
        print(json.dumps(table[name], ensure_ascii=False) if names else name, flush=True)
    if arguments.check:
        stored = json.loads(STORED.read_text(encoding="utf-8"))
        changed = [name for name in table if table[name] != stored["pipelines"].get(name)]
        sys.exit(f"Not as stored: {', '.join(changed)}." if changed else None)
    if not names:
        versions = {m.__name__: m.__version__ for m in (diffusers, transformers, torch)}
        text = json.dumps({"versions": versions, "pipelines": table}, indent=1, ensure_ascii=False)
        STORED.write_text(text + "\n", encoding="utf-8")


def quiet() -> None:
    """The libraries warn of prompts that are cut, which is what is measured here."""
    transformers.logging.set_verbosity(logging.ERROR)
    diffusers.logging.set_verbosity(logging.ERROR)


if __name__ == "__main__":
    main()
