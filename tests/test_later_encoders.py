"""T5, decoder models and SDXL's pair: each definition by hand, two paths, masks, errors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import cliplab
from cliplab.later_encoders import (
    GatedGELU,
    GroupedQueryAttention,
    RelativePositionBias,
    RMSNorm,
    RotaryEmbedding,
    SwiGLU,
    T5Attention,
    relative_position_bucket,
    rotate,
)
from cliplab.text_encoder import Trace

T5 = cliplab.T5Config(50, 12, 3, 5, 2, 20, buckets=8, max_distance=20)
QWEN = cliplab.DecoderConfig(50, 12, 4, 2, 6, 2, 20, rope_theta=100.0, qk_norm=True)
LLAMA = cliplab.DecoderConfig(50, 12, 4, 2, 6, 2, 20, rope_theta=100.0, qk_norm=False)
IDS = [[48, 7, 0, 31, 49, 0, 0], [48, 3, 9, 1, 22, 6, 49]]
PAD = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1] * 7]).bool()


def shake(module: nn.Module, seed: int = 0) -> nn.Module:
    """Random weights in float64, with norms far from the identity."""
    torch.manual_seed(seed)
    module.double().eval()
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.normal_(1.0 if "norm" in name else 0.0, 0.4)
    return module


def build(config) -> nn.Module:
    kind = cliplab.T5EncoderModel if isinstance(config, cliplab.T5Config) else cliplab.DecoderModel
    return shake(kind(config))


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@pytest.fixture(params=[T5, QWEN, LLAMA], ids=["t5", "qwen3", "llama"])
def model(request):
    return build(request.param)


# --- one definition at a time ---------------------------------------------------------------------


def test_rms_norm_by_hand():
    norm = RMSNorm(2, eps=0.0).double()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 10.0]))
    X = torch.tensor([[3.0, 4.0]], dtype=torch.float64)  # its mean square is 12.5
    close(norm(X), torch.tensor([[3, 40]], dtype=torch.float64) / 12.5**0.5)
    close(norm(X), norm(X, Trace()))
    close(norm(-7 * X), -norm(X))  # the length is lost, the direction is not


def test_half_precision_is_computed_in_float32():
    X = torch.full((1, 4), 300.0, dtype=torch.float16)  # 300² is beyond fp16
    for trace in ((), (Trace(),)):
        assert RMSNorm(4).half()(X, *trace).tolist() == [[1, 1, 1, 1]]


def test_near_distances_have_buckets_of_their_own_and_far_ones_share():
    d = torch.tensor([0, -1, -7, -8, -9, -11, -12, -15, -16, -127, -128, -5000, 1, 7, 8, 5000])
    buckets = [0, 1, 7, 8, 8, 8, 9, 9, 10, 15, 15, 15, 17, 23, 24, 31]
    assert relative_position_bucket(d).tolist() == buckets
    assert relative_position_bucket(d[:7], buckets=8, max_distance=20).tolist() == [
        0, 1, 3, 3, 3, 3, 3,
    ]  # fmt: skip


@given(st.integers(-10_000, 10_000), st.sampled_from([4, 8, 32, 64]))
def test_a_bucket_says_the_direction_and_grows_with_the_distance(distance, buckets):
    def bucket(d):
        return relative_position_bucket(torch.tensor(d), buckets, 128).item()

    d = abs(distance)
    assert bucket(-d) <= bucket(-d - 1) < buckets // 2
    assert bucket(d + 1) == bucket(-d - 1) + buckets // 2 < buckets
    if d < buckets // 4:
        assert bucket(-d) == d


def test_the_bias_depends_on_the_distance_alone():
    table = shake(RelativePositionBias(3, 8, 20))
    B = table(40)
    assert B.shape == (3, 40, 40)
    for d in (-30, -1, 0, 2, 39):
        diagonal = B.diagonal(d, -2, -1)
        assert torch.equal(diagonal, diagonal[:, :1].expand_as(diagonal))
    assert torch.equal(
        B[1, 5, 3], table.weight[relative_position_bucket(torch.tensor(-2), 8, 20), 1]
    )
    assert torch.equal(B[:, :9, :9], table(9))


def test_rotation_by_hand():
    cos, sin = RotaryEmbedding(4, theta=100.0)(4)
    assert cos.shape == sin.shape == (4, 2)
    # Pairs (0, 2) and (1, 3); at position m the first turns by m, the second by m/10.
    x = torch.tensor([1.0, 0.0, 0.0, 1.0])
    turned = rotate(x.expand(4, 4), cos, sin)
    for m in range(4):
        expected = [math.cos(m), -math.sin(m / 10), math.sin(m), math.cos(m / 10)]
        assert turned[m].tolist() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 60))
def test_a_product_of_turned_rows_knows_the_distance_alone(i, j, shift):
    cos, sin = RotaryEmbedding(8, theta=1e4)(100)
    q, k = random(8), random(8)
    turned_q, turned_k = (rotate(x.expand(100, 8), cos.double(), sin.double()) for x in (q, k))
    here, there = turned_q[i] @ turned_k[j], turned_q[i + shift] @ turned_k[j + shift]
    assert abs(here - there) < 1e-4  # angles are float32
    assert abs(turned_q[i].norm() - q.norm()) < 1e-4
    assert abs(turned_q[i] @ turned_k[i] - q @ k) < 1e-4


def test_gates_by_hand():
    X = random(2, 3)
    mlp = shake(GatedGELU(3, 5))
    u = X @ mlp.wi_0.weight.T
    gelu = nn.functional.gelu(u, approximate="tanh")
    expected = (gelu * (X @ mlp.wi_1.weight.T)) @ mlp.wo.weight.T
    close(mlp(X), expected)
    close(mlp(X, Trace()), expected)
    mlp = shake(SwiGLU(3, 5))
    u = X @ mlp.gate_proj.weight.T
    expected = (u / (1 + torch.exp(-u)) * (X @ mlp.up_proj.weight.T)) @ mlp.down_proj.weight.T
    close(mlp(X), expected)
    close(mlp(X, Trace()), expected)


def test_t5s_scores_are_not_divided():
    attn, X, bias = shake(T5Attention(T5)), random(1, 4, 12), random(1, 3, 4, 4)
    expected = torch.zeros(4, 12, dtype=torch.float64)
    for h in range(3):
        rows = slice(5 * h, 5 * h + 5)
        Q, K, V = (X[0] @ proj.weight[rows].T for proj in (attn.q, attn.k, attn.v))
        A = torch.softmax(Q @ K.T + bias[0, h], dim=-1) @ V
        expected += A @ attn.o.weight[:, rows].T
    close(attn(X, bias)[0], expected)
    close(attn(X, bias, Trace())[0], expected)


@pytest.mark.parametrize("config", [QWEN, LLAMA], ids=["qwen3", "llama"])
def test_query_heads_share_keys_and_values(config):
    attn, X = shake(GroupedQueryAttention(config)), random(1, 5, 12)
    cos, sin = (T.double() for T in RotaryEmbedding(6, 100.0)(5))
    M = cliplab.causal_mask(5)
    expected = torch.zeros(5, 12, dtype=torch.float64)
    for h in range(4):
        own, shared = slice(6 * h, 6 * h + 6), slice(6 * (h // 2), 6 * (h // 2) + 6)
        Q, K = X[0] @ attn.q_proj.weight[own].T, X[0] @ attn.k_proj.weight[shared].T
        Q, K = rotate(attn.q_norm(Q), cos, sin), rotate(attn.k_norm(K), cos, sin)
        S = (Q @ K.T / 6**0.5).masked_fill(~M, -math.inf)
        A = torch.softmax(S, dim=-1) @ (X[0] @ attn.v_proj.weight[shared].T)
        expected += A @ attn.o_proj.weight[:, own].T
    close(attn(X, M, cos, sin)[0], expected)
    close(attn(X, M, cos, sin, Trace())[0], expected)


# --- whole models ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [None, PAD], ids=["no mask", "mask"])
def test_traced_and_fused_agree_forward_and_backward(model, mask):
    gradients = []
    for trace in (False, True):
        out = model(IDS, mask, trace=trace)
        model.zero_grad()
        out.context.sin().sum().backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
        close(out.context, model(IDS, mask).context)
    for name, gradient in gradients[0].items():
        assert gradient.abs().max() > 0, name
        close(gradient, gradients[1][name])


def test_the_trace_holds_every_letter():
    norms = {"layer_norm.mean_square"}
    attention = {f"SelfAttention.{name}" for name in ("Q", "K", "V", "S", "weights", "A")}
    mlp = {"DenseReluDense.gate", "DenseReluDense.gated"}
    block = {"Y"} | {f"layer.0.{name}" for name in {"U"} | norms | attention}
    block |= {f"layer.1.{name}" for name in {"V"} | norms | mlp}
    trace = build(T5)(IDS, trace=True).trace
    assert set(trace) == (
        {"M", "X", "C", "encoder.bucket", "encoder.B", "encoder.final_layer_norm.mean_square"}
        | {f"encoder.H_{n}" for n in range(3)}
        | {f"encoder.block.{n}.{name}" for n in range(2) for name in block}
    )
    assert trace["encoder.block.1.layer.0.SelfAttention.weights"].shape == (2, 3, 7, 7)

    names = ("V", "Q", "K", "Q_turned", "K_turned", "S", "S_masked", "weights", "A")
    layer = {f"self_attn.{name}" for name in names} | {"U", "Y", "V", "mlp.gate", "mlp.gated"}
    layer |= {"input_layernorm.mean_square", "post_attention_layernorm.mean_square"}
    trace = build(QWEN)(IDS, trace=True).trace
    assert set(trace) == (
        {"M", "X", "C", "cos", "sin", "norm.mean_square"}
        | {f"H_{n}" for n in range(3)}
        | {f"layers.{n}.{name}" for n in range(2) for name in layer}
    )
    weights = trace["layers.1.self_attn.weights"]
    assert torch.equal(weights, weights.tril())
    close(weights.sum(-1), torch.ones(2, 4, 7, dtype=torch.float64))


def test_ids_in_context_out(model):
    out = model(IDS)
    assert out.context.shape == (2, 7, 12)
    assert out.trace is None
    assert len(out.hidden_states) == 3
    final = (
        model.norm if isinstance(model, cliplab.DecoderModel) else model.encoder.final_layer_norm
    )
    close(out.context, final(out.hidden_states[-1]))  # the last state is before the norm
    close(model(IDS[1]).context, out.context[1:])
    assert model(list(range(50)) * 20).context.shape == (1, 1000, 12)  # there is no last position
    assert repr(out) == "EncoderOutput(context [2, 7, 12], 3 hidden states)"


def test_t5_reads_padding_unless_it_is_hidden():
    model = build(T5)
    padded, hidden = model(IDS).context[0], model(IDS, PAD).context[0]
    assert ((padded - hidden).abs().amax(-1) > 1e-3).all()  # every row: nothing is causal
    close(hidden[:5], model(IDS[0][:5]).context[0])
    moved = model([[0, 0, *IDS[0][:5]]], [[0, 0, 1, 1, 1, 1, 1]]).context[0]
    close(moved[2:], hidden[:5])  # only distances count, so padding may stand on either side


@pytest.mark.parametrize("config", [QWEN, LLAMA], ids=["qwen3", "llama"])
def test_a_decoder_reads_no_padding_to_its_right(config):
    model = build(config)
    change = (model(IDS).context - model(IDS, PAD).context)[0].abs()
    assert torch.equal(change[:5], torch.zeros_like(change[:5]))
    assert (change[5:].amax(-1) > 1e-6).all()


@pytest.mark.parametrize("config", [QWEN, LLAMA], ids=["qwen3", "llama"])
def test_padding_to_the_left_of_a_decoders_prompt(config):
    model = build(config)
    left = model([[0, 0, *IDS[0][:5]]], [[0, 0, 1, 1, 1, 1, 1]], trace=True)
    assert left.context.isfinite().all()
    # It sees itself, and nobody sees it; turned together, queries and keys keep their products.
    torch.testing.assert_close(left.context[0, 2:], model(IDS[0][:5]).context[0], rtol=0, atol=1e-5)
    assert left.trace["M"][0, :3].int().tolist() == [
        [1, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0, 0],
    ]


def test_the_kinds_of_mask(model):
    causal = isinstance(model, cliplab.DecoderModel)
    M = cliplab.causal_mask(7) if causal else torch.ones(7, 7).bool()
    close(model(IDS).context, model(IDS, M).context)
    close(model(IDS, PAD).context, model(IDS, M & PAD[:, None]).context)
    close(model(IDS, PAD).context, model(IDS, PAD.int().tolist()).context)


@pytest.mark.parametrize(
    ("ids", "mask", "sentence"),
    [
        (IDS, torch.ones(5), r"PAD mask \[2, 7\], or a whole mask \[7, 7\] or \[2, 7, 7\]; got"),
        (IDS, torch.eye(7) * 0, "Row 0 of the mask allows no key"),
        ([[1, 2], [3]], None, "one length: pad them, and hide the padding by a mask"),
        ([1.0, 2.0], None, "Token ids are integers"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(model, ids, mask, sentence):
    with pytest.raises(ValueError, match=sentence):
        model(ids, mask)


def test_an_id_outside_the_table(model):
    with pytest.raises(IndexError, match="Id 50 is not in the table: ids run from 0 to 49"):
        model([50])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kv_heads": 3}, "heads is a multiple of kv_heads; not 4 and 3"),
        ({"head_width": 5}, "head_width is even"),
        ({"layers": 0}, "layers is a whole number of at least 1"),
        ({"rope_theta": 0.0}, "rope_theta is a number from 1 up; not 0"),
        ({"eps": -1.0}, "eps is a number from 0 up; not -1"),
        ({"qk_norm": "no"}, "qk_norm is True or False; not 'no'"),
        ({"rope_theta": "1e6"}, "rope_theta is a number from 1 up; not '1e6'"),
    ],
)
def test_impossible_decoders_are_refused(change, sentence):
    numbers = {"vocab_size": 50, "width": 12, "heads": 4, "kv_heads": 2, "head_width": 6}
    numbers |= {"layers": 2, "mlp_width": 20, "rope_theta": 100.0, "qk_norm": True}
    with pytest.raises(ValueError, match=sentence):
        cliplab.DecoderConfig(**{**numbers, **change})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"heads": 0}, "heads is a whole number of at least 1"),
        ({"buckets": 6}, "buckets are a multiple of 4"),
        ({"max_distance": 8}, "max_distance is above a quarter of them"),
    ],
)
def test_impossible_t5s_are_refused(change, sentence):
    numbers = {"vocab_size": 50, "width": 12, "heads": 3, "head_width": 5, "layers": 2}
    with pytest.raises(ValueError, match=sentence):
        cliplab.T5Config(**{**numbers, "mlp_width": 20, **change})


def test_parameter_counts():
    with torch.device("meta"):
        assert cliplab.T5EncoderModel(cliplab.T5Config.xxl()).num_parameters() == 4_762_310_656
        assert (
            cliplab.DecoderModel(cliplab.DecoderConfig.qwen3_4b()).num_parameters() == 4_022_468_096
        )
        bigg = cliplab.CLIPTextModel(cliplab.CLIPTextConfig.vit_bigg_14())
        assert bigg.num_parameters() == 694_659_840


def test_initialization_is_t5s():
    torch.manual_seed(0)
    model = cliplab.T5EncoderModel(cliplab.T5Config(2000, 256, 4, 48, 2, 512))
    spread = {name: p.std().item() for name, p in model.named_parameters()}
    layer = "encoder.block.1.layer."
    for name, std in {
        "shared.weight": 1.0,
        layer + "0.SelfAttention.q.weight": (256 * 48) ** -0.5,
        layer + "0.SelfAttention.k.weight": 256**-0.5,
        layer + "0.SelfAttention.o.weight": (4 * 48) ** -0.5,
        layer + "1.DenseReluDense.wi_1.weight": 256**-0.5,
        layer + "1.DenseReluDense.wo.weight": 512**-0.5,
    }.items():
        assert spread[name] == pytest.approx(std, rel=0.03), name


def test_fp16_holds_t5s_stream_at_the_end_of_its_range():
    model = cliplab.T5EncoderModel(T5).half().eval()
    with torch.no_grad():
        model.shared.weight.fill_(60_000)
        for p in (b.layer[1].DenseReluDense.wo.weight for b in model.encoder.block):
            p.fill_(60_000)
    out = model([1, 2, 3])
    assert out.context.isfinite().all()
    assert out.hidden_states[-1].abs().max() == 65_504


@pytest.mark.parametrize("config", [T5, QWEN], ids=["t5", "qwen3"])
def test_it_can_be_exported(config):
    class Context(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = build(config)

        def forward(self, ids):
            return self.model(ids).context

    ids = torch.tensor(IDS)
    program = torch.export.export(Context().eval(), (ids,))
    close(program.module()(ids), Context().eval()(ids))


# --- SDXL's pair ----------------------------------------------------------------------------------


def clip(width, projection=None, eos=49, gelu=False, length=9, layers=3):
    config = cliplab.CLIPTextConfig(
        50, length, width, 2, layers, 20, eos_token_id=eos, projection=projection,
        activation="gelu" if gelu else "quick_gelu",
    )  # fmt: skip
    return shake(cliplab.CLIPTextModel(config))


def test_gelu_in_place_of_quick_gelu():
    model = clip(12, projection=5, gelu=True)
    mlp, X = model.encoder.layers[0].mlp, random(2, 12)
    u = mlp.fc1(X)
    close(mlp(X), mlp.fc2(u * (1 + torch.erf(u / 2**0.5)) / 2))
    close(mlp(X), mlp(X, Trace()))
    plain = clip(12, projection=5)
    assert plain.state_dict().keys() == model.state_dict().keys()
    plain.load_state_dict(model.state_dict())
    ids = [48, 3, 49]
    assert (plain(ids).context - model(ids).context).abs().max() > 1e-4
    close(model(ids).context, model(ids, trace=True).context)


def test_two_states_side_by_side():
    first, second = clip(12), clip(16, projection=5, gelu=True)
    pair = cliplab.SDXLTextEncoders(first, second)
    ids, ids_2 = [[48, 3, 7, 49, 49, 49]], [[48, 3, 7, 49, 0, 0]]
    for skip in (0, 1, 2):
        out = pair(ids, ids_2, clip_skip=skip)
        assert torch.equal(out.context[..., :12], first(ids).hidden_states[2 - skip])
        assert torch.equal(out.context[..., 12:], second(ids_2).hidden_states[2 - skip])
        assert torch.equal(out.pooled, second(ids_2).text_embeds)
    assert repr(out) == "SDXLOutput(context [1, 6, 28], pooled [1, 5])"
    with pytest.raises(ValueError, match="0 to 2, not 3"):
        pair(ids, ids_2, clip_skip=3)
    with pytest.raises(ValueError, match=r"at one length; not \[1, 6\] and \[1, 4\]"):
        pair(ids, [ids_2[0][:4]])


def test_a_learned_token_is_pooled_under_the_old_rule_alone():
    """Ids above EOS: SDXL's configuration has eos_token_id 2, which takes the largest id."""
    ids = [48, 3, 45, 40, 0, 0]  # here 40 is EOS and 45 was added behind it
    for eos, row in ((2, 0), (40, 3)):
        second = clip(16, projection=5, eos=eos, gelu=True)
        pooled = cliplab.SDXLTextEncoders(clip(12), second)(ids, ids).pooled
        normed = second.final_layer_norm(second(ids).hidden_states[-1])
        close(pooled[0], second.text_projection(normed[0, row]))
    second = clip(16, projection=5, eos=2, gelu=True)
    ids = [30, 3, 45, 40, 0, 0]
    normed = second.final_layer_norm(second(ids).hidden_states[-1])
    pooled = cliplab.SDXLTextEncoders(clip(12), second)(ids, ids).pooled
    close(pooled[0], second.text_projection(normed[0, 2]))


def test_pairs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="second encoder has no text projection"):
        cliplab.SDXLTextEncoders(clip(12, projection=5), clip(16))
    with pytest.raises(ValueError, match="9 and 7 positions do not fit"):
        cliplab.SDXLTextEncoders(clip(12), clip(16, projection=5, length=7))
