"""Prompt strings → weighted fragments, each grammar as its tool reads it.

    a1111/       Automatic1111's web UI      (word:1.3)  ((word))  [word]  BREAK  AND  [a:b:0.5]
    comfyui/     ComfyUI                     (word:1.3)  ((word)), weights absolute;  {a|b}  //
    compel/      Compel, for diffusers       (word)1.3  word++  word-  .blend()  .and()
    sdcpp.py     stable-diffusion.cpp        (word:1.3)  ((word))  [word]  BREAK, with quirks
    lecture.py   the lecture's notation, equations 15–20 as they are printed
    plain.py     no syntax
    register.py  the list of them, and one door: a new one is a room like these, and one line there

    tool.py      what each of them answers: a `Tool`; chunks, beyond 77 tokens
    tree.py      what each makes of a prompt;  fragment.py  its leaves, and how a grammar complains
    settings.py  what a tool leaves to its users
    convert.py   from one to another, where the meaning can be kept
    foreign.py   what was visibly written for another tool, and is words

Source: Lecture eqs 15–18, 20; the tools' code, where each grammar says.
"""

from . import a1111, comfyui, compel, lecture
from .convert import convert_prompt
from .fragment import Fragment, PromptError, PromptWarning
from .register import SYNTAXES, TOOLS, parse_prompt
from .tool import Tool

__all__ = [
    "SYNTAXES", "TOOLS", "Fragment", "PromptError", "PromptWarning", "Tool", "a1111", "comfyui",
    "compel", "convert_prompt", "lecture", "parse_prompt",
]  # fmt: skip
