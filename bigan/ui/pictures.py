"""Pictures on a page: one composed picture per grid, crisp at any zoom, framed by what they are.

Pixels travel at their own size and the style sheet enlarges them by a whole factor that fits the column. Frames: a real
image is blue and solid, a generated one orange and dashed. Shapes: N images, C H W image.
"""

import base64
import html
from collections.abc import Sequence
from typing import Literal

import streamlit as st
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from bigan.pictures import mosaic, png_bytes

Kind = Literal["real", "generated", "plain"]
GRID_GAP_PX = 1


def show(
    picture: Image.Image, *, alt: str, kind: Kind = "plain", caption: str = "", scale: int = 1, smooth: bool = False
) -> None:
    """One picture in its frame, enlarged up to `scale` times, by a whole factor.

    Args:
        picture: at its own size.
        alt: what it shows, for those who cannot see it.
        kind: what it is, which is its frame.
        caption: text under it; plain text.
        scale: how many times it is enlarged where there is room.
        smooth: enlarge smoothly (photographs) rather than by square pixels.
    """
    st.html(figure(picture, alt=alt, kind=kind, caption=caption, scale=scale, smooth=smooth))


def figure(
    picture: Image.Image,
    *,
    alt: str,
    kind: Kind = "plain",
    caption: str = "",
    scale: int = 1,
    smooth: bool = False,
    overlay: str = "",
) -> str:
    """The HTML of `show`, to put several side by side in one `st.html`."""
    width = picture.width
    data = base64.b64encode(png_bytes(picture)).decode()
    sizes = f"--own: {width}px; --largest: {width * scale}px"  # between them, .bg-frame finds the width
    crisp = "" if smooth else " bg-crisp"
    return (
        f'<figure class="bg-figure"><div class="bg-frame bg-frame-{kind}{crisp}" style="{sizes}">'
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}">{overlay}</div>'
        + (f"<figcaption>{html.escape(caption)}</figcaption>" if caption else "")
        + "</figure>"
    )


def image(
    x: Float[Tensor, "1 C H W"] | UInt8[Tensor, "1 C H W"],
    *,
    alt: str,
    kind: Kind,
    caption: str = "",
    scale: int = 8,
    smooth: bool = False,
) -> None:
    """One image, large."""
    show(mosaic(x, 1, gap_px=0), alt=alt, kind=kind, caption=caption, scale=scale, smooth=smooth)


def grid(
    x: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"],
    *,
    columns: int,
    alt: str,
    kind: Kind,
    caption: str = "",
    scale: int = 3,
    smooth: bool = False,
    cell_titles: Sequence[str] = (),
) -> None:
    """Many images as one picture.

    Args:
        x: the images, row by row.
        columns: images in a row.
        alt: what the grid shows.
        kind: what the images are.
        caption: text under the grid.
        scale: how many times it is enlarged where there is room.
        smooth: enlarge smoothly.
        cell_titles: text shown when the pointer rests on an image.
    """
    picture = mosaic(x, columns, gap_px=GRID_GAP_PX)
    overlay = _titles(len(x), columns, cell_titles) if cell_titles else ""
    st.html(figure(picture, alt=alt, kind=kind, caption=caption, scale=scale, smooth=smooth, overlay=overlay))


def _titles(num: int, columns: int, titles: Sequence[str]) -> str:
    """Transparent cells over a grid, which say what they are when the pointer rests on them."""
    cells = "".join(f'<span title="{html.escape(title)}"></span>' for title in titles)
    style = f"grid-template: repeat({-(-num // columns)}, 1fr) / repeat({columns}, 1fr)"
    return f'<div class="bg-cells" style="{style}" aria-hidden="true">{cells}</div>'
