"""Map: the gallery laid out by what its images have in common, in pixels or in E's eyes, and one image looked at."""

from dataclasses import dataclass

import streamlit as st

from bigan.explore.areas import box
from bigan.explore.gallery import Gallery
from bigan.explore.projection import SPACES, Projection, SpaceMap
from bigan.ui import (
    address,
    downloads,
    map_address,
    map_colours,
    map_component,
    map_epochs,
    map_files,
    map_ghost,
    map_panel,
    map_selected,
    page,
    picker,
    state,
    uploads,
    words,
)  # fmt: skip
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_address import ALL, AREA, GUEST, HIDDEN, SOURCE, SPACE, VIEW, VIEWS
from bigan.ui.map_places import SPACE_NAMES, SPACE_WORDS, WHY, neighbours, placement
from bigan.ui.reports import Answer, answer
from bigan.ui.sources import GalleryImage, resolve_source
from bigan.view_recipe import ViewRecipe

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

    with st.container(gap=None):  # it takes no room
        shown = answer(picker.current(chosen, SOURCE, DEFAULT_POSITION).source, chosen)
    asked = map_address.read(chosen, gallery, projection)
    if not isinstance(shown.resolved.source, GalleryImage):
        asked[GUEST] = str(shown.resolved.source)
    colour, span = asked[map_colours.COLOUR], asked[map_colours.RANGE]
    seen = _Seen(gallery, projection, shown, asked, map_ghost.guess(chosen, projection, asked[map_ghost.SPOT]))
    left, right = st.columns(COLUMNS, gap="medium")
    with left:
        space, together = _controls(chosen, colour)
        coloured = map_colours.coloured(chosen, projection.maps[space], colour, span)
        if not together:
            _map(chosen, seen, space, coloured)
    if together:
        _maps(chosen, seen, colour, coloured)
        left, right = st.columns(COLUMNS, gap="medium")
    below = st.expander(
        "Through the epochs: how E came to see them so", key=map_epochs.OPEN, on_change="rerun", bind="query-params"
    )
    kept = map_files.kept(gallery, coloured, map_address.hidden(asked[HIDDEN]))
    inside = map_address.ids(asked[AREA], gallery, projection)
    are_shown = kept[gallery.indices_of(inside)].tolist()
    ids = tuple(one for one, is_shown in zip(inside, are_shown, strict=True) if is_shown)
    look = map_files.Look(space, coloured, kept, ids)
    made_by = _recipe(chosen, seen, map_address.settings(asked, space, together, bool(below.open)))
    with right:
        if seen.guess is not None:
            map_ghost.show(chosen, seen.guess)
        map_selected.show(chosen, gallery, look.ids, made_by)
        _picked(chosen, seen, space)
        map_files.show(chosen, gallery, projection, shown, look, made_by)
    with left:
        _quality(chosen, gallery, projection.maps[space])
        st.header("Your own image on the map", anchor=False)
        mode = uploads.preparation(chosen, SOURCE, shown.resolved.source)
        uploads.uploader(chosen, SOURCE, mode, "It lands as a star")
    with below:
        if below.open:
            map_epochs.show(chosen, gallery, asked[map_epochs.FRAME])


@dataclass(frozen=True)
class _Seen:
    """What is on the maps."""

    gallery: Gallery
    projection: Projection
    shown: Answer
    asked: dict[str, str]
    """What the address says, see `map_address.read`."""
    guess: map_ghost.Guess | None


def _controls(chosen: OpenCheckpoint, colour: str) -> tuple[str, bool]:
    """What to colour by, the space that is chosen, and whether all are shown beside each other."""
    left, middle, right = st.columns([3, 2, 1.7], vertical_alignment="bottom")
    with left:
        space = _space()
    with middle:
        map_colours.control(chosen, colour)
    together = right.toggle("All spaces", key=ALL, bind="query-params", help="The same points by each space at once.")
    return space, bool(together)


