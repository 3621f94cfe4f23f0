"""The directive `{equation-index}`: every equation with what `equations` has read about it."""

from pathlib import Path

import equations
from formulas import FORMULAS
from sphinx.util.docutils import SphinxDirective


class EquationIndex(SphinxDirective):
    def run(self):
        for folder, kind in (("cliplab", "*.py"), ("tests", "*.py"), ("chapters", "*.ipynb")):
            for path in (equations.ROOT / folder).rglob(kind):
                self.env.note_dependency(str(path))
        self.owners, self.tests = equations.owners(), equations.tests()
        self.pages, self.shown = equations.pages(), equations.shown()
        lines = []
        for title, names in equations.PARTS.items():
            lines += [f"## {title}", "", "{.index}"]
            for number, name in names.items():
                lines += self.entry(number, name)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)

    def entry(self, number, name):
        """The lines of one equation in a definition list."""
        formula = " ".join(FORMULAS[number].split())
        chapters = ", ".join(self.chapter(page) for page in self.pages.get(number, []))
        places = [f"Chapter {chapters}"]
        if number not in equations.NOTATION:
            owners = ", ".join(self.owner(place) for place in self.owners.get(number, []))
            places.append(f"code {owners}")
        tests = ", ".join(self.link(*test) for test in self.first_tests(number).items())
        places.append(f"tests {tests}")
        return [f"{number} · {name}", f": $${formula}$$", "", f"  {'; '.join(places)}", ""]

    def owner(self, place):
        """The class or function, and the chapter that shows its source where one does."""
        page, parts = self.shown.get(place.name), Path(place.file).with_suffix("").parts
        # Every grammar calls its function by the same name.
        name = f"{parts[2]}.{place.name}" if parts[1] == "prompts" else place.name
        return self.link(name, place) + (f" (shown in {self.chapter(page)})" if page else "")

    @staticmethod
    def chapter(page):
        return f"[{page.number}](/{page.docname}.ipynb)"

    def link(self, name, place):
        return f"[`{name}`]({equations.address(place, self.config)})"

    def first_tests(self, number):
        """The first test of an equation in each test file, by the file's short name."""
        first = {}
        for place in self.tests.get(number, []):
            first.setdefault(Path(place.file).stem.removeprefix("test_"), place)
        return first


def setup(app):
    app.add_directive("equation-index", EquationIndex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
