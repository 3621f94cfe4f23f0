"""A folder or a file with a whole CLIP → both encoders, temperature, tokenizer, preprocessing."""

import math
import re
import warnings
from pathlib import Path

import torch

from ..contrastive import CLIP, image_encoder
from ..image_encoder import CLIPResNetConfig, CLIPVisionConfig, ImageEncoder
from ..tokenizer import CLIPTokenizer
from .beside import encoder_settings, read_preprocess
from .files import CheckpointError, CheckpointWarning, Device, find_weights
from .layouts import HEAD, IMAGE, is_image, is_resnet
from .load import conclude, count_layers, read_text_encoder
from .places import Place, choose
from .settings import Settings
from .stored import Stored
from .weights import FLOATS, Weights, opened

LARGEST_SCALE = math.log(1000)  # ten times what CLIP's training lets 1 / τ become


def load_clip(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: Device = None,
    prefix: str | None = None,
) -> CLIP:
    """Load a whole CLIP, in evaluation mode.

    name_or_path: "mini", which comes with the package; or the path of a folder that `save_clip`,
        transformers or open_clip's `save_for_hf` wrote, of a .safetensors file of one of them, or
        of an index of shards.
    dtype: whatever the file's is, float32 unless asked otherwise. device: None → CPU.
    prefix: what stands before its keys. None → found; needed where a file has several.
    .tokenizer and .preprocess are read from the files beside the weights. Without them: CLIP's own
    tokenizer if the vocabulary is as large as CLIP's, and no tokenizer otherwise; OpenAI's mean and
    std. Raises CheckpointError naming missing and unexpected keys, wrong shapes and wrong dtypes,
    and settings that cannot be heeded. Warns with CheckpointWarning of a prefix, and of what was
    taken for OpenAI's without being told.
    """
    path = find_weights(name_or_path)
    with opened(path) as weights:
        weights, place = choose(weights, prefix, whole=True)
        text = read_text_encoder(weights, place, path, dtype, {})
        image = read_image_encoder(weights, place, path, dtype)
        head = read_head(weights)
        if text.config.projection != image.config.projection:
            raise CheckpointError(
                f"Its text projection is {text.config.projection} wide, its image projection "
                f"{image.config.projection}: they do not belong together."
            )
        tokenizer = read_tokenizer(path.parent, text.config.vocab_size)
        preprocess = read_preprocess(path.parent, image.config.image_size)
    for note in weights.notes:
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=2)
    sigmoid = "logit_bias" in head
    clip = CLIP(text, image, tokenizer=tokenizer, preprocess=preprocess, sigmoid=sigmoid)
    clip.load_state_dict(head, strict=False)
    return clip.to(device=device, dtype=dtype).eval()


def read_head(weights: Weights) -> dict[str, torch.Tensor]:
    """ln(1/τ) and, after SigLIP's training, the bias: each one number, of no or of one axis."""
    head = {key: weights.tensor(key) for key in HEAD if key in weights.keys()}  # noqa: SIM118
    if "logit_scale" not in head:
        raise CheckpointError("It has no logit_scale, so it is no whole CLIP.")
    for key, tensor in head.items():
        if tensor.numel() != 1 or weights.dtype(key) not in FLOATS or not tensor.isfinite():
            raise CheckpointError(
                f"{key} is one finite number, and not {weights.dtype(key)} {list(tensor.shape)}."
            )
    if (scale := float(head["logit_scale"])) > LARGEST_SCALE:
        raise CheckpointError(
            f"logit_scale is ln(1/τ), at most ln 100 = 4.6, but here it is {scale:g}, which looks "
            "like 1/τ itself. Store its logarithm."
        )
    return {key: tensor.reshape(()) for key, tensor in head.items()}


def read_image_encoder(
    weights: Weights, place: Place, path: Path, dtype: torch.dtype
) -> ImageEncoder:
    """The image encoder among open weights, in their dtype."""
    keys = [key for key in weights.keys() if is_image(key)]  # noqa: SIM118
    if not keys:
        raise CheckpointError(
            "It holds no image encoder. A text encoder alone is opened by load_text_encoder."
        )
    layout = "openai" if keys[0].startswith("visual.") else "hf"
    stored = Stored(weights, keys, layout, IMAGE)
    settings = encoder_settings(path.parent, layout, "image", weights.metadata)
    config = infer_image_config(stored, settings, place)
    return stored.fill(lambda: image_encoder(config), dtype)


def infer_image_config(
    stored: Stored, said: Settings, place: Place
) -> CLIPVisionConfig | CLIPResNetConfig:
    """The configuration that the shapes show; what they do not show is taken from what was said."""
    if is_resnet(key.removeprefix("visual.") for key in stored.shapes):
        return infer_resnet_config(stored, said)
    D, _, P, _ = stored.size("embeddings.patch_embedding.weight", 4)
    places = stored.size("embeddings.position_embedding.weight")[0] - 1
    E = stored.size("visual_projection.weight")[stored.layout == "openai"]
    S, N = P * round(places**0.5), count_layers(stored.shapes)
    mlp_width = stored.size("encoder.layers.0.mlp.fc1.weight")[0]
    shown = {"width": D, "layers": N, "mlp_width": mlp_width, "projection": E}
    said.agree(shown | {"image_size": S, "patch_size": P})
    conclude(said, {"heads": max(1, D // 64), "activation": "quick_gelu"}, stored.weights, place)
    return CLIPVisionConfig(
        S, P, D, said["heads"], N, mlp_width, projection=E, activation=said["activation"]
    )


def infer_resnet_config(stored: Stored, said: Settings) -> CLIPResNetConfig:
    places = stored.size("attnpool.positional_embedding")[0] - 1
    blocks = {m[0] for m in re.finditer(r"visual\.layer\d\.\d+\.", " ".join(stored.shapes))}
    one, two, three, four = (sum(f".layer{n}." in block for block in blocks) for n in (1, 2, 3, 4))
    layers = (one, two, three, four)
    width = stored.size("conv3.weight", 4)[0]
    E, S = stored.size("attnpool.c_proj.weight")[0], 32 * round(places**0.5)
    said.agree({"image_size": S, "width": width, "projection": E, "layers": layers})
    heads = {"heads": said["heads"]} if "heads" in said else {}  # or OpenAI's rule
    return CLIPResNetConfig(S, width, E, layers, **heads)


def read_tokenizer(folder: Path, vocab_size: int) -> CLIPTokenizer | None:
    """The tokenizer beside the weights; else CLIP's own, where the vocabulary is as large."""
    beside = any((folder / name).is_file() for name in ("merges.txt", "tokenizer.json"))
    tokenizer = CLIPTokenizer.load(folder) if beside else CLIPTokenizer()
    if tokenizer.vocab_size == vocab_size:
        return tokenizer
    if beside:
        raise CheckpointError(
            f"The tokenizer beside it has {tokenizer.vocab_size:,} entries, but the text encoder "
            f"knows {vocab_size:,} ids: they do not belong together."
        )
    return None
