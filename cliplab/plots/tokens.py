"""The strip of slots: a prompt as its tokens, with BOS, EOS and padding."""

from matplotlib import rc_context

from .data import END_OF_WORD, array, kinds_of, shorten, spans
from .draw import hatched, label, rectangles
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, color_alpha

COLUMNS = 6  # slots that stay together in a row
WIDE, TALL = 56, 50  # a slot, with the gap to the next
TEXT_STYLES = {
    "content": {},
    "BOS": {"weight": "bold"},
    "EOS": {"weight": "bold"},
    "padding": {"style": "italic", "faint": True},
}
KIND_COLORS = {"BOS": GREEN, "content": BLUE, "EOS": ORANGE, "padding": INK}


@rc_context(RC)
def token_strip(ids, tokens, mask=None, title=None):
    """The slots of a prompt in a row that wraps: number, token and id of each, kinds told apart.

    ids [L] whole numbers; tokens L strings, padding included; mask bool [L], True = may be seen:
    hidden slots are hatched. ValueError when the lengths differ. Lecture eqs 7, 10.
    """
    ids = [int(i) for i in array(ids)]
    tokens, seen = list(tokens), None if mask is None else array(mask).astype(bool)
    for name, other in (("tokens", tokens), ("mask", seen)):
        if other is not None and len(other) != len(ids):
            raise ValueError(
                f"There are {len(ids)} ids but {len(other)} entries in `{name}`. "
                "Give one for each id, padding included."
            )
    kinds = kinds_of(tokens)
    rows = [slice(n, n + COLUMNS) for n in range(0, len(ids), COLUMNS)]
    legend = _legend(kinds, tokens, seen is not None and not seen.all())
    size = (COLUMNS * WIDE, TALL)
    fig = Figure.wrapping([size] * len(rows), [(size[0], 20 * len(legend))])
    for part, row in zip(fig.parts, rows, strict=False):
        hidden = [False] * len(ids[row]) if seen is None else ~seen[row]
        _row(part.sheet(), row.start, ids[row], tokens[row], kinds[row], hidden)
    _draw_legend(fig.parts[-1].sheet(), legend)

    known = {"slot": range(len(ids)), "token": tokens, "id": ids, "kind": kinds}
    if seen is not None:
        known["may be seen"] = seen.tolist()
    table = Table(
        tuple(known),
        list(zip(*known.values(), strict=True)),
        "Every slot of the prompt, numbered from 0",
    )
    return fig.described(_strip_alt(tokens, kinds, seen), table, title)


def _row(ax, first, ids, tokens, kinds, hidden):
    """The slots of one row, of which the first has this number."""
    corner = [(2 + n * WIDE, 2) for n in range(len(ids))]
    size = (WIDE - 4, TALL - 4)
    for kind in KIND_COLORS:
        _slots(ax, kind, [(*corner[n], *size) for n, k in enumerate(kinds) if k == kind])
    hatched(ax, *((*corner[n], *size) for n in range(len(ids)) if hidden[n]))
    ends = [
        (x + size[0] - 4, y + 13, 4, size[1] - 26)
        for (x, y), token, kind in zip(corner, tokens, kinds, strict=True)
        if _ends_a_word(token, kind)
    ]
    rectangles(ax, ends, BLUE, fill=1, linewidth=0)
    # One pass for each kind of text: neighbors of one style share it in the page.
    for n, (x, y) in enumerate(corner):
        label(ax, x + 7, y + 9, first + n, ha="left", faint=True)
    for kind, style in TEXT_STYLES.items():
        for (x, y), token, k in zip(corner, tokens, kinds, strict=True):
            if k == kind:
                text = {"content": token.removesuffix(END_OF_WORD), "padding": "pad"}.get(k, k)
                label(ax, x + size[0] / 2 - 2, y + 23, shorten(text, 7), **style)
    for (x, y), number in zip(corner, ids, strict=True):
        label(ax, x + size[0] / 2 - 2, y + 37, number, faint=True)


def _ends_a_word(token, kind):
    return kind == "content" and token.endswith(END_OF_WORD)


def _slots(ax, kind, cells, bar=5):
    """The cells of one kind: dashed for padding, a bar where the prompt begins and ends."""
    color = KIND_COLORS[kind]
    if kind == "padding":
        rectangles(
            ax, cells, color, fill=0, linestyle=(0, (3, 2)), edgecolor=color_alpha(color, 0.6)
        )
    else:
        rectangles(ax, cells, color)
    if kind in ("BOS", "EOS"):
        rectangles(
            ax,
            [(x if kind == "BOS" else x + w - bar, y, bar, h) for x, y, w, h in cells],
            color,
            fill=1,
            linewidth=0,
        )


def _legend(kinds, tokens, hidden):
    """What the strip has to explain, in lines of what fits beside each other."""
    first = [kind for kind in KIND_COLORS if kind in kinds]
    ends = ["ends a word"] * any(map(_ends_a_word, tokens, kinds))
    second = ends + ["hidden by the mask"] * hidden
    return [line for line in (first, second) if line]


def _draw_legend(ax, lines):
    for n, names in enumerate(lines):
        x, y = 2, 10 + 20 * n
        for name in names:
            if name in KIND_COLORS:
                _slots(ax, name, [(x, y - 6, 16, 12)], bar=4)
            elif name == "ends a word":
                rectangles(ax, [(x + 6, y - 6, 4, 12)], BLUE, fill=1, linewidth=0)
            else:
                hatched(ax, (x, y - 6, 16, 12))
            label(ax, x + 21, y, name, ha="left")
            x += 36 + 6.4 * len(name)


def _strip_alt(tokens, kinds, seen):
    where = {kind: [i for i, k in enumerate(kinds) if k == kind] for kind in KIND_COLORS}
    words = ", ".join(tokens[i].removesuffix(END_OF_WORD) for i in where["content"][:8])
    parts = [f"{len(tokens)} token slots."]
    if where["BOS"]:
        parts.append(f"Slot {where['BOS'][0]} holds BOS.")
    if where["content"]:
        more = ", and so on" if len(where["content"]) > 8 else ""
        parts.append(f"Content in {spans(where['content'], 'slot')}: {words}{more}.")
    parts.append(f"EOS in slot {where['EOS'][0]}." if where["EOS"] else "There is no EOS.")
    if where["padding"]:
        parts.append(f"Padding in {spans(where['padding'], 'slot')}.")
    if seen is not None:
        hidden = [i for i, s in enumerate(seen) if not s]
        parts.append(f"The mask hides {spans(hidden, 'slot')}.")
    return " ".join(parts)
