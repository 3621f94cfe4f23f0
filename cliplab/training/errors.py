"""What ends a run before its time."""


class TrainingError(Exception):
    """A run that cannot begin or go on; the message says why, and what is left of it."""


class Stopped(Exception):
    """Ctrl-C or a polite kill: the run was saved and can go on."""
