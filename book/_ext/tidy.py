"""Leave out of every page what it never uses, and describe each page in its head.

Jupyter Book switches on sphinx-thebe and sphinx-comments with no way to switch them off. Thebe
names an outside host in every page and declares its constants twice: an error in the browser.
"""

import re
from html import escape

from chapter_list import TIME
from docutils import nodes

UNUSED = ("sphinx_thebe", "sphinx_comments")

# Scripts and style sheets, by their names or the beginnings of their texts, and the element without
# which a page has no use for them. (The theme's own head and sidebar have none of these.)
SERVES = {
    r"mathjax|window\.MathJax": r'class="math ',
    r"copybutton|clipboard": r'class="highlight',
    r"togglebutton|let toggle": r'class="[^"]*(?<![\w-])(?:toggle|dropdown)(?![\w-])',
    r"design-tabs": r'class="sd-tab-set',
    r"sphinx-design": r'class="sd-',
    r"exercise\.css": r'class="[^"]*\bexercise\b',
    r"proof\.css": r'class="proof',
    r"mystnb": r'class="cell',
}


def disconnect_unused(app, config):
    """Forget what the unused extensions wanted to do at later events."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith(UNUSED)]


def drop_leftovers(app, pagename, templatename, context, doctree):
    """Keep the first of several equal script tags, and nothing that is of no use to this page."""
    body = context.get("body", "")
    useless = [what for what, element in SERVES.items() if not re.search(element, body)]
    pattern = re.compile("|".join(["thebe", *useless]))

    def kept(assets):
        """The assets in their order, each once."""
        named = {(str(getattr(one, "filename", one)), text_of(one)): one for one in assets}
        return [one for name, one in named.items() if not pattern.search(" ".join(name))]

    context["css_files"] = kept(context["css_files"])
    context["script_files"] = kept(context.get("script_files", []))
    # ARIA lets a list hold list items; docutils' entries of a bibliography are something else.
    context["body"] = body.replace('role="list" class="citation', 'class="citation')


def text_of(asset):
    """What a script has between its tags."""
    return getattr(asset, "attributes", {}).get("body") or ""


def describe(app, pagename, templatename, context, doctree):
    """Make the page's first paragraph its description, for search engines and link previews."""
    if doctree is None:
        return
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40 and not TIME.fullmatch(text):
            short = text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " …"
            context["metatags"] += f'\n<meta name="description" content="{escape(short)}"/>'
            return


def setup(app):
    app.connect("config-inited", disconnect_unused)
    app.connect("html-page-context", drop_leftovers, priority=999)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
