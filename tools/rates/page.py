"""The page of what was measured: the figures, and every mutant that lives, with the reason."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections import Counter

from .measure import ROOT, TRIES, Found

PAGE = ROOT / "tests" / "grading_rates.md"
REASONS = ROOT / "tests" / "grading_rates.toml"
NONE = "No reason is known"
HEAD = """# False acceptance and false refusal

Written by `python -m tools.rates` on {today}. Of {wrong:,} wrong answers {accepted} earned full
points; of {right:,} right ones {refused} lost any, and of {unlike} the check said another thing
than the tests.

A wrong answer is a mutant of a solution or of a recorded right answer, one thing in it changed, or
a recorded wrong one. A mutant is wrong when it differs from the solution on one of {draws:,} inputs
drawn from what the statement allows (`tools/rates/domains.py`). It meets the tests {tries} times,
and is accepted if they pass once. A right answer is the solution or a recorded one in one of
{styles} styles of container, number and callable. A3.4 has no one answer, and its six promises are
the oracle. A4.5 asks for a training run, and essays are read: they are not among these.

| exercise | wrong | accepted | right | refused | unlike | mutants that live |
| --- | --- | --- | --- | --- | --- | --- |
"""


def row(found: Found) -> str:
    counts = [found.wrong, len(found.accepted), found.right, len(found.refused)]
    counts += [len(found.unlike), len(found.equivalent)]
    return f"| {found.id} | " + " | ".join(map(str, counts)) + " |\n"


def faults(found: Found) -> str:
    """What must not be, line by line."""
    lines = [
        f"- {found.id}, {kind}: `{line}`\n"
        for kind in ("accepted", "refused", "unlike")
        for line in getattr(found, kind)
    ]
    return "".join(lines)


def totals(all_found: list[Found]) -> str:
    """A row for each assignment."""
    text = ""
    for number in sorted({found.id[:2] for found in all_found}):
        own = [found for found in all_found if found.id.startswith(number)]
        whole = Found(f"**{number}**", sum(f.wrong for f in own), sum(f.right for f in own))
        for kind in ("accepted", "refused", "unlike", "equivalent"):
            setattr(whole, kind, [line for f in own for line in getattr(f, kind)])
        text += row(whole)
    return text


def reason(mutant: str) -> str:
    """Why a mutant cannot be told from the answer that it was made of."""
    for known in tomllib.loads(REASONS.read_text(encoding="utf-8"))["reason"]:
        if any(re.fullmatch(pattern, mutant) for pattern in known["mutants"]):
            return str(known["because"])
    return NONE


def living(all_found: list[Found]) -> str:
    """The mutants that do what the solution does, by reason."""
    lines: dict[str, list[str]] = {}
    for found in all_found:
        for mutant in found.equivalent:
            line = f"{found.id} {mutant}"
            lines.setdefault(reason(line), []).append(line)
    text = (
        "\n## Mutants that live\n\nThey do what the solution does, each for the reason above it.\n"
    )
    for because, mutants in sorted(lines.items()):
        text += f"\n{because}:\n\n" + "".join(f"- `{line}`\n" for line in mutants)
    return text


def page(all_found: list[Found], draws: int) -> str:
    count = Counter[str]()
    for found in all_found:
        count += Counter(wrong=found.wrong, right=found.right, accepted=len(found.accepted),
                         refused=len(found.refused), unlike=len(found.unlike))  # fmt: skip
    styles = len({style for found in all_found for style in found.styles})
    named = {kind: count[kind] for kind in ("wrong", "right", "accepted", "refused", "unlike")}
    today = f"{datetime.date.today():%B %-d, %Y}"
    text = HEAD.format(draws=draws, styles=styles, tries=TRIES, today=today, **named)
    text += "".join(map(row, all_found)) + totals(all_found)
    wrong = "".join(map(faults, all_found))
    return text + (f"\n## What must not be\n\n{wrong}" if wrong else "") + living(all_found)
