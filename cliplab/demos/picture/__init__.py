"""Prompt to picture with weights: one noise, painted as written and weighted."""

from cliplab.demos.fields import Text, choice, number, whole
from cliplab.demos.host import Demo


class Live(Demo):
    """Words as chips in step with the text; two pictures from the same noise, step by step."""

    prompt = Text("a green star above a (red:0) square", most=300)  # in Automatic1111's syntax
    seed = whole(0, 0, 15)
    guidance = number(3.0, 1, 8)
    method = choice("from_empty", ("scale", "restore_mean", "from_empty", "attention"))
