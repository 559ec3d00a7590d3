"""What happens along a walk, drawn frame by frame: pixel steps, the length of z, what leaves the prior, D's opinion.

Shapes: T frames.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from bigan.config import Prior
from bigan.explore.interpolation import Walk
from bigan.latent import usual_norms
from bigan.ui import charts, theme

TITLES = ("pixel distance to the next frame", "length of z", "numbers outside the prior, %", "D: encoder pair, %")
DOMAINS = ((0.79, 0.95), (0.53, 0.69), (0.27, 0.43), (0.01, 0.17))  # of the rows, from the top, in shares of the height
NONE_OUTSIDE = "none on any frame"
NO_OPINION = "this model has no discriminator of pairs"
HEIGHT_PX = 500
WORDS_ROOM = 0.17  # of the width, beside the lines that have a name
TICKS = 8
HEADROOM = 1.1  # so that the highest bar does not touch the edge
DASHES = ("solid", "dash", "dot")
LANE_CLASSES = (0, 6, 3)  # of the colours of classes, for walks beside each other


def draw(lanes: Mapping[str, Walk], frame: int, prior: Prior, *, alt: str, key: str) -> None:
    """Four rows over the frames, and the same numbers as a table.

    Args:
        lanes: up to three walks by name; a single one is drawn in the colours of what each row is about.
        frame: the one shown large, from 0, which is marked.
        prior: the model's.
        alt: what one sees.
        key: unlike any other chart's on the page.
    """
    rows = {name: _rows(made) for name, made in lanes.items()}
    num_frames = len(next(iter(lanes.values())).latents)
    traces = [
        trace for i, (name, values) in enumerate(rows.items()) for trace in _traces(i, name, values, len(lanes) > 1)
    ]
    made = next(iter(lanes.values()))
    low, high = usual_norms(prior, made.latents.shape[1])
    references = [(1, low, ""), (1, high, "most draws")]
    references += [(3, 50.0, "undecided")] * (made.logits is not None)
    if len(lanes) == 1:
        references.append((0, made.pixel_steps.mean().item(), "mean"))
    norms = [value for values in rows.values() for value in values[1]]
    outside = [value for values in rows.values() for value in values[2]]
    ranges = (None, _around([*norms, low, high]), [0.0, max(10.0, HEADROOM * max(outside))], [0.0, 105.0])
    absent = {2: NONE_OUTSIDE} if not any(outside) else {}
    absent |= {3: NO_OPINION} if made.logits is None else {}
    figure = go.Figure({"data": traces, "layout": _layout(num_frames, frame, references, ranges, absent)})
    charts.draw(figure, alt=f"{alt} Frame {frame + 1} is marked.", key=key, height_px=HEIGHT_PX)
    charts.table_twin(
        lambda: _table(rows, num_frames), "The walk as a table" if len(lanes) == 1 else "The walks as a table"
    )


def _rows(made: Walk) -> tuple[list[float], ...]:
    """The numbers of each row, of which the first has one less."""
    return (
        made.pixel_steps.tolist(),
        made.latents.norm(dim=1).tolist(),
        [100 * share for share in made.off_prior_shares.tolist()],
        [] if made.logits is None else [100 * charts.probability(logit) for logit in made.logits.tolist()],
    )


def _traces(lane: int, name: str, rows: Sequence[Sequence[float]], is_beside_others: bool) -> list[dict[str, Any]]:
    c = theme.colours()
    traces: list[dict[str, Any]] = []
    for row, (values, colour) in enumerate(zip(rows, (c.generated, c.latent, c.off_prior, c.opinion), strict=True)):
        first = 1.5 if row == 0 else 1.0  # a step lies between two frames
        of = "from frame %{customdata}" if row == 0 else "frame %{customdata}"
        trace: dict[str, Any] = {
            "x": [first + i for i in range(len(values))],
            "y": list(values),
            "yaxis": f"y{row + 1}",
            "customdata": list(range(1, len(values) + 1)),
            "hovertemplate": f"{name}, {of}: %{{y:.2f}}<extra></extra>",
            "name": name,
            "showlegend": is_beside_others and row == 0,
        }
        if is_beside_others:
            line = {"color": c.classes[LANE_CLASSES[lane]], "width": 2, "dash": DASHES[lane]}
            traces.append(trace | {"type": "scatter", "mode": "lines", "line": line})
        elif row in (0, 2):
            pattern = {"shape": "/" if row == 2 else ""}
            traces.append(trace | {"type": "bar", "marker": {"color": colour, "pattern": pattern}})
        else:
            line = {"color": colour, "width": 2}
            traces.append(trace | {"type": "scatter", "mode": "lines+markers", "line": line})
    return traces


def _layout(
    num_frames: int,
    frame: int,
    references: Sequence[tuple[int, float, str]],
    ranges: Sequence[Sequence[float] | None],
    absent: Mapping[int, str],
) -> dict[str, Any]:
    c = theme.colours()
    every = max(1, num_frames // TICKS)
    dotted = {"color": c.ink, "width": 1, "dash": "dot"}
    text = {"showarrow": False, "xref": "paper", "font": {"size": 13, "color": c.ink}}
    marks: list[dict[str, Any]] = [
        {"type": "line", "x0": frame + 1, "x1": frame + 1, "yref": "paper", "y0": 0, "y1": DOMAINS[0][1],
         "line": {"color": c.ink, "width": 1}},
        *(
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": f"y{row + 1}", "y0": level, "y1": level,
             "line": dotted}
            for row, level, _ in references
        ),
    ]  # fmt: skip
    words = [
        text | {"text": title, "x": 0, "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom"}
        for title, (_, top) in zip(TITLES, DOMAINS, strict=True)
    ]
    words += [
        text | {"text": why, "x": 0, "xanchor": "left", "y": DOMAINS[row][0], "yref": "paper", "yanchor": "bottom"}
        for row, why in absent.items()
    ]
    words += [
        text | {"text": name, "x": 1, "xanchor": "right", "y": level, "yref": f"y{row + 1}",
                "yanchor": "top" if row == 1 else "bottom"}
        for row, level, name in references
    ]  # fmt: skip
    axes: dict[str, Any] = {
        "xaxis": {
            "range": [0.4, num_frames + 0.6 + WORDS_ROOM * num_frames], "title": {"text": "frame"}, "anchor": "y4",
            "tickvals": list(range(every, num_frames + 1, every)),
            "showgrid": False, "zeroline": False, "linecolor": c.faint,
        }
    }  # fmt: skip
    for row, (domain, extent) in enumerate(zip(DOMAINS, ranges, strict=True)):
        axes[f"yaxis{row + 1}"] = {
            "domain": domain, "anchor": "x", "gridcolor": c.faint, "zeroline": False, "nticks": 4, "range": extent,
            "rangemode": "tozero",
        }  # fmt: skip
    axes["yaxis4"]["tickvals"] = [0, 50, 100]
    return {"shapes": marks, "annotations": words, "hovermode": "closest", **axes}


def _around(values: Sequence[float]) -> list[float]:
    """A range with some room above and below."""
    room = 0.1 * (max(values) - min(values))
    return [min(values) - room, max(values) + room]


def _table(rows: Mapping[str, Sequence[Sequence[float]]], num_frames: int) -> dict[str, Sequence[float | None]]:
    columns: dict[str, Sequence[float | None]] = {"frame": list(range(1, num_frames + 1))}
    for name, (steps, *others) in rows.items():
        prefix = f"{name}: " if len(rows) > 1 else ""
        for title, values in zip(TITLES, ([*steps, None], *others), strict=True):
            columns |= {prefix + title: values} if values else {}
    return columns
