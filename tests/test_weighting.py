"""Prompt weighting: the definition, the operators, and the way from a prompt to its context."""

import copy
import warnings

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

import cliplab
from cliplab import prompt_weighting
from cliplab.prompts import SYNTAXES, TOOLS, PromptError, PromptWarning
from cliplab.prompts.a1111.tool import BREAK, cut_at_commas
from cliplab.prompts.comfyui.tool import cut_between_segments
from cliplab.prompts.compel.tool import cut_after_sentences
from cliplab.prompts.settings import names_of
from cliplab.prompts.tool import Token, cut_where_full
from cliplab.weighting import (
    METHODS,
    PromptEncoder,
    blend_masked,
    from_empty,
    restore_mean,
    scale,
)

L, D = 7, 4


@pytest.fixture
def C():
    torch.manual_seed(0)
    return torch.randn(L, D) + 0.5


@pytest.fixture
def e():
    torch.manual_seed(1)
    return torch.randn(L, D) + 0.5


@pytest.fixture
def w():
    return torch.tensor([1, 1.3, 0.5, 1, 0, -1, 1])


def identity(x):
    return x


# --- The definition -------------------------------------------------------------------------------


@pytest.mark.equation(12, 13)
@given(owner=st.lists(st.integers(0, 3), min_size=L, max_size=L))
def test_each_row_goes_through_the_map_of_its_subset(owner):
    C = torch.arange(L * D, dtype=torch.float64).view(L, D)
    maps = [identity, lambda x: 2 * x, lambda x: x.flip(0), lambda x: torch.cos(x)]
    subsets = [[i for i in range(L) if owner[i] == k] for k in range(4)]
    made = prompt_weighting(C, subsets, maps)
    for i, k in enumerate(owner):
        assert torch.equal(made[i], maps[k](C[i]))


@pytest.mark.equation(14)
def test_scaling_is_an_instance_of_the_definition(C, w):
    """ψ_k(x) = r_k x, on the subsets of equal weight."""
    values = w.unique().tolist()
    subsets = [(w == r).nonzero().flatten().tolist() for r in values]
    made = prompt_weighting(C, subsets, [lambda x, r=r: r * x for r in values])
    assert torch.equal(made, scale(C, w))


def test_moving_from_the_empty_prompt_is_an_instance_too(C, w, e):
    """But only with a map for each position: ψ_i(x) = e_i + w_i (x − e_i) (erratum E11)."""
    maps = [lambda x, i=i: e[i] + w[i] * (x - e[i]) for i in range(L)]
    made = prompt_weighting(C, [[i] for i in range(L)], maps)
    torch.testing.assert_close(made, from_empty(C, w, e))
    # One map for all positions of weight 0.5 could not do it: equal rows go to different places.
    same = C[2].expand(L, D)
    moved = from_empty(same, torch.full((L,), 0.5), e)
    assert not torch.allclose(moved[0], moved[1])


def moves_other_rows(method, C) -> bool:
    """Whether row 1 of a method's result depends on another row of C."""
    other = C.clone()
    other[3] += 1
    return not torch.equal(method(C)[1], method(other)[1])


def test_what_depends_on_other_rows_is_no_instance(C, w, e):
    """A map of the definition sees its own row alone; these see more (errata E12, E32)."""
    assert not moves_other_rows(lambda X: scale(X, w), C)
    assert not moves_other_rows(lambda X: from_empty(X, w, e), C)
    assert moves_other_rows(lambda X: restore_mean(X, w), C)
    # Compel's blend is no function of C at all: the same C, another masked context, another result.
    B = from_empty(C, w, e)
    assert not torch.equal(blend_masked(B, [C + 1], [0.5]), blend_masked(B, [C + 2], [0.5]))


