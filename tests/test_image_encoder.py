"""Image encoders: the same weights here, in transformers and in open_clip, the same numbers."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file

from cliplab import CLIPResNet, CLIPResNetConfig, CLIPVisionConfig, CLIPVisionModel
from cliplab.image_encoder import Preprocess
from cliplab.training.grad_cache import enable_gradient_checkpointing

# A random network of open_clip_torch 3.3.0, ModifiedResNet([1, 2, 1, 1], output_dim=12, heads=4,
# image_size=64, width=2), with normalizations far from the identity: its weights, three pictures,
# what it made of them in both modes, and, of the sum of squares in training mode, two gradients.
VECTORS = Path(__file__).parent / "data" / "open_clip_resnet.safetensors"


def far_from_fresh(model: torch.nn.Module) -> torch.nn.Module:
    """Weights that no initialization leaves, so that a forgotten bias or scale is seen."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p) if p.ndim == 1 else 0.02 * torch.randn_like(p))
    return model.eval()


# --- vision transformer ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        CLIPVisionConfig(32, 8, 48, 3, 3, 96, 20),
        # ViT-L/14's widths, heads and patches, with two of its layers and fewer of its pixels
        dataclasses.replace(CLIPVisionConfig.vit_l_14(), layers=2, image_size=56),
    ],
    ids=["mini", "ViT-L/14's width"],
)
def test_vision_transformer_computes_what_transformers_does(config):
    torch.manual_seed(0)
    theirs = far_from_fresh(
        transformers.CLIPVisionModelWithProjection(
            transformers.CLIPVisionConfig(
                hidden_size=config.width,
                intermediate_size=config.mlp_width,
                projection_dim=config.projection,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                image_size=config.image_size,
                patch_size=config.patch_size,
            )
        )
    )
    ours = CLIPVisionModel(config).eval()
    ours.load_state_dict(theirs.state_dict())  # strict: every name, every shape
    pixels = torch.randn(2, 3, config.image_size, config.image_size)
    with torch.no_grad():
        expected, out = theirs(pixels), ours(pixels)
    torch.testing.assert_close(out.image_embeds, expected.image_embeds, rtol=0, atol=1e-5)
    torch.testing.assert_close(out.features, expected.last_hidden_state, rtol=1e-5, atol=1e-5)
    assert repr(out) == (
        f"ImageEncoderOutput(image_embeds [2, {config.projection}], "
        f"features [2, {config.tokens}, {config.width}])"
    )


# --- residual network -----------------------------------------------------------------------------


def test_residual_network_computes_what_open_clip_does():
    stored = load_file(VECTORS)
    model = CLIPResNet(CLIPResNetConfig(64, 2, 12, layers=(1, 2, 1, 1), heads=4)).eval()
    weights = {k.removeprefix("weights."): t for k, t in stored.items() if k.startswith("weights.")}
    model.load_state_dict(weights)
    pixels = stored["pixels"].float()
    with torch.no_grad():
        torch.testing.assert_close(model(pixels).image_embeds, stored["eval"], rtol=0, atol=1e-5)
    v = model.train()(pixels).image_embeds
    torch.testing.assert_close(v.detach(), stored["train"], rtol=0, atol=1e-5)
    v.square().sum().backward()
    parameters, buffers = dict(model.named_parameters()), dict(model.named_buffers())
    for key, expected in stored.items():
        if key.startswith("train."):
            name = key.removeprefix("train.").removesuffix(".grad")
            found = parameters[name].grad if key.endswith(".grad") else buffers[name]
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


# --- sizes and first values -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "config", "count"),
    [
        (CLIPVisionModel, CLIPVisionConfig.mini(), 1_854_336),
        (CLIPVisionModel, CLIPVisionConfig.vit_b_32(), 87_849_216),
        (CLIPVisionModel, CLIPVisionConfig.vit_l_14(), 303_966_208),
        (CLIPResNet, CLIPResNetConfig.rn50(), 38_316_896),
    ],
)
def test_parameter_counts(model, config, count):
    """Those of OpenAI's models, and those that the docstrings name."""
    with torch.device("meta"):
        assert model(config).num_parameters() == count
    name = next(
        name
        for name in ("mini", "vit_b_32", "vit_l_14", "rn50")
        if getattr(type(config), name, lambda: None)() == config
    )
    assert f"{count:,}" in getattr(type(config), name).__doc__


