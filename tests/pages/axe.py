"""What axe-core finds on a page, and how little it has to look at to find it in every look.

A look is a theme at a width. Two of axe's rules read colors; they are asked in every look, once for
each kind of text. The others read the tree and the boxes; they are asked again where these differ.
"""

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


def color_violations(page):
    """What axe's rules on colors find on a page, each kind of text looked at once."""
    return violations(page, page.evaluate_handle(f"{{ include: ({KINDS})() }}"), runOnly=COLORS)


def other_violations(page):
    """What all other rules of axe find on a page."""
    context = {"include": [["html"]], "exclude": FORMULAS}
    return violations(page, context, rules={rule: {"enabled": False} for rule in COLORS})


def said(violations):
    """One line for each element in which something is wrong."""
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for one in violations
        for node in one["nodes"]
    ]
