r"""ComfyUI's prompts, in the order in which they are read.

    1  {a|b}  //  /* */          page         in the browser: one option drawn, comments taken out
    2  (word:1.3)  (word)  \(    fragments    on the server: weights, absolute

A prompt that is sent to the server by a program meets only the second. `typed` is the page's
inverse: what to type so that the server gets a given prompt.
"""

from .grammar import escape, fragments, unescape
from .page import page, typed
from .tool import TOOL

__all__ = ["TOOL", "escape", "fragments", "page", "typed", "unescape"]
