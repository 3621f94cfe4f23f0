"""Settings beside weights are heeded or refused; open_clip and transformers compute the same."""

import json

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import cliplab
from cliplab import (
    CLIP,
    CheckpointError,
    CheckpointWarning,
    load_clip,
    load_text_encoder,
    save_clip,
)
from cliplab.checkpoints.beside import read_preprocess
from cliplab.image_encoder import CLIPVisionConfig, CLIPVisionModel, Preprocess
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel
from tests.oracle import open_clip_or_skip

IDS = [[48, 7, 0, 31, 49], [48, 3, 9, 1, 49]]
MEAN, STD = [0.4, 0.5, 0.6], [0.3, 0.2, 0.25]


def sharpen(model):
    """Weights far from those of a fresh model, so that another activation or head count shows."""
    torch.manual_seed(7)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.2 * torch.randn_like(p) if p.ndim < 2 else 0.08 * torch.randn_like(p))
    return model.eval()


# --- open_clip's own folder -----------------------------------------------------------------------


VISION = {"image_size": 32, "layers": 2, "width": 160, "patch_size": 8}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
OPEN_CLIPS = {
    "quick_gelu": {"embed_dim": 24, "quick_gelu": True, "vision_cfg": VISION | {"head_width": 80}},
    "gelu": {"embed_dim": 24, "vision_cfg": VISION | {"width": 128}},
    "head_width": {"embed_dim": 40, "vision_cfg": VISION | {"head_width": 20, "mlp_ratio": 2.5}},
    "custom": {
        "embed_dim": 24,
        "custom_text": True,
        "vision_cfg": VISION | {"head_width": 40, "patch_dropout": 0.5},
        "text_cfg": TEXT | {"mlp_ratio": 3.0, "heads": 4},
    },
    "sigmoid": {
        "embed_dim": 24,
        "init_logit_bias": -10,
        "nonscalar_logit_scale": True,
        "vision_cfg": VISION | {"width": 128},
    },
    "resnet": {
        "embed_dim": 24,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 8, "head_width": 32},
    },
}


@pytest.mark.parametrize("kind", OPEN_CLIPS)
def test_the_folder_that_open_clip_saves(kind, tokenizer, tmp_path):
    open_clip = open_clip_or_skip()
    from open_clip.push_to_hf_hub import save_for_hf

    model_cfg = {"text_cfg": TEXT} | OPEN_CLIPS[kind]
    (tmp_path / f"{kind}.json").write_text(json.dumps(model_cfg))
    open_clip.add_model_config(tmp_path / f"{kind}.json")
    theirs, _, transform = open_clip.create_model_and_transforms(
        kind, image_mean=tuple(MEAN), image_std=tuple(STD)
    )
    sharpen(theirs)
    tokenizer.save(tmp_path / "tokenizer")
    hf = open_clip.tokenizer.HFTokenizer(str(tmp_path / "tokenizer"), context_length=16)
    folder = tmp_path / "saved"
    save_for_hf(theirs, hf, model_cfg, str(folder), safe_serialization=True)

    clip = load_clip(folder)
    captions, picture = ["a red dog", "one cat"], Image.effect_noise((90, 70), 60).convert("RGB")
    with torch.no_grad():
        u = theirs.encode_text(hf(captions), normalize=True)
        v = theirs.encode_image(transform(picture)[None], normalize=True)
    torch.testing.assert_close(clip.encode_text(captions), u, rtol=0, atol=1e-5)
    torch.testing.assert_close(clip.encode_image(picture), v, rtol=0, atol=1e-5)
    assert clip.preprocess.mean == tuple(MEAN)
    torch.testing.assert_close(1 / clip.tau, theirs.logit_scale.exp().reshape(()))
    alone = load_text_encoder(folder)
    assert alone.config == clip.text_model.config
    again = load_clip(save_clip(clip, tmp_path / "again", "openai").parent)
    assert again.image_model.config == clip.image_model.config


# --- transformers' folder -------------------------------------------------------------------------


def transformers_clip(folder, text=(), vision=(), **processor):
    """A CLIP of transformers in its folder, with the processor as transformers 5 saves it."""
    sizes = {"hidden_size": 64, "intermediate_size": 40, "num_hidden_layers": 2}
    config = transformers.CLIPConfig(
        text_config=sizes
        | {"vocab_size": 520, "num_attention_heads": 4, "eos_token_id": 519, "hidden_act": "gelu"}
        | dict(text),
        vision_config=sizes
        | {"num_attention_heads": 8, "image_size": 32, "patch_size": 8, "hidden_act": "gelu"}
        | dict(vision),
        projection_dim=10,
    )
    theirs = sharpen(transformers.CLIPModel(config))
    theirs.save_pretrained(folder)
    square = {"height": 32, "width": 32}
    how = {"image_mean": MEAN, "image_std": STD, "size": {"shortest_edge": 32}, "crop_size": square}
    image_processor = transformers.CLIPImageProcessor(**how | processor)
    tokenizer = cliplab.CLIPTokenizer.train(["a red cat", "a blue dog"], vocab_size=520)
    tokenizer.save(folder)
    transformers.CLIPProcessor(
        image_processor, transformers.CLIPTokenizer.from_pretrained(folder)
    ).save_pretrained(folder)
    return theirs


