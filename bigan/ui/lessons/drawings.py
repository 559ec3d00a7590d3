"""What several lessons draw: a pair, bars of shares, a histogram, points.

Shapes: C H W image, Z latent components, N images.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import plotly.graph_objects as go
import streamlit as st
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from bigan.config import MAX_SEED
from bigan.explore.survey import some_rows
from bigan.pictures import mosaic
from bigan.ui import charts, pairings, pictures, state, theme
from bigan.ui.loaders import OpenCheckpoint

SEED_KEY, RANDOM_SEEDS = "seed", 10_000
FIXED_SEED = 0
SCALE = 4
BAR_PX, AXIS_PX, CHART_PX = 36, 70, 280
MAX_REMEMBERED = 60
Found = TypeVar("Found")


def once(chosen: OpenCheckpoint, asked: tuple[object, ...], find: Callable[[], Found]) -> Found:
    """What `find` gives, computed once for a model (with its gallery and its maps) and what is asked of it."""
    model = chosen.weights_sha256, chosen.gallery_key, chosen.projection_key
    return cast(Found, _once(model, asked, find))


@st.cache_resource(max_entries=MAX_REMEMBERED, show_spinner="Asking the model")
def _once(model: object, asked: tuple[object, ...], _find: Callable[[], object]) -> object:  # noqa: ARG001
    return _find()


def some(num_rows: int, num_chosen: int) -> Int64[Tensor, " n"]:
    """Some rows of a gallery, the same ones for everybody."""
    return some_rows(num_rows, num_chosen, FIXED_SEED)


def seed(label: str, help: str) -> int:
    """The seed of what a screen shows, in the address, with a button for another one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = st.number_input(label, 0, MAX_SEED, 0, step=1, key=SEED_KEY, bind="query-params", width=150, help=help)
        st.button(
            "Another one", icon=":material/casino:", key="another-seed",
            on_click=lambda: state.keep(SEED_KEY, random.SystemRandom().randrange(RANDOM_SEEDS)),
        )  # fmt: skip
    return int(found or 0)


def pair(
    chosen: OpenCheckpoint, title: str, image: Float[Tensor, "C H W"], latent: Float[Tensor, " Z"], kind: pictures.Kind
) -> None:
    """An image and a latent side by side."""
    st.markdown(f"**{state.as_text(title)}**")
    picture = pictures.figure(
        mosaic(image[None], 1, gap_px=0), alt=f"The image of {title}", kind=kind, scale=SCALE, smooth=chosen.smooth
    )
    bars = pairings.latent_strip(latent, chosen.config.prior, f"The latent of {title}")
    st.html(f'<div class="bg-pair"><div style="max-width: 8rem">{picture}</div><div>{bars}</div></div>')


def strip(
    chosen: OpenCheckpoint, images: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"], kind: pictures.Kind,
    caption: str, scale: int = 2,
) -> None:  # fmt: skip
    """Images in one row."""
    pictures.grid(
        images, columns=len(images), kind=kind, alt=caption, caption=caption, scale=scale, smooth=chosen.smooth
    )


def shares(values: Mapping[str, float], colour: str, *, axis: str, key: str) -> None:
    """Shares as bars from 0 to 100 %, each with its name above and its number at its end, and as a table.

    Args:
        values: 0 to 1, by name.
        colour: a field of `theme.Colours`.
        axis: what the shares are of.
        key: unlike any other chart's.
    """
    percents = [100 * share for share in values.values()]
    names = list(values)
    figure = go.Figure(
        {
            "data": [
                {
                    "type": "bar", "orientation": "h", "x": percents, "y": names, "width": 0.45,
                    "marker": {"color": getattr(theme.colours(), colour)}, "text": [f"{p:.0f} %" for p in percents],
                    "textposition": "outside", "cliponaxis": False, "hoverinfo": "skip",
                }
            ],
            "layout": {
                "xaxis": {
                    "range": [0, 108], "title": {"text": axis}, "tickvals": [0, 25, 50, 75, 100], "fixedrange": True,
                },
                "yaxis": {"showticklabels": False, "range": [len(names) - 0.4, -0.75], "fixedrange": True},
                "annotations": [
                    {"x": 0, "y": i - 0.24, "text": name, "showarrow": False, "xanchor": "left", "yanchor": "bottom"}
                    for i, name in enumerate(names)
                ],
            },
        }
    )  # fmt: skip
    alt = f"{axis}: " + "; ".join(f"{name} {p:.0f} %" for name, p in zip(names, percents, strict=True))
    charts.draw(figure, alt=alt, key=key, height_px=AXIS_PX + int(1.5 * BAR_PX * len(names)))
    charts.table_twin(lambda: {"what": names, axis: [f"{p:.1f}" for p in percents]}, f"{axis}, as a table")


