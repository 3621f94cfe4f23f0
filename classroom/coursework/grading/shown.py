"""One cleaning for all that is shown: names and texts of students, in every place they go to.

A name comes from whoever handed in. On a terminal it must not move the cursor, on a page it must
not be a tag, in a spreadsheet it must not be a formula, and on the disk it must be a file's name.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata

LONGEST_NAME = 120  # bytes of a file's name that are taken from a student's, of 255
JOINERS = "\u200c\u200d"  # invisible, and needed in Persian, in Hindi, and in emoji
FORMULA = re.compile(r"(^|[,;|\t\n\"])(\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


def readable(text: object, most: int = 500) -> str:
    """Text with no control characters, none that turn the direction of writing, and not long.

    Escape sequences would reach the instructor's terminal, lone surrogates cannot be written.
    """
    found = str(text)[: 4 * most].encode("utf-8", "replace").decode()
    found = "".join(map(_plain, found))
    return found if len(found) <= most else found[: most - 1] + "…"


def _plain(c: str) -> str:
    if c in "\n" + JOINERS:
        return c
    if c != "\t" and unicodedata.category(c) in ("Cc", "Cf"):
        return "\ufffd"
    return " " if c.isspace() else c


def name(raw: str) -> str:
    """A name on one line. Bytes that are no UTF-8, as unzip can leave them, stand as \\xe9."""
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = unicodedata.normalize("NFC", text)
    return " ".join(readable(text, 255).split()) or "(no name)"


def marked_up(text: str) -> str:
    """Text as a page of HTML or Markdown shows it, letter by letter."""
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", html.escape(text, quote=False))


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula, whatever it thinks separates columns."""
    return FORMULA.sub(r"\1'\2", text)


def file_name(student: str) -> str:
    """A file's name for a student: the name itself wherever that can be one, and never twice."""
    clean = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", student)
    clean = clean.encode()[:LONGEST_NAME].decode(errors="ignore").strip(" .")
    if clean == student:
        return clean
    return f"{clean}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}"
