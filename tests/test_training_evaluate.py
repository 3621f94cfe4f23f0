"""How well pictures and captions find each other, and classifiers made of words."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from cliplab.training import accuracy, classify, evaluate, retrieval, zero_shot_weights
from tests.tiny_training import Blocks


def vectors(N: int, E: int = 8, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(2, N, E, generator=generator), dim=-1)


# --- retrieval ------------------------------------------------------------------------------------


def test_perfect_and_as_bad_as_can_be():
    found = retrieval(torch.eye(20), torch.eye(20))
    assert found.text_to_image == found.image_to_text == {1: 1, 5: 1, 10: 1}
    found = retrieval(torch.eye(20), -torch.eye(20))
    assert found.text_to_image == found.image_to_text == {1: 0, 5: 0, 10: 0}


def test_a_search_that_guesses_reaches_chance():
    u, v = vectors(3000)
    found = retrieval(u, v)
    assert found.candidates == 3000
    assert found.chance == {1: 1 / 3000, 5: 5 / 3000, 10: 10 / 3000}
    assert abs(found.text_to_image[10] - 10 / 3000) < 4 * (10 / 3000 / 3000) ** 0.5
    assert retrieval(u[:4], v[:4]).chance[5] == 1


@given(st.integers(1, 30), st.integers(0, 99))
def test_ranks_are_counted_one_by_one(N, seed):
    u, v = vectors(N, 4, seed)
    same = torch.rand(N, N, generator=torch.Generator().manual_seed(seed)) < 0.3  # not symmetric
    found = retrieval(u, v, ks=(1, 3), same=same)
    S = (u @ v.T).tolist()
    for_text = [sum(S[i][j] > S[i][i] and not same[i, j] for j in range(N)) for i in range(N)]
    for_image = [sum(S[j][i] > S[i][i] and not same[j, i] for j in range(N)) for i in range(N)]
    for shares, ranks in ((found.text_to_image, for_text), (found.image_to_text, for_image)):
        for k in (1, 3):
            assert shares[k] == pytest.approx(sum(rank < k for rank in ranks) / N)


@pytest.mark.parametrize("value", [0.5, 0.0, float("nan")])
def test_a_model_that_finds_all_alike_finds_nothing(value):
    same = torch.full((12, 3), value)
    found = retrieval(same, same)
    assert found.text_to_image == found.image_to_text == {1: 0, 5: 0, 10: 0}


def test_chunks_change_nothing(monkeypatch):
    import importlib

    module = importlib.import_module("cliplab.training.evaluate")
    u, v = vectors(50)
    groups = torch.arange(50) // 3
    same = groups[:, None] == groups
    whole = retrieval(u, v), retrieval(u, v, same=same)
    monkeypatch.setattr(module, "QUERIES", 7)
    assert (retrieval(u, v), retrieval(u, v, same=same)) == whole


def test_what_shows_the_same_thing_is_no_mistake():
    u = torch.eye(6).repeat_interleave(2, 0)
    groups = torch.arange(12) // 2
    assert retrieval(u, u, ks=(1,)).text_to_image == {1: 0}  # a tie with its twin
    found = retrieval(u, u, ks=(1,), same=groups[:, None] == groups)
    assert found.text_to_image == found.image_to_text == {1: 1}


@pytest.mark.parametrize(
    "shapes", [((3, 4), (4, 4)), ((3, 4), (3, 5)), ((4,), (4,)), ((0, 4),) * 2]
)
def test_what_does_not_come_in_pairs_is_refused(shapes):
    with pytest.raises(ValueError, match="come in pairs"):
        retrieval(*(torch.ones(shape) for shape in shapes))


def test_the_words_of_a_result():
    assert str(retrieval(torch.eye(20), torch.eye(20))).splitlines() == [
        "20 candidates         R@1     R@5     R@10    ",
        "  text → image        100.0 % 100.0 % 100.0 % ",
        "  image → text        100.0 % 100.0 % 100.0 % ",
        "  chance                5.0 %  25.0 %  50.0 % ",
    ]


class Reader:
    """A CLIP that knows each picture's words, as far as `knows` goes, by its first pixel."""

    def __init__(self, pairs, knows: int):
        self.words = list(dict.fromkeys(pair.caption for pair in pairs))
        self.pictures = {pair.image.tobytes(): pair.caption for pair in pairs}
        self.knows, self.seen = knows, []

    def place(self, words: str):
        n = self.words.index(words)
        return F.one_hot(torch.tensor(n), len(self.words)).float()

    def encode_text(self, texts):
        return torch.stack([self.place(text) for text in texts])

    def encode_image(self, images):
        self.seen.append(len(images))
        known = [self.pictures[image.tobytes()] for image in images]
        known = [
            words if self.words.index(words) < self.knows else self.words[0] for words in known
        ]
        return torch.stack([self.place(words) for words in known])


