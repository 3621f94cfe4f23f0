"""SDXL's two encoders under weights: Compel live, the others by hand, and diffusers without any.

Automatic1111 and ComfyUI cannot be installed beside the course. What they do for SDXL is read from
their sources (modules/sd_hijack_clip.py, sd_hijack_open_clip.py and sd_models_xl.py of v1.10.1;
comfy/sdxl_clip.py and sd1_clip.py), and computed here from bare hidden states.
"""

import random
import types
import warnings

import pytest
import torch

import cliplab
from cliplab.prompts import PromptError

BOS, EOS = 49406, 49407


@pytest.fixture(scope="module")
def ours(sdxl):
    return cliplab.load_sdxl(sdxl[1])


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5)


def chunk(ids: list[int], pad: int) -> list[int]:
    return [BOS, *ids, EOS] + [pad] * (75 - len(ids))


@torch.no_grad()
def bare(pair, chunks: list[list[int]]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """For each encoder the hidden states [-2] [N, 77, D] of chunks; the first one's pooled row."""
    first = pair.text_encoder([chunk(ids, EOS) for ids in chunks])
    second = pair.text_encoder_2([chunk(ids, 0) for ids in chunks])
    return [first.hidden_states[-2], second.hidden_states[-2]], second.text_embeds[0]


# --- by hand --------------------------------------------------------------------------------------


def weights_of(ids: list[int], weighted: dict[int, float]) -> torch.Tensor:
    """[77, 1]: the weights of some places among the content, all others 1."""
    w = torch.ones(77, 1)
    for place, weight in weighted.items():
        w[1 + place] = weight
    return w


def test_a1111_restores_the_mean_of_each_encoder(ours, tokenizer):
    (toks, pair), ids = ours, tokenizer.content("a red cat!")  # "!" is 256, for both encoders
    made = cliplab.encode_prompt("a (red:1.4) cat!", toks, pair)
    states, pooled = bare(pair, [ids])
    w = weights_of(ids, {1: 1.4})
    halves = [w * H[0] * (H[0].mean() / (w * H[0]).mean()) for H in states]
    close(made.tensor, torch.cat(halves, dim=-1))
    close(made.pooled, pooled)  # no weight in it
    assert made.ids.tolist() == chunk(ids, EOS)
    assert made.weights.tolist() == pytest.approx(w.flatten().tolist())
    assert repr(made) == "Context(77 rows of 36, 3 fragments)"


@pytest.mark.filterwarnings("ignore:Restoring the mean")
def test_a1111_pools_the_first_chunk(ours, tokenizer):
    toks, pair = ours
    made = cliplab.encode_prompt("a (cat:0.5) BREAK a dog", toks, pair)
    contents = [tokenizer.content("a cat"), tokenizer.content("a dog")]
    states, pooled = bare(pair, contents)
    w = weights_of(contents[0], {1: 0.5})
    for rows, H in zip(made.tensor.split([16, 20], dim=-1), states, strict=True):
        close(rows[:77], w * H[0] * (H[0].mean() / (w * H[0]).mean()))
        close(rows[77:], H[1])
    close(made.pooled, pooled)
    close(made.pooled, cliplab.encode_prompt("a cat", toks, pair).pooled)


def test_comfyui_moves_each_encoder_from_its_empty_prompt(ours, tokenizer):
    toks, pair = ours
    made = cliplab.encode_prompt("a (red:1.4) (cat!:0.3)", toks, pair, syntax="comfyui")
    ids = tokenizer.content("a red cat!")
    states, pooled = bare(pair, [ids])
    empty, _ = bare(pair, [[]])
    w = weights_of(ids, {1: 1.4, 2: 0.3, 3: 0.3})
    halves = [e[0] + w * (H[0] - e[0]) for H, e in zip(states, empty, strict=True)]
    close(made.tensor, torch.cat(halves, dim=-1))
    close(made.pooled, pooled)


def test_the_layers_that_are_left_out(ours):
    toks, pair = ours
    made = cliplab.encode_prompt("a cat", toks, pair, clip_skip=1)
    ids, ids_2 = toks[0].batch(["a cat"]), toks[1].batch(["a cat"])
    out = pair(ids, ids_2, clip_skip=1)
    close(made.tensor, out.context[0])
    close(made.pooled, out.pooled[0])
    with pytest.raises(ValueError, match="clip_skip"):
        cliplab.encode_prompt("a cat", toks, pair, clip_skip=3)


def test_negatives_of_none_and_of_nothing(ours):
    """None is zeros, as in diffusers; "" is the empty prompt's context, but zeros in A1111."""
    toks, pair = ours
    for syntax, zeros in (("a1111", True), ("comfyui", False), ("compel", False)):
        none = cliplab.prompt_embeds("a cat", None, toks, pair, syntax=syntax)
        empty = cliplab.prompt_embeds(["a cat", "a dog"], "", toks, pair, syntax=syntax)
        some = cliplab.prompt_embeds(["a cat", "a dog"], ["", "x"], toks, pair, syntax=syntax)
        for kind, width in (("prompt_embeds", (77, 36)), ("pooled_prompt_embeds", (12,))):
            assert none[kind].shape == none[f"negative_{kind}"].shape == (1, *width)
            assert empty[kind].shape == empty[f"negative_{kind}"].shape == (2, *width)
            assert not none[f"negative_{kind}"].any()
            assert bool(empty[f"negative_{kind}"].any()) != zeros
            assert some[f"negative_{kind}"][0].any()
    assert set(none) == {
        "prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds",
        "negative_pooled_prompt_embeds",
    }  # fmt: skip


def test_one_encoder_has_no_negative_of_none(tokenizer, tiny_clip):
    with pytest.raises(TypeError, match="A prompt is a str"):
        cliplab.prompt_embeds("a cat", None, tokenizer, tiny_clip)
    assert cliplab.encode_prompt("a cat", tokenizer, tiny_clip).pooled is None


def test_what_cannot_be_meant_is_refused(ours, tokenizer):
    toks, pair = ours
    with pytest.raises(TypeError, match=r"two tokenizers, \(tok, tok_2\), and two encoders"):
        cliplab.encode_prompt("a cat", tokenizer, pair)
    with pytest.raises(TypeError, match="two encoders"):
        cliplab.encode_prompt("a cat", toks, pair.text_encoder)
    with pytest.raises(TypeError, match="no setting final_norm"):
        cliplab.encode_prompt("a cat", toks, pair, final_norm=True)
    with pytest.raises(ValueError, match="syntax is one of"):
        cliplab.encode_prompt("a cat", toks, pair, syntax="midjourney")
    with pytest.raises(TypeError, match="no setting 'split'"):
        cliplab.encode_prompt("a cat", toks, pair, split="words")


# --- diffusers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("negative", [None, "", "a bad dog!"])
@torch.no_grad()
def test_without_weights_it_is_diffusers(negative, sdxl, ours):
    pipe, _ = sdxl
    prompt = "a (running:1.3) dog!"
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds")
    names += ("negative_pooled_prompt_embeds",)
    there = pipe.encode_prompt(prompt, device="cpu", negative_prompt=negative)
    theirs = ((pipe.tokenizer, pipe.tokenizer_2), (pipe.text_encoder, pipe.text_encoder_2))
    for toks, pair in (ours, theirs):
        here = cliplab.prompt_embeds(prompt, negative, toks, pair, syntax="plain")
        for name, expected in zip(names, there, strict=True):
            close(here[name], expected)


# --- Compel ---------------------------------------------------------------------------------------

WORDS = ["a", "cat", "dog", ",", ".", "!", "photograph", "on", "mat", "blue", "é", "🙂"]
WEIGHTS = ["0", "0.1", "0.5", "1", "1.1", "3", "+", "++", "-", "--"]


def draw_prompt(dice: random.Random) -> str:
    def words(n: int) -> str:
        return " ".join(dice.choice(WORDS) for _ in range(n))

    def fragment() -> str:
        text = words(dice.choice([1, 2, 3, 3, 80]))
        return text if dice.random() < 0.4 else f"({text}){dice.choice(WEIGHTS)}"

    if dice.random() < 0.2:
        operator = dice.choice([".blend(1, 1)", ".blend(2, -0.5)", ".and()"])
        return f'("{words(3)}+", "(a cat)0.5 {words(dice.choice([2, 90]))}"){operator}'
    return " ".join(fragment() for _ in range(dice.randint(1, 4)))


@pytest.fixture(scope="module")
def compel(sdxl):
    """Compel's own wrapper for SDXL, on the same encoders."""
    compel = pytest.importorskip("compel", reason="Compel is not installed: pip install compel")
    pipe, _ = sdxl
    parts = {name: getattr(pipe, name) for name in ("tokenizer", "tokenizer_2")}
    parts |= {name: getattr(pipe, name) for name in ("text_encoder", "text_encoder_2")}
    for name in ("tokenizer", "tokenizer_2"):
        parts[name].model_max_length = 77
    return compel.CompelForSDXL(types.SimpleNamespace(**parts))


@pytest.mark.parametrize("seed", range(6))
def test_compel(seed, compel, ours):
    toks, pair = ours
    dice = random.Random(seed)
    for prompt in [draw_prompt(dice) for _ in range(3)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = cliplab.encode_prompt(prompt, toks, pair, syntax="compel")
            there = compel(prompt)
        assert made.tensor.shape == there.embeds[0].shape, prompt
        assert (made.tensor - there.embeds[0]).abs().max() <= 1e-5, prompt
        assert (made.pooled - there.pooled_embeds[0]).abs().max() <= 1e-5, prompt


def test_compels_prompts_and_negatives_get_one_length(compel, ours):
    toks, pair = ours
    prompts, negatives = ["a (cat)1.3", "a dog on a mat. " * 20], ["(bad)1.2", ""]
    there = compel(prompts, negative_prompt=negatives)
    here = cliplab.prompt_embeds(prompts, negatives, toks, pair, syntax="compel")
    close(here["prompt_embeds"], there.embeds)
    close(here["negative_prompt_embeds"], there.negative_embeds)
    close(here["pooled_prompt_embeds"], there.pooled_embeds)
    close(here["negative_pooled_prompt_embeds"], there.negative_pooled_embeds)


def test_two_tokenizers_that_fill_other_numbers_of_chunks(compel, ours):
    """Of a hundred "!" SDXL's second tokenizer makes a hundred tokens, the first one seven."""
    toks, pair = ours
    # "cat" ends the last whole word, so Compel cuts there: 2, 75 and 25 tokens.
    for prompt, rows in (("!" * 100, 154), ("a (cat)1.2 " + "!" * 100, 231)):
        made = cliplab.encode_prompt(prompt, toks, pair, syntax="compel")
        assert made.tensor.shape == (rows, 36)
        close(made.tensor, compel(prompt).embeds[0])


def test_compel_pools_what_was_typed(compel, ours):
    toks, pair = ours

    def pooled(prompt):
        return cliplab.encode_prompt(prompt, toks, pair, syntax="compel")

    plain, weighed = pooled("a cat"), pooled("a (cat)1.0")
    close(plain.tensor, weighed.tensor)
    assert (plain.pooled - weighed.pooled).abs().max() > 1e-2
    close(weighed.pooled, compel("a (cat)1.0").pooled_embeds[0])


def test_where_compel_stops_with_an_error(compel, ours):
    """A weighed part of .and() stops Compel's second encoder; here it is weighed, as its first."""
    toks, pair = ours
    prompt = '("a cat", "a dog").and(0.3, 1)'
    with pytest.raises((TypeError, AttributeError)):
        compel(prompt)
    made = cliplab.encode_prompt(prompt, toks, pair, syntax="compel")
    close(made.tensor[:, :16], compel.compel_1([prompt])[0])
    with pytest.raises(PromptError, match="no words in this prompt"):
        cliplab.encode_prompt("()", toks, pair, syntax="compel")