def test_moving_adds_the_same_to_every_prompt_and_the_blend_does_not(tokenizer, tiny_clip):
    """Why one is an instance though e is not in C: e is known before the prompt, M_k is not."""

    def added(prompt, method, share):
        made = cliplab.encode_prompt(prompt, tokenizer, tiny_clip, method=method)
        words = "".join(f.text for f in made.fragments)
        plain = cliplab.encode_prompt(words, tokenizer, tiny_clip, "plain")
        assert plain.tokens == made.tokens
        return made.tensor - share * made.weights.float()[:, None] * plain.tensor

    prompts = ["a (red:0.5) fox", "a (tall:0.5) dog"]  # t = 1 at one half, so C's share is one half
    moved = [added(prompt, "from_empty", 1) for prompt in prompts]
    torch.testing.assert_close(*moved, atol=1e-5, rtol=0)
    blended = [added(prompt, "compel", 0.5) for prompt in prompts]
    assert (blended[0] - blended[1])[3].abs().max() > 1e-2  # behind the word, where w is 1


def test_a_batch_is_weighted_prompt_by_prompt(C):
    batch = torch.stack([C, C + 1])
    subsets, maps = [range(2), range(2, L)], [identity, lambda x: 3 * x]
    made = prompt_weighting(batch, subsets, maps)
    assert torch.equal(made[1], prompt_weighting(C + 1, subsets, maps))


@pytest.mark.parametrize(
    ("subsets", "maps", "message"),
    [
        ([[0, 1, 2], [2, 3, 4, 5, 6]], [identity] * 2, "Position 2 is in subset 0 and in subset 1"),
        ([[1, 2], [5]], [identity] * 2, "No subset holds positions 0, 3, 4, 6"),
        ([range(6)], [identity], "No subset holds position 6"),
        ([range(8)], [identity], "Subset 0 holds position 7; positions are 0 to 6"),
        ([[-1]], [identity], "Subset 0 holds position -1"),
        ([range(7)], [], "1 subsets and 0 maps"),
        (
            [range(7)],
            [lambda x: x[:2]],
            r"Map 0 must take a row \[4\] to a row \[4\]; it gave \[2\]",
        ),
        ([range(7)], [lambda x: 3.0], "it gave float"),
    ],
)
def test_what_is_no_partition_is_refused(C, subsets, maps, message):
    with pytest.raises(ValueError, match=message):
        prompt_weighting(C, subsets, maps)


def test_a_context_has_two_or_three_axes(C):
    with pytest.raises(ValueError, match=r"\[7\]"):
        prompt_weighting(C[:, 0], [range(7)], [identity])


# --- The operators --------------------------------------------------------------------------------


def test_weight_one_changes_nothing(C, e):
    ones = torch.ones(L)
    assert torch.equal(scale(C, ones), C)
    assert torch.equal(restore_mean(C, ones), C)
    assert torch.equal(from_empty(C, ones, e), C)


def test_weight_zero(C, e):
    """Scaling gives zeros, moving from the empty prompt gives its row."""
    zeros = torch.zeros(L)
    assert torch.equal(scale(C, zeros), torch.zeros(L, D))
    assert torch.equal(from_empty(C, zeros, e), e)


def test_restoring_the_mean_multiplies_every_row_by_one_number(C, w):
    made = restore_mean(C, w)
    torch.testing.assert_close(made.mean(), C.mean())
    factor = made / scale(C, w)
    factor = factor[w != 0]
    torch.testing.assert_close(factor, factor[0, 0].expand_as(factor))
    assert not torch.equal(made[0], C[0])  # a row of weight 1, as BOS has


def test_a_mean_of_about_zero_is_no_mean_to_restore(w):
    """As behind a fresh LayerNorm (erratum E12)."""
    torch.manual_seed(0)
    C = torch.nn.functional.layer_norm(torch.randn(L, D), [D])
    with pytest.warns(PromptWarning, match="too near 0"):
        restore_mean(C, w)


@pytest.mark.parametrize(
    ("w", "share"), [(1, 0), (0.9, 0.137), (0.7, 0.338), (0.5, 0.5), (0.25, 0.707), (0.1, 0.863)]
)
def test_the_share_of_the_masked_context(w, share):
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    assert blend_masked(zero, [one], [w]).item() == pytest.approx(share, abs=1e-3)


def test_the_blend_at_and_below_zero_is_the_masked_context(C):
    for w in (0, -3):
        torch.testing.assert_close(blend_masked(C, [C + 5], [w]), C + 5, atol=1e-3, rtol=0)


