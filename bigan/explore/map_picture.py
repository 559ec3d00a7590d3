"""A map of the gallery as one picture for a file: points in the colours of their classes, each class named in place.

Shapes: N gallery images.
"""

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from bigan.explore.gallery import Gallery
from bigan.explore.projection import SpaceMap
from bigan.pictures import CLASS_COLOURS, INK, PAPER

MARGIN = 0.04  # of the size, on every side
FINER = 2  # drawn larger and reduced, for smooth edges
MAX_NAME = 20  # characters of a class name


def map_picture(
    gallery: Gallery, shown: SpaceMap, marked: Float[Tensor, " 2"] | None = None, size_px: int = 1200
) -> Image.Image:
    """The map on paper, mode "RGB", upwards as on the page.

    Args:
        gallery: what the points are.
        shown: their places.
        marked: a place to put a ring around.
        size_px: width and height.
    """
    size = size_px * FINER
    coordinates = shown.coordinates.double().numpy()  # (N, 2)
    low, high = coordinates.min(0), coordinates.max(0)
    centre, span = (low + high) / 2, float((high - low).max()) or 1.0

    def inside(places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        return size * (0.5 + (1 - 2 * MARGIN) * (places - centre) * (1, -1) / span)

    picture = Image.new("RGB", (size, size), PAPER)
    draw = ImageDraw.Draw(picture)
    labels, radius = gallery.labels.numpy(), size / 400
    for (x, y), label in zip(inside(coordinates), labels, strict=True):
        fill = CLASS_COLOURS[label % len(CLASS_COLOURS)]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)
    if marked is not None:
        x, y = inside(marked.double().numpy()[None])[0]
        for width, ring, colour in ((size / 130, size / 70, PAPER), (size / 260, size / 75, INK)):
            draw.ellipse((x - ring, y - ring, x + ring, y + ring), outline=colour, width=round(width))
    font = ImageFont.load_default(size / 34)
    for label in np.unique(labels):
        place = np.median(inside(coordinates[labels == label]), axis=0)
        name = gallery.class_names[label][:MAX_NAME]
        draw.text(tuple(place), name, INK, font, "mm", stroke_width=size / 300, stroke_fill=PAPER)
    return picture.resize((size_px, size_px), Image.Resampling.BOX)
