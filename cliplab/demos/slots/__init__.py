"""77 slots: how a prompt fills them, what falls off, and what each mask changes."""

from cliplab.demos.data.vocabulary import MINI_VOCABULARY
from cliplab.demos.fields import Text, choice, whole
from cliplab.demos.graphs.clip import TEXT
from cliplab.demos.graphs.looks import LOOKS
from cliplab.demos.host import Demo

from .graphs import DISTANCE


class Live(Demo):
    """The slots of a prompt, the mask over its attention, and how far each row moves."""

    graphs = TEXT | LOOKS | DISTANCE
    data = MINI_VOCABULARY
    budget = 6_000_000

    prompt = Text("a running dog", most=600)
    mask = choice("causal", ("none", "pad", "causal", "both"))  # SD 1.5 has "causal"
    row = whole(3, 0, 76)  # the row that is looked at
