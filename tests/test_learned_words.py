"""Learned words (textual inversion) under weights: beside diffusers, Compel, and by hand."""

import copy

import pytest
import torch
import transformers

import cliplab
from cliplab.weighting.chunk_encoder import concepts

ROWS = torch.randn(3, 32, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def tok():
    tok = cliplab.CLIPTokenizer()
    tok.learn("<toy>", ROWS)
    return tok


def close(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def theirs(tokenizer, small_config, tmp_path_factory):
    """transformers' tokenizer and encoder with the same word, as diffusers adds it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("learned")
    tokenizer.save(folder)
    there = transformers.CLIPTokenizer.from_pretrained(folder, model_max_length=77)
    there.add_tokens(["<toy>", "<toy>_1", "<toy>_2"])
    config = copy.deepcopy(small_config)  # resizing writes into it
    model = transformers.CLIPTextModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.3)
    plain = cliplab.CLIPTextModel(cliplab.CLIPTextConfig(49408, 77, 32, 4, 2, 64))
    plain.load_state_dict(model.state_dict(), strict=True)
    model.resize_token_embeddings(49411, mean_resizing=False)
    with torch.no_grad():
        model.get_input_embeddings().weight[49408:] = ROWS
    return there, model, plain.eval()


def test_ids_go_on_behind_the_vocabulary(tok):
    assert tok.content("a <toy> on <toy>,") == [
        320,
        49408,
        49409,
        49410,
        525,
        49408,
        49409,
        49410,
        267,
    ]
    assert tok.tokens("<toy>")[1:-1] == ["<toy>", "<toy>_1", "<toy>_2"]
    assert tok.offsets("a<toy> x") == [(0, 0), (0, 1), (1, 6), (1, 6), (1, 6), (7, 8), (8, 8)]
    assert tok.learn("toy", ROWS[0]) == [49411]
    assert tok.content("toy <toy> Toy") == [49411, 49408, 49409, 49410, 5988]
    assert tok.vocab_size == 49408
    assert tok.decode([320, 49411, 1929]) == "a toy dog"
    assert tok.learned_rows.shape == (4, 32)


@pytest.mark.parametrize("clean", ["hf", "openai"])
def test_a_batch_knows_what_was_learned_after_it(clean):
    tok = cliplab.CLIPTokenizer(clean=clean)
    texts = ["a toy dog", "A Toy, or <toy>"]
    before = tok.batch(texts, 12)
    tok.learn("toy", ROWS)
    after = tok.batch(texts, 12)
    assert (before != after).any(-1).tolist() == [True, True]
    for text, row in zip(texts, after.tolist(), strict=True):
        assert row[: len(tok(text))] == tok(text)
    assert 49410 in after[0].tolist()


@pytest.mark.parametrize(
    ("name", "rows", "sentence"),
    [
        ("my toy", ROWS, "without white space; not 'my toy'"),
        ("", ROWS, "without white space"),
        (3, ROWS, "without white space; not 3"),
        ("<toy>", ROWS, "special word of this tokenizer already"),
        ("<|endoftext|>", ROWS, "special word"),
        ("x", ROWS[:, :5], "5 wide, those of the words before it 32"),
        ("x", torch.ones(2, 3, 4), r"\[n, D\], or \[D\] for one; this has the shape \[2, 3, 4\]"),
        ("x", ROWS * torch.nan, "finite numbers"),
        ("x", torch.ones(0, 32), "finite numbers"),
    ],
)
def test_what_cannot_be_learned(name, rows, sentence, tok):
    with pytest.raises(ValueError, match=sentence):
        tok.learn(name, rows)
    assert tok.learned_rows.shape == (3, 32)


def test_rows_for_another_encoder(tok):
    wide = cliplab.CLIPTextModel(cliplab.CLIPTextConfig(49408, 77, 16, 2, 1, 20))
    with pytest.raises(ValueError, match="rows of 32, this encoder has 16"):
        cliplab.encode_prompt("a <toy>", tok, wide)
    assert cliplab.encode_prompt("a toy", cliplab.CLIPTokenizer(), wide).tensor.shape == (77, 16)


@torch.no_grad()
def test_the_rows_are_read(tok, theirs):
    there, model, ours = theirs
    ids = there("a <toy> <toy>_1 <toy>_2 dog", padding="max_length", return_tensors="pt").input_ids
    expected = model(ids).last_hidden_state[0]
    made = cliplab.encode_prompt("a <toy> dog", tok, ours, "plain")
    assert made.ids.tolist() == ids[0].tolist()
    close(made.tensor, expected)
    assert (
        cliplab.encode_prompt("a <toy> dog", there, model, "plain").ids.tolist() == ids[0].tolist()
    )
    with pytest.raises(IndexError, match="Id 49410 is not in the table"):
        ours(ids)  # the encoder's own table is as it was


@pytest.mark.parametrize("syntax", ["a1111", "comfyui", "compel"])
@torch.no_grad()
def test_a_weight_falls_on_all_rows_of_a_word(syntax, tok, theirs):
    there, model, ours = theirs
    prompt = {"compel": "a (<toy>)1.3 dog (hat)0.5"}.get(syntax, "a (<toy>:1.3) dog (hat:0.5)")
    made = cliplab.encode_prompt(prompt, tok, ours, syntax)
    assert made.weights[1:7].tolist() == pytest.approx([1, 1.3, 1.3, 1.3, 1, 0.5])
    close(made.tensor, cliplab.encode_prompt(prompt, there, model, syntax).tensor)


class Manager:
    """What Compel's manager for diffusers does, without a pipeline."""

    def expand_textual_inversion_token_ids_if_necessary(self, ids):
        return [one for i in ids for one in ([i, i + 1, i + 2] if i == 49408 else [i])]


def test_compel_needs_its_manager(tok, theirs):
    compel = pytest.importorskip("compel", reason="Compel is not installed: pip install compel")
    there, model, ours = theirs
    prompt = "a (<toy>)1.3 dog (hat)0.5"
    made = cliplab.encode_prompt(prompt, tok, ours, "compel", truncate=True).tensor
    close(made, compel.Compel(there, model, textual_inversion_manager=Manager())([prompt])[0])
    without = compel.Compel(there, model)([prompt])[0]
    assert (made - without).abs().max() > 1e-2  # one token of three, and no warning


def test_concepts_of_diffusers():
    added = {"<a>": 7, "<a>_1": 8, "<a>_2": 9, "<b>": 10, "<a>_4": 11}
    assert concepts(added) == {7: [7, 8, 9], 8: [8], 9: [9], 10: [10], 11: [11]}


# --- SDXL -----------------------------------------------------------------------------------------


@torch.no_grad()
def test_sdxl_pools_a_learned_word_in_some_tools(sdxl):
    (tok, tok_2), pair = cliplab.load_sdxl(sdxl[1])
    rows, rows_2 = torch.randn(2, 16), torch.randn(2, 20)
    tok.learn("<toy>", rows)
    with pytest.raises(ValueError, match="learn each word in both tokenizers"):
        cliplab.encode_prompt("a <toy>", (tok, tok_2), pair, "a1111")
    tok_2.learn("<toy>", rows_2)
    second = pair.text_encoder_2
    table = second.embeddings.token_embedding.weight
    made = {
        s: cliplab.encode_prompt("a <toy>", (tok, tok_2), pair, s) for s in ("comfyui", "compel")
    }
    close(made["comfyui"].tensor, made["compel"].tensor)

    table.data = torch.cat([table, rows_2])
    ids = tok_2.batch(["a <toy>"])
    hidden = second.final_layer_norm(second(ids).hidden_states[-1])[0]
    close(made["compel"].pooled, second.text_projection(hidden[3]))  # the largest id: a learned row
    close(made["comfyui"].pooled, second.text_projection(hidden[4]))  # EOS
    close(
        cliplab.encode_prompt("a <toy>", (tok, tok_2), pair, "a1111").pooled, made["comfyui"].pooled
    )
