"""Charts: z as bars against its prior, D's opinion as a needle, and curves; each says in words what it shows.

Shapes: Z latent components.
"""

import base64
import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior
from bigan.latent import NORMAL_LIMIT
from bigan.ui import theme, words
from bigan.ui.glossary import explain

MINUS = "\N{MINUS SIGN}"
UNDECIDED = (0.4, 0.6)  # D's probability in between is called undecided
PRIOR_LIMIT = {"uniform": 1.0, "normal": NORMAL_LIMIT}
PRIOR_WORDS = {"uniform": f"every number between {MINUS}1 and 1", "normal": f"most numbers within ±{NORMAL_LIMIT:g}"}
HEADROOM = 1.3  # the axis ends this far beyond the prior's limit, or at the largest value
CONFIG = {"displayModeBar": False, "scrollZoom": False}
BARS_HEIGHT_PX, CURVES_HEIGHT_PX = 220, 260
NEEDLE_WIDTH_PX, NEEDLE_ROW_PX = 420, 52


def probability(logit: float) -> float:
    """The share of "encoder pair" in D's answer, sigmoid(logit)."""
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))


def opinion_words(logit: float) -> str:
    """D's answer to one pair in words, with its probability and logit."""
    share = probability(logit)
    verdict = "an encoder pair" if share > UNDECIDED[1] else "a generator pair" if share < UNDECIDED[0] else "undecided"
    return f"{verdict} ({100 * share:.0f} % encoder pair, logit {logit:+.1f})".replace("-", MINUS)


