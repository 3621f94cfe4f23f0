"""The printed course, of two chapters: bookmarks, numbers, links, and what is folded at its end."""

import io
import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from pypdf.generic import Destination

from tools import pdf
from tools.joined import END, STYLE, Course, key, parts

from .conftest import PAGES

FIRST, SECOND = "chapters/02_notation", "chapters/06_masks"
OTHERS = ["book/pipelines", "book/playground", "book/intro"]  # with what those two have not


@pytest.fixture(scope="module")
def printed(browser, site, tmp_path_factory):
    out = tmp_path_factory.mktemp("printed") / "course.pdf"
    pdf.print_course(browser, site, {"": [FIRST], "Chapters": [SECOND]}, out)
    return out.read_bytes()


@pytest.fixture(scope="module")
def reader(printed):
    return PdfReader(io.BytesIO(printed))


@pytest.fixture(scope="module")
def texts(reader):
    """The text of each page, its number first, with single spaces."""
    return [" ".join(page.extract_text().split()) for page in reader.pages]


def flat(outline):
    for one in outline:
        yield from [one] if isinstance(one, Destination) else flat(one)


def headings(site, name):
    soup = BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
    for link in soup.select("a.headerlink"):
        link.decompose()
    return [one.get_text(" ", strip=True) for one in soup.select("article :is(h1, h2, h3)")]


def test_every_page_of_the_book_is_printed_in_its_order():
    assert [name for names in parts().values() for name in names] == PAGES


def test_every_class_of_its_style_is_on_a_page(site):
    """A rule for a class that was renamed would leave a wide table as it is on a screen."""
    style = re.sub(r"/\*.*?\*/", "", STYLE.read_text(encoding="utf-8"), flags=re.DOTALL)
    wanted = set(re.findall(r"\.([a-z][\w-]*)", style))
    html = Course(site, {"": [FIRST], "Chapters": [SECOND], "More": OTHERS}).html()
    found = {name for names in re.findall('class="([^"]*)"', html) for name in names.split()}
    assert "wide-table" in wanted
    assert wanted - found == set()


def test_bookmarks_are_the_headings(reader, site):
    titles = [" ".join(one.title.split()) for one in flat(reader.outline)]
    wanted = [*headings(site, FIRST), "Contents", "Chapters", *headings(site, SECOND), END]
    assert [title for title in titles if title in wanted][: len(wanted)] == wanted
    depth = [type(one) is list for one in reader.outline]
    assert any(depth), "the bookmarks are a tree"


def test_pages_are_numbered_and_the_contents_name_the_numbers(reader, printed, texts):
    assert len(texts) > 15
    assert [n for n, text in enumerate(texts[1:], start=2) if not text.startswith(f"{n} ")] == []
    number = pdf.pages_of(printed)[key(SECOND)]
    (contents,) = [text for text in texts if re.match(r"\d+ Contents ", text)]
    assert re.search(rf"6 · Masks, and where 77 comes from {number}\b", contents)
    assert "6 · Masks, and where 77 comes from" in texts[number - 1]


def test_links_lead_into_the_document_or_to_the_web(reader):
    known = {name.lstrip("/") for name in reader.named_destinations}
    inside, outside = set(), set()
    for page in reader.pages:
        for link in (one.get_object() for one in page.get("/Annots", [])):
            if "/Dest" in link:
                inside.add(link["/Dest"].lstrip("/"))
            else:
                outside.add(link["/A"]["/URI"])
    assert len(inside) > 30
    assert inside <= known
    assert len(outside) > 5
    assert [address for address in outside if not address.startswith("https://")] == []


def test_solutions_and_answers_stand_at_the_end(texts):
    """The solution of 02.1, the answers of the quiz, and the table of the first figure."""
    end = next(n for n, text in enumerate(texts) if re.match(rf"\d+ {END}", text))
    for words in ("Solution", "Right.", "Not quite."):
        assert [n for n, text in enumerate(texts) if words in text and n < end] == [], words
        assert any(words in text for text in texts[end:])
    assert sum(text.count("at the end") for text in texts[:end]) > 20


def test_formulas_are_typeset_and_it_is_tagged(reader, texts):
    assert [text for text in texts if "\\mathbb" in text or "\\boldsymbol" in text] == []
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert reader.metadata.title == "Text Encoders for Image Generation"
