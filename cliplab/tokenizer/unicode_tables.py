"""What transformers' tokenizer knows of Unicode, which is not what Python knows.

Each of its parts brings a table of its own age: NFC knows the characters of Unicode 9, words are
cut by the letters and numbers of Unicode 16, and lower case is Unicode 17's. The file
``assets/unicode.json`` holds the three, so that ids depend on no version of Python or ``regex``.
OpenAI's tokenizer is Python: it has no tables but Python's and those of ``regex``, and takes a
letter for one as soon as they do.

Source: ``tools/unicode_tables.py``, which asks the tool about every character.
"""

import functools
import json
import re
import unicodedata
from importlib import resources
from typing import Any


@functools.cache
def tables() -> dict[str, Any]:
    text = (resources.files("cliplab") / "assets" / "unicode.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def characters(table: str) -> str:
    """A table's ranges as they stand between the brackets of a regular expression."""
    ranges = [one.split("-") for one in " ".join(tables()[table]).split(" ")]
    return "".join("-".join(rf"\U{int(code, 16):08x}" for code in one) for one in ranges)


@functools.cache
def words(before: str) -> re.Pattern[str]:
    """The pattern of words in cleaned text, where only spaces are white; ``before`` goes first."""
    letters, numbers = characters("letters"), characters("numbers")
    return re.compile(rf"{before}|[{letters}]+|[{numbers}]|[^ {letters}{numbers}]+")


@functools.cache
def normalizing() -> re.Pattern[str]:
    """Runs of the characters that NFC may change; a character that it does not know ends a run."""
    return re.compile(f"[{characters('normal forms')}]+")


def nfc(text: str) -> str:
    if unicodedata.is_normalized("NFC", text):  # then so is every stretch of it
        return text
    return normalizing().sub(lambda run: unicodedata.normalize("NFC", run.group()), text)


@functools.cache
def unlike_python() -> re.Pattern[str]:
    return re.compile(f"[{''.join(tables()['lower case'])}]")


def lower_unlike_python(text: str) -> str:
    """Lower case where ``str.lower`` has another: of the final sigma, and of letters too new."""
    return unlike_python().sub(lambda letter: tables()["lower case"][letter.group()], text)
