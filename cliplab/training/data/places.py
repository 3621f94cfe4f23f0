"""Where the files lie that a table names: beside it, one folder deeper, or on another machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .table import ENDINGS


class NotThere(ValueError):
    """A table names a file that is not to be had; kind: as in `reading.KINDS`."""

    def __init__(self, kind: str, what: str):
        super().__init__(what)
        self.kind = kind


class Places:
    """The folder that holds the pictures, in which the names of a table are looked up.

    A name may be relative to the folder or to that of the table, or begin with the folder's own
    name, as paths that were written on another machine do; it may have backslashes, a ~, Flickr8k's
    #0 at its end, or no ending. Where the folder has it nowhere, it may lie in one of the folders
    inside. It may not lead out.
    """

    def __init__(self, folder: Path, table: Path | None):
        self.root = Path(os.path.realpath(folder))
        beside = Path(os.path.realpath(table.parent)) if table else self.root
        self.near = [self.root, beside] if self.root in beside.parents else [self.root]
        self.inside = sorted(p for p in self.root.iterdir() if p.is_dir() and p.name[0] != ".")

    def find(self, name: str) -> Path:
        """The file that is meant. Raises NotThere for none, for several, and for one outside."""
        if "\0" in name:
            raise NotThere("missing", f"there is no file {name!r}")
        slashes = name.strip().replace("\\", "/")
        spellings = dict.fromkeys((name.strip(), slashes, re.sub(r"#\d+$", "", slashes)))
        if not PurePosixPath(slashes).suffix:
            spellings |= dict.fromkeys(slashes + ending for ending in ENDINGS)
        leads_out = False
        for path in (path for text in spellings for path in self.candidates(text)):
            file = Path(os.path.realpath(path))
            leads_out |= not file.is_relative_to(self.root)
            if file.is_relative_to(self.root) and os.path.isfile(file):
                return file
        if leads_out:
            raise NotThere("outside", f"{name} leads out of the folder")
        deeper = [folder / text for text in spellings for folder in self.inside]
        found = [Path(os.path.realpath(path)) for path in deeper if os.path.isfile(path)]
        if len(found) > 1:
            folders = ", ".join(file.parent.name for file in found)
            raise NotThere("missing", f"{name} is not there, but in several folders: {folders}")
        if not found or not found[0].is_relative_to(self.root):
            raise NotThere("missing", f"there is no file {name!r}")
        return found[0]

    def candidates(self, name: str) -> Iterator[Path]:
        """The paths that a name may stand for, the most literal first."""
        yield from (folder / name for folder in self.near)
        if name.startswith("~"):
            yield Path(os.path.expanduser(name))
        parts = PurePosixPath(name).parts
        for n in (n for n, part in enumerate(parts) if part == self.root.name):
            yield self.root.joinpath(*parts[n + 1 :])
