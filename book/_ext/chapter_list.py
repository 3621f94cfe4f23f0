"""The directive `{chapter-list}`: every chapter with its time, what it needs, and its beginning.

All of it stands in the chapter's first cell of text:

    # 3 · From text to tokens

    About 25 minutes. You need chapter 1.

    A text encoder sees no letters. …

The time is that of reading, text and code; tests/test_notebooks.py holds each line to it.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import yaml
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
TIME = re.compile(r"About (?P<minutes>\d+) minutes\. (?P<needs>You need .+\.)")


class Chapter(NamedTuple):
    """What the first cell says. minutes: to read; needs: a sentence."""

    docname: str
    title: str
    minutes: int
    needs: str
    beginning: str

    @property
    def number(self):
        return self.title.partition(" ")[0]


def chapters(root=ROOT):
    """Every chapter of the table of contents, in its order."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [
        one["file"].removesuffix(".ipynb") for part in toc["parts"] for one in part["chapters"]
    ]
    return [read(root, file) for file in files if file.startswith("chapters/")]


def read(root, docname):
    notebook = json.loads((root / f"{docname}.ipynb").read_text(encoding="utf-8"))
    texts = ("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
    title, line, beginning, *_ = (" ".join(part.split()) for part in next(texts).split("\n\n"))
    said = TIME.fullmatch(line)
    if said is None:
        raise ExtensionError(
            f"{docname}: below the title stands {line!r}, and not how long the chapter takes and "
            "what it needs: “About 25 minutes. You need chapters 3 and 6.”"
        )
    minutes, needs = int(said["minutes"]), said["needs"]
    return Chapter(docname, title.removeprefix("# "), minutes, needs, beginning)


class ChapterList(SphinxDirective):
    def run(self):
        found = chapters()
        self.links = {one.number: f"/{one.docname}.ipynb" for one in found}
        hours = round(sum(one.minutes for one in found) / 60)
        lines = [f"{len(found)} chapters, about {hours} hours of reading.", "", "{.index}"]
        for chapter in found:
            self.env.note_dependency(str(ROOT / f"{chapter.docname}.ipynb"))
            lines += self.entry(chapter)
        return self.parse_text_to_nodes("\n".join(lines))

    def entry(self, chapter):
        """The lines of one chapter in a definition list; numbers of other chapters are links."""
        needs = re.sub(r"\b\d+\b", lambda n: f"[{n[0]}]({self.links[n[0]]})", chapter.needs)
        beginning = re.sub(r"\]\((\d\d_\w+\.ipynb)", r"](/chapters/\1", chapter.beginning)
        return [
            f"[{chapter.title}](/{chapter.docname}.ipynb)",
            f": {beginning}",
            "",
            f"  About {chapter.minutes} minutes. {needs}",
            "",
        ]


def setup(app):
    app.add_directive("chapter-list", ChapterList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