@given(weights=st.lists(st.floats(-2, 3), max_size=4))
def test_the_shares_add_up_to_one(weights):
    same = torch.full((L, D), 2.0, dtype=torch.float64)
    weights = [min(w, 0.999) for w in weights]
    torch.testing.assert_close(blend_masked(same, [same] * len(weights), weights), same)


# --- Cutting --------------------------------------------------------------------------------------


def tokens(text: str) -> list[Token]:
    """One token for each character; "," is the comma, "|" a BREAK."""
    return [BREAK if c == "|" else Token(ord(c)) for c in text]


def text(chunks) -> list[str]:
    return ["".join(chr(token.id) for token in chunk) for chunk in chunks]


@pytest.mark.parametrize(
    ("typed", "backtrack", "cut"),
    [
        ("", 2, [""]),
        ("abcdefg", 2, ["abcde", "fg"]),
        ("abcd,fg", 2, ["abcd,", "fg"]),
        ("abc,defg", 2, ["abc,", "defg"]),
        ("ab,cdefg", 2, ["ab,cd", "efg"]),
        ("ab,cdefg", 3, ["ab,", "cdefg"]),
        ("ab,cdefg", 0, ["ab,cd", "efg"]),
        ("abcde,fg", 2, ["abcde", ",fg"]),  # a comma is not moved to find a place for itself
        ("ab|cd", 2, ["ab", "cd"]),
        ("|a", 2, ["", "a"]),
        ("a|", 2, ["a"]),
        ("a||b", 2, ["a", "", "b"]),
    ],
)
def test_a1111_cuts_after_a_comma_that_is_near(typed, backtrack, cut):
    assert text(cut_at_commas(tokens(typed), 5, ord(","), backtrack)) == cut


@pytest.mark.parametrize(
    ("groups", "room", "cut"),
    [
        ([], 10, [""]),
        (["abc", "defgh", "ijk"], 10, ["abcdefgh", "ijk"]),
        (["abc", "abcdefgh"], 10, ["abcabcdefg", "h"]),  # eight tokens are cut
        (["abcdefghij", "abcdefghij"], 10, ["abcdefghij", "abcdefghij"]),
        (["abcdefg"], 5, ["abcde", "fg"]),  # a chunk that could never hold the segment
    ],
)
def test_comfyui_keeps_short_segments_together(groups, room, cut):
    assert text(cut_between_segments([tokens(group) for group in groups], room)) == cut


@pytest.mark.parametrize(
    ("typed", "split", "cut"),
    [
        ("", "sentences", [""]),
        ("a b c d e", "sentences", ["abcde"]),
        ("a. b , c d e", "sentences", ["a.", "b,cde"]),
        ("a b , c d e", "sentences", ["ab,", "cde"]),
        ("a b c d e f", "sentences", ["abcde", "f"]),
        ("a. b , c d e", "phrases", ["a.b,", "cde"]),
        ("a. b , c d e", "words", ["a.b,c", "de"]),
        ("a. b , c d e", "brutal", ["a.b,c", "de"]),
    ],
)
def test_compel_cuts_after_sentences_phrases_words(typed, split, cut):
    words = typed.replace(".", " .").split()
    chunks = cut_after_sentences(
        tokens("".join(words)), [word + "</w>" for word in words], 5, split
    )
    assert text(chunks) == cut


@pytest.mark.parametrize(
    ("typed", "cut"), [("", [""]), ("abcde", ["abcde"]), ("abcdefg", ["abcde", "fg"])]
)
def test_a_tool_without_a_rule_cuts_where_a_chunk_is_full(typed, cut):
    assert text(cut_where_full(tokens(typed), 5)) == cut


def test_compel_does_not_cut_within_a_word_if_it_can_help_it():
    symbols = ["a</w>", "b</w>", "c", "d</w>", "e</w>"]
    assert text(cut_after_sentences(tokens("abcde"), symbols, 3)) == ["ab", "cde"]


# --- From a prompt to its context -----------------------------------------------------------------


@pytest.fixture(scope="module")
def encode(tokenizer, tiny_clip):
    return lambda prompt, *how, **options: cliplab.encode_prompt(
        prompt, tokenizer, tiny_clip, *how, **options
    )


@pytest.fixture(scope="module")
def transformers_clip(tiny_clip, small_config):
    """The same encoder in transformers."""
    model = transformers.CLIPTextModel(small_config).eval()
    model.load_state_dict(tiny_clip.state_dict())
    return model


