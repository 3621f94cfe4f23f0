"""The directive `{conformance}`: WCAG 2.1 AA, criterion by criterion, with the tests of each."""

from collections import Counter
from pathlib import Path

import equations
import wcag
from sphinx.util.docutils import SphinxDirective


class Conformance(SphinxDirective):
    def run(self):
        for path in (equations.ROOT / "tests" / "pages").glob("*.py"):
            self.env.note_dependency(str(path))
        self.tests = equations.marked("wcag")
        states = Counter(map(wcag.state, wcag.CRITERIA))
        lines = [
            f"Of the {len(wcag.CRITERIA)} criteria, {states['Tested']} are tested with every "
            f"build, {states[wcag.NONE]} do not apply, and {states[wcag.OPEN]} are not tested.",
            "",
        ]
        for principle, title in wcag.PRINCIPLES.items():
            lines += [f"## {title}", "", "{.index}"]
            for number in wcag.CRITERIA:
                if number.startswith(principle):
                    lines += self.entry(number)
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)

    def entry(self, number):
        """The lines of one criterion in a definition list."""
        name, level, said = wcag.CRITERIA[number]
        said = said if wcag.state(number) in said else f"Tested. {said}".rstrip()
        lines = [f"{number} {name} ({level})", f": {said}", ""]
        if number in self.tests:
            lines += [f"  {', '.join(map(self.link, self.tests[number]))}", ""]
        return lines

    def link(self, place):
        """A link to a test in the repository, by its name in words."""
        words = place.name.removeprefix("test_").replace("_", " ")
        page = Path(place.file).stem.removeprefix("test_").replace("_", " ")
        return f"[{page}: {words}]({equations.address(place, self.config)})"


def setup(app):
    app.add_directive("conformance", Conformance)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
