"""What is folded on a page goes to the end of the printed course, and links lead both ways."""

import pytest
from bs4 import BeautifulSoup

from tools.folded import fold

EXERCISE = """<h3>Exercise 03.1 · Room left</h3><p>How many?</p>
<details><summary>Hint</summary><p>Count.</p></details>
<details><summary>Solution</summary><pre>75 - n</pre></details><p>After it.</p>"""
FIGURE = """<figure><svg></svg><figcaption>Source: none.</figcaption><details>
<summary>Data table</summary><table><caption>Every slot</caption><tr><td>1</td></tr>
</table></details></figure>"""
QUIZ = """<div class="clq"><fieldset><legend>1. Which <code>id</code>?</legend>
<details><summary>The <b>first</b></summary><i>Not quite.</i> It is BOS.</details>
<details><summary>The last</summary><b>Right.</b> It is EOS.</details></fieldset></div>"""
CELL = "<table><tr><td><details><summary>three</summary><p>of them</p></details></td></tr></table>"
QUESTION = """<h2>In your own words</h2><p>Why?</p>
<details class="sd-dropdown"><summary>An answer</summary><p>Because.</p></details>"""
CODE = """<h2>The U-Net</h2><details class="admonition hide above-input"><summary>
<p><span>Show code cell source</span><span>Hide code cell source</span></p></summary>
<pre>unet_diagram(unet)</pre></details>"""


@pytest.fixture
def folded(request):
    """What stays of a page with this HTML, and what goes to the end."""
    article = BeautifulSoup(request.param, "html.parser")
    return article, fold(article, "a-page")


def words(tag):
    return tag.get_text(" ", strip=True).split("\n")[0]


def links(tag):
    return [link["href"] for link in tag.select("a")]


@pytest.mark.parametrize("folded", [EXERCISE], indirect=True)
def test_hints_and_solution_of_an_exercise_go_together(folded):
    article, (entry,) = folded
    assert "Count." not in article.get_text()
    assert words(article.select_one(".to-fold")) == "Hints and solution: at the end"
    assert article.select_one(".to-fold").find_next("p").get_text() == "After it."
    said = entry.get_text("|", strip=True)
    assert said == "Exercise 03.1 · Room left|Hint|Count.|Solution|75 - n"


@pytest.mark.parametrize("folded", [EXERCISE.replace("Exercise 03.1", "A1.1")], indirect=True)
def test_the_hints_of_an_assignment_are_called_so(folded):
    article, (entry,) = folded
    assert words(article.select_one(".to-fold")) == "Hints: at the end"
    assert words(entry.select_one(".folded-name")) == "A1.1 · Room left"


@pytest.mark.parametrize("folded", [QUESTION, CODE], indirect=True)
def test_what_else_is_folded_goes_by_its_own_name(folded):
    article, (entry,) = folded
    name = words(entry.select_one(".fold-name"))
    assert words(article.select_one(".to-fold")) == f"{name}: at the end"
    assert name in {"An answer", "Code"}


@pytest.mark.parametrize("folded", [FIGURE], indirect=True)
def test_the_table_of_a_figure_goes_by_its_caption(folded):
    article, (entry,) = folded
    assert article.select("figure svg, figure figcaption")
    assert article.table is None
    assert words(entry.select_one(".folded-name")) == "Every slot"
    assert entry.select("table td")


@pytest.mark.parametrize("folded", [QUIZ], indirect=True)
def test_a_question_keeps_its_options_and_no_answer(folded):
    article, (entry,) = folded
    options = [words(option) for option in article.select("fieldset li")]
    assert options == ["The first", "The last"]
    assert "Right." not in article.get_text()
    said = [" ".join(one.get_text().split()) for one in entry.select("p")]
    assert said == [
        "1. Which id?",
        "The first: Not quite. It is BOS.",
        "The last: Right. It is EOS.",
    ]


@pytest.mark.parametrize("folded", [EXERCISE + FIGURE + QUIZ], indirect=True)
def test_links_lead_to_the_end_and_back(folded):
    article, entries = folded
    assert len(entries) == 3
    to = [link for line in article.select(".to-fold") for link in links(line)]
    assert sorted(to) == sorted(f"#{entry['id']}" for entry in entries)
    for entry in entries:
        (back,) = links(entry)
        assert article.select_one(back).select_one("a")["href"] == f"#{entry['id']}"


@pytest.mark.parametrize("folded", [CELL], indirect=True)
def test_what_is_folded_in_a_cell_opens_there(folded):
    article, entries = folded
    assert entries == []
    assert article.details.has_attr("open")
