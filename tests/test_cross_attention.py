"""Cross-attention: diffusers' own numbers, eager = fused, factors, and a real U-Net under watch."""

import math
import re

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from cliplab.cross_attention import (
    BasicTransformerBlock,
    CrossAttention,
    FeedForward,
    Transformer2D,
    region_maps,
    watch_attention,
)
from cliplab.plots import regions
from cliplab.text_encoder import Trace

ATTN2 = "transformer_blocks.0.attn2.weights"


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.no_grad():
        yield


def shaken(module, seed=0):
    """The module with noise on every parameter, so that no γ is 1 and no bias 0."""
    draw = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter += 0.02 * torch.randn(parameter.shape, generator=draw)
    return module.eval()


def close(a, b, tolerance=1e-5):
    assert a.shape == b.shape
    assert (a - b).abs().max() <= tolerance


# The layers


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_a_transformer_of_sd15_is_diffusers_own(width):
    from diffusers import Transformer2DModel

    torch.manual_seed(width)
    theirs = shaken(Transformer2DModel(8, width // 8, width, cross_attention_dim=768))
    ours = Transformer2D(width, 768)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image, context = torch.randn(2, width, 3, 5), torch.randn(2, 77, 768)
    (wanted,) = theirs(image, encoder_hidden_states=context, return_dict=False)
    assert wanted.std() > 0.5
    trace = Trace()
    close(ours(image, context), wanted)
    close(ours(image, context, trace=trace), wanted)
    assert trace[ATTN2].shape == (2, 8, 15, 77)
    assert trace["transformer_blocks.0.attn1.weights"].shape == (2, 8, 15, 15)
    factors = torch.linspace(-1, 2, 77)
    changed = ours(image, context, factors)
    close(changed, ours(image, context, factors, Trace()))
    assert (changed - wanted).abs().max() > 1e-2


def test_the_parts_are_diffusers_own_too():
    from diffusers.models.attention import BasicTransformerBlock as TheirBlock
    from diffusers.models.attention import FeedForward as TheirFeedForward
    from diffusers.models.attention_processor import Attention

    torch.manual_seed(1)
    X, context = torch.randn(2, 7, 32), torch.randn(2, 5, 24)
    for theirs, ours, args in [
        (Attention(32, heads=4, dim_head=8), CrossAttention(32, heads=4), (X,)),
        (Attention(32, 24, heads=4, dim_head=8), CrossAttention(32, 24, 4), (X, context)),
        (TheirFeedForward(32), FeedForward(32), (X,)),
    ]:
        ours.load_state_dict(shaken(theirs).state_dict(), strict=True)
        close(ours(*args), theirs(*args))
    theirs, ours = TheirBlock(32, 4, 8, cross_attention_dim=24), BasicTransformerBlock(32, 24, 4)
    ours.load_state_dict(shaken(theirs).state_dict(), strict=True)
    close(ours(X, context), theirs(X, encoder_hidden_states=context))


def test_the_unet_of_sd15_has_16_of_them_and_these_sizes():
    """Errata E18–E21: conv_in, widths, heads, scales, the number of modules and of parameters."""
    from diffusers import Transformer2DModel, UNet2DConditionModel
    from diffusers.models.attention_processor import Attention

    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    assert sum(p.numel() for p in unet.parameters()) == 859_520_964
    assert (unet.conv_in.in_channels, unet.conv_in.out_channels) == (4, 320)
    attention = [m for m in unet.modules() if isinstance(m, Attention)]
    cross = [m for m in attention if m.is_cross_attention]
    assert (len(attention), len(cross)) == (32, 16)
    assert {m.heads for m in attention} == {8}
    assert {round(m.scale, 3) for m in attention} == {0.158, 0.112, 0.079}
    assert {(m.to_q.in_features, m.to_k.in_features) for m in cross} == {
        (320, 768), (640, 768), (1280, 768)
    }  # fmt: skip
    transformers = [m for m in unet.modules() if isinstance(m, Transformer2DModel)]
    assert len(transformers) == 16
    for module in transformers:
        with torch.device("meta"):
            ours = Transformer2D(module.norm.num_channels, 768)
        shapes = {name: p.shape for name, p in module.state_dict().items()}
        assert shapes == {name: p.shape for name, p in ours.state_dict().items()}
        assert module.norm.eps == ours.norm.eps == 1e-6


class BlogsCrossAttention(nn.Module):
    """The blog's appendix 3, as it is printed."""

    def __init__(self):
        super().__init__()
        self.to_q = nn.Linear(768, 768, bias=False)
        self.to_k = nn.Linear(768, 320, bias=False)
        self.to_v = nn.Linear(768, 320, bias=False)
        self.to_out = nn.Sequential(nn.Linear(768, 768), nn.Dropout(0.0))

    def forward(self, x, text_embed):
        q, k, v = self.to_q(x), self.to_k(text_embed), self.to_v(text_embed)
        sim = torch.matmul(q, k.transpose(-1, -2)) * q.shape[-1] ** -0.5
        return self.to_out(torch.matmul(torch.softmax(sim, dim=-1), v))


def test_the_blogs_version_raises():
    """Erratum E19; with the right shapes, one head and the whole width's scale: E20."""
    blog, context = BlogsCrossAttention(), torch.randn(1, 77, 768)
    with pytest.raises(RuntimeError, match="320"):
        blog(torch.randn(1, 16, 768), context)
    with pytest.raises(RuntimeError, match="320"):
        blog(torch.randn(1, 16, 320), context)
    ours = shaken(CrossAttention(320, 768))
    blog.to_q, blog.to_k, blog.to_v = ours.to_q, ours.to_k, ours.to_v
    blog.to_out = ours.to_out[0]
    X = 5 * torch.randn(1, 16, 320)
    assert (blog(X, context) - ours(X, context)).abs().max() > 1e-2
    ours.heads = 1
    close(blog(X, context), ours(X, context))


def test_attention_by_hand():
    """Two heads of width 1, numbers that one can check."""
    attn = CrossAttention(2, 2, heads=2)
    for layer in (attn.to_q, attn.to_k, attn.to_v, attn.to_out[0]):
        layer.weight.copy_(torch.eye(2))
    attn.to_out[0].bias.zero_()
    X, context = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.0, 5.0], [math.log(3), 7.0]]])
    trace = Trace()
    out = attn(X, context, trace=trace)
    close(trace["weights"][0, :, 0], torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    close(out[0, 0], torch.tensor([0.75 * math.log(3), 6.0]))
    out = attn(X, context, factors=[1, 0])  # not normalized again
    close(out[0, 0], torch.tensor([0.0, 2.5]))


@settings(max_examples=25)
@given(st.data())
def test_a_factor_is_a_factor_on_the_value_row(data):
    B, P, L = (data.draw(st.integers(1, n)) for n in (3, 4, 6))
    seed = data.draw(st.integers(0, 99))
    factors = torch.tensor(
        data.draw(st.lists(st.floats(-2, 3, width=16), min_size=B * L, max_size=B * L))
    ).view(B, L)
    draw = torch.Generator().manual_seed(seed)
    attn = CrossAttention(8, 6, heads=2)
    X = torch.randn(B, P, 8, generator=draw)
    context = torch.randn(B, L, 6, generator=draw)
    trace = Trace()
    fused, eager = attn(X, context, factors), attn(X, context, factors, trace)
    close(fused, eager)
    close(trace["weights"].sum(-1), torch.ones(B, 2, P))  # noted before the factors
    V = trace["V"] * factors[:, None, :, None]
    close(attn.to_out[0](attn.join(trace["weights"] @ V)), fused)
    one_by_one = [attn(X[b : b + 1], context[b : b + 1], factors[b]) for b in range(B)]
    close(torch.cat(one_by_one), fused)
    close(attn(X, context, torch.ones(L)), attn(X, context))
    nothing = attn(X, context, torch.zeros(L))
    close(nothing, attn.to_out[0].bias.expand_as(nothing))


def test_the_order_of_tokens_does_not_matter_and_their_number_is_free():
    """Cross-attention sees a set of rows: places and order are in the rows themselves (E27)."""
    attn = CrossAttention(16, 12, heads=4)
    X, context = torch.randn(1, 9, 16), torch.randn(1, 77, 12)
    close(attn(X, context[:, torch.randperm(77)]), attn(X, context))
    for L in (1, 5, 154):
        assert attn(X, torch.randn(1, L, 12)).shape == (1, 9, 16)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ([1, 2], r"tensor \[5\], or \[2, 5\] with a row for each prompt; .* shape \[2\]"),
        (torch.ones(3, 5), r"shape \[3, 5\]"),
        ([1, 2, 3, 4, float("nan")], "finite"),
    ],
)
def test_factors_that_do_not_fit(factors, said):
    attn = CrossAttention(16, 12, heads=4)
    with pytest.raises(ValueError, match=said):
        attn(torch.randn(2, 3, 16), torch.randn(2, 5, 12), factors)


