"""Checks for assignment 1: tokens, length and masks.

tokens.py   from a word to its tokens, and from a prompt to 77 ids      A1.1–A1.4
masks.py    what attention may see, and the row that is pooled          A1.5–A1.6
"""

from . import masks, tokens

__all__ = ["masks", "tokens"]
