"""A person's file -> a picture, safely; `bigan.preparation` makes it a model's input.

Nothing about a file is believed before it was checked: the kind by content and not by name, the sizes from the
header, and whatever goes wrong while decoding becomes one `ImageError` sentence.

Shapes: h w the picture.
"""

import io
import threading
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

Source = bytes | str | Path | Image.Image

MAX_BYTES = 8 * 2**20  # of a file
MAX_PIXELS = 20_000_000  # of a decoded picture: 20 megapixels
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")  # what may decode; Pillow knows riskier ones
READABLE = "a PNG, JPEG, WebP, BMP, TIFF or GIF file"
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a")  # and RIFF....WEBP
FOREIGN = {b"%PDF": "a PDF document", b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "a gzip archive"}

MOSTLY_LIGHT = 0.95  # ours: ink is light when at least this share of it is brighter than mid grey

# One picture is decoded at a time: that bounds memory, and silencing warnings is not safe between threads.
_DECODING = threading.Lock()


class ImageError(ValueError):
    """A picture that cannot be used; the message is one sentence that says why and what would be right."""


def open_image(source: Source) -> Image.Image:
    """The picture of a file, bytes or PIL image: checked, upright, first frame, mode "L" or "RGB".

    Grey pictures come as "L", all others as "RGB". Transparency is laid on white, or on black where nearly all of
    the visible ink is light and would vanish on white.

    Raises:
        ImageError: not a readable picture, or a larger one than MAX_BYTES and MAX_PIXELS allow.
    """
    content = source if isinstance(source, Image.Image) else _read(source)
    # Pillow warns of odd metadata in pictures that are fine, and of sizes that _check_size refuses anyway
    with _DECODING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = content if isinstance(content, Image.Image) else _identify(content)
        _check_size(image)
        try:
            image.load()
            with suppress(Exception):  # a broken EXIF block costs the orientation, not the picture
                image = ImageOps.exif_transpose(image)
            return _grey_or_colour(image)
        except ImageError:
            raise
        except Exception as error:  # decoders raise nearly anything on damaged bytes
            raise ImageError("The picture is damaged or cut off; save or download it again.") from error


def _read(source: object) -> bytes:
    """The bytes of a file, which is never read beyond MAX_BYTES."""
    if isinstance(source, str | Path):
        try:
            path, name = Path(source), repr(str(source))
            if not path.exists():
                raise ImageError(f"There is no file at {name}; give the path of {READABLE}.")
            if not path.is_file():
                raise ImageError(f"{name} is not a file; give the path of {READABLE}.")
            with path.open("rb") as file:
                source = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ImageError(f"{name} cannot be read ({reason}); give the path of {READABLE}.") from error
        except ValueError as error:
            if isinstance(error, ImageError):
                raise
            raise ImageError(f"{name} is not a possible path; give the path of {READABLE}.") from error
    if not isinstance(source, bytes):
        kind = type(source).__name__
        raise ImageError(f"A picture comes as bytes, a path or a PIL image and not as {kind}; give {READABLE}.")
    if not source:
        raise ImageError(f"The file is empty; give {READABLE}.")
    if len(source) > MAX_BYTES:
        raise ImageError(f"The file is larger than {MAX_BYTES >> 20} MB; save it smaller, for example as a JPEG.")
    return source


def _identify(content: bytes) -> Image.Image:
    """The picture with its header read and nothing decoded."""
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large("far more")) from error
    except Exception as error:
        known = content.startswith(SIGNATURES) or content[:4] + content[8:12] == b"RIFFWEBP"
        if known and not _is_text(content):
            sentence = "The picture is damaged: it begins like one but its header makes no sense; save it again."
        else:
            sentence = f"The file is {_foreign_kind(content)} and not a picture; give {READABLE}."
        raise ImageError(sentence) from error


def _is_text(content: bytes) -> bool:
    head = content[:1024].decode("utf-8", errors="replace").rstrip("\ufffd")  # the cut may split a character
    return bool(head) and all(c.isprintable() or c.isspace() for c in head) and "\ufffd" not in head


def _foreign_kind(content: bytes) -> str:
    """What a file that is no picture seems to be, in words."""
    for signature, kind in FOREIGN.items():
        if content.startswith(signature):
            return kind
    if content[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    head = content[:1024].lower()
    if b"<html" in head or b"<!doctype html" in head:
        return "a web page"
    if b"<svg" in head:
        return "an SVG drawing"
    return "text" if _is_text(content) else "of an unknown kind"


def _too_large(num_pixels: str) -> str:
    return f"The picture has {num_pixels} than {MAX_PIXELS // 10**6} megapixels; make it smaller first."


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"The picture is {width} x {height} pixels; it needs at least one pixel each way.")
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(f"{width} x {height} pixels, more"))


def _grey_or_colour(image: Image.Image) -> Image.Image:
    """Any mode of Pillow's as "L" or "RGB"."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_wide(image)
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        return _on_ground(image.convert("LA" if grey else "RGBA"))
    return image.convert("L" if grey else "RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """A picture of 16-bit, 32-bit or floating-point values as "L".

    16-bit values run from 0 to 65535. The others do not say where white is: it is the smallest of 1 (floats only),
    255 and 65535 that holds every value, and a picture that none of them holds is stretched from its lowest to its
    highest value.
    """
    values = np.asarray(image).astype(np.float64)  # (h, w)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise ImageError("The picture holds values that are not finite numbers; save it as 8-bit or 16-bit.")
    whites = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}.get(image.mode, (65535.0,))
    white = next((w for w in whites if low >= 0 and high <= w), None)
    if white is None:
        values, white = values - low, max(high - low, 1e-12)
    return Image.fromarray(np.rint(values / white * 255).astype(np.uint8))


def _on_ground(image: Image.Image) -> Image.Image:
    """A picture with transparency ("LA" or "RGBA") laid on white, or on black where nearly all its ink is light."""
    mode = "L" if image.mode == "LA" else "RGB"
    colours, alpha = image.convert(mode), image.getchannel("A")
    weights = np.asarray(alpha)  # (h, w)
    light = np.asarray(colours.convert("L")) >= 128  # (h, w)
    total = int(weights.sum(dtype=np.int64))
    mostly_light = total > 0 and int(weights[light].sum(dtype=np.int64)) >= MOSTLY_LIGHT * total
    return Image.composite(colours, Image.new(mode, image.size, "black" if mostly_light else "white"), alpha)
