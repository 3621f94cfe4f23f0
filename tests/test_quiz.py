"""Quizzes: what their files may hold, what a cell shows, and that no answer gives itself away."""

from __future__ import annotations

import json
import math
import re
from collections import Counter

import pytest
from bs4 import BeautifulSoup

import cliplab
from classroom.quizzes import HINT, VERDICTS, Quiz, predict, questions_of, quiz, stored
from tools import notebooks

CHAPTERS = [path.stem[:2] for path in notebooks.chapters()]
QUIZZES = {number: quiz(number) for number in CHAPTERS}
PREDICTIONS = {number: questions_of(number, stored("prediction", number)) for number in CHAPTERS}
GUESSED = [question for each in PREDICTIONS.values() for question in each]
QUESTIONS = [question for each in QUIZZES.values() for question in each.questions]


def right(question):
    (option,) = [option for option in question.options if option.verdict == "right"]
    return option


def answer(number, id):
    """The text of the right option of one question."""
    (question,) = [question for question in QUIZZES[number].questions if question.id == id]
    return right(question).text


# The quizzes of the course


@pytest.mark.parametrize("number", CHAPTERS)
def test_size(number):
    questions = QUIZZES[number].questions
    assert 4 <= len(questions) <= 6
    assert all(3 <= len(question.options) <= 4 for question in questions)
    stored = json.dumps(QUIZZES[number]._repr_html_(), ensure_ascii=False).encode()
    assert len(stored) <= 3500, "A chapter has 200 KB for all its outputs."


def test_explanations_are_of_their_own():
    texts = [option.why for each in [*QUESTIONS, *GUESSED] for option in each.options]
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert [text for text in texts if len(text) < 20 or not text.endswith((".", "!"))] == []


@pytest.mark.parametrize("asked", [QUESTIONS, GUESSED], ids=["quizzes", "predictions"])
def test_places_do_not_give_answers_away(asked):
    places = Counter(question.options.index(right(question)) for question in asked)
    shares = [places[place] / len(asked) for place in range(3)]
    assert all(0.2 < share < 0.4 for share in shares), shares


def test_places_differ_within_a_quiz():
    assert all(len({q.options.index(right(q)) for q in each.questions}) > 2
               for each in QUIZZES.values())  # fmt: skip


@pytest.mark.parametrize("asked", [QUESTIONS, GUESSED], ids=["quizzes", "predictions"])
def test_lengths_do_not_give_answers_away(asked):
    def is_first(order):
        return sum(order(q.options, key=lambda option: len(option.text)) is right(q)
                   for q in asked) / len(asked)  # fmt: skip

    assert 0.15 < is_first(max) < 0.45
    assert 0.15 < is_first(min) < 0.45


def test_every_chapter_ends_with_its_quiz():
    """And what its last cell stores is the quiz as its file is now."""
    for path in notebooks.chapters():
        number = path.stem[:2]
        heading, cell = notebooks.read(path).cells[-2:]
        assert (heading.source, cell.source) == ("## Quiz", f'quiz("{number}")')
        (output,) = cell.outputs
        shown = QUIZZES[number]
        assert output.data == {"text/html": shown._repr_html_(), "text/plain": repr(shown)}


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_prediction_stands_before_what_answers_it(number):
    """Each once, in the order of its file, and what its cell stores is as the file is now."""
    (nb,) = (notebooks.read(path) for path in notebooks.notebooks([number]))
    tags = [cell.metadata.get("tags", []) for cell in nb.cells]
    asked = [i for i, cell in enumerate(nb.cells) if cell.source.startswith("predict(")]
    shown = [predict(number, question.id) for question in PREDICTIONS[number]]
    assert [nb.cells[i].source for i in asked] == [
        f'predict("{number}", "{each.question.id}")' for each in shown
    ]
    for i, each in zip(asked, shown, strict=True):
        (output,) = nb.cells[i].outputs
        assert output.data == {"text/html": each._repr_html_(), "text/plain": repr(each)}
        assert nb.cells[i].metadata == {"tags": ["remove-input"], **notebooks.FOLDED}
        assert "answer" in tags[i + 1], f"{each!r} is not followed by a cell with the tag answer."
    for i in (i for i, tag in enumerate(tags) if "answer" in tag):
        assert nb.cells[i].outputs
        assert nb.cells[i].metadata == {"tags": tags[i], **notebooks.ANSWER}
        assert "answer" in tags[i - 1] or i - 1 in asked, nb.cells[i].source


