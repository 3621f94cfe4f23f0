"""Learning from teachers: their mean cosines, exactly, of pictures with texts that have none."""

import copy

import pytest
import torch
import torch.nn.functional as F

from cliplab import CLIPTokenizer, clip_loss
from cliplab.training import evaluate, train
from cliplab.training.augment import as_seen_by
from cliplab.training.batches import false_negative_mask
from cliplab.training.distillation import Teachers, distillation_loss, exchanged, whole_words
from cliplab.training.grad_cache import disable_gradient_checkpointing
from cliplab.training.step import Trainer
from tests.tiny_training import SIDE, Blocks, batches, gap, gradients, recipe, tiny

CPU = torch.device("cpu")
TEXTS = ["red box", "blue hat", "a gold key"]


def pictures(n: int, side: int = SIDE) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


def unit(*shape, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(shape, generator=generator, dtype=torch.float64), dim=-1)


# --- what teachers say ----------------------------------------------------------------------------


def test_inner_products_are_the_mean_of_the_teachers_cosines():
    clips = [tiny("vit", 1), tiny("resnet", 2), tiny("vit", 3)]
    images, cosines = pictures(4), []
    for clip in clips:
        clip.eval()
        with torch.no_grad():
            u, v = clip(clip.ids(TEXTS), clip.preprocess.normalize(images))
        cosines.append(u @ v.T)
    U, V = Teachers(clips).encode(TEXTS, images)
    assert U.shape == (3, 36)
    assert V.shape == (4, 36)
    assert torch.allclose(U @ V.T, sum(cosines) / 3, atol=1e-6)
    assert torch.allclose(V.norm(dim=-1), torch.ones(4), atol=1e-6)


def test_a_teacher_sees_pictures_at_its_own_size():
    """A picture of one color is that picture at any size."""
    clip = tiny("resnet", 1)
    one = torch.tensor([0.9, 0.5, 0.1]).view(1, 3, 1, 1)
    small, large = (Teachers([clip]).encode(TEXTS, one.expand(1, 3, s, s))[1] for s in (SIDE, 80))
    assert torch.allclose(small, large, atol=1e-5)


def test_they_are_evaluated_as_one_clip_is():
    clips, pairs = [tiny("vit", 1), tiny("resnet", 2)], Blocks(12)
    images, texts = [pair.image for pair in pairs], [pair.caption for pair in pairs]
    S = sum(clip.encode_text(texts) @ clip.encode_image(images).T for clip in clips)
    first = (S.argmax(1) == torch.arange(12)).float().mean().item()
    assert evaluate(Teachers(clips), pairs).text_to_image[1] == pytest.approx(first)


def test_teachers_are_not_taught():
    teacher = tiny("resnet", 1)
    before = copy.deepcopy(teacher.state_dict())
    train(tiny(), batches(), recipe(distill=5.0), progress=False, device="cpu", teachers=[teacher])
    assert all(torch.equal(before[name], t) for name, t in teacher.state_dict().items())
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_there_is_at_least_one():
    with pytest.raises(ValueError, match="at least one teacher"):
        Teachers([])


@pytest.mark.parametrize(
    ("weight", "teachers", "words"),
    [(2.0, 0, "weight 2 .distill., and the run has none"), (0.0, 1, "the weight 0 .* has 1")],
)
def test_a_weight_and_teachers_go_together(weight, teachers, words):
    with pytest.raises(ValueError, match=words):
        Trainer(tiny(), batches(), recipe(distill=weight), CPU, teachers=[tiny()] * teachers)


# --- texts that have no picture -------------------------------------------------------------------


def test_one_word_is_exchanged_the_same_on_every_process():
    words = ["fan", "map", "cup"]
    made = {exchanged("big red box", words, f"0 {step}") for step in range(200)}
    expected = ("{} red box", "big {} box", "big red {}")
    assert made == {text.format(word) for text in expected for word in words}
    assert exchanged("red box", words, "0 7") == exchanged("red box", words, "0 7")
    assert exchanged("", words, "0 7") in words


def test_whole_words():
    tokenizer = CLIPTokenizer.train(["mango 42 mango"], vocab_size=530)
    assert "mango" in whole_words(tokenizer)
    assert all(len(tokenizer.content(word)) == 1 for word in whole_words(tokenizer))
    with pytest.raises(ValueError, match="No word is one token"):
        whole_words(CLIPTokenizer.train(["a"], vocab_size=514))


