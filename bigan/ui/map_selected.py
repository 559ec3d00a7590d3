"""What the points selected on the map have in common, and what to do with them.

Shapes: K latents, Z latent components.
"""

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.directions import move
from bigan.explore.gallery import Gallery
from bigan.explore.selection import SelectionSummary, summarise
from bigan.latent import off_prior_share
from bigan.pictures import mosaic, png_bytes
from bigan.sources import BETWEEN_SELECTIONS
from bigan.ui import downloads, map_panel, pictures, selections, state
from bigan.ui.downloads import File, csv_bytes, npz_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.words import counted
from bigan.view_recipe import ViewRecipe

MAX_SHOWN, COLUMNS = 40, 10
LARGE_SCALE = 4
STRENGTHS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # standard deviations along a selection's direction
STRIP_SCALE, FILE_SCALE = 2, 8


def show(chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...], made_by: ViewRecipe) -> None:
    """The panel of a selection; nothing without one."""
    if not ids or chosen.index is None:
        return
    plural = chosen.info.noun_plural
    st.header(f"{len(ids):,} selected", anchor=False)
    found = summarise(chosen.model, chosen.index, ids)
    st.markdown(state.as_text(_labels(found, gallery)))
    _means(chosen, found)
    rows = gallery.indices_of(ids)
    few = rows[:: max(1, -(-len(rows) // MAX_SHOWN))]
    pictures.grid(
        gallery.images[few],
        columns=COLUMNS,
        kind="real",
        alt=f"{len(few)} of the selected {plural}",
        caption=f"{len(few)} of the {len(ids):,} selected {plural}",
        scale=1,
        smooth=chosen.smooth,
    )
    _direction(chosen, found)
    _ways_on(chosen, gallery, ids)
    _files(chosen, gallery, ids, found, made_by)


def _labels(found: SelectionSummary, gallery: Gallery) -> str:
    ranked = sorted(zip(found.label_counts, gallery.class_names, strict=True), reverse=True)
    named = [f"{name}: {count} ({100 * count / found.num:.0f} %)" for count, name in ranked if count]
    return "Labels: " + ", ".join(named) + "."


def _means(chosen: OpenCheckpoint, found: SelectionSummary) -> None:
    map_panel.side_by_side(
        (
            (found.mean_image[None], "real", "The mean of the selected images, pixel by pixel", "their mean in pixels"),
            (found.generated[None], "generated", "G of the mean E(x) of the selected images", "G of the mean E(x)"),
        ),
        LARGE_SCALE,
        smooth=chosen.smooth,
    )


def _along(chosen: OpenCheckpoint, found: SelectionSummary) -> Float[Tensor, "K Z"]:
    """From the selection's mean back towards the rest, and further away from it."""
    direction = found.direction
    assert direction is not None
    z = found.mean_latent
    return torch.stack([move(z, direction, s, chosen.config.prior, clamp=False) for s in STRENGTHS])  # (K, Z)


def _direction(chosen: OpenCheckpoint, found: SelectionSummary) -> None:
    """What tells the selection from the rest, made visible."""
    if found.direction is None:
        return
    z = _along(chosen, found)
    shares = ", ".join(f"{100 * share:.0f} %" for share in off_prior_share(z, chosen.config.prior).tolist())
    steps = ", ".join(f"{s:+g}" if s else "0" for s in STRENGTHS).replace("-", "\N{MINUS SIGN}")
    pictures.grid(
        chosen.model.generate(z),
        columns=len(STRENGTHS),
        kind="generated",
        alt=f"G along the direction from the rest to the selection, by {steps} standard deviations",
        caption=f"What tells them from the rest: G of their mean E(x) in the middle, less of it to the left, more to "
        f"the right, by {steps} standard deviations. Outside the prior: {shares}.",
        scale=STRIP_SCALE,
        smooth=chosen.smooth,
    )


def _ways_on(chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...]) -> None:
    """Keep it as one end of a direction, or as both: from all the others to it."""
    held, inside = selections.kept(chosen.name), set(ids)
    rest = tuple(one for one in gallery.ids if one not in inside)
    with st.container(horizontal=True):
        for name in selections.NAMES:
            st.button(
                f"Keep as {name}",
                key=f"keep-{name}",
                icon=":material/bookmark_add:",
                on_click=selections.keep,
                args=(name, chosen.name, ids),
                help="The Edit page can follow the direction from A to B.",
            )
        if rest:
            st.button(
                "Keep against the rest",
                key="keep-rest",
                icon=":material/bookmark_added:",
                on_click=_keep_both,
                args=(chosen.name, rest, ids),
                help="All the others as A and these as B: the direction from the rest to the selection.",
            )
    if held:
        kept = ", ".join(f"**{name}: {counted(len(ids), 'image')}**" for name, ids in held.items())
        missing = [name for name in selections.NAMES if name not in held]
        then = f"Keep another selection as {missing[0]}, and the" if missing else "The"
        st.markdown(f"Kept {kept}. {then} Edit page can follow the direction from A to B.")
        if not missing:
            state.link(
                state.EDIT, "Follow it", "The direction from A to B, on the Edit page", direction=BETWEEN_SELECTIONS
            )


def _keep_both(checkpoint: str, rest: tuple[str, ...], ids: tuple[str, ...]) -> None:
    selections.keep("A", checkpoint, rest)
    selections.keep("B", checkpoint, ids)


def _files(
    chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...], found: SelectionSummary, made_by: ViewRecipe
) -> None:
    """The selection to take home."""
    index, rows = chosen.index, gallery.indices_of(ids)
    assert index is not None

    def picture() -> bytes:
        shown = torch.stack([found.mean_image, found.generated])
        if found.direction is not None:
            shown = torch.cat([shown, chosen.model.generate(_along(chosen, found)).cpu()])
        return png_bytes(mosaic(shown, len(shown), scale=FILE_SCALE))

    def arrays() -> bytes:
        whole = {"images": gallery.images[rows], "labels": gallery.labels[rows], "latents": index.latents[rows]}
        means = {"mean_image": found.mean_image, "mean_latent": found.mean_latent}
        return npz_bytes(made_by, ids=ids, **whole, **means)

    def table() -> bytes:
        return csv_bytes({"id": ids, "label": [gallery.class_names[label] for label in gallery.labels[rows].tolist()]})

    downloads.beside(
        downloads.with_latents(made_by, index.latents[rows]),
        "These as",
        f"{chosen.name}-selection",
        [
            File("PNG", picture, "Their mean, G of their mean E(x), and G along their direction, as one picture."),
            File("NPZ", arrays, "Ids, images, labels and E(x) of what is selected, and their means, as NumPy arrays."),
            File("CSV", table, "Ids and labels of what is selected."),
        ],
    )
