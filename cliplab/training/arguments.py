"""How the commands of training read their arguments."""

import argparse


def whole(text: str) -> int:
    """A whole number of at least 1, or a sentence for the shell."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
