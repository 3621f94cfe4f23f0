"""Byte-pair merges: how a text becomes tokens, pair by pair."""

from cliplab.demos.data.vocabulary import CLIP_VOCABULARY
from cliplab.demos.fields import Text, whole
from cliplab.demos.host import Demo


class Live(Demo):
    """Chips with ids as you type, and the ladder of merges of one word."""

    data = CLIP_VOCABULARY
    budget = 400_000

    text = Text("a lamplight glows", most=400)
    word = whole(1, 0, 399)  # which word's ladder is shown
    step = whole(99, 0, 99)  # how many of its merges have been done
