"""T5, Qwen3 and Llama beside transformers, SDXL beside diffusers: same weights, same numbers.

The weights are random, with norms that are far from the identity. Differences are relative to the
largest magnitude. Whole models are small; one layer of each is as wide as a real model's.
"""

import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import cliplab
from cliplab.checkpoints import CheckpointError

CONFIGS = {
    "t5": transformers.T5Config(
        vocab_size=99,
        d_model=32,
        d_kv=12,
        d_ff=40,
        num_layers=3,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=16,
        relative_attention_max_distance=60,
    ),
    "qwen3": transformers.Qwen3Config(
        vocab_size=99,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=12,
        rope_theta=1e4,
    ),
    "llama": transformers.LlamaConfig(
        vocab_size=99,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=1,
        rope_theta=5e5,
        rms_norm_eps=1e-5,
    ),
}
KINDS = {
    "t5": ("T5EncoderModel", "T5ForConditionalGeneration"),
    "qwen3": ("Qwen3Model", "Qwen3ForCausalLM"),
    "llama": ("LlamaModel", "LlamaForCausalLM"),
}


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """The model with random scales in its norms."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
    return model.eval()


def make(name: str, kind: int = 0) -> torch.nn.Module:
    torch.manual_seed(0)
    return shaken(getattr(transformers, KINDS[name][kind])(CONFIGS[name]))


def close(actual, expected):
    assert actual.shape == expected.shape
    assert actual.isfinite().all()
    assert (actual - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.fixture(scope="module", params=CONFIGS)
def models(request, tmp_path_factory):
    """Theirs, and ours as it comes from their folder."""
    theirs, folder = make(request.param), tmp_path_factory.mktemp(request.param)
    theirs.save_pretrained(folder)
    return theirs, cliplab.load_text_encoder(folder)


LEFT = torch.arange(150) >= torch.tensor([[100], [0]])
MASKS = {
    "none": None,
    "right": torch.arange(150) < torch.tensor([[50], [150]]),
    "left": LEFT,
    "holes": torch.arange(150) % torch.tensor([[3], [7]]) != 2,
}


@pytest.mark.parametrize("trace", [False, True], ids=["fused", "traced"])
@pytest.mark.parametrize("mask", MASKS)
@torch.inference_mode()
def test_every_hidden_state_is_the_same(mask, trace, models):
    theirs, ours = models
    ids = torch.randint(0, 99, (2, 150), generator=torch.Generator().manual_seed(1))
    M = MASKS[mask]
    there = theirs(ids, attention_mask=M if M is None else M.long(), output_hidden_states=True)
    here = ours(ids, M, trace=trace)
    # Padding to the left sees nothing in a causal model: what it becomes is anybody's guess.
    rows = LEFT if mask == "left" else torch.ones(2, 150).bool()
    assert len(here.hidden_states) == len(there.hidden_states) == 4
    for a, b in zip(here.hidden_states[:-1], there.hidden_states[:-1], strict=True):
        close(a[rows], b[rows])
    close(here.context[rows], there.last_hidden_state[rows])
    assert torch.equal(there.hidden_states[-1], there.last_hidden_state)  # after the norm there


@torch.inference_mode()
def test_the_attentions_are_the_same():
    theirs = make("t5")
    theirs.set_attn_implementation("eager")
    ours = cliplab.T5EncoderModel(cliplab.T5Config(99, 32, 4, 12, 3, 40, 16, 60))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    ids = torch.randint(0, 99, (1, 90))
    trace = ours(ids, trace=True).trace
    for n, there in enumerate(theirs(ids, output_attentions=True).attentions):
        close(trace[f"encoder.block.{n}.layer.0.SelfAttention.weights"], there)


@pytest.mark.parametrize("name", CONFIGS)
def test_state_dicts_load_strictly(name):
    theirs = make(name)
    with torch.device("meta"):
        ours = {
            "t5": lambda: cliplab.T5EncoderModel(cliplab.T5Config(99, 32, 4, 12, 3, 40, 16, 60)),
            "qwen3": lambda: cliplab.DecoderModel(
                cliplab.DecoderConfig(99, 32, 4, 2, 12, 3, 48, rope_theta=1e4, qk_norm=True)
            ),
            "llama": lambda: cliplab.DecoderModel(
                cliplab.DecoderConfig(99, 32, 4, 1, 8, 3, 48, rope_theta=5e5, qk_norm=False)
            ),
        }[name]()
    found = ours.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    assert str(found) == "<All keys matched successfully>"
    assert ours.num_parameters() == theirs.num_parameters()


# --- one layer of a real width --------------------------------------------------------------------


def t5_layer(width: int, heads: int, mlp_width: int):
    config = transformers.T5Config(
        vocab_size=99,
        d_model=width,
        d_kv=64,
        d_ff=mlp_width,
        num_layers=1,
        num_heads=heads,
        feed_forward_proj="gated-gelu",
    )
    with torch.device("meta"):
        ours = cliplab.T5EncoderModel(cliplab.T5Config(99, width, heads, 64, 1, mlp_width))
    return transformers.T5EncoderModel(config), ours


def qwen3_layer(width: int, heads: int, mlp_width: int):
    config = transformers.Qwen3Config(
        vocab_size=99,
        hidden_size=width,
        intermediate_size=mlp_width,
        num_hidden_layers=1,
        num_attention_heads=heads,
        num_key_value_heads=8,
        head_dim=128,
        rope_theta=1e6,
    )
    numbers = cliplab.DecoderConfig(
        99, width, heads, 8, 128, 1, mlp_width, rope_theta=1e6, qk_norm=True
    )
    with torch.device("meta"):
        ours = cliplab.DecoderModel(numbers)
    return transformers.Qwen3Model(config), ours


@pytest.mark.parametrize(
    ("build", "numbers"),
    [(t5_layer, (768, 12, 2048)), (t5_layer, (4096, 64, 10240)),
     (qwen3_layer, (1024, 16, 3072)), (qwen3_layer, (2560, 32, 9728))],
    ids=["t5-base", "t5-xxl", "qwen3-0.6b", "qwen3-4b"],
)  # fmt: skip
@torch.inference_mode()
def test_one_layer_of_a_real_width(build, numbers):
    torch.manual_seed(0)
    theirs, ours = build(*numbers)
    ours.load_state_dict(shaken(theirs).state_dict(), strict=True, assign=True)
    ids, mask = torch.randint(0, 99, (2, 24)), torch.arange(24) < torch.tensor([[9], [24]])
    there = theirs(ids, attention_mask=mask.long()).last_hidden_state
    close(ours(ids, mask).context, there)
    close(ours(ids, mask, trace=True).context, there)


@torch.inference_mode()
def test_one_layer_of_bigg():
    torch.manual_seed(0)
    config = transformers.CLIPTextConfig(
        vocab_size=99,
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=1,
        num_attention_heads=20,
        projection_dim=1280,
        hidden_act="gelu",
        eos_token_id=2,
    )
    theirs = shaken(transformers.CLIPTextModelWithProjection(config))
    numbers = cliplab.CLIPTextConfig(
        99, 77, 1280, 20, 1, 5120, eos_token_id=2, projection=1280, activation="gelu"
    )
    with torch.device("meta"):
        ours = cliplab.CLIPTextModel(numbers)
    ours.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    ids = torch.randint(0, 99, (2, 77))
    there = theirs(ids, output_hidden_states=True)
    for trace in (False, True):
        here = ours.eval()(ids, trace=trace)
        close(here.context, there.last_hidden_state)
        close(here.text_embeds, there.text_embeds)
        for a, b in zip(here.hidden_states, there.hidden_states, strict=True):
            close(a, b)


# --- folders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("shards", [{}, {"max_shard_size": "20KB"}], ids=["one file", "several"])
@torch.inference_mode()
def test_what_generates_text_is_left_alone(shards, name, tmp_path):
    theirs = make(name, kind=1)
    theirs.save_pretrained(tmp_path, **shards)
    assert ((tmp_path / "model.safetensors.index.json").exists()) == bool(shards)
    ours = cliplab.load_text_encoder(tmp_path)
    assert not ours.training
    assert all(p.requires_grad for p in ours.parameters())
    encoder = theirs.encoder if name == "t5" else theirs.model
    ids = torch.arange(99)[None]
    close(ours(ids).context, encoder(ids).last_hidden_state)
    assert cliplab.load_text_encoder(tmp_path, dtype=torch.bfloat16)(ids).context.isfinite().all()


def change(folder, **said) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | said))


@pytest.mark.parametrize(
    ("name", "said", "sentence"),
    [
        ("t5", {"feed_forward_proj": "relu"}, "feed_forward_proj = 'relu' of the encoder, but"),
        ("t5", {"model_type": "umt5"}, "'umt5', and that encoder is not known here; there are C"),
        ("t5", {"d_kv": 13}, r"wrong shapes .*SelfAttention\.q\.weight is \[48, 32\], not \[52"),
        ("t5", {"num_layers": 4}, r"missing keys \(9\).*encoder\.block\.3"),
        ("t5", {"num_layers": 2}, r"unexpected keys \(9\).*encoder\.block\.2"),
        ("t5", {"d_ff": None}, "does not say d_ff"),
        ("t5", {"num_heads": "many"}, "num_heads is a whole number"),
        ("qwen3", {"attention_bias": True}, "attention_bias = True"),
        ("qwen3", {"hidden_act": "gelu"}, "computes with 'silu'"),
        ("qwen3", {"rope_parameters": {"rope_type": "yarn"}}, "rope_type = 'yarn'"),
        ("qwen3", {"layer_types": ["sliding_attention"] * 3}, "every layer sees the whole prompt"),
        ("llama", {"model_type": "qwen3"}, r"missing keys \(6\).*q_norm"),
        ("qwen3", {"model_type": "llama"}, r"unexpected keys \(6\).*q_norm"),
        ("llama", {"num_attention_heads": 0}, "num_attention_heads is a whole number"),
    ],
)  # fmt: skip
def test_other_mathematics_is_refused(name, said, sentence, tmp_path):
    make(name).save_pretrained(tmp_path)
    change(tmp_path, **said)
    with pytest.raises(CheckpointError, match=sentence):
        cliplab.load_text_encoder(tmp_path)


def test_older_files_say_theta_elsewhere(tmp_path):
    make("llama").save_pretrained(tmp_path)
    change(tmp_path, rope_parameters=None, rope_theta=700.0, rope_scaling=None, head_dim=None)
    assert cliplab.load_text_encoder(tmp_path).config.rope_theta == 700
    change(tmp_path, rope_scaling={"type": "linear", "factor": 2})
    with pytest.raises(CheckpointError, match="rope_type = 'linear'"):
        cliplab.load_text_encoder(tmp_path)


def test_an_index_that_lies(tmp_path):
    make("qwen3").save_pretrained(tmp_path, max_shard_size="20KB")
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    key = next(iter(index["weight_map"]))
    for value, sentence in (
        ("../x.safetensors", r"files that do not lie beside it: \.\./x\.safetensors"),
        (7, "files that do not lie beside it: 7"),
        ("gone.safetensors", r"gone\.safetensors cannot be found beside it"),
    ):
        path.write_text(json.dumps({"weight_map": index["weight_map"] | {key: value}}))
        with pytest.raises(CheckpointError, match=sentence):
            cliplab.load_text_encoder(tmp_path)
    path.write_text("{}")
    with pytest.raises(CheckpointError, match="no weight_map"):
        cliplab.load_text_encoder(tmp_path)


# --- SDXL -----------------------------------------------------------------------------------------


PROMPTS = ["a running dog", "a cat on a mat! " * 30]


@pytest.mark.filterwarnings("ignore::cliplab.TruncationWarning")
@pytest.mark.parametrize("clip_skip", [None, 1])
@torch.inference_mode()
def test_sdxls_pair_is_the_same(clip_skip, sdxl):
    pipe, folder = sdxl
    context, _, pooled, _ = pipe.encode_prompt(
        PROMPTS, device="cpu", do_classifier_free_guidance=False, clip_skip=clip_skip
    )
    (tok, tok_2), encoders = cliplab.load_sdxl(folder)
    assert (tok.pad_id, tok_2.pad_id) == (49407, 0)
    assert encoders.text_encoder_2.config.activation == "gelu"
    out = encoders(tok.batch(PROMPTS), tok_2.batch(PROMPTS), clip_skip=clip_skip or 0)
    assert out.context.shape == (2, 77, 36)
    close(out.context, context)
    close(out.pooled, pooled)


def test_an_sdxl_folder_that_is_none(sdxl, tmp_path):
    with pytest.raises(CheckpointError, match="it has no folder tokenizer, tokenizer_2, text_enc"):
        cliplab.load_sdxl(tmp_path)
    _, folder = sdxl
    for part in ("tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2"):
        (tmp_path / part).symlink_to(folder / part.replace("_2", ""))
    with pytest.raises(CheckpointError, match="second encoder has no text projection"):
        cliplab.load_sdxl(tmp_path)
    (tmp_path / "text_encoder").unlink()
    make("t5").save_pretrained(tmp_path / "text_encoder")
    with pytest.raises(CheckpointError, match="holds no CLIP: T5EncoderModel"):
        cliplab.load_sdxl(tmp_path)


@torch.inference_mode()
def test_gelu_goes_to_a_file_and_comes_back(sdxl, tmp_path):
    encoder = cliplab.load_text_encoder(sdxl[1] / "text_encoder_2")
    ids = [[49406, 320, 49407]]
    for path in (tmp_path / "folder", tmp_path / "x.safetensors"):
        for layout in ("hf", "openai") if path.suffix else ("hf",):
            cliplab.save_text_encoder(encoder, path, layout)
            back = cliplab.load_text_encoder(path)
            assert back.config == encoder.config
            assert torch.equal(back(ids).text_embeds, encoder(ids).text_embeds)
    theirs = transformers.CLIPTextModelWithProjection.from_pretrained(tmp_path / "folder").eval()
    close(theirs(torch.tensor(ids)).text_embeds, encoder(ids).text_embeds)


BANGS = [
    "dog!",
    "a ! b",
    "!!!",
    "a!b",
    "wow!!1",
    "<|endoftext|>!",
    "！",
    "don't!'s",
    "é! x",
    "!</w>",
]


def test_the_symbol_of_padding_is_padding_where_it_is_typed(sdxl):
    """diffusers #4153: with pad_token "!" an exclamation mark of a prompt has the id 0."""
    pipe, folder = sdxl
    _, tok_2 = cliplab.load_sdxl(folder)[0]
    for text in BANGS:
        assert tok_2(text) == pipe.tokenizer_2(text)["input_ids"], text
        assert tok_2.batch([text]).tolist()[0][: len(tok_2(text))] == tok_2(text)
    assert tok_2.content("dog!") == [1929, 0]
    assert tok_2.offsets("dog! x")[1:-1] == [(0, 3), (3, 4), (5, 6)]
    assert cliplab.CLIPTokenizer().content("dog!") == [1929, 256]
    assert cliplab.CLIPTokenizer(clean="openai", pad=0).content("dog!") == [1929, 256]


