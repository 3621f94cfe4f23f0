"""``python -m cliplab.train``: what it asks for, what it refuses, and in which words."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import cliplab
from cliplab.train import main
from cliplab.training import PRESETS, FolderPairs, LeftOutWarning, write_shards
from cliplab.training import train as train_in_python
from cliplab.training.run import Log
from cliplab.training.snapshot import FILE, read_state
from tests.tiny_training import Blocks, batches, recipe, tiny


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file_name", "caption"))
        for n, pair in enumerate(Blocks(6)):
            pair.image.save(folder / f"{n}.png")
            table.writerow((f"{n}.png", pair.caption))
        table.writerow(("gone.png", "a lost picture"))
    return folder


def refused(capsys, *arguments) -> str:
    """What it says when it ends with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


@pytest.fixture(scope="module")
def run(pictures, tmp_path_factory):
    """A run of two steps."""
    out = tmp_path_factory.mktemp("runs") / "first"
    words = f"--data {pictures} --out {out} --steps 2 --batch-size 4 --warmup 0 --augment 0"
    main([*words.split(), "--quiet"])
    return out


def test_a_run_leaves_snapshot_log_and_model(run, pictures):
    state = read_state(run)
    assert state["step"] == 2
    assert state["recipe"]["warmup"] == 0
    assert state["recipe"]["augment"] == 0
    assert state["about"]["data"] == str(pictures)
    clip = cliplab.load_clip(run / "model")
    weights = load_file(run / FILE)
    for name, tensor in clip.state_dict().items():
        assert tensor.equal(weights[f"model.{name}"]), name
    assert Log.read(run)["lr"][0] == PRESETS["coffee"].recipe.lr  # what the command begins from


