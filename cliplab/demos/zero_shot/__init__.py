"""Zero-shot: a classifier made of words, for a picture that is chosen or drawn."""

from cliplab.demos.data.pictures import PICTURES
from cliplab.demos.data.vocabulary import MINI_VOCABULARY
from cliplab.demos.fields import Text, whole
from cliplab.demos.graphs.clip import IMAGE, TEXT
from cliplab.demos.host import Demo

from .graphs import ZERO_SHOT


class Live(Demo):
    """Labels and templates that the reader types, and the shares that a picture gives them."""

    graphs = TEXT | IMAGE | ZERO_SHOT
    data = MINI_VOCABULARY | PICTURES
    budget = 6_000_000

    picture = whole(0, -1, 23)  # −1 is a drawing, which no link carries: white at first
    labels = Text("dog, cat, apple, rocket, umbrella, guitar", most=300)
    templates = Text("{}", most=200)  # one a line
