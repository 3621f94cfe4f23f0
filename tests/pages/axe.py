"""What axe-core finds on a page, and how little it has to look at to find it in every look.

A look is a theme at a width. Two of axe's rules read colors; they are asked in every look, once for
each kind of text. The others read the tree and the boxes; they are asked again where these differ.
"""

from contextlib import contextmanager

from axe_playwright_python.base import AXE_SCRIPT

COLORS = ["color-contrast", "link-in-text-block"]
FORMULAS = [["mjx-math"], ["mjx-assistive-mml"]]  # what is inside a formula is MathJax's

# One element of each kind of text, for axe's `include`. Texts are of one kind if they and all that
# lies behind them have the same style, and the flow puts them into the same box; what is moved out
# of it, and may lie over something else, is a box of its own. Links and drawings stay one by one.
KINDS = """() => {
  const kinds = new Set();
  const found = [];
  let boxes = 0;
  const walk = (element, behind, box) => {
    if (element.matches("mjx-container, script, style")) return;
    const css = getComputedStyle(element);
    if (css.display === "none") return;
    const offset = [css.top, css.right, css.bottom, css.left].some((side) => parseFloat(side));
    const moved = css.position === "relative" ? offset : css.position !== "static";
    if (moved || css.transform !== "none" || css.float !== "none" || /-\\d/.test(css.margin)) {
      box = ++boxes;
    }
    behind += [css.backgroundColor, css.backgroundImage, css.opacity, css.filter,
               css.mixBlendMode, css.clipPath, css.boxShadow, ""].join();
    if ([...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim())) {
      const kind = [box, behind, css.color, css.fontSize, css.fontWeight, css.visibility,
                    css.textShadow, css.webkitTextStroke, css.webkitTextFillColor].join();
      if (!kinds.has(kind) || element.closest("a, svg")) found.push(element);
      kinds.add(kind);
    }
    for (const child of element.children) walk(child, behind, box);
  };
  walk(document.body, "", 0);
  return found;
}"""

# axe reads every element several times, and of a chapter's two in three are glyphs of its formulas
# or words of its code. For as long as axe looks, glyphs are taken out of boxes that keep their
# sizes, and words in whose color it is not interested become plain text. `restore` gives all of it
# back.
LIGHTEN = """(kept) => {
  kept = new Set(kept);
  const formulas = [...document.querySelectorAll("mjx-container > mjx-math")];
  const boxes = formulas.map((one) => [getComputedStyle(one).width, getComputedStyle(one).height]);
  const codes = [...document.querySelectorAll(".highlight pre")];
  const undo = [...formulas, ...codes].map((one) => {
    const [inside, style] = [[...one.childNodes], one.getAttribute("style")];
    return () => {
      one.replaceChildren(...inside);
      one.setAttribute("style", style);
      if (style === null) one.removeAttribute("style");
    };
  });
  formulas.forEach((one, i) => {
    one.replaceChildren();
    [one.style.width, one.style.height] = boxes[i];
  });
  for (const code of codes) {
    const plain = (one) => (one.children?.length || kept.has(one) ? one : one.textContent);
    code.replaceChildren(...[...code.childNodes].map(plain));
  }
  window.restore = () => undo.forEach((one) => one());
}"""

# The tree with its boxes, as text.
BOXES = """() => {
  const boxes = [...document.body.querySelectorAll("*")].map((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height, element.checkVisibility({ visibilityProperty: true })].join();
  });
  return document.body.outerHTML + boxes.join(";");
}"""


def violations(page, context, **options):
    """What axe finds in the parts of a page that `context` names: axe.run's own first argument."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"preload": False, "resultTypes": ["violations"], **options}
    return page.evaluate(
        "async ([context, options]) => (await axe.run(context, options)).violations",
        [context, options],
    )


@contextmanager
def lightened(page, kept):
    """The page without what axe need not read, but for the elements that are `kept`."""
    page.evaluate(LIGHTEN, kept)
    try:
        yield
    finally:
        page.evaluate("restore()")


def color_violations(page):
    """What axe's rules on colors find on a page, each kind of text looked at once."""
    kinds = page.evaluate_handle(f"({KINDS})()")
    with lightened(page, kinds):
        return violations(page, {"include": kinds}, runOnly=COLORS)


def other_violations(page, within):
    """What all other rules of axe find in these elements of a page."""
    context = {"include": [[within]], "exclude": FORMULAS}
    with lightened(page, []):
        return violations(page, context, rules={rule: {"enabled": False} for rule in COLORS})


def all_violations(page, known, within="html"):
    """What axe finds on a page, but for what needs no second look.

    within: where its rules are asked that do not read colors.
    known: the trees and boxes that its other rules have seen, in another theme; this one is added.
    """
    found = color_violations(page)
    boxes = page.evaluate(BOXES)
    if boxes not in known:
        found += other_violations(page, within)
        known.append(boxes)
    return found


def said(violations):
    """One line for each element in which something is wrong."""
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for one in violations
        for node in one["nodes"]
    ]