def test_first_values_are_openais():
    torch.manual_seed(0)
    vit = CLIPVisionModel(CLIPVisionConfig(32, 2, 256, 4, 1, 512, 256))
    e, layer = vit.embeddings, vit.encoder.layers[0]
    for tensor in (e.class_embedding, e.position_embedding.weight, vit.visual_projection.weight):
        assert tensor.std().item() == pytest.approx(1 / 16, rel=0.15)
    joined = torch.nn.MultiheadAttention(256, 4)  # as OpenAI's blocks make theirs
    for proj in (layer.self_attn.q_proj, layer.self_attn.k_proj, layer.self_attn.v_proj):
        assert proj.weight.std().item() == pytest.approx(
            joined.in_proj_weight.std().item(), rel=0.1
        )
        assert proj.weight.abs().max() <= (6 / 1024) ** 0.5
        assert not proj.bias.any()
    assert not layer.self_attn.out_proj.bias.any()

    resnet = CLIPResNet(CLIPResNetConfig.mini())
    for name in ("q_proj", "k_proj", "v_proj", "c_proj"):
        std = getattr(resnet.attnpool, name).weight.std().item()
        assert std == pytest.approx(512**-0.5, rel=0.05)
    blocks = [resnet.layer1[0], resnet.layer2[0], resnet.layer3[0], resnet.layer4[0]]
    assert not any(block.bn3.weight.any() for block in blocks)
    # A fresh block is its shortcut.
    X = torch.randn(2, 16, 8, 8)
    torch.testing.assert_close(blocks[0](X), blocks[0].downsample(X).relu())


def test_openais_rule_for_heads():
    assert CLIPResNetConfig.rn50().heads == 32
    assert CLIPResNetConfig.mini().heads == 8
    assert CLIPResNetConfig(64, 2, 8).heads == 1  # 64 channels; below that there is still one
    assert CLIPResNetConfig(64, 2, 8, heads=4).heads == 4


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CLIPVisionConfig(30, 8, 48, 3, 3, 96, 20), "does not split evenly into patches"),
        (lambda: CLIPVisionConfig(32, 8, 50, 3, 3, 96, 20), "split evenly into heads, but 50 / 3"),
        (lambda: CLIPVisionConfig(32, 8, 48, 3, 0, 96, 20), "layers is a whole number"),
        (lambda: CLIPVisionConfig(32, 8, 48, 3, 2, 96, None), "projection is a whole number"),
        (lambda: CLIPVisionConfig(32, 8.0, 48, 3, 2, 96, 4), "patch_size is a whole number"),
        (lambda: CLIPResNetConfig(72, 16, 128), "72 pixels do not divide by 32"),
        (lambda: CLIPResNetConfig(64, 15, 128), "15 is odd"),
        (lambda: CLIPResNetConfig(64, 16.0, 128), "width is a whole number"),
        (
            lambda: CLIPResNetConfig(64, 16, 128, heads=7),
            "heads, but 512 / 7",
        ),
        (lambda: CLIPResNetConfig(64, 16, 128, layers=(1, 1, 1)), "blocks of four stages"),
        (lambda: CLIPResNetConfig(64, 16, 128, layers=(1, 1, 0, 1)), "blocks of four stages"),
    ],
)
def test_configurations_that_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "model",
    [
        CLIPVisionModel(CLIPVisionConfig(32, 16, 8, 1, 1, 8, 4)),
        CLIPResNet(CLIPResNetConfig(32, 2, 4, layers=(1, 1, 1, 1))),
    ],
    ids=["vit", "resnet"],
)
def test_pixels_that_cannot_be(model):
    for shape in ((1, 3, 64, 64), (1, 1, 32, 32), (1, 4, 32, 32), (3, 32, 32), (1, 32, 32, 3)):
        with pytest.raises(ValueError, match=r"pictures as \[B, 3, 32, 32\]"):
            model(torch.zeros(shape))
    with pytest.raises(
        ValueError, match=r"floating point numbers, normalized; these are torch\.uint8"
    ):
        model(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))


