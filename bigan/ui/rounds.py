"""x, what comes back of it, what comes back of that, and so on: as a strip with distances, and the answer in words."""

import html
from collections import Counter

import streamlit as st

from bigan.explore.neighbours import nearest_images
from bigan.explore.pairs import Repeated, repeat
from bigan.pictures import mosaic, png_bytes
from bigan.ui import charts, downloads, page, pictures, state, theme
from bigan.ui.downloads import File, csv_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.view_code import WALK_SCALE
from bigan.view_recipe import ViewRecipe

SCALE = 2


def show(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe | None = None) -> None:
    """The strip, the chart and the answer, and where there is a recipe of the page, the files."""
    st.subheader("Again and again: does it settle?", anchor=False)
    if problem := chosen.config.shortcoming("generate", "encode"):
        st.caption(state.as_text(problem))
        return
    found = repeat(chosen.model, answer.resolved.x)
    page.finding(finding(found))
    _strip(chosen, answer, found)
    _chart(found)
    st.caption(state.as_text(scale_words(found, answer, chosen.info.noun_plural)))
    if chosen.index is not None:
        st.markdown(state.as_text(_where(chosen, found)))
    if recipe is not None:
        _files(chosen, answer, found, downloads.with_latents(recipe, found.latents))


def finding(found: Repeated) -> str:
    """Whether it settles; plain text."""
    num, first, last = len(found.steps), found.steps[0].item(), found.steps[-1].item()
    if found.settled_at is not None:
        return f"It settles: after round {found.settled_at} nothing changes any more that an eye could see."
    trend = "smaller and smaller steps" if last < first / 2 else "steps that hardly get smaller"
    return (
        f"It does not settle within {num} rounds: the picture moves on in {trend}, "
        f"by {first:.2f} in the first and still by {last:.2f} in the last."
    )


def scale_words(found: Repeated, answer: Answer, plural: str) -> str:
    """What the distances are to be compared with; plain text."""
    far = (
        f"Distances are Euclidean, over all pixels. After one round the picture is {found.distances[1].item():.2f} "
        f"from x, after {len(found.steps)} it is {found.distances[-1].item():.2f}"
    )
    report = answer.report
    if report is None or report.ratio == 0:
        return f"{far}. At the optimum of the training no round changes anything."
    random = report.distance / report.ratio
    return (
        f"{far}; random {plural} are {random:.2f} from G(E(x)) on average. At the optimum of the training no round "
        "changes anything."
    )


def _where(chosen: OpenCheckpoint, found: Repeated) -> str:
    """Among which real images E puts the first picture and the last; plain text."""
    index = chosen.index
    assert index is not None
    features = chosen.model.features(found.images[[0, -1]]).cpu()  # (2, F)
    names = [
        index.gallery.class_names[Counter(one.label for one in nearest).most_common(1)[0][0]]
        for nearest in nearest_images(features, index.features, index.gallery)
    ]
    if names[0] == names[1]:
        return f"E puts the last picture where it puts x, among “{names[0]}”: the kind of thing is kept."
    return f"E puts x among “{names[0]}” and the last picture among “{names[1]}”: not even the kind of thing is kept."


def _strip(chosen: OpenCheckpoint, answer: Answer, found: Repeated) -> None:
    distances = [f"{distance:.1f}" for distance in found.distances.tolist()]
    cells = []
    for i, (image, distance) in enumerate(zip(found.images, distances, strict=True)):
        name = f"after round {i}, {distance} from x" if i else f"x: {answer.resolved.words}"
        figure = pictures.figure(
            mosaic(image[None], 1, gap_px=0), alt=name, kind="generated" if i else answer.resolved.kind, scale=SCALE,
            smooth=chosen.smooth, caption=f"{i}: {distance}" if i else "x",
        )  # fmt: skip
        width = SCALE * image.shape[-1] + 8
        cells.append(f'<div style="flex: 0 0 {width}px" title="{html.escape(name)}">{figure}</div>')
    st.html(f'<div style="display: flex; flex-wrap: wrap; gap: 0.5rem">{"".join(cells)}</div>')
    st.caption("Under each picture its round, and its distance from x.")


def _chart(found: Repeated) -> None:
    c = theme.colours()
    names = "distance from x", "distance from the round before"
    distances, steps = found.distances.tolist(), [None, *found.steps.tolist()]
    charts.curves(
        range(len(distances)),
        dict(zip(names, (distances, steps), strict=True)),
        dict(zip(names, (c.generated, c.ink), strict=True)),
        x_title="round",
        y_title="distance",
        alt=f"The distance from x goes from 0 to {distances[-1]:.2f} in {len(found.steps)} rounds; "
        f"the step from {found.steps[0].item():.2f} to {found.steps[-1].item():.2f}.",
        key="rounds",
    )


def _files(chosen: OpenCheckpoint, answer: Answer, found: Repeated, recipe: ViewRecipe) -> None:
    def table() -> bytes:
        distances, steps = found.distances.tolist(), [None, *found.steps.tolist()]
        rounds = range(len(distances))
        return csv_bytes({"round": rounds, "distance from x": distances, "distance from the round before": steps})

    def arrays() -> bytes:
        return downloads.npz_bytes(
            recipe, x=found.images, z=found.latents, distances=found.distances, steps=found.steps
        )

    downloads.beside(
        recipe,
        "All rounds as",
        f"{downloads.file_name(chosen, answer.resolved.source)}-rounds",
        [
            File("PNG", lambda: png_bytes(mosaic(found.images, len(found.images), WALK_SCALE)), "x and all rounds."),
            File("CSV", table, "The distances of each round."),
            File("NPZ", arrays, "All images, E of each but the last, and the distances as NumPy arrays."),
        ],
    )