def draw(figure: go.Figure, *, alt: str, key: str, height_px: int) -> None:
    """A plotly figure in the app's manner: no toolbar, tight margins, its height reserved.

    Args:
        figure: without layout of its own for fonts and margins.
        alt: what it shows, in a sentence.
        key: unlike any other's on the page.
        height_px: reserved on the page.
    """
    figure.update_layout(
        height=height_px,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        bargap=0.25,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    st.plotly_chart(figure, config=CONFIG, alt=alt, key=key)


def table_twin(
    columns: Callable[[], Mapping[str, Sequence[Any]]],
    label: str = "As a table",
    *,
    icon: str = ":material/table:",
) -> None:
    """The numbers behind a picture as a table, for those who read numbers rather than shapes.

    They are made and travel only when it is opened: the packages behind a table take 80 MB and half a second to load.

    Args:
        columns: gives them, each with its name.
        label: unlike any other's on the page.
        icon: before the label.
    """
    with st.expander(label, key=f"open-{label}", icon=icon, on_change="rerun") as twin:
        if twin.open:
            st.dataframe(dict(columns()), hide_index=True)


def latent_bars(z: Float[Tensor, "1 Z"], prior: Prior, *, key: str, name: str = "z", table: bool = True) -> None:
    """The numbers of a latent as teal bars; what lies outside the prior is magenta, and its zone hatched.

    Args:
        z: one latent.
        prior: the model's.
        key: unlike any other chart's on the page.
        name: what the latent is called here, "z" or "E(x)".
        table: with the table twin.
    """
    values = [float(value) for value in z.flatten()]
    limit = PRIOR_LIMIT[prior]
    outside_words = words.outside(sum(abs(value) > limit for value in values), len(values))
    figure = _bars_figure(values, limit, name)
    alt = (
        f"{name} as {len(values)} bars from {min(values):.2f} to {max(values):.2f}. "
        f"The prior holds {PRIOR_WORDS[prior]}. {outside_words}."
    )
    draw(figure, alt=alt, key=key, height_px=BARS_HEIGHT_PX)
    st.caption(f"{outside_words} (the hatched zone).", help=explain("prior"))
    if table:
        table_twin(lambda: {"component": range(1, len(values) + 1), name: values}, f"{name} as a table")


def _bars_figure(values: Sequence[float], limit: float, name: str) -> go.Figure:
    """Built in one piece: adding traces and lines one by one takes three times as long."""
    c = theme.colours()
    top = max(limit * HEADROOM, *(1.05 * abs(value) for value in values))
    pattern = {"shape": "/", "fgcolor": c.off_prior, "bgcolor": "rgba(0,0,0,0)", "size": 7, "solidity": 0.12}
    zones = [
        {
            "type": "scatter",
            "x": [0, len(values) + 1, len(values) + 1, 0],
            "y": [sign * limit, sign * limit, sign * top, sign * top],
            "fill": "toself",
            "fillcolor": "rgba(0,0,0,0)",
            "fillpattern": pattern,
            "line": {"width": 0},
            "mode": "lines",
            "hoverinfo": "skip",
        }
        for sign in (1, -1)
    ]
    edge = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "line": {"color": c.off_prior, "width": 1, "dash": "dot"},
    }
    bars = {
        "type": "bar",
        "x": list(range(1, len(values) + 1)),
        "y": list(values),
        "marker": {
            "color": [c.off_prior if abs(value) > limit else c.latent for value in values],
            "pattern": {"shape": ["/" if abs(value) > limit else "" for value in values]},
        },
        "hovertemplate": "component %{x}: %{y:.2f}<extra></extra>",
    }
    layout = {
        "showlegend": False,
        "shapes": [edge | {"y0": level, "y1": level} for level in (limit, -limit)],
        "xaxis": {
            "title": {"text": f"component of {name}"},
            "range": [0, len(values) + 1],
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {"range": [-top, top], "zeroline": True, "zerolinecolor": c.faint, "tickvals": [-limit, 0, limit]},
    }
    return go.Figure({"data": [*zones, bars], "layout": layout})


def needle(opinions: Sequence[tuple[str, float]]) -> None:
    """D's opinion of one or more pairs: a needle each between "generator pair" and "encoder pair".

    Args:
        opinions: (name of the pair, D's logit) each; plain text.
    """
    rows = "".join(_needle_row(i, name, logit) for i, (name, logit) in enumerate(opinions))
    height = NEEDLE_ROW_PX * len(opinions) + 22
    ink, violet = theme.css_colour("ink"), theme.css_colour("opinion")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {NEEDLE_WIDTH_PX} {height}">'
        f"<style>:root{{color-scheme:light dark}} text{{font:13px sans-serif;fill:{ink}}}"
        f" .t{{stroke:{ink};opacity:.45}}"
        f" .n{{fill:{violet};stroke:{violet}}} .m{{text-anchor:middle}} .e{{text-anchor:end}}</style>"
        f'{rows}<text x="10" y="{height - 6}">generator pair</text>'
        f'<text class="m" x="{NEEDLE_WIDTH_PX / 2}" y="{height - 6}">undecided</text>'
        f'<text class="e" x="{NEEDLE_WIDTH_PX - 10}" y="{height - 6}">encoder pair</text></svg>'
    )
    alt = ". ".join(f"D on {name}: {opinion_words(logit)}" for name, logit in opinions)
    data = base64.b64encode(svg.encode()).decode()
    st.html(
        f'<img class="bg-svg" style="max-width: {NEEDLE_WIDTH_PX}px" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )


def _needle_row(row: int, name: str, logit: float) -> str:
    left, right, base = 10, NEEDLE_WIDTH_PX - 10, NEEDLE_ROW_PX * (row + 1) - 8
    x = left + (right - left) * probability(logit)
    ticks = "".join(
        f'<line class="t" x1="{left + share * (right - left)}" x2="{left + share * (right - left)}" '
        f'y1="{base - 6}" y2="{base + 6}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<text x="{left}" y="{base - 24}">{html.escape(name)}: {html.escape(opinion_words(logit))}</text>'
        f'<line class="t" x1="{left}" x2="{right}" y1="{base}" y2="{base}"/>{ticks}'
        f'<path class="n" d="M{x} {base + 3} l-6 -16 h12 z"/>'
    )


def curves(
    x: Sequence[float] | Sequence[int],
    series: Mapping[str, Sequence[float | None]],
    colours: Mapping[str, str],
    *,
    x_title: str,
    y_title: str,
    alt: str,
    key: str,
    references: Mapping[str, float] | None = None,
    from_y: float | None = None,
    height_px: int = CURVES_HEIGHT_PX,
) -> None:
    """Lines over a common axis, with a table twin.

    Args:
        x: the common axis.
        series: name -> values, None where there is none.
        colours: name -> colour; names without one are drawn in ink.
        x_title: of the axis.
        y_title: of the axis, with its unit.
        alt: what one sees, in a sentence.
        key: unlike any other chart's on the page.
        references: name -> a level drawn as a dotted line, such as the paper's value.
        from_y: what lies below is not drawn; the table has it.
        height_px: of the whole chart, its legend included.
    """
    c = theme.colours()
    dashes = ("solid", "dash", "dot", "dashdot")
    figure = go.Figure()
    for i, (name, values) in enumerate(series.items()):
        kept = [(a, b) for a, b in zip(x, values, strict=True) if b is not None]
        figure.add_scatter(
            x=[a for a, _ in kept],
            y=[b for _, b in kept],
            name=name,
            mode="lines+markers" if len(kept) < 40 else "lines",
            line={"color": colours.get(name, c.ink), "width": 2, "dash": dashes[i % len(dashes)]},
            hovertemplate=f"{name} %{{y:.4g}} at %{{x}}<extra></extra>",
        )
    for name, level in (references or {}).items():
        figure.add_hline(
            y=level,
            line={"color": c.ink, "width": 1, "dash": "dot"},
            annotation_text=name,
            annotation_position="top right",
        )
    figure.update_xaxes(title=x_title, showgrid=False, linecolor=c.faint)
    figure.update_yaxes(title=y_title, gridcolor=c.faint, zeroline=False)
    if from_y is not None:
        figure.update_yaxes(autorangeoptions_minallowed=from_y)
    draw(figure, alt=alt, key=key, height_px=height_px)
    table_twin(lambda: {x_title: x, **series}, f"{y_title} as a table")