def test_what_is_left_out_is_said(pictures, tmp_path, capsys):
    words = f"--data {pictures} --out {tmp_path / 'r'} --steps 1 --batch-size 4 --json --threads 1"
    main(words.split())
    said = capsys.readouterr()
    assert re.search(r"Note: .*gone\.png", said.err)
    assert "1/1 [" in said.err
    assert "FolderPairs" in said.out
    assert "tiny: 3," in said.out
    assert "on cpu (1 thread)" in said.out
    assert json.loads(said.out.splitlines()[-1]) == []
    assert "gone.png" in refused(
        capsys, "--data", pictures, "--out", tmp_path / "s", "--on-bad", "raise"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "Say where the run is to be kept: --out"),
        ("--out OUT --data nowhere", "There are no pairs 'nowhere'"),
        ("--out OUT --data shards/x-{0..3}.tar", "4 of 4 shards do not exist"),
        ("--out OUT --preset large", "invalid choice: 'large'"),
        ("--out OUT --model ViT-XXL", "invalid choice: 'ViT-XXL'"),
        ("--out OUT --steps 0", "steps is a whole number of at least 1; not 0"),
        ("--out OUT --lr -1", "learning rate must be above 0"),
        ("--out OUT --distill -1", "weight of the teachers (distill) must be 0 or above, not -1"),
        (
            "--out OUT --preset taught",
            "gives teachers the weight 500 (distill), and the run has none",
        ),
        ("--out OUT --teachers mini", "gives teachers the weight 0 (distill), and the run has 1"),
        ("--out OUT --from nowhere", "nowhere"),
        (
            "--out OUT --from mini",
            "and another image encoder and another vocabulary: give the --model",
        ),
        ("--out OUT --batch-size 1", "A batch of one pair has nothing to compare"),
        ("--out OUT --model mini-vit --batch-size 1", "Give a batch_size of at least 2"),
        ("--out OUT --batch-size 6 --micro-batch 1 --views 2", "leave a part of one picture"),
        ("--out OUT --batch-size 6 --micro-batch 5 --views 2", "leave a part of one picture"),
        ("--out OUT --table x.csv", "--table … goes with a folder only"),
        ("--out OUT --data shapes --caption-column x", "--caption-column … goes with a folder"),
        ("--out OUT --augment 2", "Pictures are varied (augment) by 0 to 1, not 2"),
        ("--out OUT --threads 0", "'0' is not a whole number of at least 1"),
        ("--out OUT --every x", "'x' is not a whole number of at least 1"),
        ("--out OUT --device tpu", "no device 'tpu' here"),
        ("--resume OUT", "There is no run to go on with in"),
        ("--resume OUT --from mini", "leave --from away"),
        ("--resume OUT --data x --table t.csv", "leave --table away"),
        ("--resume OUT --lr 1 --augment 0 --out x", "leave --lr, --augment, --out away"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(capsys, tmp_path, arguments, words):
    said = refused(capsys, *arguments.replace("OUT", str(tmp_path / "run")).split())
    assert words in said
    assert not (tmp_path / "run").exists()


def test_a_batch_larger_than_the_data(capsys, pictures, tmp_path):
    said = refused(capsys, "--data", pictures, "--out", tmp_path / "run")
    assert f"A batch of {PRESETS['coffee'].recipe.batch_size} pairs" in said
    assert "Choose a smaller batch" in said


def test_a_run_is_not_begun_over_another(capsys, pictures, run):
    before = (run / FILE).read_bytes()
    said = refused(capsys, "--data", pictures, "--out", run, "--batch-size", 4)
    assert f"{run} holds a run, at step 2. Go on with it" in said
    assert (run / FILE).read_bytes() == before


def test_a_folder_that_cannot_be_made(capsys, pictures, tmp_path):
    (tmp_path / "file").write_text("")
    said = refused(
        capsys, "--data", pictures, "--out", tmp_path / "file" / "run", "--batch-size", 4
    )
    assert "cannot hold a run" in said


def test_data_that_has_changed(capsys, pictures, run):
    table = pictures / "captions.csv"
    rows = table.read_text()
    table.write_text(rows.replace("gone.png", "0.png"))
    try:
        assert "is no longer what the run in" in refused(capsys, "--resume", run)
    finally:
        table.write_text(rows)


def swapped(folder: Path) -> None:
    """The captions of two pictures change places."""
    table = folder / "captions.csv"
    (head, one, two, *rest) = table.read_text().splitlines()
    (a, first), (b, second) = one.split(","), two.split(",")
    table.write_text("\n".join([head, f"{a},{second}", f"{b},{first}", *rest]))


def touched(folder: Path) -> None:
    """A picture is another one."""
    Blocks(7)[6].image.save(folder / "0.png")


def turned(folder: Path) -> None:
    """The rows come in another order."""
    head, *rows = (folder / "captions.csv").read_text().splitlines()
    (folder / "captions.csv").write_text("\n".join([head, *rows[::-1]]))


@pytest.mark.parametrize("change", [swapped, touched, turned])
def test_a_run_notices_what_has_moved_and_goes_on_where_its_data_is(
    change, capsys, pictures, run, tmp_path, monkeypatch
):
    """Begun with relative paths, it goes on from anywhere, and with the data at another place."""
    shutil.copytree(pictures, tmp_path / "here" / "photos")
    monkeypatch.chdir(tmp_path / "here")
    words = "--data photos --table captions.csv --steps 2 --batch-size 4 --warmup 0 --quiet"
    main([*words.split(), "--out", "run"])
    monkeypatch.chdir(tmp_path)
    main(["--resume", "here/run", "--quiet"])
    (tmp_path / "here" / "photos").rename(tmp_path / "there")
    said = refused(capsys, "--resume", "here/run")
    assert "This is where the run's data was. If it is elsewhere now, say so: --resume" in said
    main(["--resume", "here/run", "--data", "there", "--quiet"])
    change(tmp_path / "there")
    said = refused(capsys, "--resume", "here/run", "--data", "there")
    assert "is no longer what the run in" in said


def test_shards_that_have_changed(capsys, pictures, tmp_path):
    """Two captions of one length change places, so that nothing has another size."""
    with pytest.warns(LeftOutWarning):
        (shard,) = write_shards(FolderPairs(pictures), tmp_path / "s")
    words = f"--data {tmp_path}/s/*.tar --out {tmp_path / 'run'} --steps 2 --batch-size 4 --quiet"
    main([*words.split(), "--warmup", "0"])
    main(["--resume", str(tmp_path / "run"), "--quiet"])
    before = shard.read_bytes()
    names = (b"blue box", b"gold box", b"???? box")
    swap = (
        before.replace(names[0], names[2]).replace(names[1], names[0]).replace(names[2], names[1])
    )
    assert before != swap
    assert len(before) == len(swap)
    shard.write_bytes(swap)
    assert "is no longer what the run in" in refused(capsys, "--resume", tmp_path / "run")


def test_a_run_begins_with_the_weights_of_another_and_learns_from_it(pictures, run, tmp_path):
    """…and goes on, after a stop, with the teachers it had."""
    model = run / "model"
    words = f"--data {pictures} --batch-size 4 --warmup 0 --quiet --device cpu --every 2"
    words += f" --from {model} --teachers {model} {model} --distill 2 --lr 1e-9 --steps 3"
    main([*words.split(), "--out", str(tmp_path / "taught")])
    state = read_state(tmp_path / "taught")
    assert state["about"]["start"] == str(model)
    assert state["about"]["teachers"] == [str(model)] * 2
    before, after = cliplab.load_clip(model), cliplab.load_clip(tmp_path / "taught" / "model")
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        assert torch.allclose(old, new, atol=1e-6), name


def test_a_teacher_that_has_changed(capsys, pictures, run, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(run / "model", model)
    words = f"--data {pictures} --batch-size 4 --warmup 0 --quiet --device cpu --steps 1"
    words += f" --distill 1 --teachers {model} --out {tmp_path / 'taught'}"
    main(words.split())
    clip = cliplab.load_clip(model)
    with torch.no_grad():
        clip.logit_scale += 1
    cliplab.save_clip(clip, model)
    said = refused(capsys, "--resume", tmp_path / "taught")
    assert f"{pictures} and {model} is no longer what the run in" in said


def test_a_run_of_ones_own_loop_is_not_the_commands(capsys, tmp_path):
    train_in_python(tiny(), batches(), recipe(), tmp_path, device="cpu", progress=False)
    assert "was begun by train(…), not by this command" in refused(capsys, "--resume", tmp_path)


def test_stopped_before_the_first_step(monkeypatch, capsys, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("cliplab.train.build_clip", stopped)
    with pytest.raises(SystemExit) as ended:
        main(["--out", str(tmp_path / "run"), "--data", "shapes"])
    assert ended.value.code == 130
    assert "Stopped before the first step." in capsys.readouterr().err


def test_help_names_every_number_of_a_recipe(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for name in asdict(recipe()):
        assert f"--{name.replace('_', '-')}" in said
    assert "``" not in said
    assert max(map(len, said.splitlines())) < 100


def test_under_torchrun(pictures, tmp_path):
    """The documented command, with two processes: one writes, both end, and no one hangs."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "cliplab.train"]
    command += f"--data {pictures} --out {out} --steps 2 --batch-size 4 --device cpu".split()
    where = {"cwd": Path(__file__).parents[1], "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, **where)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("Done: 2 steps") == ended.stdout.count("FolderPairs") == 1
    assert ended.stderr.count("Note: ") == 1  # about the picture, by one of the two
    assert "Traceback" not in ended.stderr
    assert len(Log.read(out).steps) == 2
    assert (out / "model" / "model.safetensors").is_file()
