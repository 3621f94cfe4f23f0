"""The quiz at the end of a chapter, `quiz("03")`, and its predictions, `predict("03", "emoji")`.

What a cell stores is plain HTML. Every option opens, says whether it is right, and why; that takes
no script, no kernel and no network, so it works on the published page as in a notebook. Questions
stand beside this file, in JSON, one file for each chapter, as plain text with `code` in backticks:
those of its quiz in 03.json, and those that ask for a guess in predictions/03.json.

    [{"id": "end", "question": "Which id has EOS?", "options": [
        {"option": "49406", "wrong": "That is BOS, the one before."},
        {"option": "49407", "right": "It is the last of 49,408, counted from 0."}]}]

The key of an explanation is the verdict on its option.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import ascii_lowercase
from textwrap import fill
from typing import Any, NamedTuple

VERDICTS = {"right": "Right.", "wrong": "Not quite."}
FOLDERS = {"quiz": ".", "prediction": "predictions"}
HINT = "Open an answer to see whether it is right, and why."
# What a notebook needs to be read with ease; a page has more of it in book/assets/course.css.
STYLE = (
    "<style>.clq fieldset{border:0;margin:1em 0;padding:0}.clq legend{font-weight:600}"
    ".clq details{margin:.3em 1em}</style>"
)
# JupyterLab shows the first line of an output that is folded: of one that answers, too much.
FOLDED = "<style>.jp-OutputPlaceholder .jp-PlaceholderText{display:none}</style>"


class Option(NamedTuple):
    """One answer to choose; `verdict` is "right" or "wrong", `why` says what it rests on."""

    text: str
    verdict: str
    why: str


class Question(NamedTuple):
    """A question and its options, exactly one of them right."""

    id: str
    text: str
    options: list[Option]


class Quiz:
    """Questions of a chapter: HTML as the last line of a cell, text with `print`."""

    def __init__(self, chapter: str, questions: list[Question]):
        self.chapter, self.questions = chapter, questions

    def _repr_html_(self) -> str:
        # Few bytes: a chapter has 200 KB for all of its outputs.
        numbered = enumerate(self.questions, start=1)
        groups = "".join(fieldset(f"q-{each.id}", f"{n}.", each) for n, each in numbered)
        return f"{STYLE}<div class=clq><p>{HINT}</p>{groups}</div>"

    def __repr__(self) -> str:
        return f"quiz({self.chapter!r})"  # stored beside the HTML, and so of few bytes

    def __str__(self) -> str:
        return "\n".join([*self._asked(), "\nAnswers", *self._answered()])

    def _asked(self) -> Iterator[str]:
        for number, question in enumerate(self.questions, start=1):
            yield paragraph(f"{number}. ", question.text)
            for letter, option in zip(ascii_lowercase, question.options, strict=False):
                yield paragraph(f"   {letter}) ", option.text)

    def _answered(self) -> Iterator[str]:
        for number, question in enumerate(self.questions, start=1):
            for letter, option in zip(ascii_lowercase, question.options, strict=False):
                yield paragraph(f"{number}{letter} ", f"{VERDICTS[option.verdict]} {option.why}")


class Prediction:
    """A question about what the next cell will show: HTML in a notebook, text with `print`.

    On a page the result of that cell, tagged `answer`, is hidden until an option is open.
    """

    def __init__(self, chapter: str, question: Question):
        self.chapter, self.question = chapter, question

    def _repr_html_(self) -> str:
        asked = fieldset(f"p-{self.question.id}", "Predict first.", self.question)
        return f'{STYLE}{FOLDED}<div class="clq clp">{asked}</div>'

    def __repr__(self) -> str:
        return f"predict({self.chapter!r}, {self.question.id!r})"

    def __str__(self) -> str:
        return str(Quiz(self.chapter, [self.question]))


def quiz(chapter: str) -> Quiz:
    """The quiz of a chapter, such as "03"; the last line of a cell.

    Raises ValueError where there is none, and where its file is not what it should be.
    """
    return Quiz(chapter, questions_of(f"Quiz {chapter}", stored("quiz", chapter)))


def predict(chapter: str, id: str) -> Prediction:
    """The question of that id among the predictions of a chapter, such as "03"; a whole cell.

    Raises ValueError where there is none, and where its file is not what it should be.
    """
    text = stored("prediction", chapter)
    questions = {each.id: each for each in questions_of(f"Predictions {chapter}", text)}
    if id not in questions:
        known = ", ".join(questions)
        raise ValueError(f"Chapter {chapter} has no prediction {id!r}. It has: {known}.")
    return Prediction(chapter, questions[id])


def stored(kind: str, chapter: str) -> str:
    """The JSON text of a chapter's questions of that kind. Raises ValueError if there is none."""
    folder = files(__name__) / FOLDERS[kind]
    names = (file.name for file in folder.iterdir())
    found = sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))
    if chapter not in found:
        known = ", ".join(found)
        raise ValueError(
            f"There is no {kind} {chapter!r}. A {kind} has its chapter's number: {known}."
        )
    return (folder / f"{chapter}.json").read_text(encoding="utf-8")


