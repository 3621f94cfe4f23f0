"""The directive `{painted} prompt`: pictures that a chapter shows, by their captions.

The pictures are those of the chapters' stored outputs, so they are what the package paints today. A
caption that no chapter has is an error: then the chapter has changed, and the page must follow.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]
PICTURE = re.compile(r'<image href="(data:image/[^"]+)"')
CAPTION = re.compile(r'<th scope="row">\d+</th><td>([^<]*)</td>')


class Painted(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"caption": directives.unchanged_required}  # noqa: RUF012 (docutils' own form)
    has_content = True

    def run(self):
        prompt, captions = self.arguments[0], list(self.content)
        pictures = self.find(prompt, captions)
        images = "".join(
            f'<img src="{pictures[caption]}" alt="{html.escape(f"{prompt}, {caption}")}"/>'
            for caption in captions
        )
        text = html.escape(self.options["caption"])
        figure = (
            f'<figure class="painted"><div>{images}</div><figcaption>{text}</figcaption></figure>'
        )
        return [nodes.raw("", figure, format="html")]

    def find(self, prompt, captions):
        """Caption → address of the picture, from the first figure that has that title and all."""
        for path in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb")):
            for figure in figures(path):
                shown = map(html.unescape, CAPTION.findall(figure))
                found = dict(zip(shown, PICTURE.findall(figure), strict=False))
                if prompt in html.unescape(figure) and found.keys() >= set(captions):
                    self.env.note_dependency(str(path))
                    return found
        raise self.error(f"No chapter shows {', '.join(captions)} of “{prompt}”.")


def figures(path):
    """The figures that a notebook has stored, as HTML."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            yield "".join(output.get("data", {}).get("text/html", []))


def setup(app):
    app.add_directive("painted", Painted)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
