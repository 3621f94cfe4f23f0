"""Chapters show code from the package; what they show is what runs."""

import inspect

import pytest

import cliplab
from cliplab.source import without_docstrings


def test_source_is_shown_without_its_docstring():
    shown = cliplab.show_source(cliplab.causal_mask)
    assert shown.path == "cliplab/masks.py"
    assert "return torch.ones" in shown.code
    assert '"""' not in shown.code
    assert "Lecture eq. 55" in cliplab.show_source(cliplab.causal_mask, docstring=True).code
    assert shown._repr_markdown_().startswith(
        "From `cliplab/masks.py`:\n\n```python\ndef causal_mask"
    )


def test_strings_that_are_no_docstrings_stay():
    code = 'def f():\n    """gone"""\n\n    x = """\n    stays"""\n    return x'
    assert without_docstrings(code) == 'def f():\n    x = """\n    stays"""\n    return x'


def test_what_is_said_to_the_type_checker_is_not_shown():
    written = inspect.getsource(cliplab.tokenizer.bpe.merge_steps)
    shown = cliplab.show_source(cliplab.tokenizer.bpe.merge_steps).code
    assert "key=ranks.get)  # type: ignore" in written
    assert "key=ranks.get)\n" in shown


def test_other_peoples_code_is_refused():
    with pytest.raises(ValueError, match="not of cliplab"):
        cliplab.show_source(pytest.raises)