def questions_of(where: str, text: str) -> list[Question]:
    """The questions in a JSON text. Raises ValueError with the place and what is wrong there."""
    try:
        listed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is no JSON: {error}.") from error
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"{where} should be a list of questions.")
    questions = [question_of(f"{where}, question {n}", each) for n, each in enumerate(listed, 1)]
    ids = [question.id for question in questions]
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise ValueError(f"{where} has two questions with the id {twice[0]!r}; give each its own.")
    return questions


def question_of(where: str, given: Any) -> Question:
    """A question from its JSON object. Raises ValueError."""
    id, text, options = fields(where, given, "id", "question", "options")
    if not isinstance(id, str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", id):
        raise ValueError(
            f"{where} has the id {id!r}. An id is lower-case letters, digits and hyphens, as it "
            "becomes part of an address."
        )
    where = f"{where} ({id})"
    if not isinstance(options, list) or len(options) < 2:
        raise ValueError(f"{where} should have a list of at least two options.")
    found = [option_of(f"{where}, option {n}", each) for n, each in enumerate(options, start=1)]
    right = sum(option.verdict == "right" for option in found)
    if right != 1:
        raise ValueError(f"{where} has {right} right options; exactly one must be right.")
    return Question(id, plain(where, text), found)


def option_of(where: str, given: Any) -> Option:
    """An option from its JSON object. Raises ValueError."""
    verdicts = [key for key in VERDICTS if isinstance(given, dict) and key in given]
    if len(verdicts) != 1:
        raise ValueError(f'{where} should have one explanation, called "right" or "wrong".')
    text, why = fields(where, given, "option", verdicts[0])
    return Option(plain(where, text), verdicts[0], plain(f"{where}, its explanation", why))


def fields(where: str, given: Any, *names: str) -> list[Any]:
    """The values of an object that has these names and no others. Raises ValueError."""
    if not isinstance(given, dict) or set(given) != set(names):
        has = ", ".join(map(repr, given)) if isinstance(given, dict) else repr(given)
        raise ValueError(f"{where} should have {', '.join(map(repr, names))}; it has {has}.")
    return [given[name] for name in names]


def plain(where: str, text: Any) -> str:
    """A line of plain text as it is. Raises ValueError for anything else."""
    if not isinstance(text, str) or not text.strip() or text != " ".join(text.split()):
        raise ValueError(f"{where} should be a line of text; it is {text!r}.")
    if text.count("`") % 2:
        raise ValueError(f"{where} opens a backtick and does not close it: {text!r}.")
    if "$" in text:
        raise ValueError(f"{where} has a $. No formula is typeset here: write √K, ε⁻ or 77 × 768.")
    return text


def html(text: str) -> str:
    """Plain text as HTML, with code where it stands in backticks."""
    escaped = escape(text, quote=False)  # it stands in no attribute
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)


def fieldset(id: str, start: str, question: Question) -> str:
    """A question and its options as a group with a name."""
    options = "".join(map(details, question.options))
    return f"<fieldset id={id}><legend>{start} {html(question.text)}</legend>{options}</fieldset>"


def details(option: Option) -> str:
    """An option that opens. Verdicts differ in their words first, and then in their element."""
    mark = "b" if option.verdict == "right" else "i"
    verdict = f"<{mark}>{VERDICTS[option.verdict]}</{mark}>"
    return f"<details><summary>{html(option.text)}</summary>{verdict} {html(option.why)}</details>"


def paragraph(start: str, text: str) -> str:
    """Text for a terminal, its later lines under the first one's text."""
    return fill(text, 88, initial_indent=start, subsequent_indent=" " * len(start))
