"""The tools, by the name of their syntax. A new one has a room of its own and one line here."""

from . import a1111, comfyui, compel, lecture, plain
from .tool import Tool

TOOLS: dict[str, Tool] = {
    "a1111": a1111.TOOL,
    "comfyui": comfyui.TOOL,
    "compel": compel.TOOL,
    "lecture": lecture.TOOL,
    "plain": plain.TOOL,
}
