"""A new syntax is one file and one line in the register: CONTRIBUTING's toy goes all the way."""

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import torch

import cliplab
from cliplab import encode, paint
from cliplab.prompts import TOOLS, PromptError, convert_prompt, parse_prompt
from tools import golden

ROOT = Path(__file__).resolve().parent.parent
SECTION = (
    (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## How to add a syntax\n")[1]
)
REGISTER = (ROOT / "cliplab/prompts/register.py").read_text(encoding="utf-8")
FILE, LINE = re.findall(r"```(?:python|text)\n(.*?)```", SECTION, re.DOTALL)[:2]


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """The toy, added as CONTRIBUTING has it: its file read as a module of cliplab.prompts."""
    path = tmp_path / "toy.py"
    path.write_text(FILE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("cliplab.prompts.toy", path)
    toy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(toy)
    monkeypatch.setitem(sys.modules, "cliplab.prompts.toy", toy)
    last = '    "plain",\n'
    assert REGISTER.count(last) == 1
    register = {"__name__": "cliplab.prompts.register", "__package__": "cliplab.prompts"}
    exec(REGISTER.replace(last, last + LINE), register)
    assert list(register["TOOLS"]) == [*TOOLS, "toy"]
    monkeypatch.setitem(TOOLS, "toy", register["TOOLS"]["toy"])


def read(prompt):
    return [(f.text, f.weight, f.start, f.end) for f in parse_prompt(prompt, "toy")]


def test_it_is_parsed():
    assert read("a {red|1.5} cat") == [("a ", 1, 0, 2), ("red", 1.5, 2, 11), (" cat", 1, 11, 15)]
    assert read("{a} b|2}") == [("{", 1, 0, 1), ("a} b|2}", 1, 1, 8)]
    assert read("") == []


@pytest.mark.parametrize(
    ("prompt", "source", "target", "expected"),
    [
        ("a {red|1.5} cat", "toy", "a1111", "a (red:1.5) cat"),
        ("a ((red)) [cat]", "a1111", "toy", "a {red|1.21} {cat|0.9090909090909}"),
        ("[a:b:0.5] {(c)|2}", "toy", "a1111", r"\[a:b:0.5\] (\(c\):2)"),
        ("{a|0}", "toy", "compel", "(a)0"),
    ],
)
def test_it_is_converted(prompt, source, target, expected):
    assert convert_prompt(prompt, source, target) == expected


@pytest.mark.filterwarnings("ignore:ComfyUI takes 'inf' for the weight")
@pytest.mark.parametrize(
    ("prompt", "source", "target", "says"),
    [
        ("a ({b|2}:1.5)", "a1111", "toy", "would read otherwise in the toy's syntax"),
        ("a BREAK b", "a1111", "toy", "the toy's syntax has no way to say so"),
        ("(a:inf)", "comfyui", "toy", "in the toy's syntax weights are finite"),
        ("{a|2}", "toy", "plain", "a plain prompt has no weights"),
    ],
)
def test_what_it_or_another_cannot_say_is_refused(prompt, source, target, says):
    with pytest.raises(PromptError, match=says):
        convert_prompt(prompt, source, target)


@pytest.mark.parametrize("method", ["from_empty", "scale"])
def test_it_is_encoded(method, tokenizer, tiny_clip):
    made = cliplab.encode_prompt("a {red|1.5} cat", tokenizer, tiny_clip, "toy", method)
    same = cliplab.encode_prompt("a (red:1.5) cat", tokenizer, tiny_clip, "comfyui", method)
    assert made.weights[:5].tolist() == [1, 1, 1.5, 1, 1]
    assert torch.equal(made.tensor, same.tensor)
    own = cliplab.encode_prompt("a {red|1.5} cat", tokenizer, tiny_clip, "toy")
    assert torch.equal(own.tensor, made.tensor) == (method == "from_empty")


def test_what_it_does_not_override_is_plain(tokenizer, tiny_clip):
    """Cuts where 75 are full, though a comma is near; the empty prompt to fill up; no settings."""
    long, short = cliplab.encode_prompt(["a, " * 50, "b"], tokenizer, tiny_clip, "toy")
    assert long.tokens[74:77] == [",</w>", "a</w>", "<|endoftext|>"]
    empty = cliplab.encode_prompt("", tokenizer, tiny_clip, "toy")
    assert torch.equal(short.tensor[77:], empty.tensor)
    with pytest.raises(TypeError, match=r"toy with the method scale has no .*; it has none\."):
        cliplab.encode_prompt("a", tokenizer, tiny_clip, "toy", "scale", comma_backtrack=3)


def test_the_commands_know_it(capsys):
    encode.main(["a {red|1.5} cat", "--syntax", "toy", "--method", "scale", "--json"])
    made = json.loads(capsys.readouterr().out)
    assert made["fragments"][1] == {"text": "red", "weight": 1.5, "start": 2, "end": 11}
    assert [row["weight"] for row in made["rows"][:4]] == [1, 1, 1.5, 1]
    with pytest.raises(SystemExit):
        paint.main(["a", "--out", "a.png", "--syntax", "nothing"])
    assert "toy" in capsys.readouterr().err


def test_it_has_golden_vectors():
    cases = golden.prompt_cases("toy")
    assert len(cases) > 100
    assert all("fragments" in case and "chunks" in case for case in cases)
    case = golden.prompt_case("😀 {red|1.5}", "toy", golden.encoder_of("toy"))
    assert case["fragments"] == [["😀 ", 1.0, 0, 3], ["red", 1.5, 3, 12]]


# No tool is known by name -------------------------------------------------------------------------


def named(code: str) -> list[str]:
    """The tools' names in a module's strings, but for defaults of arguments and for registers."""
    tree, allowed = ast.parse(code), []
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            allowed += [*node.defaults, *filter(None, node.kw_defaults)]
        elif isinstance(node, ast.keyword) and node.arg == "default":
            allowed.append(node.value)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (
            "__all__",
            "SYNTAXES",
        ):
            allowed += getattr(node.value, "elts", [])
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "METHODS":
            allowed += node.value.keys
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [node.value for node in found if node.value in [*TOOLS] and node not in allowed]


def test_no_module_outside_a_tools_room_knows_it_by_name():
    assert named("def f(syntax='plain'):\n    return syntax == 'compel' or {'a1111': 1}") == [
        "compel",
        "a1111",
    ]
    rooms = {type(tool).__module__.split(".")[2] for tool in TOOLS.values()}
    folders = [ROOT / "cliplab" / name for name in ("prompts", "weighting", "pipeline")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += [ROOT / "cliplab/encode.py", ROOT / "cliplab/paint.py", ROOT / "tools/golden.py"]
    checked = 0
    for path in files:
        room = path.relative_to(ROOT).with_suffix("").parts[2:3]
        if not ("prompts" in path.parts and rooms & {*room}):
            assert named(path.read_text(encoding="utf-8")) == [], path
            checked += 1
    assert checked > 15
