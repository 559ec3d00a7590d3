"""The real images that E finds most alike, shown with their labels.

Shapes: C H W image.
"""

from jaxtyping import Float
from torch import Tensor

from bigan.explore.neighbours import Neighbour, nearest_images
from bigan.ui import charts, pictures
from bigan.ui.loaders import OpenCheckpoint

THUMBNAIL_SCALE = 2


def show(chosen: OpenCheckpoint, x: Float[Tensor, "1 C H W"]) -> None:
    """The gallery images nearest to x in E's penultimate features; nothing without a gallery."""
    if chosen.index is not None:
        draw(chosen, nearest_images(chosen.model.features(x).cpu(), chosen.index.features, chosen.index.gallery)[0])


def draw(chosen: OpenCheckpoint, found: tuple[Neighbour, ...]) -> None:
    """Neighbours that are already known (of a report), as one picture with their labels."""
    gallery = chosen.gallery
    assert gallery is not None
    rows = [gallery.index_of(neighbour.id) for neighbour in found]
    labels = [gallery.class_names[neighbour.label] for neighbour in found]
    pictures.grid(
        gallery.images[rows],
        columns=len(rows),
        kind="real",
        alt=f"The {len(rows)} nearest real {chosen.info.noun_plural}: {', '.join(labels)}",
        caption=f"Nearest real {chosen.info.noun_plural} in E's eyes: {', '.join(labels)}",
        scale=THUMBNAIL_SCALE,
        smooth=chosen.smooth,
        cell_titles=[f"{label}, {n.id}, distance {n.distance:.1f}" for label, n in zip(labels, found, strict=True)],
    )
    charts.table_twin(
        lambda: {"id": [n.id for n in found], "label": labels, "distance": [n.distance for n in found]},
        "The nearest as a table",
    )
