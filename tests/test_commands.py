"""What docs, messages and docstrings tell people to type exists: commands, options, targets."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ["*.md", "Makefile", "book/*.md", "benchmarks/*.md", "cliplab/assets/**/*.md"]
CODE = ["cliplab", "classroom", "tools", "benchmarks", "book"]
NOTEBOOKS = ["chapters", "assignments", "coursework", "book"]
COMMAND = re.compile(r"-m (?P<module>(?:cliplab|classroom)(?:\.\w+)*)(?P<rest>[^`#\n]*)")
TOOL = re.compile(r"python (?P<module>(?:tools|benchmarks)/\w+(?:/\w+)*\.py)(?P<rest>[^`#\n]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


class Told(NamedTuple):
    """A command that somebody is told to type: what runs, its first word after it, its options."""

    where: str
    what: str
    word: str
    options: frozenset[str]


def strings(source: str) -> Iterator[str]:
    """Every text in Python code; what an f-string fills in is an X."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield "".join(map(str, parts))


def texts() -> Iterator[tuple[str, str]]:
    """Where → a text that people read."""
    for path in sorted({path for pattern in DOCS for path in ROOT.glob(pattern)}):
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py")):
        for text in strings(path.read_text(encoding="utf-8")):
            yield path.relative_to(ROOT).as_posix(), text
    for path in sorted(path for folder in NOTEBOOKS for path in (ROOT / folder).glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            yield path.name, "".join(cell["source"])


def told(pattern: re.Pattern) -> list[Told]:
    found = []
    for where, text in texts():
        for match in pattern.finditer(text.replace("\\\n", " ")):
            rest, *_what_it_does = re.split(r"(?<=\S) {3,}(?=\S)", match["rest"])
            word = re.match(r" ([a-z]+)\b", rest)
            options = frozenset(OPTION.findall(rest))
            found.append(Told(where, match["module"], word[1] if word else "", options))
    return found


@functools.cache
def help_of(module: str, *words: str) -> str:
    """What a command of the course says to --help."""
    try:
        main = importlib.import_module(f"{module}.__main__").main
    except ModuleNotFoundError:
        main = importlib.import_module(module).main
    with contextlib.redirect_stdout(io.StringIO()) as said, pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return said.getvalue()


def subcommands(module: str) -> set[str]:
    listed = re.search(r"\{([a-z,]+)\}", help_of(module).partition("\n\n")[0])
    return set(listed[1].split(",")) if listed else set()


def test_every_command_exists():
    commands = [each for each in told(COMMAND) if not each.what.endswith(".zygote")]
    assert {each.what for each in commands} >= {
        "cliplab.tokenize", "cliplab.encode", "cliplab.paint", "cliplab.train",
        "cliplab.demos.export", "classroom", "classroom.miniature",
    }  # fmt: skip
    for each in commands:
        word = [each.word] if each.word in subcommands(each.what) else []
        unknown = each.options - set(OPTION.findall(help_of(each.what, *word)))
        assert not unknown, f"{each.where}: python -m {each.what} {each.word} has no {unknown}."
    words = {each.word for each in commands if each.what == "classroom"} - {""}
    assert words == subcommands("classroom") == {"release", "grade"}


def source_of(tool: str) -> str:
    """A tool's code, with that of the tools it imports: an option may be a shared one."""
    source = (ROOT / tool).read_text(encoding="utf-8")
    shared = re.findall(r"^from tools import (\w+)", source, flags=re.MULTILINE)
    files = [ROOT / "tools" / f"{name}.py" for name in shared]
    return source + "".join(file.read_text(encoding="utf-8") for file in files)


def test_every_tool_exists():
    tools = told(TOOL)
    assert len({each.what for each in tools}) > 10
    for each in tools:
        assert (ROOT / each.what).is_file(), f"{each.where}: there is no {each.what}."
        source = source_of(each.what)
        unknown = {option for option in each.options if f'"{option}"' not in source}
        assert not unknown, f"{each.where}: {each.what} has no {unknown}."


def test_every_target_of_make_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {(where, name) for where, text in texts()
             for name in re.findall(r"`make (?:[A-Z_]+=\S+ )*([a-z]+)", text)}  # fmt: skip
    assert len({name for _, name in named}) > 5
    assert {(where, name) for where, name in named if name not in targets} == set()
