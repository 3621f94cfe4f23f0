"""``python -m classroom release``: from masters to what students may have.

    python -m classroom release --to student handout        all assignments
    python -m classroom release --to site pages coursework/01_tokens.ipynb
    python -m classroom release --to nbgrader handout --instructor course/source
    python -m classroom release --to otter handout --instructor otter-source

OUT gets only what may be handed out, and is proved to hold no solution and no hidden test. What
nbgrader and otter need besides, with all answers in it, goes to the folder named by --instructor.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cliplab.extras import need

from . import CourseworkError

DESCRIPTION = __doc__.replace("``", "")
TOOLS = ("student", "nbgrader", "otter", "site")
MASTERS = Path(__file__).parents[2] / "coursework"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("--to", required=True, choices=TOOLS, help="for whom")
    add("out", type=Path, metavar="OUT", help="a new folder for what may be handed out")
    add("masters", type=Path, nargs="*", metavar="MASTER", help="all of coursework/, if not given")
    add("--instructor", type=Path, metavar="FOLDER", help="a new folder for the tool's own input")


def run(options: argparse.Namespace) -> int:
    """Release, say what was proved, and give the exit code."""
    proved = release(options.to, options.out, options.masters, options.instructor)
    print(f"{options.out}: for {options.to}.\n{proved}")
    if options.instructor:
        print(f"{options.instructor}: with all answers, for you alone.")
    return 0


def release(
    to: str, out: Path, masters: list[Path] | None = None, instructor: Path | None = None
) -> str:
    """Write the release of these masters; return the sentence that says what was proved.

    to: "student", "nbgrader", "otter" or "site". instructor: where nbgrader's or otter's own input
    goes. Folders appear whole or not at all. Raises CourseworkError for a master against the rules,
    a folder that holds other things, and a Leak, of which nothing stays on the disk; MissingExtra
    without nbformat.
    """
    need("nbformat", "grading")
    from .formats import FORMATS
    from .proof import prove
    from .reading import read_master

    tool = FORMATS[to]
    if instructor and not hasattr(tool, "instructor"):
        raise CourseworkError(f"--instructor is for nbgrader and otter; {to} needs no input.")
    paths = masters or sorted(MASTERS.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise CourseworkError(f"There are no masters in {MASTERS}. Name the notebooks to release.")
    read = [read_master(path) for path in paths]
    names = [path.name for path in paths]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CourseworkError(f"Two masters are called {twice.pop()}. Release them one by one.")
    require_apart(out, instructor)

    def all_of(part: str) -> dict[str, str]:
        return {name: text for m in read for name, text in getattr(tool, part)(m).items()}

    with written(out, all_of("handout")) as new:
        proved = prove(new, read)
        if instructor:
            with written(instructor, all_of("instructor")):
                pass
    return proved


def require_apart(out: Path, instructor: Path | None) -> None:
    """Refuse to put answers into the folder that is handed out, or that one beside the answers."""
    if instructor:
        a, b = out.resolve(), instructor.resolve()
        if a == b or a in b.parents or b in a.parents:
            raise CourseworkError(
                f"{out} is handed out and {instructor} holds the answers: neither may lie in the "
                "other."
            )


@contextmanager
def written(folder: Path, files: dict[str, str]) -> Iterator[Path]:
    """The files, written beside the folder; when the block ends well, they become the folder.

    Raises CourseworkError when the folder holds anything but exactly these files.
    """
    folder = folder.expanduser().resolve()
    require_free(folder, files)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        for name, text in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        yield part
        if folder.exists():
            if any(folder.iterdir()):
                return  # these very files
            folder.rmdir()
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def require_free(folder: Path, files: dict[str, str]) -> None:
    """The folder is new, or empty, or holds what would be written, byte for byte."""
    if folder.exists() and not folder.is_dir():
        raise CourseworkError(f"{folder} is a file. Name a new folder.")
    there = set()
    for path in folder.rglob("*") if folder.exists() else ():
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and any(file.startswith(f"{name}/") for file in files):
            continue
        if name not in files:
            raise CourseworkError(f"{folder} holds other things ({name}). Name a new folder.")
        if path.read_bytes() != files[name].encode():
            raise CourseworkError(
                f"{path} is not what would be written: the master has changed, or somebody worked "
                "in it. Name a new folder, or delete this one."
            )
        there.add(name)
    if there and there != set(files):
        raise CourseworkError(f"{folder} holds a part of the release. Name a new folder.")