@pytest.mark.parametrize(
    ("text", "image"),
    [("gelu", "gelu"), ("gelu", "quick_gelu"), ("quick_gelu", "gelu")],
)
def test_transformers_5_folder(text, image, tmp_path):
    theirs = transformers_clip(tmp_path, {"hidden_act": text}, {"hidden_act": image})
    names = {path.name for path in tmp_path.iterdir()}
    assert "processor_config.json" in names
    assert "preprocessor_config.json" not in names
    clip = load_clip(tmp_path)
    assert clip.preprocess == Preprocess(32, tuple(MEAN), tuple(STD))
    assert (clip.text_model.config.activation, clip.image_model.config.activation) == (text, image)
    processor = transformers.AutoProcessor.from_pretrained(tmp_path)
    picture = Image.effect_noise((50, 70), 60).convert("RGB")
    captions = ["a red dog", "a cat"]
    read = processor(text=captions, images=picture, return_tensors="pt", padding=True)
    with torch.no_grad():
        out = theirs(**read)
    torch.testing.assert_close(clip.encode_text(captions), out.text_embeds, rtol=0, atol=1e-5)
    torch.testing.assert_close(clip.encode_image(picture), out.image_embeds, rtol=0, atol=1e-5)
    back = load_clip(save_clip(clip, tmp_path / "again").parent)
    assert back.text_model.config == clip.text_model.config
    assert back.image_model.config == clip.image_model.config


def test_the_activation_shows():
    """What the tests above compare would differ with the other activation."""
    torch.manual_seed(0)
    pixels = torch.randn(2, 3, 32, 32)
    one = sharpen(CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 4, 2, 40, 10)))
    other = CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 4, 2, 40, 10, activation="gelu")).eval()
    other.load_state_dict(one.state_dict())
    difference = one(pixels).image_embeds - other(pixels).image_embeds
    assert difference.abs().max() > 1e-3


def test_gelu_is_torchs_and_traced_as_it_runs():
    config = CLIPTextConfig(50, 9, 64, 2, 2, 40, activation="gelu")
    model = sharpen(CLIPTextModel(config))
    with torch.no_grad():
        out, traced = model(IDS), model(IDS, trace=True)
    torch.testing.assert_close(traced.context, out.context, rtol=0, atol=1e-5)
    layer = "encoder.layers.1.mlp"
    bent = torch.nn.functional.gelu(traced.trace[f"{layer}.H_1"])
    assert torch.equal(traced.trace[f"{layer}.H_2"], bent)
    with pytest.raises(ValueError, match="activation is one of quick_gelu, gelu; not 'relu'"):
        CLIPTextConfig(50, 9, 64, 2, 2, 40, activation="relu")


# --- every key is used, has its value, or is of no account ----------------------------------------


@pytest.fixture(scope="module")
def clip():
    tokenizer = cliplab.CLIPTokenizer.train(["a red cat", "a blue dog"], vocab_size=520)
    text = CLIPTextModel(CLIPTextConfig(520, 16, 64, 4, 2, 40, projection=10, activation="gelu"))
    image = CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 2, 2, 40, 10, activation="gelu"))
    preprocess = Preprocess(32, tuple(MEAN), tuple(STD))
    return sharpen(CLIP(text, image, tokenizer=tokenizer, preprocess=preprocess))


def edit(path, where, key, value):
    """One key of a JSON file, in an object inside."""
    said = json.loads(path.read_text())
    inner = said
    for name in where:
        inner = inner[name]
    inner[key] = value
    path.write_text(json.dumps(said))