def test_what_a_context_holds(encode):
    made = encode("a (red:1.3) cat")
    assert repr(made) == "Context(77 rows of 32, 3 fragments)"
    assert made.tensor.shape == (77, 32)
    assert made.tokens[:5] == ["<|startoftext|>", "a</w>", "red</w>", "cat</w>", "<|endoftext|>"]
    assert made.ids[:5].tolist() == [49406, 320, 736, 2368, 49407]
    assert made.weights[:5].tolist() == [1, 1, 1.3, 1, 1]
    assert made.owner[:5] == [None, 0, 1, 2, None]
    assert [f.text for f in made.fragments] == ["a ", "red", " cat"]


def test_without_weights_every_method_gives_the_encoders_own_context(encode, tiny_clip, tokenizer):
    ids = cliplab.length_normalization(tokenizer("a red cat"))
    for method in METHODS:
        made = encode("a red cat", method=method)
        assert torch.equal(made.tensor, tiny_clip(ids).context[0])


def test_where_the_methods_move_the_rows(encode):
    """The word alone; every row; the word and all after it."""
    plain = encode("a (red:0.5) cat", method="ignore").tensor

    def moved(method):
        change = (encode("a (red:0.5) cat", method=method).tensor - plain).abs().amax(-1)
        return change.nonzero().flatten().tolist()

    assert moved("scale") == moved("from_empty") == [2]
    assert moved("restore_mean") == list(range(77))
    assert moved("compel") == list(range(2, 77))


def test_at_weight_zero_compels_rows_are_the_empty_prompts(encode, tokenizer, tiny_clip):
    made = encode("a (cat)0", "compel")
    empty = PromptEncoder(tokenizer, tiny_clip).encoder.empty
    torch.testing.assert_close(made.tensor[2], empty[2], atol=1e-5, rtol=0)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("method", METHODS)
def test_ours_and_transformers_are_one(
    syntax, method, tokenizer, tiny_clip, transformers_tokenizer, transformers_clip
):
    prompt = "a cat, (one more)1.5 (dog:0.7)" + ", on a mat" * 20
    if syntax == "lecture":
        prompt = "a cat, (one more)1.5 dog" + ", on a mat" * 20
    for skip in (0, 1):
        for norm in (True, False):
            options = {"clip_skip": skip, "final_norm": norm}
            here = cliplab.encode_prompt(prompt, tokenizer, tiny_clip, syntax, method, **options)
            there = cliplab.encode_prompt(
                prompt, transformers_tokenizer, transformers_clip, syntax, method, **options
            )
            assert here.tokens == there.tokens
            torch.testing.assert_close(here.tensor, there.tensor, atol=2e-5, rtol=0)


def test_an_encoder_with_a_projection_is_read_too(tokenizer, transformers_clip):
    config = transformers_clip.config
    model = transformers.CLIPTextModelWithProjection(config).eval()
    model.text_model.load_state_dict(transformers_clip.state_dict())
    for skip in (0, 1):
        a = cliplab.encode_prompt("a (cat:1.3)", tokenizer, model, clip_skip=skip)
        b = cliplab.encode_prompt("a (cat:1.3)", tokenizer, transformers_clip, clip_skip=skip)
        assert torch.equal(a.tensor, b.tensor)


def test_a_list_comes_back_with_one_length(encode):
    long = "a (cat:1.3)" + ", a dog on a mat" * 20
    short, longer = encode(["(red:1.2) fox", long])
    assert short.tensor.shape == longer.tensor.shape == (154, 32)
    assert torch.equal(longer.tensor, encode(long).tensor)
    assert torch.equal(short.tensor[:77], encode("(red:1.2) fox").tensor)
    assert torch.equal(short.tensor[77:], encode("").tensor)
    assert short.tokens[77:79] == ["<|startoftext|>", "<|endoftext|>"]
    assert len(short.owner) == len(short.weights) == len(short.ids) == 154


