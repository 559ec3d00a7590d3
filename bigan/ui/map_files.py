"""What leaves the Map page: the map as it is seen, its points as arrays, and as a table.

Shapes: N gallery images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from bigan.explore.areas import parse_view
from bigan.explore.colouring import COLOURINGS
from bigan.explore.gallery import Gallery
from bigan.explore.map_picture import WHOLE, map_picture
from bigan.explore.projection import Projection
from bigan.pictures import png_bytes
from bigan.ui import downloads, map_address, map_colours, map_panel
from bigan.ui.downloads import File
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import placement
from bigan.ui.reports import Answer
from bigan.ui.sources import GalleryImage
from bigan.view_recipe import ViewRecipe


@dataclass(frozen=True)
class Look:
    """How the map of one space is shown."""

    space: str
    coloured: map_colours.Coloured | None
    kept: Bool[Tensor, " N"]
    """Which points are shown."""
    ids: tuple[str, ...]
    """Of what is selected."""


def kept(gallery: Gallery, coloured: map_colours.Coloured | None, labels: Sequence[int]) -> Bool[Tensor, " N"]:
    """Which points are shown: within the range, and of no class that the legend hides."""
    of_classes = ~torch.isin(gallery.labels, torch.tensor(labels, dtype=gallery.labels.dtype))  # (N,)
    return of_classes if coloured is None else of_classes & coloured.kept


def show(
    chosen: OpenCheckpoint,
    gallery: Gallery,
    projection: Projection,
    shown: Answer,
    look: Look,
    made_by: ViewRecipe,
) -> None:
    """The buttons."""
    source, shown_map = shown.resolved.source, projection.maps[look.space]
    query = made_by.query

    def picture() -> bytes:
        if isinstance(source, GalleryImage):
            marked = shown_map.coordinates[gallery.index_of(source.image_id)]
        else:
            marked = placement(chosen, projection, shown.resolved, look.space).place
        return png_bytes(
            map_picture(
                gallery,
                shown_map,
                marked,
                values=look.coloured.values if look.coloured is not None else None,
                scale=COLOURINGS[query[map_colours.COLOUR]].words if look.coloured is not None else "",
                kept=look.kept,
                selected=look.ids,
                view=parse_view(query.get(map_address.VIEW, "")) or WHOLE,
            )
        )

    def arrays() -> bytes:
        index = chosen.index
        assert index is not None
        places = {f"map_{name}": one.coordinates for name, one in projection.maps.items()}
        return downloads.npz_bytes(made_by, ids=gallery.ids, labels=gallery.labels, latents=index.latents, **places)

    def table() -> bytes:
        return downloads.csv_bytes(map_panel.point_columns(gallery, shown_map))

    downloads.show(
        made_by,
        f"{chosen.name}-map-{look.space}",
        [
            File("PNG", picture, "The map as it is seen here: colours, filter, selection and view; what is picked has "
                 "a ring."),
            File("NPZ", arrays, "Ids, labels, E(x) and the places on all maps as NumPy arrays."),
            File("CSV", table, "Id, label and place of every point."),
        ],
    )  # fmt: skip
