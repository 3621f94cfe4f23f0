"""Wrong answers made by machine: a right one with one thing changed, wherever it can be changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

COMPARE = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
BINARY = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add], ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Mod], ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult],
    ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd], ast.MatMult: [],
}  # fmt: skip
# The two sides of these may change places, and all stays as it is; a sum of lists may not.
COMMUTE = (ast.Mult, ast.BitAnd, ast.BitOr)
SYMMETRIC = {"max", "min", "maximum", "minimum", "logaddexp"}


def changes(node: ast.AST) -> Iterator[ast.AST | None]:
    """What may stand in the place of a node: None for a statement or a part that goes."""
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            new = copy.deepcopy(node)
            new.ops[k] = COMPARE[type(op)]()
            yield new
    elif isinstance(node, ast.BinOp):
        for op in BINARY.get(type(node.op), []):
            yield ast.BinOp(node.left, op(), node.right)
        yield node.left
        yield node.right
        if not isinstance(node.op, COMMUTE):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from constants(node.value)
    elif isinstance(node, ast.Call):
        for k, keyword in enumerate(node.keywords):
            if keyword.arg == "strict":  # of zip: all that is zipped is of one length
                continue
            keywords = node.keywords[:k] + node.keywords[k + 1 :]
            yield ast.Call(node.func, node.args, keywords)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if len(node.args) == 2 and name not in SYMMETRIC:
            yield ast.Call(node.func, node.args[::-1], node.keywords)
        if isinstance(node.func, ast.Attribute):
            yield node.func.value  # the method is not called
        if len(node.args) == 1:
            yield node.args[0]  # the function is not called
    elif isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part):
                yield ast.Slice(**{p: getattr(node, p) for p in ("lower", "upper", "step")
                                   if p != part})  # fmt: skip
    elif isinstance(node, (ast.List, ast.Tuple)) and isinstance(node.ctx, ast.Load):
        for k in range(len(node.elts)):
            yield type(node)(node.elts[:k] + node.elts[k + 1 :], node.ctx)
        if len(node.elts) == 2:
            yield type(node)(node.elts[::-1], node.ctx)
    elif isinstance(node, (ast.If, ast.While)):
        new = copy.deepcopy(node)
        new.test = ast.UnaryOp(ast.Not(), node.test)
        yield new
        yield None
    elif isinstance(node, (ast.Assign, ast.AugAssign)):
        yield None


def constants(value: object) -> Iterator[ast.AST]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        for other in dict.fromkeys((value + 1, value - 1, 0, 2 * value, value / 1.01)):
            if other != value and not (isinstance(value, int) and isinstance(other, float)):
                yield ast.Constant(other)
    elif isinstance(value, str) and value:
        yield ast.Constant(value[:-1])
        yield ast.Constant("")


class Put(ast.NodeTransformer):
    """Puts a new node in the place of the n-th."""

    def __init__(self, n: int, new: ast.AST | None):
        self.n, self.new, self.at = n, new, -1

    def visit(self, node: ast.AST) -> ast.AST | None:
        self.at += 1
        if self.at == self.n:
            if self.new is None:
                return ast.Pass()
            return copy.deepcopy(self.new)
        return self.generic_visit(node)


def nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes, in the order in which Put meets them."""
    found: list[ast.AST] = []

    class Walk(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            found.append(node)
            return self.generic_visit(node)

    Walk().visit(tree)
    return found


def mutants(source: str) -> dict[str, str]:
    """Source → what was changed, for every mutant of this code that is Python and another text."""
    found: dict[str, str] = {}
    same = ast.unparse(ast.parse(source))
    tree = ast.parse(source)
    idle = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}  # docstrings
    idle |= {
        id(n.value) for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "strict"
    }
    for n, node in enumerate(nodes(tree)):
        if id(node) in idle and isinstance(node, ast.Constant):
            continue
        for new in changes(node):
            tree = ast.fix_missing_locations(Put(n, new).visit(ast.parse(source)))
            try:
                text = ast.unparse(tree)
                compile(text, "mutant", "exec")
            except (SyntaxError, ValueError, TypeError, AttributeError):
                continue
            if text != same and text not in found:
                line = getattr(node, "lineno", 0)
                was = " ".join(ast.unparse(node).split())
                now = " ".join(ast.unparse(new).split()) if new else "nothing"
                found[text] = f"line {line}: {was[:200]} → {now[:200]}"
    return found
