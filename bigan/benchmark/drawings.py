"""Pictures as people bring them, for measuring and testing: a few thick strokes, dark on white."""

import numpy as np
from PIL import Image, ImageDraw

from bigan.pictures import png_bytes

SIDE_PX = 280
MARGIN_PX, PEN_PX = SIDE_PX // 5, SIDE_PX // 14
NUM_CORNERS = 4


def stroke(seed: int) -> list[tuple[int, int]]:
    """The corners of a line across a picture, different for each seed."""
    corners = np.random.default_rng(seed).integers(MARGIN_PX, SIDE_PX - MARGIN_PX, (NUM_CORNERS, 2))
    return [(int(x), int(y)) for x, y in corners]


def drawing(seed: int) -> bytes:
    """A PNG of such a line."""
    picture = Image.new("L", (SIDE_PX, SIDE_PX), 255)
    ImageDraw.Draw(picture).line(stroke(seed), fill=0, width=PEN_PX)
    return png_bytes(picture)
