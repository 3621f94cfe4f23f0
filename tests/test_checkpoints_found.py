"""Files as people find them: wrapped, in one file with others, sharded, damaged, with settings."""

import json
import warnings

import pytest
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cliplab import (
    CLIP,
    CheckpointError,
    CheckpointWarning,
    CLIPVisionConfig,
    CLIPVisionModel,
    load_clip,
    load_text_encoder,
    save_clip,
)
from cliplab.checkpoints.layouts import to_layout
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

IDS = [[48, 7, 0, 31, 49, 49], [48, 3, 9, 1, 22, 49]]


def make(projection=None, activation="quick_gelu", seed=0, width=64) -> CLIPTextModel:
    torch.manual_seed(seed)
    config = CLIPTextConfig(50, 9, width, 1, 2, 20, projection=projection, activation=activation)
    model = CLIPTextModel(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.3)
    return model


def state(model, layout="hf", prefix="") -> dict[str, torch.Tensor]:
    """Tensors of their own under the names of a layout, behind a prefix."""
    named = to_layout(model.state_dict(), layout)
    return {prefix + key: tensor.clone().contiguous() for key, tensor in named.items()}


def write(path, *states):
    save_file({key: t for one in states for key, t in one.items()}, path)
    return path


def same(a: CLIPTextModel, b: CLIPTextModel) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def said_of(path, **how) -> tuple[CLIPTextModel, str]:
    """A loaded encoder, and all that was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = load_text_encoder(path, **how)
    assert all(w.category is CheckpointWarning and w.filename == __file__ for w in caught)
    return model, " ".join(str(w.message) for w in caught)


# --- wrapped, and several in one file -------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "layout"),
    [
        ("module.", "hf"),
        ("state_dict.", "hf-old"),
        ("model.module.", "openai"),
        ("_orig_mod.", "open_clip-custom"),
        ("clip.", "openai"),
        ("net.text_encoder.", "hf"),
        ("cond_stage_model.transformer.", "hf-old"),
        ("cond_stage_model.model.", "openai"),
        ("text_encoders.clip_l.transformer.", "hf-old"),
        ("text.", "hf-old"),
        ("my-own.wrapper.0.", "open_clip-custom"),
    ],
)
def test_a_prefix_is_left_out_and_named(prefix, layout, tmp_path):
    model = make(5)
    path = write(tmp_path / "x.safetensors", state(model, layout, prefix))
    back, said = said_of(path)
    assert same(back, model)
    assert f"without the prefix {prefix!r}" in said
    assert said.startswith(str(path))


def single_file(tmp_path, extra=None):
    """As Stable Diffusion's single files are, with the first of each other part's keys."""
    return write(
        tmp_path / "sd.safetensors",
        state(make(), "hf-old", "cond_stage_model.transformer."),
        {
            "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(9)[
                None
            ],
            "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(4, 4, 3, 3),
            "model.diffusion_model.time_embed.0.bias": torch.zeros(4),
            "first_stage_model.encoder.conv_in.weight": torch.zeros(4, 3, 3, 3),
            # diffusion's moving averages, whose names have lost their dots
            "model_ema.cond_stage_modeltransformertext_modelfinal_layer_normweight": torch.ones(64),
            "alphas_cumprod": torch.zeros(8),
        }
        | (extra or {}),
    )


def test_a_single_file_of_stable_diffusion(tmp_path):
    model, said = said_of(single_file(tmp_path))
    assert same(model, make())
    assert "prefix 'cond_stage_model.transformer.'" in said
    assert "left alone: 2 of model, 1 of alphas_cumprod, 1 of first_stage_model, 1 of" in said
    assert "nothing beside it says" not in said  # what lies there is known


def test_what_lies_at_a_known_place_has_that_places_activation(tmp_path):
    for prefix, layout, activation in (
        ("cond_stage_model.model.", "openai", "gelu"),
        ("conditioner.embedders.1.model.", "openai", "gelu"),
        ("text_encoders.clip_g.transformer.", "hf-old", "gelu"),
        ("text_encoders.clip_l.transformer.", "hf-old", "quick_gelu"),
    ):
        path = write(tmp_path / "x.safetensors", state(make(5), layout, prefix))
        model, said = said_of(path)
        assert model.config.activation == activation
        assert "nothing beside" not in said


@pytest.mark.parametrize(
    "prefixes",
    [
        ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
        ("text_encoders.clip_l.transformer.", "text_encoders.clip_g.transformer."),
        ("", "ema."),
        ("student.", "teacher."),
    ],
)
def test_several_encoders_are_listed_and_one_is_chosen(prefixes, tmp_path):
    models = [make(seed=1), make(5, seed=2)]
    layouts = ["hf-old", "openai" if prefixes[1].endswith("model.") else "hf-old"]
    parts = [state(m, k, p) for m, k, p in zip(models, layouts, prefixes, strict=True)]
    path = write(tmp_path / "x.safetensors", *parts)
    with pytest.raises(CheckpointError, match="It holds 2 text encoders") as caught:
        load_text_encoder(path)
    for prefix, model in zip(prefixes, models, strict=True):
        assert f"prefix={prefix!r}" in str(caught.value)
        assert same(said_of(path, prefix=prefix)[0], model)
        assert same(said_of(path, prefix=prefix.removesuffix("."))[0], model)
    with pytest.raises(CheckpointError, match=r"no encoder at 'clip\.'; there is prefix="):
        load_text_encoder(path, prefix="clip.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s, p: s.pop(f"{p}final_layer_norm.bias"), r"missing keys \(1\): .*norm\.bias"),
        (lambda s, p: s.update({f"{p}head.weight": torch.ones(1)}), r"unexpected .*head\.weight"),
        (
            lambda s, p: s.update({f"{p}encoder.layers.1.mlp.fc2.bias": torch.ones(7)}),
            r"fc2\.bias is \[7\], not \[64\]",
        ),
        (
            lambda s, p: s.pop(f"{p}embeddings.token_embedding.weight"),
            r"Without .*token_embedding\.weight",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["module.", "cond_stage_model.transformer."])
def test_faults_are_named_behind_a_prefix_as_well(prefix, change, words, tmp_path):
    weights = state(make(), "hf-old", prefix)
    change(weights, f"{prefix}text_model.")
    with pytest.raises(CheckpointError, match=words):
        load_text_encoder(write(tmp_path / "x.safetensors", weights))


# --- what is no text encoder ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", "is a LoRA"),
        ("text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight", "is a LoRA"),
        ("text_model.encoder.layers.0.mlp.fc1.lora_linear_layer.up.weight", "is a LoRA"),
        ("lora_unet_mid_block_attentions_0.hada_w1_a", "is a LoRA or of that kind"),
        ("model.diffusion_model.input_blocks.0.0.weight", "but a U-Net"),
        ("down_blocks.1.attentions.0.norm.weight", "but a U-Net"),
        ("decoder.mid.block_1.conv1.weight", "but a VAE"),
        ("encoder.block.0.layer.0.SelfAttention.q.weight", "but a T5"),
        ("text_encoders.t5xxl.transformer.encoder.block.3.layer.1.x.weight", "but a T5"),
        ("bert.encoder.layer.0.attention.self.query.weight", "but an encoder of BERT's kind"),
        ("model.layers.0.self_attn.q_proj.weight", "but a language model"),
        ("emb_params", r"but learned words \(textual inversion\)"),
        ("vision_model.encoder.layers.0.mlp.fc1.weight", "but an image encoder"),
        ("odd", "Its first keys: odd"),
    ],
)
def test_what_it_holds_instead_is_named(key, words, tmp_path):
    path = write(tmp_path / "x.safetensors", {key: torch.zeros(2, 2)})
    for load in (load_text_encoder, load_clip):
        with pytest.raises(CheckpointError, match=words):
            load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest of a zip", "is a pickle, and opening a pickle runs"),
        (b"\x80\x02}q\x00.", "is a pickle, and opening a pickle runs"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
        (b"<!doctype html><html>", "is a page of the web"),
        (b"GGUF\x03\x00", "is a GGUF file"),
        (b"\xff" * 64, "is not a sound safetensors file"),
        (b"", "is not a sound safetensors file"),
    ],
)
def test_what_only_looks_like_safetensors(content, words, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    for where in (path, tmp_path):
        with pytest.raises(CheckpointError, match=words):
            load_text_encoder(where)


@pytest.mark.parametrize("nested", [True, False])
def test_a_pickle_is_converted_as_the_refusal_says(nested, tmp_path, monkeypatch):
    weights = state(make(), "hf")
    torch.save({"epoch": 3, "state_dict": weights} if nested else weights, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="convert it once, where you trust it") as caught:
        load_text_encoder(tmp_path / "x.ckpt")
    advice = str(caught.value).split("where you trust it: ")[1].rstrip(".")
    monkeypatch.chdir(tmp_path)
    lines = advice.replace("FILE", "'x.ckpt'").split(", then ")
    exec("import torch, safetensors.torch\n" + "\n".join(lines), {})
    assert same(load_text_encoder("model.safetensors", activation="quick_gelu"), make())


# --- numbers in other forms -----------------------------------------------------------------------


def test_a_projection_by_the_other_layouts_name(tmp_path):
    model = make(5)
    weights = state(model, "hf-old")
    weights["text_projection"] = weights.pop("text_projection.weight").T.contiguous()
    assert same(said_of(write(tmp_path / "a.safetensors", weights))[0], model)
    for layout, key in (("openai", ""), ("open_clip-custom", "text.")):
        weights = state(model, layout)
        turned = weights.pop(f"{key}text_projection").T.contiguous()
        weights[f"{key}text_projection.weight"] = turned
        assert same(said_of(write(tmp_path / "b.safetensors", weights))[0], model)
    weights = state(model, "hf")
    weights["text_projection.weight"] = weights["text_projection.weight"].T.contiguous()
    with pytest.raises(CheckpointError, match=r"text_projection\.weight is \[64, 5\], not"):
        load_text_encoder(write(tmp_path / "c.safetensors", weights))


@pytest.mark.parametrize("kind", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_fp8_is_called_by_its_name(kind, tmp_path):
    weights = state(make(), "hf")
    for key in [key for key in weights if "mlp" in key and key.endswith("weight")]:
        weights[key] = weights[key].to(kind)
    name = {torch.float8_e4m3fn: "F8_E4M3", torch.float8_e5m2: "F8_E5M2"}[kind]
    for dtype in (None, torch.float32):
        with pytest.raises(CheckpointError) as caught:
            load_text_encoder(write(tmp_path / "x.safetensors", weights), dtype=dtype)
        assert "8-bit floating point (fp8)" in str(caught.value)
        assert f"encoder.layers.0.mlp.fc1.weight is {name}" in str(caught.value)
        assert "not floating point" not in str(caught.value)


@pytest.mark.parametrize("kinds", [(torch.float16, torch.float32), (torch.bfloat16, torch.float32)])
def test_mixed_precision_is_a_choice(kinds, tmp_path):
    weights = {k: t.to(kinds["norm" in k]) for k, t in state(make()).items()}
    path = write(tmp_path / "x.safetensors", weights)
    with pytest.raises(CheckpointError, match=r"it mixes .*: choose with dtype=…"):
        load_text_encoder(path)
    model, _ = said_of(path, dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}


# --- shards and variants --------------------------------------------------------------------------


def shard(folder, weights, count, stem="model", variant="") -> dict[str, str]:
    """Every count-th tensor into a shard; the index beside them."""
    folder.mkdir(exist_ok=True)
    names = [f"{stem}{variant}-{i + 1:05}-of-{count:05}.safetensors" for i in range(count)]
    where = {key: names[i % count] for i, key in enumerate(weights)}
    for name in names:
        write(folder / name, {key: t for key, t in weights.items() if where[key] == name})
    index = folder / f"{stem}.safetensors.index{variant}.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    return where


@pytest.mark.parametrize("variant", ["", ".fp16"])
@pytest.mark.parametrize("count", [2, 5])
def test_shards_with_an_index(count, variant, tmp_path):
    shard(tmp_path / "x", state(make(5), "hf-old"), count, variant=variant)
    index = tmp_path / "x" / f"model.safetensors.index{variant}.json"
    for path in (tmp_path / "x", index):
        assert same(said_of(path)[0], make(5))


def test_transformers_shards(tmp_path):
    sizes = {"vocab_size": 50, "hidden_size": 64, "intermediate_size": 20, "num_hidden_layers": 2}
    config = transformers.CLIPTextConfig(num_attention_heads=4, hidden_act="gelu", **sizes)
    theirs = transformers.CLIPTextModel(config).eval()
    theirs.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len([*tmp_path.glob("model-*.safetensors")]) > 2
    model, said = said_of(tmp_path)
    assert said == ""
    expected = theirs(torch.tensor(IDS)).last_hidden_state
    torch.testing.assert_close(model(IDS).context, expected, rtol=0, atol=1e-5)


def test_faults_of_shards(tmp_path):
    weights = state(make(), "hf")
    where = shard(tmp_path / "x", weights, 3)
    index = tmp_path / "x" / "model.safetensors.index.json"
    one = tmp_path / "x" / "model-00002-of-00003.safetensors"
    with pytest.raises(CheckpointError, match="is one of 3 shards"):
        load_text_encoder(one)
    kept = one.read_bytes()
    one.unlink()
    with pytest.raises(CheckpointError, match=r"Of its 3 shards model-00002-of-00003\.safetensors"):
        load_text_encoder(tmp_path / "x")
    one.write_bytes(kept)
    lost = next(iter(where))
    index.write_text(json.dumps({"weight_map": {k: v for k, v in where.items() if k != lost}}))
    with pytest.raises(CheckpointError, match=f"does not list tensors .*1.: {lost}"):
        load_text_encoder(tmp_path / "x")
    index.write_text(json.dumps({"weight_map": where | {"more": one.name}}))
    with pytest.raises(CheckpointError, match=r"lists tensors that its shards do not hold .*more"):
        load_text_encoder(tmp_path / "x")
    index.write_text(json.dumps({"weight_map": where | {lost: "../../elsewhere.safetensors"}}))
    with pytest.raises(CheckpointError, match="files that do not lie beside it"):
        load_text_encoder(tmp_path / "x")
    index.write_text("{}")
    with pytest.raises(CheckpointError, match="It is no index of shards"):
        load_text_encoder(tmp_path / "x")
    index.unlink()
    with pytest.raises(CheckpointError, match="Shards are read through their index"):
        load_text_encoder(tmp_path / "x")


@pytest.mark.parametrize("name", ["model.fp16", "model.bf16", "clip_l", "open_clip_model"])
def test_the_only_file_of_a_folder_is_meant(name, tmp_path):
    write(tmp_path / f"{name}.safetensors", state(make(), "hf"))
    (tmp_path / "._model.safetensors").write_bytes(b"what macOS leaves")
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")
    assert same(said_of(tmp_path)[0], make())


def test_of_two_variants_one_is_chosen(tmp_path):
    for name, kind in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
        weights = {k: t.to(kind) for k, t in state(make()).items()}
        write(tmp_path / f"model.{name}.safetensors", weights)
    with pytest.raises(CheckpointError, match=r"It holds model\.bf16.*, model\.fp16.*one of them"):
        load_text_encoder(tmp_path)
    model, _ = said_of(tmp_path / "model.bf16.safetensors")
    assert model.final_layer_norm.weight.dtype == torch.bfloat16


# --- whole CLIPs ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    text = make(10, "gelu")
    image = CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 2, 2, 40, 10, activation="gelu"))
    return CLIP(text, image).eval()


def rewrite(file, change):
    """The tensors of a file under other names, its metadata kept."""
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
    save_file({change(key): t for key, t in load_file(file).items()}, file, metadata)


@pytest.mark.parametrize("prefix", ["module.", "model._orig_mod.", "state_dict.clip."])
@pytest.mark.parametrize("layout", ["hf", "openai", "open_clip-custom"])
def test_a_whole_clip_behind_a_prefix(layout, prefix, clip, tmp_path):
    rewrite(save_clip(clip, tmp_path, layout), lambda key: prefix + key)
    with pytest.warns(CheckpointWarning, match="without the prefix") as caught:
        back = load_clip(tmp_path)
    assert [w.filename for w in caught] == [__file__]
    left, right = clip.state_dict(), back.state_dict()
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)
    assert back.text_model.config == clip.text_model.config
    assert load_clip(tmp_path, prefix=prefix).image_model.config == clip.image_model.config


def test_two_whole_clips_in_one_file(clip, tmp_path):
    """Averaged weights beside the trained ones, and a text encoder that is no CLIP's."""
    file = save_clip(clip, tmp_path)
    weights = load_file(file)
    ema = {f"ema.{key}": t + 1 for key, t in weights.items()}
    write(file, weights, ema, state(make(), "hf", "teacher."))
    with pytest.raises(
        CheckpointError, match=r"holds 2 whole CLIPs\. .*'ema\.' \S+, prefix='' \S+$"
    ):
        load_clip(tmp_path)
    assert load_clip(tmp_path, prefix="").logit_scale == clip.logit_scale
    assert load_clip(tmp_path, prefix="ema").logit_scale == clip.logit_scale + 1


@pytest.mark.parametrize("layout", ["hf", "openai"])
def test_the_image_projection_by_another_name(layout, clip, tmp_path):
    file = save_clip(clip, tmp_path, layout)
    weights = load_file(file)
    name, other = {
        "hf": ("visual_projection.weight", "visual_projection"),
        "openai": ("visual.proj", "visual.proj.weight"),
    }[layout]
    weights[other] = weights.pop(name).T.contiguous()
    with safe_open(file, framework="pt") as opened:
        metadata = opened.metadata()
    save_file(weights, file, metadata)
    back = load_clip(tmp_path).image_model.visual_projection.weight
    assert torch.equal(back, clip.image_model.visual_projection.weight)


def test_an_image_encoder_of_shards(clip, tmp_path):
    weights = load_file(save_clip(clip, tmp_path))
    (tmp_path / "model.safetensors").unlink()
    shard(tmp_path, weights, 3)
    assert load_clip(tmp_path).image_model.config == clip.image_model.config
