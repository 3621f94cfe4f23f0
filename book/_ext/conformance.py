"""The directive `{conformance}`: WCAG 2.1 AA, criterion by criterion, with the tests of each."""

from collections import Counter
from pathlib import Path

import equations
import wcag
from docutils import nodes
from docutils.statemachine import StringList
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
        holder = nodes.Element()
        text = StringList(lines, source=self.get_source_info()[0])
        self.state.nested_parse(text, 0, holder, match_titles=True)
        return holder.children

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
        options = self.config.html_theme_options
        files = f"{options['repository_url']}/blob/{options['repository_branch']}"
        words = place.name.removeprefix("test_").replace("_", " ")
        page = Path(place.file).stem.removeprefix("test_").replace("_", " ")
        return f"[{page}: {words}]({files}/{place.file}#L{place.line})"


def setup(app):
    app.add_directive("conformance", Conformance)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
