"""The objective: as the lecture writes it, as others compute it, and with the right gradient."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers.models.clip.modeling_clip import image_text_contrastive_loss

import cliplab
from cliplab import (
    CLIP,
    CLIPResNet,
    CLIPResNetConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    clip_loss,
    sigmoid_loss,
    similarity_matrix,
)
from cliplab.contrastive import PRESETS, image_encoder
from tests.oracle import open_clip_or_skip


def vectors(N: int, E: int, seed: int = 0, dtype=torch.float32) -> tuple[torch.Tensor, ...]:
    """Unit vectors of N pairs that know each other a little."""
    generator = torch.Generator().manual_seed(seed)
    u, v = torch.randn(2, N, E, generator=generator, dtype=dtype)
    return F.normalize(u, dim=-1), F.normalize(v + 0.5 * u, dim=-1)


def small(image: str = "vit", **settings) -> CLIP:
    torch.manual_seed(0)
    tower = {
        "vit": lambda: CLIPVisionModel(CLIPVisionConfig(32, 16, 16, 2, 2, 32, 12)),
        "resnet": lambda: CLIPResNet(CLIPResNetConfig(32, 4, 12, layers=(1, 1, 1, 1))),
    }[image]()
    text = CLIPTextModel(CLIPTextConfig(49408, 77, 16, 2, 2, 32, projection=12))
    return CLIP(text, tower, tokenizer=cliplab.CLIPTokenizer(), **settings)


# --- as written -----------------------------------------------------------------------------------


@pytest.mark.equation(61)
def test_similarity_is_the_inner_product_over_tau():
    u, v = vectors(5, 7)
    S = similarity_matrix(u, v[:4], 0.07)
    assert S.shape == (5, 4)
    for i in range(5):
        for j in range(4):
            assert S[i, j].item() == pytest.approx(torch.dot(u[i], v[j]).item() / 0.07, abs=1e-5)


@pytest.mark.equation(62, 63, 64)
@pytest.mark.parametrize("tau", [0.01, 0.07, 1.0])
def test_the_loss_is_the_lectures_sum(tau):
    u, v = vectors(6, 8, dtype=torch.float64)
    N, S = 6, similarity_matrix(u, v, tau).tolist()
    to_image = to_text = 0.0
    for i in range(N):
        to_image -= math.log(math.exp(S[i][i]) / sum(math.exp(S[i][j]) for j in range(N))) / N
        to_text -= math.log(math.exp(S[i][i]) / sum(math.exp(S[j][i]) for j in range(N))) / N
    assert clip_loss(u, v, tau).item() == pytest.approx((to_image + to_text) / 2, rel=1e-12)
    assert to_image != pytest.approx(to_text, rel=1e-3)  # so the sum is of two different things


@settings(max_examples=30)
@given(st.integers(1, 12), st.integers(0, 999), st.floats(0.01, 2.0))
def test_what_holds_for_every_batch(N, seed, tau):
    u, v = vectors(N, 6, seed, torch.float64)
    loss = clip_loss(u, v, tau)
    assert loss >= 0
    torch.testing.assert_close(loss, clip_loss(v, u, tau))  # both sides count alike
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(loss, clip_loss(u[order], v[order], tau))
    if N == 1:
        assert loss == 0


def test_best_and_ignorant():
    one = torch.eye(64)
    assert clip_loss(one, one, 0.01) == 0
    alike = F.normalize(torch.ones(64, 64), dim=-1)
    assert clip_loss(alike, one, 0.07).item() == pytest.approx(math.log(64), rel=1e-6)


@pytest.mark.parametrize(
    "config", [CLIPVisionConfig.mini(), CLIPResNetConfig.mini()], ids=["vit", "resnet"]
)
def test_an_untrained_clip_knows_nothing(config):
    """ln N, up to what chance gives."""
    torch.manual_seed(0)
    text, N = CLIPTextModel(CLIPTextConfig(999, 9, 128, 4, 4, 512, projection=128)), 64
    clip, ids = CLIP(text, image_encoder(config)).eval(), torch.randint(0, 998, (N, 9))
    ids[:, -1] = 998
    with torch.no_grad():
        u, v = clip(ids, torch.randn(N, 3, 64, 64))
        loss = clip_loss(u, v, clip.tau)
    assert loss.item() == pytest.approx(math.log(N), rel=0.15)


# --- as others compute it -------------------------------------------------------------------------


def transformers_loss(u, v, scale):
    return image_text_contrastive_loss(torch.matmul(u, v.t()) * scale)  # CLIPModel.forward's lines


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_transformers(seed):
    """Bit for bit where 1/τ is exact; else up to the rounding of 1/τ itself."""
    for N, E in ((8, 64), (64, 128), (256, 32)):
        u, v = vectors(N, E, seed)
        for power in range(7):
            scale = torch.tensor(2.0**power)
            assert torch.equal(clip_loss(u, v, 2.0**-power), transformers_loss(u, v, scale))
        for tau in (0.07, 0.0123, 0.5):
            theirs = transformers_loss(u, v, torch.tensor(1 / tau))
            torch.testing.assert_close(clip_loss(u, v, tau), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_open_clip(seed):
    open_clip = open_clip_or_skip()
    clip, siglip = open_clip.loss.ClipLoss(), open_clip.loss.SigLipLoss()
    for N, E in ((8, 64), (64, 128), (256, 32)):
        u, v = vectors(N, E, seed)
        for power in range(7):
            scale = torch.tensor(2.0**power)
            assert torch.equal(clip_loss(u, v, 2.0**-power), clip(v, u, scale))
        for tau in (0.07, 0.0123, 0.5):
            scale, bias = torch.tensor(1 / tau), torch.tensor(-10.0)
            torch.testing.assert_close(
                clip_loss(u, v, tau), clip(v, u, scale), rtol=1e-6, atol=1e-6
            )
            torch.testing.assert_close(
                sigmoid_loss(u, v, tau, bias), siglip(v, u, scale, bias), rtol=1e-6, atol=1e-6
            )


def test_the_sigmoid_loss_asks_each_pair_by_itself():
    u, v = vectors(5, 8, dtype=torch.float64)
    expected = 0.0
    for i in range(5):
        for j in range(5):
            z = 1 if i == j else -1
            expected += math.log1p(math.exp(-z * (torch.dot(u[i], v[j]).item() / 0.1 - 10))) / 5
    assert sigmoid_loss(u, v, 0.1, -10.0).item() == pytest.approx(expected, rel=1e-12)


# --- captions that a batch holds twice ------------------------------------------------------------


def twice(d: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Vectors as good as they can be, when each of 3 captions stands d times in the batch."""
    groups = torch.arange(3).repeat_interleave(d)
    u = torch.eye(3)[groups]
    return u, u, groups[:, None] == groups


