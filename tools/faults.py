"""Shows that every quick check notices: plants a fault for each in a copy, and runs them there.

    python tools/faults.py

Every fault must be told by file and line. What stands in the copy's `_build` comes from here, so
that nothing is fetched and mypy reads only what has changed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from check import CHECKS, ROOT


class Fault(NamedTuple):
    """A line that is put at the end of a file, and what is to be said of it."""

    check: str
    file: str
    line: str
    said: str


FAULTS = (
    Fault("rules", "cliplab/extras.py", "import os", "F401"),
    Fault("form", "cliplab/paint.py", "untidy = {  'a':1}", "would be reformatted"),
    Fault("types", "cliplab/vae.py", "def untyped(x): ...", "missing a type annotation"),
    Fault("types", "cliplab/masks.py", 'causal_mask("77")', "incompatible type"),
    Fault("scripts", "cliplab/demos/lib/state.js", 'Math.max("77");', "not assignable"),
    Fault("scripts", "cliplab/demos/lib/ask.js", "export const untidy = {a:1}", "Code style"),
    Fault("spelling", "README.md", "A mispeled word.", "mispeled"),
    Fault("links", "CHANGELOG.md", "[A page](book/gone.md).", "a file that is not there"),
    Fault("links", "ARCHITECTURE.md", "[A place](README.md#gone).", "a place that README.md"),
    Fault("links", "book/terms.md", "[An address](https:gone).", "no address of the web"),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        copy_to(copy)
        lines = [plant(copy, fault) for fault in FAULTS]
        ran = subprocess.run(
            [sys.executable, "tools/check.py"], cwd=copy, capture_output=True, text=True
        )
    said = ran.stdout + ran.stderr
    missed = [
        f"{fault.check} said nothing of {fault.file}, line {line}: {fault.line}"
        for fault, line in zip(FAULTS, lines, strict=True)
        if not noticed(fault, line, said)
    ]
    missed += [f"{name} has no fault here." for name in {*CHECKS} - {f.check for f in FAULTS}]
    missed += [f"{name} has not failed." for name in CHECKS if f"check of {name} has" not in said]
    print(said if missed else f"All {len(FAULTS)} faults are told by file and line.")
    print("\n".join(missed), end="\n" if missed else "")
    return bool(missed) or not ran.returncode


def copy_to(copy: Path) -> None:
    """The files that git knows, as they are here; and what the checks have built."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=copy, check=True)
    (copy / "_build").mkdir()
    if (node := ROOT / "_build" / "node").is_dir():
        (copy / "_build" / "node").symlink_to(node)
    if (known := ROOT / "_build" / "mypy").is_dir():
        shutil.copytree(known, copy / "_build" / "mypy")


def plant(copy: Path, fault: Fault) -> int:
    """Put a fault at the end of its file; gives the number of its line."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8") + "\n" + fault.line + "\n"
    path.write_text(text, encoding="utf-8")
    return text.count("\n")


def noticed(fault: Fault, line: int, said: str) -> bool:
    """Whether file, line and words are there; Prettier alone names no line."""
    place = re.escape(fault.file) + ("" if fault.said == "Code style" else rf"\D{{1,5}}{line}\b")
    return bool(re.search(place, said)) and fault.said in said


if __name__ == "__main__":
    sys.exit(main())
