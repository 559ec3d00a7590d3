"""A person's picture -> a model's input: cut out, turned into ink on a ground where wanted, fitted and centred.

Shapes: C H W model image, h w the person's picture.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from torch import Tensor

from bigan.images import ImageError, Source, open_image

Mode = Literal["plain", "digit"]

DIGIT_BOX = 20 / 28  # LeCun et al. 1998: digits fit a 20 px box in a 28 px field
DIGIT_WORK_PX = 400  # ours: larger pictures are reduced to this first, which also averages a camera's noise
MIN_CONTRAST = 0.08  # ours: ink differs from its background by at least this share of the range
FAINT = 0.1  # ours: ink below this share of the strongest does not widen the box (9,996 of 10,000 MNIST boxes stay)
NOISE_MADS = 3.0  # ours: deviations up to this many median absolute deviations of the border are background

EVEN = 2 / 255  # ours: a border that deviates no more is of one grey
SHADING_ROUNDS, SHADING_STRIDE = 8, 4  # ours: the fit has settled by then, and every fourth row and column suffices


@dataclass(frozen=True)
class Crop:
    """A square of a picture, in whole per cent; it is moved and cut until it lies within the picture."""

    x: int = 50
    """Where its middle is, of the width."""
    y: int = 50
    """Where its middle is, of the height."""
    size: int = 100
    """Its side, of the longer side of the picture."""

    def __post_init__(self) -> None:
        """Check the three numbers."""
        for name, value, least in (("x", self.x, 0), ("y", self.y, 0), ("size", self.size, 1)):
            if not least <= value <= 100:
                raise ValueError(f"The crop's {name} is {value} %; it must be {least} to 100 %.")

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what it keeps of a picture, in pixels."""
        side = self.size / 100 * max(width, height)
        left, right = _span(self.x / 100 * width, min(side, float(width)), width)
        top, bottom = _span(self.y / 100 * height, min(side, float(height)), height)
        return left, top, right, bottom


WHOLE = Crop()


