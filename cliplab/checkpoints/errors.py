"""What goes wrong with files of weights."""


class CheckpointError(ValueError):
    """A file of weights cannot be found, cannot be trusted, or does not hold what it should."""
