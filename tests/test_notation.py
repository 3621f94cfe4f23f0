"""The lecture's notation is the code that chapter 02 shows beside it, and its letters are kept."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cliplab.masks import causal_mask

WHOLE = st.integers(-99, 99)
SIZES = st.integers(1, 6)
PAIRS = st.lists(st.tuples(WHOLE, WHOLE), min_size=1, max_size=12)


@st.composite
def matrices(draw):
    """A matrix as nested lists: `entries[i - 1][j - 1]` is a_{i,j}."""
    m, n = draw(SIZES), draw(SIZES)
    return draw(st.lists(st.lists(WHOLE, min_size=n, max_size=n), min_size=m, max_size=m))


def interval(k):
    """[1, k]_Z for a finite k."""
    return range(1, k + 1)


@pytest.mark.equation(1)
@given(st.lists(WHOLE, min_size=1, max_size=12))
def test_component_i_is_entry_i_minus_1(components):
    v, n = torch.tensor(components), len(components)
    assert v.shape == (n,)
    column = v[:, None]
    assert column.shape == (n, 1)
    for i, v_i in zip(interval(n), components, strict=True):
        assert v[i - 1] == column[i - 1, 0] == v_i


@pytest.mark.equation(2)
@given(PAIRS)
def test_inner_product(pairs):
    u, v = torch.tensor(pairs).mT
    n = len(pairs)
    by_hand = sum(u_i * v_i for u_i, v_i in pairs)
    assert by_hand == sum(u[i - 1] * v[i - 1] for i in interval(n))
    assert by_hand == u @ v == (u * v).sum()


@pytest.mark.equation(2)
def test_the_sum_stops_at_n():
    """As printed it runs to d_emb, for vectors of R^n (erratum E35)."""
    u, v, d_emb = torch.ones(3), torch.ones(3), 768
    with pytest.raises(IndexError):
        sum(u[i - 1] * v[i - 1] for i in interval(d_emb))


@pytest.mark.equation(3)
@given(matrices())
def test_entry_i_j(entries):
    A, (m, n) = torch.tensor(entries), (len(entries), len(entries[0]))
    assert A.shape == (m, n)
    for i in interval(m):
        assert A[i - 1].tolist() == entries[i - 1]  # row i
        for j in interval(n):
            assert A[i - 1, j - 1] == entries[i - 1][j - 1]
    for j in interval(n):
        assert A[:, j - 1].tolist() == [row[j - 1] for row in entries]  # column j


@pytest.mark.equation(4)
@given(matrices())
def test_transpose(entries):
    A, (m, n) = torch.tensor(entries), (len(entries), len(entries[0]))
    assert A.mT.shape == (n, m)
    assert A.mT.tolist() == [list(column) for column in zip(*entries, strict=True)]
    assert torch.equal(A.mT.mT, A)


@pytest.mark.equation(4)
def test_mT_transposes_each_matrix_of_a_batch():
    batch = torch.arange(24).reshape(2, 3, 4)
    assert batch.mT.shape == (2, 4, 3)
    assert all(torch.equal(A.mT, B) for A, B in zip(batch, batch.mT, strict=True))


@pytest.mark.equation(5)
@given(PAIRS)
def test_transpose_of_a_vector(pairs):
    u, v = torch.tensor(pairs).mT
    n = len(pairs)
    row, column = v[None, :], v[:, None]
    assert row.shape == (1, n)
    assert torch.equal(row, column.mT)
    assert (u[None, :] @ column).tolist() == [[(u @ v).item()]]  # uᵀ v
    assert torch.equal(u[:, None] @ row, torch.outer(u, v))  # u vᵀ


@pytest.mark.equation(5)
def test_a_tensor_with_one_axis_has_no_transpose():
    with pytest.raises(RuntimeError, match="only supported on matrices"):
        _ = torch.ones(3).mT


# What has no number in the lecture


@given(st.integers(1, 12))
def test_a_set_of_pairs_is_a_mask(L):
    pairs = {(i, j) for i in interval(L) for j in interval(L) if j <= i}
    mask = torch.tensor([[(i, j) in pairs for j in interval(L)] for i in interval(L)])
    assert torch.equal(mask, causal_mask(L))
    assert len(pairs) == mask.sum()


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_broadcasting_is_column_replication(a):
    a, L = torch.tensor(a), len(a)
    replicated = torch.tensor([[a[j - 1].item() for j in interval(L)] for _ in interval(L)])
    assert torch.equal(a[None, :].expand(L, L), replicated)
    assert torch.equal(causal_mask(L) & replicated, causal_mask(L) & a)


@given(matrices())
def test_adding_a_bias_is_adding_an_outer_product(entries):
    X = torch.tensor(entries)
    b, ones = X[0], torch.ones(len(X), dtype=X.dtype)
    assert torch.equal(X + b, X + torch.outer(ones, b))


# The letters: chapter 02 lists them, all chapters keep them

CHAPTERS = sorted((Path(__file__).resolve().parent.parent / "chapters").glob("[0-9]*.ipynb"))
# "[B, L, D]" in a comment, a docstring or between backticks
SHAPE = r"(?:`|#|\"\"\")[^\n]*?\[((?:\d*[A-Z]|\d+|\.\.\.)(?:, (?:\d*[A-Z]|[a-z]|\d+))+)\]"
# "the guidance scale $g$", "a temperature $\\tau > 0$": names that stand before their letter
NAMED = r"\b(guidance|temperature|context|latent|mask|prompt)(?: scale)? \$([^$]+)\$"


def sources(path):
    """The cells of a chapter, without their outputs."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


def table(heading):
    """The first table after a heading of chapter 02, row by row."""
    section = "\n".join(sources(CHAPTERS[1])).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.split("\n") if line.startswith("|")][2:]
    return [[column.strip() for column in line.strip("|").split("|")] for line in lines]


AXES = [letter for letter, *_ in table("Tensors, and copies that are not made")]
LETTERS = [
    (letter, meaning.removeprefix("a "))
    for column, meaning, _ in table("The letters of this course")
    for letter in re.findall(r"\$([^$]+)\$", column)
]


def test_each_letter_is_listed_once():
    assert len(set(AXES)) == len(AXES) > 8
    assert len({letter for letter, _ in LETTERS}) == len(LETTERS) > 8


def test_shapes_are_made_of_the_listed_axes():
    found = [shape for path in CHAPTERS for s in sources(path) for shape in re.findall(SHAPE, s)]
    assert len(found) > 30
    for shape in found:
        assert set(re.findall("[A-Z]", shape)) <= set(AXES), f"[{shape}]"


def test_a_name_stands_before_its_own_letter():
    letter = {meaning: letter for letter, meaning in LETTERS}
    found = [pair for path in CHAPTERS for s in sources(path) for pair in re.findall(NAMED, s)]
    assert len(found) > 8
    for name, formula in found:
        assert formula.startswith(letter[name]), f"the {name} is called {formula}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_context_is_bold(path):
    """A plain C counts channels, and with an index it is the lecture's name of the causal mask."""
    for source in sources(path):
        text = re.sub(r"```.*?```|`[^`]*`", "", source, flags=re.S)
        for formula in re.findall(r"\$\$.+?\$\$|\$[^$]+\$", text, flags=re.S):
            plain = re.sub(r"\\(boldsymbol|mathrm|mathsf|text|operatorname)\{[^{}]*\}", "", formula)
            assert not re.search(r"(?<![A-Za-z\\])C(?![A-Za-z_])", plain), formula
