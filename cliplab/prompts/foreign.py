"""A prompt that was visibly written for another tool is warned of, and read all the same.

A tool takes what it does not know for words, and says nothing. So does this package, whose answers
are the tool's; but it warns once a prompt, at the first mark of another tool. Each tool knows its
own marks. What can stand in plain English is none: a comma, one plus, round brackets.
"""

from .fragment import warn_at
from .register import TOOLS
from .tool import Mark


def warn_of_foreign(prompt: str, syntax: str) -> None:
    """Warn (PromptWarning) at the first mark of a prompt that is words in this syntax, once."""
    tool = TOOLS[syntax]
    if tool.reads is None:
        return
    marks: list[tuple[Mark, str]] = [(mark, syntax) for mark in tool.misplaced(prompt)]
    for source, other in TOOLS.items():
        if source != syntax:
            marks += [(m, source) for name, m in other.marks.items() if name not in tool.reads]
    found = [
        (match.start(), mark, source)
        for mark, source in marks
        if (match := mark.pattern.search(prompt))
    ]
    if found:
        place, mark, source = min(found, key=lambda one: one[0])
        advice = mark.advice or (
            f'Name the syntax that the prompt is written in, "{source}", or convert what can be '
            f'kept: cliplab.convert_prompt(prompt, "{source}", "{syntax}").'
        )
        warn_at(f'{mark.says}. Read as "{syntax}" it is words. {advice}', prompt, place)
