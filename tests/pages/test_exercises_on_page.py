"""Exercises answered on the page: verdicts as in a notebook, on few bytes and no other host.

Python takes seconds to start, so one bare page with all of these exercises serves most tests.
"""

import gzip
import importlib
import json
import re

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import expect

from classroom import page as course
from classroom.exercises import module_of, verdict
from tools.serve import serving

from .conftest import PAGES, ROOT
from .test_demos import POLICY

MOST = 6e6  # bytes over the wire for the first check
# Puts each text into an exercise's field, presses the button, and waits for what is said.
ANSWER = """async ([label, texts]) => {
  const field = document.querySelector(`[aria-label*="exercise ${label},"]`);
  const [row, said] = [field.nextElementSibling, field.nextElementSibling.nextElementSibling];
  const button = row.querySelector("button"), found = [];
  for (const text of texts) {
    field.value = text;
    button.click();
    await new Promise((done) => {
      const seen = new MutationObserver(() => {
        if (button.ariaDisabled) return;
        seen.disconnect();
        done();
      });
      seen.observe(button, { attributes: true });
    });
    found.push(said.textContent);
  }
  return found;
}"""
# Puts a file of recorded answers where they can be imported.
FILED = """import sys, types
sys.modules["recorded"] = module = types.ModuleType("recorded")
exec({0!r}, module.__dict__)"""


def names(id):
    """The names under which the answers of an exercise are passed to its check."""
    return ", ".join(f"answer_{n}" for n in range(len(as_tuple(recorded(id, "RIGHT")[0]))))


def recorded(id, kind):
    """The recorded answers of that kind; of wrong ones without their reasons."""
    kept = getattr(importlib.import_module(f"wrong_answers.{module_of(id)}"), kind)[id]
    return [answer for answer, _ in kept] if kind == "WRONG" else kept


def as_tuple(answer):
    return answer if isinstance(answer, tuple) else (answer,)


def texts(id):
    """What a learner would type for all recorded answers: first their file, then which of it."""
    file = ROOT / "tests" / "wrong_answers" / f"{module_of(id)}.py"
    yield FILED.format(file.read_text(encoding="utf-8"))
    for kind in ("RIGHT", "WRONG"):
        for n, answer in enumerate(recorded(id, kind)):
            which = f"{kind}[{id!r}][{n}]" + ("[0]" if kind == "WRONG" else "")
            unpacked = f"[{names(id)}]" if isinstance(answer, tuple) else names(id)
            yield f"from recorded import {kind}\n{unpacked} = {which}"


@pytest.fixture(scope="module")
def bare_folder(tmp_path_factory):
    """A bare page with every exercise, and what it needs."""
    folder = tmp_path_factory.mktemp("exercises")
    course.write(folder / "exercises")
    (folder / "vendor").symlink_to(ROOT / "book" / "assets" / "vendor")
    cell = "<div class=cell><pre>{}</pre></div>"
    place = '<div class=clx data-exercise="{}" data-answers="{}" data-before="{}"></div>'
    body = "".join(
        cell.format("stub") + cell.format("check") + place.format(id, names(id), before)
        for id, before in course.PLAIN.items()
    )
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Exercises</title><body>{body}'
        '<script src="exercises/page.js"></script>',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def bare_address(bare_folder):
    """Of a server that sends the strictest policy that they work under."""
    with serving(bare_folder, {"Content-Security-Policy": POLICY}) as address:
        yield address


