r"""Automatic1111's prompt grammar, as its web UI v1.10.1 reads it, in the order in which it does.

    1  a <lora:name:0.8> b      extra_networks   tags leave the text, before all else
    2  a :1.2 AND b :0.5        split_and        prompts of their own, combined in the denoiser
    3  [from:to:10]  [to:0.5]   schedule         the text of each step: a switch after step 10, or
       [from::10]  [a|b|c]                       after half of them; an alternation, one per step
    4  (a)  [a]  (a:1.3)        fragments        × 1.1, × 1/1.1, × 1.3; nested, they multiply
       BREAK                                     a new chunk of 77
       \(  \)  \[  \]  \\                        the character itself

So `[cat:0.9]` is no weight but a switch: nothing for nine tenths of the steps, then a cat. Before
all of this, the web UI takes out comments, from `#` to the end of a line; that is not done here.

Each stage takes text and is linear in its length. Source: AUTOMATIC1111/stable-diffusion-webui
v1.10.1 (82a973c), ``modules/prompt_parser.py`` and ``modules/extra_networks.py``.
"""

from .composition import Network, Part, extra_networks, split_and
from .emphasis import escape, fragments, is_break
from .schedule import Step, schedule
from .tool import TOOL

__all__ = [
    "TOOL", "Network", "Part", "Step", "escape", "extra_networks", "fragments", "is_break",
    "schedule", "split_and",
]  # fmt: skip
