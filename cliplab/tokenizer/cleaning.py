"""What happens to a prompt before it is cut into words, in the two ways that are in use.

``openai``  ftfy, html entities, white space, lower case: openai/CLIP and open_clip.
``hf``      NFC, white space, lower case: transformers 5, and so Stable Diffusion 1.5 through
            diffusers today.

They differ on curly quotes, html entities, mojibake, full-width letters, control characters
(erratum E30). Each cleaner also exists as an alignment, which says for every cleaned character
where it stood in the typed text.
"""

import html
import unicodedata
from collections.abc import Iterator
from re import Pattern

import regex

from . import unicode_tables

Span = tuple[int, int]

WHITESPACE: Pattern[str] = regex.compile(r"\s+")
# Text that ftfy and html.unescape provably leave alone: printable ASCII without "&", tabs, line
# feeds.
PLAIN = regex.compile(r"[\t\n\x20-\x25\x27-\x7e]*")


def lower(text: str) -> str:
    if text.isprintable():  # then its white space is spaces, and str.split does the same faster
        return " ".join(text.split()).lower()
    return WHITESPACE.sub(" ", text).strip(" ").lower()


def clean_openai(text: str) -> str:
    """OpenAI's cleaning. Lone surrogates become U+FFFD, as there."""
    return lower(text if PLAIN.fullmatch(text) else repair(text))


def repair(text: str) -> str:
    import ftfy

    return html.unescape(html.unescape(ftfy.fix_text(text))).strip()


def clean_hf(text: str) -> str:
    """transformers 5's cleaning, by the Unicode tables that it carries."""
    return lower(text if text.isascii() else compose(text))


def compose(text: str) -> str:
    return unicode_tables.lower_unlike_python(unicode_tables.nfc(text))


# Alignments ---------------------------------------------------------------------------------------


def align_openai(text: str) -> tuple[str, list[Span]]:
    """``clean_openai(text)``, and for each of its characters the (start, end) typed for it."""
    if PLAIN.fullmatch(text):
        return align_lower(text, [(i, i + 1) for i in range(len(text))])
    repaired = repair(text)
    return align_lower(repaired, match_spans(text, repaired))


def align_hf(text: str) -> tuple[str, list[Span]]:
    """``clean_hf(text)``, and for each of its characters the (start, end) typed for it."""
    composed, spans, start = "", list[Span](), 0
    for piece in composable_pieces(text):
        new = compose(piece)
        span = (start, start := start + len(piece))
        # As many characters as before: they only changed places or not at all, so each keeps its
        # own place.
        spans += [(i, i + 1) for i in range(*span)] if len(new) == len(piece) else [span] * len(new)
        composed += new
    return align_lower(composed, spans)


def align_lower(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    """``lower`` with its alignment; "İ" is the one letter that becomes two."""
    out = []
    for run in regex.finditer(r"(\s+)|\S", text):
        if run.group(1):
            out.append((spans[run.start()][0], spans[run.end() - 1][1]))
        else:
            out += [spans[run.start()]] * len(run.group().lower())
    leading = 1 if WHITESPACE.match(text) else 0
    cleaned = lower(text)
    return cleaned, out[leading : leading + len(cleaned)]


def composable_pieces(text: str) -> Iterator[str]:
    """Cut a text wherever NFC of the two sides is NFC of the whole."""
    piece = ""
    for char in text:
        if piece and not unicodedata.combining(char) and not composes(piece, char):
            yield piece
            piece = char
        else:
            piece += char
    if piece:
        yield piece


def composes(piece: str, char: str) -> bool:
    """Whether a character that is no combining mark joins the letter before it (Hangul does)."""
    if piece[-1].isascii() or char.isascii():
        return False
    nfc = unicodedata.normalize("NFC", piece + char)
    return nfc != unicodedata.normalize("NFC", piece) + unicodedata.normalize("NFC", char)


def match_spans(typed: str, repaired: str) -> list[Span]:
    """Align a repaired text with what was typed: find the shortest stretches that differ.

    ftfy does not say where it made its changes. Stretches of equal length are matched letter by
    letter; otherwise every repaired character of the stretch points at all that was typed for it
    ("&amp;" for "&").
    """
    spans, i, j = [], len(typed) - len(typed.lstrip()), 0  # what was stripped stands for nothing
    while j < len(repaired):
        if i < len(typed) and typed[i] == repaired[j] != "&":
            a = b = 1
        else:
            a, b = next_agreement(typed[i : i + 36], repaired[j : j + 36])
        spans += [(i + k, i + k + 1) for k in range(a)] if a == b else [(i, i + a)] * b
        i, j = i + a, j + b
    return spans


def next_agreement(typed: str, repaired: str, window: int = 32) -> tuple[int, int]:
    """How much to skip on either side until four characters, a space or both ends agree."""
    for total in range(1, 2 * window + 1):
        for b in range(max(0, total - window), min(total, window) + 1):
            a = total - b
            if a > len(typed) or b > len(repaired):
                continue
            here, there = typed[a : a + 4], repaired[b : b + 4]
            space = a and b and here[:1] == there[:1] == " "
            if space or (here == there and (len(here) == 4 or a + len(here) == len(typed))):
                return a, b
    return min(len(typed), window), min(len(repaired), window)