@pytest.fixture(scope="module")
def bare(new_context, bare_address):
    """That page, and what it has asked for and complained of."""
    page = new_context().new_page()
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("console", lambda m: m.type == "error" and page.errors.append(m.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.clock.install()
    page.goto(f"{bare_address}/index.html")
    yield page
    page.close()


def test_nothing_is_fetched_before_the_first_check_and_little_by_it(bare, bare_address):
    expect(bare.get_by_role("button", name="Check here")).to_have_count(len(course.PLAIN))
    before = [url for url in bare.asked if "favicon" not in url]
    assert before == [f"{bare_address}/index.html", f"{bare_address}/exercises/page.js"]
    bare.evaluate(ANSWER, ["10.2", ["def answer_0(width, heads): ..."]])
    paths = {url.removeprefix(bare_address).partition("?")[0] for url in bare.asked}
    fetched = [path for path in paths if "exercises/" in path or "vendor/" in path]
    assert all(url.startswith(bare_address) for url in bare.asked)
    sizes = []
    for path in fetched:  # as hosts send them, which compress scripts
        content = bare.request.get(bare_address + path).body()
        sizes.append(len(gzip.compress(content) if path.endswith(("js", "mjs")) else content))
    assert len(sizes) == 7
    assert 4e6 < sum(sizes) < MOST
    assert [text for text in bare.errors if "favicon" not in text and "404" not in text] == []


def wordless(message):
    """A verdict without the words of Python's own errors, which differ between its versions."""
    return re.sub(r"(raised \w+): .* (?=on the input)", r"\1 ", message)


@pytest.mark.wcag("3.3.1", "3.3.3")
@pytest.mark.parametrize("id", course.PLAIN)
def test_recorded_answers_get_the_verdicts_of_the_notebook(bare, id):
    given = [*recorded(id, "RIGHT"), *recorded(id, "WRONG")]
    wanted = [wordless(": ".join(verdict(id, *as_tuple(answer)))) for answer in given]
    filed, *found = bare.evaluate(ANSWER, [id, list(texts(id))])
    assert "'answer_0' is not defined" in filed
    without = [one for one in found if "is not there on this page" not in one]
    assert len(without) >= 4, f"{id} needs torch or numpy for most of its answers."
    for one, right in zip(found, wanted, strict=True):
        assert wordless(one) == right or one not in without


def test_too_deep_a_recursion_is_said(bare):
    (found,) = bare.evaluate(
        ANSWER, ["10.2", ["def answer_0(width, heads): return answer_0(width, heads)"]]
    )
    assert found.startswith("Almost: your function raised RecursionError")


@pytest.mark.wcag("4.1.3")
def test_an_endless_loop_is_stopped_and_python_comes_again(bare):
    """The page's clock is put forward, so that nothing has to burn for ten seconds."""
    field = bare.get_by_label("Your answer to exercise 10.2")
    status = field.locator("xpath=following-sibling::p[@role='status'][1]")
    button = field.locator("xpath=following-sibling::div[1]/button")
    field.fill("def answer_0(width, heads):\n    while True:\n        pass")
    button.click()
    expect(status).to_have_text("Running …")
    bare.wait_for_timeout(300)  # until the worker has said that it runs
    bare.clock.fast_forward(10_000)
    expect(status).to_contain_text("Almost: your code still ran after 10 seconds")
    button.click()
    expect(status).to_have_text("Loading Python …")


@pytest.mark.wcag("4.1.3")
def test_what_cannot_be_fetched_is_named(new_page, bare_folder):
    with serving(bare_folder, missing=["course.zip"]) as address:
        page = new_page()
        page.goto(f"{address}/index.html")
        page.get_by_role("button", name="Check here").first.click()
        status = page.get_by_role("status").first
        expect(status).to_have_text("Not checked: course.zip could not be fetched (status 404).")
        expect(page.get_by_role("button").first).not_to_have_attribute("aria-disabled", "true")


# On the pages of the book

CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
ASSIGNMENTS = [name for name in PAGES if name.startswith("assignments/")]


@pytest.mark.parametrize("name", [*CHAPTERS, *ASSIGNMENTS])
def test_every_exercise_leads_to_its_notebook_and_shows_no_dead_output(site, name):
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(html, "html.parser")
    notebook = json.loads((ROOT / f"{name}.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    stubs = [notebook["cells"][n - 1] for n, text in enumerate(sources) if text[:6] == "check("]
    links = [place.a["href"] for place in soup.select(".clx")]
    assert len(links) == len(stubs) >= 3
    for link, stub in zip(links, stubs, strict=True):
        address, _, cell = link.partition("#scrollTo=")
        assert address.endswith(f"/{name}.ipynb")
        assert cell == stub["metadata"].get("id", "")
        assert bool(cell) == name.startswith("chapters/")
    assert soup.select(".tag_check .cell_output") == []
    here = {place["data-exercise"] for place in soup.select(".clx[data-answers]")}
    assert here == {id for id in course.PLAIN if f'check("{id}"' in "\n".join(sources)}
    assert bool(here) == ("exercises/page.js" in html)


@pytest.mark.wcag("2.1.1", "2.1.2", "3.3.2")
def test_goes_by_keyboard(open_page):
    page = open_page("chapters/02_notation").page
    field = page.get_by_label("Your answer to exercise 02.1, in Python")
    expect(field).to_have_value("def multiples(k, m):\n    ...")
    field.fill("def multiples(k, m):")
    field.press("Enter")
    page.keyboard.type("return 1")
    page.keyboard.press("Enter")
    page.keyboard.type("# done")
    expect(field).to_have_value("def multiples(k, m):\n    return 1\n    # done")
    page.keyboard.press("Tab")
    button = page.locator(".clx-act button").first
    expect(button).to_be_focused()
    expect(button.locator("xpath=following-sibling::span")).to_contain_text("MB: Python itself")
    page.close()
