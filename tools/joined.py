"""The built book as one document, for tools/pdf.py.

Every page keeps its text. Its ids become unlike those of other pages, its links lead to where
things stand now, and what is folded in it goes to the end (tools/folded.py).
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from book._ext.not_found import home  # noqa: E402
from tools.folded import fold, text_of  # noqa: E402

STYLE = Path(__file__).with_name("pdf.css")
BOOK = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
HOME = home(BOOK["repository"]["url"])
REFERRING = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")
USELESS = "a.headerlink, script, noscript, .cld details, .toctree-wrapper"
END = "Hints, solutions, answers and tables"
DOCUMENT = """<!doctype html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title}</title>{head}<style>{style}</style></head>
<body><main class="bd-article bd-content">{body}</main></body>
</html>"""

Parts = Mapping[str, Sequence[str]]


def parts() -> Parts:
    """The table of contents: caption → names of pages. The first part is the landing page alone."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {"": [toc["root"]]} | {
        part["caption"]: [
            Path(chapter["file"]).with_suffix("").as_posix() for chapter in part["chapters"]
        ]
        for part in toc["parts"]
    }


def key(name: str) -> str:
    """What the ids of a page begin with, once all stand in one document."""
    return name.replace("/", "-")


class Course:
    """All pages as one document.

    site: the folder of the built book. parts: caption → names of pages, in their order. A part's
    caption is a heading above the titles of its pages; the part "" has none.
    """

    def __init__(self, site: Path, parts: Parts) -> None:
        self.parts = parts
        self.soups = {
            name: BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
            for names in parts.values()
            for name in names
        }
        for caption, names in parts.items():
            for name in names:
                self.prepare(name, deeper=bool(caption))

    def html(self) -> str:
        """The document."""
        body: list[str] = []
        end = [f'<h1 id="end">{END}</h1>']
        for caption, names in self.parts.items():
            body += [f"<h1>{caption}</h1>"] if caption else []
            for name in names:
                article = self.article(name)
                if entries := fold(article, key(name)):
                    end += [
                        f"<section><h2>{self.title(name)}</h2>",
                        *map(str, entries),
                        "</section>",
                    ]
                body.append(f'<section class="page" id="{key(name)}">{article}</section>')
            body += [] if caption else [self.contents()]
        style = STYLE.read_text(encoding="utf-8")
        text = "".join(body + end)
        return DOCUMENT.format(title=BOOK["title"], head=self.head(), style=style, body=text)

    def contents(self) -> str:
        """A line for every page, with room for its number."""
        line = '<p><a href="#{0}">{1}</a><span data-page="{0}"></span></p>'
        lines = ["<h1>Contents</h1>"]
        for caption, names in self.parts.items():
            if caption:
                lines.append(f"<p><b>{caption}</b></p>")
                lines += [line.format(key(name), self.title(name)) for name in names]
        lines.append(line.format("end", END))
        return f'<section class="page contents">{"".join(lines)}</section>'

    def head(self) -> str:
        """The styles of all pages, and MathJax with its settings if a page has formulas."""
        kept: dict[str, None] = {}
        for soup in self.soups.values():
            for element in soup.head.select('link[rel="stylesheet"], script'):
                if element.name == "link" or "mathjax" in str(element).lower():
                    kept[str(element)] = None
        return "".join(kept)

    def article(self, name: str) -> Tag:
        (article,) = self.soups[name].select("article.bd-article")
        return article

    def title(self, name: str) -> str:
        return text_of(self.article(name).select_one("h1, h2"))

    def prepare(self, name: str, deeper: bool) -> None:
        """Make a page fit to stand beside the others: no buttons, ids and links of its own."""
        article = self.article(name)
        for useless in article.select(USELESS):
            useless.decompose()
        for demo in article.select(".cld"):
            del demo.select_one(".cld-frame")["inert"]
            demo.select_one(".cld-still").string = "A live demo, as it opens. It runs on the site."
        for element in [*self.soups[name].head.find_all(True), *article.find_all(True)]:
            self.rename(element, name)
        for level in range(5 * deeper, 0, -1):
            for heading in article.find_all(f"h{level}"):
                heading.name = f"h{level + 1}"

    def rename(self, element: Tag, name: str) -> None:
        """The ids that an element has and names, and the addresses that it leads to."""
        for attribute, value in element.attrs.items():
            if attribute == "id":
                element["id"] = f"{key(name)}--{value}"
            elif attribute in REFERRING:
                ids = value if isinstance(value, list) else value.split()
                element[attribute] = " ".join(f"{key(name)}--{one}" for one in ids)
            elif attribute in ("href", "src", "xlink:href"):
                element[attribute] = self.address(value, name)
            elif isinstance(value, str) and "url(#" in value:
                element[attribute] = value.replace("url(#", f"url(#{key(name)}--")

    def address(self, link: str, name: str) -> str:
        """Where a link of that page leads now: to a place in here, a file, or the web."""
        parsed = urlsplit(link)
        if parsed.scheme or parsed.netloc:
            return link
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parsed.path)))
        page = path.removesuffix(".html") if parsed.path else name
        anchor = unquote(parsed.fragment)
        if page in self.soups:
            return f"#{key(page)}--{anchor}" if anchor else f"#{key(page)}"
        if path.startswith(("_static/", "_images/")):
            return f"/{path}"
        return HOME + path + (f"#{anchor}" if anchor else "")
