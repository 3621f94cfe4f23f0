"""generate: the plain pipeline's pictures, with weights, at any length, the same on any machine."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import diffusers
import pytest
import tiny_pipeline
import torch
from PIL import Image

import cliplab
from cliplab.pipeline import Painting, generate, known_words
from cliplab.pipeline.beside import unknown_words
from cliplab.pipeline.painting import words_of

RED = "a (red:1.5) circle"


@pytest.fixture(scope="module")
def pipe(transformers_tokenizer, small_config):
    return tiny_pipeline.build(transformers_tokenizer, small_config)


@pytest.fixture
def scheduler(pipe):
    """The pipeline's scheduler may be exchanged in a test."""
    before = pipe.scheduler
    yield before
    pipe.scheduler = before


def last(painting: Painting) -> torch.Tensor:
    return painting.latents[-1]


def plainly(pipe, seed=0, **options) -> torch.Tensor:
    """What diffusers' own call gives: latents."""
    how = {"num_inference_steps": 3, "guidance_scale": 7.5, "output_type": "latent"} | options
    return pipe(generator=torch.Generator().manual_seed(seed), **how).images


# As diffusers paints


@pytest.mark.parametrize("guidance", [1, 1.5, 7.5])
def test_without_weights_it_is_diffusers_own_picture(pipe, guidance):
    """To the last bit, latents and picture."""
    mine = generate(pipe, "a red fox", "blurry", seed=5, steps=3, guidance=guidance)
    prompts = {"prompt": "a red fox", "negative_prompt": "blurry", "guidance_scale": guidance}
    assert torch.equal(last(mine), plainly(pipe, 5, **prompts))
    picture = plainly(pipe, 5, **prompts, output_type="pil")[0]
    assert mine.images[0].tobytes() == picture.tobytes()
    assert mine.images[0].size == (32, 32)


@pytest.mark.parametrize(
    ("kind", "calls"),
    [("DDIM", 4), ("EulerDiscrete", 4), ("EulerAncestralDiscrete", 4), ("PNDM", 5)],
)
def test_every_scheduler(pipe, scheduler, kind, calls):
    """Also those that scale the noise, draw more of it, or are called once more than asked."""
    pipe.scheduler = getattr(diffusers, f"{kind}Scheduler").from_config(scheduler.config)
    if kind == "PNDM":
        pipe.scheduler.register_to_config(skip_prk_steps=True)
    mine = generate(pipe, ["a fox", "a red fox"], steps=4, seed=7)
    assert torch.equal(last(generate(pipe, "a fox", steps=4, seed=7)), plainly(
        pipe, 7, prompt="a fox", num_inference_steps=4))  # fmt: skip
    alone = generate(pipe, "a red fox", steps=4, seed=8)
    assert torch.allclose(last(mine)[1], last(alone)[0], atol=1e-4)
    assert len(mine.latents) == 1 + calls
    drawn = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(8))
    assert torch.equal(mine.latents[0][1:], drawn * pipe.scheduler.init_noise_sigma)


@pytest.mark.parametrize("skip", [1, 2])
def test_clip_skip_holds_for_both_prompts(pipe, skip):
    """E46: where diffusers crashes; and for the negative, which diffusers would leave alone."""

    def by_hand(text):
        ids = pipe.tokenizer(text, padding="max_length", return_tensors="pt")["input_ids"]
        hidden = pipe.text_encoder(ids, output_hidden_states=True).hidden_states
        return pipe.text_encoder.final_layer_norm(hidden[-1 - skip])

    mine = generate(pipe, "a red fox", "blurry", steps=3, clip_skip=skip)
    with torch.no_grad():
        embeds = {
            "prompt_embeds": by_hand("a red fox"),
            "negative_prompt_embeds": by_hand("blurry"),
        }
    assert torch.equal(last(mine), plainly(pipe, **embeds))
    assert not torch.equal(last(mine), last(generate(pipe, "a red fox", "blurry", steps=3)))


