"""What the address says of the map, beside the space and the image that is looked at: read, checked, and told again."""

import re
from collections.abc import Callable

import streamlit as st

from bigan.explore.areas import Area, parse_view, parts, selected
from bigan.explore.colouring import parse_range
from bigan.explore.gallery import Gallery
from bigan.explore.projection import SPACES, Projection
from bigan.ui import address, map_colours, map_epochs, map_ghost, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import SPACE_NAMES
from bigan.view_recipe import MAX_VALUE

SOURCE, GUEST, SPACE, ALL = "source", "star", "space", "all"
AREA, VIEW, HIDDEN = "area", "view", "hide"
VIEWS: dict[str, str] = {space: f"{VIEW}-{space}" for space in SPACES}  # where all spaces stand beside each other
FRAME_FORM = re.compile(r"\d{1,6}", re.ASCII)
LABELS_FORM = re.compile(r"\d{1,3}(,\d{1,3})*", re.ASCII)


def read(chosen: OpenCheckpoint, gallery: Gallery, projection: Projection) -> dict[str, str]:
    """The values by their names in the address; empty is what it does not name, or what was not understood."""

    def is_selection(text: str) -> bool:
        found = parts(text)
        drawn = bool(found) and all(isinstance(part, Area) for part in found)  # be there points within or none
        return drawn or bool(ids(text, gallery, projection))

    def is_view(text: str) -> bool:
        return parse_view(text) is not None

    checks: dict[str, tuple[Callable[[str], object], str]] = {
        AREA: (is_selection, "nothing selected"),
        map_ghost.SPOT: (lambda text: map_ghost.guess(chosen, projection, text) is not None, "no guess"),
        **{view: (is_view, "all of the map") for view in (VIEW, *VIEWS.values())},
        HIDDEN: (LABELS_FORM.fullmatch, "all classes"),
        map_colours.COLOUR: (lambda text: map_colours.named(chosen, text), map_colours.TITLES[map_colours.LABEL]),
        map_colours.RANGE: (parse_range, "all points"),
        map_epochs.FRAME: (FRAME_FORM.fullmatch, "the last epoch"),
    }
    with st.container(gap=None):  # they take no room
        found = {key: state.kept(key, "") for key in (GUEST, *checks)}
    for key, (is_understood, instead) in checks.items():
        if found[key] and not is_understood(found[key]):
            address.note(key, found[key], instead)
            found[key] = ""
    found[map_colours.COLOUR] = map_colours.named(chosen, found[map_colours.COLOUR]) or map_colours.LABEL
    return found


def ids(area: str, gallery: Gallery, projection: Projection) -> tuple[str, ...]:
    """Of the selected images."""
    return selected(area, gallery.ids, {name: one.coordinates.numpy() for name, one in projection.maps.items()})


def hidden(text: str) -> tuple[int, ...]:
    """The labels that the legend hides."""
    return tuple(map(int, text.split(","))) if text else ()


def settings(found: dict[str, str], space: str, together: bool, epochs: bool) -> dict[str, str]:
    """All that the page shows, as a recipe says it; a selection that is too long stays behind."""
    told = {key: text for key, text in found.items() if text and len(text) <= MAX_VALUE and key != GUEST}
    dropped = {VIEW} if together else set(VIEWS.values())
    if told[map_colours.COLOUR] == map_colours.LABEL:
        dropped |= {map_colours.COLOUR, map_colours.RANGE}
    if not epochs:
        dropped |= {map_epochs.FRAME}
    shown = {ALL: "true"} if together else {}
    shown |= {map_epochs.OPEN: "true"} if epochs else {}
    return {SPACE: SPACE_NAMES[space]} | shown | {key: text for key, text in told.items() if key not in dropped}
