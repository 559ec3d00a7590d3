"""The Edit page below its start: a direction, a strength, the numbers one by one, and what leaves the page.

Shapes: Z latent components, K pictures of a strip, B of the ends.
"""

import contextlib
import math
from collections.abc import Sequence

import streamlit as st

from bigan.pictures import animation_bytes, comparison, mosaic, png_bytes
from bigan.sources import (
    MAX_CHANGES,
    MAX_EDIT_CHARACTERS,
    MAX_STRENGTH,
    SourceError,
    changes_text,
    is_local,
    needs_selections,
    parse_changes,
)
from bigan.ui import charts, direction_choice, downloads, edit_bench, edits, grid, page, selections, state
from bigan.ui.downloads import File
from bigan.ui.edit_bench import EDITED, Made
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Edit, Resolved
from bigan.view_code import EDIT_SCALE

START, CHANGED, STRENGTH, INSIDE, SLIDERS = "a", "changed", "strength", "inside", "sliders"
WENT_ON = "went-on"
DEFAULT_STRENGTH, STRENGTH_STEP = 2.0, 0.1
STRENGTHS = tuple(float(one) for one in range(-MAX_STRENGTH, MAX_STRENGTH + 1))  # of the strip
FILM = tuple(one / 4 for one in range(-4 * MAX_STRENGTH, 4 * MAX_STRENGTH + 1))
FRAME_SECONDS = 0.1
COUNTS = (8, 16, 32)
COLUMNS = (5, 6)
STRIP_SCALE, END_WIDTH = 2, 60
UNMOVED = "unchanged along this direction"
LOCAL = (
    "This edit needs your picture or your selections, which stay in this session: a link to it works here only, and "
    "until the page is reloaded."
)
CARRIED = "A PNG or NPZ of it carries them, and brings this view back wherever it is opened."
TOO_MANY = "This gallery has too many images for a file to bring them back; the NPZ has their ids."
Changes = tuple[tuple[int, float], ...]


@page.part
def show(chosen: OpenCheckpoint, start: Resolved) -> None:
    """The controls, and beside them what they make of the start."""
    with st.container(gap=None):
        changed, name = state.kept(CHANGED, ""), state.kept(direction_choice.KEY, "")
    changes = _changes(changed, chosen.config.latent_dim)
    left, right = st.columns(COLUMNS, gap="large")
    with right:
        name, strength = _direction(chosen, start, name or direction_choice.default(chosen, start))
        with st.container(horizontal=True, vertical_alignment="center"):
            inside = st.toggle(
                "Inside the prior", key=INSIDE, bind="query-params",
                help="Brings every number that leaves the prior to its end.",
            )  # fmt: skip
            most = edits.reach(chosen, bool(inside))
            changes = tuple((i, min(max(-most, value), most)) for i, value in changes)
            edit = Edit(start.source, name, strength, bool(inside), changes)
            made = edit_bench.make(chosen, start, edit)
            _steps(edit, made)
        if name:
            _strip(chosen, start, edit)
        num_sliders = _sliders(chosen, start, edit)
    with left:
        edit_bench.show(chosen, made)
    _after(chosen, start, made, num_sliders)


def _changes(text: str, latent_dim: int) -> Changes:
    """What the address says of the numbers; what it cannot mean is left out, and said."""
    try:
        changes = parse_changes(text)
    except ValueError as error:
        st.warning(state.as_text(str(error)), icon=":material/link_off:")
        return ()
    return tuple((i, value) for i, value in changes if i < latent_dim)


def _direction(chosen: OpenCheckpoint, start: Resolved, name: str) -> tuple[str, float]:
    """The direction's name, empty where there is none, and the strength."""
    found = None
    if chosen.gallery is None:
        st.caption(
            "This checkpoint comes without a gallery of real images, in which directions are found. The numbers one by "
            "one, below, need none."
        )
    else:
        found = direction_choice.show(chosen, start, name)
    strength = st.slider(
        "Strength, in standard deviations", -float(MAX_STRENGTH), float(MAX_STRENGTH), DEFAULT_STRENGTH, STRENGTH_STEP,
        format="%.1f", key=STRENGTH, bind="query-params", disabled=found is None,
        help="1 is a usual difference between two images along this direction." if found else "No direction yet.",
    )  # fmt: skip
    if found is None:
        return "", 0.0
    st.caption(state.as_text(direction_choice.words(found)))
    return name, round(float(strength), 1)


