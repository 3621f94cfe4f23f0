"""The tools, by the name of their syntax, and one door to all of their grammars.

A new one has a room of its own and one line here.
"""

from importlib import import_module

from ..checks import one_of
from .fragment import Fragment, require_prompt
from .tool import Tool

SYNTAXES = (
    "a1111",
    "comfyui",
    "compel",
    "sdcpp",
    "lecture",
    "plain",
)
TOOLS: dict[str, Tool] = {
    syntax: import_module(f"{__package__}.{syntax}").TOOL for syntax in SYNTAXES
}


def parse_prompt(prompt: str, syntax: str = "a1111", quirks: bool = True) -> list[Fragment]:
    """Read a prompt as a tool does: its fragments, in order, with their weights and places.

    syntax  "a1111" (web UI v1.10.1), "comfyui" (a125cd8), "compel" (2.5.1), "sdcpp"
            (stable-diffusion.cpp in its Python package 0.4.7), "lecture" (eqs 15–20 as printed), or
            "plain": the prompt is one fragment of weight 1, whatever it holds.
    quirks  True: the tool's answer, also where it surprises. False: a PromptError at the character
            where the tool would read something other than what the prompt seems to say.

    Raises PromptError where the tool crashes, and for a Compel prompt that is more than one list of
    fragments (`.blend`, `.and`): ``cliplab.prompts.compel.parse`` reads those. An A1111 prompt is
    read as its encoder gets it: `AND`, schedules and `<lora:…>` stay text here, and
    ``cliplab.prompts.a1111`` has them as data of their own. Linear in the length of the prompt.
    """
    require_prompt(prompt)
    one_of("syntax", syntax, TOOLS)
    return TOOLS[syntax].fragments(prompt, quirks)
