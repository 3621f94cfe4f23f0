"""Weighted contexts beside Compel itself, where it is installed: same prompts, same encoder."""

import random
import warnings

import pytest
import torch
import transformers

from cliplab.prompts import PromptError, PromptWarning
from cliplab.weighting import PromptEncoder

compel = pytest.importorskip("compel", reason="Compel is not installed: pip install compel")
from compel.embeddings_provider import SplitLongTextMode as Split  # noqa: E402

PENULTIMATE = compel.ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NON_NORMALIZED
NORMALIZED = compel.ReturnedEmbeddingsType.PENULTIMATE_HIDDEN_STATES_NORMALIZED
REMOVE = compel.DownweightMode.REMOVE
LONG = {"truncate_long_prompts": False}
MODES = {  # what Compel is told, and what we are told
    "truncated": ({}, {"truncate": True}),
    "sentences": (LONG, {}),
    "phrases": (LONG | {"split_long_text_mode": Split.PHRASES}, {"split": "phrases"}),
    "words": (LONG | {"split_long_text_mode": Split.WORDS}, {"split": "words"}),
    "brutal": (LONG | {"split_long_text_mode": Split.BRUTAL}, {"split": "brutal"}),
    "first eos": (
        LONG | {"split_long_text_mode": Split.SENTENCES | Split.COPY_FIRST_CLS_TOKEN},
        {"eos": "first"},
    ),
    "mean eos": (
        LONG | {"split_long_text_mode": Split.SENTENCES | Split.MERGE_CLS_TOKENS},
        {"eos": "mean"},
    ),
    "removed": ({"downweight_mode": REMOVE}, {"truncate": True, "downweight": "remove"}),
    "padding hidden": (
        {"padding_attention_mask_value": 0},
        {"truncate": True, "see_padding": False},
    ),
    "clip skip": ({"returned_embeddings_type": NORMALIZED}, {"truncate": True, "clip_skip": 1}),
    "as SDXL": (
        {"returned_embeddings_type": PENULTIMATE},
        {"truncate": True, "clip_skip": 1, "final_norm": False},
    ),
}
WORDS = [
    "a",
    "cat",
    "dog",
    ",",
    ".",
    ";",
    ":",
    "photograph",
    "antidisestablishmentarianism",
    "on",
    "mat",
    "blue",
    "7",
    "é",
    "🙂",
]
WEIGHTS = ["0", "0.1", "0.5", "0.9", "1", "1.1", "3", "+", "++", "-", "--"]


def draw_prompt(dice: random.Random) -> str:
    """Words, some in brackets with a weight; now and then a blend or several parts."""

    def words(n: int) -> str:
        return " ".join(dice.choice(WORDS) for _ in range(n))

    def fragment() -> str:
        text = words(dice.choice([1, 2, 3, 3, 30, 80]))
        return text if dice.random() < 0.4 else f"({text}){dice.choice(WEIGHTS)}"

    if dice.random() < 0.2:
        operator = dice.choice([".blend(1, 1)", ".blend(2, -0.5)", ".and()", ".and(0.3, 1)"])
        return f'("{words(3)}+", "(a cat)0.5 {words(dice.choice([2, 90]))}"){operator}'
    return " ".join(fragment() for _ in range(dice.randint(1, 5)))


@pytest.fixture(scope="module")
def theirs(transformers_tokenizer, small_config):
    """A tokenizer and a small encoder of transformers, with random weights."""
    torch.manual_seed(0)
    model = transformers.CLIPTextModel(small_config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.3)
    # Compel 2.5.1 looks for this level, which transformers has taken out, when it skips layers.
    model.__dict__["text_model"] = model
    return transformers_tokenizer, model


@pytest.mark.parametrize("mode", MODES)
def test_the_contexts_are_the_same(mode, theirs, tokenizer):
    told, telling = MODES[mode]
    _, model = theirs
    there, here = (
        compel.Compel(*theirs, **told),
        PromptEncoder(tokenizer, model, "compel", **telling),
    )
    dice = random.Random(mode)
    for prompt in [draw_prompt(dice) for _ in range(8)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made, expected = here(prompt).tensor, there([prompt])[0]
        difference = (made - expected).abs().max()
        assert made.shape == expected.shape, prompt
        assert difference <= 1e-5, prompt


def test_a_long_part_of_and_under_a_mask(theirs, tokenizer):
    """Compel's empty prompt to move from: the first chunk under the mask, the others not."""
    prompt = '("a cat", "a dog on a mat. ' + "a fox on a hill. " * 20 + '").and(2, 0.3)'
    here = PromptEncoder(tokenizer, theirs[1], "compel", see_padding=False)
    there = compel.Compel(*theirs, **LONG, padding_attention_mask_value=0)
    torch.testing.assert_close(here(prompt).tensor, there([prompt])[0], rtol=0, atol=1e-5)


def test_prompts_of_a_list_get_one_length_in_the_same_way(theirs, tokenizer):
    prompts = ["a (cat)1.3", "a dog on a mat. " * 20]
    made = PromptEncoder(tokenizer, theirs[1], "compel")(prompts)
    expected = compel.Compel(*theirs, **LONG)(prompts)
    torch.testing.assert_close(
        torch.stack([one.tensor for one in made]), expected, rtol=0, atol=1e-5
    )


@pytest.mark.filterwarnings("ignore:Of this .swap")
def test_where_compel_stops_with_an_error(theirs, tokenizer):
    """Ours says where; or goes on, and says that."""
    there = compel.Compel(*theirs)
    here = PromptEncoder(tokenizer, theirs[1], "compel")
    with pytest.raises(IndexError):
        there(["()"])
    with pytest.raises(PromptError, match="no words in this prompt"):
        here("()")
    with pytest.raises(TypeError):
        there(['a ("")0.5 b'])
    with pytest.raises(PromptError, match="no token"):
        here('a ("")0.5 b')
    with pytest.raises(AttributeError, match="no attribute 'text'"):
        there(["(cat.swap(x)).swap(dog)"])
    with pytest.raises(PromptError, match="swap in a swap"):
        here("(cat.swap(x)).swap(dog)")
    prompt = "(" + "cat " * 80 + ")0.5 dog"
    there = compel.Compel(*theirs, **LONG, downweight_mode=REMOVE)
    with pytest.raises(RuntimeError):
        there([prompt])
    here = PromptEncoder(tokenizer, theirs[1], "compel", downweight="remove")
    with pytest.warns(PromptWarning, match="fewer chunks"):
        assert here(prompt).tensor.shape == (154, 32)
