"""Map: the gallery laid out by what its images have in common, in pixels or in E's eyes, and one image looked at."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from bigan.explore.areas import box, selected
from bigan.explore.gallery import Gallery
from bigan.explore.map_picture import map_picture
from bigan.explore.projection import SPACES, Projection, SpaceMap
from bigan.pictures import png_bytes
from bigan.ui import (
    address,
    downloads,
    map_colours,
    map_component,
    map_epochs,
    map_ghost,
    map_panel,
    map_selected,
    page,
    picker,
    state,
    uploads,
    words,
)  # fmt: skip
from bigan.ui.downloads import File
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import SPACE_NAMES, SPACE_WORDS, WHY, neighbours, placement
from bigan.ui.reports import Answer, answer
from bigan.ui.sources import GalleryImage, resolve_source
from bigan.view_recipe import MAX_VALUE

SOURCE, GUEST, SPACE = "source", "star", "space"
AREA, VIEW, ALL = "area", "view", "all"
VIEW_FORM = re.compile(r"-?\d{1,6},-?\d{1,6},\d{1,6}", re.ASCII)  # as the map writes where it stands
AREA_FORM = re.compile(r"[a-z]+:\d+(,\d+)+( [a-z]+:\d+(,\d+)+)*", re.ASCII)  # lines, be there points within or none
DEFAULT_SPACE = "latent"
DEFAULT_POSITION = 4
COLUMNS = (2, 1)


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    gallery, projection = chosen.gallery, chosen.projection
    command = f"`python -m bigan project {chosen.name}`"
    if gallery is None:
        st.markdown("This checkpoint ships no gallery of real images, so there is nothing to map.")
        return
    if projection is None:
        st.markdown(f"This checkpoint has no map yet: {command} makes one, in a minute.")
        return
    if projection.ids != gallery.ids:
        st.markdown(f"The map in this checkpoint is of another gallery: {command} makes it anew.")
        return

    with st.container(gap=None):  # they take no room
        shown = answer(picker.current(chosen, SOURCE, DEFAULT_POSITION).source, chosen)
        guest = state.kept(GUEST, "")
        area, spot, view = state.kept(AREA, ""), state.kept(map_ghost.SPOT, ""), state.kept(VIEW, "")
    if not isinstance(shown.resolved.source, GalleryImage):
        guest = str(shown.resolved.source)
    ids = selected(area, gallery.ids, {name: one.coordinates.numpy() for name, one in projection.maps.items()})
    guess = map_ghost.guess(chosen, projection, spot)
    if area and not ids and AREA_FORM.fullmatch(area) is None:
        address.note(AREA, area, "nothing selected")
    if spot and guess is None:
        address.note(map_ghost.SPOT, spot, "no guess")
    if view and VIEW_FORM.fullmatch(view) is None:
        address.note(VIEW, view, "all of the map")
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        space, colour, together = _controls(chosen)
        seen = _Seen(gallery, projection, shown, guest, area, guess, view)
        if not together:
            _map(chosen, seen, space, map_colours.coloured(chosen, projection.maps[space], colour, filtered=True))
    if together:
        _maps(chosen, seen, colour)
        left, right = st.columns(COLUMNS, gap="medium")
    with right:
        if guess is not None:
            map_ghost.show(chosen, guess)
        map_selected.show(chosen, gallery, ids)
        settings = {SPACE: SPACE_NAMES[space]}
        optional = {
            map_colours.COLOUR: (map_colours.TITLES[colour], colour != map_colours.LABEL),
            ALL: ("true", together),
            AREA: (area, bool(ids) and len(area) <= MAX_VALUE),
            map_ghost.SPOT: (spot, guess is not None),
            VIEW: (view, VIEW_FORM.fullmatch(view) is not None),
        }
        settings |= {key: text for key, (text, is_told) in optional.items() if is_told}
        _selection(chosen, seen, space, settings)
    with left:
        _quality(chosen, gallery, projection.maps[space])
        st.header("Your own image on the map", anchor=False)
        mode = uploads.preparation(chosen, SOURCE, shown.resolved.source)
        uploads.uploader(chosen, SOURCE, mode, "It lands as a star")
    with st.expander("Through the epochs: how E came to see them so", key="open-epochs", on_change="rerun") as epochs:
        if epochs.open:
            map_epochs.show(chosen, gallery)


@dataclass(frozen=True)
class _Seen:
    """What is on the maps."""

    gallery: Gallery
    projection: Projection
    shown: Answer
    guest: str
    area: str
    guess: map_ghost.Guess | None
    view: str


def _controls(chosen: OpenCheckpoint) -> tuple[str, str, bool]:
    """The space, what to colour by, and whether all spaces are shown beside each other."""
    left, middle, right = st.columns([3, 2, 1.7], vertical_alignment="bottom")
    with left:
        space = _space()
    with middle:
        colour = map_colours.control(chosen)
    together = right.toggle("All spaces", key=ALL, bind="query-params", help="The same points by each space at once.")
    return space, colour, bool(together)


def _maps(chosen: OpenCheckpoint, seen: _Seen, colour: str) -> None:
    """All spaces beside each other; a selection made on one shows on all."""
    for column, space in zip(st.columns(len(SPACES), gap="small"), SPACES, strict=True):
        with column:
            st.markdown(f"**{SPACE_NAMES[space]}**")
            shown_map = seen.projection.maps[space]
            _map(chosen, seen, space, map_colours.coloured(chosen, shown_map, colour, filtered=False), small=True)


def _space() -> str:
    chosen = st.segmented_control(
        "Near means alike in", SPACES, default=DEFAULT_SPACE, required=True,
        format_func=address.names(SPACE, SPACE_NAMES), key=SPACE, bind="query-params",
        help=f"By the pixels as they are, by E(x), or by E's penultimate layer.\n\n{explain('penultimate')}",
    )  # fmt: skip
    return str(chosen or DEFAULT_SPACE)


def _pick(gallery: Gallery, guest: str, picked: str) -> None:
    """Put a clicked point, or the star, into the address."""
    if picked == map_component.STAR and guest:
        state.keep(SOURCE, guest)
    elif picked in gallery.ids:
        state.keep(GUEST, guest)
        state.keep(SOURCE, str(GalleryImage(picked)))


def _map(
    chosen: OpenCheckpoint, seen: _Seen, space: str, coloured: map_colours.Coloured | None, small: bool = False
) -> None:
    source, plural, gallery = seen.shown.resolved.source, chosen.info.noun_plural, seen.gallery
    picked = source.image_id if isinstance(source, GalleryImage) else map_component.STAR
    guess = seen.guess if seen.guess is not None and seen.guess.space == space else None
    map_component.show(
        chosen,
        map_component.points(chosen, gallery, seen.projection),
        box(seen.projection.maps[space].coordinates.numpy()),
        map_component.Hooks(
            picked=lambda clicked: _pick(gallery, seen.guest, clicked),
            selected=lambda text: state.keep(AREA, text),
            asked=lambda text: state.keep(map_ghost.SPOT, f"{space}:{text}"),
            seen=lambda text: None if small else state.keep(VIEW, text),
        ),
        space=space,
        picked=picked,
        neighbours=tuple(neighbour.id for neighbour in neighbours(chosen, seen.shown.resolved, space)),
        star=_star(chosen, seen.projection, space, seen.guest),
        ghost=guess.ghost if guess is not None else None,
        selection=seen.area,
        view="" if small else seen.view,
        values=coloured.text if coloured is not None else None,
        alt=f"A map of {len(gallery):,} {plural} by {SPACE_WORDS[space]}; picked: {seen.shown.resolved.words}. Arrow "
        "keys move from one to the next, Enter picks, Space selects, Escape clears, plus and minus zoom, 0 shows all, "
        "G asks what might be in the middle.",
        key=f"map-{space}" if small else "map",
    )
    if not small:
        st.caption(
            f"{len(gallery):,} real {plural}. Click one to look at it; lines lead from it to its five nearest in "
            f"{SPACE_WORDS[space]} itself. To select, press the dotted circle and draw around points: a new line "
            "replaces the selection, a line drawn with Shift held adds to it, Escape clears it. Click an empty place "
            "to see what G makes there. Zoom in until the points turn into their images."
        )


def _star(chosen: OpenCheckpoint, projection: Projection, space: str, guest: str) -> map_component.Star | None:
    """The star of an image from elsewhere; none if it is no longer there."""
    if not guest:
        return None
    try:
        resolved = resolve_source(guest, chosen)
    except ValueError:
        return None
    if isinstance(resolved.source, GalleryImage):
        return None
    name = "your image" if resolved.kind == "real" else "G(z)"
    return map_component.Star(placement(chosen, projection, resolved, space).place, name, resolved.kind)


def _selection(chosen: OpenCheckpoint, seen: _Seen, space: str, settings: Mapping[str, str]) -> None:
    """One image: what it is, x and G(E(x)), where it stands on the map, what is near it, and the ways on."""
    gallery, projection, shown, guest = seen.gallery, seen.projection, seen.shown, seen.guest
    resolved = shown.resolved
    if isinstance(resolved.source, GalleryImage):
        assert resolved.label is not None
        title = f"{chosen.info.noun} “{gallery.class_names[resolved.label]}”"
        st.header(state.as_text(title[0].upper() + title[1:]), anchor=False)
        st.caption(f"{resolved.source.image_id}, one of the gallery's {len(gallery):,} real images")
    else:
        st.header("Your image" if resolved.kind == "real" else "A sample G(z)", anchor=False)
        st.caption(f"{state.as_text(resolved.words)}, the star on the map")
    map_panel.round_trip(chosen, shown)
    if shown.report is not None:
        st.markdown(state.as_text(words.closeness(shown.report, chosen.info.noun_plural)))
    if not isinstance(resolved.source, GalleryImage):
        st.markdown(state.as_text(placement(chosen, projection, resolved, space).words))
        if shown.report is not None and shown.report.is_far and chosen.index is not None:
            map_panel.warning(words.far(shown.report, chosen.index, chosen))
    map_panel.neighbours(
        chosen, gallery, neighbours(chosen, resolved, space), space, lambda picked: _pick(gallery, guest, picked)
    )
    with st.container(horizontal=True):
        state.link(state.RECONSTRUCT, "Reconstruct it", "All that E, G and D say of it", source=resolved.source)
        state.link(state.EDIT, "Edit it", "Change the numbers that E makes of it", a=resolved.source)
        state.link(state.INTERPOLATE, "Walk from here", "Walk from its latent to another one", a=resolved.source)
    _downloads(chosen, seen, space, settings)


def _downloads(chosen: OpenCheckpoint, seen: _Seen, space: str, settings: Mapping[str, str]) -> None:
    gallery, projection, shown = seen.gallery, seen.projection, seen.shown
    source, shown_map = shown.resolved.source, projection.maps[space]
    pictured = {SOURCE: source} | ({GUEST: seen.guest} if seen.guest else {})
    recipe = downloads.recipe(chosen, state.MAP, shown.z, [shown.resolved], **settings, **pictured)

    def picture() -> bytes:
        if isinstance(source, GalleryImage):
            marked = shown_map.coordinates[gallery.index_of(source.image_id)]
        else:
            marked = placement(chosen, projection, shown.resolved, space).place
        return png_bytes(map_picture(gallery, shown_map, marked))

    def arrays() -> bytes:
        index = chosen.index
        assert index is not None
        places = {f"map_{name}": one.coordinates for name, one in projection.maps.items()}
        return downloads.npz_bytes(recipe, ids=gallery.ids, labels=gallery.labels, latents=index.latents, **places)

    def table() -> bytes:
        return downloads.csv_bytes(map_panel.point_columns(gallery, shown_map))

    downloads.show(
        recipe,
        f"{chosen.name}-map-{space}",
        [
            File("PNG", picture, "The map as a picture, with a ring around what is picked."),
            File("NPZ", arrays, "Ids, labels, E(x) and the places on all maps as NumPy arrays."),
            File("CSV", table, "Id, label and place of every point."),
        ],
    )


def _quality(chosen: OpenCheckpoint, gallery: Gallery, shown: SpaceMap) -> None:
    """How far the map can be trusted, and its points as a table."""
    plural, name = chosen.info.noun_plural, SPACE_WORDS[shown.space]
    st.header("How far to trust this map", anchor=False)
    page.cards(
        [
            (
                f"{shown.trustworthiness:.3f}",
                f"trustworthiness: whether neighbours on the map are neighbours in {name}",
                "1 is perfect, a random map has about 0.5",
            ),
            (
                f"{100 * shown.label_accuracy_map:.1f} %",
                f"of {plural} have the label of most of their 15 nearest on the map",
                f"in {name} itself: {100 * shown.label_accuracy_full:.1f} %",
            ),
        ]
    )
    st.markdown(
        "Near means alike. Far does not mean unlike in proportion: the distances between clusters, their sizes and the "
        "gaps mean little, and which way is up means nothing."
    )
    map_panel.points_table(gallery, shown)


page.show(
    draw,
    title="Map",
    sentence="Real images laid out so that those alike lie near each other. E was never told a label, and yet "
    "the labels come apart.",
    lit=("x", "E", "z"),
    why=WHY,
)
