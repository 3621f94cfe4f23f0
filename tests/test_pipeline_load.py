"""load_pipeline: names and folders, nothing random, nothing from the network, every fault named."""

from __future__ import annotations

import json
import shutil
import sys
import warnings

import pytest
import tiny_pipeline
import torch
from safetensors.torch import load_file, save_file

from cliplab.checkpoints import CheckpointError, files
from cliplab.checkpoints.files import NAMES
from cliplab.extras import MissingExtra
from cliplab.pipeline import generate, load, load_pipeline

UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def built(transformers_tokenizer, small_config):
    return tiny_pipeline.build(transformers_tokenizer, small_config)


@pytest.fixture(scope="module")
def saved(built, tokenizer, tmp_path_factory):
    """The tiny pipeline as diffusers saves it, with the tokenizer's files as SD 1.5 has them."""
    folder = tmp_path_factory.mktemp("saved") / "tiny"
    built.save_pretrained(folder)
    tokenizer.save(folder / "tokenizer")
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy to break."""
    return shutil.copytree(saved, tmp_path / "tiny")


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def state(model) -> dict:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_a_folder(built, saved, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe = load_pipeline(saved)
    assert type(pipe).__name__ == "StableDiffusionPipeline"
    assert pipe.safety_checker is None
    assert capfd.readouterr() == ("", "")  # no bars, no notes
    for part in load.WEIGHTS:
        assert not getattr(pipe, part).training
        ours, theirs = state(getattr(pipe, part)), state(getattr(built, part))
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    made = [generate(p, "a (red:1.2) fox", steps=2).latents[-1] for p in (pipe, built)]
    assert torch.equal(*made)


def test_diffusers_opens_it_too(saved):
    """What is loaded here is nothing but a diffusers folder."""
    from diffusers import StableDiffusionPipeline

    theirs = StableDiffusionPipeline.from_pretrained(saved, safety_checker=None)
    theirs.set_progress_bar_config(disable=True)
    ours = load_pipeline(str(saved))
    how = {"num_inference_steps": 2, "output_type": "latent", "prompt": "a fox"}
    made = [p(generator=torch.Generator().manual_seed(0), **how).images for p in (ours, theirs)]
    assert torch.equal(*made)


def test_dtype(saved):
    pipe = load_pipeline(saved, dtype=torch.bfloat16, device="cpu")
    assert {getattr(pipe, part).dtype for part in load.WEIGHTS} == {torch.bfloat16}


def test_half_precision_files(folder):
    """A folder that holds the fp16 variant alone opens in any type."""
    for part in load.WEIGHTS:
        as_variant(folder, part, "fp16", torch.float16)
    assert variants_in(folder, torch.float32) == ["fp16"] * 3
    assert load_pipeline(folder, dtype=torch.float32).unet.dtype == torch.float32
    assert load_pipeline(folder, dtype=torch.float16).unet.dtype == torch.float16


def as_variant(folder, part, variant, dtype):
    """A part's weights as a variant of its own, and no longer as the plain ones."""
    path = folder / load.weights_file(part, None)
    cast = {
        name: t.to(dtype) if t.is_floating_point() else t for name, t in load_file(path).items()
    }
    save_file(cast, folder / load.weights_file(part, variant), {"format": "pt"})
    path.unlink()


def variants_in(folder, dtype) -> list[str | None]:
    return [variant for variant, _ in load.weights_in(folder, dtype).values()]


def test_which_variant(saved, folder):
    assert variants_in(saved, torch.float16) == [None] * 3  # nothing else is there
    for part in load.WEIGHTS:
        whole = folder / load.weights_file(part, None)
        shutil.copy(whole, folder / load.weights_file(part, "fp16"))
    assert variants_in(folder, torch.float16) == ["fp16"] * 3
    assert variants_in(folder, torch.float32) == [None] * 3


@pytest.mark.parametrize(
    ("part", "variant", "dtype"),
    [
        ("unet", "fp16", torch.float16),
        ("vae", "bf16", torch.bfloat16),
        ("text_encoder", "ema", torch.float32),
    ],
)
def test_a_variant_of_one_part(part, variant, dtype, folder):
    as_variant(folder, part, variant, dtype)
    pipe = load_pipeline(folder, device="cpu")
    assert {getattr(pipe, one).dtype for one in load.WEIGHTS} == {torch.float32}


