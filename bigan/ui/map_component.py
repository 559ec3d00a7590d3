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
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from bigan.explore.areas import STEPS, Box, box
from bigan.explore.gallery import Gallery
from bigan.explore.projection import Projection
from bigan.pictures import RAMP, mosaic
from bigan.ui import theme
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

SCRIPTS = ("map_points.js", "map_selection.js", "map_painter.js", "map_component.js")  # one module, in this order
STAR = "star"  # what the component calls the star where it calls a point by its id
KEY_BYTES = 16
MAX_TEXT = 8192  # of what the component sends
WEBP_QUALITY = 75  # MNIST's 5,000 digits take 0.6 MB; lossless 1.5 MB
MAX_SPRITE_PIXELS = 2**24  # of all thumbnails together: a browser holds four bytes of each
FILTERED = 255


@dataclass(frozen=True)
class Star:
    """An image that is not one of the gallery's, on the map."""

    place: Float[Tensor, " 2"]
    """In the map's coordinates."""
    name: str
    kind: Literal["real", "generated"]


@dataclass(frozen=True)
class Ghost:
    """What a model makes at a place of the map where there is no image."""

    place: tuple[float, float]
    """In the map's square."""
    picture: bytes
    """PNG."""


@dataclass(frozen=True)
class Hooks:
    """What the map calls before the page is drawn anew."""

    picked: Callable[[str], None]
    """With the id of the point that was clicked, or STAR."""
    selected: Callable[[str], None]
    """With the new selection, see `bigan.explore.areas`."""
    asked: Callable[[str], None]
    """With the place that was clicked where there is no point, as "x,y" in thousandths of the map's square."""
    seen: Callable[[str], None]
    """With the view, as the address keeps it; empty where all is seen."""
    hidden: Callable[[str], None]
    """With the labels that the legend hides, between commas."""


def pack(gallery: Gallery, projection: Projection) -> bytes:
    """The points for the browser, in one piece.

    A key of what follows (16 hexadecimal digits), the length of the header (32 bits, little-endian), the header (JSON),
    the labels (8 bits each), the places of every space (2 x 16 bits each), and the thumbnails (one WebP picture).
    """
    count, labels = len(gallery), gallery.labels.numpy()
    columns = int(np.ceil(np.sqrt(count)))
    width, height = _tile(gallery, columns)
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
    sprite = _sprite(gallery.images, columns, (width, height))
    body = b"".join([head, labels.astype(np.uint8).tobytes(), *places, sprite])
    key = hashlib.sha256(body).hexdigest()[:KEY_BYTES].encode()
    return key + len(head).to_bytes(4, "little") + body


