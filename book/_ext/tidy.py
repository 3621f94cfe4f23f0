"""Leave out of every page what it never uses, and describe each page in its head.

Jupyter Book switches on sphinx-thebe and sphinx-comments with no way to switch them off. Thebe
names an outside host in every page and declares its constants twice: an error in the browser.
"""

from html import escape

from docutils import nodes

UNUSED = ("sphinx_thebe", "sphinx_comments")


def disconnect_unused(app, config):
    """Forget what the unused extensions wanted to do at later events."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if not one.handler.__module__.startswith(UNUSED)]


def drop_leftovers(app, pagename, templatename, context, doctree):
    """Keep the first of several equal script tags, and no link to a style sheet of the unused."""
    context["css_files"] = [css for css in context["css_files"] if "thebe" not in str(css.filename)]
    kept = {}
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        kept.setdefault((str(getattr(script, "filename", script)), body), script)
    context["script_files"] = list(kept.values())
    # ARIA lets a list hold list items; docutils' entries of a bibliography are something else.
    body = context.get("body", "")
    context["body"] = body.replace('role="list" class="citation', 'class="citation')


def describe(app, pagename, templatename, context, doctree):
    """Make the page's first paragraph its description, for search engines and link previews."""
    if doctree is None:
        return
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40:
            short = text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " …"
            context["metatags"] += f'\n<meta name="description" content="{escape(short)}"/>'
            return


def setup(app):
    app.connect("config-inited", disconnect_unused)
    app.connect("html-page-context", drop_leftovers, priority=999)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
