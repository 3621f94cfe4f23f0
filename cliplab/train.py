"""``python -m cliplab.train``: train a CLIP, see it learn, stop it, go on.

    python -m cliplab.train --preset coffee --out runs/first     a first CLIP, on emoji
    python -m cliplab.train --resume runs/first                  after Ctrl-C, or a power cut
    python -m cliplab.train --data pictures --batch-size 64 --out runs/own  a folder of your own
    python -m cliplab.train --preset taught --from a/model --teachers a/model b/model --out c
                                                          learn what several agree on as well
    torchrun --nproc-per-node 2 -m cliplab.train --threads 1 --out runs/two     two cores
    torchrun --nproc-per-node 8 -m cliplab.train --preset mini --out runs/eight     eight GPUs

The folder of a run has its snapshot, log.jsonl, and in the end the model. Under torchrun every
process must see that folder, and --batch-size is the batch of all of them together.
"""

import argparse
import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args

import torch

from cliplab.checkpoints import load_clip, save_clip
from cliplab.checkpoints.files import MINI
from cliplab.command import device_in_words, ends_in_a_sentence, positive_int, warm_start
from cliplab.contrastive import CLIP
from cliplab.contrastive import PRESETS as MODELS
from cliplab.image_encoder import ResizeMode
from cliplab.training import (
    PRESETS,
    Log,
    Mixture,
    Pairs,
    Recipe,
    build_batches,
    build_clip,
    evaluate,
    sources,
    train,
)
from cliplab.training.build import ADDRESS, NAMES
from cliplab.training.distributed import find_device
from cliplab.training.recipe import Loss, Precision
from cliplab.training.snapshot import read_state

TABLE = ("table", "image_column", "caption_column")
HOW = {"resume", "device", "threads", "quiet", "json"}  # how a run is done, not what it is
EVERY, SHOWN = 200, 16  # steps between evaluations; pairs whose similarities the log keeps


def main(arguments: list[str] | None = None) -> None:
    parser = make_parser()
    options = parser.parse_args(arguments)
    rank, world = (int(os.environ.get(name, d)) for name, d in (("RANK", 0), ("WORLD_SIZE", 1)))
    with ends_in_a_sentence(parser, rank, world), warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = note if rank == 0 else lambda *_, **__: None
        settings = read_settings(options)
        log = run(settings, options, rank, world)
    if rank == 0:
        print(json.dumps(log.evaluations[-1:]) if options.json else last_words(log, settings))