FILES = {  # the file, the object in it, and the layout that goes with it
    "text_config": ("config.json", ["text_config"], "hf"),
    "vision_config": ("config.json", ["vision_config"], "hf"),
    "config": ("config.json", [], "hf"),
    "model_cfg": ("open_clip_config.json", ["model_cfg"], "openai"),
    "text_cfg": ("open_clip_config.json", ["model_cfg", "text_cfg"], "openai"),
    "vision_cfg": ("open_clip_config.json", ["model_cfg", "vision_cfg"], "open_clip-custom"),
    "preprocess_cfg": ("open_clip_config.json", ["preprocess_cfg"], "openai"),
    "preprocessor": ("preprocessor_config.json", [], "hf"),
}


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("text_config", "hidden_act", "gelu_pytorch_tanh"),
        ("text_config", "layer_norm_eps", 1e-6),
        ("text_config", "hidden_size", 128),
        ("text_config", "model_type", "siglip_text_model"),
        ("text_config", "attention_bias", False),
        ("vision_config", "num_channels", 4),
        ("vision_config", "image_size", 64),
        ("vision_config", "hidden_act", "silu"),
        ("vision_config", "use_head", True),
        ("config", "model_type", "chinese_clip"),
        ("config", "projection_dim", 11),
        ("config", "quantization_config", {"load_in_8bit": True}),
        ("model_cfg", "embed_dim", 11),
        ("model_cfg", "multimodal_cfg", {"layers": 2}),
        ("model_cfg", "soft_prompt", 4),
        ("text_cfg", "pool_type", "last"),
        ("text_cfg", "no_causal_mask", True),
        ("text_cfg", "embed_cls", True),
        ("text_cfg", "proj_type", "mlp"),
        ("text_cfg", "proj_bias", True),
        ("text_cfg", "act_kwargs", {"approximate": "tanh"}),
        ("text_cfg", "norm_kwargs", {"eps": 1e-6}),
        ("text_cfg", "hf_model_name", "roberta-base"),
        ("text_cfg", "tokenizer_kwargs", {"clean": "canonicalize"}),
        ("text_cfg", "mlp_ratio", 4.0),
        ("text_cfg", "context_length", 77),
        ("vision_cfg", "timm_model_name", "vit_base_patch16_siglip_256"),
        ("vision_cfg", "pool_type", "avg"),
        ("vision_cfg", "attentional_pool", True),
        ("vision_cfg", "no_ln_pre", True),
        ("vision_cfg", "pos_embed_type", "sin_cos_2d"),
        ("vision_cfg", "ls_init_value", 1e-4),
        ("vision_cfg", "qk_norm", True),
        ("vision_cfg", "image_size", [32, 64]),
        ("preprocess_cfg", "resize_mode", "tallest"),
        ("preprocess_cfg", "interpolation", "bilinear"),
        ("preprocess_cfg", "size", 64),
        ("preprocess_cfg", "mean", [0.5]),
        ("preprocessor", "do_center_crop", False),
        ("preprocessor", "resample", 2),
        ("preprocessor", "size", {"height": 32, "width": 32}),
        ("preprocessor", "size", {"shortest_edge": 36}),
        ("preprocessor", "crop_size", {"height": 32, "width": 30}),
        ("preprocessor", "rescale_factor", 1.0),
        ("preprocessor", "image_std", "imagenet"),
        ("preprocessor", "image_processor_type", "SiglipImageProcessor"),
        ("preprocessor", "do_sharpen", True),
    ],
)
def test_what_cannot_be_heeded_is_refused_by_name(place, key, value, clip, tmp_path):
    file, where, layout = FILES[place]
    save_clip(clip, tmp_path, layout)
    load_clip(tmp_path)
    edit(tmp_path / file, where, key, value)
    with pytest.raises(CheckpointError) as caught:
        load_clip(tmp_path)
    says = json.dumps(value) if isinstance(value, dict | list) else repr(value)
    assert f"{file} says {key} = {says}" in str(caught.value)


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("text_config", "attention_dropout", 0.1),
        ("text_config", "top_k", 50),
        ("text_config", "_name_or_path", "me/mine"),
        ("text_config", "bad_words_ids", None),
        ("text_config", "projection_dim", 512),
        ("vision_config", "initializer_range", 0.1),
        ("config", "text_config_dict", None),
        ("config", "transformers_version", "4.16.0"),
        ("model_cfg", "init_logit_scale", 2.6),
        ("text_cfg", "pool_type", "argmax"),
        ("text_cfg", "proj_type", "linear"),
        ("text_cfg", "hf_tokenizer_name", "openai/clip-vit-large-patch14"),
        ("vision_cfg", "patch_dropout", 0.5),
        ("vision_cfg", "image_size", [32, 32]),
        ("vision_cfg", "timm_model_name", None),
        ("preprocess_cfg", "resize_mode", "shortest"),
        ("preprocess_cfg", "fill_color", 0),
        ("preprocessor", "size", 32),
        ("preprocessor", "crop_size", 32),
        ("preprocessor", "feature_extractor_type", "CLIPFeatureExtractor"),
    ],
)
def test_what_changes_no_answer_is_no_hindrance(place, key, value, clip, tmp_path):
    file, where, layout = FILES[place]
    save_clip(clip, tmp_path, layout)
    edit(tmp_path / file, where, key, value)
    back = load_clip(tmp_path)
    picture = Image.effect_noise((50, 40), 60).convert("RGB")
    torch.testing.assert_close(
        back.encode_image(picture), clip.encode_image(picture), rtol=0, atol=1e-6
    )


