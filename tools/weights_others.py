"""Tools that hand a text on, or mix whole prompts, and tools that were read; see weights_probe.py.

A tool that was read has no package in reach, or needs more than a parser and an encoder to run.
"""

from __future__ import annotations

import json
import logging
import subprocess
import types
from typing import Any, ClassVar

import torch

from tools.weights_probe import BLOCK, Cell, Probe, code_of


class Sdkit(Probe):
    title = "sdkit, its own models"
    package = "sdkit==2.1.1"
    read_in = (
        "sdkit/generate/prompt_parser.py; with diffusers' models it hands the prompt to Compel"
    )
    own = "a cat:{} a dog:1"

    def open(self) -> None:
        path = self.folder / "sdkit" / "generate" / "prompt_parser.py"
        names = ("parse_prompt", "split_weighted_subprompts")
        log = logging.getLogger("sdkit")
        log.disabled = True
        self.library = code_of(path, names, {"torch": torch, "log": log})

    def read(self, prompt: str) -> Cell:
        texts, weights = self.library.split_weighted_subprompts(prompt)
        return [[text, float(weight)] for text, weight in zip(texts, weights, strict=True)]

    def whole(self, prompts: list[str]) -> torch.Tensor:
        ids = [self.tokenizer(p, padding="max_length", max_length=77).input_ids for p in prompts]
        return self.encoder(torch.tensor(ids)).last_hidden_state

    def encode(self, prompt: str) -> torch.Tensor:
        model = types.SimpleNamespace(get_learned_conditioning=self.whole)
        return self.library.parse_prompt(prompt, 1, model)[0]

    def operation(self) -> str:
        cat, dog = self.whole(["a cat", "a dog"])
        for weight in (1.3, 0.7):
            mean = (weight * cat + dog) / (weight + 1)
            assert torch.allclose(self.encode(self.own.format(weight)), mean, atol=1e-5)
        return "the weighted mean of the whole contexts of its parts"


class Imaginairy(Probe):
    title = "imaginAIry"
    package = "imaginairy==15.0.0"
    read_in = "imaginairy/api/generate_compvis.py, for the operation"
    own = ""
    as_read: ClassVar = {"operation": "mean of whole contexts, by the weights of a list of prompts"}

    def read(self, prompt: str) -> Cell:
        from imaginairy.enhancers import prompt_expansion

        draws = {next(prompt_expansion.expand_prompts(prompt)) for _ in range(20)}
        return " or ".join(sorted(draws))


class Diffusers(Probe):
    title = "diffusers, a prompt as it is"
    package = "diffusers==0.42.1"
    own = ""

    def open(self) -> None:
        from diffusers import StableDiffusionPipeline

        self.pipe = StableDiffusionPipeline(
            None, self.encoder, self.tokenizer, None, None, None, None,
            requires_safety_checker=False,
        )  # fmt: skip

    def read(self, prompt: str) -> Cell:
        read: list[Any] = []
        hook = self.encoder.register_forward_pre_hook(
            lambda module, args, kwargs: read.append(args[0] if args else kwargs["input_ids"]),
            with_kwargs=True,
        )
        self.encode(prompt)
        hook.remove()
        return self.grouped((id, 1.0) for id in read[0][0].tolist())

    def encode(self, prompt: str) -> torch.Tensor:
        return self.pipe.encode_prompt(prompt, "cpu", 1, False)[0][0]


class Dynamicprompts(Probe):
    title = "dynamicprompts, before another tool"
    package = "dynamicprompts==0.31.0"
    own = ""

    def read(self, prompt: str) -> Cell:
        from dynamicprompts.generators import RandomPromptGenerator

        draws = RandomPromptGenerator(seed=0).generate(prompt, 20)
        return " or ".join(sorted(set(draws)))


class ComfyPage(Probe):
    title = "ComfyUI's page, before its server"
    package = "comfyui-frontend-package==1.58.1"
    own = ""
    SCRIPT = """
    import { O as page } from "MODULE";
    const draws = [...Array(20).keys()].map((n) => {
      Math.random = () => n / 20;
      return page(PROMPT);
    });
    console.log(JSON.stringify(draws));
    """

    def read(self, prompt: str) -> Cell:
        (module,) = (self.folder / "comfyui_frontend_package").rglob("formatUtil-*.js")
        # Without this Node takes the page's modules for scripts of another kind.
        (self.folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
        script = self.SCRIPT.replace("MODULE", str(module)).replace("PROMPT", json.dumps(prompt))
        said = subprocess.run(
            ["node", "--input-type=module", "-"],
            input=script, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        return " or ".join(sorted(set(json.loads(said))))


class Automatic1111(Probe):
    title = "Automatic1111"
    read_in = "v1.10.1, 82a973c: modules/prompt_parser.py, sd_emphasis.py, sd_hijack_clip.py"
    as_read: ClassVar = {
        "weight": [["cat", 1.3]],
        "nested": [["a", 1.56], [" b", 1.2]],
        "square": [["dog", 1 / 1.1]],
        "space": [["cat", 1.3]],
        "break": [["a", 1.0], BLOCK, ["b", 1.0]],
        "escape": [["(cat)", 1.0]],
        "choice": [["{cat|dog}", 1.0]],
        "operation": "w C, then the mean of each chunk restored, over the whole batch",
        "rows": "77",
    }


class LongPromptWeighting(Probe):
    title = "diffusers' community pipeline lpw_stable_diffusion"
    read_in = "diffusers at 099cada: examples/community/lpw_stable_diffusion.py"
    as_read: ClassVar = {
        "weight": [["cat", 1.3]],
        "nested": [["a", 1.56], [" b", 1.2]],
        "square": [["dog", 1 / 1.1]],
        "space": [["cat: 1.3", 1.1]],
        "break": [["a BREAK b", 1.0]],
        "escape": [["(cat)", 1.0]],
        "choice": [["{cat|dog}", 1.0]],
        "operation": "w C, then the mean of the whole prompt restored",
        "rows": "77",
    }


class SDNext(Probe):
    title = "SD.Next, “native”"
    read_in = "sdnext at 0e99be5: modules/prompt_parser.py"
    as_read: ClassVar = {
        "weight": [["cat", 1.3]],
        "nested": [["a", 1.56], ["b", 1.2]],
        "square": [["dog", 0.909]],
        "space": [["cat 1.3", 1.1]],
        "break": [["a", 1.0], BLOCK, ["b", 1.0]],
        "escape": [["(cat)", 1.0]],
    }


class InvokeAI(Probe):
    title = "InvokeAI"
    read_in = (
        "InvokeAI 6.14.2: invokeai/app/invocations/compel.py, which hands the prompt to Compel"
    )
    own = "a (cat){} on a mat"
    as_read: ClassVar = {
        "own": [["a", 1.0], ["cat", 1.3], ["on a mat", 1.0]],
        "weight": [["cat:1 . 3", 1.0]],
        "nested": [["a:1 . 3 b:1 . 2", 1.0]],
        "square": [["[dog]", 1.0]],
        "space": [["cat: 1 . 3", 1.0]],
        "break": [["a BREAK b", 1.0]],
        "escape": [["(cat)", 1.0]],
        "choice": [["{cat|dog}", 1.0]],
        "operation": "Compel's",
        "rows": "77",
    }
