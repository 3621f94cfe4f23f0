"""Files of unknown origin: a picture in RGB or RGBA, or why there is none; what was left out."""

import math
import warnings
from collections import defaultdict
from pathlib import Path
from typing import IO, Generic, TypeVar

import numpy as np
from PIL import Image

from ...checks import listed, one_of
from ...image_encoder.preprocess import turned_upright

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # pictures of pixels; none that runs code
MAX_PIXELS = 64_000_000  # a few bytes can claim more pixels than the memory holds
KINDS = {
    # kind: (of one, of many)
    "row": ("row cannot be read", "rows cannot be read"),
    "uncaptioned": ("picture has no caption beside it", "pictures have no caption beside them"),
    "unnamed": ("row names no picture", "rows name no picture"),
    "outside": ("path leads out of the folder", "paths lead out of the folder"),
    "missing": ("picture is missing", "pictures are missing"),
    "picture": ("picture cannot be read", "pictures cannot be read"),
    "empty": ("caption is empty", "captions are empty"),
    "caption": ("caption cannot be read", "captions cannot be read"),
    "repeated": ("pair is a repetition", "pairs are repetitions"),
    "sample": ("sample cannot be read", "samples cannot be read"),
    "shard": ("shard breaks off", "shards break off"),
}
Where = TypeVar("Where", bound=int | str)


class DataError(ValueError):
    """Pairs cannot be found, or are refused for what is wrong with them."""


class LeftOutWarning(UserWarning):
    """Said when a source left something out; the message is its report."""


class PictureError(ValueError):
    """A picture cannot be read; the message is the reason."""


def read_picture(file: str | Path | IO[bytes], small: bool = False) -> Image.Image:
    """The picture in a file (a path or an open binary file), upright, mode RGB or RGBA.

    Of an animation, the first frame. A palette, gray values, CMYK and 16 bits become RGB with 8
    bits; transparency of any kind is kept, as RGBA. The camera's orientation (EXIF) is applied,
    where it can be read.
    small: a JPEG is decoded at an eighth of its side, to see quickly that all of it is there.
    Raises PictureError for what is broken, of another format, or has over 64 million pixels.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                raise PictureError(f"it has {pixels:,} pixels, and at most {MAX_PIXELS:,} are read")
            if small:
                image.draft(None, (1, 1))
            image.load()
            return _eight_bits(turned_upright(image), of_png=image.format == "PNG")
    except PictureError:
        raise
    except Image.UnidentifiedImageError:
        raise PictureError(f"it is not one of {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        most = 2 * (Image.MAX_IMAGE_PIXELS or math.inf)
        raise PictureError(f"it claims more than {most:,} pixels") from None
    except Exception as error:  # on damaged bytes a decoder may stumble in any way
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise PictureError(f"{reason[:1].lower()}{reason[1:]}") from error


def _eight_bits(image: Image.Image, of_png: bool) -> Image.Image:
    # PIL's own conversion clips at 255 instead of scaling. Older ones call a PNG's 16 bits "I".
    if image.mode.startswith("I;16") or (image.mode == "I" and of_png):
        gray = np.asarray(image).astype(np.uint16)
        image = Image.fromarray(((gray.astype(np.uint32) + 128) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise PictureError("its values have 32 bits, for which nobody has agreed what white is")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16, as spreadsheets write it; lines end in "\n"."""
    try:
        with path.open("rb") as file:
            utf16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
        return path.read_text(encoding="utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name} is not UTF-8 text (byte {error.start:,}): save it as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


class Problems(Generic[Where]):
    """The list of problems of one source, counted by kind.

    on_bad: "skip" goes on without what is broken; "raise" refuses it with a DataError.
    ``found`` is the list of (where, what): a row's number, a file or a place in a shard, and a
    sentence.
    """

    def __init__(self, on_bad: str):
        one_of("on_bad", on_bad, ("skip", "raise"))
        self.on_bad = on_bad
        self.found: list[tuple[Where, str]] = []
        self._names: dict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, where: Where, name: str, what: str) -> None:
        """One problem: its kind, where it is, its name in a report, and a sentence."""
        self.found.append((where, what))
        self._names[kind].append(name)

    def report(self, pairs: int) -> str:
        """How many pairs there are and what was left out, in one sentence."""
        start = f"{pairs:,} pair{'' if pairs == 1 else 's'}; "
        if not self.found:
            return start + "nothing left out."
        kinds = [
            f"{len(names):,} {KINDS[kind][len(names) > 1]} ({listed(names)})"
            for kind, names in self._names.items()
        ]
        return f"{start}{len(self.found):,} left out: {', '.join(kinds)}."

    def warn(self, pairs: int, stacklevel: int) -> None:
        """Say the report as a warning, if anything was left out."""
        if self.found:
            warnings.warn(LeftOutWarning(self.report(pairs)), stacklevel=stacklevel + 1)
