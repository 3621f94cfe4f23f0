"""Checks the links of everything that is written in Markdown: pages, chapters, cards, guides.

    python tools/links.py

A file that a link names must be there, and so must the heading or target after its #. Addresses
outside must be well formed; whether they answer is not asked. What themes and extensions put into
the built book is for tests/pages/test_site.py.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "book" / "_ext"))
from slugs import slug  # noqa: E402 (the book's own)

BOOK = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
DEPTH = BOOK["sphinx"]["config"]["myst_heading_anchors"]
READER = create_md_parser(
    MdParserConfig(enable_extensions=set(BOOK["parse"]["myst_enable_extensions"])), RendererHTML
)


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "*.md", "*.ipynb", ":!book/assets/vendor"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    pages = [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    broken = [
        f"{page.relative_to(ROOT).as_posix()}{where}: [{target}] {problem}."
        for page in pages
        for where, target in links(page)
        if (problem := problem_with(page, target))
    ]
    print("\n".join(broken), end="\n" if broken else "")
    return bool(broken)


def problem_with(page: Path, target: str) -> str | None:
    link = urlsplit(target)
    if link.scheme or link.netloc:
        whole = link.scheme in ("http", "https") and link.hostname and " " not in target
        return None if whole else "is no address of the web"
    path = (page.parent / unquote(link.path)).resolve() if link.path else page
    if not path.exists():
        return "leads to a file that is not there"
    anchor = unquote(link.fragment)
    if anchor and anchor not in anchors(path):
        return f"leads to a place that {path.name} does not have"
    return None


def texts(page: Path) -> Iterator[tuple[str, int, str]]:
    """Where a text stands, the number of the line before it, and the text."""
    content = page.read_text(encoding="utf-8")
    if page.suffix != ".ipynb":
        yield "", 0, content
        return
    for n, cell in enumerate(json.loads(content)["cells"], start=1):
        if cell["cell_type"] == "markdown":
            yield f", cell {n}", 0, "".join(cell["source"])


def tokens(page: Path) -> Iterator[tuple[str, Token]]:
    """Where → every block of a page, what stands in directives included."""
    todo = list(texts(page))
    while todo:
        where, before, text = todo.pop(0)
        for token in READER.parse(text):
            line = before + (token.map[0] if token.map else 0) + 1
            if token.type in ("fence", "colon_fence") and token.info.startswith("{"):
                todo.append((where, line, token.content))
            yield f"{where}:{line}", token


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Where → what each link and each picture of a page leads to."""
    for where, token in tokens(page):
        for child in token.children or ():
            target = child.attrs.get("href" if child.type == "link_open" else "src")
            if target:
                yield where, str(target)


@functools.cache
def anchors(page: Path) -> frozenset[str]:
    """What may stand after the # of a link to a page."""
    found: list[str] = []
    heading = False
    for _, token in tokens(page) if page.suffix in (".md", ".ipynb") else ():
        if token.type == "myst_target":
            found.append(token.content)
        elif heading:
            shown = ("text", "code_inline")
            title = "".join(c.content for c in token.children or () if c.type in shown)
            again = found.count(slug(title))
            found.append(f"{slug(title)}-{again}" if again else slug(title))
        heading = token.type == "heading_open" and int(token.tag[1:]) <= DEPTH
    return frozenset(found)


if __name__ == "__main__":
    sys.exit(main())
