"""What is said of the encoders after Stable Diffusion 1.5, where the table has no cell for it.

Tiny encoders with random weights and toy tokenizers, as for the table, through diffusers' own code.
"""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

import cliplab

transformers = pytest.importorskip("transformers")
diffusers = pytest.importorskip("diffusers")
POSSESSIVES = "a dog's bowl and a cat's bed"


@pytest.fixture(scope="module")
def tool():
    from tools import pipeline_cells, pipeline_parts, pipeline_recorder, pipelines

    pipelines.quiet()
    return SimpleNamespace(
        Recorder=pipeline_recorder.Recorder, parts=pipeline_parts,
        template=pipeline_cells.template, PIPELINES=pipelines.PIPELINES,
    )  # fmt: skip


@pytest.fixture(scope="module")
def parts(tool):
    return tool.parts


@torch.no_grad()
def states(encoder, tokenizer, text: str, **options):
    """All hidden states of one text, [L, D] each."""
    given = tokenizer(text, return_tensors="pt", **options)
    return [H[0] for H in encoder(**given, output_hidden_states=True).hidden_states]


# --- hidden_states[-1] ----------------------------------------------------------------------------


def normed(model, **options) -> bool:
    """Whether the last of transformers' hidden states is what the final norm gave."""
    gave = []
    for path, module in model.named_modules():
        if path.split(".")[-1] in ("norm", "final_layer_norm") and "visual" not in path:
            module.register_forward_hook(lambda module, args, out: gave.append(out))
    out = model(torch.tensor([[7, 8, 9]]), output_hidden_states=True, **options)
    return any(torch.equal(norm, out.hidden_states[-1]) for norm in gave)


@torch.no_grad()
@pytest.mark.parametrize("projection", [None, 36])
def test_clip_keeps_its_last_state_before_the_norm(parts, projection):
    assert not normed(parts.clip(32, projection))


@torch.no_grad()
@pytest.mark.parametrize("kind", ["T5", "UMT5"])
def test_t5_keeps_it_after_the_norm(parts, kind):
    assert normed(parts.t5(kind=kind))


@torch.no_grad()
@pytest.mark.parametrize("kind", ["Llama", "Mistral", "Gemma2", "Qwen3", "SmolLM3", "Glm"])
@pytest.mark.parametrize("causal", [False, True])
def test_language_models_keep_it_after_the_norm(parts, kind, causal):
    assert normed(parts.decoder(kind, layers=2, causal=causal))


@torch.no_grad()
def test_so_do_gemma_3_and_models_that_see(parts):
    config = transformers.Gemma3TextConfig(
        vocab_size=300, hidden_size=56, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=28, pad_token_id=0,
    )  # fmt: skip
    assert normed(parts.shaken(transformers.Gemma3TextModel(config)))
    assert normed(parts.qwen2_5_vl())
    assert normed(parts.mistral3())


@torch.no_grad()
def test_qwen3_vl_gives_the_bare_state_back_where_its_text_model_is_told_to(parts):
    """The setting of the whole model does nothing; that of its text model does."""
    text = {
        "vocab_size": 300, "hidden_size": 56, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 28, "pad_token_id": 0,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 5, 5],
        },
    }  # fmt: skip
    vision = {
        "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 1,
        "out_hidden_size": 56, "deepstack_visual_indexes": [0],
    }  # fmt: skip
    config = transformers.Qwen3VLConfig(text_config=text, vision_config=vision)
    model = parts.shaken(transformers.Qwen3VLForConditionalGeneration(config))
    assert normed(model)
    model.config.tie_last_hidden_states = False
    assert normed(model)
    model.config.text_config.tie_last_hidden_states = False
    assert not normed(model)


# --- SDXL and SD 3 --------------------------------------------------------------------------------


def test_sdxl_without_a_negative_has_a_pooled_row_of_zeros_as_well(tool):
    recorder = tool.Recorder(tool.PIPELINES["sdxl"])
    without = recorder("a dog", negative_prompt=None)
    assert not without["negative_embeds"].any()
    assert not without["negative_pooled"].any()
    empty, none = recorder("a dog", negative_prompt=""), recorder("")
    assert torch.equal(empty["negative_embeds"], none["embeds"])
    assert torch.equal(empty["negative_pooled"], none["pooled"])


