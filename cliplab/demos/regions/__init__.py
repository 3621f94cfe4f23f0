"""Word to region: where in a picture each word was read, and what each place listened to."""

from cliplab.demos.data.noise import NOISE
from cliplab.demos.data.vocabulary import SD_VOCABULARY, SD_WORDS
from cliplab.demos.fields import Text, switch, whole
from cliplab.demos.graphs.paint import PAINT, STEPS
from cliplab.demos.graphs.regions import REGIONS
from cliplab.demos.graphs.weigh import WEIGH
from cliplab.demos.host import Demo


class Live(Demo):
    """A picture, the words of its prompt, and the attention between them."""

    graphs = PAINT | WEIGH | REGIONS
    data = SD_VOCABULARY | SD_WORDS | NOISE
    budget = 8_000_000

    prompt = Text("a large red circle on a black background", most=200)
    seed = whole(0, 0, 15)
    word = whole(4, 0, 77)  # the first word is 1; 0 is BOS, EOS and padding follow the last word
    held = whole(-1, -1, 77)  # a second word that stays in view; −1: none
    step = whole(STEPS, 0, STEPS)  # of 0 … STEPS − 1; STEPS: all of them
    spot = whole(27, 0, 63)  # of 8 × 8, row by row
    among = switch(False)  # shares among the words only
