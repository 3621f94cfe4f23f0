"""Exercises on the pages: they say where they can be answered, and some are answered right there.

A check's stored line, "Not yet", belongs to the notebook and is left out here. What the answering
takes is in `classroom/page`; a page with no such exercise gets none of it.
"""

import ast
import gzip
import hashlib
from html import escape
from pathlib import Path

from docutils import nodes

from classroom import page

ASSETS = Path(__file__).parent.parent / "assets"


def assemble(app):
    """Write the scripts and the course's archive before the pages; their checksum is in page.js."""
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / "exercises"
        page.write(folder)
        sent = [*folder.iterdir(), *(ASSETS / "vendor" / "pyodide").iterdir()]
        app.config.exercise_bytes = sum(map(transferred, sent))
        content = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
        with (folder / "page.js").open("a", encoding="utf-8") as script:
            script.write(f"// {hashlib.sha256(content).hexdigest()[:16]}\n")


def transferred(path):
    """The bytes of a file over the wire: hosts compress scripts."""
    if path.name.startswith("LICENSE"):
        return 0
    content = path.read_bytes()
    return len(gzip.compress(content) if path.suffix in (".js", ".mjs") else content)


def lead_to_notebook(app, doctree):
    """Below each check: where the exercise is answered. Its output is taken away."""
    for cell in list(doctree.findall(is_check)):
        for output in [part for part in cell if part.get("nb_element") == "cell_code_output"]:
            cell.remove(output)
        call = ast.parse(cell.astext()).body[-1].value
        id = ast.literal_eval(call.args[0])
        stub = cell.parent[cell.parent.index(cell) - 1]
        html = place(app, id, ", ".join(map(ast.unparse, call.args[1:])), stub["cell_metadata"])
        cell.parent.insert(cell.parent.index(cell) + 1, nodes.raw("", html, format="html"))


def is_check(node):
    return isinstance(node, nodes.container) and "tag_check" in node["classes"]


def place(app, id, answers, stub):
    """The HTML of what leads from an exercise to its notebook, with the data of its answering."""
    options, notebook = app.config.html_theme_options, f"{app.env.docname}.ipynb"
    where = options["repository_url"].replace("https://github.com", "github")
    cell = f"#scrollTo={stub['id']}" if "id" in stub else ""
    colab = f"{options['launch_buttons']['colab_url']}/{where}/blob/"
    colab += f"{options['repository_branch']}/{notebook}{cell}"
    data = {"exercise": id}
    if id in page.PLAIN:
        megabytes = f"{app.config.exercise_bytes / 1e6:.1f}"
        data |= {"answers": answers, "before": page.PLAIN[id], "megabytes": megabytes}
    attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<div class="clx"{attributes}><p>In the notebook: <a href="{colab}">on Colab</a>, or in '
        f"JupyterLab in <code>{notebook}</code>.</p></div>"
    )


def equip(app, pagename, templatename, context, doctree):
    """Give the pages on which something can be answered the script for it."""
    if "data-answers=" in context.get("body", ""):
        app.add_js_file("exercises/page.js", loading_method="defer")


def setup(app):
    app.add_config_value("exercise_bytes", 0, "")
    app.connect("builder-inited", assemble)
    app.connect("doctree-read", lead_to_notebook)
    app.connect("html-page-context", equip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
