"""Where to compute: the fastest device that is there, and said aloud."""

import os

import torch


def find_device(name: str | None = None) -> torch.device:
    """CUDA, Apple's MPS or the CPU, in this order; or the one that is named.

    Under torchrun each process gets the GPU of its local rank. Raises ValueError if the device that
    was named is not there, or if there are more processes than GPUs.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    there["cpu"] = True
    name = name or next(kind for kind, is_there in there.items() if is_there)
    kind, _, number = name.partition(":")
    if not there.get(kind) or (number and not number.isdecimal()):
        raise ValueError(
            f"There is no device {name!r} here, only {', '.join(k for k, v in there.items() if v)}:"
            " leave it out to use the fastest."
        )
    if kind == "cuda":
        number = number or os.environ.get("LOCAL_RANK", "")
        if number and int(number) >= torch.cuda.device_count():
            raise ValueError(
                f"There is no GPU number {number}: this machine has {torch.cuda.device_count()}. "
                "Under torchrun, --nproc-per-node is the number of GPUs."
            )
    return torch.device(f"{kind}:{number}" if number else kind)


def describe(device: torch.device) -> str:
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({threads} thread{'s' if threads > 1 else ''})"
    return str(device)
