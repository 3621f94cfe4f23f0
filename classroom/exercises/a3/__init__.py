"""Checks for assignment 3: prompt weighting.

prompts.py     from a prompt to weighted chunks             A3.1–A3.2
methods.py     from weights to a weighted context           A3.3–A3.4
measuring.py   from pictures to what the weights changed    A3.5–A3.6
"""

from . import measuring, methods, prompts
from .prompts import draw_prompt, letters

__all__ = ["draw_prompt", "letters", "measuring", "methods", "prompts"]
