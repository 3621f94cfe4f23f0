"""`python -m cliplab.paint`: the file, what stands in it, and what is said of bad input."""

import io
import json

import pytest
import tiny_pipeline
from PIL import Image

from cliplab import paint
from cliplab.pipeline import generate, load_pipeline


@pytest.fixture(scope="module")
def folder(transformers_tokenizer, small_config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "tiny"
    tiny_pipeline.build(transformers_tokenizer, small_config).save_pretrained(folder)
    return folder


def test_a_strip_of_two(folder, tmp_path, capsys, monkeypatch):
    path = tmp_path / "fox.png"
    monkeypatch.setattr("sys.stdin", io.StringIO("a (red:1.3) fox"))
    options = ["--steps", "2", "--seed", "4", "--count", "2", "--negative", "blurry"]
    paint.main(["-", "--out", str(path), "--model", str(folder), *options])
    said = capsys.readouterr()
    assert said.out == f"{path}: 64 × 32 pixels, seed 4, 2 steps, guidance 7.5\n"
    assert said.err == ""
    strip = Image.open(path)
    about = json.loads(strip.text["parameters"])
    assert about["prompt"] == "a (red:1.3) fox"
    assert {about["negative"], about["seed"], about["guidance"]} == {"blurry", 4, 7.5}
    second = generate(load_pipeline(folder), ["a (red:1.3) fox"] * 2, "blurry", seed=4, steps=2)
    assert strip.crop((32, 0, 64, 32)).tobytes() == second.images[1].tobytes()


def test_json(folder, tmp_path, capsys):
    path = tmp_path / "fox.png"
    options = ["--steps", "1", "--guidance", "2", "--json", "--model", str(folder)]
    paint.main(["a [cat:fox:0.5]", "--out", str(path), *options])
    said = capsys.readouterr()
    about = json.loads(said.out)
    assert about["out"] == str(path)
    assert about["size"] == [32, 32]
    assert about["guidance"] == 2
    assert said.err.startswith("Note: A1111 would take a schedule")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "fox.jpg"], "--out is a .png"),
        (["--out", "fox.png", "--count", "0"], "at least 1; not 0"),
        (["--out", "fox.png", "--model", "nowhere"], "There is no model 'nowhere'"),
    ],
)
def test_mistakes(arguments, said, capsys):
    with pytest.raises(SystemExit) as stopped:
        paint.main(["a fox", *arguments])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
