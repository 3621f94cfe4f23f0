"""A whole CLIP goes to a folder and comes back; transformers and open_clip open the same folder."""

import functools
import json
from dataclasses import replace

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import cliplab
from cliplab import (
    CLIP,
    CheckpointError,
    CLIPResNetConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    load_clip,
    load_text_encoder,
    save_clip,
    save_text_encoder,
)
from cliplab.checkpoints import files
from cliplab.contrastive import image_encoder
from cliplab.image_encoder import Preprocess
from tests.oracle import open_clip_or_skip

TOWERS = {
    "vit": CLIPVisionConfig(32, 8, 128, 2, 2, 192, 20),
    "resnet": CLIPResNetConfig(64, 4, 20, layers=(1, 2, 1, 1)),
}
KINDS = [
    ("vit", "hf"),
    ("vit", "openai"),
    ("vit", "open_clip-custom"),
    ("resnet", "openai"),
    ("resnet", "open_clip-custom"),
]


@pytest.fixture(scope="module")
def vocabulary() -> CLIPTokenizer:
    return CLIPTokenizer.train(["a red cat", "a blue dog", "one more thing"], vocab_size=530)


def make(kind: str, tokenizer: CLIPTokenizer, **settings) -> CLIP:
    """Weights, statistics and temperature that no initialization leaves."""
    torch.manual_seed(0)
    V, image = tokenizer.vocab_size, TOWERS[kind]
    text = CLIPTextModel(CLIPTextConfig(V, 16, 128, 2, 2, 160, projection=20))
    white = Preprocess(image.image_size, (0.5, 0.4, 0.3), (0.5, 0.6, 0.7))
    settings = {"tokenizer": tokenizer, "preprocess": white} | settings
    clip = CLIP(text, image_encoder(image), **settings)
    with torch.no_grad():
        for p in clip.parameters():
            p.add_(0.2 * torch.randn_like(p) if p.ndim < 2 else 0.02 * torch.randn_like(p))
        for name, b in clip.named_buffers():
            if "running" in name:
                b.add_(torch.rand_like(b))
    return clip.eval()


def inputs(clip: CLIP) -> tuple[torch.Tensor, torch.Tensor]:
    S = clip.image_model.config.image_size
    generator = torch.Generator().manual_seed(0)
    return clip.ids(["a red dog", "one cat"]), torch.randn(3, 3, S, S, generator=generator)


def same(a: CLIP, b: CLIP) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


# --- there and back -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "layout"), KINDS)
def test_round_trip(kind, layout, vocabulary, tmp_path):
    clip = make(kind, vocabulary)
    file = save_clip(clip, tmp_path, layout)
    back = load_clip(tmp_path)
    assert same(back, clip)
    assert not back.training
    assert all(p.requires_grad and p.is_contiguous() for p in back.parameters())
    assert back.text_model.config == clip.text_model.config
    assert back.image_model.config == clip.image_model.config
    assert back.preprocess == clip.preprocess
    assert back.tokenizer.vocabulary == clip.tokenizer.vocabulary
    # Equal weights that lie elsewhere in memory: equal up to the order of a kernel's sums.
    close = functools.partial(torch.testing.assert_close, rtol=0, atol=1e-6)
    close(back.encode_text("a red dog"), clip.encode_text("a red dog"))
    picture = Image.new("RGB", (70, 80), "teal")
    close(back.encode_image(picture), clip.encode_image(picture))
    # The text half alone, out of the same file.
    text = load_text_encoder(file)
    assert text.config == clip.text_model.config
    close(text([[1, 2, 529]]).context, clip.text_model([[1, 2, 529]]).context)
    assert same(load_clip(save_clip(back, tmp_path, layout)), clip)


def test_the_layout_follows_the_tower(vocabulary, tmp_path):
    for kind, config in (("vit", "config.json"), ("resnet", "open_clip_config.json")):
        save_clip(make(kind, vocabulary), tmp_path / kind)
        names = sorted(p.name for p in (tmp_path / kind).iterdir())
        tokenizer = ["merges.txt", "tokenizer_config.json", "vocab.json"]
        weights = ["model.safetensors", "preprocessor_config.json"]
        assert names == sorted([config, *weights, *tokenizer])