@pytest.mark.parametrize("question", GUESSED, ids=lambda question: question.id)
def test_a_prediction_is_a_choice(question):
    assert 3 <= len(question.options) <= 4
    assert question.text.endswith(("?", "."))


def test_numbers_are_the_packages():
    tok = cliplab.CLIPTokenizer()
    ids = cliplab.length_normalization(tok("a running dog"))
    assert answer("01", "ids") == f"0 to {tok.vocab_size - 1}"
    empty = cliplab.length_normalization(tok("")).tolist()
    assert empty == [tok.bos_id] + 76 * [tok.eos_id]
    assert answer("01", "negative") == "The empty prompt: BOS and 76 times EOS"
    assert answer("02", "sizes") == f"{len(ids)} and {len(set(ids.tolist()))}"
    assert answer("03", "digits") == str(len(tok.content("1920x1080")))
    assert tok("A DOG,") == tok("a dog ,")
    assert answer("03", "same-ids") == "“A DOG,” and “a dog ,”"
    assert answer("03", "pad") == f"{ids[5]}, as slot 4 does"
    with pytest.warns(cliplab.TruncationWarning):
        cut = cliplab.length_normalization(tok("dog " * 80))
    assert answer("03", "cut") == f"The first {(cut == tok.content('dog')[0]).sum()}"
    red = cliplab.parse_prompt("((red:1.3) fox)", "a1111")[0]
    assert answer("04", "nested") == f"{red.weight:.4g}"
    (words,) = cliplab.parse_prompt("a (red:1.3) fox", "compel")
    assert words.text == "a red:1 . 3 fox"
    assert words.weight == 1
    config = cliplab.CLIPTextConfig.sd15()
    assert answer("05", "scale") == f"{math.sqrt(config.width / config.heads):g}"
    assert answer("06", "value") == str(int(cliplab.mask_pad(ids, by_value=True).sum()))
    assert answer("07", "untrained") == f"ln 256, about {math.log(256):.1f}"
    assert answer("09", "side") == str(cliplab.latent_sizes(300)[3])


# What a cell shows


@pytest.mark.parametrize("number", CHAPTERS)
def test_html_is_groups_of_options_that_open(number):
    soup = BeautifulSoup(QUIZZES[number]._repr_html_(), "html.parser")
    assert soup.p.text == HINT
    groups = soup.select("div.clq > fieldset")
    assert [group["id"] for group in groups] == [f"q-{q.id}" for q in QUIZZES[number].questions]
    for group, question in zip(groups, QUIZZES[number].questions, strict=True):
        assert group.legend.text.partition(". ")[2] == question.text.replace("`", "")
        for details, option in zip(group.select("details"), question.options, strict=True):
            assert not details.has_attr("open")
            assert details.summary.text == option.text.replace("`", "")
            said = details.text.removeprefix(details.summary.text)
            assert said == f"{VERDICTS[option.verdict]} {option.why}".replace("`", "")


def test_html_needs_nothing_else():
    for each in QUIZZES.values():
        soup = BeautifulSoup(each._repr_html_(), "html.parser")
        assert soup.select("script, link, img, iframe, [href], [src]") == []
        assert not any(name.startswith("on") for tag in soup.find_all() for name in tag.attrs)
        assert "url(" not in soup.style.text


def test_a_prediction_is_a_group_of_options_that_open():
    shown = predict("03", "emoji")
    soup = BeautifulSoup(shown._repr_html_(), "html.parser")
    group = soup.select_one("div.clq.clp > fieldset#p-emoji")
    assert group.legend.text == f"Predict first. {shown.question.text}"
    options = [each.summary.text for each in group.select("details")]
    assert options == ["4 and 11", "1 and 3", "1 and 5"]
    assert soup.select("[open], script, [href], [src]") == []
    assert shown.question.text[:40] in " ".join(str(shown).split())