# --- preprocessing --------------------------------------------------------------------------------


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Patches of color and fine grain: what resizing and cropping would show mistakes in."""
    generator = torch.Generator().manual_seed(width)
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = torch.randint(0, 256, (height, width, channels), generator=generator)
    pixels[: height // 2, : width // 3] //= 4
    data = pixels.to(torch.uint8).numpy().tobytes()
    return Image.frombytes(mode, (width, height), data)


@pytest.mark.parametrize("size", [(300, 200), (64, 90), (50, 40), (224, 224), (97, 331)])
def test_pictures_are_read_as_transformers_reads_them(size):
    image = noise(*size)
    processor = transformers.models.clip.image_processing_pil_clip.CLIPImageProcessorPil(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}
    )
    expected = torch.as_tensor(processor(image, return_tensors="pt")["pixel_values"])[0]
    torch.testing.assert_close(Preprocess(64)(image), expected, rtol=0, atol=1e-5)


def test_transparent_parts_are_white():
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    half = Image.new("RGBA", (40, 40), (0, 0, 0, 128))
    palette = Image.new("P", (40, 40), 3)
    palette.info["transparency"] = 3
    plain = Preprocess(32, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    assert (plain(clear) == 1).all()
    assert (plain(palette) == 1).all()
    assert torch.allclose(plain(half), torch.tensor(127 / 255), atol=1e-6)
    assert torch.equal(plain(noise(40, 50, "L"))[0], plain(noise(40, 50, "L"))[2])


def test_normalize_is_the_last_step_of_it():
    image = noise(64, 64)
    plain = Preprocess(64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))(image)
    openai = Preprocess(64)
    assert torch.equal(openai.normalize(plain), openai(image))
    batch = torch.stack([plain, plain])
    assert torch.equal(openai.normalize(batch)[1], openai(image))


def test_what_is_no_picture_is_refused():
    with pytest.raises(TypeError, match="takes a PIL picture, not a str"):
        Preprocess(32)("cat.png")
    with pytest.raises(ValueError, match='more than 8 bits a channel \\(mode "I;16"\\)'):
        Preprocess(32)(Image.new("I;16", (40, 40)))


def test_import_needs_no_pil():
    code = "import cliplab.contrastive, sys; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# --- gradient checkpointing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: CLIPVisionModel(CLIPVisionConfig(32, 16, 16, 2, 2, 32, 4)),
        lambda: CLIPResNet(CLIPResNetConfig(32, 2, 4, layers=(1, 2, 1, 1))),
    ],
    ids=["transformer", "residual network"],
)
def test_checkpointing_changes_no_gradient_and_no_statistic(make):
    def run(checkpointed: bool):
        torch.manual_seed(0)
        model = far_from_fresh(make()).train()
        if checkpointed:
            enable_gradient_checkpointing(model)
        kept = []
        pixels = torch.randn(4, 3, 32, 32)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
            v = model(pixels).image_embeds
        v.square().sum().backward()
        statistics = {k: b for k, b in model.named_buffers() if "running" in k}
        return {k: p.grad for k, p in model.named_parameters()}, statistics, len(kept)

    gradients, statistics, many = run(checkpointed=False)
    again, kept_statistics, few = run(checkpointed=True)
    assert few < many  # or nothing was saved
    assert gradients.keys() == again.keys()
    for name in gradients:
        assert torch.equal(gradients[name], again[name]), name
    for name in statistics:
        assert torch.equal(statistics[name], kept_statistics[name]), name
