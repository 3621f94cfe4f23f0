"""Checks for assignment 2: the encoder, from LayerNorm to the pooled row.

parts.py     what a layer is made of: LayerNorm, activations, softmax   A2.1–A2.3
encoder.py   attention, a layer, all layers                             A2.4–A2.6
"""

from . import encoder, parts

__all__ = ["encoder", "parts"]