def test_text_has_all_of_it():
    asked, answers = str(QUIZZES["02"]).split("Answers")
    asked, answers = (" ".join(part.split()) for part in (asked, answers))
    for question in QUIZZES["02"].questions:
        assert question.text in asked
        for option in question.options:
            assert option.text in asked
            assert option.why in answers
            assert option.why not in asked


# What a file may hold

GOOD = [
    {
        "id": "one",
        "question": "Is `a<b` 1 < 2 & so on?",
        "options": [
            {"option": "Yes, <b>yes</b>", "right": "By `<script>`."},
            {"option": "No", "wrong": 'It\'s "so".'},
        ],
    }
]


def changed(change):
    questions = json.loads(json.dumps(GOOD))
    change(questions)
    return json.dumps(questions)


def test_text_is_escaped():
    shown = Quiz("99", questions_of("Quiz 99", json.dumps(GOOD)))._repr_html_()
    assert "<legend>1. Is <code>a&lt;b</code> 1 &lt; 2 &amp; so on?</legend>" in shown
    assert "<summary>Yes, &lt;b&gt;yes&lt;/b&gt;</summary>" in shown
    assert "<b>Right.</b> By <code>&lt;script&gt;</code>." in shown
    assert '<i>Not quite.</i> It\'s "so".' in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda q: q.clear(), "Quiz 99 should be a list of questions."),
        (lambda q: q.append("two"), "question 2 should have 'id', 'question', 'options'; it has"),
        (lambda q: q[0].update(hint="x"), "it has 'id', 'question', 'options', 'hint'."),
        (lambda q: q[0].update(id="A B"), "question 1 has the id 'A B'. An id is"),
        (lambda q: q.append(q[0]), "Quiz 99 has two questions with the id 'one'"),
        (lambda q: q[0].update(options=[]), "question 1 (one) should have a list of at least two"),
        (lambda q: q[0]["options"].pop(0), "should have a list of at least two options"),
        (lambda q: q[0]["options"].append({"option": "So", "right": "Too."}),
         "(one) has 2 right options; exactly one must be right."),
        (lambda q: q[0]["options"].__setitem__(0, {"option": "Yes", "wrong": "No."}),
         "(one) has 0 right options"),
        (lambda q: q[0]["options"][1].pop("wrong"), "option 2 should have one explanation, called"),
        (lambda q: q[0]["options"][1].update(right="So."), "option 2 should have one explanation"),
        (lambda q: q[0]["options"][1].update(wrong=" "), "option 2, its explanation should be a"),
        (lambda q: q[0]["options"][1].update(option="a\nb"), "option 2 should be a line of text"),
        (lambda q: q[0].update(question=3), "question 1 (one) should be a line of text; it is 3."),
        (lambda q: q[0].update(question="`a"), "opens a backtick and does not close it: '`a'."),
        (lambda q: q[0].update(question="$x$"), "has a $. No formula is typeset here"),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_place(change, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        questions_of("Quiz 99", changed(change))


def test_what_is_no_json_is_said_to_be_none():
    with pytest.raises(ValueError, match=r"Quiz 99 is no JSON: .*line 1"):
        questions_of("Quiz 99", "[{")


@pytest.mark.parametrize("chapter", ["99", "3", 3, "../quizzes/03", ""])
def test_an_unknown_chapter_lists_those_that_have_a_quiz(chapter):
    with pytest.raises(ValueError, match=r"There is no quiz .*number: 01, 02, 03, .*, \d\d\."):
        quiz(chapter)


def test_an_unknown_prediction_lists_those_of_its_chapter():
    with pytest.raises(ValueError, match=r"Chapter 03 has no prediction 'cat'. It has: same-ids, "):
        predict("03", "cat")
    with pytest.raises(ValueError, match=r"There is no prediction '99'. A prediction has its chap"):
        predict("99", "cat")


def test_the_package_has_it():
    assert str(quiz("03")) == str(QUIZZES["03"])