def test_another_size(pipe):
    made = generate(pipe, "a fox", steps=1, height=48, width=64)
    assert made.images[0].size == (64, 48)
    assert made.latents[0].shape == (1, 4, 12, 16)
    assert made.word_maps[0][0][1].shape == (6, 8)  # the finest layer with attention
    assert generate(pipe, "a fox", steps=1, width=64).images[0].size == (64, 32)


# Reproducible


def test_the_seed_decides(pipe):
    first = generate(pipe, RED, steps=2, seed=3)
    torch.manual_seed(99)  # the global generator has no part in it
    again = generate(pipe, RED, steps=2, seed=3)
    assert all(map(torch.equal, first.latents, again.latents))
    assert first.images[0].tobytes() == again.images[0].tobytes()
    assert not torch.equal(last(first), last(generate(pipe, RED, steps=2, seed=4)))


def test_a_picture_does_not_depend_on_its_batch(pipe):
    prompts = [RED, "a fox", "snow, " * 40, "a fox"]  # the third has two chunks
    batch = generate(pipe, prompts, ["", "blurry", "", ""], steps=3, seed=10)
    assert batch.seeds == [10, 11, 12, 13]
    assert len(batch.images) == 4
    for i, negative in ((2, ""), (3, "")):
        alone = generate(pipe, prompts[i], negative, steps=3, seed=10 + i)
        assert torch.equal(alone.latents[0][0], batch.latents[0][i])
    alone = generate(pipe, prompts[2], steps=3, seed=12)  # of the same length as its batch
    assert torch.allclose(last(alone)[0], last(batch)[2], atol=1e-4)
    short = generate(pipe, prompts[:2], ["", "blurry"], steps=3, seed=10)
    alone = generate(pipe, "a fox", "blurry", steps=3, seed=11)
    assert torch.allclose(last(alone)[0], last(short)[1], atol=1e-4)


# Weights


@pytest.mark.parametrize("method", [None, "scale", "restore_mean", "from_empty", "compel"])
def test_weights_change_the_context_and_the_picture(pipe, method):
    plain = generate(pipe, "a red circle", steps=2, method=method)
    heavy = generate(pipe, RED, steps=2, method=method)
    encoded = cliplab.encode_prompt(RED, pipe.tokenizer, pipe.text_encoder, method=method)
    assert torch.equal(heavy.contexts[0].tensor, encoded.tensor)
    assert not torch.equal(heavy.contexts[0].tensor, plain.contexts[0].tensor)
    assert not torch.equal(last(heavy), last(plain))
    assert torch.equal(heavy.latents[0], plain.latents[0])


def test_weights_in_attention_leave_the_context_alone(pipe):
    plain = generate(pipe, "a red circle", "dull", steps=2)
    one = generate(pipe, "a (red:1.0) circle", "dull", steps=2, method="attention")
    assert torch.allclose(last(one), last(plain), atol=1e-5)
    heavy = generate(pipe, RED, "dull", steps=2, method="attention")
    assert torch.equal(heavy.contexts[0].tensor, plain.contexts[0].tensor)
    assert not torch.allclose(last(heavy), last(plain), atol=1e-5)
    negative = generate(pipe, "a red circle", "(dull:2)", steps=2, method="attention")
    assert not torch.allclose(last(negative), last(plain), atol=1e-5)
    unguided = generate(pipe, RED, steps=2, method="attention", guidance=1)
    again = generate(pipe, [RED, "a fox"], steps=2, method="attention", guidance=1)
    assert torch.allclose(last(unguided)[0], last(again)[0], atol=1e-5)


