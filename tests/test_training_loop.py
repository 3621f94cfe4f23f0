"""The loop learns, keeps to its rules, and says what it does."""

import itertools
import math
import sys
import types

import pytest
import torch

from cliplab.command import device_in_words
from cliplab.training import Log, Recipe, TrainingError, train
from cliplab.training.distributed import find_device
from cliplab.training.evaluate import evaluate
from cliplab.training.step import Trainer, adamw, learning_rate
from tests.tiny_training import Blocks, batches, recipe, tiny

CPU = torch.device("cpu")


@pytest.mark.parametrize("image", ["vit", "resnet"])
def test_the_loop_learns(image):
    clip = tiny(image)
    pairs = Blocks(16)
    assert evaluate(clip, pairs).text_to_image[1] <= 0.25
    how = Recipe(steps=80, batch_size=16, lr=1e-2, warmup=10, augment=0)
    log = train(clip, batches(batch_size=16, n=16), how, device="cpu", progress=False)
    assert log["loss"][0] > 2
    assert log["loss"][-1] < 0.05
    assert log["r@1"][-1] == 1
    assert not clip.training
    found = evaluate(clip, pairs)
    assert found.text_to_image[1] == found.image_to_text[1] == 1
    assert len(log.steps) == 80


def test_an_unseen_caption_of_a_known_thing_is_no_mistake():
    """Two pictures of each caption: the loss has its floor at 0, not at ln 2, and R@1 its top."""
    how = Recipe(steps=80, batch_size=16, lr=1e-2, warmup=10, augment=0)
    log = train(tiny(), batches(batch_size=16, n=16, alike=2), how, device="cpu", progress=False)
    assert log["loss"][-1] < 0.05 < math.log(2)
    assert log["r@1"][-1] == 1


def test_two_runs_of_one_recipe_are_alike_and_a_seed_makes_a_difference():
    runs = [
        train(tiny(), batches(seed=seed), recipe(seed=seed), device="cpu", progress=False)
        for seed in (0, 0, 1)
    ]
    one, again, other = (run["loss"] for run in runs)
    assert one == again != other


# --- how far a step goes --------------------------------------------------------------------------


def test_the_learning_rate_rises_in_a_line_and_falls_in_half_a_cosine():
    rates = [learning_rate(step, steps=100, warmup=10, peak=2.0) for step in range(101)]
    assert rates[:10] == pytest.approx([0.2 * n for n in range(1, 11)])
    assert rates[10] == max(rates) == 2.0
    assert rates[55] == pytest.approx(1.0)
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert rates[10] - rates[11] < rates[54] - rates[55]  # flat at first
    assert learning_rate(0, steps=5, warmup=0, peak=1.0) == 1.0
    log = train(tiny(), batches(), recipe(), device="cpu", progress=False)
    assert log["lr"] == [learning_rate(n, steps=6, warmup=2, peak=1e-3) for n in range(6)]


def test_decay_pulls_on_matrices_and_on_nothing_else():
    clip = tiny("resnet", sigmoid=True)
    before = {name: p.detach().clone() for name, p in clip.named_parameters()}
    optimizer = adamw(clip, lr=0.5, weight_decay=0.1)
    for parameter in clip.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in clip.named_parameters():
        kept = 1 - 0.5 * 0.1 if before[name].ndim > 1 else 1
        assert torch.equal(parameter, before[name] * kept), name
    assert {name for name, p in before.items() if p.ndim <= 1} >= {"logit_scale", "logit_bias"}


def test_adamw_moves_by_the_two_means_of_the_gradient():
    """By hand, with CLIP's β₁ = 0.9, β₂ = 0.98, ε = 1e-6 (Radford et al. 2021, table 18)."""
    clip = tiny()
    optimizer = Trainer(clip, batches(), recipe(lr=0.5), CPU).optimizer
    s = clip.logit_scale  # no decay pulls on it
    expected, m, v = s.item(), 0.0, 0.0
    for n, gradient in enumerate((1e-6, -3e-6, 2e-6), start=1):  # so small that ε counts
        s.grad = torch.tensor(gradient)
        optimizer.step()
        m = 0.9 * m + 0.1 * gradient
        v = 0.98 * v + 0.02 * gradient**2
        expected -= 0.5 * (m / (1 - 0.9**n)) / (math.sqrt(v / (1 - 0.98**n)) + 1e-6)
        assert s.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("scale", "expected"), [(9.0, math.log(100)), (-1.0, 0.0)])
def test_the_temperature_stays_in_its_range(scale, expected):
    clip = tiny()
    clip.logit_scale.data.fill_(scale)
    record = Trainer(clip, batches(), recipe(), CPU).step(0, batches().batch(0))
    assert clip.logit_scale.item() == pytest.approx(expected)
    assert record["temperature"] == pytest.approx(math.exp(-expected))


def test_a_long_gradient_is_cut_and_its_length_is_in_the_log():
    clip = tiny()
    record = Trainer(clip, batches(), recipe(max_grad_norm=1e-3), CPU).step(0, batches().batch(0))
    length = torch.cat([p.grad.flatten() for p in clip.parameters()]).norm()
    assert length == pytest.approx(1e-3, rel=1e-3)
    assert record["grad_norm"] > 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "steps is a whole number of at least 1"),
        ({"batch_size": 2.5}, "batch_size is a whole number"),
        ({"warmup": -1}, "warmup is a whole number of at least 0"),
        (
            {"micro_batch": 0},
            "micro_batch, if not None for all, is a whole number of",
        ),
        ({"lr": 0}, "learning rate must be above 0"),
        ({"lr": math.nan}, "learning rate must be above 0"),
        ({"max_grad_norm": 0}, "longest gradient"),
        ({"weight_decay": -1}, "weight decay must be 0 or above"),
        ({"precision": "fp8"}, "precision is one of fp32, bf16, fp16"),
        ({"loss": "mse"}, "loss is one of softmax, sigmoid"),
    ],
)
def test_a_recipe_that_cannot_be(change, words):
    with pytest.raises(ValueError, match=words):
        recipe(**change)


