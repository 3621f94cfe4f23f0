"""A pipeline that is listened to: each call of its encoders, with all of their states."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import diffusers
import torch

from tools.pipeline_denoisers import DENOISERS
from tools.pipeline_specs import Spec

State = tuple[str, torch.Tensor]  # how it is called, and its rows


class Recorder:
    """A pipeline whose encoders write down each call: ids, mask, states, pooled row."""

    def __init__(self, spec: Spec):
        kind = getattr(diffusers, spec.name)
        read = inspect.signature(kind.__init__).parameters
        torch.manual_seed(0)
        reads = spec.build()
        if spec.name in DENOISERS:
            reads |= DENOISERS[spec.name]()
        left_out = {
            name: None
            for name, p in read.items()
            if name not in (*reads, "self") and p.default is inspect.Parameter.empty
        }
        if "requires_safety_checker" in read:
            left_out["requires_safety_checker"] = False
        self.spec, self.pipe = spec, kind(**left_out, **reads)
        self.takes = inspect.signature(self.pipe.encode_prompt).parameters
        call = inspect.signature(self.pipe.__call__).parameters
        self.defaults = {  # what a call of the pipeline hands to encode_prompt
            name: p.default
            for name, p in call.items()
            if name in self.takes and p.default not in (None, inspect.Parameter.empty)
        }
        self.encoders = {n: m for n, m in reads.items() if n.startswith("text_encoder")}
        self.normed: dict[str, torch.Tensor] = {}
        self.calls: list[tuple[str, dict[str, Any], dict[int, State], Any]] = []
        for name, encoder in self.encoders.items():
            encoder.register_forward_pre_hook(self.ask_for_states, with_kwargs=True)
            encoder.register_forward_hook(self.write_down(name), with_kwargs=True)
            for path, module in encoder.named_modules():
                if path.split(".")[-1] in ("norm", "final_layer_norm"):
                    module.register_forward_hook(self.keep_normed(name))

    @staticmethod
    def ask_for_states(module: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return args, {**kwargs, "output_hidden_states": True}

    def keep_normed(self, name: str) -> Callable[..., None]:
        def hook(module: Any, args: tuple, out: torch.Tensor) -> None:
            self.normed[name] = out

        return hook

    def write_down(self, name: str) -> Callable[..., None]:
        def hook(module: Any, args: tuple, kwargs: dict, out: Any) -> None:
            given = dict(zip(("input_ids", "attention_mask"), args, strict=False)) | kwargs
            self.calls.append((name, given, states_of(out, self.normed.get(name)), out))

        return hook

    @torch.no_grad()
    def __call__(self, prompt: Any, **given: Any) -> dict[str, Any]:
        """What encode_prompt returns, by name."""
        self.calls.clear()
        options: dict[str, Any] = dict.fromkeys(("prompt_2", "prompt_3", "prompt_4"))
        options |= {"batch_size": 1 if isinstance(prompt, str) else len(prompt)}
        options |= {
            "num_images_per_prompt": 1,
            "device": "cpu",
            "do_classifier_free_guidance": True,
        }
        options |= self.defaults | given
        options = {name: value for name, value in options.items() if name in self.takes}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            returned = self.pipe.encode_prompt(prompt=prompt, **options)
        assert len(returned) == len(self.spec.returns), (len(returned), self.spec.returns)
        return dict(zip(self.spec.returns, returned, strict=True))

    def tokenizer(self, encoder: str) -> Any:
        return getattr(self.pipe, encoder.replace("text_encoder", "tokenizer"))


def states_of(out: Any, normed: torch.Tensor | None) -> dict[int, State]:
    """The states of a call's first sample, from the first, and whether the norm is in the last."""
    hidden, last = out.hidden_states, getattr(out, "last_hidden_state", None)
    named = {k: (f"hidden_states[{k - len(hidden)}]", h[0]) for k, h in enumerate(hidden)}
    end = len(hidden) - 1
    if normed is not None and torch.equal(normed, hidden[-1]):
        named[end] = ("hidden_states[-1], after the norm", hidden[-1][0])
    elif last is not None and not torch.equal(last, hidden[-1]):
        named[end + 1] = ("last_hidden_state, after the norm", last[0])
    return named