@pytest.mark.parametrize("d", [2, 4])
def test_duplicates_have_a_floor_that_same_takes_away(d):
    u, v, same = twice(d)
    assert clip_loss(u, v, 0.01).item() == pytest.approx(math.log(d), rel=1e-6)
    assert clip_loss(u, v, 0.01, same=same).item() == pytest.approx(0, abs=1e-6)


def test_same_takes_rivals_out_and_not_only_far_away():
    """Where all are alike nobody competes, at any temperature: the loss is 0, not nearly so."""
    u, v = vectors(4, 8)
    same = torch.ones(4, 4, dtype=torch.bool)
    for tau in (0.01, 1.0, 100.0):
        assert clip_loss(u, v, tau, same=same) == 0


def test_sharing_the_target_would_change_nothing():
    """For equal captions the sum over their rows is the same, whoever is called the right one."""
    u, v = vectors(6, 8, dtype=torch.float64)
    _, _, same = twice(2)
    u = u[torch.arange(3).repeat_interleave(2)]
    S = similarity_matrix(u, v, 0.1)
    target = same / same.sum(-1, keepdim=True, dtype=torch.float64)
    shared = (F.cross_entropy(S, target) + F.cross_entropy(S.T, target.T)) / 2
    torch.testing.assert_close(shared, clip_loss(u, v, 0.1))


