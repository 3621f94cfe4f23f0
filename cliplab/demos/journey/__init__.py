"""The journey of a prompt: through the whole miniature Stable Diffusion, station by station."""

from cliplab.demos.data.noise import NOISE
from cliplab.demos.data.vocabulary import SD_VOCABULARY, SD_WORDS
from cliplab.demos.fields import Text, choice, whole
from cliplab.demos.graphs.looks import LOOKS
from cliplab.demos.graphs.paint import PAINT
from cliplab.demos.graphs.regions import REGIONS
from cliplab.demos.graphs.weigh import WEIGH
from cliplab.demos.host import Demo

STATIONS = ("tokens", "slots", "rows", "attention", "weights", "steps", "picture")


class Live(Demo):
    """One prompt, one word that is followed, and what each station computes of them.

    A first use needs no graph: a station fetches its own when it is opened, and the U-Net comes
    when the reader has it paint.
    """

    graphs = PAINT | LOOKS | WEIGH | REGIONS
    data = SD_VOCABULARY | SD_WORDS | NOISE
    budget = 400_000

    prompt = Text("a (yellow:1.3) star above a blue square", most=200)  # as Automatic1111 writes it
    station = choice("tokens", STATIONS)
    word = whole(1, 0, 199)  # the one that is followed; the first is 0
    seed = whole(3, 0, 15)
