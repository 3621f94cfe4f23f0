"""Checks the spelling of the course's prose: American English, and the words of tools/words.txt.

    python tools/spelling.py

Prose is what people read: pages, chapters, assignments, quizzes, and the docstrings of the
packages. Code in backticks, formulas, addresses and names of files are left out.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator

from node import ROOT, require_node, run

OUT = ROOT / "_build" / "spelling"
WORDS = ROOT / "tools" / "words.txt"  # one a line: the field's terms, and names
# Names and texts of others; the page of errata quotes the sources' misprints.
NOT_OURS = ("LICENSE", "book/assets/", "book/errata.md", "cliplab/assets/emoji/licenses/")
NO_PROSE = re.compile(
    r"```.*?```|~~~.*?~~~|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$|https?://\S+|<[^>\n]+>|\{[^}\n]*\}",
    re.DOTALL,
)


def main() -> int:
    require_node("the spelling is")
    for old in OUT.rglob("*.txt"):
        old.unlink()
    for name, text in prose():
        path = OUT / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = {
        "version": "0.2",
        "language": "en-US",
        "dictionaryDefinitions": [{"name": "course", "path": str(WORDS)}],
        "dictionaries": ["course", "python", "softwareTerms", "companies"],
    }
    (OUT / "cspell.json").write_text(json.dumps(config), encoding="utf-8")
    where = ["--config", str(OUT / "cspell.json"), "--root", str(OUT)]
    known = ["--cache", "--cache-strategy", "content", "--cache-location", str(OUT / ".cache")]
    return run("cspell", "lint", "--no-progress", "--no-summary", *known, *where, "**/*.txt")


def prose() -> Iterator[tuple[str, str]]:
    """Name of a file → what of it is prose, line for line where it stood if it is Markdown."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if name.startswith(NOT_OURS) or not path.is_file():
            continue
        if path.suffix == ".md":
            yield name, without_code(path.read_text(encoding="utf-8"))
        elif path.suffix == ".ipynb":
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            markdown = ("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
            yield name, without_code("\n\n".join(markdown))
        elif name.startswith("classroom/quizzes/") and path.suffix == ".json":
            yield name, without_code(path.read_text(encoding="utf-8"))
        elif name.startswith(("cliplab/", "classroom/")) and path.suffix == ".py":
            yield name, without_code("\n".join(docstrings(path.read_text(encoding="utf-8"))))


def without_code(text: str) -> str:
    """The text with code, formulas and addresses taken out, and its lines where they were."""
    return NO_PROSE.sub(lambda found: "\n" * found[0].count("\n") or " ", text)


def docstrings(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield ast.get_docstring(node) or ""


if __name__ == "__main__":
    sys.exit(main())
