"""ComfyUI: `(word:1.3)` sets a weight, `(word)` multiplies it by 1.1.

    grammar.py  how it reads a prompt        tool.py  where it cuts, and how to write for it

Source: ComfyUI a125cd84b054, comfy/sd1_clip.py.
"""

from .grammar import escape, fragments, unescape
from .tool import TOOL

__all__ = ["TOOL", "escape", "fragments", "unescape"]
