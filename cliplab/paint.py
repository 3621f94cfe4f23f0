"""``python -m cliplab.paint "a (red:1.3) circle" --out circle.png``: a picture from a prompt."""

import argparse
import json
import sys
import warnings
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cliplab.checkpoints import CheckpointError
from cliplab.checks import as_options
from cliplab.extras import MissingExtra
from cliplab.pipeline import generate, load_pipeline
from cliplab.pipeline.generate import IN_ATTENTION
from cliplab.prompts import TOOLS
from cliplab.weighting import METHODS


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m cliplab.paint", description=__doc__.replace("``", "")
    )
    parser.add_argument("prompt", help='the prompt; "-" reads it from standard input')
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--negative", default="", help="what to move away from")
    parser.add_argument("--model", default="mini", help='"mini", "sd15", or a diffusers folder')
    parser.add_argument("--syntax", choices=TOOLS, default="a1111", help="how prompts are read")
    parser.add_argument(
        "--method",
        choices=(*METHODS, IN_ATTENTION),
        help="what weights do; without it, as the tool does",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first picture")
    parser.add_argument("--count", type=int, default=1, help="pictures side by side, seed by seed")
    parser.add_argument("--steps", type=int, help="without it, as many as suit the model")
    parser.add_argument("--guidance", type=float, help="1: none; without it, what suits the model")
    parser.add_argument("--height", type=int, help="in pixels; without it, the model's own")
    parser.add_argument("--width", type=int, help="likewise")
    parser.add_argument("--clip-skip", type=int, default=0, help="last layers to leave out")
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda message, *_, **__: print(
            f"Note: {as_options(str(message), parser)}", file=sys.stderr
        )
        try:
            about = paint(options)
        except (CheckpointError, MissingExtra, OSError, ValueError) as error:
            parser.exit(2, f"{as_options(str(error), parser)}\n")
    if options.json:
        print(json.dumps(about, ensure_ascii=False))
    else:
        width, height = about["size"]
        how = f"seed {about['seed']}, {about['steps']} steps, guidance {about['guidance']:g}"
        print(f"{options.out}: {width} × {height} pixels, {how}")


def paint(options: argparse.Namespace) -> dict:
    """Paint, write the file, and say what was done; the same stands in the PNG's "parameters"."""
    if options.out.suffix.lower() != ".png":
        raise ValueError(f"--out is a .png, which keeps every pixel; not {options.out.name!r}.")
    if options.count < 1:
        raise ValueError(f"--count is a number of pictures, at least 1; not {options.count}.")
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    same = ("syntax", "method", "seed", "steps", "guidance", "height", "width", "clip_skip")
    how = {name: getattr(options, name) for name in same}
    made = generate(load_pipeline(options.model), [prompt] * options.count, options.negative, **how)
    how |= {"steps": made.steps, "guidance": made.guidance}
    how |= {"model": options.model, "negative": options.negative}
    strip = side_by_side(made.images)
    write_png(strip, options.out, {"prompt": prompt, **how})
    return {"prompt": prompt, **how, "out": str(options.out), "size": strip.size}


def side_by_side(images: list[Image.Image]) -> Image.Image:
    """Pictures of one size in a row."""
    width, height = images[0].size
    strip = Image.new("RGB", (width * len(images), height))
    for i, image in enumerate(images):
        strip.paste(image, (i * width, 0))
    return strip


def write_png(image: Image.Image, path: Path, about: dict) -> None:
    """The picture with all that painted it, as JSON in the PNG's text "parameters"."""
    text = PngInfo()
    text.add_itxt("parameters", json.dumps(about, ensure_ascii=False))
    image.save(path, pnginfo=text)


if __name__ == "__main__":
    main()
