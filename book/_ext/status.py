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
    def run(self):
        lines = ["| Chapter | Last run | Seconds | Python | Versions |", "|---|---|--:|---|---|"]
        for docname in sorted(self.env.found_docs):
            path = Path(self.env.doc2path(docname))
            if path.suffix == ".ipynb":
                self.env.note_dependency(str(path))
                lines.append(self.row(f"/{docname}.ipynb", *status_of(path)))
        return self.parse_text_to_nodes("\n".join(lines))

    @staticmethod
    def row(link, title, facts):
        if facts is None:
            return f"| [{title}]({link}) | not recorded | | | |"
        versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
        day = facts["ran"].replace("-", "\N{NON-BREAKING HYPHEN}")
        cells = (f"[{title}]({link})", day, facts["seconds"], facts["python"], versions)
        return f"| {' | '.join(map(str, cells))} |"


def setup(app):
    app.add_directive("notebook-status", NotebookStatus)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
