"""Pictures on a page: one composed picture per grid, crisp at any zoom, framed by what they are.

Pixels travel at their own size and the style sheet enlarges them by a whole factor that fits the column. Frames: a real
image is blue and solid, a generated one orange and dashed. Shapes: N images, C H W image.
"""

import base64
import html
from collections.abc import Callable, Sequence
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
    cell_shares: Sequence[float] = (),
    picked: int | None = None,
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
        cell_shares: a number in [0, 1] per image (D's opinion), drawn as a violet bar of that width under it.
        picked: the image to outline.
    """
    picture = mosaic(x, columns, gap_px=GRID_GAP_PX)
    overlay = _overlay(len(x), columns, cell_titles, cell_shares, picked)
    st.html(figure(picture, alt=alt, kind=kind, caption=caption, scale=scale, smooth=smooth, overlay=overlay))


def choice_grid(
    x: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"],
    *,
    columns: int,
    alt: str,
    kind: Kind,
    key: str,
    cell_names: Sequence[str],
    on_choice: Callable[[int], None],
    caption: str = "",
    scale: int = 3,
    smooth: bool = False,
    cell_shares: Sequence[float] = (),
    picked: int | None = None,
) -> None:
    """A grid whose images are buttons.

    Args:
        x: the images, row by row.
        columns: images in a row.
        alt: what the grid shows.
        kind: what the images are.
        key: unlike any other widget's on the page.
        cell_names: what each button is called, also shown when the pointer rests on it.
        on_choice: called with the position of the image that was pressed, before the page is drawn anew.
        caption: text under the grid.
        scale: how many times it is enlarged where there is room.
        smooth: enlarge smoothly.
        cell_shares: as in `grid`.
        picked: the image to outline.
    """
    overlay = _overlay(len(x), columns, cell_names, cell_shares, picked, tag="button")
    body = figure(
        mosaic(x, columns, gap_px=GRID_GAP_PX),
        alt=alt,
        kind=kind,
        caption=caption,
        scale=scale,
        smooth=smooth,
        overlay=overlay,
    )

    def choose() -> None:
        cell = st.session_state[key].cell
        if isinstance(cell, int) and 0 <= cell < len(x):
            on_choice(cell)

    mount = st.components.v2.component("bigan.choice_grid", js=_CHOICE_SCRIPT, isolate_styles=False)
    mount(data={"body": body}, key=key, on_cell_change=choose)


# The only script of the grid: it shows the figure and reports which button was pressed.
_CHOICE_SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  let box = parentElement.querySelector(".bg-choice");
  if (!box) {
    box = document.createElement("div");
    box.className = "bg-choice";
    parentElement.append(box);
  }
  if (box.shown !== data.body) {
    const held = box.contains(document.activeElement) ? document.activeElement.dataset.cell : undefined;
    box.innerHTML = box.shown = data.body;
    if (held !== undefined) box.querySelector(`[data-cell="${held}"]`)?.focus({ preventScroll: true });
  }
  box.onclick = (event) => {
    const cell = event.target.closest("[data-cell]");
    if (cell) setTriggerValue("cell", Number(cell.dataset.cell));
  };
}
"""


def _overlay(
    num: int, columns: int, titles: Sequence[str], shares: Sequence[float], picked: int | None, tag: str = "span"
) -> str:
    """Transparent cells over a grid: titles, bars, and the outline of the picked one."""
    if not titles and not shares and picked is None:
        return ""
    cells = []
    for i in range(num):
        name = html.escape(titles[i]) if titles else ""
        title = f' title="{name}"' if name else ""
        if tag == "button":
            title += f' type="button" data-cell="{i}" aria-label="{name}" aria-pressed="{str(i == picked).lower()}"'
        bar = f'<b style="width: {100 * shares[i]:.0f}%"></b>' if shares else ""
        cells.append(f"<{tag}{title}{' class=bg-picked' if i == picked else ''}>{bar}</{tag}>")
    rows = -(-num // columns)
    style = f"grid-template: repeat({rows}, 1fr) / repeat({columns}, 1fr)"
    hidden = "" if tag == "button" else ' aria-hidden="true"'
    return f'<div class="bg-cells" style="{style}"{hidden}>{"".join(cells)}</div>'