def test_a_width_that_does_not_split():
    with pytest.raises(ValueError, match=r"320 / 7 = 45.7"):
        CrossAttention(320, 768, heads=7)


# A real U-Net under watch


@pytest.fixture(scope="module")
def unet():
    from diffusers import UNet2DConditionModel

    torch.manual_seed(2)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=24,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    with torch.no_grad():
        return shaken(unet)


@pytest.fixture(scope="module")
def inputs():
    draw = torch.Generator().manual_seed(3)
    return torch.randn(4, 4, 6, 10, generator=draw), torch.randn(4, 7, 24, generator=draw)


def kinds(unet):
    return [type(p).__name__ for p in unet.attn_processors.values()]


def test_watching_changes_nothing_and_leaves_nothing_behind(unet, inputs):
    x, context = inputs
    wanted, before = unet(x, 10, context).sample, unet.attn_processors
    for guided in (True, False):
        with watch_attention(unet, guided=guided) as watch:
            assert "WatchedAttention" in kinds(unet)
            close(unet(x, 10, context).sample, wanted)
            unet(sample=x, timestep=5, encoder_hidden_states=context)
        rows = 2 if guided else 4
        assert len(watch.maps) == 2
        for step in watch.maps:
            assert len(step) == 7  # 2 levels down and up with 1 and 2 layers, and the middle
            for layer, weights in step.items():
                deep = "down_blocks.0" not in layer and "up_blocks.1" not in layer
                assert weights.shape == (rows, *((3, 5) if deep else (6, 10)), 7), layer
                close(weights.sum(-1), torch.ones(weights.shape[:3]))
        assert unet.attn_processors == before
        unet(x, 10, context)
        assert len(watch.maps) == 2
    with pytest.raises(RuntimeError), watch_attention(unet):
        raise RuntimeError
    assert unet.attn_processors == before


