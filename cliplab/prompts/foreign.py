"""A prompt that was visibly written for another tool is warned of, and read all the same.

A tool takes what it does not know for words, and says nothing. So does this package, whose answers
are the tool's; but it warns once a prompt, at the first mark of another tool. Each tool knows its
own marks. What can stand in plain English is none: a comma, one plus, round brackets.
"""

from .fragment import warn_at
from .register import TOOLS
from .tool import first_mark


def warn_of_foreign(prompt: str, syntax: str) -> None:
    """Warn (PromptWarning) at the first mark of a prompt that is words in this syntax, once."""
    tool = TOOLS[syntax]
    if tool.reads is None:
        return
    sources = dict.fromkeys(tool.misplaced(prompt), syntax)
    for source, other in TOOLS.items():
        if source != syntax:
            sources |= {m: source for name, m in other.marks.items() if name not in tool.reads}
    if found := first_mark(sources, prompt):
        place, mark = found
        source = sources[mark]
        advice = mark.advice or (
            f'Name the syntax that the prompt is written in, "{source}", or convert what can be '
            f'kept: cliplab.convert_prompt(prompt, "{source}", "{syntax}").'
        )
        warn_at(f'{mark.says}. Read as "{syntax}" it is words. {advice}', prompt, place)
