"""Similarity and temperature: captions against pictures, and what the loss makes of them."""

from cliplab.demos.fields import Texts, choice, number
from cliplab.demos.host import Demo


class Live(Demo):
    """A matrix of six editable captions and six pictures."""

    captions = Texts(
        ["dog face", "wolf", "red apple", "tomato", "rocket", "airplane"],
        most=80,
        length=6,
        least=6,
    )
    temperature = number(0.0194, 0.01, 1.0)  # τ, at first the miniature's own
    by = choice("row", ("cosine", "row", "column"))  # what is shown: rows are captions