def test_the_recorded_weights_are_the_layers_own(unet, inputs):
    """Our own module with the layer's parameters, on what the layer was given."""
    x, context = inputs
    name = "up_blocks.1.attentions.0"
    theirs, given = unet.get_submodule(name), []
    hook = theirs.register_forward_pre_hook(lambda module, args: given.append(args[0]))
    with watch_attention(unet) as watch:
        unet(x, 10, context)
    hook.remove()
    ours, trace = Transformer2D(16, 24, heads=4, groups=8), Trace()
    ours.load_state_dict(theirs.state_dict())
    ours(given[0], context, trace=trace)
    wanted = trace[ATTN2][2:].mean(1).unflatten(1, (6, 10))
    close(watch.maps[0][f"{name}.transformer_blocks.0.attn2"], wanted)


def test_factors_act_on_the_conditional_half_alone(unet, inputs):
    x, context = inputs
    plain = unet(x, 10, context).sample
    factors = torch.tensor([1, 1, 2.0, 1, 0, 1, 1])
    with watch_attention(unet, factors) as watch:
        got = unet(x, 10, context).sample
    close(got[:2], plain[:2])
    assert (got[2:] - plain[2:]).abs().max() > 1e-3
    with watch_attention(unet, torch.stack([torch.ones(7), factors])):
        mixed = unet(x, 10, context).sample
    close(mixed[:3], plain[:3])
    close(mixed[3], got[3])
    with watch_attention(unet, factors, guided=False):
        close(unet(x[2:], 10, context[2:]).sample, got[2:])
    with watch_attention(unet, torch.ones(7)):
        close(unet(x, 10, context).sample, plain)
    first = watch.maps[0]["down_blocks.0.attentions.0.transformer_blocks.0.attn2"]
    close(first.sum(-1), torch.ones(2, 6, 10))  # as they were before the factors


def test_a_hidden_token_gets_no_attention(unet, inputs):
    x, context = inputs
    seen = torch.tensor([[1, 1, 1, 1, 1, 0, 0]]).expand(4, -1)
    wanted = unet(x, 10, context, encoder_attention_mask=seen).sample
    with watch_attention(unet) as watch:
        got = unet(x, 10, context, encoder_attention_mask=seen).sample
    close(got, wanted)
    assert all(weights[..., 5:].max() == 0 for weights in watch.maps[0].values())
    close(unet(x, 10, context[:, :5]).sample, wanted)  # as good as not there


def test_other_processors(unet, inputs):
    from diffusers.models.attention_processor import AttnProcessor

    x, context = inputs
    wanted = unet(x, 10, context).sample
    unet.set_attn_processor(AttnProcessor())
    with watch_attention(unet):
        close(unet(x, 10, context).sample, wanted)
        with pytest.raises(ValueError, match="with WatchedAttention"), watch_attention(unet):
            pass
    assert set(kinds(unet)) == {"AttnProcessor"}
    unet.set_default_attn_processor()


def test_what_does_not_fit_is_said(unet, inputs):
    x, context = inputs
    with pytest.raises(ValueError, match=r"has 3 rows.*guided=False"), watch_attention(unet):
        unet(x[:3], 10, context[:3])
    with pytest.raises(ValueError, match=r"\[7\], or \[2, 7\]"), watch_attention(unet, [1, 2]):
        unet(x, 10, context)