def test_a_weight_in_attention_multiplies_the_value(pipe):
    """What the factor of one token does to the prompt's half, computed with diffusers alone."""
    layer = pipe.unet.mid_block.attentions[0].transformer_blocks[0].attn2
    seen = {}

    def keep(module, args, kwargs, out):
        seen.update(X=args[0], context=kwargs["encoder_hidden_states"], out=out)

    hook = layer.register_forward_hook(keep, with_kwargs=True)
    generate(pipe, RED, steps=1, method="attention")
    hook.remove()
    w = torch.ones(77)
    w[2] = 1.5  # BOS, a, red
    for half, factors in ((0, torch.ones(77)), (1, w)):
        X, C = seen["X"][half], seen["context"][half]
        heads = lambda Y: Y.unflatten(-1, (layer.heads, -1)).transpose(0, 1)  # noqa: E731
        Q, K, V = heads(layer.to_q(X)), heads(layer.to_k(C)), heads(layer.to_v(C))
        A = torch.softmax(Q @ K.mT / Q.shape[-1] ** 0.5, -1) * factors
        by_hand = layer.to_out[0]((A @ V).transpose(0, 1).flatten(1))
        assert torch.allclose(seen["out"][half], by_hand, atol=1e-5)


def test_the_negative_moves_the_picture_away(pipe):
    """One step from the same noise: ε̂ = ε_neg + g (ε_pos − ε_neg)."""
    made = generate(pipe, "a fox", "blurry", steps=1, guidance=4)
    noise, t = made.latents[0], pipe.scheduler.timesteps[0]
    with torch.no_grad():
        pos, neg = (
            pipe.unet(noise, t, encoder_hidden_states=context.tensor[None]).sample
            for context in (made.contexts[0], made.negatives[0])
        )
        step = pipe.scheduler.step(neg + 4 * (pos - neg), t, noise).prev_sample
    assert torch.allclose(made.latents[1], step, atol=1e-5)
    assert not torch.allclose(last(made), last(generate(pipe, "a fox", steps=1, guidance=4)))


def test_without_guidance_the_negative_is_not_even_encoded(pipe):
    made = generate(pipe, "a fox", "(blurry:2)", steps=1, guidance=1)
    assert made.negatives == []
    assert torch.equal(last(made), last(generate(pipe, "a fox", steps=1, guidance=1)))


def test_long_prompts(pipe):
    made = generate(pipe, "snow and pines, " * 20 + " BREAK (red:1.3)", "blurry", steps=1)
    assert made.contexts[0].tensor.shape == made.negatives[0].tensor.shape
    assert len(made.contexts[0].ids) % 77 == 0
    assert len(made.contexts[0].ids) > 77
    assert made.images[0].size == (32, 32)


def test_options_go_to_the_encoder(pipe):
    with pytest.warns(cliplab.TruncationWarning):
        made = generate(pipe, "snow, " * 60, steps=1, truncate=True)
    assert len(made.contexts[0].ids) == 77
    with pytest.raises(TypeError, match="clip_skipp"):
        generate(pipe, "a fox", steps=1, clip_skipp=1)


@pytest.fixture
def beside(pipe, tmp_path):
    """A folder that the pipeline takes for its own."""
    pipe.register_to_config(_name_or_path=str(tmp_path))
    yield tmp_path
    pipe.register_to_config(_name_or_path=None)


def test_steps_and_guidance_are_those_that_suit_the_model(pipe, beside):
    made = generate(pipe, "a fox", steps=1)
    assert (made.steps, made.guidance) == (1, 7.5)  # no file there
    (beside / "generation.json").write_text(json.dumps({"guidance": 2.5, "steps": 3}))
    made = generate(pipe, "a fox")
    assert (made.steps, made.guidance) == (3, 2.5)
    assert torch.equal(last(made), last(generate(pipe, "a fox", steps=3, guidance=2.5)))
    assert generate(pipe, "a fox", steps=2).steps == 2
    (beside / "generation.json").write_text(json.dumps({"steps": 0}))
    with pytest.raises(ValueError, match="steps"):
        generate(pipe, "a fox")


KNOWN = {"thing": ["fox", "café", "T-shirt"], "relation": ["left of"], "other": ["a"]}


