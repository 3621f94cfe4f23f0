"""Checks for chapter 04, prompt weighting.

parser.py      from a prompt to its weights             04.1
operators.py   from weights to a weighted context       04.2–04.5
"""

from . import operators, parser

__all__ = ["operators", "parser"]
