"""The map as a component: packs a gallery and its maps for the browser, and mounts the canvas that shows them.

The points (places in every space, labels, ids, and all thumbnails as one picture) make up one message that never
changes, so Streamlit sends it once and refers to it afterwards. What changes with each click is a second, small one.
Offline and without any library: the scripts and the style sheet lie beside this file.

Shapes: N gallery images, C H W image.
"""

import functools
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from bigan.explore.gallery import Gallery
from bigan.explore.projection import Projection
from bigan.files import GALLERY_FILE, PROJECTION_FILE
from bigan.pictures import mosaic
from bigan.ui import theme
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

SCRIPTS = ("map_points.js", "map_painter.js", "map_component.js")  # one module, in this order
STAR = "star"  # what the component calls the star where it calls a point by its id
KEY_BYTES = 16
STEPS = 65535  # a place is two 16-bit numbers: finer than any screen at any zoom
WEBP_QUALITY = 75  # MNIST's 5,000 digits take 0.6 MB; lossless 1.5 MB


@dataclass(frozen=True)
class Star:
    """An image that is not one of the gallery's, on the map."""

    place: Float[Tensor, " 2"]
    """In the map's coordinates."""
    name: str
    kind: Literal["real", "generated"]


@dataclass(frozen=True)
class Box:
    """The square around a map, by which its coordinates become the component's: 0 to 1, y downwards."""

    centre: tuple[float, float]
    span: float
    extent: tuple[float, float]
    """Width and height of the map in that square."""

    def inside(self, coordinates: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Places on the map as the component has them."""
        return 0.5 + (coordinates.astype(float) - self.centre) * (1, -1) / self.span


def box(coordinates: Float[np.ndarray, "N 2"]) -> Box:
    """The square around all points of a map."""
    low, high = coordinates.min(0).astype(float), coordinates.max(0).astype(float)
    span = float((high - low).max()) or 1.0
    width, height = (high - low) / span
    x, y = (low + high) / 2
    return Box((float(x), float(y)), span, (max(float(width), 1e-3), max(float(height), 1e-3)))


def pack(gallery: Gallery, projection: Projection) -> bytes:
    """The points for the browser, in one piece.

    A key of what follows (16 hexadecimal digits), the length of the header (32 bits, little-endian), the header (JSON),
    the labels (8 bits each), the places of every space (2 x 16 bits each), and the thumbnails (one WebP picture).
    """
    count, labels = len(gallery), gallery.labels.numpy()
    columns = int(np.ceil(np.sqrt(count)))
    *_, height, width = gallery.images.shape
    spaces, places = [], []
    for name, space in projection.maps.items():
        coordinates = space.coordinates.numpy()
        frame = box(coordinates)
        inside = frame.inside(coordinates)  # (N, 2)
        medians = [
            np.median(inside[labels == label], axis=0).round(4).tolist() if (labels == label).any() else None
            for label in range(len(gallery.class_names))
        ]
        spaces.append({"name": name, "extent": frame.extent, "medians": medians})
        places.append((inside * STEPS).round().astype("<u2").tobytes())
    header = {
        "ids": gallery.ids,
        "classNames": gallery.class_names,
        "columns": columns,
        "tile": [width, height],
        "spaces": spaces,
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join([head, labels.astype(np.uint8).tobytes(), *places, _sprite(gallery, columns)])
    key = hashlib.sha256(body).hexdigest()[:KEY_BYTES].encode()
    return key + len(head).to_bytes(4, "little") + body


def _sprite(gallery: Gallery, columns: int) -> bytes:
    """All images side by side, without gaps, as one WebP."""
    picture = mosaic(gallery.images, columns, gap_px=0)
    black = Image.new("RGB", picture.size)
    black.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
    file = io.BytesIO()
    black.save(file, "WEBP", quality=WEBP_QUALITY, method=2)
    return file.getvalue()


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Packing the map")
def _packed(folder: str, states: tuple[int, ...], _gallery: Gallery, _projection: Projection) -> bytes:  # noqa: ARG001
    return pack(_gallery, _projection)


def points(chosen: OpenCheckpoint, gallery: Gallery, projection: Projection) -> bytes:
    """`pack`, once for a checkpoint's files."""
    stats = [(chosen.path / name).stat() for name in (GALLERY_FILE, PROJECTION_FILE)]
    states = tuple(number for stat in stats for number in (stat.st_mtime_ns, stat.st_size))
    return _packed(str(chosen.path), states, gallery, projection)


@functools.cache
def _assets(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


def _colours(colours: theme.Colours) -> dict[str, object]:
    return {"classes": colours.classes, "real": colours.real, "generated": colours.generated}


def show(
    packed: bytes,
    frame: Box,
    *,
    space: str,
    picked: str,
    neighbours: tuple[str, ...],
    star: Star | None,
    alt: str,
    key: str,
    on_pick: Callable[[str], None],
) -> None:
    """The map, with one point picked.

    Args:
        packed: the points, see `pack`.
        frame: of the shown space.
        space: which of the packed maps.
        picked: the id of the picked point, or STAR.
        neighbours: ids that lines lead to from the picked point.
        star: drawn where there is one.
        alt: what the map shows and how to use it, for those who cannot see it.
        key: unlike any other widget's on the page.
        on_pick: called with the id of the point that was clicked, or STAR, before the page is drawn anew.
    """
    placed = None
    if star is not None:
        (x, y), *_ = frame.inside(star.place.numpy()[None]).tolist()
        placed = {"x": x, "y": y, "name": star.name, "kind": star.kind}
    data = {
        "points": packed[:KEY_BYTES].decode(),
        "space": space,
        "picked": picked,
        "neighbours": neighbours,
        "star": placed,
        "alt": alt,
        "colours": {"light": _colours(theme.LIGHT), "dark": _colours(theme.DARK)},
    }

    def choose() -> None:
        clicked = st.session_state[key].picked
        if isinstance(clicked, str):
            on_pick(clicked)

    mount = st.components.v2.component("bigan.map", js=_assets(*SCRIPTS), css=_assets("map_component.css"))
    with st.container(gap=None):
        # in a tuple: among a dictionary's values Streamlit looks for tables, and loads pandas (80 MB) to know one
        mount(data=(data,), key=key, on_picked_change=choose)
        mount(data=packed, key=f"{key}-points")
