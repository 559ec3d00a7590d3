"""What leaves the pages where models stand side by side: what each brings back, what each draws, and their maps."""

import dataclasses
from collections.abc import Sequence

import torch

from bigan.explore.comparison import Drawing, Reading
from bigan.explore.map_picture import map_picture
from bigan.panels import panels
from bigan.pictures import mosaic, png_bytes
from bigan.ui import downloads, lanes, map_pictures, map_places, state
from bigan.ui.downloads import File
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved
from bigan.view_code import COMPARISON_SCALE
from bigan.view_recipe import MAX_VALUE, ViewRecipe

SAMPLE_SCALE, MAP_PX = 3, 800
Members = Sequence[OpenCheckpoint]


def recipe(
    chosen: OpenCheckpoint,
    reader: OpenCheckpoint | None,
    members: Members,
    resolved: Resolved | None,
    drawn: Sequence[Drawing],
    page: state.PageInfo,
    **settings: object,
) -> ViewRecipe | None:
    """The recipe of such a page, with all models that took part; None where the settings are too long for one.

    Args:
        chosen: the sidebar's model.
        reader: who prepared x.
        members: the models side by side.
        resolved: x, where there is one.
        drawn: what each member draws.
        page: where all this is shown.
        settings: of the page in the address, but for the image.
    """
    if any(len(str(value)) > MAX_VALUE for value in settings.values()):
        return None
    if reader is None or resolved is None:
        made = downloads.recipe(chosen, page, drawn[0].latents, [], **settings)
        reader = chosen
    else:
        made = downloads.recipe(reader, page, resolved.z, [resolved], source=resolved.source, **settings)
    return dataclasses.replace(
        made,
        checkpoint=chosen.name,
        weights_sha256=chosen.weights_sha256,
        others={one.name: one.weights_sha256 for one in (reader, *members) if one.name != chosen.name},
        reader=reader.name if reader.name != chosen.name else "",
    )


def reconstructions(
    made_by: ViewRecipe, members: Members, reader: OpenCheckpoint, resolved: Resolved, found: Sequence[Reading]
) -> None:
    """Buttons for x and what returns of it from each; none where nothing does."""
    names = [one.name for one, reading in zip(members, found, strict=True) if reading.x_hat is not None]
    x_hats = [one.x_hat for one in found if one.x_hat is not None]
    if not x_hats:
        return
    images = torch.cat([resolved.x, *x_hats])

    def arrays() -> bytes:
        distances = [one.distances.item() for one in found if one.distances is not None]
        return downloads.npz_bytes(
            made_by, x=resolved.x, x_hat=images[1:], models=names, distances=distances, source=str(resolved.source)
        )

    downloads.show(
        made_by,
        f"{made_by.checkpoint}-{made_by.page}-{str(resolved.source).replace(':', '-')}",
        [
            File("PNG", lambda: png_bytes(mosaic(images, len(images), COMPARISON_SCALE)),
                 "x and what returns of it from each model that can, side by side."),
            File("NPZ", arrays, "x, each G(E(x)) and its distance as NumPy arrays."),
            File("CSV", lambda: downloads.csv_bytes(lanes.table(members, reader, found)),
                 "Distances, ratios, D's logits and the nearest images' ids, a row for each model."),
        ],
    )  # fmt: skip


def samples(made_by: ViewRecipe, members: Members, drawn: Sequence[Drawing], seed: int, columns: int) -> None:
    """Buttons for what each draws; none where no model has a generator."""
    known = [(one, made.latents, made.images) for one, made in zip(members, drawn, strict=True)
             if made.images is not None]  # fmt: skip
    if not known:
        return

    def picture() -> bytes:
        grids = [mosaic(images, columns, SAMPLE_SCALE) for _, _, images in known]
        return png_bytes(panels(grids, [f"{one.name}, seed {seed}" for one, _, _ in known]))

    def arrays() -> bytes:
        latents = {f"z_{i}": z for i, (_, z, _) in enumerate(known)}
        images = {f"x_{i}": x for i, (_, _, x) in enumerate(known)}
        return downloads.npz_bytes(made_by, models=[one.name for one, _, _ in known], seed=seed, **latents, **images)

    downloads.beside(
        made_by,
        "The samples as",
        f"{made_by.checkpoint}-{made_by.page}-samples-{seed}",
        [
            File("PNG", picture, "The samples of each model under its name."),
            File("NPZ", arrays, "z_0, x_0, z_1, x_1 and so on, in the order of models, as NumPy arrays."),
        ],
    )


def maps(made_by: ViewRecipe, pair: Members, space: str, resolved: Resolved) -> None:
    """A button for the maps that there are, with x marked on each; none where there is none."""
    known = [one for one in pair if not map_pictures.missing(one)]
    if not known:
        return

    def picture() -> bytes:
        found = []
        for one in known:
            projection = one.projection
            assert projection is not None and one.gallery is not None
            place = map_places.placement(one, projection, resolved, space).place
            found.append(map_picture(one.gallery, projection.maps[space], place, size_px=MAP_PX))
        words = map_places.SPACE_WORDS[space]
        return png_bytes(panels(found, [f"{one.name}, by {words}" for one in known]))

    downloads.beside(
        made_by,
        "The maps as",
        f"{made_by.checkpoint}-{made_by.page}-maps-{space}",
        [File("PNG", picture, "Each model's map under its name; the ring is x.")],
    )