def test_heads_and_activation_come_from_open_clips_file(clip, tmp_path):
    save_clip(clip, tmp_path, "openai")
    weights = load_file(tmp_path / "model.safetensors")
    save_file(weights, tmp_path / "model.safetensors")  # without metadata
    edit(tmp_path / "open_clip_config.json", ["model_cfg", "vision_cfg"], "head_width", 16)
    edit(tmp_path / "open_clip_config.json", ["model_cfg", "text_cfg"], "heads", 8)
    edit(tmp_path / "open_clip_config.json", ["model_cfg"], "quick_gelu", True)
    back = load_clip(tmp_path)
    assert (back.image_model.config.heads, back.text_model.config.heads) == (4, 8)
    assert back.text_model.config.activation == back.image_model.config.activation == "quick_gelu"


def test_old_dicts_beside_a_config_count(clip, tmp_path):
    """transformers 4 wrote text_config_dict, which goes before text_config."""
    save_clip(clip, tmp_path)
    edit(tmp_path / "config.json", [], "text_config_dict", {"hidden_act": "quick_gelu"})
    assert load_clip(tmp_path).text_model.config.activation == "quick_gelu"


def test_each_layout_has_a_file_of_its_own(clip, tmp_path):
    """Hubs keep both layouts in one folder."""
    save_clip(clip, tmp_path, "hf")
    save_clip(clip, tmp_path / "other", "openai")
    edit(tmp_path / "config.json", ["text_config"], "hidden_act", "quick_gelu")
    for name, at in (("open_clip_config", ".json"), ("model", ".safetensors")):
        new = f"open_clip_{name}" if name == "model" else name
        (tmp_path / "other" / f"{name}{at}").rename(tmp_path / f"{new}{at}")
    assert load_text_encoder(tmp_path).config.activation == "quick_gelu"
    other = load_text_encoder(tmp_path / "open_clip_model.safetensors")
    assert other.config.activation == "gelu"


def test_two_ways_to_read_pictures_are_one_too_many(clip, tmp_path):
    save_clip(clip, tmp_path, "openai")
    edit(tmp_path / "open_clip_config.json", ["preprocess_cfg"], "mean", [0.5, 0.5, 0.5])
    with pytest.raises(CheckpointError, match=r"in two ways .*_config\.json: .*open_clip"):
        load_clip(tmp_path)
    assert read_preprocess(tmp_path / "nowhere", 32) == Preprocess(32)


def test_what_nobody_says_is_noted(clip, tmp_path):
    save_clip(clip, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(weights, tmp_path / "alone.safetensors")
    (tmp_path / "config.json").unlink()
    with pytest.warns(CheckpointWarning, match="nothing beside it says how its") as caught:
        load_clip(tmp_path / "alone.safetensors")
    assert [w.filename for w in caught] == [__file__] * 2
    assert "this takes heads = 1 and activation = 'quick_gelu', as in" in str(caught[0].message)
    text = load_text_encoder(tmp_path / "alone.safetensors", heads=4, activation="gelu")
    assert text.config == clip.text_model.config


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.tensor(100.0), "looks like 1/τ itself"),
        (torch.tensor([1.0, 2.0]), r"logit_scale is one finite number, and not F32 \[2\]"),
        (torch.tensor(float("nan")), "one finite number"),
        (torch.tensor(4), r"and not I64 \[\]"),
    ],
)
def test_a_temperature_that_is_none(value, words, clip, tmp_path):
    file = save_clip(clip, tmp_path)
    save_file(load_file(file) | {"logit_scale": value}, file)
    with pytest.raises(CheckpointError, match=words):
        load_clip(tmp_path)
    for form in (torch.tensor(3.0), torch.tensor([3.0]), torch.tensor([[3.0]]).half()):
        save_file(load_file(file) | {"logit_scale": form}, file)
        assert load_clip(tmp_path).logit_scale == 3


def test_two_activations_are_nothing_for_open_clip(clip, tmp_path):
    image = CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 2, 2, 40, 10))
    mixed = CLIP(clip.text_model, image)
    with pytest.raises(CheckpointError, match="a file of open_clip's says one for both"):
        save_clip(mixed, tmp_path, "openai")
    assert load_clip(save_clip(mixed, tmp_path).parent).image_model.config == image.config
