"""A run that is killed, stopped, or out of disk goes on, and ends as if nothing had happened."""

import csv
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
import torch

import cliplab.train
from cliplab.training import Stopped, TrainingError, snapshot, train
from cliplab.training import run as run_module
from cliplab.training.run import LOG, Log
from cliplab.training.snapshot import FILE, load_snapshot, read_state
from tests.tiny_training import FORKS, Blocks, batches, finish, gap, recipe, start, tiny

STEPS = 8
needs_fork = pytest.mark.skipif(FORKS is None, reason="needs fork, which this system has not")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with twelve pictures and their captions."""
    folder = tmp_path_factory.mktemp("pictures")
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file_name", "caption"))
        for n, pair in enumerate(Blocks(12)):
            pair.image.save(folder / f"{n}.png")
            table.writerow((f"{n}.png", pair.caption))
    return folder


def new(pictures, out) -> list[str]:
    words = f"--data {pictures} --out {out} --steps {STEPS} --batch-size 4 --warmup 2 --every 2"
    return [*words.split(), "--device", "cpu"]


def outcome(out) -> tuple[bytes, list]:
    """Every byte of the last snapshot, and the log but for the times in it."""
    lines = [json.loads(line) for line in (out / LOG).read_text().splitlines()]
    for line in lines:
        line.pop("pairs_per_second", None)
    return (out / FILE).read_bytes(), lines


@pytest.fixture(scope="module")
def whole(pictures, tmp_path_factory):
    """What a run that nobody disturbs ends with."""
    out = tmp_path_factory.mktemp("whole") / "run"
    said = out.with_name("said")
    assert finish([start(cliplab.train.main, new(pictures, out), said=said)]) == [0], (
        said.read_text()
    )
    assert (out / "model" / "model.safetensors").is_file()
    assert "Done: 8 steps" in said.read_text()
    return outcome(out)


def wait_until(happened, process, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while not happened() and process.is_alive():
        assert time.monotonic() < until, "it did not come so far"
        time.sleep(0.0005)


@needs_fork
def test_killed_again_and_again_a_run_ends_bit_for_bit_alike(pictures, whole, tmp_path):
    out, said = tmp_path / "run", tmp_path / "said"
    part = out / f".{FILE}.part"
    dice = random.Random()
    arguments, torn = new(pictures, out), []
    for kill in range(4):
        process = start(cliplab.train.main, arguments, said=said)
        if kill % 2:  # while a snapshot is being written
            begun = read_state(out)["step"] if (out / FILE).exists() else -1
            wait_until(lambda: part.exists() and _lines(out) > begun + 1, process)  # noqa: B023
        else:  # anywhere in a step
            goal = _lines(out) + dice.randint(1, 3)
            wait_until(lambda: _lines(out) >= goal, process)  # noqa: B023
            time.sleep(dice.uniform(0, 0.1))
        process.kill()
        if finish([process]) == [0]:
            break  # it had ended before
        torn.append(part.exists())
        if (out / FILE).exists():
            arguments = ["--resume", str(out), "--device", "cpu"]
    assert finish([start(cliplab.train.main, arguments, said=said)]) == [0]
    print(f"killed {len(torn)} times, {sum(torn)} of them with half a snapshot beside the whole")
    assert len(torn) >= 2
    assert outcome(out) == whole
    assert not part.exists()


def _lines(out) -> int:
    log = out / LOG
    return log.read_bytes().count(b"\n") if log.exists() else 0


@needs_fork
def test_ctrl_c_saves_and_says_how_to_go_on(pictures, whole, tmp_path):
    out, said = tmp_path / "run", tmp_path / "said"
    process = start(cliplab.train.main, new(pictures, out), said=said)
    wait_until(lambda: _lines(out) >= 3, process)
    os.kill(process.pid, signal.SIGINT)
    assert finish([process]) == [130]
    step = read_state(out)["step"]
    assert 3 <= step < STEPS
    words = said.read_text()
    assert f"Stopped after step {step} of {STEPS} and saved." in words
    assert f"python -m cliplab.train --resume {out}" in words
    assert "Traceback" not in words
    assert finish([start(cliplab.train.main, ["--resume", str(out)], said=said)]) == [0]
    assert outcome(out) == whole


# --- the same in one process, with a model that is tinier still -----------------------------------


def go(out, *, resume=False, evaluate=None, clip=None, **changes):
    clip = clip or tiny("resnet")
    log = train(
        clip,
        batches(),
        recipe(**changes),
        out,
        resume=resume,
        evaluate=evaluate,
        every=2,
        progress=False,
    )
    return clip, log


def test_a_log_cut_in_the_middle_of_a_line_is_mended(tmp_path):
    _, log = go(tmp_path / "whole", evaluate=nothing)
    with pytest.raises(RuntimeError):
        go(tmp_path / "cut", evaluate=fails_at(4))
    with (tmp_path / "cut" / LOG).open("a") as file:
        file.write('{"kind": "step", "step": 4, "lo')
    (tmp_path / "cut" / f".{FILE}.part").write_bytes(b"half of a snapshot")
    go(tmp_path / "cut", resume=True, evaluate=nothing)
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")
    assert sorted(p.name for p in (tmp_path / "cut").iterdir()) == [LOG, FILE]
    assert len(log.steps) == 6


def nothing(clip) -> dict:
    return {}


def fails_at(step: int):
    """An evaluation, called every other step, that ends in an error."""
    calls = iter(range(2, step, 2))

    def evaluation(clip) -> dict:
        if next(calls, None) is None:
            raise RuntimeError("killed")
        return {}

    return evaluation


def test_an_evaluation_stands_in_the_log_once(tmp_path, monkeypatch):
    """Killed after it was written, and before the snapshot: it is made again, not twice."""

    def evaluation(clip) -> dict:
        return {"scale": clip.logit_scale.item()}

    go(tmp_path / "whole", evaluate=evaluation)
    save = run_module.save_snapshot

    def killed(folder, clip, optimizer, state):
        if state["step"] == 4:
            raise RuntimeError("killed")
        save(folder, clip, optimizer, state)

    monkeypatch.setattr(run_module, "save_snapshot", killed)
    with pytest.raises(RuntimeError):
        go(tmp_path / "killed", evaluate=evaluation)
    assert [e["step"] for e in Log.read(tmp_path / "killed").evaluations] == [2, 4]
    monkeypatch.undo()
    go(tmp_path / "killed", resume=True, evaluate=evaluation)
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "whole")
    assert [e["step"] for e in Log.read(tmp_path / "killed").evaluations] == [2, 4, 6]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_run_in_low_precision_resumes_as_well(tmp_path, precision):
    """In fp16 the loss scale, which has fallen by then, is part of the state."""
    how = {"precision": precision, "steps": 12}
    _, log = go(tmp_path / "whole", **how, evaluate=nothing)
    with pytest.raises(RuntimeError):
        go(tmp_path / "cut", **how, evaluate=fails_at(10))
    go(tmp_path / "cut", **how, resume=True, evaluate=nothing)
    assert None not in log["grad_norm"][-2:]
    assert outcome(tmp_path / "cut") == outcome(tmp_path / "whole")
    assert bool(read_state(tmp_path / "whole")["scaler"]) == (precision == "fp16")


def test_stopped_in_a_notebook(tmp_path):
    """The words differ: there is no command to go on with."""

    def evaluation(clip) -> dict:
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    with pytest.raises(Stopped, match="resume=True"):
        go(tmp_path, evaluate=evaluation)
    assert read_state(tmp_path)["step"] == 2
    with pytest.raises(Stopped, match="in the model alone"):
        go(None, evaluate=evaluation)


# --- what goes wrong with the disk ----------------------------------------------------------------


def intact(out, step: int) -> None:
    """The snapshot of a step is there, whole, and alone."""
    assert read_state(out)["step"] == step
    clip = tiny("resnet")
    load_snapshot(out, clip, torch.optim.AdamW(clip.parameters()))
    assert not [p for p in out.iterdir() if p.name.endswith(".part")]


def test_a_full_disk(tmp_path, monkeypatch):
    saved = []
    save_file = snapshot.save_file

    def full(tensors, path, metadata):
        if len(saved) == 2:
            path.write_bytes(b"as much as there was room for")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved.append(path)
        save_file(tensors, path, metadata=metadata)

    monkeypatch.setattr(snapshot, "save_file", full)
    with pytest.raises(
        TrainingError, match=r"could not be written: .*No space.*before it is intac"
    ):
        go(tmp_path)
    intact(tmp_path, 2)


def test_a_disk_that_is_really_full(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    go(tmp_path / "roomy")
    room = (tmp_path / "roomy" / FILE).stat().st_size * 5 // 4
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here (not root, or not allowed)")
    try:  # the first snapshot, which has no means yet, fits beside nothing larger
        with pytest.raises(TrainingError, match="could not be written"):
            go(disk / "run")
        intact(disk / "run", 0)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_may_not_grow_so_large(tmp_path):
    """A write that fails in the system, not in a stand-in for it."""
    resource = pytest.importorskip("resource")
    go(tmp_path / "roomy")
    most = (tmp_path / "roomy" / FILE).stat().st_size * 2 // 3
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(TrainingError, match=r"could not be written: .* before it is intact"):
            go(tmp_path / "tight")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    intact(tmp_path / "tight", 0)


def test_a_log_that_cannot_be_written(tmp_path):
    clip = tiny("resnet")

    def in_the_way(*_):  # of the model's own thread, which is the one that writes the log
        log = tmp_path / LOG
        if log.is_file():
            log.unlink()
            log.mkdir()

    clip.text_model.register_forward_pre_hook(in_the_way)
    with pytest.raises(TrainingError, match=r"log could not be written.*last snapshot is intact"):
        train(clip, batches(), recipe(), tmp_path, progress=False)
    assert (tmp_path / LOG).is_dir()
    assert read_state(tmp_path)["step"] == 0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_numbers_that_are_not_finite(tmp_path, precision):
    with pytest.raises(TrainingError, match=r"At step [2-6] .* not a finite number") as caught:
        go(tmp_path, lr=1e30, warmup=0, precision=precision)
    assert "Lower the learning rate (1e+30)" in str(caught.value)
    step = read_state(tmp_path)["step"]
    assert f"The snapshot of step {step} in {tmp_path} is intact." in str(caught.value)
    intact(tmp_path, step)


def test_a_scale_that_falls_and_falls_is_no_training(tmp_path):
    clip = tiny("resnet")
    clip.text_model.text_projection.weight.register_hook(lambda g: g * float("inf"))
    with pytest.raises(TrainingError, match="however small its scale"):
        train(clip, batches(), recipe(steps=40, precision="fp16"), tmp_path, progress=False)


# --- snapshots that are not what they should be ---------------------------------------------------


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    out = tmp_path_factory.mktemp("ended")
    go(out)
    return out


@pytest.fixture
def copied(ended, tmp_path):
    return shutil.copytree(ended, tmp_path / "run")


def test_a_snapshot_gives_all_back(ended):
    clip, _ = go(None)
    other = tiny("resnet", seed=5).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(other.parameters(), fused=True)
    load_snapshot(ended, other, optimizer)
    assert gap(clip.state_dict(), other.state_dict()) == 0
    assert len(optimizer.state) == len(list(other.parameters()))
    for parameter, kept in optimizer.state.items():
        assert kept["step"] == 6
        assert kept["exp_avg"].stride() == kept["exp_avg_sq"].stride() == parameter.stride()


@pytest.mark.parametrize("damage", ["short", "shorter", "empty", "other", "stateless", "half"])
def test_a_damaged_snapshot(copied, damage):
    path = copied / FILE
    data = path.read_bytes()
    if damage in ("stateless", "half"):
        metadata = {} if damage == "stateless" else {"state": '{"step": 4}'}
        snapshot.save_file({"model.x": torch.zeros(2)}, path, metadata=metadata)
    else:
        kept = {"short": data[:-100], "shorter": data[:50], "empty": b"", "other": b"x" * 5000}
        path.write_bytes(kept[damage])
    with pytest.raises(TrainingError, match="is damaged, or not a snapshot of a run"):
        go(copied, resume=True)


def test_a_snapshot_of_another_model_changes_nothing(copied):
    clip = tiny("vit")
    before = {name: t.clone() for name, t in clip.state_dict().items()}
    with pytest.raises(TrainingError, match=r"of another model: the two differ in model\.image"):
        go(copied, resume=True, clip=clip)
    assert gap(before, clip.state_dict()) == 0


def test_a_run_that_has_ended_ends_again_at_once(copied):
    before = outcome(copied)
    clip, log = go(copied, resume=True)
    assert outcome(copied) == before
    assert len(log.steps) == 6
    assert not clip.training


def test_a_run_is_neither_overwritten_nor_mixed_with_another(copied, tmp_path):
    with pytest.raises(TrainingError, match="holds a run, at step 6"):
        go(copied)
    with pytest.raises(TrainingError, match=r"another recipe: lr is .* there and 0.002 here"):
        go(copied, resume=True, lr=2e-3)
    with pytest.raises(TrainingError, match="There is no run to go on with"):
        go(tmp_path / "nowhere", resume=True)
    with pytest.raises(ValueError, match="resumed from its folder"):
        go(None, resume=True)


def test_a_log_that_is_left_without_its_snapshot_is_begun_anew(copied):
    (copied / FILE).unlink()
    go(copied)
    assert [r["step"] for r in Log.read(copied).steps] == list(range(6))