def _tile(gallery: Gallery, columns: int) -> tuple[int, int]:
    """Width and height of a thumbnail: the image's own, or less where all together would be too large."""
    count, _, height, width = gallery.images.shape
    rows = -(-count // columns)
    shrink = max(1.0, (columns * rows * width * height / MAX_SPRITE_PIXELS) ** 0.5)
    return max(1, int(width / shrink)), max(1, int(height / shrink))


def _sprite(images: UInt8[Tensor, "N C H W"], columns: int, tile: tuple[int, int]) -> bytes:
    """All images side by side, without gaps, as one WebP."""
    picture = mosaic(images, columns, gap_px=0)
    black = Image.new("RGB", picture.size)
    black.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
    rows = -(-len(images) // columns)
    if black.size != (whole := (columns * tile[0], rows * tile[1])):
        black = black.resize(whole, Image.Resampling.BOX)
    file = io.BytesIO()
    black.save(file, "WEBP", quality=WEBP_QUALITY, method=2)
    return file.getvalue()


def pack_twins(packed: bytes, gallery: Gallery, reconstructions: UInt8[Tensor, "N C H W"]) -> bytes:
    """What comes back of the gallery's images, for those points: their key, no header, and one WebP picture."""
    columns = int(np.ceil(np.sqrt(len(gallery))))
    return packed[:KEY_BYTES] + bytes(4) + _sprite(reconstructions, columns, _tile(gallery, columns))


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Packing the map")
def _packed(gallery: object, projection: object, _gallery: Gallery, _projection: Projection) -> bytes:  # noqa: ARG001
    return pack(_gallery, _projection)


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner=False)
def _packed_twins(key: bytes, weights: str, _packed: bytes, _chosen: OpenCheckpoint) -> bytes:  # noqa: ARG001
    assert _chosen.gallery is not None and _chosen.index is not None
    return pack_twins(_packed, _chosen.gallery, _chosen.index.reconstructions)


def points(chosen: OpenCheckpoint, gallery: Gallery, projection: Projection) -> bytes:
    """`pack`, once for a checkpoint's files."""
    return _packed(chosen.gallery_key, chosen.projection_key, gallery, projection)


@functools.cache
def _assets(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


def _colours(colours: theme.Colours) -> dict[str, object]:
    return {"classes": colours.classes, "real": colours.real, "generated": colours.generated}


def values_text(values: Float[Tensor, " N"], kept: Bool[Tensor, " N"]) -> str:
    """Values to colour points by, for the browser: a byte each, 0 for the least to 254, and FILTERED if not kept."""
    low, high = float(values.min()), float(values.max())
    shares = (values - low) / (high - low or 1.0)  # (N,)
    steps = (shares * (FILTERED - 1)).round().byte().masked_fill(~kept, FILTERED)
    return b64encode(steps.numpy().tobytes()).decode()


def show(
    chosen: OpenCheckpoint,
    packed: bytes,
    frame: Box,
    hooks: Hooks,
    *,
    space: str,
    picked: str,
    neighbours: tuple[str, ...],
    star: Star | None,
    ghost: Ghost | None,
    selection: str,
    view: str,
    hidden: str,
    values: str | None,
    alt: str,
    key: str,
) -> None:
    """The map, with one point picked and any number selected.

    Args:
        chosen: the checkpoint.
        packed: the points, see `pack`.
        frame: of the shown space.
        hooks: called with what was done on the map.
        space: which of the packed maps.
        picked: the id of the picked point, or STAR.
        neighbours: ids that lines lead to from the picked point.
        star: drawn where there is one.
        ghost: drawn where there is one.
        selection: see `bigan.explore.areas`.
        view: where it is looked at, as `Hooks.seen` gave it.
        hidden: the labels that are not shown, as `Hooks.hidden` gave them.
        values: what the points are coloured by (`values_text`), or None for their classes.
        alt: what the map shows and how to use it, for those who cannot see it.
        key: unlike any other widget's on the page.
    """
    placed = haunted = None
    if star is not None:
        (x, y), *_ = frame.inside(star.place.numpy()[None]).tolist()
        placed = {"x": x, "y": y, "name": star.name, "kind": star.kind}
    if ghost is not None:
        picture = f"data:image/png;base64,{b64encode(ghost.picture).decode()}"
        haunted = {"x": ghost.place[0], "y": ghost.place[1], "picture": picture}
    data = {
        "points": packed[:KEY_BYTES].decode(),
        "space": space,
        "picked": picked,
        "neighbours": neighbours,
        "star": placed,
        "ghost": haunted,
        "selection": selection,
        "view": view,
        "hidden": hidden,
        "values": values,
        "ramp": RAMP if values is not None else (),
        "alt": alt,
        "colours": {"light": _colours(theme.LIGHT), "dark": _colours(theme.DARK)},
    }

    def told(name: str, hook: Callable[[str], None]) -> Callable[[], None]:
        def tell() -> None:
            text = getattr(st.session_state[key], name)
            if isinstance(text, str) and len(text) <= MAX_TEXT:
                hook(text)

        return tell

    mount = st.components.v2.component("bigan.map", js=_assets(*SCRIPTS), css=_assets("map_component.css"))
    with st.container(gap=None):
        # in a tuple: among a dictionary's values Streamlit looks for tables, and loads pandas (80 MB) to know one
        mount(
            data=(data,),
            key=key,
            on_picked_change=told("picked", hooks.picked),
            on_selected_change=told("selected", hooks.selected),
            on_asked_change=told("asked", hooks.asked),
            on_seen_change=told("seen", hooks.seen),
            on_hidden_change=told("hidden", hooks.hidden),
        )
        mount(data=packed, key=f"{key}-points")
        if chosen.index is not None:
            mount(data=_packed_twins(packed[:KEY_BYTES], chosen.weights_sha256, packed, chosen), key=f"{key}-twins")
