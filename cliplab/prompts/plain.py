"""A plain prompt: one fragment of weight 1, whatever it holds, as A1111 reads it without emphasis.

Source: A1111 v1.10.1, setting "Emphasis mode: None".
"""

from dataclasses import dataclass
from typing import ClassVar

from .a1111.cutting import CutsAtCommas


@dataclass(frozen=True)
class Plain(CutsAtCommas):
    """No syntax at all."""

    title: ClassVar[str] = "a plain prompt"

    def refusal(self, weight: float) -> str | None:
        return f"{self.title} has no weights"


TOOL = Plain()
