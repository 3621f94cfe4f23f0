"""A file of weights → a text encoder, after every key, shape and dtype has been looked at."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from ..checks import listed
from ..text_encoder import CLIPTextConfig, CLIPTextModel
from .beside import encoder_settings
from .files import MINI, CheckpointError, CheckpointWarning, Device, find_weights
from .layouts import TEXT, Tower, from_layout, is_foreign, to_layout, twin
from .places import KNOWN, Place, choose
from .settings import Settings
from .weights import Weights, opened, wrong_numbers

Model = TypeVar("Model", bound=nn.Module)
OPENAI_ONLY = "input_resolution"  # a key that OpenAI's own files have, and open_clip's have not


def load_text_encoder(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: Device = None,
    heads: int | None = None,
    activation: str | None = None,
    prefix: str | None = None,
) -> CLIPTextModel:
    """Load a text encoder, in evaluation mode.

    name_or_path: "mini", the text half of the CLIP that comes with the package; "sd15" (fetched
        once, 492 MB); or the path of a .safetensors file, of a folder with config.json and
        model.safetensors, of an index of shards, or of a diffusers pipeline. Layouts: Hugging Face
        (before and after transformers 5.6), OpenAI and open_clip, open_clip's CustomTextCLIP. What
        a whole CLIP's file holds beside the text encoder is left alone.
    dtype: None → as in the file ("mini", which is stored in half: float32). device: None → CPU.
    heads, activation: what weights do not show. None → from config.json, open_clip_config.json or
        the file's metadata, or else OpenAI's: one head for every 64 of width, "quick_gelu".
    prefix: what stands before the encoder's keys. None → found; needed where a file has several.
    Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes, and
    settings that cannot be heeded. Warns with CheckpointWarning of a prefix, and of what was taken
    for OpenAI's without being told.
    """
    path = find_weights(name_or_path)
    if name_or_path == MINI and dtype is None:
        dtype = torch.float32
    told = {"heads": heads, "activation": activation}
    with opened(path) as weights:
        encoder, place = choose(weights, prefix, whole=False)
        model = read_text_encoder(encoder, place, path, dtype, told)
    for note in weights.notes:
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=2)
    return model.to(device=device, dtype=dtype).eval()


def read_text_encoder(
    weights: Weights, place: Place, path: Path, dtype: torch.dtype | None, told: dict
) -> CLIPTextModel:
    """The text encoder among open weights, in their dtype. told: what the caller says himself."""
    keys = [key for key in weights.keys() if not is_foreign(key)]  # noqa: SIM118
    stored = Stored(weights, keys, place.layout, TEXT)
    settings = encoder_settings(path.parent, place.layout, "text", weights.metadata)
    settings.update({name: value for name, value in told.items() if value is not None})
    config = infer_config(stored, settings, place)
    return stored.fill(lambda: CLIPTextModel(config), dtype)


class Stored:
    """The tensors of one encoder, and their shapes, under the names of a layout.

    A projection is x · P in OpenAI's layout, P [D, E], and a linear map with a `.weight` [E, D] in
    Hugging Face's. Some files name one as the other does; then it is turned.
    """

    def __init__(self, weights: Weights, keys: list[str], layout: str, tower: Tower):
        self.weights, self.layout, self.tower = weights, layout, tower
        self.shapes = {key: weights.shape(key) for key in keys}
        self.turned: dict[str, str] = {}
        own, other = twin(layout, tower)
        if other in self.shapes and own not in self.shapes:
            self.turned[own] = other
            self.shapes[own] = self.shapes.pop(other)[::-1]

    def dtype(self, key: str) -> str:
        return self.weights.dtype(self.turned.get(key, key))

    def tensor(self, key: str) -> torch.Tensor:
        if key in self.turned:
            return self.weights.tensor(self.turned[key]).T
        return self.weights.tensor(key)

    def fill(self, build: Callable[[], Model], dtype: torch.dtype | None) -> Model:
        """A new model with these tensors for its weights, once all of them have been compared."""
        with torch.device("meta"):
            model = build()  # names and shapes without memory
        compare(self, to_layout(model.state_dict(), self.layout, self.tower), dtype)
        tensors = {key: self.tensor(key) for key in self.shapes}
        state = from_layout(tensors, self.layout, self.tower)
        model.load_state_dict({key: t.contiguous() for key, t in state.items()}, assign=True)
        return model

    def name(self, key: str) -> str:
        """What the layout calls a parameter."""
        state = {key: torch.empty(0, 0, device="meta")}
        return next(iter(to_layout(state, self.layout, self.tower)))

    def size(self, key: str, axes: int = 2) -> tuple[int, ...]:
        """The shape of a parameter without which the encoder's size is not known."""
        name = self.name(key)
        if len(shape := self.shapes.get(name, ())) != axes:
            raise CheckpointError(
                f"Without {name}, of {axes} axes, the size of the encoder is not known; the file "
                f"has {list(shape) if name in self.shapes else 'no such key'}."
            )
        return shape


