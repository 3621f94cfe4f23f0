"""Everything that a published page needs for its demos, in one folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from .bundle import bundle
from .export import export
from .host import HERE, style
from .register import NAMES


def write(out: Path, cache: Path, names: tuple[str, ...] = NAMES) -> None:
    """Fill `out`: a module per demo, the host, the worker, the style, graphs and data.

    Exports stay in `cache` and are made again only when what they come from has changed.
    """
    export(cache)
    shutil.copytree(cache, out, dirs_exist_ok=True)
    for file in (HERE / "page").glob("*.js"):
        shutil.copy(file, out)
    (out / "demo.css").write_text(style(*(HERE / name for name in names)), encoding="utf-8")
    for name in names:
        (out / f"{name}.js").write_text(bundle(HERE / name / "demo.js"), encoding="utf-8")
