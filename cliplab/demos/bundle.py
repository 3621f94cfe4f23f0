"""One ES module from a demo and the shared files that it imports, for a page and for a notebook.

anywidget loads a module from text, where relative imports lead nowhere. So the imported files are
put before the demo, once each, with their `import` lines and the word `export` taken away. Names
at their top level must therefore differ, which the tests see to.
"""

from __future__ import annotations

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def modules(path: Path) -> list[Path]:
    """The file and everything that it imports, each after what it needs itself."""
    found = []

    def visit(one: Path) -> None:
        if one not in found:
            for name in _IMPORT.findall(one.read_text(encoding="utf-8")):
                visit((one.parent / name).resolve())
            found.append(one)

    visit(path.resolve())
    return found


def bundle(path: Path) -> str:
    """The text of one module that imports nothing."""
    texts = (one.read_text(encoding="utf-8") for one in modules(path))
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)