def _span(middle: float, length: float, field: int) -> tuple[int, int]:
    """First and last but one of about `length` pixels about `middle`, moved into the field."""
    start = min(round(min(max(middle - length / 2, 0), field - length)), field - 1)
    return start, min(start + max(1, round(length)), field)


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes an input; as a short text, for example "digit-invert-crop.40.60.50"."""

    mode: Mode = "plain"
    crop: Crop = WHOLE
    """What of the picture is taken."""
    invert: bool = False
    """"plain": dark and bright are exchanged. "digit": ink is what differs from the background to the other side."""
    by_mass: bool = False
    """Whether what differs from the background is centred by its mass; otherwise by its frame."""

    def __str__(self) -> str:
        """The mode, and where it differs from what is usual for it; `parse_preparation` reads it."""
        usual = usual_preparation(self.mode)
        parts = [self.mode, "invert" * self.invert]
        if self.by_mass != usual.by_mass:
            parts.append("mass" if self.by_mass else "frame")
        if self.crop != usual.crop:
            parts.append(f"crop.{self.crop.x}.{self.crop.y}.{self.crop.size}")
        return "-".join(filter(None, parts))


AS_IT_IS = Preparation()


def usual_preparation(mode: Mode, crop: Crop = WHOLE) -> Preparation:
    """How a mode prepares unless one chooses otherwise."""
    return Preparation(mode, crop, by_mass=mode == "digit")


def parse_preparation(text: str) -> Preparation:
    """The preparation that a text stands for, "plain" or "digit" alone or with what differs.

    Raises:
        ValueError: it is not one.
    """
    number = r"\.(\d{1,3})"
    match = re.fullmatch(rf"(plain|digit)(-invert)?(-mass|-frame)?(?:-crop{3 * number})?", text, re.ASCII)
    if match is None:
        raise ValueError(
            f"{text[:60]!r} is no preparation; it must read 'plain' or 'digit', then, where wanted, -invert, "
            "-mass or -frame, and -crop.X.Y.SIZE in per cent."
        )
    usual = usual_preparation(cast(Mode, match[1]))
    crop = Crop(*(int(one) for one in match.groups()[3:])) if match[4] else usual.crop
    return Preparation(usual.mode, crop, match[2] is not None, match[3] == "-mass" if match[3] else usual.by_mass)


def prepare(
    source: Source, image_shape: tuple[int, int, int], mode: Preparation | str = "plain"
) -> Float[Tensor, "1 C H W"]:
    """A person's picture as a model's input, float32 in [0, 1], every value a whole number of 255ths.

    "plain" keeps the picture: greyscale or RGB, fitted by an antialiased resize with its aspect kept, centred, and
    padded with the median colour of its border. A picture of the right size and kind passes bit for bit.
    "digit" makes one channel look as MNIST does, see `_digit`.

    Args:
        source: a file's bytes, its path, or a PIL image.
        image_shape: (channels, height, width) of the model, with 1 or 3 channels.
        mode: "plain", "digit", or either with more settings, see `Preparation`.

    Raises:
        ImageError: the picture cannot be used.
        ValueError: no picture can become such an input, or no such preparation.
    """
    settings = parse_preparation(mode) if isinstance(mode, str) else mode
    channels, height, width = image_shape
    if channels not in ((1,) if settings.mode == "digit" else (1, 3)):
        more = ", or 3" * (settings.mode == "plain")
        raise ValueError(f"image_shape is {image_shape}; mode {settings.mode!r} needs 1 channel{more}.")
    image = open_image(source).convert("L" if channels == 1 else "RGB")
    image = image.crop(settings.crop.box(*image.size))
    pixels = (_digit if settings.mode == "digit" else _plain)(image, height, width, settings)
    tensor = torch.from_numpy(pixels.reshape(height, width, channels)).permute(2, 0, 1)  # (C, H, W)
    return tensor.contiguous().unsqueeze(0).float() / 255  # (1, C, H, W)


def _plain(image: Image.Image, height: int, width: int, settings: Preparation) -> UInt8[np.ndarray, "H W *C"]:
    pixels = _fit(ImageOps.invert(image) if settings.invert else image, height, width)
    return _moved_by_mass(pixels) if settings.by_mass else pixels


def _moved_by_mass(pixels: UInt8[np.ndarray, "H W *C"]) -> UInt8[np.ndarray, "H W *C"]:
    """What differs from the border's median colour, moved until its centre of mass is in the middle.

    By whole pixels; what leaves over the edge is lost.
    """
    ground = np.rint(np.median(_border(pixels), axis=0))  # (*C)
    mass = np.abs(pixels - ground).reshape(*pixels.shape[:2], -1).sum(2)  # (H, W)
    if not mass.any():
        return pixels
    moved = np.empty_like(pixels)
    moved[:] = ground
    (to_y, from_y), (to_x, from_x) = (_shifted(mass.sum(axis=1 - axis)) for axis in (0, 1))
    moved[to_y, to_x] = pixels[from_y, from_x]
    return moved


def _shifted(mass: Float[np.ndarray, " n"]) -> tuple[slice, slice]:
    """Where to, and from where, to move rows or columns so that their centre of mass is in the middle."""
    shift = math.floor(len(mass) / 2 - _centre(mass) + 0.5)
    to = slice(max(shift, 0), len(mass) + min(shift, 0))
    return to, slice(max(-shift, 0), len(mass) - max(shift, 0))


def _centre(mass: Float[np.ndarray, " n"] | UInt8[np.ndarray, " n"]) -> float:
    return float(mass @ np.arange(len(mass)) / mass.sum())


def _fit(image: Image.Image, height: int, width: int) -> UInt8[np.ndarray, "H W *C"]:
    """The picture at its largest inside height x width, centred; the rest has the median colour of its border."""
    scale = min(height / image.height, width / image.width)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # reducing_gap: huge reductions average whole blocks first, which bounds the filter's memory
    fitted = np.asarray(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))  # (h, w) or (h, w, 3)
    canvas = np.empty((height, width, *fitted.shape[2:]), np.uint8)
    canvas[:] = np.rint(np.median(_border(fitted), axis=0))
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = fitted
    return canvas


def _border(pixels: np.ndarray) -> np.ndarray:
    """The outermost pixels of (h, w) or (h, w, 3), as a list (N,) or (N, 3)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])


