"""What (word:1.3) means in every tool: their own parsers and encoders, on the same prompts.

    python tools/weights_elsewhere.py                   all, into book/weights_elsewhere.json
    python tools/weights_elsewhere.py --check           all, beside what is stored there
    python tools/weights_elsewhere.py compel comfyui    these alone, printed

Each tool is installed from its pinned public package into a temporary folder, without what it
depends on, and runs in a process of its own: `weights_probe.py` says how it is asked. Needs the
network, g++ and Node, and about 200 MB for a while; so no test runs all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
import weights_others as others
import weights_tools as tools
from weights_probe import PLAIN, Probe

HERE = Path(__file__).resolve().parent
STORED = HERE.parent / "book" / "weights_elsewhere.json"
PROBES: dict[str, type[Probe]] = {
    "a1111": others.Automatic1111,
    "comfyui": tools.ComfyUI,
    "compel": tools.Compel,
    "sdcpp": tools.StableDiffusionCpp,
    "sdnext": others.SDNext,
    "invokeai": others.InvokeAI,
    "diffusers": others.Diffusers,
    "lpw": others.LongPromptWeighting,
    "sd_embed": tools.SdEmbed,
    "prompt_embedder": tools.PromptEmbedder,
    "stablepy_original": tools.StablepyOriginal,
    "stablepy_classic": tools.StablepyClassic,
    "dgenerate": tools.Dgenerate,
    "comfylib": tools.Comfylib,
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


def measure(probe: Probe) -> dict[str, Any]:
    """The cells of a tool: each is marked as run, as read, or as not run."""
    cells: dict[str, Any] = {}
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
        path = os.pathsep.join([folder, str(HERE), str(HERE.parent)])
        subprocess.run(
            [sys.executable, __file__, "--probe", folder, name],
            env=os.environ | {"PYTHONPATH": path}, cwd=folder, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return row(name, json.loads((Path(folder) / "cells.json").read_text(encoding="utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="compare all with what is stored")
    parser.add_argument("--probe", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PROBES)}")
    arguments = parser.parse_args()
    names = arguments.names
    if unknown := [name for name in names if name not in PROBES]:
        parser.error(f"There is no {unknown[0]}; there are {', '.join(PROBES)}.")
    if folder := arguments.probe:
        with torch.no_grad():
            cells = measure(PROBES[names[0]](Path(folder)))
        (Path(folder) / "cells.json").write_text(json.dumps(cells), encoding="utf-8")
        return
    table = {}
    for name in names or PROBES:
        table[name] = in_a_process_of_its_own(name)
        print(json.dumps(table[name], ensure_ascii=False) if names else name, flush=True)
    if arguments.check:
        stored = json.loads(STORED.read_text(encoding="utf-8"))["tools"]
        changed = [name for name in table if table[name] != stored.get(name)]
        sys.exit(f"Not as stored: {', '.join(changed)}." if changed else None)
    if not names:
        versions = {name: version(name) for name in ("torch", "transformers", "diffusers")}
        stored = {"versions": versions, "prompts": PROMPTS, "tools": table}
        text = json.dumps(stored, indent=1, ensure_ascii=False)
        STORED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
