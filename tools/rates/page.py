"""The page of what was measured: a table, and every survivor with its reason."""

from __future__ import annotations

from .measure import ROOT, Found

PAGE = ROOT / "tests" / "grading_rates.md"
HEAD = """# False acceptance and false refusal

Written by `python -m tools.rates`. Wrong answers are mutants of each solution and of every recorded
right answer (one thing changed), and all recorded wrong ones; a mutant is wrong when it differs
from the solution on one of {draws} draws of the stated domain.
"""


def row(found: Found) -> str:
    counts = [found.wrong, len(found.accepted), found.right, len(found.refused)]
    counts += [len(found.unlike), len(found.equivalent)]
    return f"| {found.id} | " + " | ".join(map(str, counts)) + " |\n"


def details(found: Found) -> str:
    text = ""
    for title in ("accepted", "refused", "unlike", "equivalent"):
        if lines := getattr(found, title):
            text += f"\n## {found.id}: {title}\n\n" + "".join(f"- `{line}`\n" for line in lines)
    return text


def page(all_found: list[Found], draws: int) -> str:
    return (
        HEAD.format(draws=draws) + "".join(map(row, all_found)) + "".join(map(details, all_found))
    )
