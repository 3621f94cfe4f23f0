"""A file of unknown origin → a picture in RGB or RGBA, or one reason why there is none."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # pictures of pixels; none that runs code
MAX_PIXELS = 64_000_000  # a few bytes can claim more pixels than the memory holds


class PictureError(ValueError):
    """A picture cannot be read; the message is the reason."""


def read_picture(file, small: bool = False) -> "Image.Image":
    """The picture in a file (a path or an open binary file), upright, mode RGB or RGBA.

    Of an animation, the first frame. A palette, gray values, CMYK and 16 bits become RGB with 8
    bits; transparency of any kind is kept, as RGBA. The camera's orientation (EXIF) is applied.
    small: a JPEG is decoded at an eighth of its side, to see quickly that all of it is there.
    Raises PictureError for what is broken, of another format, or has over 64 million pixels.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(file, formats=FORMATS) as image:
            pixels = image.width * image.height
            if pixels > MAX_PIXELS:
                raise PictureError(f"it has {pixels:,} pixels, and at most {MAX_PIXELS:,} are read")
            if small:
                image.draft(None, (1, 1))
            image.load()
            return _eight_bits(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except Image.UnidentifiedImageError:
        raise PictureError(f"it is not one of {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        raise PictureError(f"it claims more than {2 * Image.MAX_IMAGE_PIXELS:,} pixels") from None
    except Exception as error:  # on damaged bytes a decoder may stumble in any way
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise PictureError(f"{reason[:1].lower()}{reason[1:]}") from error


def _eight_bits(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if image.mode.startswith("I;16"):  # PIL's own conversion clips at 255 instead of scaling
        gray = np.asarray(image).astype(np.uint16)
        image = Image.fromarray(((gray.astype(np.uint32) + 128) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise PictureError("its values have 32 bits, for which nobody has agreed what white is")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
