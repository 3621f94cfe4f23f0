"""Essays: their text in what was handed in, and a page for each exercise on which they are read.

The page has the model answer, which students must not see, and every essay, under the name or
under the code by which `marks.csv` calls its writer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

from ..master import Cell, Master
from . import shown
from .marks import FILE, written_in
from .result import Result
from .submission import SubmittedCell

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ max-width: 45rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif; }}
  pre {{ white-space: pre-wrap; font: inherit; border-left: 4px solid #888; padding-left: 1rem; }}
  h2 {{ margin-top: 2.5rem; font-size: 1.1rem; }}
</style>
<h1>{title}</h1>
<p>{about}</p>
{parts}
</html>
"""


def text_of(cells: Sequence[SubmittedCell], essay: Cell, master: Master) -> str | None:
    """A student's essay: its cell, and the cells that were added below. None if there is none.

    Where tags are gone, it is what was written below the heading of the exercise.
    """
    given = {" ".join(cell.source.split()) for cell in master.cells if cell.kind != "essay"}
    tag = f"essay:{essay.id}:"  # in some formats without the points
    heading = re.compile(rf"^## {re.escape(essay.id)}\b", re.M)
    tagged = [n for n, c in enumerate(cells) if any(f"{t}:".startswith(tag) for t in c.tags)]
    found: list[str] = []
    begins = tagged or [n for n, c in enumerate(cells) if heading.search(c.source)][:1]
    for begin in begins:
        for n in range(begin, len(cells)):
            known = n not in tagged and " ".join(cells[n].source.split()) in given
            if n > begin and (cells[n].code or known or n in tagged):
                break
            if not known:
                found.append(cells[n].source)
    return shown.readable("\n\n".join(found), 20_000) if found else None


def page(essay: Cell, results: Iterable[Result], names: Mapping[str, str], master: Master) -> str:
    """The page of one essay. names: how each student is called on it, which is the order too."""
    parts = [_part("Model answer", "\n".join(essay.solution), "for you alone")]
    empty, lost = [], []
    for result in sorted(results, key=lambda result: names[result["student"]]):
        entry = next(entry for entry in result["essays"] if entry["id"] == essay.id)
        name, text = names[result["student"]], entry["text"]
        if text is None:
            lost.append(name)
        elif not written_in(text, master, essay.id):
            empty.append(name)
        else:
            has = "" if entry["points"] is None else f"{entry['points']} of {essay.points} points"
            comment = result["comments"].get(essay.id, "")
            parts.append(_part(name, text, " · ".join(filter(None, [has, comment]))))
    for what, few in (("Nothing written: 0 points", empty), ("No cell of it found", lost)):
        if few:
            parts.append(f"<h2>{what}</h2>\n<p>{html.escape(', '.join(few))}</p>")
    about = (
        f"Assignment {master.number}, {master.title}. {essay.points} points. Write marks and "
        f"comments into {FILE}, in the rows of {essay.id}; the next run of the command adds them."
    )
    title = f"Essay {essay.id}"
    return PAGE.format(title=title, about=html.escape(about), parts="\n".join(parts))


def _part(name: str, text: str, note: str) -> str:
    note = f" <small>({html.escape(note)})</small>" if note else ""
    return f"<h2>{html.escape(name)}{note}</h2>\n<pre>{html.escape(text)}</pre>"
