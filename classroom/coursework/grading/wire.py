"""How values travel between the grader and a student's process: plain data, and never code.

A frame is two lengths (4 bytes each, big endian), JSON, and the tensors as safetensors. Both parts
are limited, so that whoever sends cannot fill the reader's memory. In the JSON an object is one of
three: {"dict": …}, {"torch": "0"} or {"numpy": "0"}, the last two naming a tensor of the frame.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch

from classroom.compare import number, parts, shaped

from .shown import readable as readable

LENGTHS = struct.Struct("!II")
MOST_TEXT = 8 << 20
MOST_TENSORS = 256 << 20


class Unsendable(Exception):
    """A value that is not plain data: the message says what it is and what is taken."""


class Malformed(Exception):
    """What arrived is no frame, or is larger than a frame may be."""


def pack(value: Any) -> bytes:
    """The frame of a value: None, bool, a number, str, an ordered container, dict, tensor, array.

    Containers become lists and numbers Python's own, as `classroom.compare` reads them, so that a
    check and a test see the same. Raises Unsendable for anything else,
    and for what is larger than a frame may be.
    """
    tensors: dict[str, torch.Tensor] = {}
    try:
        text = json.dumps(_write(value, tensors)).encode()
        payload = safetensors.torch.save(tensors) if tensors else b""
    except RecursionError:
        raise Unsendable("The value is nested too deeply, or contains itself.") from None
    except Unsendable:
        raise
    except Exception as error:  # a tensor that is sparse or on no device, a number of a mile
        raise Unsendable(f"The value cannot be written down as plain data ({error}).") from None
    _not_too_large(len(text), len(payload))
    return LENGTHS.pack(len(text), len(payload)) + text + payload


def _not_too_large(text: int, tensors: int) -> None:
    if text > MOST_TEXT or tensors > MOST_TENSORS:
        raise Unsendable(
            f"The value is too large: {text / 2**20:.1f} MB of text and {tensors / 2**20:.1f} MB "
            f"of tensors, where {MOST_TEXT >> 20} and {MOST_TENSORS >> 20} are taken."
        )


def _write(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise Unsendable("A dict is taken when its keys are strings; here some are not.")
        return {"dict": {key: _write(item, tensors) for key, item in value.items()}}
    name = str(len(tensors))
    if isinstance(value, torch.Tensor):
        _not_too_large(0, value.nbytes)  # before it is copied
        tensor = value.detach().as_subclass(torch.Tensor).cpu().resolve_conj().resolve_neg()
        tensors[name] = tensor.clone(memory_format=torch.contiguous_format)
        return {"torch": name}
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OSU":
        _not_too_large(0, value.nbytes)
        tensors[name] = torch.from_numpy(np.array(value, order="C"))
        return {"numpy": name}
    if not shaped(value) and (plain := number(value)) is not None:
        return plain
    if (listed := parts(value)) is not None:
        return [_write(item, tensors) for item in listed]
    raise Unsendable(
        f"A value of type {type(value).__name__} is not plain data: None, bool, numbers, str, "
        "list, tuple and what else keeps an order, dict with string keys, torch tensor and numpy "
        "array are."
    )


def unpack(text: bytes, payload: bytes) -> Any:
    """The value of a frame. Raises Malformed for anything that `pack` does not write."""
    try:
        tensors = safetensors.torch.load(payload) if payload else {}
        return _read(json.loads(text), tensors)
    except Exception as error:
        raise Malformed(f"What arrived is no plain data ({type(error).__name__}).") from None


def _read(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, list):
        return [_read(item, tensors) for item in value]
    if isinstance(value, dict):
        ((kind, inner),) = value.items()
        if kind == "dict":
            return {key: _read(item, tensors) for key, item in inner.items()}
        if kind not in ("torch", "numpy"):
            raise ValueError(f"an object of kind {kind}")
        return tensors[inner] if kind == "torch" else tensors[inner].numpy()
    return value


def send(channel: socket.socket, frame: bytes, until: float | None = None) -> None:
    """Writes a frame. until: the time.monotonic() at which TimeoutError is raised."""
    channel.settimeout(_left(until))
    channel.sendall(frame)


def receive(channel: socket.socket, until: float | None = None) -> Any:
    """Reads one frame and gives its value.

    Raises EOFError when the other side has gone, TimeoutError at `until` (of time.monotonic()),
    and Malformed.
    """
    text, payload = LENGTHS.unpack(_exactly(channel, LENGTHS.size, until))
    if text > MOST_TEXT or payload > MOST_TENSORS:
        raise Malformed("What arrived claims to be larger than a frame may be.")
    return unpack(_exactly(channel, text, until), _exactly(channel, payload, until))


def _exactly(channel: socket.socket, size: int, until: float | None) -> bytes:
    data = bytearray()
    while len(data) < size:
        channel.settimeout(_left(until))
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("The other side has gone.")
        data += part
    return bytes(data)


def _left(until: float | None) -> float | None:
    return None if until is None else max(until - time.monotonic(), 1e-3)
