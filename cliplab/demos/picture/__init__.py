"""Prompt to picture with weights: one noise, painted as written and weighted."""

from cliplab.demos.data.noise import NOISE
from cliplab.demos.data.vocabulary import SD_VOCABULARY, SD_WORDS
from cliplab.demos.fields import Text, choice, number, whole
from cliplab.demos.graphs.paint import PAINT
from cliplab.demos.graphs.weigh import WEIGH
from cliplab.demos.host import Demo

from .films import first_films


class Live(Demo):
    """Words as chips in step with the text; two pictures from the same noise, step by step."""

    graphs = PAINT | WEIGH
    data = SD_VOCABULARY | SD_WORDS | NOISE | {"picture_films": lambda: first_films(Live.first())}
    budget = 8_000_000

    prompt = Text("a green star above a (red:0) square", most=300)  # in Automatic1111's syntax
    seed = whole(0, 0, 15)
    guidance = number(3.0, 1, 8)
    method = choice("from_empty", ("scale", "restore_mean", "from_empty", "attention"))
