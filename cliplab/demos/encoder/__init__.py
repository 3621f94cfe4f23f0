"""Through the encoder: layer by layer, head by head, and the numbers of one row."""

from cliplab.demos.data.vocabulary import MINI_VOCABULARY
from cliplab.demos.fields import Text, whole
from cliplab.demos.graphs.clip import TEXT
from cliplab.demos.host import Demo

from .graphs import ATTENTION_ROW


class Live(Demo):
    """Two prompts that differ in a word: which rows notice, and what a row looks at."""

    graphs = TEXT | ATTENTION_ROW
    data = MINI_VOCABULARY
    budget = 6_000_000

    prompt = Text("a red fox beside a blue boat", most=200)
    other = Text("a green fox beside a blue boat", most=200)  # what it is compared with, or ""
    layer = whole(1, 0, 4)  # how many layers are done; 0 is after the embeddings
    head = whole(1, 0, 3)
    row = whole(9, 0, 76)  # the slot of the token that looks
