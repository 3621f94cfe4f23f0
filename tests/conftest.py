"""What holds for every test: one thread, no network, no deadline on a busy machine."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; kernels of notebooks inherit it
os.environ["HF_HUB_OFFLINE"] = "1"

import socket

import hypothesis
import pytest
import torch

torch.set_num_threads(1)
# In CI the same examples each time: a red run there is a fault of the change, not of the dice.
hypothesis.settings.register_profile("course", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("course")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A test that reaches beyond this machine fails."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise RuntimeError(f"This test asked the network for {address[0]}.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
