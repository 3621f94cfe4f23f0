"""`python -m cliplab.encode`: the table, the JSON, and what is said of bad input."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

from cliplab import encode
from cliplab.checkpoints import save_text_encoder
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel


def test_the_table(capsys):
    encode.main(["a (red:1.3) cat", "--syntax", "comfyui"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["row", "id", "token", "weight", "norm", "moved"]
    assert lines[1].split()[:4] == ["0", "49406", "<|startoftext|>", "1"]
    assert lines[3].split()[:4] == ["2", "736", "red</w>", "1.3"]
    moved = [float(line.split()[-1]) for line in lines[1:7]]
    assert [i for i, far in enumerate(moved) if far] == [2]
    assert lines[6].split()[0] == "5–76"
    assert "random" in lines[7]


def test_long_prompts_are_shown_chunk_by_chunk(capsys):
    encode.main(["cat " * 80, "--syntax", "plain"])
    rows = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert rows == [*map(str, range(84)), "84–153"]


def test_json(capsys, tiny_clip, tmp_path):
    path = save_text_encoder(tiny_clip, tmp_path / "tiny")
    encode.main(["a (red:1.3) cat", "--json", "--method", "scale", "--model", str(path.parent)])
    made = json.loads(capsys.readouterr().out)
    assert made["fragments"][1] == {"text": "red", "weight": 1.3, "start": 3, "end": 6}
    assert len(made["rows"]) == 77
    assert made["rows"][2]["token"] == "red</w>"
    assert made["rows"][2]["fragment"] == 1
    plain = tiny_clip(torch.tensor([row["id"] for row in made["rows"]])).context[0]
    assert made["rows"][2]["norm"] == pytest.approx(1.3 * plain[2].norm().item(), abs=1e-5)
    assert made["rows"][2]["moved"] == pytest.approx(0.3 * plain[2].norm().item(), abs=1e-5)


def test_one_of_several_encoders(capsys, tiny_clip, tmp_path):
    state = {key: t.half() for key, t in tiny_clip.state_dict().items()}
    both = {f"{name}.{key}": t.clone() for name in ("new", "old") for key, t in state.items()}
    save_file(both, tmp_path / "both.safetensors")
    arguments = ["a cat", "--json", "--model", str(tmp_path / "both.safetensors"), "--heads", "4"]
    with pytest.raises(SystemExit):
        encode.main(arguments)
    assert "Choose one: prefix='new.' (hf), prefix='old.' (hf)" in capsys.readouterr().err
    encode.main([*arguments, "--prefix", "old", "--activation", "gelu"])
    made = json.loads(capsys.readouterr().out)
    quick = tiny_clip(torch.tensor([row["id"] for row in made["rows"]])).context[0]
    assert made["rows"][2]["norm"] == pytest.approx(quick[2].norm().item(), abs=0.05)
    assert made["rows"][2]["norm"] != pytest.approx(quick[2].norm().item(), abs=1e-5)


def test_a_bad_prompt_is_pointed_at():
    command = [sys.executable, "-m", "cliplab.encode", "-"]
    done = subprocess.run(command, input="a (red:1.2.3) cat", capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "    a (red:1.2.3) cat\n           ^\n" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a cat", "--model", "nowhere"], "nowhere"),
        (["a cat", "--clip-skip", "9"], "from 0 to 2; not 9"),
    ],
)
def test_other_mistakes(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        encode.main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_json_has_no_infinity(capsys):
    options = ["--json", "--syntax", "comfyui", "--method", "ignore"]
    encode.main(["(a:inf) (b:nan) (c:-inf)", *options])

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    made = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert [f["weight"] for f in made["fragments"]] == ["inf", 1.0, "nan", 1.0, "-inf"]
    assert [row["weight"] for row in made["rows"][:5]] == [1.0, "inf", "nan", "-inf", 1.0]
    encode.main(["(a:inf)", *options[1:]])
    assert "inf" in capsys.readouterr().out


def test_an_encoder_of_another_vocabulary(tmp_path, capsys):
    torch.manual_seed(0)
    small = CLIPTextModel(CLIPTextConfig(520, 77, 64, 1, 1, 64))
    path = save_text_encoder(small, tmp_path / "small")
    with pytest.raises(SystemExit) as stopped:
        encode.main(["a cat", "--model", str(path.parent)])
    assert stopped.value.code == 2
    assert "ids up to 49407, the encoder a table of 520" in capsys.readouterr().err


def test_warnings_become_notes(capsys):
    encode.main(["a [cat:dog:0.5]"])
    assert capsys.readouterr().err.startswith("Note: A1111 would take a schedule")
