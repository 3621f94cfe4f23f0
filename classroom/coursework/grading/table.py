"""Tables as people send them: CSV of any spreadsheet, any language, any program."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from .. import CourseworkError


@dataclass(frozen=True)
class Table:
    """Rows under a header. The rest is how the file is written, to write in it again."""

    header: list[str]
    rows: list[dict[str, str]]
    delimiter: str = ","
    newline: str = "\n"
    encoding: str = "utf-8"

    def lines(self, rows: Iterable[dict[str, str]]) -> bytes:
        """Rows as this file has them, without the header."""
        text = io.StringIO()
        names = self.header
        table = csv.writer(text, delimiter=self.delimiter, lineterminator=self.newline)
        table.writerows([row.get(name, "") for name in names] for row in rows)
        return text.getvalue().encode(self.encoding, "replace")

    def whole(self, rows: Iterable[dict[str, str]]) -> bytes:
        """The header, and rows."""
        return self.lines([dict(zip(self.header, self.header, strict=True)), *rows])

    def added(self, content: bytes, rows: Iterable[dict[str, str]]) -> bytes:
        """The bytes of the file with rows at its end; what it holds stays, byte for byte."""
        newline = self.newline.encode(self.encoding)
        return content + (b"" if content.endswith(newline) else newline) + self.lines(rows)


def read(content: bytes, what: str, needs: Iterable[str] = ()) -> Table:
    """A table from the bytes of a file. what: how an error calls it; needs: columns it must have.

    Commas, semicolons and tabs separate; the text is UTF-8, UTF-16 or what Windows writes. Raises
    CourseworkError.
    """
    encoding, text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise CourseworkError(f"{what} is no CSV file: {error}.") from None
    if not lines:
        raise CourseworkError(f"{what} is empty; its first line names the columns.")
    header = [name.strip() for name in lines[0]]
    if absent := [name for name in needs if name not in header]:
        raise CourseworkError(f"{what} has no column {', '.join(absent)}: it has {header}.")
    rows = [dict(zip(header, [*row, *[""] * len(header)], strict=False)) for row in lines[1:]]
    return Table(header, rows, delimiter, "\r\n" if "\r\n" in text else "\n", encoding)


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            return encoding, content[2:].decode(encoding, "replace")
    try:
        return "utf-8", content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252", content.decode("cp1252", "replace")
