"""Runs the notebooks, stores their outputs, and writes them in one normal form.

    python tools/notebooks.py               run all that the site shows (what `make notebooks` does)
    python tools/notebooks.py 03 05         run chapters 03 and 05
    python tools/notebooks.py questions     run the page of what people ask
    python tools/notebooks.py a1            run the master of assignment 1
    python tools/notebooks.py --check       run nothing; say which of them are not in normal form

Normal form: cell ids 03-001, 03-002, …; execution counts in order; no timings, no kernel of this
machine, no colors in error messages; the setup cell first, except in masters. A second run
leaves the same bytes. The stamp in `metadata.cliplab` (day, seconds, versions) moves only when
something else did.
"""

from __future__ import annotations

import argparse
import copy
import datetime
import importlib.metadata
import os
import platform
import re
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS, MASTERS = ROOT / "chapters", ROOT / "coursework"
QUESTIONS = ROOT / "book" / "questions.ipynb"
PACKAGES = ("cliplab", "torch", "transformers", "diffusers", "matplotlib")
# What hides code in JupyterLab and on Colab, what hides a result there; tags are for the site.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}
SETUP = {"tags": ["remove-cell"], **FOLDED}
ANSWER = {"jupyter": {"outputs_hidden": True}, "collapsed": True}
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}


def chapters() -> list[Path]:
    """Paths of the chapters, in order."""
    return sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))


def notebooks(names: list[str] = ()) -> list[Path]:
    """Paths of what the site shows, chapters and questions; or of what is named, masters too."""
    shown = [*chapters(), QUESTIONS]
    known = {short(path): path for path in [*shown, *sorted(MASTERS.glob("0*.ipynb"))]}
    for name in names:
        if name not in known:
            sys.exit(f"There is no notebook {name!r}. Those that exist: {', '.join(known)}.")
    return [known[name] for name in names] or shown


def short(path: Path) -> str:
    """A notebook's name in commands and cell ids: "03" a chapter, "a1" a master, "questions"."""
    if path.parent.name == MASTERS.name:
        return f"a{int(path.stem[:2])}"
    return path.stem[:2] if path.stem[:2].isdigit() else path.stem


def read(path: Path) -> nbformat.NotebookNode:
    """The notebook in that file, as version 4.5 (cells have ids)."""
    nb = nbformat.read(path, as_version=4)
    nb.nbformat_minor = 5
    return nb


def text(nb: nbformat.NotebookNode) -> str:
    """The bytes-to-be of a notebook file."""
    return nbformat.writes(nb).rstrip() + "\n"


