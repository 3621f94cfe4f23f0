"""The encoder against the lecture's equations, written out by hand on a tiny model in float64."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cliplab.masks import causal_mask, mask_pad
from cliplab.text_encoder import (
    CLIPMLP,
    CLIPAttention,
    CLIPEncoderLayer,
    CLIPTextConfig,
    CLIPTextEmbeddings,
    CLIPTextModel,
    Embedding,
    LayerNorm,
    QuickGELUActivation,
    Trace,
    softmax,
)

TINY = CLIPTextConfig(
    vocab_size=50, context_length=9, width=12, heads=3, layers=2, mlp_width=20, projection=5
)
BOS, EOS = 48, 49
IDS = [[BOS, 7, 0, 31, EOS, EOS, EOS, EOS], [BOS, 3, 9, 9, 1, 22, EOS, EOS]]


def shake(module: nn.Module, seed: int = 0) -> nn.Module:
    """Random values in every parameter, so that no γ is 1 and no bias 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.normal_(1.0 if "norm" in name and "weight" in name else 0.0, 0.5, generator=generator)
    return module.double().eval()


def random(*shape, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def close(actual, expected) -> None:
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(actual.double(), expected, rtol=0, atol=1e-10)


@pytest.fixture(scope="module")
def model() -> CLIPTextModel:
    return shake(CLIPTextModel(TINY))


# --- the definitions ------------------------------------------------------------------------------


@pytest.mark.equation(21, 22, 23)
def test_embedding_is_a_row_of_its_table():
    table = shake(Embedding(5, 3))
    assert table.weight.shape == (5, 3)
    ids = [4, 0, 2, 0]
    close(table(torch.tensor(ids)), [table.weight[i].tolist() for i in ids])


@pytest.mark.parametrize("bad", [-1, 5])
def test_an_id_outside_the_table_is_named(bad):
    with pytest.raises(IndexError, match=f"Id {bad} is not in the table: ids run from 0 to 4"):
        Embedding(5, 3)(torch.tensor([0, bad]))


@pytest.mark.equation(24, 25, 26)
@pytest.mark.parametrize("trace", [False, True])
def test_layer_norm(trace):
    norm, X = shake(LayerNorm(12)), random(4, 12)
    assert {name: tuple(p.shape) for name, p in norm.named_parameters()} == {
        "weight": (12,),
        "bias": (12,),
    }
    expected = []
    for row in X.tolist():
        mu = sum(row) / 12
        variance = sum((x - mu) ** 2 for x in row) / 12
        gamma, beta = norm.weight.tolist(), norm.bias.tolist()
        expected.append(
            [
                g * (x - mu) / math.sqrt(variance + 1e-5) + b
                for x, g, b in zip(row, gamma, beta, strict=True)
            ]
        )
    close(norm(X, Trace()) if trace else norm(X), expected)


@pytest.mark.equation(27)
def test_quick_gelu():
    u = torch.linspace(-8, 8, 3201, dtype=torch.float64)
    bent = QuickGELUActivation()(u)
    close(bent, [x * (1 / (1 + math.exp(-1.702 * x))) for x in u.tolist()])
    gap = (bent - nn.functional.gelu(u)).abs()  # erratum E41
    assert gap.max().item() == pytest.approx(0.0203, abs=5e-5)
    assert abs(u[gap.argmax()].item()) == pytest.approx(2.27, abs=0.05)


@pytest.mark.equation(28, 29)
@pytest.mark.parametrize("axis", [-2, -1])
def test_softmax(axis):
    A = random(3, 4)
    expected = torch.empty_like(A)
    for p in range(3):
        for q in range(4):
            line = A[:, q] if axis == -2 else A[p, :]
            expected[p, q] = math.exp(A[p, q]) / sum(math.exp(a) for a in line)
    close(softmax(A, axis), expected)
    assert softmax(10_000 * A, axis).isfinite().all()


@torch.no_grad()
def attention_by_hand(a: CLIPAttention, X: torch.Tensor, M: torch.Tensor) -> torch.Tensor:
    """Eqs 31–35 with the biases of erratum E6, one number at a time."""
    L, D = X.shape
    K = D // a.heads
    joined = torch.zeros_like(X)
    for head in range(a.heads):
        columns = range(head * K, (head + 1) * K)

        def project(linear, columns=columns):
            W, b = linear.weight.T, linear.bias  # X W + b, as the lecture multiplies
            return [[float(X[i] @ W[:, c] + b[c]) for c in columns] for i in range(L)]

        q, k, v = project(a.q_proj), project(a.k_proj), project(a.v_proj)
        for i in range(L):
            seen = [j for j in range(L) if M[i, j]]
            score = {j: sum(x * y for x, y in zip(q[i], k[j], strict=True)) / K**0.5 for j in seen}
            total = sum(math.exp(s) for s in score.values())
            for n, c in enumerate(columns):
                joined[i, c] = sum(math.exp(score[j]) / total * v[j][n] for j in seen)
    return joined @ a.out_proj.weight.T + a.out_proj.bias


@pytest.mark.equation(30, 31, 32, 33, 34, 35)
@pytest.mark.parametrize("trace", [False, True])
def test_attention(trace):
    attention, X = shake(CLIPAttention(12, 3)), random(5, 12)
    assert sum(p.numel() for p in attention.parameters()) == 4 * 12 * 12 + 4 * 12
    for M in (causal_mask(5), torch.rand(5, 5) < 0.6):
        M = M | torch.eye(5, dtype=torch.bool)
        expected = attention_by_hand(attention, X, M)
        answer = attention(X, M, Trace()) if trace else attention(X, M)
        close(answer, expected)
        batch = attention(X.expand(2, 5, 12), M, *([Trace()] if trace else []))
        close(batch[1], expected)


@pytest.mark.equation(33)
def test_what_is_masked_is_minus_infinity_and_an_empty_row_is_nan():
    attention, X = shake(CLIPAttention(12, 3)), random(5, 12)
    trace = Trace()
    answer = attention(X, causal_mask(5, strict=True), trace)
    for i in range(5):
        for j in range(5):
            value = trace["S"][:, i, j] if j < i else torch.full((3,), -math.inf).double()
            assert torch.equal(trace["S_masked"][:, i, j], value)
    assert answer[0].isnan().all()
    assert answer[1:].isfinite().all()


@pytest.mark.equation(36, 37, 38, 39)
@pytest.mark.parametrize("trace", [False, True])
def test_mlp(trace):
    mlp, X = shake(CLIPMLP(6, 8)), random(4, 6)
    W_1, b_1, W_2, b_2 = mlp.fc1.weight.T, mlp.fc1.bias, mlp.fc2.weight.T, mlp.fc2.bias
    assert (W_1.shape, b_1.shape, W_2.shape, b_2.shape) == ((6, 8), (8,), (8, 6), (6,))
    expected = torch.empty_like(X)
    W_1, b_1 = W_1.detach(), b_1.detach()
    for i in range(4):
        h = [float(sum(X[i, j] * W_1[j, m] for j in range(6)) + b_1[m]) for m in range(8)]
        h = [u / (1 + math.exp(-1.702 * u)) for u in h]
        for j in range(6):
            expected[i, j] = sum(h[m] * W_2[m, j] for m in range(8)) + b_2[j]
    close(mlp(X, Trace()) if trace else mlp(X), expected)


@pytest.mark.equation(40, 41, 42, 43, 44)
@pytest.mark.parametrize("trace", [False, True])
def test_encoder_layer(trace):
    layer, X, M = shake(CLIPEncoderLayer(12, 3, 20)), random(5, 12), causal_mask(5)
    parts = {name.split(".")[0] for name, _ in layer.named_parameters()}
    assert parts == {"layer_norm1", "self_attn", "layer_norm2", "mlp"}
    Y = X + attention_by_hand(layer.self_attn, layer.layer_norm1(X), M)
    H_1 = layer.layer_norm2(Y) @ layer.mlp.fc1.weight.T + layer.mlp.fc1.bias
    Z = (H_1 * torch.sigmoid(1.702 * H_1)) @ layer.mlp.fc2.weight.T + layer.mlp.fc2.bias
    close(layer(X, M, Trace()) if trace else layer(X, M), Y + Z)


@pytest.mark.equation(45, 46, 47, 48)
def test_the_encoder_is_a_stack_and_the_last_norm_is_the_models(model):
    assert not any("final" in name for name, _ in model.encoder.named_parameters())  # erratum E26
    X, M = random(2, 5, 12), causal_mask(5)
    states = model.encoder(X, M)
    assert len(states) == TINY.layers + 1
    assert torch.equal(states[0], X)
    for n, layer in enumerate(model.encoder.layers):
        close(states[n + 1], layer(states[n], M))
    out = model(IDS)
    close(out.context, model.final_layer_norm(out.hidden_states[-1]))
    assert (out.context - out.hidden_states[-1]).abs().max() > 0.1


@pytest.mark.equation(49, 50, 51)
def test_text_embeddings():
    embeddings = shake(CLIPTextEmbeddings(50, 9, 12))
    E_tok, E_pos = embeddings.token_embedding.weight, embeddings.position_embedding.weight
    X = embeddings(torch.tensor(IDS))
    for b, ids in enumerate(IDS):
        for i, t in enumerate(ids):
            close(X[b, i], (E_tok[t] + E_pos[i]).tolist())


@pytest.mark.equation(52)
def test_the_configuration_of_sd15():
    c = CLIPTextConfig.sd15()
    eq_52 = (c.vocab_size, c.context_length, c.width, c.heads, c.head_width, c.layers, c.mlp_width)
    assert eq_52 == (49408, 77, 768, 12, 64, 12, 3072)
    assert c.width == c.heads * c.head_width


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (CLIPTextConfig.sd15(), 123_060_480),
        (CLIPTextConfig.vit_l_14(), 123_650_304),
        (CLIPTextConfig.vit_b_32(), 63_428_096),
    ],
)
def test_parameter_counts(config, count):
    with torch.device("meta"):
        assert CLIPTextModel(config).num_parameters() == count


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"heads": 5}, "must split evenly into heads"),
        ({"layers": 0}, "layers is a whole number of at least 1"),
        ({"width": 12.0}, "width is a whole number"),
        ({"projection": 0}, "projection is a whole number of at least 1"),
    ],
)
def test_impossible_configurations_are_refused(change, sentence):
    numbers = {"vocab_size": 50, "context_length": 9, "width": 12, "heads": 3, "layers": 2}
    with pytest.raises(ValueError, match=sentence):
        CLIPTextConfig(**{**numbers, "mlp_width": 20, **change})


