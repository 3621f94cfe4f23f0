"""Weights go to files and come back, in every layout; what is wrong with a file is named."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cliplab.checkpoints import CheckpointError, files, load_text_encoder, save_text_encoder
from cliplab.checkpoints.layouts import LAYOUTS, from_layout, to_layout
from cliplab.checkpoints.places import find
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

DATA = Path(__file__).parent / "data"
IDS = [[48, 7, 0, 31, 49, 49], [48, 3, 9, 1, 22, 49]]


def make(projection=None, heads=3) -> CLIPTextModel:
    torch.manual_seed(0)
    model = CLIPTextModel(CLIPTextConfig(50, 9, 12, heads, 2, 20, projection=projection)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(std=0.3)
    return model


def same(a: CLIPTextModel, b: CLIPTextModel) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


# --- there and back -------------------------------------------------------------------------------


@pytest.mark.parametrize("projection", [None, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_round_trip(layout, projection, tmp_path):
    model = make(projection)
    for path in (tmp_path / "folder", tmp_path / "file.safetensors"):
        file = save_text_encoder(model, path, layout)
        with safe_open(file, framework="pt") as stored:
            assert [place.layout for place in find(stored.keys())] == [layout]
        back = load_text_encoder(path)
        assert back.config == model.config
        assert same(back, model)
        assert not back.training
        assert all(p.requires_grad and p.is_contiguous() for p in back.parameters())
        assert torch.equal(back(IDS).context, model(IDS).context)
        assert same(load_text_encoder(save_text_encoder(back, path, layout)), model)
    assert sorted(p.name for p in (tmp_path / "folder").iterdir()) == (
        ["config.json", "model.safetensors"] if layout.startswith("hf") else ["model.safetensors"]
    )


def test_the_names_of_each_layout():
    state = make(5).state_dict()
    openai = to_layout(state, "openai")
    assert set(openai) == {
        "token_embedding.weight", "positional_embedding", "ln_final.weight", "ln_final.bias",
        "text_projection",
        *(f"transformer.resblocks.{n}.{name}" for n in range(2) for name in (
            "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight",
            "attn.out_proj.bias", "ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias",
            "mlp.c_fc.weight", "mlp.c_fc.bias", "mlp.c_proj.weight", "mlp.c_proj.bias")),
    }  # fmt: skip
    attn = "encoder.layers.1.self_attn."
    in_proj = openai["transformer.resblocks.1.attn.in_proj_weight"]  # rows q, k, v
    assert torch.equal(in_proj[12:24], state[attn + "k_proj.weight"])
    assert torch.equal(openai["text_projection"], state["text_projection.weight"].T)
    assert set(to_layout(state, "open_clip-custom")) == {f"text.{key}" for key in openai}
    old = to_layout(state, "hf-old")
    assert "text_projection.weight" in old
    assert all(key.startswith(("text_model.", "text_projection.")) for key in old)
    for layout in LAYOUTS:
        back = from_layout(to_layout(state, layout), layout)
        assert all(torch.equal(back[key], state[key]) for key in state | back)


@pytest.mark.parametrize("projection", [None, 5])
@pytest.mark.parametrize("layout", ["hf", "hf-old"])
def test_transformers_opens_what_is_saved(layout, projection, tmp_path):
    model = make(projection)
    save_text_encoder(model, tmp_path, layout)
    name = "CLIPTextModelWithProjection" if projection else "CLIPTextModel"
    there, info = getattr(transformers, name).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    out = there(torch.tensor(IDS))
    torch.testing.assert_close(out.last_hidden_state, model(IDS).context, rtol=0, atol=1e-5)
    if projection:
        torch.testing.assert_close(out.text_embeds, model(IDS).text_embeds, rtol=0, atol=1e-5)


def tiny_transformers_config(**changes):
    return transformers.CLIPTextConfig(
        vocab_size=50, hidden_size=12, intermediate_size=20, num_hidden_layers=2,
        num_attention_heads=3, max_position_embeddings=9, bos_token_id=48, eos_token_id=49,
        **changes,
    )  # fmt: skip


def test_what_transformers_and_diffusers_save_is_opened(tmp_path):
    torch.manual_seed(1)
    there = transformers.CLIPTextModel(tiny_transformers_config()).eval()
    pipeline = tmp_path / "pipeline"
    there.save_pretrained(pipeline / "text_encoder")
    (pipeline / "model_index.json").write_text("{}")
    for path in (pipeline, str(pipeline / "text_encoder")):
        here = load_text_encoder(path)
        assert here.config == CLIPTextConfig(50, 9, 12, 3, 2, 20, eos_token_id=49)
        expected = there(torch.tensor(IDS)).last_hidden_state
        torch.testing.assert_close(here(IDS).context, expected, rtol=0, atol=1e-5)


def test_a_whole_clip_is_opened_and_its_image_tower_left_alone(tmp_path):
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
              "num_attention_heads": 2, "image_size": 8, "patch_size": 4}  # fmt: skip
    config = transformers.CLIPConfig(
        text_config=tiny_transformers_config().to_dict(), vision_config=vision, projection_dim=7
    )
    there = transformers.CLIPModel(config).eval()
    there.save_pretrained(tmp_path)
    here = load_text_encoder(tmp_path)
    assert here.config.projection == 7
    expected = there.get_text_features(torch.tensor(IDS)).pooler_output
    torch.testing.assert_close(here(IDS).text_embeds, expected, rtol=0, atol=1e-5)

    openai = to_layout(make(5).state_dict(), "openai") | {
        "visual.conv1.weight": torch.zeros(4, 3, 2, 2),
        "logit_scale": torch.tensor(4.6),
    }
    save_file({key: t.contiguous() for key, t in openai.items()}, tmp_path / "whole.safetensors")
    (tmp_path / "config.json").unlink()
    assert same(load_text_encoder(tmp_path / "whole.safetensors", heads=3), make(5))


def test_dtype_and_device(tmp_path):
    path = save_text_encoder(make(), tmp_path)
    assert load_text_encoder(path, dtype=torch.bfloat16)(IDS).context.dtype == torch.bfloat16
    half = save_text_encoder(make().half(), tmp_path / "half")
    assert load_text_encoder(half)(IDS).context.dtype == torch.float16
    assert load_text_encoder(half, dtype=torch.float32)(IDS).context.dtype == torch.float32
    assert load_text_encoder(path, device="meta").final_layer_norm.weight.is_meta


def test_saving_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = save_text_encoder(make(), tmp_path / "x.safetensors")
    before = path.read_bytes()

    def fails(weights, part, metadata):
        Path(part).write_bytes(b"half of it")
        raise OSError("the disk is full")

    monkeypatch.setattr("cliplab.checkpoints.save.save_file", fails)
    with pytest.raises(OSError, match="the disk is full"):
        save_text_encoder(make(5), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]
    monkeypatch.undo()
    with path.open("rb") as reader:  # whoever is reading goes on reading the old file
        save_text_encoder(make(5), path)
        assert reader.read() == before
    assert path.read_bytes() != before


# --- heads ----------------------------------------------------------------------------------------


def test_heads_are_said_or_follow_openais_rule_or_are_asked_for(tmp_path):
    def bare(width, heads):
        model = CLIPTextModel(CLIPTextConfig(50, 9, width, heads, 1, 20))
        path = tmp_path / f"{width}.safetensors"
        save_file({key: t.clone() for key, t in model.state_dict().items()}, path)
        return path

    assert load_text_encoder(bare(128, 4)).config.heads == 2
    assert load_text_encoder(bare(128, 4), heads=4).config.heads == 4
    with pytest.raises(CheckpointError, match=r"does not fit a width of 12\. Pass heads="):
        load_text_encoder(bare(12, 3))
    with pytest.raises(CheckpointError, match="must split evenly into heads"):
        load_text_encoder(bare(12, 3), heads=5)


# --- what is wrong is named -----------------------------------------------------------------------


def broken(tmp_path, change, layout="hf") -> Path:
    state = {key: t.clone() for key, t in to_layout(make().state_dict(), layout).items()}
    change(state)
    path = tmp_path / "broken.safetensors"
    save_file(state, path)
    return path


def test_everything_wrong_is_named_in_one_error(tmp_path):
    def change(state):
        del state["final_layer_norm.bias"]
        state["encoder.layers.0.mlp.fc3.weight"] = torch.zeros(1)
        state["encoder.layers.1.mlp.fc2.bias"] = torch.zeros(13)
        state["encoder.layers.1.mlp.fc1.bias"] = torch.zeros(20, dtype=torch.int64)

    with pytest.raises(CheckpointError) as caught:
        load_text_encoder(broken(tmp_path, change), heads=3)
    for sentence in (
        "broken.safetensors",
        "missing keys (1): final_layer_norm.bias",
        "unexpected keys (1): encoder.layers.0.mlp.fc3.weight",
        "wrong shapes (1): encoder.layers.1.mlp.fc2.bias is [13], not [12]",
        "dtypes that are not floating point (1): encoder.layers.1.mlp.fc1.bias is I64",
    ):
        assert sentence in str(caught.value)


def test_errors_use_the_files_own_names_and_stop_at_eight(tmp_path):
    def change(state):
        for key in [key for key in state if ".resblocks.0." in key and "c_fc.weight" not in key]:
            del state[key]

    with pytest.raises(CheckpointError) as caught:
        load_text_encoder(broken(tmp_path, change, "openai"), heads=3)
    message = str(caught.value)
    assert "missing keys (11): transformer.resblocks.0." in message
    assert message.count("transformer.resblocks.0.") == 8
    assert message.endswith(" and 3 more.")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda s: s.pop("embeddings.position_embedding.weight"),
            "Without embeddings",
        ),
        (
            lambda s: s.update({k: t.half() for k, t in s.items() if "fc1" in k}),
            "mixes F16, F32",
        ),
        (lambda s: [s.pop(k) for k in list(s)] and s.update(a=torch.zeros(1)), "first keys: a"),
        (lambda s: s.update({"text_projection.weight": torch.zeros(5, 11)}), r"\[5, 11\], not"),
    ],
)
def test_other_faults(change, sentence, tmp_path):
    with pytest.raises(CheckpointError, match=sentence):
        load_text_encoder(broken(tmp_path, change), heads=3)


def test_a_layer_number_out_of_nowhere_is_refused_at_once(tmp_path):
    weights = to_layout(make().state_dict(), "hf")
    weights["encoder.layers.3000000.mlp.fc1.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / "odd.safetensors")
    with pytest.raises(CheckpointError, match="numbered up to 3000000, and layer 2 is missing"):
        load_text_encoder(tmp_path / "odd.safetensors", heads=3)


def test_an_eos_outside_the_vocabulary_loads_as_transformers_writes_it(tmp_path):
    sizes = {"vocab_size": 99, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 1}
    theirs = transformers.CLIPTextConfig(num_attention_heads=3, **sizes)  # eos_token_id is 49407
    transformers.CLIPTextModel(theirs).save_pretrained(tmp_path)
    out = load_text_encoder(tmp_path)([[98, 5, 97]])
    assert out.context.shape == (1, 3, 12)
    with pytest.raises(ValueError, match="no EOS"):
        _ = out.pooled


def test_a_folder_does_not_mix_two_models(tmp_path):
    save_text_encoder(make(), tmp_path)
    with pytest.raises(CheckpointError, match=r"holds a config\.json"):
        save_text_encoder(make(), tmp_path, "openai")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"hidden_act": "gelu_new"},
            "'gelu_new' of the text encoder, but this encoder computes with 'quick_gelu' or 'gelu'",
        ),
        ({"layer_norm_eps": 1e-6}, "layer_norm_eps"),
        ({"hidden_size": 16}, "hidden_size = 16 of the text encoder, but the weights show 12"),
    ],
)
def test_config_json_must_agree(said, sentence, tmp_path):
    save_text_encoder(make(), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | said))
    with pytest.raises(CheckpointError, match=sentence):
        load_text_encoder(tmp_path)
    path.write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        load_text_encoder(tmp_path)


def test_pickles_are_refused_unopened(tmp_path):
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(b"never read")
    with pytest.raises(CheckpointError, match="opening a pickle runs whatever code is in it"):
        load_text_encoder(path)
    with pytest.raises(CheckpointError, match=r"model\.safetensors\. It holds pytorch_model\.bin"):
        load_text_encoder(tmp_path)


def test_files_that_are_not_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"\xff" * 64)
    with pytest.raises(CheckpointError, match="not a sound safetensors file"):
        load_text_encoder(path)
    whole = save_text_encoder(make(), tmp_path / "whole.safetensors").read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(CheckpointError, match="not a sound safetensors file"):
        load_text_encoder(path)


def test_unknown_names_and_layouts(tmp_path):
    with pytest.raises(CheckpointError, match=r"no model 'sd16'\. Known by name: mini, sd15\."):
        load_text_encoder("sd16")
    with pytest.raises(CheckpointError, match="no layout 'tensorflow'"):
        save_text_encoder(make(), tmp_path, "tensorflow")


def test_sd15_without_a_network_says_what_to_do(tmp_path):
    code = "import cliplab; cliplab.load_text_encoder('sd15')"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    last = answer.stderr.strip().splitlines()[-1]
    assert "The weights of 'sd15'" in last
    assert "Connect once and run this again, give the path of a copy" in last


def test_sd15_is_one_pinned_revision(monkeypatch, tmp_path):
    asked = []

    def fetch(repository, name, revision):
        asked.append((repository, name, revision))
        return str(tmp_path / "model.safetensors")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    assert files.find_weights("sd15") == tmp_path / "model.safetensors"
    assert {name for _, name, _ in asked} == {
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
    }
    assert {(repository, len(revision)) for repository, _, revision in asked} == {
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", 40)
    }


# --- other people's numbers -----------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["a1111", "comfyui", "compel"])
def test_three_tools_computed_the_same_context(tool, tiny_clip):
    """A random encoder, and what each tool made of an unweighted prompt with it."""
    stored = load_file(DATA / "tiny_clip.safetensors")
    context = tiny_clip(stored[f"{tool}.ids"]).context
    torch.testing.assert_close(context[0], stored[f"{tool}.context"], rtol=0, atol=1e-5)


@pytest.mark.skipif(
    importlib.util.find_spec("open_clip") is None,
    reason="open_clip is not installed, and better not: the torchvision that it needs breaks "
    "transformers beside a CPU torch. Put it into a folder of its own, and that on PYTHONPATH",
)
def test_open_clip_computes_the_same(tmp_path):
    library = torch.library.Library("torchvision", "DEF")  # or torchvision asks for its C++ half
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import open_clip

    text = {"context_length": 9, "vocab_size": 50, "width": 128, "heads": 2, "layers": 2}
    vision = {"image_size": 8, "layers": 1, "width": 64, "patch_size": 4}
    ids = torch.tensor([[48, 3, 49, 0, 0, 0, 0, 0, 0]])
    for kind in (open_clip.CLIP, open_clip.CustomTextCLIP):
        there = kind(5, vision, text, quick_gelu=True).eval()
        save_file(there.state_dict(), tmp_path / "open_clip.safetensors")
        here = load_text_encoder(tmp_path / "open_clip.safetensors")
        expected = there.encode_text(ids)
        torch.testing.assert_close(here(ids).text_embeds, expected, rtol=0, atol=1e-5)
