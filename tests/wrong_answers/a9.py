"""Answers to the small assignment in tests/data/coursework: what its tests must tell apart."""

import torch


def real(ids, pad):
    return sum(value != pad for value in ids)


def unit(rows):
    return torch.nn.functional.normalize(rows, dim=-1)


RIGHT = {"A9.1": [real], "A9.2": [(unit, 77)]}
# With the points that each deserves, cell by cell: tests/test_coursework_release.py.
WRONG = {
    "A9.1": [
        (lambda ids, pad: len(ids), "padding"),
        (lambda ids, pad: sum(value != 0 for value in ids), "whatever"),
        (lambda ids, pad: 2, "none of"),
    ],
    "A9.2": [
        ((lambda rows: rows / rows.sum(-1, keepdim=True), 77), "length"),
        ((unit, 75), "77"),
        ((lambda rows: rows.flatten(), 77), "shape"),
    ],
}