@pytest.mark.parametrize(("alike", "found"), [(1, 6 / 12), (3, 1)])
def test_a_source_is_evaluated_with_its_repeated_captions(alike, found):
    pairs = Blocks(12, alike)
    reader = Reader(pairs, knows=6)
    result = evaluate(reader, pairs, batch_size=5)
    assert reader.seen == [5, 5, 2]
    assert result.candidates == 12
    if alike == 3:  # four captions, all known
        assert result.text_to_image == {1: 1, 5: 1, 10: 1}
    else:
        assert result.text_to_image[1] == pytest.approx(5 / 12)  # "red box" is many pictures' place
        assert result.image_to_text[1] == pytest.approx(found)


# --- classifiers made of words --------------------------------------------------------------------


class Speller:
    """A text encoder: a unit vector of letters."""

    def encode_text(self, texts):
        counts = [[text.count(letter) for letter in "abcdefgh "] for text in texts]
        return F.normalize(torch.tensor(counts).float() + 0.01, dim=-1)


def test_weights_are_the_normalized_mean_of_unit_vectors():
    clip = Speller()
    weights = zero_shot_weights(clip, ["bed", ["cab", "face"]], ["{}", "a big {}"])
    for row, texts in zip(
        weights, (["bed", "a big bed"], ["cab", "a big cab", "face", "a big face"]), strict=True
    ):
        mean = clip.encode_text(texts).sum(0) / len(texts)
        assert mean.norm() < 0.999  # so that normalizing does something
        assert torch.allclose(row, mean / mean.norm(), atol=1e-6)
    alone = zero_shot_weights(clip, ["bed"])
    assert torch.allclose(alone, clip.encode_text(["bed"]), atol=1e-6)


@pytest.mark.parametrize(
    ("labels", "templates", "words"),
    [
        ([], ["{}"], "at least one label"),
        (["a", " "], ["{}"], "Label 1 is empty"),
        (["a", []], ["{}"], "Label 1 is empty"),
        (["a"], ["a picture"], "has no {} for the label"),
        (["a"], [], "There are no templates"),
    ],
)
def test_classifiers_that_cannot_be(labels, templates, words):
    with pytest.raises(ValueError, match=words):
        zero_shot_weights(Speller(), labels, templates)


def test_braces_in_a_label_stay_as_they_are():
    weights = zero_shot_weights(Speller(), ["{0} {}"], ["a {}"])
    assert torch.allclose(weights, Speller().encode_text(["a {0} {}"]), atol=1e-6)


@given(st.integers(1, 6), st.floats(0.01, 1.0))
def test_classes_share_the_probability(C, tau):
    v, weights = vectors(5)[0], vectors(C, seed=1)[0]
    shares = classify(v, weights, tau)
    assert shares.shape == (5, C)
    assert torch.allclose(shares.sum(1), torch.ones(5), atol=1e-5)
    assert torch.equal(shares.argmax(1), (v @ weights.T).argmax(1))


def test_accuracy_counts():
    weights = torch.eye(6)
    v = torch.tensor([[9, 5, 4, 3, 2, 1], [5, 9, 4, 3, 2, 1], [1, 2, 3, 4, 5, 9.0]])
    found = accuracy(v, weights, [0, 0, 0])
    assert found.top == {1: pytest.approx(1 / 3), 5: pytest.approx(2 / 3)}
    assert found.chance == {1: 1 / 6, 5: 5 / 6}
    assert found.majority == 1
    assert accuracy(v, weights, [0, 1, 0]).majority == pytest.approx(2 / 3)
    assert accuracy(v, weights[:4], [0, 1, 2]).top.keys() == {1}  # of four classes, 5 are no test
    assert str(found) == (
        "top-1 33.3 %, top-5 66.7 % of 3 images "
        "(chance 16.7 %, 83.3 %; always the most frequent class: 100.0 %)"
    )


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_classifier_that_cannot_tell_is_never_right(value):
    found = accuracy(torch.full((4, 3), value), torch.eye(3), [0, 1, 2, 0], ks=(1, 2))
    assert found.top == {1: 0, 2: 0}


@pytest.mark.parametrize(
    ("N", "classes", "words"),
    [(2, [0], "2 images, but 1"), (0, [], "0 images"), (1, [3], "0 to 2"), (1, [-1], "0 to 2")],
)
def test_classes_that_do_not_fit(N, classes, words):
    with pytest.raises(ValueError, match=words):
        accuracy(torch.ones(N, 3), torch.eye(3), classes)
