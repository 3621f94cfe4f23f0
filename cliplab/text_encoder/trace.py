"""Write down every tensor of a forward pass under the name that the lecture gives it.

A module hands each value that it computes to its trace and gets it straight back:

    U = trace("U", self.layer_norm1(X))

so the line still reads as the equation. `trace.at("encoder")` opens a folder for a submodule, and
names become module paths: "encoder.layers.0.self_attn.Q".
"""

from torch import Tensor


class Trace(dict[str, Tensor]):
    """name → tensor: all that one forward pass computed, in the order in which it was computed."""

    def __call__(self, name: str, value: Tensor) -> Tensor:
        self[name] = value
        return value

    def at(self, module: str) -> "Folder":
        return Folder(self, module + ".")


class Folder:
    """The part of a trace that belongs to one submodule."""

    def __init__(self, trace: Trace, path: str):
        self.trace, self.path = trace, path

    def __call__(self, name: str, value: Tensor) -> Tensor:
        return self.trace(self.path + name, value)

    def at(self, module: str) -> "Folder":
        return Folder(self.trace, f"{self.path}{module}.")


class NoTrace:
    """Writes nothing down. Modules that see it may take their fused path."""

    def __call__(self, name: str, value: Tensor) -> Tensor:
        return value

    def at(self, module: str) -> "NoTrace":
        return self


NO_TRACE = NoTrace()
