"""At Stable Diffusion 1.5's full size: the same weights here and in transformers, the same numbers.

The weights are random, with LayerNorms that are far from the identity. Both models share them.
"""

import copy

import pytest
import torch
import transformers

from cliplab.masks import mask_pad
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

BOS, EOS, L = 49406, 49407, 77


def prompts(*lengths: int) -> torch.Tensor:
    """BOS, words, EOS, and EOS again up to 77; lengths count words."""
    ids = torch.full((len(lengths), L), EOS)
    ids[:, 0] = BOS
    for row, length in enumerate(lengths):
        ids[row, 1 : length + 1] = torch.randint(0, BOS, (length,))
    return ids


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    config = transformers.CLIPTextConfig(
        vocab_size=49408,
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        eos_token_id=2,
        attn_implementation="eager",
    )
    model = transformers.CLIPTextModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
    return model


@pytest.fixture(scope="module")
def ours(theirs) -> CLIPTextModel:
    with torch.device("meta"):
        model = CLIPTextModel(CLIPTextConfig.sd15())
    model.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    return model.eval()


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    torch.manual_seed(1)
    return prompts(3, 75)


@pytest.fixture(scope="module")
def expected(theirs, ids):
    with torch.inference_mode():
        return theirs(ids, output_hidden_states=True, output_attentions=True)


@pytest.fixture(scope="module")
def fused(ours, ids):
    with torch.inference_mode():
        return ours(ids)


@pytest.fixture(scope="module")
def traced(ours, ids):
    with torch.inference_mode():
        return ours(ids, trace=True)


def close(actual, expected, atol=1e-5):
    torch.testing.assert_close(actual.float(), expected.float(), rtol=0, atol=atol)


def test_the_names_are_the_same(theirs, ours):
    def shapes(model):
        return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}

    assert shapes(ours) == shapes(theirs)
    assert ours.num_parameters() == theirs.num_parameters() == 123_060_480


@pytest.mark.equation(6, 11)
@pytest.mark.parametrize("path", ["fused", "traced"])
def test_the_context_is_the_same(path, expected, request):
    out = request.getfixturevalue(path)
    assert out.context.shape == (2, 77, 768)
    close(out.context, expected.last_hidden_state)


@pytest.mark.parametrize("path", ["fused", "traced"])
def test_all_13_hidden_states_are_the_same(path, expected, request):
    out = request.getfixturevalue(path)
    assert len(out.hidden_states) == len(expected.hidden_states) == 13
    for here, there in zip(out.hidden_states, expected.hidden_states, strict=True):
        close(here, there)


def test_the_attentions_are_the_same(traced, expected):
    for n, weights in enumerate(expected.attentions):
        close(traced.trace[f"encoder.layers.{n}.self_attn.weights"], weights)


def test_every_row_is_the_same_under_a_pad_mask(theirs, ours, ids, fused):
    mask = mask_pad(ids)
    with torch.inference_mode():
        there = theirs(ids, attention_mask=mask.long()).last_hidden_state
        here = ours(ids, mask=mask).context
    close(here, there)
    change = (here - fused.context)[0].abs().amax(-1)
    assert torch.equal(change[:5], torch.zeros(5))  # BOS, three words, EOS: exactly 0
    assert (change[5:] > 1e-3).all()


@pytest.mark.parametrize("eos", [2, EOS])
def test_both_rules_of_pooling_are_the_same(eos, theirs, ours, monkeypatch):
    ids = prompts(3, 5)[:, :8]
    ids[0, 6] = 49406  # behind EOS, and smaller
    config = CLIPTextConfig(49408, 77, 768, 12, 12, 3072, eos_token_id=eos)
    monkeypatch.setattr(theirs, "eos_token_id", eos)
    monkeypatch.setattr(ours, "config", config)
    with torch.inference_mode():
        close(ours(ids).pooled, theirs(ids).pooler_output)


@pytest.mark.parametrize("skip", [1, 2, 12])
def test_clip_skip_is_the_final_norm_of_an_earlier_state(skip, theirs, ours, ids, expected):
    with torch.inference_mode():
        there = theirs.final_layer_norm(expected.hidden_states[-(skip + 1)])
        out = ours(ids[:1, :9], clip_skip=skip)  # the first rows do not depend on later ones
    close(out.context, there[:1, :9])
    close(out.pooled, expected.pooler_output[:1])


@pytest.mark.parametrize("length", [1, 2, 40])
def test_the_length_is_free(length, theirs, ours, ids):
    with torch.inference_mode():
        close(ours(ids[:1, :length]).context, theirs(ids[:1, :length]).last_hidden_state)


@pytest.mark.parametrize(("dtype", "atol"), [(torch.bfloat16, 0.15), (torch.float16, 0.02)])
def test_half_precision_is_finite_and_close(dtype, atol, ours, ids, fused):
    half = copy.deepcopy(ours).to(dtype)
    with torch.inference_mode():
        out = half(ids[:1, :16])
    assert out.context.dtype == dtype
    assert out.context.isfinite().all()
    close(out.context, fused.context[:1, :16], atol)


def test_projected_embeddings_are_the_same():
    torch.manual_seed(2)
    config = transformers.CLIPTextConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=24,
        bos_token_id=58,
        eos_token_id=59,
    )
    there = transformers.CLIPTextModelWithProjection(config).eval()
    here = CLIPTextModel(CLIPTextConfig(60, 77, 32, 4, 2, 48, eos_token_id=59, projection=24))
    here.load_state_dict(there.state_dict(), strict=True)
    ids = torch.tensor([[58, 3, 59, 59], [58, 4, 5, 59]])
    close(here(ids).text_embeds, there(ids).text_embeds)
