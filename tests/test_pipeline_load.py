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
        path = folder / load.weights_file(part, None)
        halved = {
            name: t.half() if t.is_floating_point() else t for name, t in load_file(path).items()
        }
        save_file(halved, folder / load.weights_file(part, "fp16"), {"format": "pt"})
        path.unlink()
    assert load.variant_in(folder, torch.float32) == "fp16"
    assert load_pipeline(folder, dtype=torch.float32).unet.dtype == torch.float32
    assert load_pipeline(folder, dtype=torch.float16).unet.dtype == torch.float16


def test_which_variant(saved, folder):
    assert load.variant_in(saved, torch.float16) is None  # nothing else is there
    for part in load.WEIGHTS:
        whole = folder / load.weights_file(part, None)
        shutil.copy(whole, folder / load.weights_file(part, "fp16"))
    assert load.variant_in(folder, torch.float16) == "fp16"
    assert load.variant_in(folder, torch.float32) is None


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


def lacks_a_weight(folder):
    weights = load_file(folder / UNET)
    del weights["conv_in.bias"]
    save_file(weights, folder / UNET, {"format": "pt"})


def has_a_wrong_shape(folder):
    weights = load_file(folder / UNET)
    weights["conv_in.bias"] = torch.zeros(3)
    save_file(weights, folder / UNET, {"format": "pt"})


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
        (lacks_a_weight, "lack conv_in.bias"),
        (has_a_wrong_shape, "conv_in.bias"),
        (is_a_pickle, f"{UNET} is missing. Pickles"),
        (names_code, "diffusers cannot open"),
        (lambda f: (f / UNET).write_bytes(b"no weights"), "diffusers cannot open"),
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
