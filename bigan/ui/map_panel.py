"""What stands beside the map: an image with its reconstruction, the images nearest to it, and all points as a table.

Shapes: C H W image.
"""

import html
from collections.abc import Callable, Sequence

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import Neighbour
from bigan.explore.projection import SpaceMap
from bigan.pictures import mosaic
from bigan.ui import charts, grid, pictures
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import SPACE_WORDS
from bigan.ui.reports import Answer

LARGE_SCALE, NEIGHBOUR_SCALE = 6, 2
# An image, its kind, what it shows, and what is written under it
Captioned = tuple[Float[Tensor, "1 C H W"], pictures.Kind, str, str]


def round_trip(chosen: OpenCheckpoint, shown: Answer) -> None:
    """An image and what comes back of it, side by side."""
    name = "x" if shown.resolved.kind == "real" else "G(z)"
    side_by_side(
        (
            (shown.resolved.x, shown.resolved.kind, f"{name}, {shown.resolved.words}", name),
            (shown.x_hat, "generated", f"G(E({name})), what comes back", f"G(E({name}))"),
        ),
        LARGE_SCALE,
        smooth=chosen.smooth,
    )


def side_by_side(pair: tuple[Captioned, Captioned], scale: int, *, smooth: bool) -> None:
    """Two images in one row."""
    figures = "".join(
        pictures.figure(mosaic(x, 1, gap_px=0), alt=alt, kind=kind, caption=caption, scale=scale, smooth=smooth)
        for x, kind, alt, caption in pair
    )
    st.html(f'<div style="display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem">{figures}</div>')


def warning(sentence: str) -> None:
    """A sentence of honesty, in its colour."""
    st.html(f'<p class="bg-off_prior">{html.escape(sentence)}</p>')


def neighbours(
    chosen: OpenCheckpoint, gallery: Gallery, found: tuple[Neighbour, ...], space: str, on_pick: Callable[[str], None]
) -> None:
    """The images nearest in the space, as buttons.

    Args:
        chosen: the checkpoint.
        gallery: what the neighbours are of.
        found: nearest first.
        space: in which they are near.
        on_pick: called with the id of the one that was pressed.
    """
    labels = [gallery.class_names[neighbour.label] for neighbour in found]
    listed = ", ".join(labels)
    grid.show(
        gallery.images[[neighbour.index for neighbour in found]],
        [
            grid.Cell(f"{label}, {neighbour.id}", f"distance {neighbour.distance:.1f}")
            for label, neighbour in zip(labels, found, strict=True)
        ],
        columns=len(found),
        kind="real",
        alt=f"The {len(found)} nearest: {listed}",
        key="neighbours",
        chosen=(),
        on_choice=lambda cells: on_pick(found[cells[0]].id),
        caption=f"Nearest in {SPACE_WORDS[space]}: {listed}. Press one to go there.",
        scale=NEIGHBOUR_SCALE,
        smooth=chosen.smooth,
    )


def points_table(gallery: Gallery, shown: SpaceMap) -> None:
    """The points of a map as a table to sort, search and download; it travels only when it is opened."""
    charts.table_twin(lambda: point_columns(gallery, shown), f"The {len(gallery):,} points as a table")


def point_columns(gallery: Gallery, shown: SpaceMap) -> dict[str, Sequence[object]]:
    """Id, label and place of every point."""
    x, y = shown.coordinates.T.tolist()
    names = [gallery.class_names[label] for label in gallery.labels.tolist()]
    return {"id": gallery.ids, "label": names, "x": x, "y": y}