def setup_line() -> str:
    """The one line of the first cell: on Colab it installs the package, elsewhere nothing."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    package = f"cliplab[notebooks] @ git+{config['repository']['url']}"
    return (
        'if "google.colab" in __import__("sys").modules: '
        f"""get_ipython().run_line_magic("pip", "install -q '{package}'")"""
    )


def normalize(nb: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """A copy in normal form; `name` as `short` gives it. A second time changes nothing."""
    nb = copy.deepcopy(nb)
    on_site = not re.fullmatch(r"a\d+", name)  # masters stay at home
    first = nb.cells[0] if nb.cells else None
    if on_site and not (first and first.cell_type == "code" and "get_ipython()" in first.source):
        nb.cells.insert(0, nbformat.v4.new_code_cell())
    if on_site:
        nb.cells[0].source = setup_line()

    count = 0
    for number, cell in enumerate(nb.cells, start=1):
        cell.id = f"{name}-{number:03d}"
        cell.source = cell.source.rstrip()
        tags = cell.metadata.get("tags", [])
        if cell.source.startswith("check(") and "check" not in tags:
            tags = [*tags, "check"]  # by which the pages know it
        # Pages lead to the stubs on Colab, which finds a cell by the id in its metadata.
        follows = nb.cells[number].source if number < len(nb.cells) else ""
        named = {"id": cell.id} if on_site and follows.startswith("check(") else {}
        asks = cell.source.startswith("predict(")
        if asks and "remove-input" not in tags:
            tags = [*tags, "remove-input"]
        folds = FOLDED if asks else ANSWER if "answer" in tags else {}
        cell.metadata = nbformat.from_dict(({"tags": tags} if tags else {}) | folds | named)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                normalize_output(output, count)
    if on_site:
        nb.cells[0].metadata = nbformat.from_dict(SETUP)
    stamp = nb.metadata.get("cliplab")
    nb.metadata = nbformat.from_dict(NOTEBOOK_METADATA | ({"cliplab": stamp} if stamp else {}))
    return nb


def normalize_output(output: nbformat.NotebookNode, count: int) -> None:
    """Takes from one output, in place, what differs between two runs or two machines."""
    if "metadata" in output:
        output.metadata = {}
    if output.output_type == "execute_result":
        output.execution_count = count
    if output.output_type == "error":  # the page shows what was said, not the way there
        output.traceback = [f"{output.ename}: {output.evalue}"]


def complaints(nb: nbformat.NotebookNode) -> list[str]:
    """What may not stand in a notebook's outputs, one sentence each."""
    found = []
    for number, cell in enumerate(nb.cells, start=1):
        for output in cell.get("outputs", []):
            said = str(output.get("text", output.get("data", "")))
            if output.output_type == "stream" and output.name == "stderr":
                found.append(
                    f"Cell {number} writes to stderr: {said.strip()[:200]!r}. Catch the warning, "
                    "or show it on purpose with print."
                )
            if address := re.search(r"0x[0-9a-f]{8,}", said):
                found.append(
                    f"Cell {number} shows the address {address[0]}, which is another on every run. "
                    "Show a value, or give the object a repr."
                )
            if str(ROOT) in said or str(Path.home()) + os.sep in said:
                found.append(f"Cell {number} shows a path of this machine. Show a relative one.")
    return found


def run(nb: nbformat.NotebookNode, folder: Path = CHAPTERS) -> float:
    """Executes the notebook in place, in a kernel of its own; returns the seconds it took."""
    os.environ["OMP_NUM_THREADS"] = "1"
    client = NotebookClient(
        nb,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    start = time.perf_counter()
    client.execute()
    return time.perf_counter() - start


def stamp(seconds: float) -> dict:
    """When, how long and with which versions a notebook ran."""
    return {
        "ran": datetime.date.today().isoformat(),
        "seconds": round(seconds, 1),
        "python": platform.python_version(),
        "versions": {p: importlib.metadata.version(p).partition("+")[0] for p in PACKAGES},
    }


def refresh(path: Path) -> str:
    """Runs one notebook and writes it; returns what happened in a few words."""
    old, name = read(path), short(path)
    new = normalize(old, name)
    seconds = run(new, path.parent)
    new = normalize(new, name)
    if problems := complaints(new):
        raise ValueError(" ".join(problems))
    now, before = stamp(seconds), old.metadata.get("cliplab", {})
    same_tools = all(now[key] == before.get(key) for key in ("python", "versions"))
    new.metadata["cliplab"] = before
    if same_tools and text(new) == path.read_text(encoding="utf-8"):
        return f"{seconds:.1f} s, unchanged"
    new.metadata["cliplab"] = now
    path.write_text(text(new), encoding="utf-8")
    return f"{seconds:.1f} s, written"


def is_normal(path: Path) -> bool:
    """Whether the file is, byte for byte, what `make notebooks` would write for its contents."""
    return text(normalize(read(path), short(path))) == path.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="03, questions, a1, …; default: all but masters")
    parser.add_argument("--check", action="store_true", help="run nothing, only check the form")
    args = parser.parse_args()
    failed = 0
    for path in notebooks(args.names):
        if args.check:
            if not is_normal(path):
                failed += 1
                print(f"{path.name} is not in normal form: run `make notebooks`.")
            continue
        try:
            print(f"{path.name}: {refresh(path)}", flush=True)
        except (CellExecutionError, CellTimeoutError, ValueError) as error:
            failed += 1
            print(f"{path.name} was left as it was. {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