@pytest.mark.equation(53)
def test_the_parameters_are_tokens_positions_and_encoder(model):
    theta = {name for name, _ in model.named_parameters()} - {"text_projection.weight"}
    tokens_and_positions = {
        "embeddings.token_embedding.weight",
        "embeddings.position_embedding.weight",
    }
    encoder = {name for name in theta if name.startswith(("encoder.layers.", "final_layer_norm."))}
    assert theta == tokens_and_positions | encoder
    assert len(encoder) == 16 * TINY.layers + 2


@pytest.mark.equation(6, 11)
def test_ids_in_context_out(model):
    everything = torch.arange(50).view(-1, 5)  # ids 0 … V − 1, erratum E8
    assert model(everything).context.shape == (10, 5, 12)
    for ids, B in ((IDS, 2), (IDS[0], 1), (torch.tensor(IDS, dtype=torch.int32), 2)):
        assert model(ids).context.shape == (B, 8, 12)


@pytest.mark.equation(54, 55, 56, 57, 58, 59)
def test_the_whole_model_by_hand(model):
    a = [[1 if i <= ids.index(EOS) else 0 for i in range(8)] for ids in IDS]
    out = model(IDS, mask=torch.tensor(a))
    for b, ids in enumerate(IDS):
        C_causal = torch.tensor([[int(j <= i) for j in range(8)] for i in range(8)])  # erratum E2
        M_pad = torch.tensor([a[b]] * 8)
        M = C_causal * M_pad
        assert torch.equal(model(IDS, mask=torch.tensor(a), trace=True).trace["M"][b], M.bool())
        X = model.embeddings(torch.tensor(ids))
        for layer in model.encoder.layers:
            X = X + attention_by_hand(layer.self_attn, layer.layer_norm1(X), M)
            X = X + layer.mlp(layer.layer_norm2(X), Trace())
        close(out.context[b], model.final_layer_norm(X))


