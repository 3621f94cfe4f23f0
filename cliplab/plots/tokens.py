"""The strip of slots: a prompt as its tokens, with BOS, EOS and padding."""

from matplotlib import rc_context

from .data import END_OF_WORD, array, kinds_of, shorten, spans
from .draw import hatched, label, rectangles
from .figure import Figure, Table
from .theme import BLUE, GREEN, INK, ORANGE, RC, color_alpha

COLUMNS = 11
TEXT_STYLES = {
    "content": {},
    "BOS": {"weight": "bold"},
    "EOS": {"weight": "bold"},
    "padding": {"style": "italic", "faint": True},
}
KIND_COLORS = {"BOS": GREEN, "content": BLUE, "EOS": ORANGE, "padding": INK}


@rc_context(RC)
def token_strip(ids, tokens, mask=None, title=None):
    """The slots of a prompt in rows of 11: number, token and id of each, kinds told apart.

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
    width, height, folded = 64, 47, -(-len(ids) // COLUMNS)
    fig = Figure(min(max(len(ids), 6), COLUMNS) * width + 12, folded * height + 38)
    ax = fig.sheet()

    corner = [(8 + i % COLUMNS * width, 6 + i // COLUMNS * height) for i in range(len(ids))]
    size = (width - 4, height - 5)
    for kind in KIND_COLORS:
        _slots(ax, kind, [(*corner[i], *size) for i, k in enumerate(kinds) if k == kind])
    if seen is not None:
        hatched(ax, *((*corner[i], *size) for i in range(len(ids)) if not seen[i]))
    ends = [
        corner[i] for i, t in enumerate(tokens) if kinds[i] == "content" and t.endswith(END_OF_WORD)
    ]
    rectangles(
        ax, [(x + size[0] - 4, y + 12, 4, size[1] - 24) for x, y in ends], BLUE, fill=1, linewidth=0
    )

    # One pass for each kind of text: neighbors of one style share it in the page.
    for i, (x, y) in enumerate(corner):
        label(ax, x + 8, y + 9, i, size=9, ha="left", faint=True)
    for kind, style in TEXT_STYLES.items():
        for (x, y), token, k in zip(corner, tokens, kinds, strict=True):
            if k == kind:
                text = {"content": token.removesuffix(END_OF_WORD), "padding": "pad"}.get(k, k)
                label(
                    ax, x + 29, y + 22, shorten(text, 8), size=11 if len(text) < 8 else 10, **style
                )
    for (x, y), number in zip(corner, ids, strict=True):
        label(ax, x + 30, y + 35, number, size=9, faint=True)
    _legend(ax, fig.height - 14, kinds, bool(ends), seen is not None and not seen.all())

    known = {"slot": range(len(ids)), "token": tokens, "id": ids, "kind": kinds}
    if seen is not None:
        known["may be seen"] = seen.tolist()
    table = Table(
        tuple(known),
        list(zip(*known.values(), strict=True)),
        "Every slot of the prompt, numbered from 0",
    )
    return fig.described(_strip_alt(tokens, kinds, seen), table, title)


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


def _legend(ax, y, kinds, ends, hidden):
    x = 8
    for kind in (k for k in KIND_COLORS if k in kinds):
        _slots(ax, kind, [(x, y - 6, 16, 12)], bar=4)
        label(ax, x + 21, y, kind, size=10, ha="left")
        x += 34 + 7 * len(kind)
    if ends:
        rectangles(ax, [(x, y - 6, 4, 12)], BLUE, fill=1, linewidth=0)
        label(ax, x + 9, y, "ends a word", size=10, ha="left")
        x += 92
    if hidden:
        hatched(ax, (x, y - 6, 16, 12))
        label(ax, x + 21, y, "hidden by the mask", size=10, ha="left")


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
