"""A wide table of measurements that scrolls inside itself and is sorted by its heads.

Without the script that sorts the table is whole, and its heads are text.
"""

from html import escape


def wide_table(label, heads, rows, versions):
    """The HTML of a table, below what it was run with, {name: version}.

    Heads and rows are HTML, each row a head and its cells.
    """
    run_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for head, cells in rows
    )
    return (
        f"<p>Run with {escape(run_with)}.</p>"
        f'<div class="wide-table" role="region" aria-label="{escape(label)}" tabindex="0">'
        f'<table class="sortable"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def code(text):
    return f"<code>{escape(text)}</code>"


def equip(app, pagename, templatename, context, doctree):
    """Give a page that holds such a table the script that sorts it."""
    if 'class="sortable"' in context.get("body", ""):
        app.add_js_file("sortable.js", loading_method="defer")


def setup(app):
    app.connect("html-page-context", equip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