# --- the loss -------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_square_of_the_differences():
    u, v, U, V = unit(5, 3), unit(4, 3, seed=1), unit(5, 7, seed=2), unit(4, 7, seed=3)
    squares = [(u[i] @ v[j] - U[i] @ V[j]) ** 2 for i in range(5) for j in range(4)]
    assert torch.allclose(distillation_loss(u, v, U, V), sum(squares) / 20)


def test_its_gradient():
    u, v, U, V = unit(5, 3), unit(4, 3, seed=1), unit(5, 7, seed=2), unit(4, 7, seed=3)
    u, v = u.requires_grad_(), v.requires_grad_()
    assert torch.autograd.gradcheck(lambda u, v: distillation_loss(u, v, U, V), (u, v))


def test_who_knows_what_the_teacher_knows_has_nothing_to_learn():
    u, v = unit(5, 3), unit(4, 3, seed=1)
    turn = torch.linalg.qr(unit(3, 3, seed=2)).Q  # another space, the same cosines
    assert distillation_loss(u, v, u @ turn, v @ turn) < 1e-30


# --- a step with teachers -------------------------------------------------------------------------


def teachers() -> list:
    return [tiny("resnet", seed).double() for seed in (1, 2)]


def of_step(**changes):
    """Loss and gradients of one step's backward pass, in fp64."""
    clip = tiny().double()
    trainer = Trainer(clip, batches(), recipe(distill=5.0, **changes), CPU, teachers=teachers())
    loss, _ = trainer.backward(3, batches(n=8, alike=2).batch(3))
    disable_gradient_checkpointing(clip)
    return loss, gradients(clip)


def test_a_step_has_the_gradient_of_both_losses():
    """By hand: every caption, and then every caption's other, against every picture."""
    batch = batches(n=8, alike=2).batch(3)
    loss, found = of_step()
    clip = tiny().double()
    trainer = Trainer(clip, batches(), recipe(distill=5.0), CPU, teachers=teachers())
    images = trainer.images(3, batch)
    others = [exchanged(text, whole_words(clip.tokenizer), "0 3") for text in batch.captions]
    texts = [*batch.captions, *others]
    assert len(set(others)) < len(others)  # captions that repeat have one other
    u, v = clip(clip.ids(texts), as_seen_by(clip, images))
    U, V = Teachers(teachers()).encode(texts, images)
    whole = clip_loss(u[:8], v, clip.tau, same=false_negative_mask(batch.keys))
    whole = whole + 5 * (u @ v.T - U @ V.T).square().mean()
    whole.backward()
    assert loss == pytest.approx(whole.item(), rel=1e-9)
    assert gap(found, gradients(clip)) < 1e-9


@pytest.mark.parametrize("way", [{"micro_batch": 3}, {"gradient_checkpointing": True}])
def test_less_memory_and_the_same_step(way):
    (loss, whole), (again, other) = of_step(), of_step(**way)
    assert again == pytest.approx(loss, rel=1e-12)
    assert gap(whole, other) < 1e-12


def test_what_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    def run(folder, steps, **how):
        clip, teacher = tiny(), [tiny("resnet", 1)]
        parts = batches()

        class Until:
            def starting_at(self, step):
                yield from (parts.batch(n) for n in range(step, steps))
                raise OSError("The disk is gone.")

        settings = {"progress": False, "device": "cpu", "every": 1, "teachers": teacher}
        train(clip, Until(), recipe(distill=5.0), folder, **settings, **how)
        return clip.state_dict()

    whole = run(tmp_path / "whole", 6)
    with pytest.raises(OSError, match="gone"):
        run(tmp_path / "run", 3)
    again = run(tmp_path / "run", 6, resume=True)
    assert all(torch.equal(t, again[name]) for name, t in whole.items())


def test_a_student_comes_to_agree_with_its_teachers():
    """Also about texts that no caption is."""
    clips = [tiny("vit", 1), tiny("vit", 2)]
    texts, images = ["red fan", "box map"], pictures(6)
    U, V = Teachers(clips).encode(texts, images)
    student = tiny("vit", 5)

    def far() -> float:
        student.eval()
        with torch.no_grad():
            u, v = student(student.ids(texts), student.preprocess.normalize(images))
        return distillation_loss(u, v, U, V).item()

    before = far()
    taught = recipe(steps=60, lr=3e-3, distill=50.0)
    train(student, batches(), taught, progress=False, device="cpu", teachers=clips)
    assert far() < before / 3
