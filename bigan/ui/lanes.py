"""Models side by side, a lane each: what comes back of an image, what is drawn from a seed, and the numbers with it.

Shapes: Q samples, Z latent components.
"""

import base64
import html
from collections.abc import Sequence

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior
from bigan.explore.comparison import Drawing, Reading
from bigan.pictures import mosaic
from bigan.ui import charts, comparison_words, pictures, theme, words
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved

NEIGHBOUR_SCALE, SAMPLE_SCALE = 1, 2
SAMPLE_COLUMNS = 4
PLOT_PX, PLOT_EDGE = 132, 1.25  # the cloud's side, and how far beyond the prior's limit it reaches


def show(cards: Sequence[str], width_rem: float = 9.5) -> None:
    """Lanes in a row, which wraps where there is no room.

    Args:
        cards: HTML of each.
        width_rem: of a lane at least.
    """
    st.html(f'<div class="bg-lanes" style="--lane: {width_rem}rem">{"".join(cards)}</div>')


def name(one: OpenCheckpoint, reader: OpenCheckpoint) -> tuple[str, str]:
    """A model's name and what it is; of another data set, that too."""
    other = f", trained on {one.info.title}" if one.config.dataset != reader.config.dataset else ""
    return one.name, f"{one.kind.title}{other}"


def card(heading: str, kind: str, parts: Sequence[str], lacks: Sequence[str] = (), colour: str = "") -> str:
    """A lane.

    Args:
        heading: its name; plain text.
        kind: what it is; plain text.
        parts: figures and lines, HTML already.
        lacks: why something is not there; plain text.
        colour: what it is about, if not what a model makes.
    """
    colour = colour or ("generated" if parts else "lacking")
    lines = "".join(f'<p class="bg-lacks">{html.escape(reason)}</p>' for reason in lacks)
    head = f"<h3>{html.escape(heading)}</h3><small>{html.escape(kind)}</small>"
    return f'<div class="bg-lane bg-lane-{colour}">{head}{"".join(parts)}{lines}</div>'


def line(text: str) -> str:
    """A line of a lane."""
    return f"<p>{html.escape(text)}</p>"


def original(resolved: Resolved, reader: OpenCheckpoint, scale: int) -> str:
    """The first lane: the image that all models are given."""
    picture = pictures.figure(
        mosaic(resolved.x, 1, gap_px=0),
        alt=f"x: {resolved.words}",
        kind=resolved.kind,
        scale=scale,
        smooth=reader.smooth,
    )
    return card("x", "what each is given", [picture, line(resolved.words)], colour="real")


def reconstruction(
    one: OpenCheckpoint,
    reader: OpenCheckpoint,
    found: Reading,
    scale: int,
    *,
    is_best: bool,
    with_opinion: bool = False,
) -> str:
    """The lane of what a model makes of one image.

    Args:
        one: the model.
        reader: whose gallery it is compared with.
        found: of one image.
        scale: of the picture.
        is_best: whether it comes nearest of all.
        with_opinion: with what D says of the pair, or why it says nothing.
    """
    heading, kind = name(one, reader)
    parts = []
    if found.x_hat is not None:
        parts.append(
            pictures.figure(
                mosaic(found.x_hat, 1, gap_px=0),
                alt=f"G(E(x)) of {heading}",
                kind="generated",
                scale=scale,
                smooth=one.smooth,
            )
        )
        parts += [line(text) for text in _numbers(one, reader, found)]
        parts += ["<p><strong>Nearest to x.</strong></p>"] * is_best
    if with_opinion and found.logits is not None:
        parts.append(line(f"D(x, E(x)): {charts.opinion_words(found.logits.item())}."))
    if found.neighbours is not None:
        parts.append(_neighbours(one, reader, found))
    lack = one.config.shortcoming("generate", "encode")
    return card(heading, kind, parts, found.shortcomings if with_opinion else [lack] if lack else [])


def _numbers(one: OpenCheckpoint, reader: OpenCheckpoint, found: Reading) -> list[str]:
    distances, ratios, percentiles, shares = found.distances, found.ratios, found.percentiles, found.off_prior_shares
    assert distances is not None and ratios is not None and percentiles is not None and shares is not None
    closer = words.percent(percentiles.item())
    total = one.config.latent_dim
    (outside,) = words.num_outside(shares, total)
    return [
        f"{distances.item():.1f} from x, ratio {ratios.item():.2f}: closer than {closer} of random "
        f"{reader.info.noun_plural}.",
        f"{outside} of {total} numbers outside the prior.",
    ]


