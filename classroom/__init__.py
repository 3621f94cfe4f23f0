"""The school around cliplab: what assesses, and the recipe of the shipped miniature.

    from classroom import check, predict, quiz

    compare.py    one rule for all that compares answers
    clock.py      processor time, for runs that have a limit
    exercises/    instant checks of a learner's answers
    quizzes/      predictions in the chapters, and the questions at their ends
    page/         exercises that can be answered on a page of the book
    coursework/   releases of the assignments, and their grader:  python -m classroom --help
    miniature/    how the miniature Stable Diffusion is trained, judged and studied

It imports cliplab; cliplab never imports it.
"""

import importlib

_HOME = {"check": "exercises", "predict": "quizzes", "quiz": "quizzes"}
__all__ = ["check", "predict", "quiz"]


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"classroom has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__
