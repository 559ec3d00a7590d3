"""A walk on a page: made once, told in words, and drawn step by step.

Shapes: T frames, Z latent components.
"""

import streamlit as st
from jaxtyping import Float
from plotly.subplots import make_subplots
from torch import Tensor

from bigan import view_code
from bigan.config import Prior
from bigan.explore.interpolation import Walk, walk
from bigan.latent import Path, typical_norm
from bigan.models.bigan import BiGAN
from bigan.ui import charts, grid, theme
from bigan.ui.loaders import OpenCheckpoint

PATH_NAMES = view_code.PATH_NAMES
PATH_WORDS: dict[Path, str] = {
    "prior": "Every latent on the way is about as typical of the prior as its two ends are.",
    "slerp": "Turns at an even pace and keeps the length of z; some numbers may leave the prior.",
    "line": "Mixes the two latents number by number; the middle lies nearer the centre than random draws do.",
}
MAX_WALKS = 64  # held in memory at once, some 200 kB each
EVEN, ROUGH = 0.25, 0.6  # ours: unevenness below the first is called even, above the second rough
CHART_HEIGHT_PX = 430
DOMAINS = ((0.72, 0.94), (0.36, 0.6), (0.0, 0.24))  # of the three rows, from the top, in shares of the height
WORDS_ROOM = 0.12  # of the width, beside the lines that have a name


def make(
    chosen: OpenCheckpoint, start: Float[Tensor, "1 Z"], end: Float[Tensor, "1 Z"], num_steps: int, path: Path
) -> Walk:
    """The walk between two latents; the same one is made only once."""
    modified = (chosen.path / "model.safetensors").stat().st_mtime_ns
    ends = tuple(start[0].tolist()), tuple(end[0].tolist())
    return _made(str(chosen.path), modified, *ends, num_steps, path, chosen.model, start[0], end[0])


@st.cache_resource(max_entries=MAX_WALKS, show_spinner=False)
def _made(
    folder: str,  # noqa: ARG001
    modified: int,  # noqa: ARG001
    start: tuple[float, ...],  # noqa: ARG001
    end: tuple[float, ...],  # noqa: ARG001
    num_steps: int,
    path: Path,
    _model: BiGAN,
    _start: Float[Tensor, " Z"],
    _end: Float[Tensor, " Z"],
) -> Walk:
    return walk(_model, _start, _end, num_steps, path)


def num_off_prior(made: Walk) -> list[int]:
    """How many numbers of each frame's latent lie outside the prior."""
    return [round(share * made.latents.shape[1]) for share in made.off_prior_shares.tolist()]


def frame_words(made: Walk) -> list[str]:
    """Each frame in a line: where it is, what leaves the prior, and D's opinion."""
    num_frames, latent_dim = made.latents.shape
    return [
        f"Frame {i + 1} of {num_frames}. {outside} of {latent_dim} numbers outside the prior. "
        f"D: {charts.opinion_words(logit)}."
        for i, (outside, logit) in enumerate(zip(num_off_prior(made), made.logits.tolist(), strict=True))
    ]


def frame_cells(made: Walk) -> list[grid.Cell]:
    """Each frame as a cell of a grid."""
    latent_dim = made.latents.shape[1]
    return [
        grid.Cell(f"frame {i + 1}", f"{outside} of {latent_dim} numbers outside the prior", logit)
        for i, (outside, logit) in enumerate(zip(num_off_prior(made), made.logits.tolist(), strict=True))
    ]


def evenness(made: Walk) -> str:
    """Whether the picture changes at an even pace."""
    steps = made.pixel_steps.tolist()
    longest, shortest = max(steps), min(steps)
    if longest < 1e-6:
        return "The two ends are the same picture: nothing moves."
    verdict = "even" if made.unevenness < EVEN else "rough" if made.unevenness > ROUGH else "somewhat uneven"
    place = steps.index(longest) + 1
    times = f"{longest / shortest:.1f} times the shortest" if shortest > 1e-6 else "while the shortest does not move"
    return (
        f"The walk is {verdict}: the longest step, from frame {place} to {place + 1}, is {times} "
        f"(steps vary by {100 * made.unevenness:.0f} % of their mean; 0 % is a perfectly even walk)."
    )


def honesty(made: Walk) -> str:
    """What of the walk lies outside the prior, where G was never asked to make anything."""
    outside, total = num_off_prior(made), made.latents.shape[1]
    frames = sum(count > 0 for count in outside)
    if not frames:
        return f"No frame leaves the prior: in each, 0 of {total} numbers lie outside."
    worst = outside.index(max(outside))
    return (
        f"{frames} of {len(outside)} frames leave the prior, frame {worst + 1} the most, with {outside[worst]} of "
        f"{total} numbers outside. G was never asked to make anything of such latents."
    )


