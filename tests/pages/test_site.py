"""What must hold of the site as a whole: links, search, themes, launch buttons, the keyboard."""

import re
from itertools import pairwise
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from .conftest import PAGES, ROOT

REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
CHAPTERS = [name for name in PAGES if name.startswith("chapters/")]
ASSIGNMENTS = [name for name in PAGES if name.startswith("assignments/")]
NOTEBOOKS = [*CHAPTERS, *ASSIGNMENTS, "book/questions"]


@pytest.fixture(scope="module")
def soups(site):
    """Every page of the site, parsed."""
    files = [path for path in site.rglob("*.html") if "_static" not in path.parts]
    return {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in files}


@pytest.mark.wcag("2.4.4")
def test_internal_links_resolve(soups):
    """File and fragment, of every link, picture, script and style sheet."""
    anchors = {
        path.resolve(): {element["id"] for element in soup.select("[id]")}
        for path, soup in soups.items()
    }
    broken = []
    for path, soup in soups.items():
        for element in soup.select("[href], [src]"):
            link = urlsplit(element.get("href") or element.get("src"))
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path.resolve()
            fragment = unquote(link.fragment)
            lost = fragment and target in anchors and fragment not in anchors[target]
            if not target.exists() or lost:
                broken.append(f"{path.name} -> {link.geturl()}")
    assert broken == []


def test_links_into_the_repository_name_its_files(soups):
    start = f"{REPOSITORY['url']}/blob/{REPOSITORY['branch']}/"
    linked = {
        urlsplit(a["href"].removeprefix(start)).path
        for soup in soups.values()
        for a in soup.select(f'a[href^="{start}"]')
    }
    assert linked
    assert [path for path in sorted(linked) if not (ROOT / path).is_file()] == []


def test_every_icon_is_drawn(site, soups):
    """The style sheet that was cut down has each icon that a page names, and a font its glyph."""
    icons = {name for soup in soups.values() for one in soup.select("i[class*=fa-]")
             for name in one["class"] if name.startswith("fa-")}  # fmt: skip
    (home,) = site.glob("_static/vendor/fontawesome/*")
    glyphs = set().union(*(TTFont(path).getBestCmap() for path in home.glob("webfonts/*.woff")))
    style = (home / "css" / "all.min.css").read_text(encoding="utf-8")
    drawn = dict(re.findall(r'\.(fa-[a-z-]+):before\{content:"\\(\w+)"', style))
    assert len(icons) > 10
    for name in icons - {"fa-solid", "fa-brands", "fa-regular", "fa-lg"}:
        assert int(drawn[name], 16) in glyphs, name


def test_index_leads_to_the_landing_page(new_page, address):
    page = new_page()
    page.goto(address)
    page.wait_for_url(f"**/{PAGES[0]}.html")


@pytest.mark.wcag("2.4.5", "3.2.3")
def test_previous_and_next_follow_the_contents(site, soups):
    files = [site / f"{name}.html" for name in PAGES]
    for before, after in pairwise(files):
        following = soups[before].select_one("a.right-next")["href"]
        assert (before.parent / following).resolve() == after
        previous = soups[after].select_one("a.left-prev")["href"]
        assert (after.parent / previous).resolve() == before


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_open_in_colab(site, soups, notebook):
    owner_and_name = REPOSITORY["url"].removeprefix("https://github.com/")
    expected = (
        f"https://colab.research.google.com/github/{owner_and_name}"
        f"/blob/{REPOSITORY['branch']}/{notebook}.ipynb"
    )
    assert expected in [a["href"] for a in soups[site / f"{notebook}.html"].select("a[href]")]


@pytest.mark.wcag("2.4.5")
def test_search_leads_to_a_chapter(open_page):
    page = open_page("search").page
    page.fill("main input[name=q], input[name=q]:visible", "tokenizer")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results li a")
    results = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    page.close()
    assert any("/chapters/" in result for result in results), results


def test_theme_is_chosen_and_kept(new_page, address):
    page = new_page(color_scheme="light")
    page.goto(f"{address}/{PAGES[1]}.html")
    theme = "document.documentElement.dataset.theme"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(3):  # the button goes round: auto, light, dark
        if page.evaluate(theme) != "dark":
            page.click("button.theme-switch-button:visible")
    assert page.evaluate(theme) == "dark"
    page.reload()
    assert page.evaluate(theme) == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.wcag("2.2.2")
def test_nothing_moves_for_those_who_ask_for_less_motion(open_page):
    """The pages' contexts ask for it; the theme's sidebar, for one, would slide in."""
    page = open_page(PAGES[0]).page
    moving = page.evaluate("""[...document.querySelectorAll('*')].filter((one) => {
      const { transitionDuration, animationName } = getComputedStyle(one);
      return animationName !== 'none' || /[1-9]/.test(transitionDuration);
    }).map((one) => String(one.className))""")
    page.close()
    assert moving == []


@pytest.mark.wcag("2.1.1", "2.4.1")
def test_keyboard_reaches_the_text(open_page):
    page = open_page(PAGES[1]).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#main-content') !== null")
    page.close()


def test_opens_from_the_file_system(open_page, site):
    """With no server at all: the pages render, formulas too."""
    here = site.as_uri()
    for name in (PAGES[0], *CHAPTERS):
        visit = open_page(name, base=here)
        assert visit.outside == []
        assert visit.errors == []
        formulas = visit.page.locator("article .math").count()
        typeset = visit.page.locator("article .math mjx-container").count()
        visit.page.close()
        assert typeset >= formulas
