"""What an edit makes of a latent, and how it is drawn: before, after and difference, kept in sight beside the controls.

Shapes: B latents, Z latent components, C H W image.
"""

import base64
import html
from dataclasses import dataclass

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.latent import off_prior_share
from bigan.pictures import mosaic, png_bytes
from bigan.ui import charts, difference, edits, pictures, theme, words
from bigan.ui.charts import MINUS
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Edit, Resolved

_IMAGES_KEY, _NUMBERS_KEY = "edit-images", "edit-numbers"
SCALE, END_PX = 8, 56
EDITED = "z\N{PRIME}"  # what the edited latent is called
OUTSIDE = "G was never asked to make anything of such a z."


@dataclass(frozen=True)
class Made:
    """The latent that an edit starts from and the one that it leads to, and what G and D make of both."""

    edit: Edit
    z: Float[Tensor, "2 Z"]
    x: Float[Tensor, "2 C H W"]
    logits: list[float] | None
    """D(G(z), z); None without a D of pairs."""
    num_outside: list[int]
    """Numbers outside the prior."""

    @property
    def is_changed(self) -> bool:
        """Whether the edit changes anything."""
        return not torch.equal(self.z[0], self.z[1])


def make(chosen: OpenCheckpoint, start: Resolved, edit: Edit) -> Made:
    """What the edit makes of the start's latent."""
    z = torch.stack([start.z[0], edits.latent(chosen, start.z[0], edit)])  # (2, Z)
    x = chosen.model.generate(z)  # (2, C, H, W)
    return Made(edit, z, x, chosen.opinions(x, z), num_outside(chosen, z))


def num_outside(chosen: OpenCheckpoint, z: Float[Tensor, "B Z"]) -> list[int]:
    """How many numbers of each latent lie outside the prior."""
    return words.num_outside(off_prior_share(z, chosen.config.prior), z.shape[1])


def outside_words(made: Made) -> str:
    """How many numbers lie outside the prior, before and after."""
    before, after = made.num_outside
    if not before and not after:
        return f"None of the {made.z.shape[1]} numbers lies outside the prior."
    sentence = f"{words.outside(after, made.z.shape[1])} (before: {before})."
    return f"{sentence} {OUTSIDE}" if after else sentence


def show(chosen: OpenCheckpoint, made: Made) -> None:
    """What the edit makes: its images, which stay in sight, and its numbers; on a telephone those come last."""
    with st.container(key=_IMAGES_KEY):
        _images(chosen, made)
    with st.container(key=_NUMBERS_KEY):
        if made.logits is not None:
            before, after = made.logits
            charts.needle([("D(G(z), z) before", before), (f"D(G({EDITED}), {EDITED}) after", after)])
        charts.latent_bars(made.z[1:], chosen.config.prior, key="bars", name=EDITED)


def _images(chosen: OpenCheckpoint, made: Made) -> None:
    """Before, after and their difference, with what lies outside the prior."""
    figures = [
        pictures.figure(
            mosaic(x[None], 1, gap_px=0), alt=f"{alt} the edit", kind="generated", caption=caption, scale=SCALE,
            smooth=chosen.smooth,
        )
        for x, alt, caption in zip(
            made.x, ("G(z) before", "G(z) after"), ("before: G(z)", f"after: G({EDITED})"), strict=True
        )
    ]  # fmt: skip
    change = made.x[1] - made.x[0]
    amount = difference.words(change)
    drawn = difference.figure(
        change, alt=f"The difference, after {MINUS} before. {amount}", scale=SCALE, smooth=chosen.smooth
    )
    colour = ' class="bg-off_prior"' if made.num_outside[1] else ""
    st.html(
        f'<div class="bg-bench">{"".join(figures)}<div>{drawn}<small>after {MINUS} before: blue is darker now, orange '
        f'brighter</small></div><div class="bg-bench-words"><p{colour}><strong>{html.escape(outside_words(made))}'
        f"</strong></p><p>{amount}</p></div></div><style>{_STYLE}</style>"
    )


def ends_sheet(x: Float[Tensor, "B C H W"], smooth: bool) -> str:
    """The images at both ends of some numbers as one picture, and the style that cuts it into `end`s, as HTML."""
    sheet = base64.b64encode(png_bytes(mosaic(x, 2, gap_px=0))).decode()
    height, width = x.shape[-2:]
    crisp = "" if smooth else "image-rendering: pixelated; "
    return (
        f'<span hidden>ends</span><style>.bg-end {{ background-image: url("data:image/png;base64,{sheet}"); {crisp}'
        f"background-size: 200% {100 * len(x) // 2}%; aspect-ratio: {width} / {height}; }}</style>"
    )


def end(place: int, num: int, name: str, value: float) -> str:
    """One image of the sheet, as HTML: even places are low ends, odd ones high ends."""
    row, column = divmod(place, 2)
    y = 100 * row / max(1, num - 1)
    number = f"{value:g}".replace("-", MINUS)
    return (
        f'<div class="bg-end" role="img" aria-label="{html.escape(name)} at {number}" '
        f'style="background-position: {100 * column}% {y:.4f}%"></div><div class="bg-end-value">{number}</div>'
    )


_GENERATED, _PAPER = theme.css_colour("generated"), theme.css_colour("paper")
_COLUMN = f'[data-testid="stColumn"]:has(.st-key-{_IMAGES_KEY})'
_IMAGES = f'[data-testid="stLayoutWrapper"]:has(> .st-key-{_IMAGES_KEY})'
_STYLE = f"""
{_COLUMN} > [data-testid="stVerticalBlock"] {{ height: 100%; }}
{_IMAGES} {{ position: sticky; top: 3.75rem; z-index: 3; width: 100%; background: {_PAPER}; }}
.bg-bench {{ display: grid; grid-template-columns: 1fr 1fr; gap: 0.4rem 0.9rem; align-items: start; }}
.bg-bench p {{ margin: 0 0 0.5rem 0; line-height: 1.4; }}
.bg-bench small {{ font-size: 0.875rem; line-height: 1.3; display: block; }}
.bg-end {{ width: {END_PX}px; border: 2px dashed {_GENERATED}; box-sizing: content-box; }}
.bg-end-value {{ font-size: 0.875rem; text-align: center; width: {END_PX + 4}px; line-height: 1.3; }}
@media (max-width: 640px) {{
  {_COLUMN}, {_COLUMN} > [data-testid="stVerticalBlock"] {{ display: contents; }}
  [data-testid="stLayoutWrapper"]:has(> .st-key-{_NUMBERS_KEY}) {{ order: 1; width: 100%; }}
  .st-key-kind [data-testid="stButtonGroup"] > div {{ flex-wrap: wrap; }}
  .bg-bench {{ grid-template-columns: 1fr 1fr 1fr; gap: 0.2rem 0.5rem; }}
  .bg-bench-words {{ grid-column: 1 / -1; font-size: 0.875rem; }}
  .bg-bench-words p {{ margin: 0 0 0.3rem 0; }}
  .bg-bench-words p + p {{ display: none; }}
  .bg-bench small {{ display: none; }}
}}
"""
