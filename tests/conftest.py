"""What holds for every test: one thread, no network, no deadline on a busy machine."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; kernels of notebooks inherit it
os.environ["HF_HUB_OFFLINE"] = "1"

import socket
from pathlib import Path

import hypothesis
import pytest
import torch
from safetensors.torch import load_file, save_file

import cliplab

torch.set_num_threads(1)
# In CI the same examples each time: a red run there is a fault of the change, not of the dice.
hypothesis.settings.register_profile("course", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("course")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that reaches beyond this machine fails."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise RuntimeError(f"This test asked the network for {address[0]}.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def tokenizer():
    return cliplab.CLIPTokenizer()


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory):
    """The small random encoder with which other tools computed the contexts in tests/data."""
    stored = load_file(Path(__file__).parent / "data" / "tiny_clip.safetensors")
    state = {key: tensor for key, tensor in stored.items() if key.startswith("text_model.")}
    table = torch.zeros(49408, 32)
    table[stored["token_embedding.used_ids"].long()] = stored["token_embedding.used_rows"]
    state["text_model.embeddings.token_embedding.weight"] = table
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    save_file(state, path)
    return cliplab.load_text_encoder(path, heads=4, activation="quick_gelu")


@pytest.fixture(scope="session")
def transformers_tokenizer(tokenizer, tmp_path_factory):
    """CLIP's vocabulary in transformers' tokenizer."""
    from transformers import CLIPTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(folder)
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


@pytest.fixture(scope="session")
def small_config():
    """The sizes of tiny_clip, as transformers writes them."""
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        eos_token_id=49407,
    )


@pytest.fixture(scope="session")
def sdxl(tokenizer, tmp_path_factory):
    """A small SDXL: diffusers' pipeline, without U-Net and VAE, and its folder."""
    import diffusers
    import transformers

    def shaken(model):
        with torch.no_grad():
            for name, p in model.named_parameters():
                if "norm" in name:
                    p.normal_(1.0 if name.endswith("weight") else 0.1, 0.2)
        return model.eval()

    torch.manual_seed(0)
    sizes = {"vocab_size": 49408, "num_hidden_layers": 3, "num_attention_heads": 2}
    sizes |= {"bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1}
    first = transformers.CLIPTextConfig(hidden_size=16, intermediate_size=24, **sizes)
    second = transformers.CLIPTextConfig(
        hidden_size=20, intermediate_size=40, projection_dim=12, hidden_act="gelu", **sizes
    )
    folder = tmp_path_factory.mktemp("sdxl")
    tokenizer.save(folder / "tokenizer")
    cliplab.CLIPTokenizer(pad=0).save(folder / "tokenizer_2")
    pipe = diffusers.StableDiffusionXLPipeline(
        vae=None,
        text_encoder=shaken(transformers.CLIPTextModel(first)),
        text_encoder_2=shaken(transformers.CLIPTextModelWithProjection(second)),
        tokenizer=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        tokenizer_2=transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer_2"),
        unet=None,
        scheduler=None,
        add_watermarker=False,
    )
    pipe.text_encoder.save_pretrained(folder / "text_encoder")
    pipe.text_encoder_2.save_pretrained(folder / "text_encoder_2")
    return pipe, folder