# --- what it says ---------------------------------------------------------------------------------


def test_records_have_what_they_promise(tmp_path):
    log = train(tiny(), batches(), recipe(), tmp_path, device="cpu", progress=False)
    keys = {"step", "loss", "lr", "temperature", "r@1", "grad_norm", "pairs_per_second"}
    assert all(record.keys() == keys for record in log.steps)
    assert log["step"] == list(range(6))
    assert all(rate > 0 for rate in log["pairs_per_second"])
    again = Log.read(tmp_path)
    assert again.steps == log.steps
    assert repr(again) == "Log of 6 steps and 0 evaluations"


def test_the_bar_tells_what_one_wants_to_see(capfd):
    log = train(tiny(), batches(), recipe(), device="cpu")
    in_short = Trainer(tiny(), batches(), recipe(), CPU).in_short
    said = capfd.readouterr().err.split("\r")[-1]
    assert "6/6 [" in said  # steps, and tqdm's own time gone and time left
    assert in_short(log.steps[-1]) in said
    for word in ("loss ", "R@1 ", "τ ", " pairs/s"):
        assert word in said
    train(tiny(), batches(), recipe(), device="cpu", progress=False)
    assert capfd.readouterr().err == ""


def test_evaluations_come_at_their_steps_and_leave_the_training_alone():
    modes = []

    def evaluation(clip) -> dict:
        modes.append(clip.training)
        return {"seen": len(modes), "similarities": [[1.0]]}

    how = {"every": 4, "device": "cpu", "progress": False}
    log = train(tiny("resnet"), batches(), recipe(), evaluate=evaluation, **how)
    assert modes == [False, False]
    assert log.evaluations == [
        {"step": step, "seen": n, "similarities": [[1.0]]} for step, n in ((4, 1), (6, 2))
    ]
    assert train(tiny("resnet"), batches(), recipe(), **how)["loss"] == log["loss"]
    with pytest.raises(ValueError, match="at least 1; not 0"):
        train(tiny(), batches(), recipe(), every=0)


def test_tensorboard_gets_the_same_numbers_where_it_is(tmp_path, monkeypatch):
    written, made = [], []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            made.append((folder, purge_step))

        def add_scalar(self, name, value, step, walltime):
            written.append((name, value, step))

        def close(self):
            made.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    how = {"every": 3, "device": "cpu", "progress": False}
    log = train(tiny(), batches(), recipe(), tmp_path, evaluate=lambda _: {"r": 0.5}, **how)
    assert [value for name, value, _ in written if name == "loss"] == log["loss"]
    assert ("r", 0.5, 6) in written
    assert made == [(tmp_path / "tensorboard", 0), "closed"]
    written.clear()
    train(tiny(), batches(), recipe(), tmp_path, resume=True, **how)
    assert made[2] == (tmp_path / "tensorboard", 6)  # what it holds from there on is forgotten
    assert written == [("r", 0.5, 6)]  # also the evaluation at that step, which is not done again


def test_without_tensorboard_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    train(tiny(), batches(), recipe(), tmp_path, device="cpu", progress=False)
    assert not (tmp_path / "tensorboard").exists()


# --- devices --------------------------------------------------------------------------------------


def test_the_device_is_found_and_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert find_device() == find_device("cpu") == CPU
    assert device_in_words(CPU) == "cpu (1 thread)"
    for name in ("cuda", "mps", "tpu", "cpu:x"):
        with pytest.raises(ValueError, match=f"no device '{name}' here, only cpu"):
            find_device(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert find_device().type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert find_device() == torch.device("cuda")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert find_device() == find_device("cuda") == torch.device("cuda:1")
    assert find_device("cuda:0") == torch.device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match="no GPU number 2: this machine has 2"):
        find_device()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("image", ["vit", "resnet"])
def test_a_gpu_does_what_the_cpu_does(tmp_path, image, precision):
    how = {"every": 3, "progress": False}
    there = train(tiny(image), batches(), recipe(), device="cpu", **how)
    changes = recipe(precision=precision, steps=6)
    here = train(tiny(image), batches(), changes, tmp_path, device="cuda", **how)
    assert here["loss"][0] == pytest.approx(
        there["loss"][0], rel=1e-3 if precision == "fp32" else 0.05
    )
    if precision != "fp16":  # where the first steps only find the scale
        assert here["loss"] == pytest.approx(
            there["loss"], rel=0.01 if precision == "fp32" else 0.1
        )
    again = train(tiny(image), batches(), changes, tmp_path, device="cuda", resume=True, **how)
    assert again["loss"] == here["loss"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here")
def test_a_run_begun_on_a_gpu_goes_on_there(tmp_path):
    def evaluation(clip) -> dict:
        if not (tmp_path / "once").exists():
            (tmp_path / "once").touch()
            raise TrainingError("killed")
        return {}

    for resume in (False, True):
        try:
            log = train(
                tiny("resnet"), batches(), recipe(micro_batch=3), tmp_path, resume=resume,
                device="cuda", evaluate=evaluation, every=3, progress=False,
            )  # fmt: skip
        except TrainingError:
            assert not resume
    assert log["step"] == list(range(6))
