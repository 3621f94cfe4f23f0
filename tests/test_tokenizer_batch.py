"""Texts to a tensor at once: equal to the way of one text after the other."""

import pickle
import tracemalloc
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cliplab

PIECES = [
    "a dog",
    "Dog,",
    "dog" * 9,
    " ",
    "\t\n",
    "\u3000",
    "\x1c",
    "\x1f",
    "e\u0301",
    "ΣΑΣ",
    "İ",
    "'S",
]
PIECES += ["<|endoftext|>", "<|", "<|ENDOFTEXT|>", "&amp;", "Ã©", "’", "🐶", "\u2000", "word " * 80]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=6).map("".join))


@pytest.fixture(scope="module", params=["hf", "openai"])
def tokenizer(request):
    return cliplab.CLIPTokenizer(clean=request.param)


def said(call):
    """What a call returns, and what it warns of: [(message, lost ids)]."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = call()
    return answer, [(str(w.message), w.message.lost) for w in caught]


@settings(max_examples=300, deadline=None)
@given(TEXTS.filter(bool), st.integers(2, 90), st.sampled_from([None, 0, 7]))
@example(["a dog"] * 1500 + ["dog " * 90] + [""] * 600, 77, 0)
@example(["dog " * 76 + "<|endoftext|> <|endoftext|>", "<|endoftext|>" * 80], 77, None)
def test_a_batch_is_length_normalization_of_its_texts(tokenizer, texts, length, pad):
    ours, warned = said(lambda: tokenizer.batch(texts, length, pad))
    one_by_one = [tokenizer(text) for text in texts]
    wanted, wanted_warned = said(lambda: cliplab.length_normalization(one_by_one, length, pad))
    assert ours.dtype == torch.int64
    assert ours.equal(wanted)
    assert warned == wanted_warned


def test_what_a_batch_cuts_is_said_once_and_where(tokenizer):
    texts = ["a dog"] * 700 + ["dog " * 90] * 10
    with pytest.warns(cliplab.TruncationWarning, match="10 of 710 sequences do not fit") as caught:
        tokenizer.batch(texts)
    assert len(caught) == 1
    assert caught[0].filename == __file__  # the warning points at the caller's line
    assert "up to 15. Cut: [700], [701], " in str(caught[0].message)
    assert str(caught[0].message).endswith("[707] and 2 more.")
    assert caught[0].message.lost == [[]] * 700 + [[1929] * 15] * 10


def test_no_texts_and_what_is_no_text(tokenizer):
    assert tokenizer.batch([], 12).shape == (0, 12)
    assert tokenizer.batch(["", " "], 3).tolist() == [[49406, 49407, 49407]] * 2
    with pytest.raises(TypeError, match="this is one text"):
        tokenizer.batch("a dog")
    with pytest.raises(TypeError, match="this is NoneType"):
        tokenizer.batch(["a dog", None])
    with pytest.raises(ValueError, match="at least 2"):
        tokenizer.batch(["a dog"], 1)


def test_a_lone_surrogate_spoils_no_later_batch():
    tokenizer = cliplab.CLIPTokenizer()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"U\+D800"):
            tokenizer.batch(["new words", "dog \ud800"])
    assert tokenizer.batch(["new words"], 4).tolist() == [tokenizer("new words")]


def test_a_tokenizer_travels_with_what_it_remembers(tokenizer):
    before = tokenizer.batch(["a running dog"])
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.batch(["a running dog"]).equal(before)
    assert again.batch(["a red cat"]).equal(tokenizer.batch(["a red cat"]))


def test_what_is_remembered_is_bounded(monkeypatch):
    from cliplab.tokenizer import batch

    monkeypatch.setattr(batch, "REMEMBERED", 10)
    tokenizer = cliplab.CLIPTokenizer()
    texts = [f"dog{i} {i}" for i in range(100)] + ["x" * 65]
    assert tokenizer.batch(texts).equal(cliplab.length_normalization(tokenizer(texts)))
    assert 0 < len(tokenizer.stretches) <= 10
    assert "x" * 65 not in tokenizer.stretches


def test_a_batch_takes_little_more_memory_than_its_tensor():
    tokenizer = cliplab.CLIPTokenizer()
    texts = [f"a photo of dog number {i % 97}, on a beach" for i in range(10_000)]
    tokenizer.batch(texts)
    tracemalloc.start()
    ids = tokenizer.batch(texts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * ids.nbytes
