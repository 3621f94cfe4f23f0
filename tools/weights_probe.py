"""How a tool is asked what it makes of a prompt: by its own code, in a process of its own.

A probe's package lies in a folder of its own, first on the path; torch, transformers and diffusers
are the course's. `read` gives the fragments that the tool reads, `encode` the rows that it makes of
them, with a tiny random CLIP, and `operation` finds out what happened to the rows. What was read in
the source and not run stands in `as_read`.

A cell is a list of [text, weight], with BLOCK where a new block of 77 rows begins; or a text, where
the tool hands one on, or where words say more.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from tools import pipeline_parts as parts

BLOCK = "new block"
PLAIN = "a cat on a mat"
WORD = 2  # the row of `cat`, after BOS and `a`
Cell = list[Any] | str


class Probe:
    """A tool: what it is called, its package, and where it was read.

    needs  what it imports and the course does not have
    own    how it says a weight; a tool that has no way to say one has none
    """

    title: str
    package: str = ""
    needs: tuple[str, ...] = ()
    read_in: str = ""
    own: str = "a (cat:{}) on a mat"
    as_read: ClassVar[dict[str, Cell]] = {}

    def __init__(self, folder: Path):
        self.folder = folder
        torch.manual_seed(0)
        self.tokenizer, self.encoder = parts.clip_tokenizer(), parts.clip(32)
        self.open()

    def open(self) -> None:
        """Import the tool."""

    def read(self, prompt: str) -> Cell:
        raise NotImplementedError

    def encode(self, prompt: str) -> torch.Tensor | None:
        """The rows [R, D] of a prompt; None if the tool's encoder is not run."""
        return None

    def operation(self) -> str:
        """What becomes of a prompt's rows when its word gets a weight, up and down."""
        C, e = self.encode(PLAIN), self.encode("")
        up, down = (
            named(self.encode(self.own.format(weight)), C, e, weight) for weight in (1.3, 0.7)
        )
        return up if up == down else f"{up}; below 1 {down}"

    def grouped(self, tokens: Iterable[tuple[int, float]]) -> Cell:
        """Tokens as fragments of one weight, in the tokenizer's own spelling; no BOS, EOS, PAD."""
        found: list[Any] = []
        for id, weight in tokens:
            if id in self.tokenizer.all_special_ids:
                continue
            if found and found[-1][1] == weight:
                found[-1][0].append(id)
            else:
                found.append([[id], weight])
        return [[self.tokenizer.decode(ids), float(weight)] for ids, weight in found]


def named(made: Any, C: Any, e: Any, weight: float) -> str:
    """Which operation made a context of the plain one C, the empty one e and a word's weight."""
    assert made.shape == C.shape
    w = torch.ones(len(C), 1)
    w[WORD] = weight
    whole = {"none": C, "w C": w * C, "w C, with w in 16 bits": w.half().float() * C}
    whole["w C, then the mean of each chunk restored"] = w * C * (C.mean() / (w * C).mean())
    if e.shape == C.shape:
        whole["e + w (C − e)"] = e + w * (C - e)
    for name, rows in whole.items():
        if torch.allclose(made, rows, atol=1e-5):
            return name
    changed = ((made - C).abs().amax(-1) > 1e-5).nonzero().flatten().tolist()
    one_run = changed == list(range(changed[0], changed[-1] + 1))
    assert one_run
    return f"another: rows {changed[0]} to {changed[-1]} change"


def code_of(path: Path, names: Sequence[str], given: dict[str, Any]) -> types.SimpleNamespace:
    """Some definitions of a module, without what the module imports and they do not need."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kept: list[ast.stmt] = [
        node
        for node in tree.body
        if getattr(node, "name", None) in names
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names)
    ]
    space = dict(given)
    exec(compile(ast.Module(kept, []), str(path), "exec"), space)
    return types.SimpleNamespace(**space)


def by_path(path: Path) -> Any:
    """A module that is run without the package that it lies in."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_text_model(encoder: Any) -> None:
    """An encoder of transformers 5 as transformers 4 had it: its parts lie on `text_model`."""
    encoder.__dict__["text_model"] = encoder


def config_file(folder: Path, encoder: Any) -> str:
    """The file with an encoder's sizes that ComfyUI's classes open."""
    path = folder / "tiny_clip.json"
    path.write_text(json.dumps(encoder.config.to_dict()), encoding="utf-8")
    return str(path)


def read_by_compel(prompt: str) -> Cell:
    from compel import Compel

    (one,) = Compel.parse_prompt_string(prompt).prompts
    return [[fragment.text, float(fragment.weight)] for fragment in one.children]
