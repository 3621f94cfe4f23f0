"""Python still gives the golden vectors that hold the demos' JavaScript to it (tools/golden.py)."""

import gzip
import json

import pytest

from cliplab.demos.data.vocabulary import vocabulary
from cliplab.demos.register import all_data
from cliplab.tokenizer import CLIPTokenizer, bpe
from tools import golden

STORED = json.loads(golden.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built():
    """What Python gives today, as JSON has it."""
    return json.loads(golden.written(golden.build()))


def test_there_are_enough_of_them():
    assert golden.FILE.stat().st_size < 400_000
    assert len(STORED["tokens"]["clip_vocabulary"]) >= 150
    assert len(STORED["ladders"]) >= 30
    for syntax in golden.SYNTAXES:
        cases = STORED["prompts"][syntax]
        assert len(cases) >= 200, syntax
        assert any(len(case.get("chunks", [])) > 1 for case in cases), syntax
    assert sum("error" in case for case in STORED["prompts"]["compel"]) >= 20
    assert any("parts" in case for case in STORED["prompts"]["compel"])


@pytest.mark.parametrize("name", golden.VOCABULARIES)
def test_tokens(built, name):
    for stored, now in zip(STORED["tokens"][name], built["tokens"][name], strict=True):
        assert now == stored


@pytest.mark.parametrize("kind", ["ladders", "lengths"])
def test_ladders_and_lengths(built, kind):
    for stored, now in zip(STORED[kind], built[kind], strict=True):
        assert now == stored


@pytest.mark.parametrize("syntax", golden.SYNTAXES)
def test_prompts(built, syntax):
    for stored, now in zip(STORED["prompts"][syntax], built["prompts"][syntax], strict=True):
        assert now == stored


def test_places_count_utf16_units():
    assert golden.utf16("a😀b") == [0, 1, 3, 4]
    tokens = dict(STORED["tokens"]["clip_vocabulary"])["😀😀😀"]
    assert tokens[-1][3] == 6


# What the demos fetch -----------------------------------------------------------------------------


def test_the_vocabulary_is_small():
    assert len(gzip.compress(all_data()["clip_vocabulary"](), 9)) <= 230_000


@pytest.mark.parametrize("name", golden.VOCABULARIES)
def test_the_vocabulary_is_all_there(name):
    """The strings follow from the ids of the merges, as createTokenizer makes them."""
    sides = json.loads(all_data()[name]())["merges"]
    symbols = list(bpe.vocabulary_of([]))[:-2]
    for left, right in zip(sides[::2], sides[1::2], strict=True):
        symbols.append(symbols[left] + symbols[right])
    assert [*symbols, bpe.BOS, bpe.EOS] == golden.VOCABULARIES[name]().symbols


def test_a_vocabulary_in_which_two_merges_make_one_token_is_refused():
    twice = CLIPTokenizer([("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")])
    with pytest.raises(ValueError, match="make the same token"):
        vocabulary(twice)