def length(made: Walk, prior: Prior) -> str:
    """How long z is in the middle of the walk, against a random draw."""
    middle = made.latents[len(made.latents) // 2]
    typical = typical_norm(prior, len(middle))
    return f"Halfway, z is {middle.norm().item():.1f} long; one drawn from the prior is {typical:.1f} long on average."


def opinion(made: Walk) -> str:
    """How many frames D takes for pairs of a real image with its code."""
    passed = sum(logit > 0 for logit in made.logits.tolist())
    return f"D takes {passed} of {len(made.logits)} frames for pairs of a real image with its code."


def comparison(walks: dict[Path, Walk]) -> dict[str, list[str]]:
    """The paths between the same ends beside each other, as columns."""
    made = list(walks.values())
    return {
        "path": [PATH_NAMES[path] for path in walks],
        "steps vary by": [f"{100 * one.unevenness:.0f} % of their mean" for one in made],
        "length in pixels": [f"{one.pixel_steps.sum().item():.1f}" for one in made],
        "most numbers outside the prior": [f"{max(num_off_prior(one))} of {one.latents.shape[1]}" for one in made],
        "encoder pairs in D's eyes": [f"{sum(one.logits > 0)} of {len(one.logits)}" for one in made],
        "in words": [PATH_WORDS[path] for path in walks],
    }


def chart(made: Walk, frame: int, key: str) -> None:
    """Step lengths, off-prior share and D's opinion over the frames, one above the other.

    Args:
        made: the walk.
        frame: the one shown large, from 0.
        key: unlike any other chart's on the page.
    """
    c = theme.colours()
    frames = list(range(1, len(made.latents) + 1))
    steps = made.pixel_steps.tolist()
    outside = [100 * share for share in made.off_prior_shares.tolist()]
    shares = [100 * charts.probability(logit) for logit in made.logits.tolist()]
    mean = sum(steps) / len(steps)
    titles = ("step to the next frame, pixel distance", "numbers outside the prior, %", "D: encoder pair, %")
    figure = make_subplots(rows=3, shared_xaxes=True)
    figure.add_bar(
        x=[i + 0.5 for i in frames[:-1]], y=steps, marker_color=c.generated, row=1, col=1,
        customdata=[f"frame {i} to {i + 1}" for i in frames[:-1]],
        hovertemplate="%{customdata}: %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        x=frames, y=outside, marker={"color": c.off_prior, "pattern": {"shape": "/"}}, row=2, col=1,
        hovertemplate="frame %{x}: %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=frames, y=shares, mode="lines+markers", line={"color": c.opinion, "width": 2}, row=3, col=1,
        hovertemplate="frame %{x}: %{y:.0f} %<extra></extra>",
    )  # fmt: skip
    dotted = {"color": c.ink, "width": 1, "dash": "dot"}
    figure.add_hline(y=mean, line=dotted, annotation_text="mean", annotation_position="top right", row=1, col=1)
    figure.add_hline(y=50, line=dotted, annotation_text="undecided", annotation_position="top right", row=3, col=1)
    figure.add_vline(x=frame + 1, line={"color": c.ink, "width": 1})
    room = 0.6 + WORDS_ROOM * len(frames)  # for the words on the right
    figure.update_xaxes(range=[0.4, len(frames) + room], showgrid=False, linecolor=c.faint)
    figure.update_xaxes(title="frame", row=3, col=1)
    figure.update_yaxes(gridcolor=c.faint, zeroline=False, nticks=4, rangemode="tozero")
    figure.update_yaxes(range=[0, max(10.0, *outside)], row=2, col=1)
    figure.update_yaxes(range=[0, 105], tickvals=[0, 50, 100], row=3, col=1)
    for row, (title, (bottom, top)) in enumerate(zip(titles, DOMAINS, strict=True), 1):
        figure.update_yaxes(domain=[bottom, top], row=row, col=1)
        figure.add_annotation(
            text=title, x=0, y=top + 0.01, xref="paper", yref="paper", xanchor="left", yanchor="bottom", showarrow=False
        )
    figure.update_annotations(font={"size": 13, "color": c.ink})
    figure.update_layout(showlegend=False)
    alt = f"{evenness(made)} {honesty(made)} {opinion(made)} Frame {frame + 1} is marked."
    charts.draw(figure, alt=alt, key=key, height_px=CHART_HEIGHT_PX)
    charts.table_twin(
        lambda: {
            "frame": frames,
            "step to the next": [*steps, None],
            "outside the prior, %": outside,
            titles[2]: shares,
        },
        "The walk as a table",
    )
