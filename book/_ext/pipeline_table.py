"""The directive `{pipeline-table}`: what pipelines do with a prompt, as one table.

The cells are in `book/pipelines.json`, which `tools/pipelines.py` writes. A cell is text, or a list
of lines where several encoders have one each.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from wide_table import code, wide_table

STORED = Path(__file__).parent.parent / "pipelines.json"
PLACEHOLDER = "the prompt"  # stands between what is read before a prompt and after it
SHORT = 60  # characters around a prompt that are shown without being opened


class PipelineTable(SphinxDirective):
    def run(self):
        self.env.note_dependency(str(STORED))
        stored = json.loads(STORED.read_text(encoding="utf-8"))
        rows = map(row, stored["pipelines"].values())
        heads = map(escape, COLUMNS)
        html = wide_table("Table of pipelines", heads, rows, stored["versions"])
        return [nodes.raw("", html, format="html")]


def row(cells):
    kind = re.sub("(?<=[a-z0-9])(?=[A-Z])", "<wbr>", cells["pipeline"])
    head = f"<b>{escape(cells['title'])}</b> <code>{kind}</code>"
    made = (lines(cell(cells)) + read(cells["as read"].get(name)) for name, cell in CELLS.items())
    return head, made


def lines(cell):
    return cell if isinstance(cell, str) else "".join(f"<div>{line}</div>" for line in cell)


def read(note):
    """What was read and not run says so, in words and in another type."""
    return f'<div class="as-read"><b>Read, not run:</b> {escape(note)}</div>' if note else ""


def of_each(cells, by_encoder):
    """A line for each encoder, with its number where there are several."""
    several = len(cells["encoders"]) > 1
    numbers = {name: f"{n}: " for n, name in enumerate(cells["encoders"], 1)}
    return [(numbers[name] if several else "") + line for name, line in by_encoder]


def encoders(cells):
    return of_each(cells, ((name, code(kind)) for name, kind in cells["encoders"].items()))


def states(cells):
    return of_each(cells, ((one["encoder"], state(one["state"])) for one in cells["taken"]))


def state(name):
    name, _, norm = name.partition(", ")
    return code(name) + (f", {norm}" if norm else "")


def template(cells):
    return of_each(cells, ((name, around(*both)) for name, both in cells["template"].items()))


def around(before, after):
    mark = f"<i>{PLACEHOLDER}</i>"
    whole = f"{code(before) if before else ''} {mark} {code(after) if after else ''}".strip()
    if not before + after:
        return "nothing"
    if len(before + after) <= SHORT:
        return whole.replace("\n", "↵")
    summary = f"{len(before)} characters before, {len(after)} after"
    return f"<details><summary>{summary}</summary>{whole}</details>"


def rows_taken(cells):
    """Which of an encoder's rows stand in the context of “a dog”, and what else stands there."""
    found = {}
    for one in cells["taken"]:
        found.setdefault(one["encoder"], one["rows"])
    made = of_each(cells, ((name, kept(cells, name, rows)) for name, rows in found.items()))
    zeros = cells["rows of zeros"]
    return [f"{cells['rows'][0]} rows", *made, *([f"{zeros} rows of zeros"] if zeros else [])]


def kept(cells, encoder, rows):
    read = cells["padding"][encoder]["ids"]
    stretches = [stretch for _, stretch in rows]
    if stretches == [[0, read]]:
        return f"all {read} of its rows"
    spans = (str(a) if b == a + 1 else f"{a}–{b - 1}" for a, b in stretches)
    return f"of its rows 0–{read - 1}: {' and '.join(spans)}"


def padding(cells):
    def line(pad):
        if pad["side"] == "none":
            return "none"
        id = "" if pad["id"] is None else f", id {pad['id']}"
        return f"{pad['side']}, {code(pad['token'])}{id}"

    return of_each(cells, ((name, line(pad)) for name, pad in cells["padding"].items()))


def told(cells):
    says = {"none": "seen: no mask", "all ones": "seen: all ones", "hides padding": "hidden"}

    def line(pad):
        return "none to see" if pad["side"] == "none" else says[pad["mask"]]

    return of_each(cells, ((name, line(pad)) for name, pad in cells["padding"].items()))


def handed_on(cells):
    seen = cells["rows seen in the mask handed on"]
    return "no mask" if seen == "none" else f"{seen} of {cells['rows'][0]} rows"


def pooled(cells):
    if cells["pooled"] == "none":
        return "none"
    vectors = (one.split(" of ") for one in cells["pooled"].split(" and "))
    return of_each(cells, ((name, code(kind)) for kind, name in vectors))


def negative(given):
    def cell(cells):
        text = cells["negative"][given]
        stops = text.split(":")[0].endswith("Error")
        return f"stops: {code(text)}" if stops else escape(text)

    return cell


def order(cells):
    """One order for everything, or one for each of what encode_prompt returns."""
    got = cells["two prompts × two pictures"]
    if isinstance(got, str):
        return escape(got)
    if len({*got.values()}) == 1:
        return escape(next(iter(got.values())))
    return [escape(f"{name}: {each}") for name, each in got.items()]


def list_after(cells):
    return "left alone" if cells["list left alone"] else "written into"


def apostrophes(cells):
    return "left alone" if all(cells["apostrophes left alone"].values()) else "changed"


def denoising(cells):
    call = cells["denoising call"]
    if call == "not run":
        return '<i class="not-run">not run</i>'
    return [f"reads {call['rows read']} of {call['rows']} rows", f"× 1.5 is {call['rows × 1.5']}"]


# Names of cells as they are stored, which a note "as read" refers to, and what makes their text
CELLS = {
    "encoders": encoders,
    "taken": states,
    "template": template,
    "rows": rows_taken,
    "rows of a long prompt": lambda cells: str(cells["rows of a long prompt"]),
    "padding": padding,
    "mask": told,
    "rows seen in the mask handed on": handed_on,
    "pooled": pooled,
    "None": negative("None"),
    "''": negative("''"),
    "two prompts × two pictures": order,
    "list left alone": list_after,
    "apostrophes left alone": apostrophes,
    "denoising call": denoising,
}
COLUMNS = [
    "Pipeline", "Encoders", "State taken", "Read around the prompt", "Rows for “a dog”",
    "Rows, at most", "Padding", "Padding, for the encoder", "Mask handed on", "Pooled",
    "Negative prompt None", "Negative prompt ''", "Two prompts × two pictures",
    "The caller's list", "Apostrophes", "Denoising call",
]  # fmt: skip


def setup(app):
    app.add_directive("pipeline-table", PipelineTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