def test_half_the_size(vocabulary, tmp_path):
    clip = make("resnet", vocabulary)
    stored = load_file(save_clip(clip, tmp_path, dtype=torch.float16))
    kinds = {key: tensor.dtype for key, tensor in stored.items()}
    assert kinds["visual.conv1.weight"] == kinds["token_embedding.weight"] == torch.float16
    exact = [k for k in kinds if k == "logit_scale" or "running" in k]
    assert {kinds[k] for k in exact} == {torch.float32}
    assert len(exact) == 1 + 2 * sum("running_var" in k for k in kinds)
    back = load_clip(tmp_path)
    assert {p.dtype for p in back.parameters()} == {torch.float32}
    assert torch.equal(back.tau, clip.tau)
    for ours, half in zip(clip(*inputs(clip)), back(*inputs(back)), strict=True):
        torch.testing.assert_close(half, ours, rtol=0, atol=5e-3)
    assert load_clip(tmp_path, dtype=torch.bfloat16).logit_scale.dtype == torch.bfloat16


def test_a_sigmoid_clip_keeps_its_bias(vocabulary, tmp_path):
    clip = make("vit", vocabulary, sigmoid=True)
    for layout in ("hf", "openai"):
        assert torch.equal(
            load_clip(save_clip(clip, tmp_path / layout, layout)).logit_bias, clip.logit_bias
        )


def test_a_temperature_of_one_axis(vocabulary, tmp_path):
    """open_clip can store it so."""
    clip = make("resnet", vocabulary)
    file = save_clip(clip, tmp_path)
    stored = load_file(file)
    save_file(stored | {"logit_scale": stored["logit_scale"].reshape(1)}, file)
    assert torch.equal(load_clip(tmp_path).logit_scale, clip.logit_scale)


# --- in other people's hands ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [None, torch.float16])
def test_transformers_opens_the_folder(dtype, vocabulary, tmp_path):
    clip = make("vit", vocabulary)
    save_clip(clip, tmp_path, dtype=dtype)
    clip = load_clip(tmp_path)
    theirs, loaded = transformers.CLIPModel.from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    assert not any(loaded.values())
    ids, pixels = inputs(clip)
    with torch.no_grad():
        out, (u, v) = theirs(input_ids=ids, pixel_values=pixels), clip(ids, pixels)
    torch.testing.assert_close(out.text_embeds, u, rtol=0, atol=1e-5)
    torch.testing.assert_close(out.image_embeds, v, rtol=0, atol=1e-5)
    S = cliplab.similarity_matrix(u, v, clip.tau)
    torch.testing.assert_close(out.logits_per_text, S, rtol=0, atol=1e-5)

    processor = transformers.AutoProcessor.from_pretrained(tmp_path)
    picture = Image.effect_noise((90, 70), 60).convert("RGB")
    read = processor(text=["a red dog"], images=picture, return_tensors="pt")
    assert read["input_ids"].tolist() == clip.ids(["a red dog"]).tolist()
    torch.testing.assert_close(
        torch.as_tensor(read["pixel_values"])[0], clip.preprocess(picture), rtol=0, atol=1e-5
    )


