"""What the points of the map are coloured and filtered by, beside their classes.

Shapes: N gallery images.
"""

import html
from dataclasses import dataclass

import streamlit as st
from jaxtyping import Bool, Float
from torch import Tensor

from bigan.explore.colouring import COLOURINGS, MappedGallery, colour_values, offered
from bigan.explore.projection import SpaceMap
from bigan.ui import address, map_component
from bigan.ui.glossary import explain
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

LABEL = "label"
COLOUR, RANGE = "colour", "range"
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


def control(chosen: OpenCheckpoint) -> str:
    """The choice of what to colour by."""
    index = chosen.index
    names = (LABEL, *(offered(index) if index is not None else ()))
    found = st.selectbox(
        "Colour by",
        names,
        format_func=address.names(COLOUR, TITLES),
        key=COLOUR,
        bind="query-params",
        help=f"The label that people gave, or what the model makes of each image.\n\n{explain('logit', 'prior')}",
    )
    return str(found or LABEL)


def coloured(chosen: OpenCheckpoint, shown: SpaceMap, name: str, *, filtered: bool) -> Coloured | None:
    """The values by which to colour, if asked for with a slider to show only some of them; None for labels."""
    if name == LABEL or chosen.index is None:
        return None
    values = _values((str(chosen.path), chosen.weights_sha256), shown.space, name, chosen, shown)
    low, high = float(values.min()), float(values.max())
    colouring = COLOURINGS[name]
    if low == high:
        st.caption(f"{colouring.title} is {low:.3g} ({colouring.unit}) for every image: nothing to tell apart.")
        return Coloured(values, values >= low)
    if not filtered:
        _legend(low, high)
        return Coloured(values, values >= low)
    step = (high - low) / STEPS
    least, most = st.slider(
        f"Show only: {colouring.title.lower()}, {colouring.unit}",
        low,
        high,
        (low, high),
        step,
        key=f"{RANGE}-{name}-{chosen.name}",
        format="%.3g",
    )
    kept = (values >= least - step / 2) & (values <= most + step / 2)  # (N,)
    _legend(low, high)
    st.caption(f"{int(kept.sum()):,} of {len(values):,} shown.")
    return Coloured(values, kept)


@st.cache_resource(max_entries=8 * MAX_CHECKPOINTS, show_spinner="Looking at every point of the map")
def _values(
    key: tuple[str, str],  # noqa: ARG001
    space: str,
    name: str,
    _chosen: OpenCheckpoint,
    _shown: SpaceMap,
) -> Float[Tensor, " N"]:
    assert _chosen.index is not None
    return colour_values(name, MappedGallery(_chosen.index, _chosen.config.prior, space, _shown.coordinates))


def _legend(low: float, high: float) -> None:
    """The ramp with its ends."""
    stops = html.escape(", ".join(map_component.RAMP))
    st.html(
        f'<div style="display: flex; gap: 0.5rem; align-items: center"><small>{low:.3g}</small><div aria-hidden="true" '
        f'style="flex: 1; height: 10px; border-radius: 5px; background: linear-gradient(to right, {stops})"></div>'
        f"<small>{high:.3g}</small></div>"
    )