@pytest.mark.parametrize(
    ("prompt", "unknown", "at"),
    [
        ("a Fox left of (a fox:1.2), a café!", [], None),
        ("", [], None),
        ("a t-shirt", [], None),
        ("a running fox", ["running"], 2),
        ("a ((Running:1.2)) fox, (2:1.1) foxes", ["running", "2", "foxes"], 4),
        ("a fox's fox_fur", ["s", "fur"], 6),
        (r"a fox \(sleeping\) BREAK a dog", ["sleeping", "dog"], 8),
    ],
)
def test_words_that_a_model_has_not_learned_are_said(pipe, beside, prompt, unknown, at, recwarn):
    (beside / "words.json").write_text(json.dumps(KNOWN))
    assert known_words(pipe) == KNOWN
    generate(pipe, prompt, steps=1, guidance=1)
    said = [str(w.message) for w in recwarn if w.category is cliplab.PromptWarning]
    assert len(said) == bool(unknown)
    for text in said:
        message, shown, caret = text.split("\n")
        assert ", ".join(f'"{word}"' for word in unknown) + ":" in message
        assert "thing: fox, café, T-shirt; relation: left of; other: a." in message
        assert (shown.strip(), caret.index("^") - 4) == (prompt, at)


def test_a_negative_is_read_as_well_where_it_counts(pipe, beside, recwarn):
    (beside / "words.json").write_text(json.dumps(KNOWN))
    generate(pipe, "a fox", "blurry", steps=1, guidance=1)
    assert not recwarn
    with pytest.warns(cliplab.PromptWarning, match='"blurry"'):
        generate(pipe, ["a fox"] * 2, "blurry", steps=1, guidance=2)


def test_a_learned_token_is_known():
    assert unknown_words(["a <toy> dog"], ["a"], ["<toy>"]) == ["dog"]


# Words


def test_words_and_their_maps(pipe):
    made = generate(pipe, ["a (red:1.3) café", "(pneumonoultramicro:0.5) fox"], steps=2)
    first, second = made.word_maps
    assert [word for word, _ in first] == ["a", "red", "café"]
    assert [word for word, _ in second] == ["pneumonoultramicro", "fox"]
    for maps in (first, second):
        assert all(m.shape == (4, 4) for _, m in maps)
        total = sum(m for _, m in maps)
        assert (total > 0).all()
        assert (total < 1).all()  # the rest looks at BOS, EOS and padding
    rows = dict(words_of(made.contexts[1]))
    assert len(rows["pneumonoultramicro"]) > 3
    assert rows["fox"] == [rows["pneumonoultramicro"][-1] + 1]


def test_a_word_that_holds_half_a_character_is_shown_all_the_same():
    """Ids that no prompt gives, such as a part of an emoji."""
    half = SimpleNamespace(tokens=["<|startoftext|>", "ðŁ", "a</w>"], owner=[None, 0, 0])
    assert words_of(half) == [("\ufffda", [1, 2])]


def test_a_map_is_where_the_word_was_looked_at(pipe):
    """Against diffusers' own attention scores, for one step."""
    made = generate(pipe, "a red fox", "blurry", steps=1, guidance=2)
    scores, hooks = [], []
    for name, layer in pipe.unet.named_modules():
        if name.endswith("attn2"):

            def keep(layer, args, kwargs):
                X, C = args[0], kwargs["encoder_hidden_states"]
                heads = layer.head_to_batch_dim
                A = layer.get_attention_scores(heads(layer.to_q(X)), heads(layer.to_k(C)))
                A = A.unflatten(0, (2, layer.heads))[1].mean(0)  # the prompt's half
                scores.append(A[:, 3].view(math.isqrt(len(A)), -1))  # BOS, a, red, fox

            hooks.append(layer.register_forward_pre_hook(keep, with_kwargs=True))
    generate(pipe, "a red fox", "blurry", steps=1, guidance=2)
    for hook in hooks:
        hook.remove()
    size = {"size": (4, 4), "mode": "bilinear"}
    by_hand = torch.stack([torch.nn.functional.interpolate(s[None, None], **size) for s in scores])
    word, found = made.word_maps[0][2]
    assert word == "fox"
    assert torch.allclose(found, by_hand.mean(0)[0, 0], atol=1e-5)


