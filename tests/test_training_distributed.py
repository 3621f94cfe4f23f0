"""Two real processes end where one does, and whatever ends one of them ends both."""

import contextlib
import hashlib
import json
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cliplab.training import Stopped, TrainingError, build_clip, train
from cliplab.training.data import ShapePairs
from cliplab.training.distributed import average_gradients, process_group
from cliplab.training.run import Log
from cliplab.training.snapshot import FILE, read_state
from cliplab.training.step import Trainer
from tests.tiny_training import (
    FORKS,
    batches,
    finish,
    gap,
    gradients,
    recipe,
    start_together,
    tiny,
)

pytestmark = pytest.mark.skipif(FORKS is None, reason="needs fork, which this system has not")

CPU = torch.device("cpu")
CASES = {
    # name: (image encoder, pictures of each caption, what the recipe says)
    "transformer": ("vit", 1, {}),
    "transformer, captions that repeat": ("vit", 4, {}),
    "transformer, in micro-batches": ("vit", 4, {"micro_batch": 3}),
    "residual network": ("resnet", 4, {}),
    "residual network, layers run again": ("resnet", 1, {"gradient_checkpointing": True}),
    "sigmoid": ("vit", 4, {"loss": "sigmoid"}),
    "taught": ("vit", 4, {"distill": 5.0}),
    "taught, residual network": ("resnet", 1, {"distill": 5.0}),
}


def one_step(case: str, rank: int = 0, world: int = 1) -> dict:
    """Loss, R@1, gradients and running statistics after one backward pass, in fp64."""
    image, alike, changes = CASES[case]
    clip = tiny(image, sigmoid=changes.get("loss") == "sigmoid").double()
    teachers = [tiny("resnet", seed).double() for seed in (1, 2)] if "distill" in changes else []
    parts = batches(n=16, alike=alike, rank=rank, world=world)
    trainer = Trainer(clip, parts, recipe(**changes), CPU, world, teachers)
    batch = parts.batch(1)
    loss, found = trainer.backward(1, batch)
    average_gradients(clip)
    statistics = {name: t for name, t in clip.named_buffers() if "running" in name}
    loss = torch.tensor([loss, found], dtype=torch.float64)
    return {"loss": loss, **gradients(clip), **statistics}


def three_steps(folder, rank: int = 0, world: int = 1) -> None:
    clip = tiny("resnet", seed=rank)  # process 0's weights are everyone's
    parts = batches(alike=2, rank=rank, world=world)

    def evaluation(clip) -> dict:
        (folder.parent / f"evaluated by {rank}").touch()
        return {"parameters": clip.num_parameters()}

    train(clip, parts, recipe(steps=3), folder, every=2, evaluate=evaluation, progress=False)


# --- what each of the two processes does ----------------------------------------------------------


def all_of_it(out: Path) -> None:
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    torch.set_num_threads(1)
    said: dict = {}
    with process_group(CPU):
        for n, case in enumerate(CASES):
            found = {name: t.contiguous() for name, t in one_step(case, rank, world).items()}
            save_file(found, out / f"{n} {rank}.safetensors")
        three_steps(out / "three", rank, world)
        said["stopped"] = stopped(out / "stopped", rank, world)
    clip = build_clip("mini", ShapePairs(200))
    weights = b"".join(t.numpy().tobytes() for t in clip.state_dict().values())
    said["weights"] = hashlib.blake2b(weights).hexdigest()
    (out / f"said {rank}").write_text(json.dumps(said))


def stopped(folder, rank: int, world: int) -> str:
    """Process 1, and it alone, is told to stop, while it makes its third batch."""
    parts = batches(rank=rank, world=world)

    def stream():
        for step, batch in enumerate(parts.starting_at(0)):
            if step == 2 and rank == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    class Parts:
        def starting_at(self, step):
            return stream()

    try:
        train(tiny(seed=rank), Parts(), recipe(steps=500), folder, every=500, progress=False)
    except Stopped as error:
        return str(error)
    return "not at all"