def _strip(chosen: OpenCheckpoint, start: Resolved, edit: Edit) -> None:
    """The direction from end to end; a press takes that strength."""
    z = edits.along(chosen, start.z[0], edit, STRENGTHS)  # (K, Z)
    x = chosen.model.generate(z)  # (K, C, H, W)
    logits: Sequence[float | None] = chosen.opinions(x, z) or [None] * len(z)
    outside = edit_bench.num_outside(chosen, z)
    details = [f"{count} of {z.shape[1]} numbers outside the prior" for count in outside]
    names = [f"{one:+g} sd".replace("-", charts.MINUS) if one else UNMOVED for one in STRENGTHS]
    cells = [grid.Cell(*words) for words in zip(names, details, logits, strict=True)]

    def take(pressed: tuple[int, ...]) -> None:
        st.session_state[STRENGTH] = STRENGTHS[pressed[0]]

    grid.show(
        x, cells, columns=len(x), kind="generated", alt=f"The direction in {len(x)} steps", key="direction-strip",
        chosen=[STRENGTHS.index(edit.strength)] if edit.strength in STRENGTHS else [], on_choice=take,
        caption=f"From {charts.MINUS}{MAX_STRENGTH} over 0 to {MAX_STRENGTH} standard deviations; outside the prior: "
        f"{', '.join(map(str, outside))} numbers. Press one to take it.",
        scale=STRIP_SCALE, smooth=chosen.smooth,
    )  # fmt: skip


def _reset() -> None:
    state.keep(CHANGED, "")
    st.session_state[STRENGTH], st.session_state[INSIDE] = 0.0, False


def _go_on(edit: Edit) -> None:
    st.session_state[WENT_ON] = True
    state.keep(START, str(edit))
    state.keep(direction_choice.KEY, edit.direction)
    state.keep(CHANGED, "")
    st.session_state[STRENGTH] = 0.0


def _steps(edit: Edit, made: Made) -> None:
    """The buttons that undo the edit, or take it as the next one's start."""
    st.button(
        "Reset", icon=":material/undo:", key="reset", on_click=_reset, disabled=not made.is_changed,
        help="Back to the z one started from." if made.is_changed else "Nothing is changed.",
    )  # fmt: skip
    fits = len(str(edit)) <= MAX_EDIT_CHARACTERS
    st.button(
        "Go on from here", icon=":material/subdirectory_arrow_right:", key="go-on", on_click=_go_on, args=(edit,),
        disabled=not (made.is_changed and fits),
        help=_go_on_help(made, fits),
    )  # fmt: skip
    if st.session_state.pop(WENT_ON, False):  # the button itself may be disabled by now, and then says nothing
        st.rerun()  # of all the page: the start is drawn above


def _go_on_help(made: Made, fits: bool) -> str:
    if not made.is_changed:
        return "Nothing is changed."
    return "Keep this, and start the next edit from it." if fits else "This edit is longer than a link can be."


def _sliders(chosen: OpenCheckpoint, start: Resolved, edit: Edit) -> int:
    """The numbers that change the image most here, each between the images at its two ends; how many were asked for."""
    st.header("Number by number", anchor=False)
    z, changes = start.z[0], dict(edit.changes)
    counts = [*(count for count in COUNTS if count < len(z)), len(z)]
    num = int(st.selectbox("How many", counts, key=SLIDERS, bind="query-params", width=110,
                           help="Of the numbers of z, those that change this image most first."))  # fmt: skip
    effects = edits.effects(chosen, z)  # (Z,)
    shown = [int(i) for i in effects.argsort(descending=True)[:num]]
    shown += [i for i in changes if i not in shown]
    st.caption(
        "Left and right of each: what G makes with that number at its low and at its high end, all others as they are. "
        "Effect: how far the image moves here for one unit of the number, in Euclidean distance over all pixels."
    )
    x = chosen.model.generate(edits.at_ends(chosen, z, edit, shown))  # (B, C, H, W)
    st.html(edit_bench.ends_sheet(x, chosen.smooth))
    most = edits.reach(chosen, edit.inside)
    for place, i in enumerate(shown):
        name, began = f"Number {i + 1}", float(z[i])
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"number-row-{i}"):
            st.html(edit_bench.end(2 * place, len(shown), name, -most), width=END_WIDTH)
            key = f"number-{i}-{most:g}"
            st.session_state[key] = changes.get(i, min(max(-most, round(began, 2)), most))
            full = i not in changes and len(changes) >= MAX_CHANGES
            label = f"**{name}**" if i in changes else name
            st.slider(
                f"{label}, began at {began:.2f}, effect {effects[i]:.1f}".replace("-", charts.MINUS), -most, most,
                step=0.01, key=key, on_change=_set, args=(i, began, key), disabled=full,
                help=f"{MAX_CHANGES} numbers are changed, as many as a link holds." if full else None,
            )  # fmt: skip
            st.html(edit_bench.end(2 * place + 1, len(shown), name, most), width=END_WIDTH)
    return num


