"""Assignments: one solved notebook, the master, from which every release and every grade comes.

    python -m classroom release --to student OUT     what may be handed out
    python -m classroom grade --master MASTER --out GRADES SUBMISSIONS…

Reading notebooks takes nbformat, which the course's environment has (requirements.txt).
"""


class CourseworkError(ValueError):
    """A sentence for the instructor: what is wrong with a master or a folder, and what to do."""
