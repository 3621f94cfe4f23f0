"""Prints the built book as one PDF, with bookmarks, page numbers and links inside.

    python tools/pdf.py                       what `make pdf` does
    python tools/pdf.py --site FOLDER         a book that was built elsewhere

The pages are joined into one document, and Chromium prints it. What is folded on a page (hints,
solutions, answers, the tables of figures) stands at the end, and a link leads there and back.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from playwright.sync_api import Browser
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.chromium import chromium  # noqa: E402
from tools.joined import Course, Parts, parts  # noqa: E402
from tools.serve import serving  # noqa: E402

PATIENCE = 600_000  # ms; a guard against hangs
TYPESET = "async () => { await window.MathJax?.startup?.promise; await document.fonts.ready; }"
NUMBER = """numbers => document.querySelectorAll("[data-page]").forEach(
  (one) => { one.textContent = numbers[one.dataset.page]; })"""
FORM = {"prefer_css_page_size": True, "print_background": True, "scale": 0.75, "outline": True,
        "tagged": True}  # fmt: skip


def pages_of(pdf: bytes) -> dict[str, int]:
    """Id → number of the page on which the element with that id stands."""
    reader = PdfReader(io.BytesIO(pdf))
    places = reader.named_destinations.items()
    return {
        name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places
    }


def print_course(browser: Browser, site: Path, parts: Parts, out: Path) -> None:
    """Write the PDF of these parts of the built book."""
    html = Course(site, parts).html()
    with serving(site) as address:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.route(
            f"{address}/course.html",
            lambda route: route.fulfill(body=html, content_type="text/html"),
        )
        page.emulate_media(media="print", color_scheme="light")
        page.goto(f"{address}/course.html")
        page.evaluate(TYPESET)
        page.evaluate(NUMBER, pages_of(page.pdf(**FORM)))
        out.parent.mkdir(parents=True, exist_ok=True)
        page.pdf(path=out, **FORM)
        page.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--site", type=Path, default=ROOT / "_build/html", metavar="FOLDER", help="the built book")
    add("--out", type=Path, default=ROOT / "_build/course.pdf", metavar="FILE", help="the PDF")
    options = parser.parse_args()
    if not (options.site / "index.html").is_file():
        sys.exit(f"There is no book in {options.site}. Build it first: make book.")
    with chromium() as browser:
        print_course(browser, options.site, parts(), options.out)
    pages = len(PdfReader(options.out).pages)
    print(f"{options.out}: {pages} pages, {options.out.stat().st_size / 1e6:.0f} MB.")


if __name__ == "__main__":
    main()
