"""The weight of every token, tool beside tool."""

from itertools import zip_longest
from typing import NamedTuple

from matplotlib import rc_context

from .data import (
    END_OF_WORD,
    array,
    chunks_of,
    kinds_of,
    number,
    printable,
    shorten,
    spans,
)
from .draw import label, line
from .figure import Figure, Table
from .theme import HALF, INK, RC, color_alpha
from .weights import LEFT, weight_box, weight_legend

ROW, SHOWN = 25, 40  # height of a row; rows drawn, where the table has all
HEAD, SLOT, NAME = 26, 46, 84  # height of the head; room for the slot, and for the token


class TokenCell(NamedTuple):
    """One token of one tool."""

    token: str
    kind: str
    weight: float

    @property
    def name(self):
        if self.kind != "content":
            return {"padding": "pad"}.get(self.kind, self.kind)
        return printable(self.token.removesuffix(END_OF_WORD))

    @property
    def ending(self):
        """The name, with a dot where the token ends a word."""
        return self.name + "·" * (self.kind == "content" and self.token.endswith(END_OF_WORD))


class Row(NamedTuple):
    """One slot, or several that are padding; a cell for each tool, None past its end."""

    slots: list[int]
    cells: list[TokenCell | None]

    @property
    def pads(self):
        return all(cell is None or cell.kind == "padding" for cell in self.cells)

    @property
    def same(self):
        return self.pads or len({cell and cell[:2] for cell in self.cells}) == 1


@rc_context(RC)
def weights_by_token(columns, title=None, source=None):
    """A row for each slot, a column for each tool, and in the cell the token's weight.

    columns: {tool: what has .tokens and .weights, as a Context has}, or {tool: (tokens, weights)};
    [L] each, BOS, EOS and padding included. Slots are aligned by position; where the tools' tokens
    differ, the row is marked and every cell names its own. Padding of one weight is one row.
    ValueError when a tool's tokens and weights differ in number.
    """
    read = {tool: _read(tool, column) for tool, column in columns.items()}
    rows = _rows(read)
    differ = any(not row.same for row in rows)
    wide = max([103 if differ else 66, *(4 + 7.6 * len(shorten(tool, 22)) for tool in read)])
    beside = max(1, int((HALF - SLOT - NAME) / wide))  # tools in a part
    groups = [list(read)[n : n + beside] for n in range(0, len(read), beside)]
    drawn = rows[:SHOWN]
    tall = HEAD + ROW * len(drawn) + 4
    foot = 20 + 18 * differ + 18 * (len(rows) > SHOWN)
    sizes = [(SLOT + NAME + wide * len(group), tall) for group in groups]
    fig = Figure.wrapping(sizes, [(HALF, foot)])
    *tables, legend = [part.sheet() for part in fig.parts]
    for n, (ax, group) in enumerate(zip(tables, groups, strict=True)):
        _draw_tools(ax, drawn, group, n * beside, wide)
    y = 10
    if len(rows) > SHOWN:
        label(legend, LEFT, y, f"and {len(rows) - SHOWN} more rows, in the table", ha="left")
        y += 18
    weight_legend(legend, LEFT, y, [cell.weight for row in drawn for cell in row.cells if cell])
    if differ:
        note = "≠ the tools have other tokens here; · ends a word"
        label(legend, LEFT, y + 18, note, ha="left")

    heads = (f"{tool}: {what}" for tool in read for what in ("token", "weight"))
    table = Table(("slots", *heads), [_table_row(row) for row in rows], "Each token and its weight")
    return fig.described(_alt(read, rows), table, title, source)