def note(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as a person wants to read it, when it comes up."""
    print(f"Note: {message}", file=sys.stderr)


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cliplab.train",
        description=__doc__.replace("``", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument_group("the run").add_argument
    add("--out", type=Path, help="the folder of a new run")
    add("--resume", type=Path, metavar="OUT", help="go on with the run in that folder")
    runs = "; ".join(f"{name}: {preset.purpose}" for name, preset in PRESETS.items())
    add("--preset", choices=PRESETS, help=f"{runs} (coffee, if not given)")
    text = "emoji, shapes, emoji+shapes, a folder of pictures or .tar shards, not the preset's; "
    add("--data", nargs="+", help=f"{text}with --resume, where the run's data lies now")
    add("--table", help="the table of captions in that folder, where it holds several")
    add("--image-column", metavar="NAME", help="the table's column of file names")
    add("--caption-column", metavar="NAME", help="the table's column of captions")
    add("--model", choices=MODELS, help="in place of the preset's")
    add("--from", dest="from", metavar="CLIP", help="begin with the weights of a trained one")
    add("--teachers", nargs="+", metavar="CLIP", help="learn the mean of their cosines as well")
    add("--on-bad", choices=("skip", "raise"), help="what to do about a broken pair (skip)")
    add("--every", type=positive_int, help=f"steps between snapshots and evaluations ({EVERY})")
    add = parser.add_argument_group("its recipe, in place of the preset's").add_argument
    for name, kind, text in (
        ("steps", int, "how many steps"),
        ("batch-size", int, "pairs in a batch, over all processes"),
        ("views", int, "pictures of one thing in a batch, where the data knows that"),
        ("micro-batch", int, "pairs encoded at a time (GradCache): big batches on little memory"),
        ("lr", float, "highest learning rate"),
        ("warmup", int, "steps on the way to it"),
        ("weight-decay", float, "pull of the matrices toward 0"),
        ("max-grad-norm", float, "length to which longer gradients are cut"),
        ("augment", float, "how much pictures are turned, moved and tinted, from 0 to 1"),
        ("distill", float, "weight of what the teachers say"),
        ("seed", int, "of weights, batches and augmentation"),
    ):
        add(f"--{name}", type=kind, metavar="N" if kind is int else "X", help=text)
    text = "how a picture becomes a square: fitted in (longest), its middle cut out, or stretched"
    add("--resize-mode", choices=get_args(ResizeMode), help=text)
    add("--precision", choices=get_args(Precision), help="fp32, or autocast to bf16 or fp16")
    add("--loss", choices=get_args(Loss), help="CLIP's or SigLIP's")
    add("--gradient-checkpointing", action="store_true", help="less memory, more time")
    add = parser.add_argument_group("how it is done").add_argument
    add("--device", help="cuda, mps or cpu; if not given, the fastest that is there")
    add("--threads", type=positive_int, metavar="N", help="CPU threads")
    add("--quiet", action="store_true", default=False, help="no progress bar")
    add("--json", action="store_true", default=False, help="end with the last evaluation as JSON")
    return parser


def read_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that decides how the run ends: from the options, or from the run to go on with."""
    given = {name: value for name, value in vars(options).items() if name not in HOW}
    if "data" in given:
        parts = [part for one in given["data"] for part in one.split("::")]
        given["data"] = "::".join(map(absolute, parts))
    if "resume" in options:
        moved = {"data": given.pop("data")} if "data" in given else {}
        if given:
            named = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise ValueError(f"--resume goes on with a run as it was begun: leave {named} away.")
        return {**settings_of(options.resume), **moved, "out": options.resume, "resume": True}
    if "out" not in given:
        raise ValueError("Say where the run is to be kept: --out runs/first")
    preset = PRESETS[given.get("preset", "coffee")]
    recipe = {n: v for n, v in given.items() if n in asdict(preset.recipe)}
    return {
        "model": given.get("model", preset.model),
        "data": given.get("data", preset.data),
        "on_bad": given.get("on_bad", "skip"),
        "every": given.get("every", EVERY),
        "start": given.get("from") and absolute(given["from"]),
        "teachers": [absolute(name) for name in given.get("teachers", [])],
        "table": {name: given.get(name) for name in TABLE},
        "recipe": replace(preset.recipe, **recipe),
        "out": given["out"],
        "resume": False,
    }


def absolute(name: str) -> str:
    """The full path of a file, a folder or a pattern of files, so that a run can be resumed from
    anywhere; what is none, and the names of what comes with the package, as they are."""
    path = os.path.expanduser(name)
    is_path = os.path.exists(path) or any(sign in path for sign in "{*?[")
    known = name in (*NAMES, MINI) or ADDRESS.match(name)
    return os.path.abspath(path) if is_path and not known else name


def settings_of(folder: Path) -> dict[str, Any]:
    """The settings of the run in a folder."""
    state = read_state(folder)
    if not {"model", "data", "on_bad"} <= state["about"].keys():
        raise ValueError(
            f"The run in {folder} was begun by train(…), not by this command: go on with it there, "
            "with resume=True."
        )
    try:
        recipe, _ = Recipe(**state["recipe"]), state["about"]["table"]
    except (TypeError, KeyError) as error:
        raise ValueError(f"{folder} is of another version of cliplab: {error}.") from None
    return {"every": EVERY, "start": None, "teachers": [], **state["about"], "recipe": recipe}


def run(settings: dict[str, Any], options: argparse.Namespace, rank: int, world: int) -> Log:
    """Build what the settings say, train it, and save the model beside the run."""
    if "threads" in options:
        torch.set_num_threads(options.threads)
    device = find_device(getattr(options, "device", None))
    recipe, out = settings["recipe"], settings["out"]
    try:
        data = sources(settings["data"], settings["on_bad"], **settings["table"])
    except (ValueError, OSError) as error:
        if not settings["resume"]:
            raise
        raise ValueError(
            f"{error} This is where the run's data was. If it is elsewhere now, say so: "
            f"--resume {out} --data …"
        ) from None
    clip = build_clip(settings["model"], data, seed=recipe.seed, sigmoid=recipe.loss == "sigmoid")
    if settings["start"] and not settings["resume"]:
        warm_start(clip, load_clip(settings["start"]), settings["start"])
    teachers = [load_clip(name) for name in settings["teachers"]]
    marks = fingerprint(clip, data, teachers)
    if settings.get("fingerprint", marks) != marks:
        what = " and ".join([settings["data"], *settings["teachers"]])
        raise ValueError(
            f"{what} is no longer what the run in {out} was begun with: something was added, "
            "removed or changed. Put it back, or begin a new run."
        )
    batches = build_batches(data, recipe, clip.preprocess.image_size, rank, world)
    if rank == 0 and not options.quiet:
        print(*data.sources, sep="\n")
        where = device_in_words(device)
        print(f"{settings['model']}: {clip.num_parameters():,} parameters, on {where}")
    kept = ("model", "data", "table", "on_bad", "every", "start", "teachers")
    about = {key: settings[key] for key in kept} | {"fingerprint": marks}
    log = train(
        clip,
        batches,
        recipe,
        out,
        resume=settings["resume"],
        device=device,
        evaluate=held_out_of(data),
        every=settings["every"],
        progress=not options.quiet,
        about=about,
        teachers=teachers,
        go_on=f"python -m cliplab.train --resume {out}",
    )
    if rank == 0:
        save_clip(clip.cpu(), out / "model")
    return log


def fingerprint(clip: CLIP, data: Mixture, teachers: list[CLIP]) -> str:
    """Eight bytes that are others for other data and other teachers: of the data's vocabulary and
    contents, pictures with their captions, and of each teacher's weights."""
    vocabulary = clip.tokenizer and clip.tokenizer.merges
    digest = hashlib.blake2b(repr(vocabulary).encode(), digest_size=8)
    for source in data.sources:
        for item in source.contents():
            digest.update(repr(item).encode())
    for teacher in teachers:
        for tensor in teacher.state_dict().values():
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def held_out_of(data: Mixture) -> Callable[[CLIP], dict[str, Any]] | None:
    """An evaluation on what the data keeps from training: retrieval on each split, and, for the
    log's figure, the similarities of some pairs of the first. None where nothing is kept."""
    if not (splits := data.held_out()):
        return None

    def evaluation(clip: CLIP) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for split, pairs in splits.items():
            found = evaluate(clip, pairs)
            for way in ("text_to_image", "image_to_text"):
                for k, share in getattr(found, way).items():
                    record[f"{split}/{way}/r@{k}"] = round(share, 4)
        return record | similarities(clip, next(iter(splits.values())))

    return evaluation


def similarities(clip: CLIP, pairs: Pairs) -> dict[str, Any]:
    """The cosines of some captions and their pictures, evenly spread over the source."""
    some = [pairs[i] for i in range(0, len(pairs), max(1, len(pairs) // SHOWN))][:SHOWN]
    u = clip.encode_text([pair.caption for pair in some])
    v = clip.encode_image([pair.image for pair in some])
    return {
        "similarities": [[round(s, 3) for s in row] for row in (u @ v.T).tolist()],
        "similarities_of": [pair.caption for pair in some],
    }


def last_words(log: Log, settings: dict[str, Any]) -> str:
    lines = [f"Done: {len(log.steps):,} steps, loss {log['loss'][-1]:.3f}."]
    last = log.evaluations[-1] if log.evaluations else {}
    for key in last:
        if key.endswith("/text_to_image/r@1"):
            split = key.partition("/")[0]
            one, five = (100 * last[f"{split}/text_to_image/r@{k}"] for k in (1, 5))
            lines.append(f"Unseen {split}, text → image: R@1 {one:.1f} %, R@5 {five:.1f} %")
    lines.append(f'The model: cliplab.load_clip("{settings["out"] / "model"}")')
    return "\n".join(lines)


if __name__ == "__main__":
    main()
