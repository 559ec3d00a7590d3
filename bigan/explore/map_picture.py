"""A map of the gallery as one picture for a file: points in the colours of their classes, each class named in place.

Shapes: N gallery images.
"""

from dataclasses import dataclass

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
Colour = tuple[int, int, int] | str


@dataclass(frozen=True)
class Palette:
    """What a map is drawn in."""

    paper: Colour = PAPER
    ink: Colour = INK
    classes: tuple[str, ...] = CLASS_COLOURS


ON_PAPER = Palette()


def where(shown: SpaceMap, places: Float[Tensor, "n 2"], span: float | None = None) -> Float[np.ndarray, "n 2"]:
    """Where places of a map are in its picture: shares of the width from the left and of the height from the top.

    Args:
        shown: the map.
        places: in its coordinates.
        span: as of `map_picture`.
    """
    low, high = (edge(shown.coordinates.double().numpy(), axis=0) for edge in (np.min, np.max))
    centre = np.zeros(2) if span else (low + high) / 2
    span = span or float((high - low).max()) or 1.0
    return 0.5 + (1 - 2 * MARGIN) * (places.double().numpy() - centre) * (1, -1) / span


def map_picture(
    gallery: Gallery,
    shown: SpaceMap,
    marked: Float[Tensor, " 2"] | None = None,
    size_px: int = 1200,
    palette: Palette = ON_PAPER,
    span: float | None = None,
) -> Image.Image:
    """The map on paper, mode "RGB", upwards as on the page.

    Args:
        gallery: what the points are.
        shown: their places.
        marked: a place to put a ring around.
        size_px: width and height.
        palette: light, or that of a dark page.
        span: what the picture spans around the origin, for several maps of one scale; without it, all points.
    """
    size = size_px * FINER
    places = size * where(shown, shown.coordinates, span)  # (N, 2)
    picture = Image.new("RGB", (size, size), palette.paper)
    draw = ImageDraw.Draw(picture)
    labels, radius = gallery.labels.numpy(), size / 400
    for (x, y), label in zip(places, labels, strict=True):
        fill = palette.classes[label % len(palette.classes)]
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill)
    if marked is not None:
        x, y = size * where(shown, marked[None], span)[0]
        for width, ring, colour in ((size / 130, size / 70, palette.paper), (size / 260, size / 75, palette.ink)):
            draw.ellipse((x - ring, y - ring, x + ring, y + ring), outline=colour, width=round(width))
    font = ImageFont.load_default(size / 34)
    for label in np.unique(labels):
        place = np.median(places[labels == label], axis=0)
        name = gallery.class_names[label][:MAX_NAME]
        draw.text(tuple(place), name, palette.ink, font, "mm", stroke_width=size / 300, stroke_fill=palette.paper)
    return picture.resize((size_px, size_px), Image.Resampling.BOX)