def test_transformers_own_folder_opens(tmp_path):
    config = transformers.CLIPConfig(
        text_config={
            "vocab_size": 60,
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "eos_token_id": 59,
        },
        vision_config={
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_hidden_layers": 2,
            "num_attention_heads": 3,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=10,
    )
    torch.manual_seed(0)
    theirs = transformers.CLIPModel(config).eval()
    theirs.save_pretrained(tmp_path)
    clip = load_clip(tmp_path)
    assert clip.tokenizer is None  # 60 ids are not CLIP's
    assert clip.preprocess == Preprocess(32)
    ids, pixels = torch.tensor([[58, 3, 59, 59], [58, 7, 8, 59]]), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        out, (u, v) = theirs(input_ids=ids, pixel_values=pixels), clip(ids, pixels)
    torch.testing.assert_close(u, out.text_embeds, rtol=0, atol=1e-5)
    torch.testing.assert_close(v, out.image_embeds, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_the_text_half_alone_goes_to_transformers(kind, vocabulary, tmp_path):
    clip = make(kind, vocabulary)
    save_text_encoder(clip.text_model, tmp_path)
    theirs = transformers.CLIPTextModelWithProjection.from_pretrained(tmp_path).eval()
    ids, _ = inputs(clip)
    with torch.no_grad():
        expected = theirs(input_ids=ids)
    out = clip.text_model(ids)
    torch.testing.assert_close(out.text_embeds, expected.text_embeds, rtol=0, atol=1e-5)
    torch.testing.assert_close(out.context, expected.last_hidden_state, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_open_clip_opens_the_folder(kind, vocabulary, tmp_path):
    open_clip = open_clip_or_skip()
    clip = make(kind, vocabulary)
    save_clip(clip, tmp_path, "openai")
    theirs = open_clip.create_model(f"local-dir:{tmp_path}").eval()
    ids, pixels = inputs(clip)
    padded = torch.zeros(len(ids), 16, dtype=torch.long)
    padded[:, : ids.shape[1]] = ids
    with torch.no_grad():
        (v_there, u_there, scale), (u, v) = theirs(pixels, padded)[:3], clip(ids, pixels)
    torch.testing.assert_close(u, u_there, rtol=0, atol=1e-5)
    torch.testing.assert_close(v, v_there, rtol=0, atol=1e-5)
    torch.testing.assert_close(1 / clip.tau, scale)
    # And back: open_clip's own state dict.
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    assert same(load_clip(tmp_path / "theirs.safetensors"), clip)


# --- what is wrong is named -----------------------------------------------------------------------


def test_a_residual_network_is_nothing_for_transformers(vocabulary, tmp_path):
    clip = make("resnet", vocabulary)
    with pytest.raises(CheckpointError, match="transformers has no residual network"):
        save_clip(clip, tmp_path, "hf")
    with pytest.raises(CheckpointError, match="no layout 'onnx' of a whole CLIP; there are hf"):
        save_clip(clip, tmp_path, "onnx")
    assert not list(tmp_path.iterdir())


def test_two_layouts_do_not_share_a_folder(vocabulary, tmp_path):
    clip = make("vit", vocabulary)
    for first, second, left in (
        ("hf", "openai", "config.json"),
        ("openai", "hf", "open_clip_config.json"),
    ):
        save_clip(clip, tmp_path / first, first)
        with pytest.raises(CheckpointError, match=f"holds a {left}"):
            save_clip(clip, tmp_path / first, second)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("visual.bn1.bias"), r"missing keys \(1\): visual\.bn1\.bias"),
        (
            lambda s: s.update({"visual.layer9.0.x": torch.ones(1)}),
            r"unexpected keys \(1\): visual\.layer9",
        ),
        (
            lambda s: s.update({"visual.layer1.0.conv1.weight": torch.ones(4, 4, 2, 1)}),
            r"visual\.layer1\.0\.conv1\.weight is \[4, 4, 2, 1\], not \[4, 4, 1, 1\]",
        ),
        (lambda s: s.pop("visual.conv3.weight"), r"Without visual\.conv3\.weight"),
        (lambda s: s.pop("logit_scale"), "no logit_scale, so it is no whole CLIP"),
        (
            lambda s: s.update({"visual.bn1.bias": torch.ones(2, dtype=torch.int32)}),
            r"not floating point \(1\): visual\.bn1\.bias is I32",
        ),
    ],
)
def test_a_damaged_file(change, message, vocabulary, tmp_path):
    file = save_clip(make("resnet", vocabulary), tmp_path)
    stored = load_file(file)
    change(stored)
    save_file(stored, file)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_clip(tmp_path)
    assert str(file) in str(caught.value)


