"""Weights: one prompt as each tool reads it, and what each makes of the context's rows."""

from cliplab.demos.data.vocabulary import MINI_VOCABULARY
from cliplab.demos.fields import Text, switch
from cliplab.demos.graphs.clip import TEXT
from cliplab.demos.graphs.weigh import WEIGH
from cliplab.demos.host import Demo


class Live(Demo):
    """Every tool's fragments, weight per token, and how far each row of the context moves."""

    graphs = TEXT | WEIGH
    data = MINI_VOCABULARY
    budget = 6_000_000

    prompt = Text("a ((red:1.3) fox) in [fog]", most=300)
    no_norm = switch(False)  # Automatic1111 without restoring the mean
