"""What must hold on every page, in both themes, on a wide screen and on a telephone."""

from axe_playwright_python.sync_playwright import Axe

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


def test_asks_no_other_host(visit):
    assert visit.outside == []


def test_raises_no_error(visit):
    assert visit.errors == []
    assert visit.failed == []


def test_does_not_scroll_sideways(visit):
    width, window = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= window, f"{visit.name} is {width} px wide in a window of {window} px"


def test_leaves_no_raw_tex(visit):
    prose = visit.page.evaluate(PROSE)
    assert [mark for mark in RAW_TEX if mark in prose] == []
    untypeset = ".math:not(:has(mjx-container)), mjx-merror, [data-mjx-error]"
    assert visit.page.locator(untypeset).all_text_contents() == []


def test_describes_its_pictures(visit):
    """Real words, not nothing and not a file name, which axe would accept."""
    pictures = visit.page.evaluate(
        """[...document.querySelectorAll('img, svg[role=img]')].map(e => [
             e.tagName === 'IMG' ? e.getAttribute('alt') : e.getAttribute('aria-label'),
             e.getAttribute('src') ?? 'svg', e.getAttribute('role')])"""
    )
    for words, source, role in pictures:
        assert words is not None, f"{source} has no alternative text"
        assert words or role == "presentation", f"{source} has an empty alternative text"
        is_file_name = words.lower().endswith((".png", ".svg", ".jpg", ".jpeg"))
        assert not is_file_name, f"{words} is a file name"


def test_is_accessible(visit):
    """axe-core finds nothing serious or critical; the glyphs inside a formula are MathJax's."""
    page = {"include": [["html"]], "exclude": [["mjx-math"], ["mjx-assistive-mml"]]}
    options = {"preload": False, "resultTypes": ["violations"]}
    found = Axe().run(visit.page, context=page, options=options).response["violations"]
    grave = [
        f"{one['impact']} {one['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
    assert grave == [], "\n".join(grave)


def test_says_what_it_is(visit):
    """A language, a title of its own and a description for search engines and link previews."""
    assert visit.page.get_attribute("html", "lang") == "en"
    assert visit.page.title().strip()
    if visit.name not in ("search", "genindex"):
        assert len(visit.page.get_attribute("meta[name=description]", "content")) > 40
