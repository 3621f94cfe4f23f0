"""Every chapter keeps to the recipe: short, runnable, pictured, with exercises that can be solved.

That the stored outputs are true is shown elsewhere: `make test` runs every notebook under nbval.
"""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
import torch
import yaml
from nbconvert import PythonExporter, ScriptExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from classroom.exercises import ids, verdict
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = notebooks.chapters()


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem, scope="module")
def chapter(request):
    return request.param


@pytest.fixture(scope="module")
def nb(chapter):
    return notebooks.read(chapter)


def code_cells(nb):
    """The code cells that a reader sees: neither the setup line nor what asks for a guess."""
    code = (cell for cell in nb.cells[1:] if cell.cell_type == "code")
    return [cell for cell in code if not cell.source.startswith("predict(")]


def outputs(nb):
    return [output for cell in nb.cells for output in cell.get("outputs", [])]


def prose(cell) -> str:
    """The text of a markdown cell without code, formulas, and the marks of directives."""
    if cell.cell_type != "markdown":
        return ""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*\s*$", " ", cell.source, flags=re.M | re.S)
    text = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", " _ ", text, flags=re.S)
    return re.sub(r"^:{3,}.*$|^:\w+:.*$|^\(\S+\)=$", " ", text, flags=re.M)


def words(*cells) -> int:
    return sum(len(re.findall(r"\w+(?:['’-]\w+)*", prose(cell))) for cell in cells)


def has_picture(cell) -> bool:
    html = "".join("".join(o.get("data", {}).get("text/html", "")) for o in cell.get("outputs", []))
    drawn = any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
    placed = cell.cell_type == "markdown" and re.search(r"!\[|\{(figure|image)\}", cell.source)
    return bool(drawn or placed or "<svg" in html)


# The recipe's limits


def test_reading_takes_half_an_hour_at_most(nb):
    """At 150 words a minute: slower than a novel, since formulas and figures stand between."""
    assert words(*nb.cells) <= 30 * 150


def test_a_chapter_says_how_long_it_takes_and_what_it_needs(nb, chapter):
    """A line below the title. Text as above, and three seconds for a line of code."""
    title, line, *_ = nb.cells[1].source.split("\n\n")
    assert title.startswith(f"# {int(chapter.stem[:2])} · ")
    said = re.fullmatch(r"About (\d+) minutes\. You need (no other chapter|chapters? .+)\.", line)
    assert said, f"Below the title stands {line[:60]!r}, not how long the chapter takes."
    lines = sum(bool(line.strip()) for c in code_cells(nb) for line in c.source.splitlines())
    assert abs(int(said[1]) - words(*nb.cells) / 150 - lines / 20) <= 4
    needed = {int(number) for number in re.findall(r"\d+", said[2])}
    assert needed <= {int(path.stem[:2]) for path in CHAPTERS} - {int(chapter.stem[:2])}


def test_code_cells_are_short(nb):
    lengths = [sum(bool(line.strip()) for line in c.source.splitlines()) for c in code_cells(nb)]
    assert statistics.median(lengths) <= 10
    assert max(lengths) <= 25


def test_file_size(chapter):
    assert chapter.stat().st_size < 300_000


def test_a_picture_within_the_first_tenth(nb):
    first = next((i for i, cell in enumerate(nb.cells) if has_picture(cell)), None)
    assert first is not None, "The chapter has no picture."
    by_words = words(*nb.cells[:first]) / words(*nb.cells)
    assert min(by_words, first / len(nb.cells)) <= 0.1


@pytest.mark.parametrize("heading", ["Recap", "What the sources get wrong"])
def test_sections(nb, heading):
    found = re.findall(r"^#+ (.+)$", "\n".join(prose(cell) for cell in nb.cells), flags=re.M)
    assert any(text.lower().startswith(heading.lower()) for text in found), found


# What stands in the cells, of the page of questions as well


@pytest.fixture(params=[*CHAPTERS, notebooks.QUESTIONS], ids=lambda path: path.stem, scope="module")
def shown(request):
    return request.param


@pytest.fixture(scope="module")
def page(shown):
    return notebooks.read(shown)


def test_normal_form(shown):
    assert notebooks.is_normal(shown), "Run `make notebooks`."


def test_setup_cell_is_the_first_and_only_one(page):
    assert page.cells[0].source == notebooks.setup_line()
    assert page.cells[0].metadata.tags == ["remove-cell"]
    assert not any("google.colab" in cell.source for cell in page.cells[1:])


def test_outputs_are_stored_and_clean(page):
    assert page.metadata.get("cliplab"), "The notebook has never run: run `make notebooks`."
    assert any(cell.outputs for cell in code_cells(page))
    assert notebooks.complaints(page) == []


