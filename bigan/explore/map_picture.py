"""A map of the gallery as one picture for a file: points in the colours of their classes, each class named in place.

Shapes: N gallery images, C H W image.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from PIL import Image, ImageColor, ImageDraw, ImageFont
from torch import Tensor

from bigan.explore.gallery import Gallery
from bigan.explore.projection import SpaceMap
from bigan.pictures import CLASS_COLOURS, INK, PAPER, RAMP, mosaic

MARGIN = 0.04  # of the size, on every side
FINER = 2  # drawn larger and reduced, for smooth edges
MAX_NAME = 20  # characters of a class name
FAINT = 0.22  # how much of a point's colour is left where others are selected
MAX_THUMBNAILS = 160  # with so few points in a part of the map, they are shown as images
RAMP_STEPS = 255  # values are told apart as finely as the page does
WHOLE = (0.5, 0.5, 1.0)
Colour = tuple[int, int, int] | str


@dataclass(frozen=True)
class Palette:
    """What a map is drawn in."""

    paper: Colour = PAPER
    ink: Colour = INK
    classes: tuple[str, ...] = CLASS_COLOURS


ON_PAPER = Palette()


def where(
    shown: SpaceMap,
    places: Float[Tensor, "n 2"],
    span: float | None = None,
    view: tuple[float, float, float] = WHOLE,
) -> Float[np.ndarray, "n 2"]:
    """Where places of a map are in its picture: shares of the width from the left and of the height from the top.

    Args:
        shown: the map.
        places: in its coordinates.
        span: as of `map_picture`.
        view: as of `map_picture`.
    """
    low, high = (edge(shown.coordinates.double().numpy(), axis=0) for edge in (np.min, np.max))
    centre = np.zeros(2) if span else (low + high) / 2
    span = span or float((high - low).max()) or 1.0
    x, y, zoom = view
    whole = (places.double().numpy() - centre) * (1, -1) / span + 0.5  # (n, 2) in the map's square
    return 0.5 + (1 - 2 * MARGIN) * zoom * (whole - (x, y))


def map_picture(
    gallery: Gallery,
    shown: SpaceMap,
    marked: Float[Tensor, " 2"] | None = None,
    size_px: int = 1200,
    palette: Palette = ON_PAPER,
    span: float | None = None,
    *,
    values: Float[Tensor, " N"] | None = None,
    scale: str = "",
    kept: Bool[Tensor, " N"] | None = None,
    selected: Collection[str] = (),
    view: tuple[float, float, float] = WHOLE,
) -> Image.Image:
    """The map on paper, mode "RGB", upwards as on the page.

    Args:
        gallery: what the points are.
        shown: their places.
        marked: a place to put a ring around.
        size_px: width and height.
        palette: light, or that of a dark page.
        span: what the picture spans around the origin, for several maps of one scale; without it, all points.
        values: what to colour by, with a scale from the least to the greatest, in place of the classes.
        scale: what the values are.
        kept: which points are shown; all without it.
        selected: ids; all other points are faint, unless none of these is shown.
        view: the part to show: its middle in the map's square (see `areas`), and how many times it is enlarged.
    """
    size = size_px * FINER
    places = size * where(shown, shown.coordinates, span, view)  # (N, 2)
    is_shown = np.ones(len(gallery), bool) if kept is None else kept.numpy()  # (N,)
    in_view = np.flatnonzero(is_shown & ((places >= 0) & (places <= size)).all(1))
    picture = Image.new("RGB", (size, size), palette.paper)
    draw = ImageDraw.Draw(picture)
    faint = _faint(gallery, is_shown, selected)
    colours = _colours(gallery, palette, values, faint, picture)
    if view[2] > 1 and len(in_view) <= MAX_THUMBNAILS:
        _thumbnails(picture, gallery, places, colours, faint, in_view)
    else:
        radius = size / 400 * min(view[2] ** 0.4, 3.0)
        for i in in_view:
            x, y = places[i]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), colours[i])
    if marked is not None:
        x, y = size * where(shown, marked[None], span, view)[0]
        for width, ring, colour in ((size / 130, size / 70, palette.paper), (size / 260, size / 75, palette.ink)):
            draw.ellipse((x - ring, y - ring, x + ring, y + ring), outline=colour, width=round(width))
    font = ImageFont.load_default(size / 34)
    for label in np.unique(gallery.labels.numpy()[is_shown]):
        place = np.median(places[gallery.labels.numpy() == label], axis=0)
        name = gallery.class_names[label][:MAX_NAME]
        draw.text(tuple(place), name, palette.ink, font, "mm", stroke_width=size / 300, stroke_fill=palette.paper)
    if values is not None:
        _scale(draw, size, palette, scale, (float(values.min()), float(values.max())))
    return picture.resize((size_px, size_px), Image.Resampling.BOX)


def _faint(gallery: Gallery, is_shown: Bool[np.ndarray, " N"], selected: Collection[str]) -> Bool[np.ndarray, " N"]:
    """Which points step back behind those that are selected and shown."""
    names = set(selected)
    chosen = np.array([name in names for name in gallery.ids]) & is_shown  # (N,)
    return ~chosen if chosen.any() else np.zeros(len(chosen), bool)


def _colours(
    gallery: Gallery,
    palette: Palette,
    values: Float[Tensor, " N"] | None,
    faint: Bool[np.ndarray, " N"],
    picture: Image.Image,
) -> list[tuple[int, ...]]:
    """The colour of each point."""
    inks: tuple[str, ...]
    if values is None:
        inks, which = palette.classes, gallery.labels.numpy() % len(palette.classes)
    else:
        low, high = float(values.min()), float(values.max())
        steps = ((values - low) / (high - low or 1.0) * (RAMP_STEPS - 1)).round().numpy()  # (N,)
        inks, which = RAMP, np.floor(steps / RAMP_STEPS * len(RAMP)).astype(int)
    full = [ImageColor.getrgb(ink)[:3] for ink in inks]
    paper = picture.getpixel((0, 0))
    assert isinstance(paper, tuple)
    pale = [tuple(round(FAINT * a + (1 - FAINT) * b) for a, b in zip(ink, paper, strict=True)) for ink in full]
    return [(pale if back else full)[i] for i, back in zip(which.tolist(), faint.tolist(), strict=True)]


def _thumbnails(
    picture: Image.Image,
    gallery: Gallery,
    places: Float[np.ndarray, "N 2"],
    colours: list[tuple[int, ...]],
    faint: Bool[np.ndarray, " N"],
    in_view: Int64[np.ndarray, " n"],
) -> None:
    """The images themselves, each in the colour of its point."""
    draw, side, edge = ImageDraw.Draw(picture), picture.width / 22, picture.width / 300
    height, width = gallery.images.shape[2:]
    factor = side / max(height, width)
    half = np.array([width, height]) * factor / 2
    for i in in_view:
        low, high = np.rint(places[i] - half).astype(int), np.rint(places[i] + half).astype(int)
        draw.rectangle((*(low - edge), *(high + edge - 1)), colours[i])
        image = mosaic(gallery.images[i : i + 1], 1, gap_px=0).convert("RGB")
        if faint[i]:
            image = Image.blend(Image.new("RGB", image.size, picture.getpixel((0, 0))), image, FAINT)
        resampling = Image.Resampling.NEAREST if factor >= 1 else Image.Resampling.BOX
        picture.paste(image.resize(tuple((high - low).tolist()), resampling), tuple(low.tolist()))


def _scale(draw: ImageDraw.ImageDraw, size: int, palette: Palette, title: str, ends: tuple[float, float]) -> None:
    """What the colours mean, in the lower left corner."""
    left, top, width, height = size * MARGIN, size * 0.955, size * 0.3, size * 0.012
    for k, ink in enumerate(RAMP):
        start = left + width * k / len(RAMP)
        draw.rectangle((math.floor(start), top, left + width * (k + 1) / len(RAMP), top + height), ink)
    font = ImageFont.load_default(size / 60)
    words = [(left, "ls", title), (left, "lt", f"{ends[0]:.3g}"), (left + width, "rt", f"{ends[1]:.3g}")]
    for x, anchor, text in words:
        y = top - size * 0.008 if anchor == "ls" else top + height + size * 0.005
        draw.text((x, y), text, palette.ink, font, anchor, stroke_width=size / 400, stroke_fill=palette.paper)
