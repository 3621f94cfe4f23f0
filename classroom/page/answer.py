"""What the worker of a page runs: a learner's code, and then the same check as in the notebook."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import traceback

from classroom.exercises import get, verdict

NAME = "your code"


def prepared(id: str, before: str) -> dict:
    """The names that a learner's code finds: `before` is what earlier cells of the notebook do.

    All that takes long is read here, the check included, so that a limit can be on `judged` alone.
    """
    get(id)
    return {**earlier(before), "__name__": "__main__"}


@functools.cache
def earlier(code: str) -> dict:
    """The names that code defines; a tokenizer takes half a second, and is made once."""
    space: dict = {}
    exec(code, space)
    return space


def judged(id: str, space: dict, code: str, answers: str) -> str:
    """The verdict on what the code gives, as JSON: state, message, and what was printed.

    answers: what the notebook passes to `check` after the id, such as "untrained, floor".
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, NAME, "exec"), space)
            values = eval(f"({answers},)", space)
        except (Exception, SystemExit) as error:
            state, message = "Almost", said(error)
        else:
            state, message = verdict(id, *values)
    return json.dumps({"state": state, "message": message, "printed": printed.getvalue()[:2000]})


def said(error: BaseException) -> str:
    """An error in the learner's code as a sentence, with the line that it stands in."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno} is not Python: {error.msg}."
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == NAME]  # fmt: skip
    where = f"line {lines[-1]} of your code" if lines else "your code"
    return f"{where} raised {type(error).__name__}: {error}."
