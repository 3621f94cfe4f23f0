"""The miniature CLIP that is shipped: whole, small, as good as its card says, fit for weighting."""

import hashlib
import json
from importlib import resources

import pytest
import torch

import cliplab
from classroom.miniature.clip_scores import combinations
from cliplab.training import EmojiPairs, evaluate
from cliplab.training.data import ShapePairs

FOLDER = resources.files("cliplab") / "assets" / "clip-mini"
CARD = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mini():
    return cliplab.load_clip("mini")


def test_the_file_is_the_one_whose_scores_are_stated():
    file = FOLDER / "model.safetensors"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == CARD["sha256"]
    assert file.stat().st_size < 7e6


@pytest.mark.parametrize("split", ["style", "concept"])
def test_retrieval_is_as_stated(mini, split):
    stated, found = CARD["scores"][split], evaluate(mini, EmojiPairs(split))
    assert found.candidates == stated["candidates"]
    for way in ("text_to_image", "image_to_text"):
        for k, share in getattr(found, way).items():
            # Another processor may round a near tie the other way.
            assert share == pytest.approx(stated[way][f"R@{k}"], abs=0.005)


def test_the_card_states_these_scores():
    text, scores = (FOLDER / "README.md").read_text(encoding="utf-8"), CARD["scores"]
    for split, name in (
        ("style", "concepts it learned, in an unseen style"),
        ("concept", "concepts it never saw"),
    ):
        for way, arrow in (("text_to_image", "text → image"), ("image_to_text", "image → text")):
            shares = " | ".join(f"{100 * share:.1f}" for share in scores[split][way].values())
            assert f"| {name} | {arrow} | {shares} | {scores[split]['candidates']:,} |" in text
    for field, name in (("group", "Unicode's groups"), ("subgroup", "its subgroups")):
        assert f"| {name} | {100 * scores[field]['top-1']:.1f} |" in text
    for field, name in (
        ("seen", "combinations that training drew"),
        ("held_out", "the eight that it never drew"),
    ):
        shares = " | ".join(f"{100 * scores[field][k]:.1f}" for k in ("color", "shape", "both"))
        assert f"| {name} | {shares} |" in text
    assert CARD["sha256"] in text


def test_it_finds_more_of_the_unseen_than_each_of_its_teachers():
    alone = CARD["teachers_scores"]["alone"]
    assert len(alone) == len(CARD["teachers"]) == 12
    for way in ("text_to_image", "image_to_text"):
        own = CARD["scores"]["concept"][way]["R@5"]
        assert own > max(found[way]["R@5"] for found in alone)


def test_combinations_are_as_stated(mini):
    for name, split in (("seen", "train"), ("held_out", "held_out")):
        found = combinations(mini, ShapePairs(500, seed=1, split=split, objects=1))
        for key in ("color", "shape", "both"):
            assert found[key] == pytest.approx(CARD["scores"][name][key], abs=0.01)


def test_its_context_is_as_long_as_stable_diffusions(mini):
    assert mini.text_model.config.context_length == 77
    encoder = cliplab.load_text_encoder("mini")
    ids = cliplab.length_normalization(mini.tokenizer("a red circle"))
    assert encoder(ids).context.shape == (1, 77, 128)
    assert mini.tokenizer.vocab_size == encoder.config.vocab_size < 8000


def test_the_mean_of_its_contexts_is_clearly_not_zero(mini):
    captions = [pair.caption for pair in EmojiPairs("concept")]
    ids = torch.stack([cliplab.length_normalization(mini.tokenizer(text)) for text in captions])
    with torch.no_grad():
        context = mini.text_model(ids, hidden_states=False).context  # [160, 77, 128]
    means, spread = context.mean((1, 2)), context.std()
    assert (means.abs() > 0.02 * spread).all()
    assert len({float(mean.sign()) for mean in means}) == 1


def test_restoring_the_mean_means_something_on_it(mini):
    tokenizer, encoder = mini.tokenizer, cliplab.load_text_encoder("mini")
    plain = cliplab.encode_prompt("a red circle", tokenizer, encoder, "a1111").tensor
    for weight in (0.5, 0.8, 1.2, 1.5, 2):
        prompt = f"a (red:{weight}) circle"
        made = cliplab.encode_prompt(prompt, tokenizer, encoder, "a1111").tensor
        assert float(made.mean()) == pytest.approx(float(plain.mean()), rel=1e-3)
        factor = float((made / plain)[0].median())  # BOS has no weight: restoring alone moves it
        assert 0.5 < factor < 2


def test_words_it_knows_find_their_pictures(mini):
    style = EmojiPairs("style")
    v = mini.encode_image([pair.image for pair in style])
    for words in ("guitar", "umbrella", "penguin", "rocket", "sunflower", "tractor"):
        best = (mini.encode_text(words) @ v.T).topk(5).indices[0].tolist()
        assert any(words in style[i].caption for i in best), words