def test_a_text_encoder_is_no_clip(vocabulary, tmp_path):
    save_text_encoder(make("vit", vocabulary).text_model, tmp_path)
    with pytest.raises(CheckpointError, match=r"no image encoder\. A text encoder alone is opened"):
        load_clip(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"), [("hidden_act", "relu"), ("patch_size", 16), ("layer_norm_eps", 1e-6)]
)
def test_another_mathematics_is_refused(key, value, vocabulary, tmp_path):
    save_clip(make("vit", vocabulary), tmp_path)
    path = tmp_path / "config.json"
    said = json.loads(path.read_text())
    said["vision_config"][key] = value
    path.write_text(json.dumps(said))
    with pytest.raises(CheckpointError, match=f"says {key} = {value!r} of the image encoder"):
        load_clip(tmp_path)


def test_files_beside_that_do_not_belong(vocabulary, tmp_path):
    save_clip(make("vit", vocabulary), tmp_path)
    path = tmp_path / "preprocessor_config.json"
    path.write_text("[]")
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json is no JSON object"):
        load_clip(tmp_path)
    path.unlink()
    assert load_clip(tmp_path).preprocess == Preprocess(32)
    CLIPTokenizer.train(["other words"], vocab_size=520).save(tmp_path)
    with pytest.raises(CheckpointError, match=r"has 520 entries, but the text encoder knows 530"):
        load_clip(tmp_path)


# --- the one that comes with the package ----------------------------------------------------------


def test_the_mini(vocabulary, tmp_path, monkeypatch):
    """By name, from wherever the package lies; its text half is loaded in float32."""
    clip = make("resnet", vocabulary)
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    for load in (load_clip, load_text_encoder):
        with pytest.raises(CheckpointError, match="The miniature CLIP is not in this copy"):
            load("mini")
    save_clip(clip, tmp_path / "assets" / "clip-mini", dtype=torch.float16)
    assert load_clip("mini").tokenizer.vocabulary == vocabulary.vocabulary
    text = load_text_encoder("mini")
    assert {p.dtype for p in text.parameters()} == {torch.float32}
    assert {p.dtype for p in load_text_encoder("mini", dtype=torch.float16).parameters()} == {
        torch.float16
    }


def test_how_pictures_become_squares_is_stored_in_words_that_others_know(vocabulary, tmp_path):
    """…and a CLIP that crops, as OpenAI's do, is stored as before there was a choice."""
    resnet = make("resnet", vocabulary)
    S = resnet.preprocess.image_size
    save_clip(resnet, tmp_path / "crops")
    said = {
        name: json.loads((tmp_path / "crops" / name).read_text())
        for name in ("open_clip_config.json", "preprocessor_config.json")
    }
    assert said["open_clip_config.json"]["preprocess_cfg"].keys() == {
        "mean",
        "std",
        "interpolation",
    }
    assert "resize_mode" not in said["preprocessor_config.json"]
    square = {"height": S, "width": S}
    for mode, size, fill in (("longest", {"longest_edge": S}, 7), ("squash", square, 255)):
        resnet.preprocess = replace(
            resnet.preprocess, resize_mode=mode, fill_color=fill, upright=True
        )
        save_clip(resnet, tmp_path / mode)
        placed = {"resize_mode": mode, "fill_color": fill, "upright": True}
        model = json.loads((tmp_path / mode / "open_clip_config.json").read_text())
        pictures = json.loads((tmp_path / mode / "preprocessor_config.json").read_text())
        assert model["preprocess_cfg"].items() >= placed.items()
        assert pictures.items() >= {**placed, "size": size, "do_center_crop": False}.items()
        assert load_clip(tmp_path / mode).preprocess == resnet.preprocess
        (tmp_path / mode / "preprocessor_config.json").unlink()
        assert load_clip(tmp_path / mode).preprocess == resnet.preprocess
