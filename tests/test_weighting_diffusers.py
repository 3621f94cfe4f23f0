"""Weighted contexts go into a real diffusers pipeline, whatever their length."""

import pytest
import torch
import transformers
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

import cliplab
from cliplab.weighting import PromptEncoder

LONG = "a (red:1.3) fox" + ", behind it [mountains] and ((snow))" * 15


@pytest.fixture(scope="module")
def pipe(transformers_tokenizer, small_config):
    """Stable Diffusion 1.5's parts, very small, with random weights."""
    torch.manual_seed(0)
    text_encoder = transformers.CLIPTextModel(small_config).eval()
    torch.nn.init.normal_(text_encoder.final_layer_norm.bias, mean=0.2)  # a mean to restore
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=4,
    )
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL(latent_channels=4, block_out_channels=(8,), norm_num_groups=4),
        text_encoder=text_encoder,
        tokenizer=transformers_tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def paint(pipe, **prompt) -> torch.Tensor:
    return pipe(
        **prompt,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        output_type="latent",
    ).images


def test_without_weights_the_picture_is_diffusers_own(pipe):
    """To the last bit: the same prompt as text and as embeddings."""
    embeds = cliplab.prompt_embeds("a red fox", "blurry", pipe.tokenizer, pipe.text_encoder)
    mine = paint(pipe, **embeds)
    assert torch.equal(mine, paint(pipe, prompt="a red fox", negative_prompt="blurry"))


@pytest.mark.parametrize("syntax", ["a1111", "comfyui", "compel"])
def test_long_weighted_prompts_and_short_negatives(pipe, syntax):
    prompts = [cliplab.convert_prompt(LONG.replace("[", "").replace("]", ""), "a1111", syntax)] * 2
    embeds = cliplab.prompt_embeds(
        prompts, "blurry", pipe.tokenizer, pipe.text_encoder, syntax=syntax
    )
    assert embeds["prompt_embeds"].shape == embeds["negative_prompt_embeds"].shape
    assert embeds["prompt_embeds"].shape[1] > 77
    images = paint(pipe, **embeds)
    assert images.shape[0] == 2
    assert images.isfinite().all()


def test_clip_skip_counts_as_diffusers_does(pipe):
    """diffusers 0.42 looks for a level that transformers has taken out; it is put back for it."""
    pipe.text_encoder.__dict__["text_model"] = pipe.text_encoder
    embeds = cliplab.prompt_embeds("a fox", "", pipe.tokenizer, pipe.text_encoder, clip_skip=1)
    theirs, _ = pipe.encode_prompt("a fox", "cpu", 1, False, clip_skip=1)
    assert torch.equal(embeds["prompt_embeds"], theirs)


def test_a_schedule_has_a_context_for_each_of_its_steps(pipe):
    """What A1111's [from:to:when] comes to: other embeddings after a step."""
    encoder = PromptEncoder(pipe.tokenizer, pipe.text_encoder, method="scale")
    steps = cliplab.prompts.a1111.schedule("a (red:1.2) [fox:cat:0.5]", steps=10)
    contexts = encoder.together([step.text for step in steps])
    assert [
        (step.end, context.tokens[3]) for step, context in zip(steps, contexts, strict=True)
    ] == [
        (5, "fox</w>"),
        (10, "cat</w>"),
    ]
    assert torch.equal(contexts[1].tensor, encoder("a (red:1.2) cat").tensor)