def test_padding_that_is_a_letter(tmp_path):
    """Id 64 is the letter a, which ends no word: a batch's short cut for words has to see it."""
    tok = cliplab.CLIPTokenizer(pad=64)
    tok.save(tmp_path)
    theirs = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    for text in ("cat", "Cats and a dog"):
        assert tok(text) == theirs(text)["input_ids"]
        assert tok.batch([text], 20)[0].tolist()[: len(tok(text))] == tok(text)
    assert 64 in tok("cat")


def test_a_tokenizer_remembers_its_padding(tmp_path):
    tok = cliplab.CLIPTokenizer(pad=0)
    assert tok.batch(["a dog"], 6).tolist() == [[49406, 320, 1929, 49407, 0, 0]]
    assert tok.batch(["a dog"], 5, pad=7).tolist() == [[49406, 320, 1929, 49407, 7]]
    for path in (tmp_path / "folder", tmp_path / "one.json"):
        tok.save(path)
        assert cliplab.CLIPTokenizer.load(path).pad_id == 0
    path = tmp_path / "folder" / "tokenizer_config.json"
    path.write_text(json.dumps({"pad_token": {"content": "!"}}))  # as older files have it
    assert cliplab.CLIPTokenizer.load(tmp_path / "folder").pad_id == 0
    path.write_text(json.dumps({"pad_token": "<pad>"}))
    with pytest.raises(ValueError, match="padding is '<pad>', which is not in the vocabulary"):
        cliplab.CLIPTokenizer.load(tmp_path / "folder")
    with pytest.raises(ValueError, match="There is no token 49408"):
        cliplab.CLIPTokenizer(pad=49408)


def test_two_tables_of_tokens_are_one(tmp_path):
    """Some files hold T5's table under both of its names, as transformers' state dict does."""
    make("t5").save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    state = load_file(file)
    save_file(state | {"encoder.embed_tokens.weight": state["shared.weight"].clone()}, file)
    expected = make("t5")(torch.tensor([[1, 2]])).last_hidden_state
    close(cliplab.load_text_encoder(tmp_path)([1, 2]).context, expected)
