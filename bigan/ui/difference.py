"""The difference between G(E(x)) and x as a picture from blue over white to orange, with its scale.

Shapes: C H W image.
"""

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.pictures import NEGATIVE, POSITIVE, difference_picture
from bigan.ui import pictures
from bigan.ui.charts import MINUS


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def show(difference: Float[Tensor, "C H W"], *, scale: int, smooth: bool) -> None:
    """The picture, its scale and what it says in numbers.

    Args:
        difference: x_hat - x, in [-1, 1].
        scale: how many times it is enlarged where there is room.
        smooth: enlarge smoothly.
    """
    said = f"G(E(x)) {MINUS} x. Blue: x is brighter; orange: G(E(x)) is. {words(difference)}"
    caption = f'<figcaption style="font-size: 0.875rem; line-height: 1.35">{said}</figcaption>'
    st.html(figure(difference, alt=f"The difference. {said}", scale=scale, smooth=smooth) + caption)


def words(difference: Float[Tensor, "C H W"]) -> str:
    """How much it is, pixel by pixel."""
    mean, largest = difference.abs().mean().item(), difference.abs().max().item()
    return f"Of the full range, a pixel differs by {100 * mean:.0f} % on average and {100 * largest:.0f} % at most."


def figure(difference: Float[Tensor, "C H W"], *, alt: str, scale: int, smooth: bool) -> str:
    """The HTML of the picture over its scale."""
    picture = difference_picture(difference, 1)
    ends = f"{_css(NEGATIVE)}, #ffffff, {_css(POSITIVE)}"
    sizes = f"padding-block: 0; --own: {picture.width}px; --largest: {scale * picture.width}px"  # the picture's width
    ruler = (
        '<div class="bg-figure" style="font-size: 0.875rem" aria-hidden="true">'
        f'<div class="bg-frame bg-frame-plain" style="{sizes}">'
        f'<div style="height: 8px; background: linear-gradient(to right, {ends})"></div>'
        f'<div style="display: flex; justify-content: space-between"><span>{MINUS}1</span><span>0</span><span>+1</span>'
        "</div></div></div>"
    )
    return pictures.figure(picture, alt=alt, scale=scale, smooth=smooth) + ruler