def test_it_is_a_script_as_well(page):
    """No cell fails, and none but the first asks IPython for anything, on Colab alone."""
    for cell in code_cells(page):
        assert not any(output.output_type == "error" for output in cell.outputs), cell.source
        assert "raises-exception" not in cell.metadata.get("tags", []), cell.source
    script, _ = PythonExporter().from_notebook_node(page)
    setup, *rest = [line for line in script.split("\n") if "get_ipython" in line]
    assert not rest
    exec(setup, {})
    compile(script, page.cells[0].id, "exec")


def test_no_trailing_semicolon(page):
    for cell in code_cells(page):
        assert not cell.source.rstrip().endswith(";"), cell.source


def test_no_html_in_markdown(page):
    for cell in page.cells:
        tag = re.search(r"<(?!https?:|mailto:)[a-zA-Z/!][^>\n]*>", prose(cell))
        assert tag is None, f"{tag[0]} in: {cell.source[:60]!r}"


def test_figures_have_alt_text(page):
    for output in outputs(page):
        html = "".join(output.get("data", {}).get("text/html", ""))
        beside = re.sub(r'<div class="cliplab-drawing".*?</div></div>', "", html)
        assert all('role="img"' in tag for tag in re.findall(r"<svg\b[^>]*>", beside))
        for tag in re.findall(r'<[^>]*role="img"[^>]*>', html):
            label = re.search(r'aria-label="([^"]*)"', tag)
            assert label, f"A drawing without aria-label: {tag[:80]}"
            assert label[1].endswith("."), f"The alt text is not a sentence: {label[1]!r}"
            assert len(label[1].split()) >= 6, f"The alt text says too little: {label[1]!r}"
        assert "image/png" not in output.get("data", {}), "A picture without alt text."


# Exercises


class Posed(NamedTuple):
    """An exercise as it stands in a notebook."""

    id: str
    cell: int
    answers: list[str]
    hint: str
    solution: str


