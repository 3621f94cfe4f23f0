"""The directive `{course-figure} name`: a figure of `cliplab.plots` that needs no data."""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from cliplab import plots


class CourseFigure(SphinxDirective):
    required_arguments = 1

    def run(self):
        figure = getattr(plots, self.arguments[0])()
        return [nodes.raw("", figure.html(), format="html")]


def setup(app):
    app.add_directive("course-figure", CourseFigure)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