def test_comfyui_repeats_up_to_the_common_multiple(encode):
    two, three = (", a dog on a mat" * 15 * n for n in (1, 2))
    short, longer = encode([two, three], "comfyui")
    assert len(encode(two, "comfyui").tensor) == 154
    assert len(encode(three, "comfyui").tensor) == 231
    assert len(short.tensor) == len(longer.tensor) == 462
    assert torch.equal(short.tensor[154:308], short.tensor[:154])


def test_a1111_takes_one_mean_for_the_steps_of_a_schedule(tokenizer, tiny_clip, encode):
    """Each depends on what it is encoded with: by 6e-3 here, which is what the tool gave."""
    prompts = ["a (cat:1.3)", "a photo of a dog"]
    encoder = PromptEncoder(tokenizer, tiny_clip)
    together = encoder.together(prompts)
    apart = [encoder(prompt) for prompt in prompts]
    far = [(a.tensor - b.tensor).abs().max().item() for a, b in zip(together, apart, strict=True)]
    assert far == pytest.approx([0.006282329559326172, 0.006247282028198242], abs=1e-6)
    # Nothing of the kind happens to prompts of a list, or with another method.
    assert torch.equal(encoder(prompts)[0].tensor, apart[0].tensor)
    encoder = PromptEncoder(tokenizer, tiny_clip, method="scale")
    assert torch.equal(encoder.together(prompts)[0].tensor, encoder(prompts[0]).tensor)


def test_truncation_says_what_is_lost(encode):
    with pytest.warns(cliplab.TruncationWarning, match="tokens lost: 5") as said:
        made = encode("cat " * 80, truncate=True)
    assert made.tensor.shape == (77, 32)
    assert said[0].message.lost == [[2368] * 5]


def test_what_a_diffusers_pipeline_takes(tokenizer, tiny_clip):
    prompts = ["a (red:1.3) cat", "a dog" + ", on a mat" * 30]
    embeds = cliplab.prompt_embeds(prompts, "blurry", tokenizer, tiny_clip)
    assert {key: value.shape for key, value in embeds.items()} == {
        "prompt_embeds": (2, 154, 32),
        "negative_prompt_embeds": (2, 154, 32),
    }
    assert torch.equal(*embeds["negative_prompt_embeds"])
    one = cliplab.prompt_embeds("a cat", "", tokenizer, tiny_clip, syntax="compel")
    assert one["prompt_embeds"].shape == one["negative_prompt_embeds"].shape == (1, 77, 32)
    with pytest.raises(ValueError, match="2 prompts and 3 negative prompts"):
        cliplab.prompt_embeds(prompts, ["a", "b", "c"], tokenizer, tiny_clip)


def test_a_schedule_or_a_tag_is_not_left_out_in_silence(encode):
    said = {
        "a cat AND a dog": "would take AND out",
        "a cat <lora:x:0.5>": "would take <lora:…> out",
        "a [cat:dog:0.5]": "would take a schedule in square brackets out",
        "a [cat|dog]": "would take a schedule",
        "[cat:0.9]": "would take a schedule",
        "at 12:30": "would take :30, the weight of the whole prompt, out",
    }
    for prompt, what in said.items():
        with pytest.warns(PromptWarning, match=what):
            encode(prompt)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encode("a (cat:1.3), [dog] BREAK ((one)) more\n")


# --- Weights that no context survives -------------------------------------------------------------


@pytest.mark.parametrize("method", [name for name in METHODS if name != "ignore"])
@pytest.mark.parametrize("weight", ["-1", "0", "0.0001", "1000"])
def test_odd_weights_stay_finite(method, weight, encode):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)  # the mean may be hard to restore
        assert encode(f"a (cat:{weight})", method=method).tensor.isfinite().all()


@pytest.mark.filterwarnings("ignore::cliplab.PromptWarning")
@pytest.mark.parametrize("weight", ["inf", "-inf", "nan", "1e39"])
def test_weights_beyond_numbers_are_refused_at_their_place(weight, encode):
    prompt = f"a red (cat:{weight}) on a mat"
    with pytest.raises(PromptError, match="not finite in float32") as error:
        encode(prompt, "comfyui")
    assert prompt[error.value.position :].startswith("cat")
    assert encode(prompt, "comfyui", "ignore").tensor.isfinite().all()


