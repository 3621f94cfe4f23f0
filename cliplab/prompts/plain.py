"""A plain prompt: one fragment of weight 1, whatever it holds, as A1111 reads it without emphasis.

Source: A1111 v1.10.1, setting "Emphasis mode: None".
"""

from .a1111.tool import CutsAtCommas


class Plain(CutsAtCommas):
    """No syntax at all."""

    title = "a plain prompt"

    def refusal(self, weight: float) -> str | None:
        return f"{self.title} has no weights"


TOOL = Plain()
