"""A grid of images whose cells are buttons: one composed picture, chosen from by pointer, touch or keys.

Resting on a cell says what it is and what D thinks of it. A click chooses one; Shift or Ctrl with it adds and takes
away. Offline and without any library: grid.js and grid.css lie beside this file.

Shapes: N images, C H W image.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.pictures import mosaic, png_bytes, to_uint8
from bigan.ui import assets, charts
from bigan.ui.pictures import Kind

MAX_SHEETS = 64  # composed pictures kept for all sessions; one of 100 MNIST digits takes 60 kB
NO_CHOICE: tuple[tuple[int, ...], int] = ((), 0)


@dataclass(frozen=True)
class Cell:
    """What is said of one image."""

    name: str
    """What it is called, for example "number 5", or its label and id."""
    detail: str = ""
    """One more line, for example a distance."""
    logit: float | None = None
    """D's opinion of its pair, said in words and drawn as a violet bar under the image."""


def show(
    images: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"],
    cells: Sequence[Cell],
    *,
    columns: int,
    alt: str,
    kind: Kind,
    key: str,
    chosen: Sequence[int] | None = None,
    several: bool = False,
    on_choice: Callable[[tuple[int, ...]], None] | None = None,
    caption: str = "",
    scale: int = 3,
    smooth: bool = False,
) -> tuple[int, ...]:
    """The positions of the chosen images, in the order in which they were chosen.

    Args:
        images: row by row.
        cells: what is said of each.
        columns: images in a row, where there is room for them.
        alt: what the grid shows.
        kind: what the images are, which is the grid's frame.
        key: unlike any other widget's on the page.
        chosen: what to show as chosen; None where the grid itself is to remember it.
        several: whether more than one can be chosen, and none.
        on_choice: called with the positions of the chosen images before the page is drawn anew.
        caption: text under the grid.
        scale: how many times it is enlarged where there is room.
        smooth: enlarge smoothly (photographs) rather than by square pixels.
    """
    memory = f"{key}-choice"
    remembered, stamp = st.session_state.get(memory, NO_CHOICE)
    shown = tuple(i for i in (remembered if chosen is None else chosen) if i < len(images))

    def choose() -> None:
        sent = _sent(st.session_state[key].chosen, len(images), several)
        if sent is not None:
            st.session_state[memory] = sent
            if on_choice is not None:
                on_choice(sent[0])

    *_, height, width = images.shape
    data = {  # no lists: in those Streamlit looks for tables, and loads pandas (80 MB) to know one
        "sheet": sheet(images, columns),
        "tile": (width, height),
        "columns": min(columns, len(images)),
        "names": tuple(cell.name for cell in cells),
        "details": tuple(cell.detail for cell in cells),
        "shares": tuple(None if cell.logit is None else round(charts.probability(cell.logit), 4) for cell in cells),
        "opinions": tuple("" if cell.logit is None else f"D: {charts.opinion_words(cell.logit)}" for cell in cells),
        "alt": alt,
        "kind": kind,
        "caption": caption,
        "scale": scale,
        "smooth": smooth,
        "several": several,
        "chosen": shown,
        "stamp": stamp,
    }
    assets.mount("grid", data, key=key, on_chosen_change=choose)
    return shown


def _sent(value: Any, count: int, several: bool) -> tuple[tuple[int, ...], int] | None:
    """The chosen positions and when they were chosen, as the browser sends them; None if it cannot have sent them."""
    if not isinstance(value, dict):
        return None
    cells, stamp = value.get("cells"), value.get("stamp")
    if not isinstance(cells, list) or not isinstance(stamp, int) or len(cells) != len(set(map(str, cells))):
        return None
    if not all(type(cell) is int and 0 <= cell < count for cell in cells) or (not several and len(cells) != 1):
        return None
    return tuple(cells), stamp


def sheet(images: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"], columns: int) -> str:
    """All images as one PNG, as text; the same images are composed once."""
    pixels = to_uint8(images) if images.is_floating_point() else images.cpu().numpy()
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return _composed(digest, columns, pixels)


@st.cache_resource(max_entries=MAX_SHEETS, show_spinner=False)
def _composed(digest: str, columns: int, _pixels: Any) -> str:  # noqa: ARG001
    picture = mosaic(_pixels, columns, gap_px=0)
    return "data:image/png;base64," + base64.b64encode(png_bytes(picture)).decode()
