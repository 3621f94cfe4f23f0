"""Length normalization and masks: the definitions, and what the printed ones would do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cliplab

BOS, EOS = 49406, 49407
CONTENT = st.lists(st.integers(0, 49405), max_size=100)


@pytest.mark.equation(7)
@given(CONTENT, st.integers(2, 90), st.sampled_from([None, 0]))
@pytest.mark.filterwarnings("ignore::cliplab.masks.TruncationWarning")
def test_length_normalization_is_equation_7(content, length, pad):
    t = [BOS, *content, EOS]
    if len(t) <= length:
        expected = t + [EOS if pad is None else pad] * (length - len(t))
    else:
        expected = [*t[: length - 1], EOS]
    assert cliplab.length_normalization(t, length, pad).tolist() == expected


@pytest.mark.equation(7)
def test_what_is_cut_off_is_said():
    with pytest.warns(
        cliplab.TruncationWarning, match="1 of 2 sequences do not fit into 4 slots; .* 1[.]"
    ) as caught:
        rows = cliplab.length_normalization([[BOS, 1, 2, 3, EOS], [BOS, EOS]], 4)
    assert rows.tolist() == [[BOS, 1, 2, EOS], [BOS, EOS, EOS, EOS]]
    assert caught[0].message.lost == [[3], []]
    with pytest.warns(cliplab.TruncationWarning) as caught:
        cliplab.length_normalization([BOS, 1, 2, 3, EOS], 3)
    assert caught[0].filename == __file__  # the warning points at the caller's line


def test_ids_of_any_kind():
    wanted = [[BOS, 5, EOS, EOS], [BOS, 5, 6, EOS]]
    rows = [[BOS, 5, EOS], [BOS, 5, 6, EOS]]
    for ids in (
        rows,
        [torch.tensor(r) for r in rows],
        [np.array(r) for r in rows],
        map(tuple, rows),
    ):
        ids = list(ids)
        assert cliplab.length_normalization(ids, 4).tolist() == wanted
    assert cliplab.length_normalization(np.array(rows[0]), 4).tolist() == wanted[0]
    assert cliplab.length_normalization(list(np.array(rows[0])), 4).tolist() == wanted[0]
    for wrong in (3, None, [1.5, 2], [True, False], [[[1, 2]]], [[1, 2], 3], "12"):
        with pytest.raises(TypeError, match="whole numbers"):
            cliplab.length_normalization(wrong)


@pytest.mark.filterwarnings("error")
def test_cutting_padding_loses_nothing():
    padded = cliplab.length_normalization([BOS, 5, EOS], 20)
    assert cliplab.length_normalization(padded, 4).tolist() == [BOS, 5, EOS, EOS]
    with pytest.raises(ValueError, match="ends with 0"):
        cliplab.length_normalization([BOS, 5, EOS, 0, 0], 4)


def test_bad_lengths_are_refused():
    with pytest.raises(ValueError, match="BOS and EOS, is a whole number of at least 2"):
        cliplab.length_normalization([BOS, EOS], 1)
    for nothing in ([], [[]], [[BOS, EOS], []]):
        with pytest.raises(ValueError, match="empty sequence"):
            cliplab.length_normalization(nothing)


@pytest.mark.equation(8, 9, 10)
@given(CONTENT.filter(lambda content: len(content) <= 75))
def test_mask_pad_by_length_and_by_value(content):
    ids = cliplab.length_normalization([BOS, *content, EOS])
    used = len(content) + 2
    assert cliplab.mask_pad(ids).tolist() == [True] * used + [False] * (77 - used)
    # Equation 10 as printed asks for the value, and so hides the true EOS as well (erratum E3).
    assert cliplab.mask_pad(ids, by_value=True).tolist() == [True] * (used - 1) + [False] * (
        78 - used
    )


@pytest.mark.equation(8)
def test_mask_pad_of_a_batch_and_of_other_paddings():
    ids = torch.tensor([[BOS, 5, EOS, EOS], [BOS, EOS, 0, 0], [BOS, 5, 6, EOS]])
    assert cliplab.mask_pad(ids).int().tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]]
    assert cliplab.mask_pad([7, 3, 8, 8], eos=8).tolist() == [True, True, True, False]
    with pytest.raises(ValueError, match="no EOS"):
        cliplab.mask_pad([7, 3, 8, 8])


@pytest.mark.equation(55)
@given(st.integers(1, 80))
def test_causal_mask(length):
    mask = cliplab.causal_mask(length)
    assert mask.dtype == torch.bool
    assert all(mask[i, j] == (j <= i) for i in range(min(length, 9)) for j in range(min(length, 9)))
    assert mask.sum() == length * (length + 1) // 2
    strict = cliplab.causal_mask(length, strict=True)
    assert not strict[0].any()
    assert strict.sum() == length * (length - 1) // 2


@pytest.mark.equation(55)
def test_the_strict_mask_gives_nan():
    scores = torch.zeros(3, 3).masked_fill(~cliplab.causal_mask(3, strict=True), float("-inf"))
    assert scores.softmax(-1)[0].isnan().all()  # erratum E2
    assert not scores.softmax(-1)[1:].isnan().any()


@pytest.mark.equation(56, 57)
def test_attention_mask_is_the_product():
    ids = cliplab.length_normalization([[BOS, 5, 6, EOS], [BOS, EOS]], 6)
    mask = cliplab.attention_mask(ids)
    assert mask.shape == (2, 6, 6)
    for b in range(2):
        a = cliplab.mask_pad(ids[b])
        by_hand = [[j <= i and bool(a[j]) for j in range(6)] for i in range(6)]
        assert mask[b].tolist() == by_hand == cliplab.attention_mask(ids[b]).tolist()