def _set(component: int, began: float, key: str) -> None:
    """Put a number into the address, or take it out where it is back at its beginning."""
    value, changes = round(float(st.session_state[key]), 2), parse_changes("")
    with contextlib.suppress(SourceError):  # an address that means nothing: the page has said so
        changes = parse_changes(state.newest(CHANGED))
    others = {i: one for i, one in changes if i != component}
    back = math.isclose(value, round(began, 2), abs_tol=1e-9)
    state.keep(CHANGED, changes_text((others if back else others | {component: value}).items()))


def _after(chosen: OpenCheckpoint, start: Resolved, made: Made, num_sliders: int) -> None:
    """The ways on, and the files."""
    left, right = st.columns(COLUMNS, gap="large")
    with left:
        edit = made.edit
        if len(str(edit)) <= MAX_EDIT_CHARACTERS:
            with st.container(horizontal=True):
                state.link(state.RECONSTRUCT, "Reconstruct it", f"Send G({EDITED}) through E and back", source=edit)
                state.link(state.INTERPOLATE, "Walk there", f"From the start to {EDITED}", a=edit.start, b=edit)
                state.link(state.MAP, "On the map", f"Where G({EDITED}) lands among the real ones", source=edit)
        else:
            st.caption("This edit is longer than a link can be, so it cannot be carried to other pages.")
        if is_local(edit):
            too_many = needs_selections(edit) and not selections.settings(chosen)
            st.caption(f"{LOCAL} {TOO_MANY if too_many else CARRIED}")
    with right:
        _downloads(chosen, start, made, num_sliders)


def _downloads(chosen: OpenCheckpoint, start: Resolved, made: Made, num_sliders: int) -> None:
    edit = made.edit
    settings: dict[str, object] = {
        START: edit.start, STRENGTH: edit.strength, INSIDE: str(edit.inside).lower(), SLIDERS: num_sliders
    }  # fmt: skip
    optional = {direction_choice.KEY: edit.direction, CHANGED: changes_text(edit.changes)}
    settings |= {key: text for key, text in optional.items() if text}
    settings |= selections.settings(chosen) if needs_selections(edit) else {}
    recipe = downloads.recipe(chosen, state.EDIT, made.z, [start], **settings)
    # found now: when a file is asked for, the session with its selections is out of reach
    film = edits.along(chosen, start.z[0], edit, FILM)  # (K, Z)
    values: dict[str, downloads.Values] = {"z": made.z, "x": made.x, "source": str(edit)}
    if made.logits is not None:
        values["logits"] = made.logits
    if edit.direction:
        found = edits.direction(chosen, edit.direction)
        values |= {"direction": found.vector, "standard_deviation": found.standard_deviation}
    values |= {f"ids_{name.lower()}": ids for name, ids in selections.kept(chosen.name).items()}

    def picture() -> bytes:
        return png_bytes(comparison(made.x[:1], made.x[1:], EDIT_SCALE))

    def animation() -> bytes:
        x = chosen.model.generate(film)
        return animation_bytes([mosaic(one[None], 1, EDIT_SCALE) for one in (*x, *x.flip(0))], "gif", FRAME_SECONDS)

    files = [File("PNG", picture, "Before, after and their difference side by side.")]
    if edit.direction:
        files.append(File("GIF", animation, "All along the direction and back, as an animation."))
    arrays = "z and G(z) before and after, and the direction, as NumPy arrays."
    files.append(File("NPZ", lambda: downloads.npz_bytes(recipe, **values), arrays))
    downloads.show(recipe, f"{chosen.name}-edit", files)