def _read(tool, column):
    """The cells of a tool, one for each slot; every chunk begins with its own BOS."""
    tokens, weights = (column.tokens, column.weights) if hasattr(column, "tokens") else column
    tokens, weights = list(tokens), array(weights).astype(float).tolist()
    if len(tokens) != len(weights):
        raise ValueError(
            f"{tool} has {len(tokens)} tokens but {len(weights)} weights. Give one for each, "
            "BOS, EOS and padding included."
        )
    kinds = [kind for part in chunks_of(tokens) for kind in kinds_of(part)]
    return [TokenCell(*cell) for cell in zip(tokens, kinds, weights, strict=True)]


def _rows(read):
    """A row for each slot; a run of slots that are padding of one weight everywhere is one row."""
    rows = []
    for i, cells in enumerate(zip_longest(*read.values())):
        row = Row([i], list(cells))
        before = rows[-1] if rows else row
        weights = [[cell and cell.weight for cell in one.cells] for one in (before, row)]
        if rows and before.pads and row.pads and weights[0] == weights[1]:
            before.slots.append(i)
        else:
            rows.append(row)
    return rows


def _draw_tools(ax, rows, tools, first, wide):
    """Some of the tools beside each other, the first of them in this column of the rows."""
    label(ax, SLOT - 8, HEAD / 2, "slot", ha="right", faint=True)
    label(ax, SLOT, HEAD / 2, "token", ha="left", faint=True)
    for n, tool in enumerate(tools):
        middle = SLOT + NAME + wide * (n + 0.5)
        label(ax, middle, HEAD / 2, shorten(tool, 22), weight="bold")
    for n, row in enumerate(rows):
        y, end = HEAD + ROW * n, SLOT + NAME + wide * len(tools)
        line(ax, (4, y), (end - 4, y), color=color_alpha(INK, 0.25), linewidth=0.6)
        label(ax, SLOT - 8, y + ROW / 2, spans(row.slots), ha="right", faint=True)
        text, look = _row_name(row)
        label(ax, SLOT, y + ROW / 2, shorten(text, 12), size=12, ha="left", **look)
        for m, cell in enumerate(row.cells[first : first + len(tools)]):
            _draw_cell(ax, SLOT + NAME + wide * m + 4, y + 2.5, wide - 8, cell, row.same)


def _row_name(row):
    """What stands in front of a row, and how."""
    count = len(row.slots)
    if row.pads:
        text = f"{count} × padding" if count > 1 else "padding"
        return text, {"style": "italic", "faint": True}
    if not row.same:
        return "≠ differs", {}
    first = row.cells[0]
    return first.name, {"weight": "bold"} if first.kind != "content" else {}


def _draw_cell(ax, x, y, width, cell, same):
    if cell is None:
        label(ax, x + width / 2, y + 10, "none", style="italic", faint=True)
        return
    weight_box(ax, x, y, width, ROW - 5, cell.weight)
    look = {"faint": True} if cell.weight == 1 else {"weight": "bold"}
    if same:
        label(ax, x + width / 2, y + 10, number(cell.weight), size=11, **look)
    else:
        label(ax, x + 6, y + 10, shorten(cell.ending, 8), size=11, ha="left")
        label(ax, x + width - 6, y + 10, number(cell.weight), size=11, ha="right", **look)


def _table_row(row):
    cells = [(cell.ending, cell.weight) if cell else ("none", "none") for cell in row.cells]
    return (spans(row.slots), *(value for cell in cells for value in cell))


def _alt(read, rows):
    parts = []
    for n, tool in enumerate(read):
        cells = [row.cells[n] for row in rows if row.cells[n]]
        weighted = [f"{cell.name} {number(cell.weight)}" for cell in cells if cell.weight != 1]
        more = f", and {len(weighted) - 12} more" if len(weighted) > 12 else ""
        parts.append(f"{tool}: {', '.join(weighted[:12]) or 'none'}{more}.")
    other = [i for row in rows if not row.same for i in row.slots]
    differ = f"The tools' tokens differ in {spans(other, 'slot')}. " if other else ""
    slots = max(map(len, read.values()))
    return f"{slots} slots. {differ}Weights other than 1, by token. " + " ".join(parts)