def _neighbours(one: OpenCheckpoint, reader: OpenCheckpoint, found: Reading) -> str:
    gallery = reader.gallery
    assert gallery is not None and found.neighbours is not None
    (nearest,) = found.neighbours
    labels = ", ".join(gallery.class_names[n.label] for n in nearest)
    eye = "E's" if one.config.shortcoming("encode") is None else "D's"
    return pictures.figure(
        mosaic(gallery.images[[n.index for n in nearest]], len(nearest), gap_px=pictures.GRID_GAP_PX),
        alt=f"The nearest real {reader.info.noun_plural} to {one.name}: {labels}",
        kind="real",
        caption=f"Nearest in {eye} eyes: {labels}",
        scale=NEIGHBOUR_SCALE,
        smooth=reader.smooth,
    )


def table(
    members: Sequence[OpenCheckpoint], reader: OpenCheckpoint, found: Sequence[Reading]
) -> dict[str, list[object]]:
    """The same numbers as columns; None where a model has none."""

    def value(numbers: Tensor | None) -> float | None:
        return None if numbers is None else numbers.item()

    gallery = reader.gallery
    assert gallery is not None
    names = gallery.class_names
    nearest = [None if one.neighbours is None else one.neighbours[0] for one in found]
    return {
        "model": [one.name for one in members],
        "kind": [name(one, reader)[1] for one in members],
        "distance": [value(one.distances) for one in found],
        "ratio": [value(one.ratios) for one in found],
        "closer than, share": [value(one.percentiles) for one in found],
        "outside the prior, share": [value(one.off_prior_shares) for one in found],
        "D(x, E(x)), logit": [value(one.logits) for one in found],
        "nearest ids": [None if one is None else ", ".join(n.id for n in one) for one in nearest],
        "their labels": [None if one is None else ", ".join(names[n.label] for n in one) for one in nearest],
    }


def samples(one: OpenCheckpoint, reader: OpenCheckpoint, drawn: Drawing, num_foreign: int | None) -> str:
    """The lane of what a model draws: G(z), how much of it is like nothing real, and E(G(z)) against z."""
    heading, kind = name(one, reader)
    if drawn.images is None:
        return card(heading, kind, [], [drawn.shortcomings[0]])
    count = len(drawn.images)
    parts = [
        pictures.figure(
            mosaic(drawn.images, SAMPLE_COLUMNS, gap_px=pictures.GRID_GAP_PX),
            alt=f"{count} samples G(z) of {heading}",
            kind="generated",
            scale=SAMPLE_SCALE,
            smooth=one.smooth,
        )
    ]
    if num_foreign is not None:
        parts.append(line(f"{num_foreign} of {count} are like nothing in the gallery."))
    if drawn.latents_back is None:
        return card(heading, kind, parts, ["No E, so no E(G(z))."])
    parts.append(cloud(drawn.latents, drawn.latents_back, one.config.prior, f"E(G(z)) against z, of {heading}"))
    parts.append(line(comparison_words.round_trip(one, drawn)))
    return card(heading, kind, parts)


def cloud(z: Float[Tensor, "Q Z"], z_hat: Float[Tensor, "Q Z"], prior: Prior, alt: str) -> str:
    """Every number of E(G(z)) above that of z, as HTML; on the dotted diagonal it is found again exactly."""
    edge = PLOT_EDGE * charts.PRIOR_LIMIT[prior]
    places = [
        (PLOT_PX * (0.5 + a / edge / 2), PLOT_PX * (0.5 - b / edge / 2))
        for a, b in zip(z.flatten().tolist(), z_hat.flatten().tolist(), strict=True)
    ]
    dots = "".join(f"M{min(max(x, 1), PLOT_PX - 1):.0f} {min(max(y, 1), PLOT_PX - 1):.0f}h1" for x, y in places)
    teal, ink, faint = (theme.css_colour(name) for name in ("latent", "ink", "faint"))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 -2 {PLOT_PX + 18} {PLOT_PX + 18}">'
        f"<style>:root{{color-scheme:light dark}} text{{font:11px sans-serif;fill:{ink}}}"
        f" rect,path{{fill:none}} rect{{stroke:{faint}}} .d{{stroke:{ink};stroke-dasharray:2 3}}"
        f" .p{{stroke:{teal};stroke-width:1.6;opacity:.45}}</style>"
        f'<rect width="{PLOT_PX}" height="{PLOT_PX}"/><path class="d" d="M0 {PLOT_PX}L{PLOT_PX} 0"/>'
        f'<path class="p" d="{dots}"/>'
        f'<text x="{PLOT_PX / 2}" y="{PLOT_PX + 12}" text-anchor="middle">z</text>'
        f'<text transform="translate(-5 {PLOT_PX / 2}) rotate(-90)" text-anchor="middle">E(G(z))</text></svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="bg-svg" style="max-width: {2 * PLOT_PX}px" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