def test_a_blend_whose_weights_add_up_to_zero_is_refused(encode):
    prompt = '("a cat", "a dog").blend(1, -1)'
    with pytest.raises(PromptError, match="add up to 0") as error:
        encode(prompt, "compel")
    assert prompt[error.value.position :].startswith(".blend")
    assert encode(prompt[:-1] + ", no_normalize)", "compel").tensor.isfinite().all()


def test_who_ignores_weights_ignores_those_of_and(encode):
    weighted = encode('("a cat", "a dog").and(0.3, 2)', "compel", "ignore")
    assert torch.equal(weighted.tensor, encode('("a cat", "a dog").and()', "compel").tensor)


def test_masked_contexts_are_made_one_by_one(tokenizer, tiny_clip, monkeypatch):
    """All of them at once, one of the whole prompt for each fragment, would fill the memory."""
    from cliplab.weighting import operators

    def blend(base, masked, weights):
        assert iter(masked) is masked
        assert sum(M.shape == base.shape for M in masked) == len(weights) == 40
        return base

    monkeypatch.setattr(operators, "blend_masked", blend)
    cliplab.encode_prompt("(a)0.5 b " * 40, tokenizer, tiny_clip, "compel")


def test_half_precision_is_computed_in_full(tokenizer, tiny_clip):
    half = copy.deepcopy(tiny_clip).half()
    for method in METHODS:
        made = cliplab.encode_prompt("a (cat:0.5) (dog:1.4)", tokenizer, half, method=method)
        full = cliplab.encode_prompt("a (cat:0.5) (dog:1.4)", tokenizer, tiny_clip, method=method)
        assert made.tensor.dtype == torch.float16
        torch.testing.assert_close(made.tensor.float(), full.tensor, atol=2e-2, rtol=0)
    made = cliplab.encode_prompt("a (cat)0", tokenizer, half, "compel")
    assert made.tensor.isfinite().all()
    with pytest.raises(PromptError, match="not finite in float16"):
        cliplab.encode_prompt("a (cat:1e6)", tokenizer, half, "comfyui")


# --- Wrong calls ----------------------------------------------------------------------------------

COMPEL = {"syntax": "compel"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"syntax": "sdxl"}, ValueError, "syntax is one of a1111, comfyui"),
        ({"method": "mean"}, ValueError, "method is one of ignore, scale"),
        (COMPEL | {"split": "lines"}, ValueError, "split is one of sentences"),
        (COMPEL | {"downweight": "drop"}, ValueError, "downweight is one of mask, remove"),
        (COMPEL | {"eos": "last"}, ValueError, "eos is one of own, first, mean"),
        (COMPEL | {"see_padding": 0}, ValueError, "see_padding is True or False; not 0"),
        ({"comma_backtrack": 2.5}, ValueError, "comma_backtrack is a whole number; not 2.5"),
        ({"comma_backtrack": True}, ValueError, "comma_backtrack is a whole number; not True"),
        (
            {"backtrack": 3},
            TypeError,
            "a1111 with the method restore_mean has no setting 'backtrack'; it has comma_backtrack",
        ),
        (
            COMPEL | {"comma_backtrack": 3},
            TypeError,
            "no setting 'comma_backtrack'; it has split, eos, downweight, see_padding",
        ),
        (
            COMPEL | {"method": "scale", "downweight": "mask"},
            TypeError,
            "compel with the method scale has no setting 'downweight'; it has split, eos",
        ),
        ({"syntax": "comfyui", "split": "words"}, TypeError, "'split'; it has none"),
        ({"clip_skip": 3}, ValueError, "from 0 to 2; not 3"),
        ({"clip_skip": "1"}, ValueError, "from 0 to 2; not '1'"),
        ({"clip_skip": 1.0}, ValueError, "from 0 to 2; not 1.0"),
    ],
)
def test_wrong_options_are_refused(options, error, message, encode):
    with pytest.raises(error, match=message):
        encode("a cat", **options)


def test_a_tokenizer_is_wanted(tiny_clip):
    with pytest.raises(TypeError, match="this is dict"):
        cliplab.encode_prompt("a cat", {}, tiny_clip)


def test_a_model_is_wanted(tokenizer):
    for model in (None, "sd15", tokenizer):
        with pytest.raises(
            TypeError, match=r"The model is a cliplab\.CLIPTextModel or one of trans"
        ):
            cliplab.encode_prompt("a cat", tokenizer, model)


