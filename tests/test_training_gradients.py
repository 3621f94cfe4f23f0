"""The gradient of a step: the whole batch's, however it is come by, the temperature's included."""

import copy
from statistics import median

import pytest
import torch

from cliplab import clip_loss
from cliplab.training.augment import as_seen_by
from cliplab.training.grad_cache import (
    disable_gradient_checkpointing,
    enable_gradient_checkpointing,
    encode_bucketed,
    grad_cache_backward,
)
from cliplab.training.step import Trainer
from tests.tiny_training import SIDE, batches, gap, gradients, recipe, tiny

N = 8
CPU = torch.device("cpu")


def inputs(clip, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(1, 500, (N, 6), generator=generator)
    ids[:, -1] = clip.tokenizer.eos_id
    return ids, torch.randn(N, 3, SIDE, SIDE, generator=generator, dtype=dtype)


def whole_gradient(clip, ids, pixels):
    clip.zero_grad()
    loss = clip_loss(*clip(ids, pixels), clip.tau)
    loss.backward()
    return loss.detach(), gradients(clip)


@pytest.mark.parametrize("micro_batch", [1, 3, 4, 8, 100])
def test_in_micro_batches_the_gradient_is_the_whole_batchs(micro_batch):
    clip = tiny().double().train()
    ids, pixels = inputs(clip)
    loss, whole = whole_gradient(clip, ids, pixels)
    clip.zero_grad()

    def loss_of(u, v):
        return clip_loss(u, v, clip.tau)

    again = grad_cache_backward(clip, ids, pixels, loss_of, micro_batch)
    assert torch.allclose(again, loss, rtol=1e-14)
    assert whole["logit_scale"].abs() > 1e-3
    assert gap(whole, gradients(clip)) < 1e-12


def test_the_way_of_open_clip_multiplies_the_temperatures_gradient():
    """Each micro-batch in turn with gradient, among the others without, and a loss each time."""
    clip = tiny().double().train()
    ids, pixels = inputs(clip)
    _, whole = whole_gradient(clip, ids, pixels)
    clip.zero_grad()
    with torch.no_grad():
        u, v = clip(ids, pixels)
    for part in (slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 8)):
        u_now, v_now = u.clone(), v.clone()
        u_now[part], v_now[part] = clip(ids[part], pixels[part])
        clip_loss(u_now, v_now, clip.tau).backward()
    naive = gradients(clip)
    assert torch.allclose(naive.pop("logit_scale"), 4 * whole.pop("logit_scale"), rtol=1e-10)
    assert gap(whole, naive) < 1e-12  # nobody would notice by the rest