def histogram(
    values: Float[Tensor, " N"], bounds: tuple[float, float], num_bins: int, colour: str, *, axis: str, key: str,
) -> None:  # fmt: skip
    """How many of the values lie in each of some bins, and as a table.

    Args:
        values: finite.
        bounds: of the first and the last bin.
        num_bins: all equally wide.
        colour: a field of `theme.Colours`.
        axis: what is counted, with its unit.
        key: unlike any other chart's.
    """
    counts = torch.histc(values, num_bins, *bounds).int().tolist()
    width = (bounds[1] - bounds[0]) / num_bins
    centres = [bounds[0] + width * (i + 0.5) for i in range(num_bins)]
    c = theme.colours()
    bars = {
        "type": "bar", "x": centres, "y": counts, "width": 0.94 * width,
        "marker": {"color": getattr(c, colour)}, "hovertemplate": "%{y} around %{x:.2f}<extra></extra>",
    }  # fmt: skip
    figure = go.Figure({"data": [bars], "layout": _axes(axis, "how many")})
    figure.update_xaxes(range=bounds)
    most = centres[counts.index(max(counts))]
    alt = f"{axis}: {len(values):,} values, most of them around {most:.2g}"
    charts.draw(figure, alt=alt, key=key, height_px=CHART_PX)
    charts.table_twin(lambda: {axis: centres, "how many": counts}, f"{axis}, as a table")


def lines(
    columns: Mapping[str, Sequence[float]], *, x_title: str, y_title: str, key: str, alt: str,
    band: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    """Lines over 1, 2, ..., told apart by their dashes too, and as a table; most draws lie in the band."""
    c, dashes = theme.colours(), ("solid", "dash", "dot")
    num = len(next(iter(columns.values())))
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": list(range(1, num + 1)), "y": list(values), "name": name,
            "line": {"color": c.classes[(0, 6, 3)[i % 3]], "width": 3, "dash": dashes[i % 3]},
        }
        for i, (name, values) in enumerate(columns.items())
    ]  # fmt: skip
    figure = go.Figure({"data": traces, "layout": _axes(x_title, y_title)})
    if band is not None:
        figure.add_hrect(
            *band, fillcolor=c.latent, opacity=0.15, line_width=0, annotation_text="19 of 20 draws",
            annotation_position="bottom right",
        )  # fmt: skip
    charts.draw(figure, alt=alt, key=key, height_px=CHART_PX)
    charts.table_twin(lambda: {x_title: range(1, num + 1), **columns}, f"{y_title}, as a table")


def points(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], *, x_title: str, y_title: str, key: str, alt: str
) -> None:
    """Points that say their names under the pointer, and as a table."""
    trace = {
        "type": "scatter", "mode": "markers", "x": list(x), "y": list(y), "text": list(names),
        "marker": {"color": theme.colours().latent, "size": 9}, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    figure = go.Figure({"data": [trace], "layout": _axes(x_title, y_title)})
    charts.draw(figure, alt=alt, key=key, height_px=CHART_PX)
    charts.table_twin(lambda: {"classes": names, x_title: x, y_title: y}, f"{y_title} against {x_title}, as a table")


def _axes(x_title: str, y_title: str) -> dict[str, Any]:
    faint = theme.colours().faint
    return {
        "xaxis": {"title": {"text": x_title}, "showgrid": False, "linecolor": faint, "fixedrange": True},
        "yaxis": {"title": {"text": y_title}, "gridcolor": faint, "zeroline": False, "fixedrange": True},
    }
