"""Small changes to a file of Python, each of which some test should notice: its mutants.

A mutant replaces one expression or statement by its text changed. Annotations, decorators and
docstrings are left alone, and so is what stands inside an f-string.
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
ROOMS = [
    *("cliplab/tokenizer", "cliplab/masks.py", "cliplab/text_encoder", "cliplab/image_encoder"),
    *("cliplab/contrastive.py", "cliplab/checkpoints", "cliplab/prompts", "cliplab/weighting"),
    *("cliplab/vae.py", "cliplab/cross_attention", "cliplab/pipeline", "cliplab/training"),
    *("classroom/exercises", "classroom/coursework", "classroom/coursework/grading"),
]
# Tests run hostile code, from which this file alone protects the machine.
LEFT_OUT = ["classroom/coursework/grading/isolation.py"]
# A wrong one of these ends other people's processes or deletes their files.
DANGEROUS = re.compile(r"kill|rmtree|unlink|\.remove\(|rename|os\.replace")


@dataclass(frozen=True)
class Mutant:
    """A change, and where it stands.

    path        of the file, below the root
    start, end  what is replaced, in bytes of the file
    after       what stands there instead
    change      the line with ‹before → after› in it; it names the mutant when lines have moved
    """

    path: str
    line: int
    kind: str
    start: int
    end: int
    after: str
    change: str

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"

    def applied(self, source: bytes) -> bytes:
        return source[: self.start] + self.after.encode() + source[self.end :]


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found = []
    for node in _code(ast.parse(source)):
        for kind, target, after in _changes(node):
            start = starts[target.lineno - 1] + target.col_offset
            end = starts[target.end_lineno - 1] + target.end_col_offset
            left = source[starts[target.lineno - 1] : start].decode()
            before = source[start:end].decode()
            right = source[end : starts[target.end_lineno]].decode()
            if after != before and not DANGEROUS.search(left + before + right):
                change = " ".join(f"{left}‹{before} → {after}›{right}".split())
                found.append(Mutant(path, target.lineno, kind, start, end, after, change))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.start))


def draw(seed: int, per_room: int) -> list[Mutant]:
    """As many mutants of each room, the same for the same seed."""
    dice, drawn = random.Random(seed), []
    for room in ROOMS:
        paths = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
        names = [path.relative_to(ROOT).as_posix() for path in paths]
        mine = [name for name in names if name not in LEFT_OUT and room_of(name) == room]
        every = [mutant for name in mine for mutant in mutants_of(name, (ROOT / name).read_bytes())]
        drawn += spread(every, per_room, dice)
    return drawn


def room_of(path: str) -> str:
    return max((room for room in ROOMS if path.startswith(room)), key=len)


def spread(mutants: list[Mutant], count: int, dice: random.Random) -> list[Mutant]:
    """A draw in which each kind of change has its turn, and no line comes twice."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in dice.sample(mutants, len(mutants)):
        kinds[mutant.kind].append(mutant)
    turns = dice.sample(sorted(kinds), len(kinds))
    drawn: dict[str, Mutant] = {}
    while turns and len(drawn) < count:
        turns = [kind for kind in turns if kinds[kind]]
        for kind in turns:
            mutant = kinds[kind].pop()
            if len(drawn) < count:
                drawn.setdefault(mutant.place, mutant)
    return list(drawn.values())


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that a mutant may change."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, (ast.JoinedStr, ast.pattern)):
                yield from _code(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """The kind of a change, the node that it replaces, and the text that stands there instead."""
    match node:
        case ast.Compare(left=left, ops=[op, *more], comparators=others) if type(op) in SWAPPED:
            yield "comparison", node, _text(ast.Compare(left, [SWAPPED[type(op)](), *more], others))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SWAPPED:
            yield "arithmetic", node, _text(ast.BinOp(left, SWAPPED[type(op)](), right))
        case ast.BoolOp(op=op, values=values):
            yield "boolean", node, _text(ast.BoolOp(SWAPPED[type(op)](), values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "boolean", node, _text(operand)
        case ast.Constant(value=bool(value)):
            yield "boolean", node, str(not value)
        case ast.Constant(value=int(value)):
            yield "constant", node, f"({value + 1})"
            yield "constant", node, f"({value - 1})"
        case ast.Constant(value=float(value)):
            yield "constant", node, f"({2 * value or 1.0})"
        case ast.Slice(lower=lower, upper=upper):
            for bound in filter(None, (lower, upper)):
                yield "slice", bound, f"{ast.unparse(bound)} + 1"
        case ast.Return(value=ast.AST()):
            yield "return", node, "return None"
        case ast.Raise(exc=ast.Call(args=[ast.Constant() | ast.JoinedStr() as said, *_])):
            yield "error", said, '""'
            yield "statement", node, "pass"
        case ast.Raise() | ast.AugAssign() | ast.Expr(value=ast.Call()):
            yield "statement", node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement", node, "pass"
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield "boolean", test, f"(not ({ast.unparse(test)}))"
        case ast.Call(func=func, args=args, keywords=keywords):
            yield from _other_arguments(node, func, args, keywords)


def _other_arguments(
    node: ast.Call, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[tuple[str, ast.AST, str]]:
    ordered = ast.unparse(func) != "isinstance"  # which only fails, for everyone
    if ordered and len(args) > 1 and not any(isinstance(a, ast.Starred) for a in args[:2]):
        first, second, *others = args
        yield "exchange", node, _text(ast.Call(func, [second, first, *others], keywords))
    for keyword in keywords:
        if keyword.arg:
            yield (
                "default",
                node,
                _text(ast.Call(func, args, [k for k in keywords if k != keyword])),
            )
            if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
                yield "option", keyword.value, repr(keyword.value.value + "?")


def _text(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if isinstance(node, ast.Call) else f"({text})"