def test_maps_are_made_once_and_leave_the_unet_as_it_was(pipe):
    made = generate(pipe, "a fox", steps=2)
    before = last(made).clone()
    assert made.word_maps is made.word_maps
    kinds = {type(processor).__name__ for processor in pipe.unet.attn_processors.values()}
    assert kinds == {"AttnProcessor2_0"}
    assert torch.equal(before, last(generate(pipe, "a fox", steps=2)))


# Manners


def test_what_it_gives(pipe):
    made = generate(pipe, ["a fox", "a cat"], steps=2)
    assert repr(made) == "Painting(2 pictures, 2 steps, guidance 7.5, latents of 8 × 8)"
    assert all(isinstance(image, Image.Image) for image in made.images)
    assert [step.shape for step in made.latents] == [(2, 4, 8, 8)] * 3


def test_the_progress_bar_is_for_people(pipe, capsys):
    pipe.set_progress_bar_config(desc="mine", disable=True)
    generate(pipe, "a fox", steps=2)
    assert capsys.readouterr().err == ""
    generate(pipe, "a fox", steps=2, progress=True)
    assert "mine: 100%" in capsys.readouterr().err
    assert pipe._progress_bar_config == {"desc": "mine", "disable": True}
    pipe.set_progress_bar_config(disable=True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prompt": []}, "There is no prompt"),
        ({"prompt": ["a", "b"], "negative": ["x"]}, "2 prompts and 1 negative"),
        ({"negative": ["x", "y"]}, "1 prompts and 2 negative"),
        ({"syntax": "midjourney"}, "syntax is one of a1111"),
        ({"method": "loud"}, "method is one of .*compel, attention; not 'loud'"),
        ({"steps": 0}, "steps is a whole number from 1 to 1,000; not 0"),
        ({"steps": 1001}, "1 to 1,000; not 1001"),
        ({"steps": 2.5}, "not 2.5"),
        ({"guidance": 0.5}, "at least 1, .* cannot be 0.5"),
        ({"guidance": math.nan}, "cannot be nan"),
        ({"guidance": math.inf}, "cannot be inf"),
        ({"seed": -1}, "seed is a whole number from 0 to"),
        ({"height": 30}, "A height of 30 pixels is no multiple of 8.*Take 24 or 32"),
        ({"width": 0}, "width is a whole number of at least 8; not 0"),
        ({"clip_skip": 3}, "the layers to leave out, is a whole number from 0 to 2; not 3"),
    ],
)
def test_what_cannot_be_painted(pipe, wrong, said):
    with pytest.raises(ValueError, match=said):
        generate(pipe, **{"prompt": "a fox"} | wrong)


def test_what_is_no_prompt_and_no_pipeline(pipe):
    with pytest.raises(TypeError, match="A prompt is a str"):
        generate(pipe, 7)
    with pytest.raises(TypeError, match="A prompt is a str"):
        generate(pipe, "a fox", None)
    with pytest.raises(TypeError, match="load_pipeline gives; this is UNet"):
        generate(pipe.unet, "a fox")


@pytest.mark.parametrize(
    ("part", "said"), [("unet", "are not finite either"), ("vae", "are finite")]
)
def test_a_black_picture_is_an_error(pipe, part, said):
    """As float16 makes of an overflow."""
    model = getattr(pipe, part)
    bias = (model.conv_out if part == "unet" else model.decoder.conv_out).bias
    before = bias.data.clone()
    bias.data.fill_(math.nan)
    try:
        with pytest.raises(ValueError, match=f"would be black .its latents {said}"):
            generate(pipe, "a fox", steps=1)
    finally:
        bias.data.copy_(before)


def test_half_precision(pipe, transformers_tokenizer, small_config):
    half = tiny_pipeline.build(transformers_tokenizer, small_config).to(dtype=torch.bfloat16)
    made = generate(half, RED, steps=2)
    assert {step.dtype for step in made.latents} == {torch.bfloat16}
    full = generate(pipe, RED, steps=2)
    assert torch.equal(made.latents[0], full.latents[0].bfloat16())  # the same noise, rounded
