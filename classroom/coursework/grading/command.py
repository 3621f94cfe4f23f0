"""``python -m classroom grade``: grade notebooks that students handed in.

    python -m classroom grade --master coursework/01_tokens.ipynb submitted --out grades
    python -m classroom grade --master coursework/01_tokens.ipynb ada.ipynb --out grades

A folder holds notebooks named by student, or a folder for each student. Run the same command again
to go on after an interruption; choose another --out to grade everything afresh.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cliplab.extras import need

from .. import CourseworkError
from .handed_in import SEVERAL

if TYPE_CHECKING:  # torch, for which nobody waits who asks for --help
    from ..master import Master
    from .nursery import Zygote

DESCRIPTION = __doc__.replace("``", "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add = parser.add_argument
    add("submissions", nargs="+", type=Path, help="notebooks, or folders of them")
    add("--master", required=True, type=Path, help="the solved notebook with the tests")
    add("--out", required=True, type=Path, help="the folder for grades and feedback")
    add("--roster", type=Path, help="a table of students, of Moodle, of Canvas, or your own")
    add("--deadline", metavar="TIME", help='"2026-11-30 23:59"; a roster can have extensions')
    rules = "; ".join(f"{name}: {text}" for name, text in SEVERAL.items())
    add("--several", choices=SEVERAL, default="newest", help=f"of a student's notebooks ({rules})")
    add("--anonymous", action="store_true", help="essays under codes in place of names")
    add("--again", metavar="STUDENT", help="repeat one student's grade with its seed; nothing else")
    add("--jobs", type=_whole, default=os.cpu_count() or 1, help="at a time (one per processor)")
    add("--timeout", type=_positive, default=30.0, help="processor seconds of a call or cell (30)")
    add(
        "--memory",
        type=_positive,
        default=4.0,
        help="GB of one student, and of the grader's part (4)",
    )


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Grades, reports, and gives the exit code: 0 also when some notebooks need a person.

    Raises CourseworkError with a sentence for what cannot be done, MissingExtra for what is not
    installed.
    """
    from .isolation import Limits
    from .nursery import Zygote

    # The process that students' ones come from: it gets ready while we do.
    with Zygote(Limits(options.timeout, options.memory)) as zygote:
        return _graded(options, zygote)


def _graded(options: argparse.Namespace, zygote: Zygote) -> int:
    for module in ("IPython", "tqdm", "matplotlib"):
        need(module, "grading")
    import torch

    from ..reading import read_master
    from . import again, gradebook, handed_in, many, report, roster
    from .desk import Desk

    torch.set_num_threads(1)  # tests run in forks of this process, which a pool does not survive
    listed = roster.read(options.roster) if options.roster else None
    deadline = roster.moment(options.deadline) if options.deadline else None
    desk = Desk(_own_folder(options.out))
    results_in = desk.path("results")
    master = read_master(options.master)
    submissions, fates = handed_in.find(options.submissions, master, options.several)
    _same_assignment(results_in, master.number)
    if options.again:
        known = many.all_stored(results_in)
        said, same = again.again(options.again, submissions, master, known, zygote)
        print(said)
        return 0 if same else 1
    _not_in_sight(options.master, zygote)
    _master_earns_all(options.master, master, zygote)
    results = many.grade_all(
        submissions,
        master,
        options.master.read_bytes(),
        results_in,
        zygote,
        options.jobs,
    )
    fates = handed_in.outcomes(fates, results)
    results += many.earlier(results_in, results)
    many.say_same(results)
    results, people = roster.enrolled(results, submissions, listed, deadline, master)
    results = report.write_all(desk, results, master, zygote, fates, options.anonymous)
    if listed:
        gradebook.write_table(desk, listed, people, results, master)
    gradebook.write_feedback(desk, results)
    print(report.summary(results, fates, zygote, desk, master), file=sys.stderr)
    return 0


def _own_folder(out: Path) -> Path:
    if out.exists() and not out.is_dir():
        raise CourseworkError(f"--out {out} is a file; name a folder.")
    if out.is_dir() and any(out.iterdir()) and not (out / "results").is_dir():
        raise CourseworkError(
            f"The folder {out} holds other things; name a new one for the grades."
        )
    return out


def _same_assignment(results: Path, number: int) -> None:
    for path in sorted(results.glob("*.json"))[:1]:
        try:
            other = json.loads(path.read_text(encoding="utf-8")).get("assignment")
        except ValueError:
            continue
        if other != number:
            raise CourseworkError(
                f"{results.parent} holds the grades of assignment {other}; this is assignment "
                f"{number}. Give each a folder of its own."
            )


def _not_in_sight(master: Path, zygote: Zygote) -> None:
    from .isolation import WALLED, readable_paths

    for path in readable_paths() if zygote.level in WALLED else ():
        if path.resolve() in master.resolve().parents:
            raise CourseworkError(
                f"The master {master} lies in {path}, which students' code must read, as Python or "
                "cliplab is there. Move the master elsewhere."
            )


def _master_earns_all(path: Path, master: Master, zygote: Zygote) -> None:
    """The master is graded first: tests that its own solution fails are no tests."""
    from .grade import grade
    from .runner import Fault
    from .submission import Submission

    own = Submission("the master", path)
    try:
        result = grade(own, path.read_bytes(), master, zygote)
    except Fault as fault:
        raise CourseworkError(f"Nobody was graded. {fault}") from None
    failed = [f"{test['name']}: {test['reason']}" for test in result["tests"] if not test["passed"]]
    failed += [f"cell {number}: {error}" for number, error in result["errors"].items()]
    failed += result["reasons"]
    if failed:
        raise CourseworkError(
            f"The solutions in {path} do not earn full points, so nobody was graded. "
            + " · ".join(failed)
        )