def test_gradients_pass_through_a_watched_unet(unet, inputs):
    x, context = inputs
    with torch.enable_grad(), watch_attention(unet, torch.full((7,), 1.5)) as watch:
        context = context.clone().requires_grad_()
        unet(x, 10, context).sample.sum().backward()
    assert context.grad.abs().sum() > 0
    assert not any(weights.requires_grad for weights in watch.maps[0].values())


# Regions


def test_region_maps_are_a_mean_over_layers_and_steps():
    draw = torch.Generator().manual_seed(4)
    sizes = [(4, 4), (2, 2), (4, 4)]
    maps = [
        {f"layer {n}": torch.randn(2, h, w, 5, generator=draw).softmax(-1)
         for n, (h, w) in enumerate(sizes)}
        for _ in range(3)
    ]  # fmt: skip
    for size, wanted_size in [(8, (8, 8)), ((4, 6), (4, 6))]:
        got = region_maps(maps, size)
        assert got.shape == (2, 5, *wanted_size)
        close(got.sum(1), torch.ones(2, *wanted_size))
        resized = [
            F.interpolate(m.movedim(-1, 1), wanted_size, mode="bilinear")
            for step in maps for m in step.values()
        ]  # fmt: skip
        close(got, torch.stack(resized).mean(0))
    close(region_maps(maps[:1], 4), region_maps(maps[:1] * 2, 4))
    close(region_maps(maps), region_maps(maps, 4))  # the finest layer's
    with pytest.raises(ValueError, match="no attention maps"):
        region_maps([], 8)
    with pytest.raises(ValueError, match="no attention maps"):
        region_maps([{}], 8)


def test_a_token_is_found_where_its_queries_are():
    """A U-Net layer made by hand in which the left half asks for token 0, the right for token 1."""
    attn, trace = CrossAttention(2, 2, heads=1), Trace()
    attn.to_q.weight.copy_(20 * torch.eye(2))
    attn.to_k.weight.copy_(torch.eye(2))
    X = torch.zeros(1, 16, 2)
    right = torch.arange(16) % 4 >= 2
    X[0, ~right, 0], X[0, right, 1] = 1, 1
    attn(X, torch.eye(2)[None], trace=trace)
    maps = [{"only": trace["weights"].mean(1).unflatten(1, (4, 4))}]
    found = region_maps(maps, 4)[0]
    assert (found[0, :, :2] > 0.99).all()
    assert (found[1, :, 2:] > 0.99).all()


# Their figures


@pytest.fixture
def figures():
    draw = torch.Generator().manual_seed(5)
    picture = Image.radial_gradient("L").resize((32, 32)).convert("RGB")
    maps = torch.rand(3, 4, 8, 8, generator=draw) / 50
    maps[1, :, 1, 6] = 0.5  # word 1: upper right
    words = ["red", "circle", "<script>"]
    tokens = ["<|startoftext|>", "red</w>", "circle</w>", *["<|endoftext|>"] * 3]
    shares = torch.tensor([0.5, 0.1, 0.2, 0.1, 0.06, 0.04])
    return {
        "regions": regions.word_regions(picture, zip(words, maps[:, 0], strict=True)),
        "steps": regions.maps_by_step(words, maps, [1, 5, 10, 20], source="drawn here"),
        "shares": regions.token_shares(
            tokens, {"all": shares, "no padding": shares[:4] / shares[:4].sum()}
        ),
    }


def test_figures_carry_their_words(figures):
    for name, figure in figures.items():
        assert re.match(r"[A-Z].*\.$", figure.alt), name
        assert len(figure.alt.split()) >= 12
        assert "<script>" not in figure.html()
        assert len(figure.html().encode()) < 20_000, name
        assert figure.table.rows
    assert "“circle” most at the upper right, 0.0 to 50.0 %" in figures["regions"].alt
    assert "“circle” has its most at the upper right from step 1 on" in figures["steps"].alt
    told = "all: BOS 50.0 %, red 10.0 %, circle 20.0 %, EOS 10.0 %, 2 × pad 10.0 % (5.0 % each)"
    assert told in figures["shares"].alt
    assert ("no padding", "4–5", "2 × pad", "not there") in figures["shares"].table.rows
    assert len(figures["steps"].table.rows) == 12


def test_figures_refuse_what_does_not_fit():
    picture, flat = Image.new("RGB", (32, 32)), torch.zeros(8)
    for call, said in [
        (lambda: regions.word_regions(picture, []), "at least one word"),
        (lambda: regions.word_regions(picture, [("a", flat)]), r"\[h, w\]"),
        (
            lambda: regions.maps_by_step(["a"], torch.zeros(1, 2, 4, 4), [1]),
            r"\[1, 1, h, w\]",
        ),
        (lambda: regions.token_shares(["a"], {"x": [0.4]}), "sum to 0.4"),
    ]:
        with pytest.raises(ValueError, match=said):
            call()