def _maps(chosen: OpenCheckpoint, seen: _Seen, colour: str, coloured: map_colours.Coloured | None) -> None:
    """All spaces beside each other; a selection made on one, and what the filter keeps, shows on all."""
    for column, space in zip(st.columns(len(SPACES), gap="small"), SPACES, strict=True):
        with column:
            st.markdown(f"**{SPACE_NAMES[space]}**")
            shown_map = seen.projection.maps[space]
            here = map_colours.beside(chosen, shown_map, colour, coloured) if coloured is not None else None
            _map(chosen, seen, space, here, small=True)


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
    view = VIEWS[space] if small else VIEW
    map_component.show(
        chosen,
        map_component.points(chosen, gallery, seen.projection),
        box(seen.projection.maps[space].coordinates.numpy()),
        map_component.Hooks(
            picked=lambda clicked: _pick(gallery, seen.asked[GUEST], clicked),
            selected=lambda text: state.keep(AREA, text),
            asked=lambda text: state.keep(map_ghost.SPOT, f"{space}:{text}"),
            seen=lambda text: state.keep(view, text),
            hidden=lambda text: state.keep(HIDDEN, text),
        ),
        space=space,
        picked=picked,
        neighbours=tuple(neighbour.id for neighbour in neighbours(chosen, seen.shown.resolved, space)),
        star=_star(chosen, seen.projection, space, seen.asked[GUEST]),
        ghost=guess.ghost if guess is not None else None,
        selection=seen.asked[AREA],
        view=seen.asked[view],
        hidden=seen.asked[HIDDEN],
        values=coloured.text if coloured is not None else None,
        alt=f"A map of {len(gallery):,} {plural} by {SPACE_WORDS[space]}; picked: {seen.shown.resolved.words}. Arrow "
        "keys move from one to the next, with Shift they move the map; Enter picks, Space selects, A selects all that "
        "is in view, Escape clears, plus and minus zoom, 0 shows all, G asks what might be in the middle.",
        key=f"map-{space}" if small else "map",
    )
    if not small:
        st.caption(
            f"{len(gallery):,} real {plural}. Click one to look at it; lines lead from it to its five nearest in "
            f"{SPACE_WORDS[space]} itself. To select, press the dotted circle and draw around points: a new line "
            "replaces the selection, a line drawn with Shift held adds to it, Escape clears it; what is hidden is not "
            "selected. Click an empty place to see what G makes there. Zoom in until the points turn into their images."
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


def _recipe(chosen: OpenCheckpoint, seen: _Seen, settings: dict[str, str]) -> ViewRecipe:
    pictured = {SOURCE: seen.shown.resolved.source} | ({GUEST: seen.asked[GUEST]} if seen.asked[GUEST] else {})
    return downloads.recipe(chosen, state.MAP, seen.shown.z, [seen.shown.resolved], **settings, **pictured)


def _picked(chosen: OpenCheckpoint, seen: _Seen, space: str) -> None:
    """One image: what it is, x and G(E(x)), where it stands on the map, what is near it, and the ways on."""
    gallery, projection, shown = seen.gallery, seen.projection, seen.shown
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
        chosen,
        gallery,
        neighbours(chosen, resolved, space),
        space,
        lambda picked: _pick(gallery, seen.asked[GUEST], picked),
    )
    with st.container(horizontal=True):
        state.link(state.RECONSTRUCT, "Reconstruct it", "All that E, G and D say of it", source=resolved.source)
        state.link(state.EDIT, "Edit it", "Change the numbers that E makes of it", a=resolved.source)
        state.link(state.INTERPOLATE, "Walk from here", "Walk from its latent to another one", a=resolved.source)


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
    sentence="Real images laid out so that those alike lie near each other. No label was used, and yet the labels come "
    "apart: on the map of the pixels, too, so compare.",
    lit=("x", "E", "z"),
    why=WHY,
)