def infer_config(stored: Stored, said: Settings, place: Place) -> CLIPTextConfig:
    """The configuration that the shapes show; what they do not show is taken from what was said."""
    V, D = stored.size("embeddings.token_embedding.weight")
    L, N = stored.size("embeddings.position_embedding.weight")[0], count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {"vocab_size": V, "width": D, "context_length": L, "mlp_width": mlp_width, "layers": N}
    E = None
    if stored.name("text_projection.weight") in stored.shapes:
        E = shown["projection"] = stored.size("text_projection.weight")[
            stored.layout.startswith("open")
        ]
    said.agree(shown)
    if "heads" not in said and D % 64:
        raise CheckpointError(
            "Weights do not show the number of heads, nothing beside them says it, and OpenAI's "
            f"rule of one head for every 64 of width does not fit a width of {D}. Pass heads=…"
        )
    usual = KNOWN.get(place.prefix, "quick_gelu")
    conclude(said, {"heads": D // 64, "activation": usual}, stored.weights, place)
    return CLIPTextConfig(
        V, L, D, said["heads"], N, mlp_width,
        eos_token_id=said.get("eos_token_id", V - 1),
        projection=E,
        activation=said["activation"],
    )  # fmt: skip


def conclude(said: Settings, usual: dict, weights: Weights, place: Place) -> None:
    """Take what is usual for what nobody said, and note it unless it is known to be right."""
    open_questions = {name: value for name, value in usual.items() if name not in said}
    said.update(open_questions)
    known = place.prefix in KNOWN or OPENAI_ONLY in weights.keys()  # noqa: SIM118
    if "activation" in open_questions and not known:
        taken = " and ".join(f"{name} = {value!r}" for name, value in open_questions.items())
        weights.notes.append(
            f"nothing beside it says how its {said.of} computes, and {taken} was taken, as in "
            "OpenAI's CLIPs. open_clip's own trainings have 'gelu', and some have other heads: put "
            "the config.json or open_clip_config.json that belongs to it beside it."
        )


def count_layers(shapes: dict) -> int:
    layers = {int(n) for key in shapes for n in re.findall(r"\.(?:layers|resblocks)\.(\d+)\.", key)}
    if len(layers) != max(layers, default=0) + 1:
        gap = min(set(range(len(layers) + 1)) - layers)
        raise CheckpointError(
            f"Its layers are numbered up to {max(layers)}, and layer {gap} is missing: "
            f"{len(layers)} are there."
        )
    return len(layers)


def compare(stored: Stored, expected: dict, dtype: torch.dtype | None) -> None:
    """Name everything that is wrong, in the file's own words, in one error."""
    shapes = stored.shapes
    wrong_shape = [
        f"{key} is {list(shapes[key])}, not {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in shapes and shapes[key] != tuple(tensor.shape)
    ]
    numbers = [key for key in shapes if not key.endswith("num_batches_tracked")]
    dtypes = {key: stored.dtype(key) for key in numbers}
    problems = [
        f"{what} ({len(names)}): {listed(names)}"
        for what, names in (
            ("missing keys", [key for key in expected if key not in shapes]),
            ("unexpected keys", [key for key in shapes if key not in expected]),
            ("wrong shapes", wrong_shape),
            *wrong_numbers(dtypes).items(),
        )
        if names
    ]
    if not problems and dtype is None and len(set(dtypes.values())) > 1:
        problems = [f"it mixes {', '.join(sorted(set(dtypes.values())))}: choose with dtype=…"]
    if problems:
        raise CheckpointError("; ".join(problems) + ".")