# --- two paths ------------------------------------------------------------------------------------


def test_traced_and_fused_agree_forward_and_backward(model):
    mask = mask_pad(torch.tensor(IDS), eos=EOS)
    gradients = []
    for trace in (False, True):
        out = model(IDS, mask=mask, trace=trace)
        model.zero_grad()
        (out.context.sin().sum() + out.text_embeds.cos().sum()).backward()
        gradients.append({name: p.grad.clone() for name, p in model.named_parameters()})
        close(out.context, model(IDS, mask=mask).context.detach())
    for name, gradient in gradients[0].items():
        assert gradient.abs().max() > 0, name
        close(gradient, gradients[1][name])


def test_gradients_against_finite_differences():
    mlp, X = shake(CLIPMLP(3, 4)), random(2, 3).requires_grad_()
    assert torch.autograd.gradcheck(mlp, X)
    layer, M = shake(CLIPEncoderLayer(4, 2, 3)), causal_mask(3)
    assert torch.autograd.gradcheck(lambda X: layer(X, M), random(1, 3, 4).requires_grad_())


def test_the_fused_mlp_changes_nothing_that_it_was_given():
    mlp, X = shake(CLIPMLP(6, 8)), random(4, 6)
    before = X.clone(), {name: p.clone() for name, p in mlp.named_parameters()}
    with torch.inference_mode():
        first, second = mlp(X), mlp(X)
    assert torch.equal(first, second)
    assert torch.equal(X, before[0])
    assert all(torch.equal(p, before[1][name]) for name, p in mlp.named_parameters())


