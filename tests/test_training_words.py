"""Words that come with a meaning: the vectors, and the table of tokens that is made of them."""

import math

import pytest
import torch

from cliplab.text_encoder.layers import Embedding
from cliplab.tokenizer import CLIPTokenizer
from cliplab.training import build_clip
from cliplab.training.build import give_words, word_vectors
from cliplab.training.data import EmojiPairs, ShapePairs


@pytest.fixture(scope="module")
def tokenizer():
    return CLIPTokenizer.train(["a mango", "a pineapple", "a locomotive", "zzyzx"], vocab_size=539)


def test_words_of_one_kind_are_near_each_other():
    words = word_vectors()
    assert len(words) > 3000
    assert {len(vector) for vector in words.values()} == {100}
    assert all(math.isclose(vector.norm(), 1, abs_tol=1e-5) for vector in words.values())

    def near(word: str) -> list[str]:
        closest = sorted(words, key=lambda other: -float(words[word] @ words[other]))
        return closest[1:11]

    assert "pineapple" in near("mango")
    assert "wolf" in near("bear")
    assert "piano" in near("guitar")


def test_words_of_held_out_names_are_known():
    """Nearly all: that is what makes a search for what training never showed possible."""
    words = {w for pair in EmojiPairs("concept") for w in pair.caption.split() if w.isalpha()}
    unknown = {word for word in words if word.lower() not in word_vectors()}
    assert len(unknown) < 0.03 * len(words), unknown


def test_a_table_is_given_its_words_and_stays(tokenizer):
    table = Embedding(tokenizer.vocab_size, 128)
    assert give_words(table, tokenizer) == 4  # a, mango, pineapple, locomotive
    row = tokenizer.vocabulary
    words = word_vectors()
    assert table.weight[row["mango</w>"], :100].equal(words["mango"])
    assert table.weight[row["mango</w>"], 100:].eq(0).all()
    assert table.weight[row["zzyzx</w>"], 100:].ne(0).any()
    assert torch.allclose(table.weight.norm(dim=-1), torch.ones(tokenizer.vocab_size))
    assert not table.weight.requires_grad


def test_a_narrow_table_is_refused(tokenizer):
    with pytest.raises(ValueError, match="100 numbers, but the encoder's width is 64"):
        give_words(Embedding(tokenizer.vocab_size, 64), tokenizer)


def test_a_small_clip_knows_words_that_no_caption_has():
    clip = build_clip("mini", ShapePairs(50))
    assert len(clip.tokenizer.content("mango")) == 1
    ours = clip.text_model.embeddings.token_embedding.weight
    given = word_vectors()["mango"]
    assert ours[clip.tokenizer.vocabulary["mango</w>"], :100].equal(given)


@torch.no_grad()
def test_the_contexts_of_a_small_clip_begin_with_a_mean_that_is_clearly_not_0():
    clip = build_clip("tiny", ShapePairs(50))
    context = clip.text_model(clip.ids(["a red circle"])).context  # [1, L, D]
    torch.testing.assert_close(context.mean(-1), torch.full(context.shape[:2], 0.2))
