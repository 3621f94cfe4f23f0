"""The page of formats is true: each row of its tables of checkpoints is made, and tried."""

import json
import re
import shutil
import warnings
from pathlib import Path

import pytest
import tiny_pipeline
import torch
import transformers
from safetensors.torch import load_file, save_file

import cliplab
from cliplab import CLIP, CheckpointError, CheckpointWarning
from cliplab.checkpoints.layouts import to_layout
from cliplab.image_encoder import CLIPVisionConfig, CLIPVisionModel, Preprocess
from cliplab.text_encoder import CLIPTextConfig, CLIPTextModel

PAGE = Path(__file__).parent.parent / "book" / "formats.md"
MAKERS = {}  # the beginning of a row → what makes its input and opens it


def makes(row):
    return lambda maker: MAKERS.setdefault(row, maker)


def rows(kind: str) -> list[tuple[str, str]]:
    """(what you have, what is said) of the table that follows this line of the page's section."""
    section = PAGE.read_text(encoding="utf-8").split("## Checkpoints and settings\n")[1]
    table = section.split("\n## ")[0].split(f"These are {kind}:\n")[1].strip().split("\n\n")[0]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table.split("\n")[2:]]
    return [(what, said.strip("`")) for what, said in cells]


@pytest.fixture(scope="module")
def clip():
    tokenizer = cliplab.CLIPTokenizer.train(["a red cat", "a blue dog"], vocab_size=520)
    text = CLIPTextModel(CLIPTextConfig(520, 16, 64, 4, 2, 40, projection=10, activation="gelu"))
    image = CLIPVisionModel(CLIPVisionConfig(32, 8, 64, 2, 2, 40, 10, activation="gelu"))
    how = Preprocess(32, (0.4, 0.5, 0.6), (0.3, 0.2, 0.25))
    return CLIP(text, image, tokenizer=tokenizer, preprocess=how).eval()