def test_a_chunk_has_room_for_a_token(tokenizer):
    """Without room, cutting would never end."""
    model = cliplab.CLIPTextModel(cliplab.CLIPTextConfig(49408, 2, 8, 1, 1, 8))
    with pytest.raises(ValueError, match="this encoder has 2 positions"):
        cliplab.encode_prompt("a cat", tokenizer, model, "comfyui")


def test_a_tokenizer_without_padding_is_refused(transformers_tokenizer, tiny_clip):
    without = copy.deepcopy(transformers_tokenizer)
    without.pad_token = None
    with pytest.raises(ValueError, match=r"set tokenizer\.pad_token"):
        cliplab.encode_prompt("a cat", without, tiny_clip)


def test_a_prompt_is_text(encode, tokenizer, tiny_clip):
    for prompt in (7, None, [7], [["a cat"]]):
        with pytest.raises(TypeError, match="A prompt is a str"):
            encode(prompt)
        with pytest.raises(TypeError, match="A prompt is a str"):
            cliplab.prompt_embeds(prompt, "", tokenizer, tiny_clip)
    with pytest.raises(TypeError, match="A prompt is a str"):
        cliplab.prompt_embeds("a cat", None, tokenizer, tiny_clip)


def test_no_prompts_give_no_contexts(encode, tokenizer, tiny_clip):
    for syntax in SYNTAXES:
        assert encode([], syntax) == []
    with pytest.raises(ValueError, match="There is no prompt"):
        cliplab.prompt_embeds([], "", tokenizer, tiny_clip)


@pytest.mark.parametrize(
    ("prompt", "options"),
    [
        ("a [cat|dog]", {}),
        ("a [cat:1.2]", {}),  # one warning, though it is of a word that no step shows
        ("at 12:30 <lora:ink:1>", {}),
        ("a (cat:nan)", {"syntax": "comfyui", "method": "ignore"}),
        ("(a cat).swap(a dog) on a mat withLora(ink)", {"syntax": "compel"}),
        ('("a", "b").and() c', {"syntax": "compel"}),
        ("cat " * 80, {"truncate": True}),
        ("a (cat:1e6)", {"syntax": "comfyui", "method": "restore_mean"}),
        ("(" + "cat " * 80 + ")0.5 dog", {"syntax": "compel", "downweight": "remove"}),
    ],
)
def test_warnings_name_the_line_that_called(prompt, options, encode, tokenizer, tiny_clip):
    def said(call):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            call()
        assert {warning.filename for warning in said} == {__file__}
        return len(said)

    count = said(lambda: encode(prompt, **options))
    assert count == (2 if "withLora" in prompt else 1)
    assert said(lambda: encode([prompt], **options)) == count
    assert said(lambda: cliplab.prompt_embeds(prompt, "", tokenizer, tiny_clip, **options)) == count


def test_every_tool_has_a_method_and_settings_of_its_own():
    for tool in TOOLS.values():
        assert tool.method in METHODS
        for method in METHODS.values():
            assert not {*names_of(tool)} & {*names_of(method)}


def test_the_tokenizer_belongs_to_the_encoder(tokenizer, small_config):
    small = transformers.CLIPTextConfig(**{**small_config.to_dict(), "vocab_size": 600})
    with pytest.raises(ValueError, match="ids up to 49407, the encoder a table of 600"):
        PromptEncoder(tokenizer, transformers.CLIPTextModel(small))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("method", METHODS)
def test_on_a_gpu_it_is_the_same(method, tokenizer, tiny_clip):
    prompts = ["a (red:1.3) [fox] and a (dog:0.4)", "a (cat:0.5)" + ", on a mat" * 40]
    here = cliplab.encode_prompt(prompts, tokenizer, tiny_clip, method=method)
    there = cliplab.encode_prompt(
        prompts, tokenizer, copy.deepcopy(tiny_clip).cuda(), method=method
    )
    for a, b in zip(here, there, strict=True):
        assert b.tensor.is_cuda
        torch.testing.assert_close(a.tensor, b.tensor.cpu(), atol=1e-3, rtol=0)
