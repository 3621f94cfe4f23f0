"""Live demos on the pages: the directive `{live-demo} name`, and the files that demos need.

A page with no demo gets none of it.
"""

import hashlib
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from cliplab import demos
from cliplab.demos import site


class LiveDemo(SphinxDirective):
    required_arguments = 1

    def run(self):
        return [nodes.raw("", demos.demo(self.arguments[0]).html(), format="html")]


def assemble(app):
    """Write the demos' folder before the pages.

    Sphinx puts a checksum of the host's script into its address, and the host hands that on to all
    that it loads. So the script holds a checksum of all of it: no browser runs yesterday's module
    on today's model.
    """
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / "demos"
        site.write(folder, cache=Path(app.outdir).parent / "demos")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        total = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        with (folder / "host.js").open("a", encoding="utf-8") as host:
            host.write(f"// {total[:16]}\n")


def equip(app, pagename, templatename, context, doctree):
    """Give the pages that hold a demo its style and the script that mounts it."""
    if 'class="cld"' in context.get("body", ""):
        app.add_css_file("demos/demo.css")
        app.add_js_file("demos/host.js", loading_method="defer")


def setup(app):
    app.add_directive("live-demo", LiveDemo)
    app.connect("builder-inited", assemble)
    app.connect("html-page-context", equip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
