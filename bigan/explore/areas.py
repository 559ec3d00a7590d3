"""Selections on a map as text that is short enough for an address: areas drawn around points, and points by id.

Places are those of the map's square: 0 to 1 in both directions, y downwards. The browser draws with the same numbers,
so that both sides agree on what lies inside.
Shapes: N points, K corners.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

STEPS = 65535  # a place is two 16-bit numbers: finer than any screen at any zoom
CORNER_STEPS = 1000  # corners of areas stand in addresses, in whole thousandths
MAX_PARTS, MAX_CORNERS = 24, 32  # of one selection, of one area
ZOOM_STEPS = 100  # and so does how far the map is enlarged, in hundredths
VIEW = re.compile(r"(-?\d{1,6}),(-?\d{1,6}),(\d{1,6})", re.ASCII)
_AREA = re.compile(r"([a-z]+):(\d{1,4}(?:,\d{1,4})+)")


@dataclass(frozen=True)
class Box:
    """The square around a map, by which its coordinates become places in it."""

    centre: tuple[float, float]
    span: float
    extent: tuple[float, float]
    """Width and height of the map in that square."""

    def inside(self, coordinates: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Places of the map's coordinates in the square."""
        return 0.5 + (coordinates.astype(float) - self.centre) * (1, -1) / self.span

    def outside(self, places: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """The map's coordinates of places in the square: the way back."""
        return self.centre + (places - 0.5) * (1, -1) * self.span


def box(coordinates: Float[np.ndarray, "N 2"]) -> Box:
    """The square around all points of a map."""
    low, high = coordinates.min(0).astype(float), coordinates.max(0).astype(float)
    span = float((high - low).max()) or 1.0
    width, height = (high - low) / span
    x, y = (low + high) / 2
    return Box((float(x), float(y)), span, (max(float(width), 1e-3), max(float(height), 1e-3)))


@dataclass(frozen=True)
class Area:
    """What lies inside a closed line of corners on the map of one space."""

    space: str
    corners: tuple[tuple[float, float], ...]

    def holds(self, places: Float[np.ndarray, "N 2"]) -> Bool[np.ndarray, " N"]:
        """Which places are inside, by the even-odd rule: a ray to the right crosses the line an odd number of times."""
        x, y = places[:, 0], places[:, 1]
        odd = np.zeros(len(places), bool)  # (N,)
        for (x0, y0), (x1, y1) in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            if y0 != y1:
                odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        return odd


def parts(text: str) -> tuple[Area | str, ...]:
    """The areas and the ids that a selection is made of; what is not one of ours counts as an id that nothing has."""
    return tuple(_part(word) for word in text.split()[:MAX_PARTS])


def _part(word: str) -> Area | str:
    found = _AREA.fullmatch(word)
    numbers = [int(number) / CORNER_STEPS for number in found[2].split(",")] if found else []
    if found is None or len(numbers) % 2 or not 6 <= len(numbers) <= 2 * MAX_CORNERS:
        return word
    return Area(found[1], tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def parse_view(text: str) -> tuple[float, float, float] | None:
    """The part of a map that a text names: its middle in the square, and how many times it is enlarged.

    Args:
        text: "x,y,zoom", in thousandths and hundredths.
    """
    found = VIEW.fullmatch(text)
    if found is None or int(found[3]) < ZOOM_STEPS:
        return None
    x, y, zoom = map(int, found.groups())
    return x / CORNER_STEPS, y / CORNER_STEPS, zoom / ZOOM_STEPS


def selected(text: str, ids: Sequence[str], coordinates: dict[str, Float[np.ndarray, "N 2"]]) -> tuple[str, ...]:
    """The ids of the points that a selection holds, in the order of the map.

    Args:
        text: areas as "space:x,y,x,y,x,y" in thousandths of the square, and ids, between spaces.
        ids: of the points.
        coordinates: of the points in the map of each space; an area in another space holds nothing.
    """
    chosen = np.zeros(len(ids), bool)  # (N,)
    names = set()
    for part in parts(text):
        if isinstance(part, str):
            names.add(part)
        elif part.space in coordinates:
            chosen |= part.holds(places(coordinates[part.space]))
    return tuple(name for name, inside in zip(ids, chosen.tolist(), strict=True) if inside or name in names)


def places(coordinates: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
    """Where the points of a map stand in its square, as the browser knows them: to 1 / STEPS."""
    return (box(coordinates).inside(coordinates) * STEPS).round() / STEPS
