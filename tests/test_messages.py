"""What a message tells people to type exists on the command line on which they read it."""

import ast
import inspect
import re
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

import pytest

import cliplab
from cliplab import encode, paint, tokenize, train
from cliplab.checks import as_options
from cliplab.training import FolderPairs, ShardPairs, fit
from cliplab.weighting import PromptEncoder

ROOT = Path(__file__).parents[1]
# An argument, as as_options knows it; the name of one may be put together, as {of}_column is.
ARGUMENT = re.compile(r'\b([a-z_]+)=(…|"\w+")|(_[a-z]+)=…')
FILES = [p for p in (ROOT / "cliplab").rglob("*.py") if p.parts[-2] not in ("plots", "demos")]
TAKE = (FolderPairs, ShardPairs, fit, PromptEncoder, cliplab.load_text_encoder)
TORCHRUN = {"--nproc-per-node"}


def parser_of(command: Callable) -> ArgumentParser:
    """The parser that a command makes."""
    made = []

    class Made(Exception):
        pass

    def parse_args(self, *_):
        made.append(self)
        raise Made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArgumentParser, "parse_args", parse_args)
        with pytest.raises(Made):
            command([])
    return made[0]


PARSERS = {
    command.__name__: parser_of(command.main) for command in (train, encode, paint, tokenize)
}


def messages(file: Path) -> list[str]:
    """The strings of a file that are no docstrings, f-strings in one piece with {} for values."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in ast.walk(node)}  # fmt: skip
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            pieces = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            found.append("".join(map(str, pieces)))
        elif isinstance(node, ast.Constant) and id(node) not in parts | statements:
            found += [node.value] if isinstance(node.value, str) else []
    return found


def test_arguments_that_messages_name_exist():
    """…and there are some: the search finds those that are known."""
    taken = {name for one in TAKE for name in inspect.signature(one).parameters}
    named = set()
    for file in FILES:
        for message in messages(file):
            for found in ARGUMENT.finditer(message):
                if "python -c" in message or "torch." in message:
                    continue  # a line of Python, which a test of its own runs
                name = found[1] or found[3]
                named.add(name)
                assert name in taken or f"image{name}" in taken, (file.name, message)
    assert {"table", "on_bad", "_column", "method"} <= named


def test_options_that_messages_name_exist():
    """Of a file that is a command those of its own; elsewhere in the library those of training."""
    for file in FILES:
        parser = PARSERS.get(f"cliplab.{file.stem}", PARSERS["cliplab.train"])
        options = {*re.findall(r"--[\w-]+", parser.format_usage()), *TORCHRUN}
        for message in messages(file):
            named = set(re.findall(r"(?<![\w-])--[a-z][\w-]+", message))
            assert named <= options, (file.name, message)


@pytest.mark.parametrize("command", PARSERS)
def test_a_command_names_its_own_options_or_says_that_it_is_python(command):
    parser = PARSERS[command]
    options = set(re.findall(r"--[\w-]+", parser.format_usage()))
    for message in (message for file in FILES for message in messages(file)):
        said = as_options(message.replace("{}_column", "caption_column"), parser)
        assert (
            set(re.findall(r"--[a-z][\w-]+", said)) - set(re.findall(r"--[a-z][\w-]+", message))
            <= options
        )
        for left in ARGUMENT.finditer(said):
            assert said[left.end() :].startswith(" in Python") or left[2] != "…", said


def test_arguments_become_options():
    parser = train.make_parser()
    assert as_options("Say which one: image_column=…", parser) == "Say which one: --image-column …"
    assert as_options('Mend it, or say on_bad="skip".', parser) == (
        "Mend it, or say --on-bad skip."
    )
    assert as_options("Pass heads=…", parser) == "Pass heads=… in Python"
    assert as_options("lr = 3 and x == y", parser) == "lr = 3 and x == y"