@pytest.mark.equation(62, 63, 64)
def test_same_leaves_each_pair_against_what_differs():
    u, v = vectors(4, 8, dtype=torch.float64)
    same = torch.eye(4, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    S = similarity_matrix(u, v, 0.1).exp()
    loss = 0.0
    for matrix in (S, S.T):
        for i in range(4):
            rivals = [j for j in range(4) if j == i or not same[i, j]]
            loss -= (matrix[i, i] / matrix[i, rivals].sum()).log() / 8
    torch.testing.assert_close(clip_loss(u, v, 0.1, same=same), loss)
    # The diagonal is never taken out, and nothing is where no two are alike.
    plain = clip_loss(u, v, 0.1)
    for none in (torch.eye(4, dtype=torch.bool), torch.zeros(4, 4, dtype=torch.bool)):
        assert torch.equal(clip_loss(u, v, 0.1, same=none), plain)


def test_the_sigmoid_loss_does_not_ask_about_duplicates():
    u, v, same = twice(2)
    own = torch.eye(6, dtype=torch.bool)
    S = similarity_matrix(u, v, 0.1) - 10
    asked = own | ~same
    expected = -F.logsigmoid(torch.where(own, S, -S))[asked].sum() / 6
    torch.testing.assert_close(sigmoid_loss(u, v, 0.1, -10.0, same=same), expected)


# --- gradients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_same", [False, True])
@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_gradients_by_finite_differences(loss, with_same):
    """Of both sides, through the normalization, of the temperature and of the bias."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 5, 4, generator=generator, dtype=torch.float64).requires_grad_()
    s = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    b = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
    same = torch.eye(5, dtype=torch.bool)
    same[1, 3] = same[3, 1] = True
    same = same if with_same else None

    def of(x, y, s, b):
        u, v, tau = F.normalize(x, dim=-1), F.normalize(y, dim=-1), torch.exp(-s)
        if loss == "sigmoid":
            return sigmoid_loss(u, v, tau, b, same=same)
        return clip_loss(u, v, tau, same=same)

    assert torch.autograd.gradcheck(of, (x, y, s, b))


def test_gradient_of_the_temperature_in_closed_form():
    """dL/ds = ½ Σ over both directions of the mean of (expected − own) similarity."""
    u, v = vectors(6, 8, dtype=torch.float64)
    s = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    clip_loss(u, v, torch.exp(-s)).backward()
    S = similarity_matrix(u, v, math.exp(-2.0))
    by_hand = sum((((M.softmax(-1) * M).sum(-1) - M.diagonal()).mean()) / 2 for M in (S, S.T))
    torch.testing.assert_close(s.grad, by_hand)


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [clip_loss, lambda *a, **k: sigmoid_loss(*a, -10.0, **k)])
def test_what_is_no_batch_of_pairs_is_refused(loss):
    u, v = vectors(4, 8)
    with pytest.raises(ValueError, match=r"both \[N, E\] and in the same order; got \[4, 8\]"):
        loss(u, v[:3], 0.07)
    with pytest.raises(ValueError, match=r"both \[N, E\]"):
        loss(u[:0], v[:0], 0.07)
    with pytest.raises(ValueError, match=r"got \[8\] and \[8\]"):
        loss(u[0], v[0], 0.07)
    for tau in (0, 0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="must be above 0"):
            loss(u, v, tau)
    with pytest.raises(ValueError, match="Caption 0 has length 2, and the loss compares unit"):
        loss(2 * u, v, 0.07)
    for broken in (math.nan, math.inf, 0.0):
        w = v.clone()
        w[2] = broken
        with pytest.raises(ValueError, match="Picture 2 has length"):
            loss(u, w, 0.07)
    for same in (torch.eye(4), torch.eye(3, dtype=torch.bool)):
        with pytest.raises(ValueError, match=r"bool \[4, 4\]"):
            loss(u, v, 0.07, same=same)


def test_similarities_need_one_width():
    u, v = vectors(4, 8)
    with pytest.raises(ValueError, match=r"one joint width; got \[4, 8\] and \[4, 7\]"):
        similarity_matrix(u, v[:, :7], 0.07)


def test_half_precision_counts_as_unit_length():
    u, v = vectors(16, 64)
    for dtype in (torch.bfloat16, torch.float16):
        half = clip_loss(u.to(dtype), v.to(dtype), 0.07)
        torch.testing.assert_close(half.float(), clip_loss(u, v, 0.07), rtol=0.03, atol=0)


# --- the model ------------------------------------------------------------------------------------


@pytest.mark.equation(60)
@pytest.mark.parametrize("image", ["vit", "resnet"])
def test_both_sides_have_unit_length(image):
    clip = small(image).eval()
    ids, pixels = clip.ids(["a cat", "two large dogs", "x"]), torch.randn(2, 3, 32, 32)
    u, v = clip(ids, pixels)
    assert (u.shape, v.shape) == ((3, 12), (2, 12))
    text, picture = clip.text_model(ids).text_embeds, clip.image_model(pixels).image_embeds
    torch.testing.assert_close(u, text / text.square().sum(-1, keepdim=True).sqrt())
    torch.testing.assert_close(v, picture / picture.square().sum(-1, keepdim=True).sqrt())


def test_temperature():
    clip = small()
    assert clip.tau.item() == pytest.approx(0.07, rel=1e-6)
    assert dict(clip.named_parameters())["logit_scale"].item() == pytest.approx(2.65926, abs=1e-5)
    for value, kept in ((-1.0, 1.0), (2.0, math.exp(-2)), (9.0, 0.01)):
        clip.logit_scale.data.fill_(value)
        clip.clamp_temperature()
        assert clip.tau.item() == pytest.approx(kept, rel=1e-5)
    assert clip.logit_bias is None


def test_sigmoid_settings():
    clip = small(sigmoid=True)
    assert clip.tau.item() == pytest.approx(0.1, rel=1e-6)
    assert clip.logit_bias.item() == -10
    assert "logit_bias" in clip.state_dict()


def test_encoding_what_people_have():
    clip = small("resnet").train()
    texts = ["a cat", "a much longer caption about a dog", "a cat", ""]
    u = clip.encode_text(texts)
    assert clip.training  # as it was
    assert u.shape == (4, 12)
    assert not u.requires_grad
    # Neither chunks nor the padding that company brings change a caption's vector.
    torch.testing.assert_close(clip.encode_text(texts, batch_size=1), u, rtol=0, atol=1e-6)
    torch.testing.assert_close(clip.encode_text("a cat")[0], u[2], rtol=0, atol=1e-6)

    images = [Image.new("RGB", (40, 32), color) for color in ("red", "navy", "white")]
    v = clip.encode_image(images)
    assert v.shape == (3, 12)
    torch.testing.assert_close(clip.encode_image(images, batch_size=2), v, rtol=0, atol=1e-6)
    torch.testing.assert_close(clip.encode_image(images[1])[0], v[1], rtol=0, atol=1e-6)
    clear = Image.new("RGBA", (32, 32), (9, 9, 9, 0))
    torch.testing.assert_close(clip.encode_image(clear)[0], v[2], rtol=0, atol=1e-6)
    assert clip.encode_text([]).shape == clip.encode_image([]).shape == (0, 12)
    assert not clip.eval().encode_image(images).requires_grad
    assert not clip.training


def test_mode_comes_back_after_an_error():
    clip = small().train()
    with pytest.raises(TypeError, match="takes a PIL picture"):
        clip.encode_image(["cat.png"])
    assert clip.training


def test_a_long_caption_is_cut_and_said():
    clip = small()
    with pytest.warns(cliplab.TruncationWarning):
        ids = clip.ids(["cat " * 100])
    assert ids.shape == (1, 77)
    assert ids[0, -1] == 49407
    clip.tokenizer = None
    with pytest.raises(ValueError, match="has no tokenizer"):
        clip.encode_text("a cat")


def test_encoders_must_meet_in_one_space():
    text = CLIPTextModel(CLIPTextConfig(99, 9, 16, 2, 1, 32, projection=8))
    with pytest.raises(ValueError, match=r"projection is 8 and the image encoder's 12"):
        CLIP(text, CLIPVisionModel(CLIPVisionConfig(32, 16, 16, 2, 2, 32, 12)))


@pytest.mark.parametrize(
    ("name", "count"), [("ViT-B/32", 151_277_313), ("ViT-L/14", 427_616_513), ("RN50", 102_007_137)]
)
def test_presets_have_openais_sizes(name, count):
    with torch.device("meta"):
        assert CLIP.from_preset(name).num_parameters() == count


def test_a_preset_takes_another_vocabulary():
    tokenizer = cliplab.CLIPTokenizer.train(["a red cat", "a blue dog"], vocab_size=520)
    clip = CLIP.from_preset("mini", tokenizer)
    assert clip.text_model.config.vocab_size == tokenizer.vocab_size
    assert clip.text_model.config.eos_token_id == tokenizer.eos_id
    assert clip.encode_text("a blue cat").shape == (1, 128)
    assert clip.preprocess.mean == (0.5, 0.5, 0.5)
    assert set(PRESETS) == {"tiny", "mini", "mini-vit", "ViT-B/32", "ViT-L/14", "RN50"}
    with pytest.raises(ValueError, match=r"preset is one of tiny, mini, .*; not 'ViT-H/14'"):
        CLIP.from_preset("ViT-H/14")
