"""The directive `{weights-table}`: what tools make of one prompt, as one table.

The cells are in `book/weights_elsewhere.json`, which `tools/weights_elsewhere.py` writes. A cell
says how it was found: run, read, or not run. What was run is a list of [text, weight], or a text.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from wide_table import code, wide_table

STORED = Path(__file__).parent.parent / "weights_elsewhere.json"


class WeightsTable(SphinxDirective):
    def run(self):
        self.env.note_dependency(str(STORED))
        stored = json.loads(STORED.read_text(encoding="utf-8"))
        prompts = stored["prompts"]
        heads = ["Tool", "1.3 in its own notation", *map(code, prompts.values()), *LAST]
        rows = (row(tool, prompts) for tool in stored["tools"].values())
        html = wide_table("Table of tools", heads, rows, stored["versions"])
        return [nodes.raw("", html, format="html")]


LAST = ["What a weight does to the rows", "Rows of “a cat on a mat”", "Run or read in"]


def row(tool, prompts):
    package = f" {code(tool['package'])}" if tool["package"] else ""
    cells = [
        marked(cell, own if name == "own" else text, tool["own"], prompts.get(name))
        for name, cell in tool["cells"].items()
    ]
    where = tool["read in"] or "the package itself"
    title = re.sub("(?<=[_;=])", "<wbr>", tool["title"])  # where a narrow column may break it
    return f"<b>{title}</b>{package}", [*cells, escape(where)]


def marked(cell, say, *of):
    """A cell, with a mark if it was read, and in words if it was neither read nor run."""
    ((how, found),) = cell.items()
    if how == "not run":
        return '<i class="not-run">not run</i>'
    html = say(found, *of)
    return html if how == "run" else f'<div class="as-read"><b>Read:</b> {html}</div>'


def own(found, notation, prompt):
    """How the tool says a weight of 1.3, and which one it then reads."""
    if isinstance(found, str):
        return escape(found)
    weights = [f"{weight:.4g}" for _, weight in found if weight != 1]
    read = "" if weights == ["1.3"] else f"<div>reads {' and '.join(weights)}</div>"
    return code(notation) + read


def text(found, notation, prompt):
    """What the tool reads: a line for each fragment, with its weight unless that is 1."""
    if isinstance(found, str):
        return "unchanged" if found == prompt else code(found) if prompt else escape(found)
    return "".join(f"<div>{fragment(one)}</div>" for one in found)


def fragment(one):
    if isinstance(one, str):
        return f"<i>{escape(one)}</i>"
    words, weight = one
    return code(words.strip()) + ("" if weight == 1 else f" × {weight:.4g}")


def setup(app):
    app.add_directive("weights-table", WeightsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
