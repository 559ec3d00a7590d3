"""Maps that only stand there: a picture of each, with the places of some images marked."""

import html
from collections.abc import Sequence

import streamlit as st
import torch
from PIL import Image

from bigan.explore.map_picture import Palette, map_picture, where
from bigan.explore.projection import Projection
from bigan.ui import map_places, pictures, theme
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved

SIZE_PX = 560
MAX_PICTURES = 16


def missing(one: OpenCheckpoint) -> str:
    """Why a checkpoint has no map to show, or nothing."""
    if problem := one.config.shortcoming("generate", "encode"):
        return problem
    if one.gallery is None:
        return "It ships no gallery of real images, so there is nothing to map."
    if one.projection is None or one.projection.ids != one.gallery.ids:
        return f"It has no map yet: `python -m bigan project {one.name}` makes one, in a minute."
    return ""


def show(one: OpenCheckpoint, space: str, marked: Sequence[tuple[str, Resolved]]) -> None:
    """The map of a checkpoint's own gallery with images marked, each by a short name.

    Args:
        one: a checkpoint of which nothing is `missing`.
        space: of the map.
        marked: the image that is looked at first, and then others.
    """
    projection = one.projection
    assert projection is not None and one.gallery is not None
    places = torch.stack([map_places.placement(one, projection, image, space).place for _, image in marked])
    shares = 100 * where(projection.maps[space], places)  # (n, 2)
    marks = "".join(
        f'<span class="{"bg-mark-x" if i == 0 else "bg-mark"}" style="left: {x:.2f}%; top: {y:.2f}%">'
        f"{html.escape(name)}</span>"
        for i, ((name, _), (x, y)) in enumerate(zip(marked, shares.tolist(), strict=True))
    )
    words, plural = map_places.SPACE_WORDS[space], one.info.noun_plural
    trust = projection.maps[space].trustworthiness
    figure = pictures.figure(
        _picture(one.projection_key, one.gallery_key, space, theme.is_dark(), one, projection),
        alt=f"The map of {len(one.gallery):,} {plural} by {words} as {one.name} sees them, coloured by label; "
        f"marked are {', '.join(f'{name}: {image.words}' for name, image in marked)}.",
        kind="plain",
        caption=f"{one.name}: {len(one.gallery):,} {plural} by {words}. Trustworthiness {trust:.2f} (1 is perfect).",
        smooth=True,
        overlay=f'<div class="bg-marks" aria-hidden="true">{marks}</div>',
    )
    st.html(figure)


@st.cache_resource(max_entries=MAX_PICTURES, show_spinner=False)
def _picture(
    projection: object,  # noqa: ARG001
    gallery: object,  # noqa: ARG001
    space: str,
    is_dark: bool,  # noqa: ARG001
    _one: OpenCheckpoint,
    _projection: Projection,
) -> Image.Image:
    c = theme.colours()
    assert _one.gallery is not None
    shown = _projection.maps[space]
    return map_picture(_one.gallery, shown, size_px=SIZE_PX, palette=Palette(c.paper, c.ink, c.classes))