def test_the_trace_holds_every_letter(model):
    trace = model(IDS, trace=True).trace
    attention = {f"self_attn.{name}" for name in ("Q", "K", "V", "S", "S_masked", "weights", "A")}
    norms = {f"layer_norm{n}.{name}" for n in (1, 2) for name in ("mu", "sigma2")}
    layer = attention | norms | {"U", "H", "Y", "V", "Z", "mlp.H_1", "mlp.H_2"}
    assert set(trace) == (
        {"M", "embeddings.T", "embeddings.P", "X_0", "X_N"}
        | {f"encoder.H_{n}" for n in range(3)}
        | {f"encoder.layers.{n}.{name}" for n in range(2) for name in layer}
    )
    assert trace["encoder.layers.1.self_attn.Q"].shape == (2, 3, 8, 4)
    weights = trace["encoder.layers.1.self_attn.weights"]
    assert weights.shape == (2, 3, 8, 8)
    close(weights.sum(-1), torch.ones(2, 3, 8))
    assert torch.equal(weights, weights.tril())
    one = "encoder.layers.0."
    close(trace[one + "Y"], trace["X_0"] + trace[one + "H"])
    close(trace["encoder.H_1"], trace[one + "Y"] + trace[one + "Z"])
    assert model(IDS).trace is None


# --- masks ----------------------------------------------------------------------------------------


