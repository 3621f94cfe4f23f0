"""Prompt strings → weighted fragments, each grammar as its tool reads it.

    a1111/        Automatic1111's web UI      (word:1.3)  ((word))  [word]  BREAK  AND  [a:b:0.5]
    comfyui.py    ComfyUI                     (word:1.3)  ((word)), weights absolute
    compel/       Compel, for diffusers       (word)1.3  word++  word-  .blend()  .and()
    lecture.py    the lecture's notation, equations 15–20 as they are printed
    convert.py    from one to another, where the meaning can be kept
    blocks.py     what a conversion has to keep
    parse.py      one door to all of them
    fragment.py   what they give, and how they complain

Source: Lecture eqs 15–18, 20; the tools' code, where each grammar says.
"""

from . import a1111, comfyui, compel, lecture
from .convert import convert_prompt
from .fragment import Fragment, PromptError, PromptWarning
from .parse import SYNTAXES, parse_prompt

__all__ = [
    "SYNTAXES",
    "Fragment",
    "PromptError",
    "PromptWarning",
    "a1111",
    "comfyui",
    "compel",
    "convert_prompt",
    "lecture",
    "parse_prompt",
]
