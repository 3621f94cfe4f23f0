"""A notebook as plain text, for `git diff`: what its cells hold and print, without pictures.

    git config diff.notebook.textconv "python3 tools/notebook_text.py"     once in a clone

After that `git diff` and `git log -p` show changed words and numbers. It needs Python alone.
"""

import json
import sys


def text(notebook: dict) -> str:
    """Cells one after another, each under a line with its id, kind and tags."""
    parts = []
    for number, cell in enumerate(notebook["cells"], start=1):
        tags = " ".join(cell["metadata"].get("tags", []))
        parts.append(f"%% {cell.get('id', number)} {cell['cell_type']} {tags}".rstrip())
        parts.append("".join(cell["source"]))
        parts += [shown(output) for output in cell.get("outputs", [])]
    return "\n".join(parts) + "\n"


def shown(output: dict) -> str:
    """What an output says; of a figure its description alone."""
    if output["output_type"] == "stream":
        said = "".join(output["text"])
    elif output["output_type"] == "error":
        said = f"{output['ename']}: {output['evalue']}"
    else:
        data = output["data"]
        said = "".join(data.get("text/plain", "")) or f"({', '.join(sorted(data))})"
    return "\n".join(f"> {line}" for line in said.splitlines())


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(text(json.load(file)))