def test_the_kinds_of_mask(model):
    causal, pad = causal_mask(8), mask_pad(torch.tensor(IDS), eos=EOS)
    plain, padded = model(IDS).context, model(IDS, mask=pad).context
    assert torch.equal(plain, model(IDS, mask=causal).context)
    assert torch.equal(plain, model(IDS, mask=causal.expand(2, 8, 8)).context)
    assert torch.equal(padded, model(IDS, mask=pad.int()).context)
    assert torch.equal(padded, model(IDS, mask=pad.tolist()).context)
    assert torch.equal(padded, model(IDS, mask=causal & pad[:, None]).context)
    assert torch.equal(padded[:1], model(IDS[0], mask=pad[0]).context)
    everything = model(IDS, mask=torch.ones(8, 8)).context  # taken as it is: no causality
    assert (everything - plain)[:, 0].abs().max() > 1e-3
    square = [[BOS, 1], [BOS, EOS]]  # B = L: a PAD mask, hence causal
    close(model(square, mask=torch.ones(2, 2)).context, model(square).context)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_pad_mask_changes_no_row_up_to_eos_and_every_row_after(content, seed):
    model = shake(CLIPTextModel(TINY)).float()
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(0, 48, (content,), generator=generator).tolist()
    ids = torch.tensor([BOS, *words, EOS] + [EOS] * (7 - content))
    change = (model(ids).context - model(ids, mask=mask_pad(ids, eos=EOS)).context)[0].abs()
    end = content + 2
    assert torch.equal(change[:end], torch.zeros(end, 12))  # exactly, erratum E5
    assert (change[end:].amax(-1) > 0).all()


def test_a_shorter_sequence_is_the_beginning_of_a_longer_one(model):
    close(model(IDS[0][:5]).context[0], model(IDS[0]).context[0, :5])  # erratum E27