@pytest.mark.parametrize("checkpointed", [False, True])
def test_running_statistics_see_each_picture_once(checkpointed):
    clip = tiny("resnet").train()
    other = copy.deepcopy(clip)
    ids, pixels = inputs(clip, torch.float32)
    if checkpointed:
        enable_gradient_checkpointing(clip)
    grad_cache_backward(clip, ids, pixels, lambda u, v: clip_loss(u, v, clip.tau), 4)
    for part in pixels.split(4):
        other.encode_pixels(part)
    assert dict(clip.named_buffers()).keys() == dict(other.named_buffers()).keys()
    for (name, once), again in zip(clip.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(once, again), name


@pytest.mark.parametrize("image", ["vit", "resnet"])
def test_checkpointing_can_be_undone(image):
    clip = tiny(image)
    enable_gradient_checkpointing(clip)
    disable_gradient_checkpointing(clip)
    one = copy.deepcopy(clip)
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    pixels = torch.randn(2, 3, SIDE, SIDE)
    assert not one.image_model(pixels).image_embeds.any()
    assert clip.image_model(pixels).image_embeds.any()


# --- the loop's own step --------------------------------------------------------------------------


def of_step(batch, image="vit", **changes):
    """Loss, R@1 and gradients of one step's backward pass."""
    clip = tiny(image)
    trainer = Trainer(clip, batches(), recipe(**changes), CPU)
    if trainer.scaler.is_enabled():  # with a scale that the loop would come down to
        trainer.scaler = torch.amp.GradScaler("cpu", init_scale=256)
    loss, found = trainer.backward(3, batch)
    scale = trainer.scaler.get_scale()
    found_gradients = {name: g / scale for name, g in gradients(clip).items()}
    assert found_gradients.keys() == dict(clip.named_parameters()).keys()
    disable_gradient_checkpointing(clip)
    return loss, found, found_gradients


WAYS = [
    {"micro_batch": 3},
    {"gradient_checkpointing": True},
    {"micro_batch": 3, "gradient_checkpointing": True},
]


@pytest.mark.parametrize("way", WAYS)
def test_less_memory_and_the_same_step(way):
    batch = batches().batch(3)
    loss, found, whole = of_step(batch)
    again, found_again, other = of_step(batch, **way)
    assert again == pytest.approx(loss, rel=1e-6)
    assert found_again == found
    assert gap(whole, other) < 1e-6 if "micro_batch" in way else gap(whole, other) == 0


@pytest.mark.parametrize("loss", ["softmax", "sigmoid"])
def test_what_is_said_twice_is_encoded_once(loss):
    """Encoding all eight captions, of which two are different, gives the same gradient."""
    from cliplab.training.step import loss_between

    batch = batches(n=8, alike=4).batch(3)
    assert len(set(batch.captions)) == 2
    clip = tiny(sigmoid=loss == "sigmoid")
    trainer = Trainer(clip, batches(), recipe(loss=loss), CPU)
    encoded = []
    clip.text_model.register_forward_pre_hook(lambda _, inputs: encoded.append(len(inputs[0])))
    value, _ = trainer.backward(3, batch)
    assert encoded == [2]
    once = gradients(clip)
    clip.zero_grad()
    u, v = clip(clip.ids(batch.captions), as_seen_by(clip, trainer.images(3, batch)))
    same = torch.tensor([[a == b for b in batch.captions] for a in batch.captions])
    whole = loss_between(clip, u, v, same, loss)
    whole.backward()
    assert value == pytest.approx(whole.item(), rel=1e-6)
    assert gap(once, gradients(clip)) < 1e-6


def test_texts_of_like_length_are_encoded_together_with_the_same_gradient():
    clip = tiny().double()
    texts = [" ".join(["red box"] * (n % 9)) for n in range(100)]
    ids, seen = clip.ids(texts), []
    whole = clip.encode_ids(ids)
    turn = torch.randn_like(whole)
    (whole * turn).sum().backward()
    expected = gradients(clip)
    clip.zero_grad()
    clip.text_model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    u = encode_bucketed(clip, ids)
    (u * turn).sum().backward()
    assert torch.allclose(u, whole, atol=1e-12)
    assert gap(expected, gradients(clip)) < 1e-12
    assert [len(text) for text in texts] != sorted(len(text) for text in texts)
    assert [rows for rows, _ in seen] == [64, 36]
    assert seen[0][1] < seen[1][1] == ids.shape[1]


@pytest.mark.parametrize("micro_batch", [None, 3])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("image", ["vit", "resnet"])
def test_lower_precision_is_near(image, precision, micro_batch):
    if image == "resnet" and micro_batch:
        pytest.skip("batch normalization in micro-batches is another network")
    alike, lengths = [], []
    for step in range(7):  # rounding weighs on one batch of eight pictures more than on another
        batch = batches().batch(step)
        loss, _, whole = of_step(batch, image)
        near, _, other = of_step(batch, image, precision=precision, micro_batch=micro_batch)
        assert near == pytest.approx(loss, rel=0.03)
        assert near != loss
        a, b = (torch.cat([g.flatten() for g in found.values()]) for found in (whole, other))
        alike.append(torch.cosine_similarity(a, b, dim=0).item())
        lengths.append((a.norm() / b.norm()).item())
    assert median(alike) > 0.95
    assert median(lengths) == pytest.approx(1, rel=0.1)


def test_a_batch_of_another_size_than_the_recipes_is_refused():
    trainer = Trainer(tiny(), batches(), recipe(batch_size=16), CPU)
    with pytest.raises(ValueError, match="batches have 16 pairs, but 1 process"):
        trainer.step(0, batches().batch(0))
