"""The directive `{notebook-status}`: when, how long and with what each chapter last ran.

The facts stand in each notebook's metadata, where `tools/notebooks.py` wrote them after the run:
`{"cliplab": {"ran": "2026-11-21", "seconds": 4.2, "python": "3.11.7", "versions": {…}}}`.
"""

import json
from pathlib import Path

from sphinx.util.docutils import SphinxDirective


def status_of(path):
    """(title, facts) of a notebook; facts is None where it was never run by the tool."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    prose = ("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")
    title = next(line[2:] for text in prose for line in text.splitlines() if line.startswith("# "))
    return title, notebook["metadata"].get("cliplab")


class NotebookStatus(SphinxDirective):
    """A table for each set of versions that notebooks ran with; as a rule there is one."""

    def run(self):
        tables = {}
        for docname in sorted(self.env.found_docs):
            path = Path(self.env.doc2path(docname))
            # An assignment is handed out unsolved, so there is no run of it.
            if path.suffix == ".ipynb" and not docname.startswith("assignments/"):
                self.env.note_dependency(str(path))
                title, facts = status_of(path)
                tables.setdefault(run_with(facts), []).append(
                    row(f"[{title}](/{docname}.ipynb)", facts)
                )
        head = ["| Chapter | Last run | Seconds |", "|---|---|--:|"]
        parts = ([with_what, "", *head, *rows, ""] for with_what, rows in tables.items())
        return self.parse_text_to_nodes("\n".join(line for part in parts for line in part))


def run_with(facts):
    if facts is None:
        return "No run is recorded of:"
    versions = {"Python": facts["python"], **facts["versions"]}
    return f"Run with {', '.join(f'{name} {version}' for name, version in versions.items())}:"


def row(link, facts):
    day = facts["ran"].replace("-", "\N{NON-BREAKING HYPHEN}") if facts else ""
    return f"| {link} | {day} | {facts['seconds'] if facts else ''} |"


def setup(app):
    app.add_directive("notebook-status", NotebookStatus)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
