"""Checks for chapter 02, notation as code."""

import torch
from torch.overrides import TorchFunctionMode

from classroom.exercises import Almost, exercise, expect, trying

PRODUCTS = {"matmul", "__matmul__", "__rmatmul__", "dot", "inner", "einsum", "vdot", "tensordot",
            "vecdot", "linalg_vecdot", "linear", "mm", "mv", "bmm"}  # fmt: skip


@exercise("02.1", title="A set from its description")
def multiples(answer):
    call = trying(answer)
    for k, m in [(10, 2), (10, 3), (7, 7), (77, 11), (1, 1), (6, 7)]:
        got, wanted = call(k, m), set(range(m, k + 1, m))
        where = f"for k = {k} and m = {m}"
        if isinstance(got, dict):
            raise Almost(f"{where} the answer is a dict; the empty set is set(), not {{}}.")
        if not isinstance(got, (set, frozenset)):
            kind = "list or generator" if isinstance(got, list) else type(got).__name__
            raise Almost(f"{where} a set is asked for; this is of type {kind}. "
                         "Curly brackets around a comprehension make a set.")  # fmt: skip
        if got == wanted | {0}:
            hint = "[1, k] begins with 1, so 0 is not in it"
        elif got == wanted - {k}:
            hint = "the number k belongs to [1, k]; range(1, k) stops before it"
        elif got == set(range(1, k + 1)) - wanted:
            hint = "these are the others: the numbers that m does not divide"
        elif got == set(range(1, k + 1)):
            hint = "the condition to the right of the bar is missing"
        else:
            hint = ""
        expect(got, wanted, where, hint=hint)
    return "The part left of the bar became `for`, the part right of it `if`."


class Watch(TorchFunctionMode):
    """Writes down which of torch's functions are called."""

    def __init__(self):
        super().__init__()
        self.called = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.called.add(func.__name__)
        return func(*args, **(kwargs or {}))


@exercise("02.2", title="An inner product without @")
def inner(answer):
    call = trying(answer)
    drawn = torch.Generator().manual_seed(22)
    for n in (3, 1, 8):
        u, v = torch.randn(2, n, generator=drawn)
        where, wanted = f"for two vectors of R^{n}", (u * v).sum()
        with Watch() as watch:
            got = call(u, v)
        value = torch.as_tensor(got) if isinstance(got, (float, torch.Tensor)) else None
        hint = ""
        if value is not None and value.shape == (n, n):
            hint = "that multiplies every u_i with every v_j; eq. 2 multiplies u_i with v_i"
        elif value is not None and value.shape == (n,):
            hint = "these are the products u_i v_i; the sum is missing"
        elif value is not None and value.numel() == 1:
            mistakes = [
                (wanted - u[0] * v[0], "the first product is missing: u_1 is u[0]"),
                (wanted - u[-1] * v[-1], "the last product is missing: u_n is u[n - 1]"),
                (wanted / n, "that is the mean of the products; eq. 2 has their sum"),
                (u.sum() * v.sum(), "multiply first, then add up"),
                (wanted / (u.norm() * v.norm()), "that is the cosine; eq. 2 divides by no length"),
            ]
            near = [h for m, h in mistakes if torch.allclose(value.float().reshape(()), m)]
            hint = next(iter(near), "")
        if value is not None and value.shape == ():
            got, wanted = value.item(), wanted.item()
        expect(got, wanted, where, hint=hint)
        if watch.called & PRODUCTS:
            raise Almost("the value is right, and torch did the sum for you. "
                         "Multiply entry by entry and add up yourself.")  # fmt: skip
    return "That is eq. 2, with the sum up to n, the length of the two vectors."


@exercise("02.3", title="From rows to C and back")
def rows(to_matrix, to_rows):
    stack, split = trying(to_matrix), trying(to_rows)
    drawn = torch.Generator().manual_seed(23)
    for L, D in [(3, 4), (3, 3), (1, 5)]:
        C = torch.randn(L, D, generator=drawn)
        _look_at_matrix(stack(list(C)), C, f"for {L} vectors of R^{D} the matrix:")
        _look_at_rows(split(C), C, f"for C of shape [{L}, {D}] the rows:")
    return "torch.stack lays rows on top of each other, and a matrix is a sequence of its rows."


def _look_at_matrix(got, C, where):
    L, D = C.shape
    shape = tuple(getattr(got, "shape", ()))
    if shape == (D, L) and torch.equal(got, C.mT):
        raise Almost(f"{where} each vector became a column; c_i is the i-th row.")
    hint = {
        (L * D,): "joined by cat they are one long vector; a new axis is needed",
        (L, 1, D): "there is one axis too many",
    }.get(shape, "")
    expect(got, C, where, hint=hint)


def _look_at_rows(got, C, where):
    L, D = C.shape
    if torch.is_tensor(got):
        raise Almost(f"{where} a list of {L} vectors is asked for; this is a single tensor.")
    got = list(got)
    columns = zip(got, C.mT, strict=False)
    if len(got) == D and all(torch.is_tensor(c) and torch.equal(c, d) for c, d in columns):
        raise Almost(f"{where} these are the columns; the first row is C[0].")
    if len(got) != L:
        raise Almost(f"{where} {len(got)} of {L}. Code counts from 0: the first row is C[0].")
    for i, row in enumerate(got):
        flat = getattr(row, "ndim", 1) == 1
        hint = "" if flat else "the axis of length 1 has to go: c_i is a vector"
        expect(row, C[i], f"{where} row {i}:", hint=hint)


@exercise("02.4", title="An outer product")
def outer(answer):
    call = trying(answer)
    drawn = torch.Generator().manual_seed(24)
    for m, n in [(3, 2), (4, 4), (1, 3)]:
        u, v = torch.randn(m, generator=drawn), torch.randn(n, generator=drawn)
        where, wanted = f"for u in R^{m} and v in R^{n}", torch.outer(u, v)
        got = call(u, v)
        shape = tuple(getattr(got, "shape", ()))
        if torch.is_tensor(got) and shape == (n, m) and torch.allclose(got, wanted.mT):
            raise Almost(f"{where} that is v uᵀ, of shape [{n}, {m}]; u counts the rows here.")
        hint = ""
        if shape == (m,) == (n,):
            hint = "here u_i meets v_i only; in u vᵀ every u_i meets every v_j"
        elif shape == () and m == n:
            hint = "one number is uᵀ v, the inner product"
        elif shape and shape != (m, n):
            hint = "make u a column [m, 1] and v a row [1, n]"
        expect(got, wanted, where, hint=hint)
    return "Column times row: entry (i, j) is u_i v_j."
