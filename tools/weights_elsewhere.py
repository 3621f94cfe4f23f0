"""What (word:1.3) means in every tool: their own parsers and encoders, on the same prompts.

    python tools/weights_elsewhere.py                   all, into book/weights_elsewhere.json
    python tools/weights_elsewhere.py --check           all, beside what is stored there
    python tools/weights_elsewhere.py compel comfyui    these alone, printed

Each tool is installed from its pinned public package into a temporary folder, without what it
depends on, and runs in a process of its own: `weights_probe.py` says how it is asked. Needs the
network, g++ and Node, and about 200 MB for a while; so no test runs all of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT))  # after the packages of a probe

from tools import measured  # noqa: E402
from tools import weights_others as others  # noqa: E402
from tools import weights_tools as weighing  # noqa: E402
from tools.weights_probe import PLAIN, Probe  # noqa: E402

STORED = ROOT / "book" / "weights_elsewhere.json"
PROBES: dict[str, type[Probe]] = {
    "a1111": others.Automatic1111,
    "comfyui": weighing.ComfyUI,
    "compel": weighing.Compel,
    "sdcpp": weighing.StableDiffusionCpp,
    "sdnext": others.SDNext,
    "invokeai": others.InvokeAI,
    "diffusers": others.Diffusers,
    "lpw": others.LongPromptWeighting,
    "sd_embed": weighing.SdEmbed,
    "prompt_embedder": weighing.PromptEmbedder,
    "stablepy_original": weighing.StablepyOriginal,
    "stablepy_classic": weighing.StablepyClassic,
    "dgenerate": weighing.Dgenerate,
    "comfylib": weighing.Comfylib,
    "sdkit": others.Sdkit,
    "imaginairy": others.Imaginairy,
    "comfyui_page": others.ComfyPage,
    "dynamicprompts": others.Dynamicprompts,
}

PROMPTS = {
    "weight": "(cat:1.3)",
    "nested": "((a:1.3) b:1.2)",
    "square": "[dog]",
    "space": "(cat: 1.3)",
    "break": "a BREAK b",
    "escape": r"\(cat\)",
    "choice": "{cat|dog}",
}
COLUMNS = ["own", *PROMPTS, "operation", "rows"]
CELLS = "cells.json"
FROM_SOURCES = ("stable-diffusion-cpp-python",)  # whose package holds no parser before it is built


def fetch(package: str, folder: Path) -> None:
    """A package into a folder; nothing that it depends on."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if not package.startswith(FROM_SOURCES):
        subprocess.run(
            [*pip, "install", "--no-deps", "--ignore-requires-python", "--target", folder, package],
            check=True,
        )
        return
    subprocess.run(
        [*pip, "download", "--no-deps", "--no-binary", ":all:", "--dest", folder, package],
        check=True,
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()


@torch.no_grad()
def measure(kind: type[Probe], folder: Path) -> dict[str, Any]:
    """What is run of a tool that is installed in a folder, marked so."""
    probe, cells = kind(folder), {}
    if probe.package:
        cells = {name: {"run": probe.read(prompt)} for name, prompt in PROMPTS.items()}
        if probe.own:
            cells["own"] = {"run": probe.read(probe.own.format(1.3))}
        if (rows := probe.encode(PLAIN)) is not None:
            cells["rows"] = {"run": str(len(rows))}
            cells["operation"] = {"run": probe.operation() if probe.own else "none"}
    return cells


def row(name: str, cells: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a tool: the cells that were run, and those that were read."""
    kind = PROBES[name]
    read = {column: {"read": cell} for column, cell in kind.as_read.items()}
    if not kind.own:
        cells["own"] = {"read": "none"}
    elif not kind.package and "own" not in read and "weight" in read:
        read["own"] = read["weight"]
    return {
        "title": kind.title,
        "package": kind.package.replace("==", " "),
        "read in": kind.read_in,
        "own": kind.own.format(1.3),
        "cells": {c: (cells | read).get(c, {"not run": ""}) for c in COLUMNS},
    }


def in_a_process_of_its_own(name: str) -> dict[str, Any]:
    """Install a tool, run its probe, and remove the tool."""
    kind = PROBES[name]
    if not kind.package:
        return row(name, {})
    with tempfile.TemporaryDirectory() as folder:
        for package in (kind.package, *kind.needs):
            fetch(package, Path(folder))
        path = os.pathsep.join([folder, str(ROOT)])
        subprocess.run(
            [sys.executable, "-c", f"from tools.weights_elsewhere import run; run({name!r})"],
            env=os.environ | {"PYTHONPATH": path}, cwd=folder, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return row(name, json.loads((Path(folder) / CELLS).read_text(encoding="utf-8")))


def run(name: str) -> None:
    """Measure the tool that is installed in the current folder, and write its cells there."""
    cells = measure(PROBES[name], Path.cwd())
    Path(CELLS).write_text(json.dumps(cells), encoding="utf-8")


def main() -> None:
    title = __doc__.split("\n", 1)[0]
    measured.command(title, STORED, "tools", PROBES, in_a_process_of_its_own, prompts=PROMPTS)


if __name__ == "__main__":
    main()
