"""The equation index: from each equation of the lecture to its code, its test and its page.

Nothing is imported. The package's docstrings ("Lecture eqs 32–35"), the tests' marks
(`@pytest.mark.equation(32, 33)`) and the chapters' prose ("Lecture eq. 34") are read as text, so
the index says what the sources say; `tests/test_equations.py` fails when one of them is missing.
"""

import ast
import json
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
ROOFS = {"plots", "demos"}  # they picture an equation or ask for it; none owns one

NOTATION = range(1, 6)  # the lecture's preliminaries: a page and a test, but no class to own them
ABSENT = {19}  # the text at hand has lost this formula with its number

PARTS = {
    "Notation": {
        1: "Vector as a column of components",
        2: "Standard inner product",
        3: "Matrix and its entries",
        4: "Transpose of a matrix",
        5: "Transpose of a vector",
    },
    "What the text encoder receives": {
        6: "Sizes in Stable Diffusion 1.5: 77 ids in, 77 × 768 numbers out",
        7: "Length normalization to 77",
        8: "PAD mask: from ids to zeros and ones",
        9: "PAD mask: its name $a$",
        10: "PAD mask: by the value of the token",
    },
    "Prompt weighting": {
        11: "Text encoder: from a token sequence to a context",
        12: "Prompt weighting: a map for each subset of positions",
        13: "Prompt weighting: row by row",
        14: "Weight as a factor",
        15: "Automatic1111: parentheses",
        16: "Automatic1111: explicit weight",
        17: "Compel: plus signs",
        18: "Compel: explicit weight",
        20: "Compel: down-weighting",
    },
    "The encoder": {
        21: "Embedding: its table",
        22: "Embedding: from ids to rows",
        23: "Embedding: row $i$ is the table's row $t_i$",
        24: "LayerNorm: $\\gamma$ and $\\beta$",
        25: "LayerNorm: mean and variance of a row",
        26: "LayerNorm: the normalized row",
        27: "QuickGELU",
        28: "Softmax along the first axis: columns sum to 1",
        29: "Softmax along the second axis: rows sum to 1",
        30: "Attention: its parameters",
        31: "Attention: queries, keys, values",
        32: "Attention: scores",
        33: "Attention: the mask applied",
        34: "Attention: weighted sum of the values",
        35: "Attention: heads side by side, then $W_O$",
        36: "MLP: its parameters",
        37: "MLP: into the wider space",
        38: "MLP: QuickGELU",
        39: "MLP: back to the width",
        40: "Encoder layer: its parameters",
        41: "Encoder layer: first LayerNorm",
        42: "Encoder layer: attention",
        43: "Encoder layer: first residual, second LayerNorm",
        44: "Encoder layer: MLP, second residual",
        45: "Encoder: its parameters",
        46: "Encoder: its input",
        47: "Encoder: layer after layer",
        48: "Encoder: the final LayerNorm",
        49: "Text embeddings: tokens",
        50: "Text embeddings: positions",
        51: "Text embeddings: their sum",
        52: "The seven sizes of the text encoder",
        53: "All its parameters",
        54: "Its input, $X_0$",
        55: "Causal mask",
        56: "PAD mask as a matrix",
        57: "The product of the two masks",
        58: "Its output, $X_N$",
        59: "Text model: from ids to context",
    },
    "Training": {
        60: "Unit vectors of texts and images",
        61: "Similarity matrix",
        62: "Loss from text to image",
        63: "Loss from image to text",
        64: "CLIP's symmetric loss",
    },
}


class Place(NamedTuple):
    """Where something stands: its name, its file from the root of the repository, its line."""

    name: str
    file: str
    line: int


def address(place, config):
    """Where a place stands on the web, in the book's repository."""
    theme = config.html_theme_options
    files = f"{theme['repository_url']}/blob/{theme['repository_branch']}"
    return f"{files}/{place.file}#L{place.line}"


class Page(NamedTuple):
    """A chapter that mentions an equation, by its number and its document name."""

    number: str
    docname: str


def numbers_in(text):
    """The equation numbers of a text: "Lecture eqs 7–9, 55" -> {7, 8, 9, 55}."""
    found = set()
    item = r"\d+(?:[–-]\d+)?"
    for listed in re.findall(rf"Lecture\s+eqs?\.?\s+({item}(?:(?:,\s*|\s+and\s+){item})*)", text):
        for first, last in re.findall(r"(\d+)(?:[–-](\d+))?", listed):
            found.update(range(int(first), int(last or first) + 1))
    return found


def definitions_in(path, root):
    """(node, Place) of every function and class of a Python file; methods by their full name."""

    def walk(node, prefix):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                name = prefix + child.name
                yield child, Place(name, path.relative_to(root).as_posix(), child.lineno)
                yield from walk(child, name + ".")

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), "")


def owners(root=ROOT):
    """Equation number -> the classes and functions whose docstring names it, in import order."""
    found = {}
    for path in sorted((root / "cliplab").rglob("*.py")):
        if not ROOFS.intersection(path.relative_to(root).parts):
            for node, place in definitions_in(path, root):
                for number in numbers_in(ast.get_docstring(node) or ""):
                    found.setdefault(number, []).append(place)
    return found


def marked(mark, root=ROOT):
    """What a mark names -> the tests with it: `@pytest.mark.equation(32, 33)` -> {32: …, 33: …}."""
    found = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for node, place in definitions_in(path, root):
            for decorator in node.decorator_list:
                if ast.unparse(decorator).startswith(f"pytest.mark.{mark}("):
                    for named in map(ast.literal_eval, decorator.args):
                        found.setdefault(named, []).append(place)
    return found


def tests(root=ROOT):
    """Equation number -> the tests marked `@pytest.mark.equation(number, …)`."""
    return marked("equation", root)


def chapters(root):
    """(Page, prose, code) of every chapter."""
    for path in sorted((root / "chapters").glob("[0-9][0-9]_*.ipynb")):
        text = {"markdown": "", "code": "", "raw": ""}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text[cell["cell_type"]] += "".join(cell["source"]) + "\n"
        yield Page(path.stem[:2], f"chapters/{path.stem}"), text["markdown"], text["code"]


def pages(root=ROOT):
    """Equation number -> the chapters whose prose names it."""
    found = {}
    for page, prose, _ in chapters(root):
        for number in numbers_in(prose):
            found.setdefault(number, []).append(page)
    return found


def shown(root=ROOT):
    """Name of a class or function -> the first chapter that shows its source."""
    found = {}
    for page, _, code in chapters(root):
        for name in re.findall(r"show_source\((?:[a-z_]\w*\.)*(\w+)", code):
            found.setdefault(name, page)
    return found