def test_sdxl_skips_layers_of_the_prompt_alone(tool):
    recorder = tool.Recorder(tool.PIPELINES["sdxl"])
    plain, zero, one = (
        recorder("a dog", negative_prompt="a cat", clip_skip=skip) for skip in (None, 0, 1)
    )
    both = [dict(call[2].values()) for call in recorder.calls[:2]]  # of the prompt, by their names
    rows = torch.cat([found["hidden_states[-3]"] for found in both], dim=-1)
    assert torch.equal(plain["embeds"], zero["embeds"])
    assert torch.equal(one["embeds"][0], rows)
    assert torch.equal(one["negative_embeds"], plain["negative_embeds"])
    assert torch.equal(one["pooled"], plain["pooled"])


@torch.no_grad()
def test_a_learned_word_is_pooled_in_the_place_of_eos(parts):
    """With `eos_token_id = 2` the row of the largest id; with the id of EOS its own row."""
    encoder = parts.clip(32, 36)
    encoder.resize_token_embeddings(49410)
    learned = torch.tensor([[49406, 320, 49408, 1929, 49407]])
    (pools,) = (module for module in encoder.modules() if hasattr(module, "eos_token_id"))
    assert pools.eos_token_id == 2
    for rule, row in ((2, 2), (49407, 4)):
        pools.eos_token_id = rule
        out = encoder(learned)
        wanted = encoder.text_projection(out.last_hidden_state[0, row])
        torch.testing.assert_close(out.text_embeds[0], wanted)
        config = cliplab.CLIPTextConfig(49410, 77, 32, 2, 4, 48, eos_token_id=rule)
        (_, found), _ = cliplab.CLIPTextModel(config).find_eos(learned)
        assert found.item() == row


@pytest.mark.parametrize(("longest", "rows"), [(256, 333), (512, 589)])
def test_sd3_without_its_t5_has_rows_of_zeros(tool, longest, rows):
    recorder = tool.Recorder(tool.PIPELINES["sd3"])
    recorder.pipe.text_encoder_3 = recorder.pipe.tokenizer_3 = None
    C = recorder("a dog", max_sequence_length=longest)["embeds"][0]
    assert len(C) == rows
    assert not C[77:].any()
    assert C[:77].any(-1).all()


# --- templates and dropped rows -------------------------------------------------------------------


def test_z_image_wraps_a_list_that_is_used_again_twice(tool):
    recorder, prompts = tool.Recorder(tool.PIPELINES["z_image"]), ["a dog"]
    once = len(recorder(prompts)["embeds"][0])
    around = once - len("a dog")
    assert prompts == ["<|im_start|>user\na dog<|im_end|>\n<|im_start|>assistant\n"]
    assert len(recorder(prompts)["embeds"][0]) == once + around
    assert len(recorder("a dog")["embeds"][0]) == once  # a string is safe


def test_a_prompt_that_is_too_long_costs_qwen_image_its_last_rows_first(tool):
    recorder = tool.Recorder(tool.PIPELINES["qwen_image"])
    before, after = (
        len(recorder.tokenizer("text_encoder")(text)["input_ids"])
        for text in tool.template(recorder)["text_encoder"]
    )
    for spare in (after, after - 1, 0):
        letters = "a" * (512 - (before - 34) - spare)
        C = recorder(letters)["embeds"][0]
        _, given, found, _ = recorder.calls[0]
        read, rows = given["input_ids"].shape[1], found[max(found)][1]
        assert read == before + len(letters) + after  # nothing is cut before the encoder
        assert len(C) == 512
        torch.testing.assert_close(C, rows[34 : 34 + 512])
        assert read - 34 - 512 == after - spare  # rows that are lost, all of them of the template


def test_ovis_drops_28_rows(tool):
    recorder = tool.Recorder(tool.PIPELINES["ovis"])
    C = recorder("a dog")["embeds"][0]
    rows = recorder.calls[0][2]
    torch.testing.assert_close(C[:20], rows[max(rows)][1][28:48])


