"""Reading back what was written: does any solution or hidden test stand in it?

Lines are compared without spaces, quotes, parentheses, commas and underscores, so that a line is
known again after a formatter, a doctest or HTML. A line that says too little (an import, a few
letters), or that students are meant to see as well, is left out. Of pictures and weights the
readable bytes are read.
"""

from __future__ import annotations

import html
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from . import CourseworkError
from .master import Cell, Master

TELLING = 8  # bytes that a line must have left to be told from another


class Leak(CourseworkError):
    """Something that students must not see stands in a file that they get."""


class Secrets(NamedTuple):
    """Lines that may stand nowhere, in their bare form → as they are written in the master."""

    solutions: dict[bytes, str]
    hidden: dict[bytes, str]


def prove(folder: Path, masters: Iterable[Master], public: Iterable[Path] = ()) -> str:
    """The sentence that says what was proved of every file in the folder, or raises Leak.

    public: files that everybody may read anyway; a line that stands in them is no secret.
    """
    secrets = secrets_of(masters, public)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    leaks = []
    for path in files:
        bare_text = bare("\n".join(texts(path.name, path.read_bytes())))
        for what, lines in zip(("solution", "hidden test"), secrets, strict=True):
            found = [line for key, line in lines.items() if key in bare_text]
            if found:
                leaks.append(f"{path.relative_to(folder)} holds the {what} line {found[0]!r}")
    if leaks:
        raise Leak(f"{'; '.join(leaks)}.")
    return (
        f"Proved: {len(files)} {'file holds' if len(files) == 1 else 'files hold'} none of "
        f"{len(secrets.solutions)} solution lines and {len(secrets.hidden)} hidden-test lines."
    )


def secrets_of(masters: Iterable[Master], public: Iterable[Path] = ()) -> Secrets:
    """The lines that no student of any of these assignments may see."""
    cells = [cell for master in masters for cell in master.cells]
    known = [text for path in public for text in texts(path.name, path.read_bytes())]
    seen = bare("\n".join([*map(shown, cells), *known]))

    def telling(lines: Iterable[str]) -> dict[bytes, str]:
        imports = ("import ", "from ")
        keys = {bare(line): line.strip() for line in lines if not line.startswith(imports)}
        return {key: line for key, line in keys.items() if len(key) >= TELLING and key not in seen}

    hidden = (cell.source.splitlines() for cell in cells if cell.kind == "hidden")
    return Secrets(
        telling(line for cell in cells for line in cell.solution),
        telling(line for lines in hidden for line in lines),
    )


def shown(cell: Cell) -> str:
    """What students see of a cell."""
    return "" if cell.kind == "hidden" else cell.stub


def bare(text: str) -> bytes:
    """What is left to compare; as bytes, in which a search takes a seventh of the time."""
    return re.sub(r"[\s'\"\\(),_]|>>> |\.\.\. ", "", text).encode("utf-8", "replace")


def texts(name: str, data: bytes) -> Iterator[str]:
    """All text in a file: as it stands, and out of JSON, HTML and archives."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from texts(member, archive.read(member))
        return
    if name.endswith((".tar", ".tar.gz", ".tgz")):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for item in archive:
                file = archive.extractfile(item) if item.isfile() else None
                if file:
                    yield from texts(item.name, file.read())
        return
    if b"\0" in data:
        data = b"\n".join(re.findall(rb"[\t\n\r -~]{%d,}" % TELLING, data))
    text = data.decode("utf-8", errors="replace")
    yield text
    if name.endswith((".html", ".htm")):
        yield html.unescape(re.sub(r"<[^>]*>", "", text))
    elif name.endswith((".ipynb", ".json")):
        yield "\n".join(strings(json.loads(text)))


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, keys included, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