@pytest.mark.parametrize(
    ("ids", "mask", "sentence"),
    [
        (IDS, causal_mask(8, strict=True), "Row 0 of the mask allows no key"),
        (IDS, [[1] * 8, [0] + [1] * 7], "Row 0 of the mask of prompt 1 allows no key"),
        (IDS, torch.zeros(8, 8).masked_fill(~causal_mask(8), -math.inf), "holds other numbers"),
        (IDS, torch.ones(7), r"PAD mask \[2, 8\], or a whole mask \[8, 8\] or \[2, 8, 8\]; got"),
        (IDS[0] + [EOS] * 2, None, "10 tokens does not fit: this model has 9 positions"),
        ([[1, 2], [3]], None, r"one length: cliplab\.length_normalization\(ids, 9\) gives"),
        ([1.0, 2.0], None, "Token ids are integers"),
        ([], None, "at least one"),
        ("a dog", None, "do not form a table of integers"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(model, ids, mask, sentence):
    with pytest.raises(ValueError, match=sentence):
        model(ids, mask=mask)


# --- what comes out -------------------------------------------------------------------------------


def test_pooling_takes_the_first_eos_or_the_largest_id():
    first = shake(CLIPTextModel(CLIPTextConfig(50, 9, 12, 3, 2, 20, eos_token_id=40)))
    legacy = shake(CLIPTextModel(CLIPTextConfig(50, 9, 12, 3, 2, 20, eos_token_id=2)))
    ids = [BOS - 20, 7, 40, 45, 40]  # 45: a token added behind EOS, as textual inversion does
    assert torch.equal(first(ids).pooled[0], first(ids).context[0, 2])
    assert torch.equal(legacy(ids).pooled[0], legacy(ids).context[0, 3])  # erratum E54
    assert CLIPTextConfig(50, 9, 12, 3, 2, 20).eos_token_id == 49


def test_a_prompt_without_eos_has_a_context_and_no_pooled_row(model):
    out = model([[BOS, 1, EOS], [BOS, 1, 2]])
    assert out.context.shape == (2, 3, 12)
    for name in ("pooled", "text_embeds"):
        with pytest.raises(ValueError, match="Prompt 1 has no EOS token"):
            getattr(out, name)


def test_text_embeds_are_the_projected_pooled_row(model):
    out = model(IDS)
    close(out.pooled, torch.stack([out.context[0, 4], out.context[1, 6]]))
    close(out.text_embeds, out.pooled @ model.text_projection.weight.T)  # erratum E9
    bare = CLIPTextModel(CLIPTextConfig(50, 9, 12, 3, 2, 20))
    with pytest.raises(ValueError, match="no text projection"):
        bare(IDS).text_embeds  # noqa: B018


def test_clip_skip_normalizes_an_earlier_state_and_leaves_the_pooled_row(model):
    plain = model(IDS)
    for k in range(3):
        out = model(IDS, clip_skip=k)
        close(out.context, model.final_layer_norm(plain.hidden_states[-(k + 1)]))
        close(out.pooled, plain.pooled)
    with pytest.raises(ValueError, match="0 to 2, not 3"):
        model(IDS, clip_skip=3)


def test_hidden_states_can_be_left_out(model):
    plain = model(IDS, clip_skip=1)
    lean = model(IDS, clip_skip=1, hidden_states=False)
    assert lean.hidden_states is None
    assert torch.equal(lean.context, plain.context)
    assert torch.equal(lean.pooled, plain.pooled)


def test_output_says_what_it_holds(model):
    assert repr(model(IDS)) == "TextEncoderOutput(context [2, 8, 12], 3 hidden states)"


# --- weights --------------------------------------------------------------------------------------


def test_initialization_is_openais():
    torch.manual_seed(0)
    c = CLIPTextConfig(2000, 77, 256, 4, 3, 1024, projection=128)
    spread = {name: p.std().item() for name, p in CLIPTextModel(c).named_parameters()}
    D, N = 256, 3
    layer = "encoder.layers.1."
    for name, std in {
        "embeddings.token_embedding.weight": 0.02,
        "embeddings.position_embedding.weight": 0.01,
        layer + "self_attn.q_proj.weight": D**-0.5,
        layer + "self_attn.v_proj.weight": D**-0.5,
        layer + "self_attn.out_proj.weight": D**-0.5 * (2 * N) ** -0.5,
        layer + "mlp.fc1.weight": (2 * D) ** -0.5,
        layer + "mlp.fc2.weight": D**-0.5 * (2 * N) ** -0.5,
        "text_projection.weight": D**-0.5,
    }.items():
        assert spread[name] == pytest.approx(std, rel=0.03), name
    assert spread[layer + "self_attn.k_proj.bias"] == 0
    assert spread[layer + "mlp.fc1.bias"] == pytest.approx(D**-0.5 / 3**0.5, rel=0.1)


def test_state_dicts_with_the_old_prefix_load_strictly(model):
    old = {f"text_model.{key}": tensor for key, tensor in model.state_dict().items()}
    old["text_projection.weight"] = old.pop("text_model.text_projection.weight")
    old["text_model.embeddings.position_ids"] = torch.arange(9)[None]
    fresh = CLIPTextModel(TINY).double()
    assert str(fresh.load_state_dict(old, strict=True)) == "<All keys matched successfully>"
    assert torch.equal(fresh(IDS).context, model(IDS).context)
    del old["text_model.final_layer_norm.bias"]
    with pytest.raises(RuntimeError, match=r"Missing key.*final_layer_norm\.bias"):
        fresh.load_state_dict(old)


def test_it_can_be_exported(model):
    class Context(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, ids):
            out = self.model(ids)
            return out.context, out.pooled

    ids = torch.tensor(IDS)
    program = torch.export.export(Context().eval(), (ids,))
    close(program.module()(ids)[0], model(ids).context)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_on_cuda(dtype):
    model = shake(CLIPTextModel(TINY)).float()
    expected = model(IDS, mask=mask_pad(torch.tensor(IDS), eos=EOS))
    there = model.to("cuda", dtype)
    out = there(torch.tensor(IDS), mask=mask_pad(torch.tensor(IDS), eos=EOS))
    tolerance = 1e-4 if dtype is torch.float32 else 0.1
    torch.testing.assert_close(out.context.float().cpu(), expected.context, rtol=0, atol=tolerance)
    torch.testing.assert_close(out.pooled.float().cpu(), expected.pooled, rtol=0, atol=tolerance)


def test_fp16_survives_where_the_inner_factor_overflows():
    """s u is beyond fp16 at u = −40,000, and QuickGELU of it is 0 (not NaN)."""
    mlp = CLIPMLP(4, 8).half()
    with torch.no_grad():
        mlp.fc1.bias.fill_(-40_000)
    assert torch.isfinite(mlp(torch.zeros(2, 4, dtype=torch.float16))).all()