def test_hunyuan_image_takes_the_third_state_from_the_end_without_34_rows(parts):
    pipe, tokenizer, encoder = (
        diffusers.HunyuanImagePipeline, parts.toy_tokenizer(), parts.qwen2_5_vl(),
    )  # fmt: skip
    with torch.no_grad():
        C, mask = pipe._get_qwen_prompt_embeds(
            None, tokenizer, encoder, "a dog", torch.device("cpu"), torch.float32
        )
    template = pipe._get_qwen_prompt_embeds.__defaults__[4].format("a dog")
    found = states(
        encoder, tokenizer, template, padding="max_length", max_length=1034, truncation=True
    )
    assert C.shape[1] == mask.shape[1] == 1000
    torch.testing.assert_close(C[0], found[-3][34:])


def test_longcat_drops_what_stands_around_the_prompt(parts):
    tokenizer, encoder = parts.toy_tokenizer(), parts.qwen2_5_vl()
    pipe = SimpleNamespace(
        tokenizer=tokenizer, text_encoder=encoder, device="cpu", tokenizer_max_length=40,
        prompt_template_encode_prefix="<|im_start|>user\n",
        prompt_template_encode_suffix="<|im_end|>",
    )  # fmt: skip
    with torch.no_grad():
        C = diffusers.LongCatImagePipeline._encode_prompt(pipe, ["a dog"])
    before = pipe.prompt_template_encode_prefix
    found = states(encoder, tokenizer, before + "a dog")  # causal: what comes later is no matter
    assert C.shape[1] == 40
    rows = len(tokenizer(before)["input_ids"])
    torch.testing.assert_close(C[0, :5], found[-1][rows:])


def test_fibo_joins_the_normed_state_and_the_one_before(parts):
    tokenizer, encoder = parts.toy_tokenizer(), parts.decoder("SmolLM3")
    pipe = SimpleNamespace(tokenizer=tokenizer, text_encoder=encoder)
    with torch.no_grad():
        C, _, _ = diffusers.BriaFiboPipeline.get_prompt_embeds(
            pipe, "a dog", device=torch.device("cpu"), dtype=torch.float32
        )
    found = states(encoder, tokenizer, "a dog")
    torch.testing.assert_close(C[0], torch.cat([found[-1], found[-2]], dim=-1))


# --- prompts that are not read as they were typed -------------------------------------------------


def test_apostrophes_are_taken_for_quotes():
    from diffusers.pipelines.hunyuan_image.pipeline_hunyuanimage import extract_glyph_text

    assert extract_glyph_text(POSSESSIVES) == 'Text "s bowl and a cat". '
    assert diffusers.GlmImagePipeline.get_glyph_texts(None, POSSESSIVES) == [["s bowl and a cat"]]


def test_longcat_spares_apostrophes_inside_words_and_may_mix_the_words_up():
    """Not those after a word. Of two spared words one is written in the place of the other, twice:
    which one hangs on the order of a set, and so on the process."""
    from diffusers.pipelines.longcat_image.pipeline_longcat_image import split_quotation

    assert split_quotation("a dog's bowl") == [("a dog's bowl", False)]
    assert split_quotation("the dogs' bowl and the cats' bed") == [
        ("the dogs", False), ("' bowl and the cats'", True), (" bed", False),
    ]  # fmt: skip
    code = (
        "from diffusers.pipelines.longcat_image.pipeline_longcat_image import split_quotation; "
        f"print(split_quotation({POSSESSIVES!r})[0][0])"
    )
    read = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "3")
    }  # fmt: skip
    assert read == {"a dog's bowl and a dog'sdog's bed", "a cat'scat's bowl and a cat's bed"}


@pytest.mark.parametrize(
    ("prompt", "read"),
    [("(cat:1.3)", "cat:1.3"), ("A Cat [dog] 猫 {x}", "a cat dog x")],
)
def test_prx_cleans_a_prompt_and_keeps_a_weight_as_text(prompt, read):
    from diffusers.pipelines.prx.pipeline_prx import TextPreprocessor

    assert TextPreprocessor().clean_text(prompt) == read