def fails_in_its_evaluation(out: Path) -> None:
    """Process 0 does, while the other waits for it."""

    def evaluation(clip):
        raise TrainingError("The evaluation has failed.")

    rank = int(os.environ["RANK"])
    with told(out / str(rank)):
        train(
            tiny(),
            batches(rank=rank, world=2),
            recipe(),
            every=2,
            evaluate=evaluation,
            progress=False,
        )


def fails_in_its_data(out: Path) -> None:
    """Process 1 does, while the other is in its third step."""
    rank = int(os.environ["RANK"])
    parts = batches(rank=rank, world=2)

    class Parts:
        def starting_at(self, step):
            yield parts.batch(0)
            yield parts.batch(1)
            if rank == 1:
                raise OSError("The disk is gone.")
            yield from parts.starting_at(2)

    with told(out / str(rank)):
        train(tiny(), Parts(), recipe(), progress=False)


@contextlib.contextmanager
def told(path: Path):
    try:
        yield
    except (TrainingError, OSError) as error:
        path.write_text(str(error))


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    out = tmp_path_factory.mktemp("two")
    codes = finish(start_together(all_of_it, out, said=out / "output"))
    output = "".join((out / "output" / rank).read_text() for rank in "01")
    assert codes == [0, 0], output
    assert "Traceback" not in output
    return out


# --- and what is to be seen of it -----------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_two_processes_have_the_gradient_of_one(two, case):
    whole = one_step(case)
    n = list(CASES).index(case)
    of_both = [load_file(two / f"{n} {rank}.safetensors") for rank in (0, 1)]
    assert gap(*of_both) == 0
    found = of_both[0]
    assert torch.allclose(found["loss"], whole["loss"], rtol=1e-12)
    assert torch.allclose(found["logit_scale"], whole["logit_scale"], rtol=1e-9)
    statistics = [name for name in whole if "running" in name]
    assert bool(statistics) == (CASES[case][0] == "resnet")
    for part in (statistics, whole.keys() - {"loss", *statistics}):
        if part:
            assert gap(*({k: d[k] for k in part} for d in (whole, found))) < 1e-12


def test_two_processes_end_a_run_where_one_does(two, tmp_path):
    three_steps(tmp_path / "three")
    one, both = (load_file(folder / "three" / FILE) for folder in (tmp_path, two))
    weights = [{k: t for k, t in found.items() if "running" in k or "moment" in k or "weight" in k}
               for found in (one, both)]  # fmt: skip
    assert gap(*weights) < 1e-4
    one, both = (Log.read(folder / "three") for folder in (tmp_path, two))
    assert both["loss"] == pytest.approx(one["loss"], rel=1e-5)
    assert both["r@1"] == one["r@1"]
    assert both.evaluations == one.evaluations
    assert [record["step"] for record in both.evaluations] == [2, 3]


def test_one_process_writes_and_evaluates(two):
    assert (two / "evaluated by 0").exists()
    assert not (two / "evaluated by 1").exists()
    assert len(Log.read(two / "three").steps) == 3


def said(two, what: str) -> list[str]:
    return [json.loads((two / f"said {rank}").read_text())[what] for rank in (0, 1)]


def test_a_signal_to_one_stops_both_after_one_step(two):
    one, other = said(two, "stopped")
    assert one == other
    assert one.startswith("Stopped after step ")
    step = read_state(two / "stopped")["step"]
    assert f"step {step} of 500 and saved" in one
    assert len(Log.read(two / "stopped").steps) == step


LOST = "Another process has ended, so this one ends too."


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (fails_in_its_evaluation, ("The evaluation has failed.", LOST)),
        (fails_in_its_data, (LOST, "The disk is gone.")),
    ],
)
def test_an_error_of_one_ends_the_other(tmp_path, fails, words):
    assert finish(start_together(fails, tmp_path, said=tmp_path / "output")) == [0, 0]
    assert tuple((tmp_path / rank).read_text() for rank in "01") == words


def test_all_processes_build_the_same_model(two):
    one, other = said(two, "weights")
    assert one == other
