"""Live demos: `demo("merges")` in a notebook, and the same demo on the published page.

    d = cliplab.demo("encoder", prompt="a red cat")
    d                     # shows it
    d.layer               # its state is a Python object …
    d.layer = 2           # … in both directions

A page needs no kernel: `python -m cliplab.demos.export` writes what it runs instead.
"""

from ..extras import need
from .register import NAMES, live


def demo(name: str, **state):
    """The live demo of that name, one of `cliplab.demos.NAMES`; `state` is where it starts.

    Raises ValueError for an unknown name, TypeError for an unknown field of the state, and
    traitlets.TraitError for a value that does not fit, and MissingExtra without anywidget.
    """
    need("anywidget", "notebooks")
    return live(name)(**state)


__all__ = ["NAMES", "demo", "live"]
