"""What figures are given: tensors as arrays, tokens as short names, numbers as words."""

import numpy as np

END_OF_WORD = "</w>"


def array(values):
    """A numpy array from numbers, an array or a torch tensor on any device and of any dtype."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.double() if values.is_floating_point() else values).numpy()
    elif isinstance(values, (list, tuple)) and any(hasattr(v, "detach") for v in values):
        values = [array(v) for v in values]
    return np.asarray(values)


def printable(text):
    """The text with control characters and lone surrogates made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))


def number(value):
    """A number to three digits, with a minus sign."""
    return f"{value + 0:.3g}".replace("-", "−")


def shorten(text, length):
    """At most `length` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"


def kinds_of(tokens):
    """What each slot is: "BOS", "content", "EOS" (the first one), and "padding" after it."""
    kinds = []
    for token in tokens:
        if "EOS" in kinds:
            kinds.append("padding")
        elif token == "<|startoftext|>":
            kinds.append("BOS")
        elif token == "<|endoftext|>":
            kinds.append("EOS")
        else:
            kinds.append("content")
    return kinds


def chunks_of(tokens):
    """The tokens of a long prompt, cut before each BOS."""
    starts = [i for i, token in enumerate(tokens) if token == "<|startoftext|>" and i]
    return [tokens[a:b] for a, b in zip([0, *starts], [*starts, len(tokens)], strict=True)]


def names_of(tokens):
    """A short name for each slot, for axes: "BOS", "EOS", "pad", or the text of the token."""
    special = {"BOS": "BOS", "EOS": "EOS", "padding": "pad"}
    return [
        special.get(kind) or shorten(printable(token.removesuffix(END_OF_WORD)), 9)
        for token, kind in zip(tokens, kinds_of(tokens), strict=True)
    ]


def spans(numbers, noun=""):
    """Sorted whole numbers as text: [0, 1, 2, 5] → "0–2, 5"; with a noun, "slots 0–2, 5"."""
    runs = []
    for n in map(int, numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    text = ", ".join(f"{a}" if a == b else f"{a}–{b}" for a, b in runs)
    if not noun:
        return text or "none"
    return f"{noun if len(numbers) == 1 else noun + 's'} {text}" if text else f"no {noun}"
