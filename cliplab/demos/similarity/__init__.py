"""Similarity and temperature: captions against pictures, and what the loss makes of them."""

from cliplab.demos.data.pictures import PICTURES
from cliplab.demos.data.vocabulary import MINI_VOCABULARY
from cliplab.demos.fields import Texts, choice, number
from cliplab.demos.graphs.clip import IMAGE, SIMILARITY, TEXT
from cliplab.demos.host import Demo


class Live(Demo):
    """A matrix of six editable captions and six pictures."""

    graphs = TEXT | IMAGE | SIMILARITY
    data = MINI_VOCABULARY | PICTURES
    budget = 6_000_000

    captions = Texts(
        ["dog face", "wolf", "red apple", "tomato", "rocket", "airplane"],
        most=80,
        length=6,
        least=6,
    )
    temperature = number(0.0194, 0.01, 1.0)  # τ, at first the miniature's own
    by = choice("row", ("cosine", "row", "column"))  # what is shown: rows are captions
