"""What must hold on every page, in both themes, on a wide screen and on a telephone."""

import pytest

from tools import page_weight

from .axe import COLORS, all_violations, color_violations, said, violations

# Text that the reader sees, outside code and typeset formulas.
PROSE = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const out = [];
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement;
    if (!parent.closest('pre, code, script, style, mjx-container')) out.push(walk.currentNode.data);
  }
  return out.join(' ');
}"""

WORDS = ["frac", "math", "bold", "begin", "text", "ell"]
RAW_TEX = ["\\(", "\\)", "\\[", "$$", *(f"\\{word}" for word in WORDS)]


@pytest.mark.wcag("1.4.4", "1.4.10")
def test_does_not_scroll_sideways(visit):
    width, window = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window, f"{visit.name} is {width} px wide in a window of {window} px"


def test_code_stays_in_its_box(visit):
    """On a wide screen; on a telephone code scrolls in its box, by keyboard too."""
    cut = visit.page.evaluate(
        """[...document.querySelectorAll('article pre')]
           .filter(e => e.scrollWidth > e.clientWidth)
           .map(e => [e.textContent.slice(0, 80), e.tabIndex])"""
    )
    if visit.page.viewport_size["width"] > 390:
        assert cut == []
    else:
        assert [text for text, stop in cut if stop != 0] == []


def test_leaves_no_raw_tex(visit):
    prose = visit.page.evaluate(PROSE)
    assert [mark for mark in RAW_TEX if mark in prose] == []
    untypeset = ".math:not(:has(mjx-container)), mjx-merror, [data-mjx-error]"
    assert visit.page.locator(untypeset).all_text_contents() == []


# What readers may ask of any page: WCAG 2.1, success criterion 1.4.12.
MORE_SPACE = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important; } p { margin-bottom: 2em !important; }"""


@pytest.mark.wcag("1.4.10", "1.4.12")
def test_reads_in_320_pixels_and_with_more_space(visit):
    """On the narrowest screen that WCAG asks for, and with letters and lines farther apart."""
    page = visit.page
    if page.viewport_size["width"] > 390:
        return
    page.set_viewport_size({"width": 320, "height": 900})
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits), visit.name
    style = page.add_style_tag(content=MORE_SPACE)
    assert page.evaluate(fits), f"{visit.name}, with more space"
    style.evaluate("style => style.remove()")
    page.set_viewport_size({"width": 390, "height": 900})


@pytest.mark.wcag("1.1.1")
def test_describes_its_pictures(visit):
    """Real words, not nothing and not a file name, which axe would accept."""
    pictures = visit.page.evaluate(
        """[...document.querySelectorAll('img, [role=img]')].map(e => [
             e.tagName === 'IMG' ? e.getAttribute('alt') : e.getAttribute('aria-label'),
             e.getAttribute('src') ?? e.tagName, e.getAttribute('role')])"""
    )
    for words, source, role in pictures:
        assert words is not None, f"{source} has no alternative text"
        assert words or role == "presentation", f"{source} has an empty alternative text"
        is_file_name = words.lower().endswith((".png", ".svg", ".jpg", ".jpeg"))
        assert not is_file_name, f"{words} is a file name"


# What is wrong with a page's figures: parts of them that stick out or have to be scrolled to, words
# that are cut or small, small pictures. Demos have tests of their own.
FIGURES = """() => {
  const wrong = [];
  const inside = (a, b, by = 1.5) => a.left >= b.left - by && a.right <= b.right + by
                                  && a.top >= b.top - by && a.bottom <= b.bottom + by;
  const box = e => e.getBoundingClientRect();
  const shown = [...document.querySelectorAll('.cliplab-figure svg, article img')]
    .filter(e => !e.closest('.cld') && box(e).width);
  for (const e of shown) {
    if (box(e).left < 0 || box(e).right > innerWidth) wrong.push(`${e.tagName}: beyond the page`);
    for (let p = e.parentElement; p && p.tagName !== 'ARTICLE'; p = p.parentElement)
      if (p.scrollWidth > p.clientWidth + 1 && getComputedStyle(p).overflowX !== 'visible')
        wrong.push(`${e.tagName}: has to be scrolled to`);
    for (const text of e.querySelectorAll('text')) {
      const scale = Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
      const size = parseFloat(getComputedStyle(text).fontSize) * scale;
      if (size < 10.95) wrong.push(`${text.textContent}: ${size.toFixed(1)} px`);
      if (!inside(box(text), box(e))) wrong.push(`${text.textContent}: cut`);
    }
    const pictures = [...e.querySelectorAll('image')]
      .filter(one => getComputedStyle(one).imageRendering !== 'pixelated');
    for (const picture of e.tagName === 'IMG' ? [e] : pictures)
      if (box(picture).width < 95.5 || box(picture).height < 95.5)
        wrong.push(`a picture: ${box(picture).width} × ${box(picture).height} px`);
  }
  return wrong;
}"""


@pytest.mark.wcag("1.4.4", "1.4.10")
def test_figures_are_whole_and_large_enough(visit):
    """Nothing cut, nothing to scroll, words of 11 px or more, pictures of 96."""
    assert visit.page.evaluate(FIGURES) == []