def test_of_several_variants_none_is_guessed(folder):
    weights = folder / load.weights_file("unet", None)
    for variant in ("ema", "non_ema"):
        shutil.copy(weights, folder / load.weights_file("unet", variant))
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"there is .*\.non_ema\.safe.*, .*\.ema\.safe"):
        load_pipeline(folder)


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_shards(folder, saved, variant):
    """As diffusers and transformers write them."""
    pipe = load_pipeline(saved)
    for part in load.WEIGHTS:
        (folder / load.weights_file(part, None)).unlink()
        getattr(pipe, part).save_pretrained(folder / part, max_shard_size="60KB", variant=variant)
        assert len([*(folder / part).glob("*-of-*.safetensors")]) > 1
    again = load_pipeline(folder)
    for part in load.WEIGHTS:
        ours, theirs = state(getattr(again, part)), state(getattr(pipe, part))
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    next((folder / "unet").glob("*-00002-of-*")).unlink()
    with pytest.raises(CheckpointError, match=r"Of its \d+ shards .* cannot be found"):
        load_pipeline(folder)


# A file


def single_file(path, *keys):
    save_file({key: torch.zeros(2, 2) for key in keys}, path)
    return path


L = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
U = "model.diffusion_model.input_blocks.0.0.weight"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            [L, U],
            r"single file of Stable Diffusion.*from_single_file\('.*x\.safetensors'\)\.save_pr",
        ),
        ([L, U], r"Text encoders open as they are: load_text_encoder\('.*x\.safetensors'\)\.$"),
        (
            [
                U,
                L.replace("cond_stage_model", "conditioner.embedders.0"),
                "conditioner.embedders.1.model.token_embedding.weight",
            ],
            r"SDXL.*prefix='conditioner\.embedders\.0\.transformer\.'\), .*\.1\.model\.'\)\.$",
        ),
        (["text_model.encoder.layers.0.mlp.fc1.bias"], "is no pipeline but a text encoder"),
        (["lora_unet_down_blocks_0.lora_up.weight"], "is a LoRA"),
        (["decoder.up_blocks.0.resnets.0.conv1.weight"], "is a file, and no folder .* but a VAE"),
        ([U], r"single file of Stable Diffusion.*\.save_pretrained\(FOLDER\)\.$"),
    ],
)
def test_a_file_is_told_apart(keys, said, tmp_path):
    path = single_file(tmp_path / "x.safetensors", *keys)
    with pytest.raises(CheckpointError, match=said):
        load_pipeline(path)


def test_what_a_refusal_says_exists():
    from diffusers import StableDiffusionPipeline

    assert callable(StableDiffusionPipeline.from_single_file)
    assert callable(StableDiffusionPipeline.save_pretrained)


def test_a_pickle_and_a_folder_without_an_index(folder, tmp_path):
    (tmp_path / "v1-5.ckpt").write_bytes(b"never read")
    with pytest.raises(CheckpointError, match=r"v1-5\.ckpt is a pickle, and opening a pickle runs"):
        load_pipeline(tmp_path / "v1-5.ckpt")
    with pytest.raises(CheckpointError, match=r"no model_index\.json.*holds config\.json, model"):
        load_pipeline(folder / "text_encoder")


# "sd15"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """huggingface_hub's cache, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_sd15_without_network_or_copy(cache):
    with pytest.raises(CheckpointError) as caught:
        load_pipeline("sd15", device="cpu")
    said = str(caught.value)
    begin = "The weights of 'sd15' (stable-diffusion-v1-5/stable-diffusion-v1-5, 4.3 GB in full"
    assert said.startswith(begin)
    assert "could not be fetched" in said
    assert "Connect once and run this again, give the path of a copy" in said
    assert "\n" not in said


def test_sd15_from_the_cache(cache, saved, folder):
    """The pinned revision's files are found without a question to anybody."""
    edit(
        folder / "model_index.json",
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
    )
    for name in load.TOKENIZER:
        (folder / "tokenizer" / name).touch()
    (folder / "tokenizer" / "special_tokens_map.json").write_text("{}")
    repository, revision = NAMES["sd15"]
    place = cache / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    shutil.copytree(folder, place)
    with pytest.warns(UserWarning, match="safety checker of this model is left out") as said:
        pipe = load_pipeline("sd15", device="cpu")
    assert said[0].filename == __file__
    assert generate(pipe, "a fox", steps=1).guidance == 7.5
    (place / UNET).unlink()
    with pytest.raises(CheckpointError, match="could not be fetched"):
        load_pipeline("sd15", device="cpu")


# "mini"


def test_the_mini_when_it_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setattr(files.resources, "files", lambda package: tmp_path)
    with pytest.raises(CheckpointError, match=r"not in this copy of the package.*Train one"):
        load_pipeline("mini")


# Where it runs


@pytest.mark.parametrize(
    ("cuda", "mps", "device", "half"),
    [(True, False, "cuda", True), (False, True, "mps", False), (False, False, "cpu", False)],
)
@pytest.mark.parametrize("memory", [8, 24])
def test_device_and_memory(saved, monkeypatch, cuda, mps, device, half, memory):
    """A GPU is imagined; what it would get is looked at."""
    from diffusers import StableDiffusionPipeline

    gpu = type("Properties", (), {"total_memory": memory * 2**30})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: gpu)
    moved = []
    monkeypatch.setattr(StableDiffusionPipeline, "to", lambda pipe, d: moved.append(d) or pipe)
    pipe = load_pipeline(saved)
    assert [d.type for d in moved] == [device]
    assert pipe.unet.dtype == (torch.float16 if half else torch.float32)
    assert pipe.vae.use_slicing == (device != "cpu")
    assert pipe.vae.use_tiling == (device == "cuda" and memory < 10)


