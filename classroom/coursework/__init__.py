"""Assignments: one solved notebook, the master, from which every release and every grade comes.

    python -m classroom release --to student OUT     what may be handed out
    python -m classroom grade --master MASTER --out GRADES SUBMISSIONS…

In the order in which it is best read, each file leaning on those before it alone:

    names.py     the names that code defines, binds and uses
    master.py    an assignment: cells with roles, solutions between markers, tests with points
    proof.py     does a solution or a hidden test stand in what was written?
    markers.py   the rules of the lines around a solution
    rules.py     all rules of masters, a sentence for each fault
    reading.py   from a notebook's file to a master, with the rules held
    formats/     what students get: a plain notebook, nbgrader, otter, the site
    release.py   the command `release`: write, prove, and only then give
    grading/     the command `grade`

Both commands need more than cliplab itself does: pip install "cliplab[grading]".
"""


class CourseworkError(ValueError):
    """A sentence for the instructor: what is wrong with a master or a folder, and what to do."""