@pytest.mark.wcag("1.1.1", "1.3.1", "1.4.1", "1.4.3", "1.4.4", "2.1.1", "2.2.2", "2.4.1", "2.4.2",
                  "2.4.4", "2.4.6", "3.1.1", "3.3.2", "4.1.2")  # fmt: skip
def test_is_accessible(visit):
    """axe-core finds nothing serious or critical."""
    found = all_violations(visit.page, visit.known)
    grave = said(one for one in found if one["impact"] in ("serious", "critical"))
    assert grave == [], "\n".join(grave)


@pytest.mark.wcag("2.4.2", "3.1.1")
def test_says_what_it_is(visit):
    """A language, a title of its own and a description for search engines and link previews."""
    assert visit.page.get_attribute("html", "lang") == "en"
    assert visit.page.title().strip()
    if visit.name not in ("search", "genindex"):
        assert len(visit.page.get_attribute("meta[name=description]", "content")) > 40


@pytest.mark.wcag("2.1.1")
def test_what_overflows_can_be_scrolled_by_keyboard(visit):
    stuck = visit.page.evaluate(
        """[...document.querySelectorAll('.cliplab-scroll, .pst-scrollable-table-container')]
           .filter(e => e.scrollWidth > e.clientWidth && e.tabIndex !== 0)
           .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert stuck == []


def test_is_light(visit, site, address):
    """No more scripts, styles and fonts, in all looks so far, than a part of what it sent once."""
    sent = page_weight.fetched(visit.page, address, site)
    formulas = 'class="math ' in (site / f"{visit.name}.html").read_text(encoding="utf-8")
    assert 100_000 < sent <= page_weight.allowed(visit.name, formulas), f"{sent:,} bytes"


# Last of a look: what it asked for, and what it complained of, while the tests above went on


def test_asks_no_other_host(visit):
    assert visit.outside == []


def test_raises_no_error(visit):
    assert visit.errors == []
    assert visit.failed == []


# The instrument

FAINT = "color: #bbb"
FAULTS = {
    "its own color": f'<p>a</p><p>b <span style="{FAINT}">faint</span></p>',
    "a background of its own": '<p>a</p><p style="background: #333">faint</p>',
    "a background far behind": '<p>a</p><div style="background: #333"><i><p>faint</p></i></div>',
    "opacity": '<p>a</p><div style="opacity: .4"><p>faint</p></div>',
    "small where large passes": '<p style="font-size: 30px; color: #888">a</p>'
    '<p style="color: #888">faint</p>',
    "moved over another": '<p>a</p><div style="background: #333; height: 60px"></div>'
    '<p style="position: relative; top: -50px">faint</p>',
    "the second of its kind, moved": '<p style="position: absolute; top: 0">a</p>'
    '<div style="background: #333; height: 60px; margin-top: 60px"></div>'
    '<p style="position: absolute; top: 75px">faint</p>',
    "a margin that pulls it over another": '<p>a</p><div style="background: #333; height: 90px">'
    '</div><p style="margin-top: -60px">faint</p>',
    "a word in code": f'<pre><b>a</b> <b>b</b> <b style="{FAINT}">faint</b></pre>',
    "a link like its text": "<p>words before it <a href='#' style='color: #111; text-decoration: "
    "none'>faint</a> and words after it</p>",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_of_a_kind_is_enough(new_page, fault):
    """What axe finds wrong with colors when it looks at everything is found by kinds as well."""
    page = new_page(viewport={"width": 600, "height": 600})
    page.set_content(f"<html lang=en><style>* {{ margin: 8px }}</style><body>{fault}</body></html>")
    found = said(color_violations(page))
    assert found == said(violations(page, {"include": [["html"]]}, runOnly=COLORS))
    assert found
    assert "faint" in found[0]


def figure(inner, box=""):
    return f'<article><figure class="cliplab-figure"><div style="{box}">{inner}</div></figure>'


SVG = '<svg viewBox="0 0 100 100" width="100" style="display: block">{}</svg>'
WORD = '<text x="{}" y="50" style="font: {}px sans-serif">word</text>'


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (figure(SVG.format(WORD.format(10, 11))), []),
        (figure(SVG.format(WORD.format(10, 10))), ["word: 10.0 px"]),
        (figure(SVG.format(WORD.format(90, 12))), ["word: cut"]),
        (figure(SVG.format(""), "width: 50px; overflow: auto"), ["svg: has to be scrolled to"]),
        (figure(SVG.format(""), "margin-left: 550px"), ["svg: beyond the page"]),
        (figure(SVG.format('<image width="96" height="96"/>')), []),
        (figure(SVG.format('<image width="60" height="96"/>')), ["a picture: 60 × 96 px"]),
    ],
    ids=["right", "small", "cut", "scrolled", "beyond", "picture", "small picture"],
)
def test_a_fault_in_a_figure_is_found(new_page, content, found):
    page = new_page(viewport={"width": 600, "height": 600})
    page.set_content(content)
    assert page.evaluate(FIGURES) == found