def test_the_mini_stays_on_the_cpu(saved, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(load, "find_folder", lambda name, dtype: saved)
    pipe = load_pipeline("mini")
    assert pipe.device.type == "cpu"
    assert pipe.unet.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu(saved):
    pipe = load_pipeline(saved)
    assert pipe.device.type == "cuda"
    assert pipe.unet.dtype == torch.float16
    here, there = (
        generate(p, "a fox", steps=2) for p in (load_pipeline(saved, device="cpu"), pipe)
    )
    assert torch.equal(there.latents[0].cpu(), here.latents[0].half())


# Faults


def change_weights(folder, part, change):
    path = folder / load.weights_file(part, None)
    weights = load_file(path)
    change(weights, next(key for key in sorted(weights) if key.endswith(".bias")))
    save_file(weights, path, {"format": "pt"})


@pytest.mark.parametrize("part", load.WEIGHTS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w, key: w.pop(key), r"missing keys \(1\): \S+\.bias\."),
        (lambda w, key: w.update({key: torch.zeros(3)}), r"\S+\.bias is \[3\], not \["),
        (lambda w, key: w.update({"odd.weight": torch.zeros(3)}), r"keys \(1\): odd\.weight"),
        (
            lambda w, key: w.update({key: w[key].to(torch.float8_e4m3fn)}),
            r"8-bit floating point \(fp8\).*\(1\): \S+\.bias is F8_E4M3",
        ),
        (lambda w, key: w.update({key: w[key].to(torch.int8)}), "not floating .*bias is I8"),
    ],
    ids=["missing", "shape", "unexpected", "fp8", "int8"],
)
def test_faults_of_weights_in_every_part(part, change, said, folder):
    change_weights(folder, part, change)
    with pytest.raises(CheckpointError, match=said) as caught:
        load_pipeline(folder)
    assert str(caught.value).count(str(folder)) == 1


def test_no_fault(folder):
    """What old files hold beside weights, and mixed precision, which becomes one."""

    def mix(weights, key):
        weights[key] = weights[key].to(torch.bfloat16)

    change_weights(folder, "unet", mix)
    change_weights(
        folder,
        "text_encoder",
        lambda w, _: w.update({"text_model.embeddings.position_ids": torch.arange(77)[None]}),
    )
    pipe = load_pipeline(folder, device="cpu")
    assert {p.dtype for p in pipe.unet.parameters()} == {torch.float32}


@pytest.mark.parametrize("part", load.WEIGHTS)
def test_a_setting_that_nobody_knows(part, folder):
    edit(folder / part / "config.json", odd_setting=3)
    with pytest.raises(CheckpointError, match=r"settings .* not known \(1\): odd_setting"):
        load_pipeline(folder)


def is_a_pickle(folder):
    (folder / UNET).unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")


def names_code(folder):
    """A component that would be imported from the folder."""
    edit(folder / "model_index.json", scheduler=["evil", "Scheduler"])
    (folder / "scheduler" / "evil.py").write_text("raise SystemExit('This code ran.')")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (is_a_pickle, f"{UNET} is missing. Pickles"),
        (names_code, "diffusers cannot open"),
        (lambda f: (f / UNET).write_bytes(b"no weights"), "is not a sound safetensors file"),
        (lambda f: (f / "model_index.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "model_index.json").write_text("[]"), "no JSON object"),
        (
            lambda f: edit(f / "model_index.json", _class_name="StableDiffusionXLPipeline"),
            "holds a StableDiffusionXLPipeline; this course opens a StableDiffusionPipeline",
        ),
        (lambda f: (f / "scheduler" / "scheduler_config.json").unlink(), "diffusers cannot open"),
        (lambda f: shutil.rmtree(f / "vae"), "vae/diffusion_pytorch_model.safetensors is missing"),
        (shutil.rmtree, "There is no model .*Known by name: mini, sd15"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_faults(folder, fault, said):
    fault(folder)
    with pytest.raises(CheckpointError, match=said):
        load_pipeline(folder)


def test_parts_that_do_not_belong_together(saved, monkeypatch):
    pipe = load_pipeline(saved)
    pipe.unet.register_to_config(cross_attention_dim=768)
    with pytest.raises(CheckpointError, match=r"text encoder.s width is 32, the U-Net.s .* 768"):
        load.require_fit(pipe, saved)


def test_without_diffusers(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(MissingExtra, match=r"diffusers .* pip install \"cliplab\[pipeline\]\""):
        load_pipeline(saved)