def _digit(image: Image.Image, height: int, width: int, settings: Preparation) -> UInt8[np.ndarray, "H W"]:
    """A digit as MNIST's were made: bright on black, in a box of 20/28 of the field, centred by its mass.

    The longer side of the ink's bounding box fills the box, and the ink is shifted by whole pixels until its centre
    of mass lies within half a pixel of pixel (H/2, W/2). Ink is never cut off for it. What MNIST made passes unchanged.

    Source: LeCun et al. 1998, section III.A.
    """
    ink = _ink(image, settings.invert)  # (h, w)
    top, bottom = _extent(ink, 0)
    left, right = _extent(ink, 1)
    scale = max(1, round(DIGIT_BOX * min(height, width))) / max(bottom - top, right - left)
    # one more pixel on each side keeps the faint edge of the ink
    size = (max(1, round((right - left) * scale)) + 2, max(1, round((bottom - top) * scale)) + 2)
    pad = math.ceil(2 / scale) + 1
    reach_x, reach_y = size[0] / scale / 2, size[1] / scale / 2
    centre_x, centre_y = (left + right) / 2 + pad, (top + bottom) / 2 + pad
    box = (centre_x - reach_x, centre_y - reach_y, centre_x + reach_x, centre_y + reach_y)
    # Hamming's filter hardly spreads ink beyond the box, so that a prepared digit keeps its size when prepared again
    digit = np.asarray(Image.fromarray(np.pad(ink, pad)).resize(size, Image.Resampling.HAMMING, box))  # (h, w)
    canvas = np.zeros((height + 2, width + 2), np.uint8)  # with a margin for those pixels
    y, x = (_start(digit, axis, field, settings.by_mass) for axis, field in enumerate((height, width)))
    canvas[y : y + size[1], x : x + size[0]] = np.rint(digit / digit.max() * 255)
    return canvas[1:-1, 1:-1]


def _extent(ink: Float[np.ndarray, "h w"], axis: int) -> tuple[int, int]:
    """The first row (axis 0) or column (axis 1) with ink, and the one after the last."""
    places = np.flatnonzero(ink.max(axis=1 - axis) > FAINT)
    return int(places[0]), int(places[-1]) + 1


def _ink(image: Image.Image, other_side: bool) -> Float[np.ndarray, "h w"]:
    """How much ink each pixel holds, 0 (background) to 1 (the strongest).

    Ink is darker than its background, or brighter: the likelier, or on request the other.
    """
    scale = min(1.0, DIGIT_WORK_PX / max(image.size))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    pixels = np.asarray(grey, dtype=np.float32) / 255  # (h, w)
    deviation = pixels - _background(pixels)
    # the third moment about the background tells dark ink from bright: it follows the far pixels, not the shading
    is_dark = bool((deviation.astype(np.float64) ** 3).sum() < 0) != other_side
    if is_dark:
        deviation = -deviation
    strongest = deviation.max()
    if strongest < MIN_CONTRAST and other_side:
        side = "darker" if is_dark else "brighter"
        raise ImageError(f"Nothing in the picture is clearly {side} than its background; it cannot be inverted.")
    if strongest < MIN_CONTRAST:
        raise ImageError("The picture is blank; a digit needs ink that differs clearly from its background.")
    noise = min(NOISE_MADS * np.median(np.abs(_border(deviation))), strongest / 2)
    return ((deviation - noise) / (strongest - noise)).clip(0, 1).astype(np.float32)


def _background(pixels: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"] | np.floating:
    """What each pixel would be without ink: one grey where the border is even, else the shading of the paper.

    The shading of a photograph is taken for a quadratic surface, fitted to the pixels that lie near it: by least
    squares, leaving out those beyond NOISE_MADS median absolute deviations in the round before, which are the ink.
    """
    border = _border(pixels)
    grey = np.median(border)
    if np.median(np.abs(border - grey)) <= EVEN:
        return grey
    y, x = np.mgrid[-1 : 1 : pixels.shape[0] * 1j, -1 : 1 : pixels.shape[1] * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])  # (6, h, w)
    some = terms[:, ::SHADING_STRIDE, ::SHADING_STRIDE].reshape(6, -1)  # (6, n)
    values = pixels[::SHADING_STRIDE, ::SHADING_STRIDE].ravel().astype(np.float64)  # (n,)
    weights = np.array([grey, 0, 0, 0, 0, 0], np.float64)
    for _ in range(SHADING_ROUNDS):
        residual = values - weights @ some
        residual -= np.median(residual)
        near = np.abs(residual) <= NOISE_MADS * np.median(np.abs(residual))
        weights = np.linalg.lstsq(some[:, near].T, values[near])[0]
    return np.tensordot(weights, terms, 1).astype(np.float32)


def _start(digit: Float[np.ndarray, "h w"], axis: int, field: int, by_mass: bool) -> int:
    """Where the digit begins in the canvas so that its centre of mass, or its frame, falls on the field's middle.

    Digit and canvas have a margin of one pixel, which may leave the field; the box between stays inside.
    """
    room = field - (digit.shape[axis] - 2)
    if not by_mass:
        return room // 2
    centre = _centre(digit.sum(axis=1 - axis)) - 1
    # rounded as MNIST's are: its centres of mass lie in [13.5, 14.5)
    return max(0, min(math.floor(field / 2 - centre + 0.5), room))