def checks(cell) -> list[ast.Call]:
    """The calls `check("03.1", …)` at the top level of a code cell."""
    if cell.cell_type != "code":
        return []
    calls = [node.value for node in ast.parse(cell.source).body if isinstance(node, ast.Expr)]
    calls = [call for call in calls if isinstance(call, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", "") == "check"]


def dropdown(text: str, title: str) -> str:
    """The inside of the first `:::{dropdown} title` in the text; empty if there is none."""
    found = re.search(rf"^(:{{3,}})\{{dropdown\}} {title}.*?\n(.*?)^\1\s*$", text, re.M | re.S)
    return found[2] if found else ""


def posed(nb) -> list[Posed]:
    found = []
    starts = [i for i, cell in enumerate(nb.cells) if checks(cell)]
    for start, end in zip(starts, [*starts[1:], len(nb.cells)], strict=True):
        after = "\n".join(c.source for c in nb.cells[start:end] if c.cell_type == "markdown")
        solution = re.findall(r"^```python\n(.*?)^```", dropdown(after, "Solution"), re.M | re.S)
        for call in checks(nb.cells[start]):
            id, *answers = call.args
            answers = [ast.unparse(a) for a in answers]
            hint = dropdown(after, "Hint")
            found.append(Posed(id.value, start, answers, hint, "\n".join(solution)))
    return found


def test_at_least_three_exercises_with_hint_and_solution(nb, chapter):
    exercises = posed(nb)
    assert len(exercises) >= 3
    for exercise in exercises:
        assert exercise.id.startswith(chapter.stem[:2] + "."), exercise.id
        assert exercise.hint.strip(), f"{exercise.id} has no `:::{{dropdown}} Hint`."
        assert exercise.solution, f"{exercise.id} has no solution with a ```python block."


def test_stubs_are_stored_unsolved(nb):
    for exercise in posed(nb):
        said = "".join(output.get("text", "") for output in nb.cells[exercise.cell].outputs)
        assert said.startswith("Not yet: "), f"{exercise.id} says {said!r}"


def names(code: str, context: type) -> set[str]:
    """The names that code reads (ast.Load), or those that it binds or writes into (ast.Store)."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(getattr(node, "ctx", None), context):
            while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
                node = node.value
            found.add(getattr(node, "id", ""))
        elif context is ast.Store and isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif context is ast.Store and isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
    return found - {""}


def needed(cells: list[tuple[str, list[Posed]]]) -> list[tuple[str, list[Posed]]]:
    """Of cells with the exercises posed in them: those that the answers come from, in order."""
    kept, asked = [], set()
    for code, here in reversed(cells):
        if here or names(code, ast.Store) & asked:
            kept.append((code, here))
            answers = [answer for exercise in here for answer in exercise.answers]
            asked = asked.union(*(names(part, ast.Load) for part in (code, *answers)))
    return kept[::-1]


@torch.enable_grad()  # puts back what a chapter may have switched off
def test_every_solution_passes_its_check(nb, monkeypatch, capsys):
    """Runs what the answers come from, with each solution in the place of its stub.

    The rest of the chapter, pictures above all, runs once, under nbval.
    """
    from IPython.display import display

    monkeypatch.chdir(notebooks.CHAPTERS)
    exercises, cells = posed(nb), []
    for index, cell in enumerate(nb.cells[1:], start=1):
        here = [exercise for exercise in exercises if exercise.cell == index]
        if cell.cell_type == "code":
            cells.append(("\n".join(e.solution for e in here) or cell.source, here))
    space = {"__name__": "__main__", "display": display}
    for code, here in needed(cells):
        exec(compile(code, nb.cells[0].id, "exec"), space)
        for exercise in here:
            state, message = verdict(exercise.id, *[eval(a, space) for a in exercise.answers])
            assert state == "Correct", f"{exercise.id}: {message}"


def test_every_exercise_of_the_chapters_is_posed_once():
    stands = [exercise.id for path in CHAPTERS for exercise in posed(notebooks.read(path))]
    assert sorted(stands) == sorted(id for id in ids() if not id.startswith("A"))


# The machinery


def test_the_contents_list_every_chapter():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = re.findall(r"chapters/\w+", str(toc))
    assert CHAPTERS, "There are no chapters."
    assert sorted(listed) == [f"chapters/{path.stem}" for path in CHAPTERS]


def toy(value: int, drawing: str, label: str = "A strip of three slots, one filled."):
    """A notebook with one figure whose data table holds `value`."""
    html = f'<svg role="img" aria-label="{label}"><path d="{drawing}"/></svg><td>{value}</td>'
    code = f"from IPython.display import HTML\nHTML({html!r})"
    return new_notebook(cells=[new_markdown_cell("# Toy"), new_code_cell(code)])


def test_normal_form_does_not_depend_on_the_run():
    first = notebooks.normalize(toy(3, "M0 0"), "99")
    assert [cell.id for cell in first.cells] == ["99-001", "99-002", "99-003"]
    assert first.cells[0].source == notebooks.setup_line()
    assert notebooks.text(notebooks.normalize(first, "99")) == notebooks.text(first)
    again = toy(3, "M0 0")
    again.metadata["widgets"] = {"state": {"a1b2": {}}}
    again.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    assert notebooks.text(notebooks.normalize(again, "99")) == notebooks.text(first)


def test_complaints_name_the_cell():
    nb = toy(3, "M0 0")
    nb.cells[1].outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="Warning: old\n"),
        nbformat.v4.new_output("stream", name="stdout", text="<object at 0x7f0123456789>"),
        nbformat.v4.new_output("stream", name="stdout", text=f"saved in {ROOT}/chapters\n"),
    ]
    said = notebooks.complaints(nb)
    assert [line[:7] for line in said] == ["Cell 2 "] * 3
    assert "stderr" in said[0]
    assert "address 0x7f0123456789" in said[1]
    assert "path of this machine" in said[2]


def test_nbval_sees_what_matters(tmp_path):
    cases = {
        "drawing": ((3, "M0 0"), (3, "M9 9"), "PASSED"),  # it may differ: fonts do
        "table": ((3, "M0 0"), (4, "M0 0"), "FAILED"),
        "alt": ((3, "M0 0"), (3, "M0 0", "Something else."), "FAILED"),
    }
    for name, (stored, ran, _) in cases.items():
        nb = toy(*stored)
        notebooks.run(nb)
        nb.cells[1].source = toy(*ran).cells[1].source
        nbformat.write(nb, tmp_path / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "--nbval", "--nbval-current-env", tmp_path]
    command += ["--nbval-sanitize-with", ROOT / "tests" / "sanitize.cfg", "-p", "no:cacheprovider"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    for name, (_, _, ends) in cases.items():
        assert re.search(rf"^{ends} \S*\b{name}.ipynb::Cell 0", said, re.M), said


@pytest.mark.parametrize("path", sorted(ROOT.glob("assignments/*.ipynb")), ids=lambda p: p.stem)
def test_assignments_become_scripts(path):
    """With the name that Python wants, and a first cell that runs in plain Python."""
    script, resources = ScriptExporter().from_filename(str(path))
    assert resources["output_extension"] == ".py"
    compile(script, path.stem, "exec")
    exec(notebooks.read(path).cells[0].source, {})
