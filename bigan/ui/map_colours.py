"""What the points of the map are coloured and filtered by, beside their classes.

Shapes: N gallery images.
"""

import decimal
import html
from dataclasses import dataclass

import streamlit as st
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from bigan.explore.colouring import COLOURINGS, MappedGallery, colour_values, offered, parse_range, within
from bigan.explore.projection import SpaceMap
from bigan.pictures import RAMP
from bigan.ui import map_component, state
from bigan.ui.glossary import explain
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

LABEL = "label"
COLOUR, RANGE = "colour", "range"
_CHOICE_KEY = "colour-by"
STEPS = 200  # of the filter's slider
TITLES = {LABEL: "Label"} | {name: colouring.title for name, colouring in COLOURINGS.items()}


@dataclass(frozen=True)
class Coloured:
    """Values of all points, and which of them are shown."""

    values: Float[Tensor, " N"]
    kept: Bool[Tensor, " N"]

    @property
    def text(self) -> str:
        """For the map."""
        return map_component.values_text(self.values, self.kept)


def named(chosen: OpenCheckpoint, text: str) -> str | None:
    """The name of what the address asks to colour by, be it the name or a title; None if there is no such thing."""
    names = (LABEL, *(offered(chosen.index) if chosen.index is not None else ()))
    return next((name for name in names if text.casefold() in (name, TITLES[name].casefold())), None)


def control(chosen: OpenCheckpoint, name: str) -> None:
    """The choice of what to colour by; a range of other values is forgotten."""

    def take() -> None:
        taken = st.session_state[_CHOICE_KEY]
        state.keep(COLOUR, "" if taken == LABEL else taken)
        state.keep(RANGE, "")

    st.session_state[_CHOICE_KEY] = name
    st.selectbox(
        "Colour by",
        (LABEL, *(offered(chosen.index) if chosen.index is not None else ())),
        format_func=TITLES.__getitem__,
        key=_CHOICE_KEY,
        on_change=take,
        help=f"The label that people gave, or what the model makes of each image.\n\n{explain('logit', 'prior')}",
    )


def coloured(chosen: OpenCheckpoint, shown: SpaceMap, name: str, span: str) -> Coloured | None:
    """The values by which to colour, and a slider to show only some of them; None for labels.

    Args:
        chosen: the checkpoint.
        shown: the map.
        name: of the colouring.
        span: what is shown, see `bigan.explore.colouring.parse_range`.
    """
    if name == LABEL or chosen.index is None:
        return None
    values = _values(chosen.index_key, chosen.projection_key, shown.space, name, chosen, shown)
    low, high = float(values.min()), float(values.max())
    colouring = COLOURINGS[name]
    if low == high:
        st.caption(f"{colouring.title} is {low:.3g} ({colouring.unit}) for every image: nothing to tell apart.")
        return Coloured(values, torch.ones_like(values, dtype=torch.bool))
    asked = parse_range(span)
    assert asked is not None
    _slider(f"{RANGE}-{name}-{chosen.name}-{shown.space}", colouring.words, (low, high), asked)
    kept = within({name: values}, {name: asked})  # (N,)
    _legend(low, high)
    st.caption(f"{int(kept.sum()):,} of {len(values):,} shown.")
    return Coloured(values, kept)


def beside(chosen: OpenCheckpoint, shown: SpaceMap, name: str, first: Coloured) -> Coloured:
    """The values of another map of the same images, of which the same are shown; with its scale if it has its own."""
    values = _values(chosen.index_key, chosen.projection_key, shown.space, name, chosen, shown)
    ends = values.aminmax()
    if ends != first.values.aminmax():
        _legend(float(ends.min), float(ends.max))
    return Coloured(values, first.kept)


def _slider(key: str, words: str, ends: tuple[float, float], asked: tuple[float, float]) -> None:
    """What is shown, to be changed; an end at the slider's own is left out of the address."""
    low, high = ends
    step = (high - low) / STEPS

    def take() -> None:
        least, most = st.session_state[key]
        parts = (
            "" if least < low + step / 2 else _outwards(min(least, high), decimal.ROUND_FLOOR),
            "" if most > high - step / 2 else _outwards(max(most, low), decimal.ROUND_CEILING),
        )
        state.keep(RANGE, ",".join(parts) if any(parts) else "")

    st.session_state[key] = (min(max(asked[0], low), high), min(max(asked[1], low), high))
    st.slider(
        f"Show only: {words}",
        low,
        high,
        step=step,
        key=key,
        format="%.3g",
        on_change=take,
    )


def _outwards(value: float, rounding: str) -> str:
    """A value in four digits, rounded away from what is shown, so that the image at an end is among it."""
    return f"{float(decimal.Context(prec=4, rounding=rounding).create_decimal(repr(value))):g}"


@st.cache_resource(max_entries=8 * MAX_CHECKPOINTS, show_spinner="Looking at every point of the map")
def _values(
    index: object,  # noqa: ARG001
    projection: object,  # noqa: ARG001
    space: str,
    name: str,
    _chosen: OpenCheckpoint,
    _shown: SpaceMap,
) -> Float[Tensor, " N"]:
    assert _chosen.index is not None
    return colour_values(name, MappedGallery(_chosen.index, _chosen.config.prior, space, _shown.coordinates))


def _legend(low: float, high: float) -> None:
    """The ramp with its ends."""
    stops = html.escape(", ".join(RAMP))
    st.html(
        f'<div style="display: flex; gap: 0.5rem; align-items: center"><small>{low:.3g}</small><div aria-hidden="true" '
        f'style="flex: 1; height: 10px; border-radius: 5px; background: linear-gradient(to right, {stops})"></div>'
        f"<small>{high:.3g}</small></div>"
    )
