"""What commands that train have in common: how they read numbers, what they call the device, and in
which words they end."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .checkpoints import CheckpointError
from .extras import MissingExtra
from .training import Stopped, TrainingError


def positive_int(text: str) -> int:
    """A whole number of at least 1, or a sentence for the shell."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


@contextmanager
def ends_in_a_sentence(
    parser: argparse.ArgumentParser, rank: int = 0, world: int = 1
) -> Iterator[None]:
    """Within it, whatever ends a run early becomes a sentence on stderr and an exit code: 130 for a
    run that was stopped, 2 for one that cannot begin or go on. All processes stop together, and
    process 0 says it; errors and an early Ctrl-C are said by whom they befall."""
    who = f"Process {rank} of {world}: " if world > 1 else ""
    try:
        yield
    except Stopped as stopped:
        parser.exit(130, f"\n{stopped}\n" if rank == 0 else None)
    except KeyboardInterrupt:
        parser.exit(130, f"\n{who}Stopped before the first step.\n")
    except (TrainingError, CheckpointError, MissingExtra, ValueError, OSError) as error:
        parser.exit(2, f"\n{who}{error}\n")


def device_in_words(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return str(device)
