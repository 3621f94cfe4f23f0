"""A demo in a notebook: anywidget mounts its module, and the kernel answers what it asks.

The same module stands on the published page, where `page/host.js` mounts it and a worker answers.
So one cell serves every place: what it displays holds the widget, and HTML with a recorded first
frame for wherever no kernel runs.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from html import escape
from pathlib import Path
from typing import ClassVar

import anywidget
import numpy as np
import traitlets

from .bundle import bundle
from .fields import describe
from .register import all_data

HERE = Path(__file__).parent


def style(*folders: Path) -> str:
    """The style that all demos share, and what demos of these folders add to it."""
    sheets = (folder / "demo.css" for folder in (HERE / "lib", *folders))
    text = "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.is_file())
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


class Demo(anywidget.AnyWidget):
    """A live demo. Its public traits are its state: read them, set them, observe them.

    A subclass stands in a folder of its own, beside its `demo.js` and its recorded `frame.html`.
    It declares what it needs:

    graphs   what it runs, by name: the miniature's text encoder, say, and its own mathematics
    data     what it fetches, by name: functions that give bytes
    budget   how many bytes a first use of it may take over the wire
    """

    graphs: ClassVar[dict] = {}
    data: ClassVar[dict] = {}
    budget: ClassVar[int] = 0

    _fields = traitlets.Dict().tag(sync=True)  # what the state's fields may hold
    _name = traitlets.Unicode().tag(sync=True)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "folder"):  # traitlets derives a class from each that gains a trait
            return
        declared = {n: t for n, t in vars(cls).items() if isinstance(t, traitlets.TraitType)}
        cls.declared = {n: t for n, t in declared.items() if not n.startswith("_")}
        if taken := sorted(set(cls.declared) & set(dir(Demo))):
            raise TypeError(f"A demo's state cannot have the name {taken[0]!r}: Demo has it.")
        cls.folder = Path(sys.modules[cls.__module__].__file__).parent
        cls._esm = bundle(cls.folder / "demo.js")
        cls._css = style(cls.folder)

    def __init__(self, **state):
        unknown = sorted(set(state) - set(self.declared))
        if unknown:
            raise TypeError(
                f"The demo {self.folder.name!r} has no {unknown[0]!r}. "
                f"Its state is: {', '.join(self.declared)}."
            )
        if "google.colab" in sys.modules:  # which shows other people's widgets only when asked
            sys.modules["google.colab"].output.enable_custom_widget_manager()
        super().__init__(_name=self.folder.name, _fields=self.fields(), **state)
        self.on_msg(self._answer)

    @classmethod
    def fields(cls) -> dict[str, dict]:
        """What each field of the state may hold."""
        return {name: describe(trait) for name, trait in cls.declared.items()}

    @classmethod
    def first(cls) -> dict:
        """The fields and what they hold at first."""
        return {name: trait.default() for name, trait in cls.declared.items()}

    @property
    def state(self) -> dict:
        """The fields and their values now."""
        return {name: getattr(self, name) for name in self.declared}

    def _answer(self, _widget, message: dict, buffers: list) -> None:
        """Send what the front end asked for: some data, or a graph's outputs."""
        try:
            outputs = respond(message, buffers)
        except ValueError as error:
            self.send({"id": message["id"], "error": str(error)})
            return
        shapes = {
            name: {"type": str(array.dtype), "shape": array.shape}
            for name, array in outputs.items()
        }
        bytes_of = [np.ascontiguousarray(array).data for array in outputs.values()]
        self.send({"id": message["id"], "outputs": shapes}, bytes_of)

    def __repr__(self) -> str:
        state = ", ".join(f"{name}={value!r}" for name, value in self.state.items())
        return f"demo({self.folder.name!r}, {state})"

    def html(self) -> str:
        """The demo as HTML: its recorded first frame, which a page's script turns live."""
        if self.state != self.first():
            return self.place("", "It needs a page with JavaScript, or a running notebook.")
        frame, read = recorded(self.folder)
        return self.place(
            frame, f"This is its first picture, recorded. {read} Alive, it needs JavaScript."
        )

    def place(self, frame: str, sentence: str) -> str:
        """Where a page mounts this demo; until then it holds a frame, and a sentence for all."""
        data = {"fields": self.fields(), "state": self.state}
        about = " ".join(f'data-{key}="{escape(json.dumps(data[key]))}"' for key in data)
        return (
            f'<div class="cld" data-demo="{self.folder.name}" {about}>'
            f'<div class="cld-frame" inert>{frame}</div>'
            f'<p class="cld-still"><b>A live demo.</b> {sentence}</p></div>'
        )

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        html = f"<style>{self._css}</style>{self.html()}"
        return {**data, "text/plain": repr(self), "text/html": html}, metadata


def respond(message: dict, buffers: list) -> dict[str, np.ndarray]:
    """{"load": name} gives that data as bytes; {"run": graph, "inputs": …} the graph's outputs.

    Of these, "outputs" may name the ones that are wanted.
    """
    if "load" in message:
        return {"bytes": np.frombuffer(_data(message["load"]), np.uint8)}
    from .graphs.run import run

    inputs = {
        name: np.frombuffer(buffer, about["type"]).reshape(about["shape"])
        for (name, about), buffer in zip(message["inputs"].items(), buffers, strict=True)
    }
    outputs = run(message["run"], inputs)
    return {name: outputs[name] for name in message.get("outputs", outputs)}


@cache
def _data(name: str) -> bytes:
    data = all_data()
    if name not in data:
        raise ValueError(f"There is no data {name!r}; there is {', '.join(data)}.")
    return data[name]()


@cache
def recorded(folder: Path) -> tuple[str, str]:
    """The first frame of a demo as tools/frames.py recorded it, and what it says in words."""
    frame = (folder / "frame.html").read_text(encoding="utf-8").strip()
    return frame, re.search(r'class="cld-read"[^>]*>([^<]*)<', frame)[1]
