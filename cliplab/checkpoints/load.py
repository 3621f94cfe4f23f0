"""A file of weights → a text encoder, after every key, shape and dtype has been looked at."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from ..checks import listed
from ..text_encoder import CLIPTextConfig, CLIPTextModel
from .files import MINI, CheckpointError, Device, find_weights, read_json
from .layouts import TEXT, Tower, from_layout, is_foreign, recognize, to_layout

Model = TypeVar("Model", bound=nn.Module)
FLOATS = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}


def load_text_encoder(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: Device = None,
    heads: int | None = None,
) -> CLIPTextModel:
    """Load a text encoder, in evaluation mode.

    name_or_path: "mini", the text half of the CLIP that comes with the package; "sd15" (fetched
        once, 492 MB); or the path of a .safetensors file, of a folder with config.json and
        model.safetensors, or of a diffusers pipeline. Layouts: Hugging Face
        (before and after transformers 5.6), OpenAI and open_clip, open_clip's CustomTextCLIP. What
        a whole CLIP's file holds beside the text encoder is left alone.
    dtype: None → as in the file ("mini", which is stored in half: float32). device: None → CPU.
    heads: the one number that weights do not show. None → from config.json or from the file's
        metadata, or else OpenAI's rule: one head for every 64 of width.
    Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes.
    """
    path = find_weights(name_or_path)
    if name_or_path == MINI and dtype is None:
        dtype = torch.float32
    with opened(path) as file:
        model = read_text_encoder(file, path, dtype, heads)
    return model.to(device=device, dtype=dtype).eval()


@contextmanager
def opened(path: Path) -> Iterator[safe_open]:
    """A safetensors file; what is wrong with it is said with its name."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a sound safetensors file: {error}.") from None
    except (ValueError, TypeError) as error:  # CheckpointError, and numbers that make no encoder
        raise CheckpointError(f"{path}: {error}") from None


def read_text_encoder(
    file: safe_open, path: Path, dtype: torch.dtype | None, heads: int | None = None
) -> CLIPTextModel:
    """The text encoder of an open file, in the file's dtype."""
    keys = [key for key in file.keys() if not is_foreign(key)]  # noqa: SIM118
    stored = Stored(file, keys, recognize(keys), TEXT)
    said = {**(file.metadata() or {}), **said_of(path, "text_config")}
    config = infer_config(stored, said, heads)
    return stored.fill(lambda: CLIPTextModel(config), dtype)


class Stored:
    """The tensors of one encoder in an open file, and their shapes, under the names of a layout."""

    def __init__(self, file: safe_open, keys: list[str], layout: str, tower: Tower):
        self.file, self.layout, self.tower = file, layout, tower
        self.shapes = {key: tuple(file.get_slice(key).get_shape()) for key in keys}

    def fill(self, build: Callable[[], Model], dtype: torch.dtype | None) -> Model:
        """A new model with these tensors for its weights, once all of them have been compared."""
        with torch.device("meta"):
            model = build()  # names and shapes without memory
        compare(self, to_layout(model.state_dict(), self.layout, self.tower), dtype)
        tensors = {key: self.file.get_tensor(key) for key in self.shapes}
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


def said_of(path: Path, tower: str) -> dict:
    """What the config.json beside a file says about one of its encoders."""
    said = read_json(path.with_name("config.json"))
    said = said.get(tower, said)  # a whole CLIP has one for each tower
    return {key: value for key, value in said.items() if value is not None}


def infer_config(stored: Stored, said: dict, heads: int | None) -> CLIPTextConfig:
    """The configuration that the shapes show; what they do not show is taken from what was said."""
    V, D = stored.size("embeddings.token_embedding.weight")
    L, N = stored.size("embeddings.position_embedding.weight")[0], count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {
        "vocab_size": V,
        "hidden_size": D,
        "max_position_embeddings": L,
        "intermediate_size": mlp_width,
        "num_hidden_layers": N,
    }
    E = None
    if stored.name("text_projection.weight") in stored.shapes:
        E = stored.size("text_projection.weight")[stored.layout.startswith("open")]
    refuse_other_mathematics(said, shown, "text encoder")
    if heads is None:
        heads = said.get("num_attention_heads") or (D // 64 if D % 64 == 0 else None)
    if heads is None:
        raise CheckpointError(
            "Weights do not show the number of heads, nothing beside them says it, and OpenAI's "
            f"rule of one head for every 64 of width does not fit a width of {D}. Pass heads=…"
        )
    eos = int(said.get("eos_token_id", V - 1))
    return CLIPTextConfig(V, L, D, int(heads), N, mlp_width, eos_token_id=eos, projection=E)


def count_layers(shapes: dict) -> int:
    layers = {int(n) for key in shapes for n in re.findall(r"\.(?:layers|resblocks)\.(\d+)\.", key)}
    if len(layers) != max(layers, default=0) + 1:
        gap = min(set(range(len(layers) + 1)) - layers)
        raise CheckpointError(
            f"Its layers are numbered up to {max(layers)}, and layer {gap} is missing: "
            f"{len(layers)} are there."
        )
    return len(layers)


def refuse_other_mathematics(said: dict, shown: dict, encoder: str) -> None:
    """config.json must agree with the weights, and ask for no other activation or epsilon."""
    for key, value in {"hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, **shown}.items():
        if said.get(key, value) != value:
            has = "the weights show" if key in shown else "this encoder computes with"
            raise CheckpointError(
                f"config.json says {key} = {said[key]!r} of the {encoder}, but {has} {value!r}. "
                "The answers would be wrong, so nothing was loaded."
            )


def compare(stored: Stored, expected: dict, dtype: torch.dtype | None) -> None:
    """Name everything that is wrong, in the file's own words, in one error."""
    shapes = stored.shapes
    wrong_shape = [
        f"{key} is {list(shapes[key])}, not {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in shapes and shapes[key] != tuple(tensor.shape)
    ]
    numbers = [key for key in shapes if not key.endswith("num_batches_tracked")]
    dtypes = {key: stored.file.get_slice(key).get_dtype() for key in numbers}
    wrong_dtype = [f"{key} is {kind}" for key, kind in dtypes.items() if kind not in FLOATS]
    problems = [
        f"{what} ({len(names)}): {listed(names)}"
        for what, names in (
            ("missing keys", [key for key in expected if key not in shapes]),
            ("unexpected keys", [key for key in shapes if key not in expected]),
            ("wrong shapes", wrong_shape),
            ("dtypes that are not floating point", wrong_dtype),
        )
        if names
    ]
    if not problems and dtype is None and len(set(dtypes.values())) > 1:
        problems = [f"it mixes {', '.join(sorted(set(dtypes.values())))}: choose with dtype=…"]
    if problems:
        raise CheckpointError("; ".join(problems) + ".")