@pytest.fixture(scope="module")
def saved(transformers_tokenizer, small_config, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline") / "tiny"
    tiny_pipeline.build(transformers_tokenizer, small_config).save_pretrained(folder)
    tokenizer.save(folder / "tokenizer")
    return folder


@pytest.mark.parametrize("kind", ["read", "refused"])
def test_every_row_is_true(kind, clip, saved, tmp_path):
    table = rows(kind)
    assert len(table) > 10
    for number, (what, said) in enumerate(table):
        folder = tmp_path / f"{kind}{number}"
        folder.mkdir()
        maker = MAKERS[next(row for row in MAKERS if what.startswith(row))]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", CheckpointWarning)
            if kind == "refused":
                with pytest.raises(CheckpointError, match=re.escape(said)):
                    maker(clip, folder, saved)
                continue
            opened = maker(clip, folder, saved)
        notes = " ".join(str(w.message) for w in caught if w.category is CheckpointWarning)
        assert opened is not None, what
        assert said in notes, what
        assert said or not notes, what


def test_every_maker_has_a_row():
    table = [what for kind in ("read", "refused") for what, _ in rows(kind)]
    assert {row for row in MAKERS for what in table if what.startswith(row)} == set(MAKERS)


# Inputs -------------------------------------------------------------------------------------------


def text_state(clip, layout="hf-old", prefix=""):
    named = to_layout(clip.text_model.state_dict(), layout)
    return {prefix + key: t.clone().contiguous() for key, t in named.items()}


def text_file(folder, *states):
    path = folder / "x.safetensors"
    save_file({key: t for state in states for key, t in state.items()}, path)
    return path


def open_text(path, **how):
    """With settings told, so that nothing has to be concluded."""
    return cliplab.load_text_encoder(path, heads=4, activation="gelu", **how)


def saying(folder, clip, place, key, value, layout="openai"):
    """A folder in which one setting is another."""
    cliplab.save_clip(clip, folder, layout)
    file, *where = place
    said = inner = json.loads((folder / file).read_text())
    for name in where:
        inner = inner[name]
    inner[key] = value
    (folder / file).write_text(json.dumps(said))
    return cliplab.load_clip(folder)


OPEN = "open_clip_config.json"


@makes("transformers' folder:")
def _(clip, folder, saved):
    cliplab.save_clip(clip, folder)
    return cliplab.load_clip(folder)


@makes("transformers 5")
def _(clip, folder, saved):
    cliplab.save_clip(clip, folder)
    said = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    both = {"image_processor": said, "processor_class": "CLIPProcessor"}
    (folder / "processor_config.json").write_text(json.dumps(both))
    back = cliplab.load_clip(folder)
    assert back.preprocess == clip.preprocess
    return back


@makes("transformers' folder with a T5")
def _(clip, folder, saved):
    sizes = {"vocab_size": 60, "d_model": 32, "d_kv": 8, "d_ff": 40, "num_layers": 2}
    config = transformers.T5Config(num_heads=4, feed_forward_proj="gated-gelu", **sizes)
    transformers.T5EncoderModel(config).save_pretrained(folder / "t5")
    sizes = {"vocab_size": 60, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8}
    for kind in ("Qwen3", "Llama"):
        config = getattr(transformers, f"{kind}Config")(**sizes, **heads)
        getattr(transformers, f"{kind}Model")(config).save_pretrained(folder / kind)
    opened = [cliplab.load_text_encoder(folder / kind) for kind in ("t5", "Qwen3", "Llama")]
    assert [type(model).__name__ for model in opened] == ["T5EncoderModel"] + ["DecoderModel"] * 2
    return opened


@makes("open_clip's folder")
def _(clip, folder, saved):
    cliplab.save_clip(clip, folder, "openai")
    (folder / "model.safetensors").rename(folder / "open_clip_model.safetensors")
    (folder / "preprocessor_config.json").unlink()
    said = json.loads((folder / OPEN).read_text())
    del said["model_cfg"]["quick_gelu"]  # whose absence means GELU
    (folder / OPEN).write_text(json.dumps(said))
    back = cliplab.load_clip(folder)
    assert back.preprocess == clip.preprocess
    return back


@makes("an encoder trained with GELU")
def _(clip, folder, saved):
    cliplab.save_text_encoder(clip.text_model, folder)
    model = cliplab.load_text_encoder(folder)
    assert model.config.activation == "gelu"
    return model


def shards(clip, folder):
    state = text_state(clip)
    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    where = {key: names[i % 2] for i, key in enumerate(state)}
    for name in names:
        save_file({key: t for key, t in state.items() if where[key] == name}, folder / name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    return folder / names[0]


@makes("shards, with")
def _(clip, folder, saved):
    shards(clip, folder)
    return open_text(folder)


@makes("model.fp16.safetensors")
def _(clip, folder, saved):
    save_file(text_state(clip), folder / "model.fp16.safetensors")
    return open_text(folder)


@makes("a text projection")
def _(clip, folder, saved):
    state = text_state(clip)
    state["text_projection"] = state.pop("text_projection.weight").T.contiguous()
    return open_text(text_file(folder, state))


@makes("keys behind a prefix")
def _(clip, folder, saved):
    return open_text(text_file(folder, text_state(clip, prefix="state_dict.module.")))


SD = {"model.diffusion_model.x.weight": torch.zeros(1)}


@makes("the text encoder in a single file")
def _(clip, folder, saved):
    state = text_state(clip, prefix="cond_stage_model.transformer.")
    return open_text(text_file(folder, state, SD))


@makes("several encoders in one file")
def _(clip, folder, saved):
    states = [text_state(clip, prefix=f"text_encoders.clip_{x}.transformer.") for x in "lg"]
    path = text_file(folder, *states)
    if folder.name.startswith("refused"):
        open_text(path)
    return open_text(path, prefix="text_encoders.clip_l.transformer.")


@makes("a file with no settings")
def _(clip, folder, saved):
    return cliplab.load_text_encoder(text_file(folder, text_state(clip)))


def mixed(clip, folder):
    state = text_state(clip)
    return text_file(folder, {k: t.half() if "mlp" in k else t for k, t in state.items()})


@makes("weights of mixed precision")
def _(clip, folder, saved):
    return open_text(mixed(clip, folder), dtype=torch.float32)


@makes("a pipeline with its U-Net alone")
def _(clip, folder, saved):
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    plain = folder / "unet" / "diffusion_pytorch_model.safetensors"
    half = {key: t.half() for key, t in load_file(plain).items()}
    save_file(half, plain.with_name("diffusion_pytorch_model.fp16.safetensors"), {"format": "pt"})
    plain.unlink()
    return cliplab.load_pipeline(folder, device="cpu")


@makes("a LoRA")
def _(clip, folder, saved):
    open_text(text_file(folder, {"lora_te_text_model_x.lora_up.weight": torch.zeros(1)}))


@makes("something else")
def _(clip, folder, saved):
    open_text(text_file(folder, {"encoder.block.0.layer.0.x.weight": torch.zeros(1)}))


@makes("a pickle: ")
def _(clip, folder, saved):
    torch.save(text_state(clip), folder / "pytorch_model.bin")
    open_text(folder)


@makes("a pickle with another name")
def _(clip, folder, saved):
    torch.save(text_state(clip), folder / "model.safetensors")
    open_text(folder)


@makes("a pointer of Git LFS")
def _(clip, folder, saved):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (folder / "model.safetensors").write_text(text)
    open_text(folder)


@makes("one shard by itself")
def _(clip, folder, saved):
    open_text(shards(clip, folder))


@makes("shards without an index")
def _(clip, folder, saved):
    shards(clip, folder)
    (folder / "model.safetensors.index.json").unlink()
    open_text(folder)


@makes("two variants")
def _(clip, folder, saved):
    for variant in ("fp16", "bf16"):
        save_file(text_state(clip), folder / f"model.{variant}.safetensors")
    open_text(folder)


@makes("fp8")
def _(clip, folder, saved):
    state = text_state(clip)
    open_text(text_file(folder, {k: t.to(torch.float8_e4m3fn) for k, t in state.items()}))


@makes("mixed precision, and no")
def _(clip, folder, saved):
    open_text(mixed(clip, folder))


@makes("a tensor that is missing")
def _(clip, folder, saved):
    state = text_state(clip)
    del state["text_model.final_layer_norm.bias"]
    open_text(text_file(folder, state))


@makes("a tensor too many")
def _(clip, folder, saved):
    open_text(text_file(folder, text_state(clip), {"head.weight": torch.zeros(1)}))


@makes("a tensor of another shape")
def _(clip, folder, saved):
    change = {"text_model.final_layer_norm.bias": torch.zeros(3)}
    open_text(text_file(folder, text_state(clip), change))


@makes("a temperature")
def _(clip, folder, saved):
    file = cliplab.save_clip(clip, folder)
    save_file(load_file(file) | {"logit_scale": torch.tensor(100.0)}, file)
    cliplab.load_clip(folder)


@makes("an activation that is neither")
def _(clip, folder, saved):
    saying(folder, clip, ("config.json", "text_config"), "hidden_act", "relu", "hf")


@makes("a setting that contradicts")
def _(clip, folder, saved):
    saying(folder, clip, ("config.json", "vision_config"), "patch_size", 16, "hf")


@makes("a setting that nobody")
def _(clip, folder, saved):
    saying(folder, clip, (OPEN, "model_cfg"), "soft_prompt", 4)


@makes("open_clip's other text heads")
def _(clip, folder, saved):
    saying(folder, clip, (OPEN, "model_cfg", "text_cfg"), "pool_type", "last")


@makes("a tower of timm's")
def _(clip, folder, saved):
    saying(folder, clip, (OPEN, "model_cfg", "vision_cfg"), "timm_model_name", "convnext_base")


@makes("files that read pictures in two ways")
def _(clip, folder, saved):
    saying(folder, clip, (OPEN, "preprocess_cfg"), "mean", [0.5, 0.5, 0.5])


@makes("a single file, to")
def _(clip, folder, saved):
    state = text_state(clip, prefix="cond_stage_model.transformer.")
    cliplab.load_pipeline(text_file(folder, state, SD))


@makes("a pipeline of which")
def _(clip, folder, saved):
    shutil.copytree(saved, folder, dirs_exist_ok=True)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    cliplab.load_pipeline(folder)
