"""What commands that train are made of: how they read numbers, begin with trained weights, name the
device, and in which words they end."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .checkpoints import CheckpointError
from .checks import as_options
from .contrastive import CLIP
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
        said = as_options(str(error), parser)
        parser.exit(2, f"\n{who}{said}\n")


def warm_start(clip: CLIP, trained: CLIP, name: str) -> None:
    """Give a fresh CLIP the weights of a trained one. Raises ValueError where the two differ."""
    differ = [
        what
        for what, of in (
            ("text encoder", lambda c: c.text_model.config),
            ("image encoder", lambda c: c.image_model.config),
            ("vocabulary", lambda c: c.tokenizer and c.tokenizer.vocabulary),
            ("kind of loss", lambda c: c.logit_bias is None),
        )
        if of(clip) != of(trained)
    ]
    if differ:
        raise ValueError(
            f"The run cannot begin with the weights of {name}, which has another "
            f"{' and another '.join(differ)}: give the --model, --data and --loss of its run."
        )
    clip.load_state_dict(trained.state_dict())


def device_in_words(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return str(device)
