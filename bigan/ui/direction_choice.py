"""Which way an edit goes: along what varies most, from class to class, or from one selection to another."""

import streamlit as st

from bigan.explore.directions import Direction
from bigan.sources import BETWEEN_SELECTIONS
from bigan.ui import edits, selections, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved
from bigan.ui.words import counted

KEY = "direction"
_KIND_KEY, _COMPONENT_KEY, _FROM_KEY, _TO_KEY = "kind", "component", "from", "to"
KINDS = {"class": "From class to class", "component": "What varies most", BETWEEN_SELECTIONS: "Between selections"}
THE_REST = -1  # in place of a label
HELP = (
    "Directions between means of E(x) over the gallery, or those in which E(x) varies most there. Nobody trained them: "
    "they are read off afterwards."
)


def default(chosen: OpenCheckpoint, start: Resolved) -> str:
    """From the class of the start to the next one; what varies most where it has none, nothing without a gallery."""
    if chosen.gallery is None:
        return ""
    labels = _labels(chosen)
    if start.label not in labels or len(labels) < 2:
        return "component-1"
    return f"class-{start.label}-{labels[(labels.index(start.label) + 1) % len(labels)]}"


def _labels(chosen: OpenCheckpoint) -> list[int]:
    """Of the classes that the gallery has images of."""
    assert chosen.gallery is not None
    return [int(label) for label in chosen.gallery.labels.unique()]


def show(chosen: OpenCheckpoint, start: Resolved, name: str) -> Direction | None:
    """The choice, and the direction that is chosen; where there is none, why.

    Args:
        chosen: the checkpoint, with a gallery.
        start: where the edit starts.
        name: what the address asks for.
    """
    kind = name.partition("-")[0]
    kind = kind if kind in KINDS else "component"
    firsts = {"class": default(chosen, start), "component": "component-1", BETWEEN_SELECTIONS: BETWEEN_SELECTIONS}
    if not firsts["class"].startswith("class"):
        firsts["class"] = f"class-{_labels(chosen)[0]}"
    st.session_state[_KIND_KEY] = kind
    st.segmented_control(
        "Direction",
        list(KINDS),
        format_func=lambda kind: KINDS[kind],
        required=True,
        key=_KIND_KEY,
        on_change=lambda: state.keep(KEY, firsts[st.session_state[_KIND_KEY]]),
        help=HELP,
    )
    if kind == "class":
        _classes(chosen, name)
    elif kind == "component":
        _components(chosen, name)
    else:
        _selections(chosen)
    try:
        return edits.direction(chosen, name)
    except ValueError as error:
        st.caption(state.as_text(str(error)))
        return None


def _classes(chosen: OpenCheckpoint, name: str) -> None:
    assert chosen.gallery is not None
    names, labels = chosen.gallery.class_names, _labels(chosen)
    named = [int(part) for part in name.split("-")[1:] if part.isdecimal()]
    origin, end = (named[0], named[1]) if len(named) == 2 else (THE_REST, named[0] if named else labels[0])

    def take() -> None:
        first, last = st.session_state[_FROM_KEY], st.session_state[_TO_KEY]
        state.keep(KEY, f"class-{last}" if first in (THE_REST, last) else f"class-{first}-{last}")

    for key, value, options in ((_FROM_KEY, origin, [THE_REST, *labels]), (_TO_KEY, end, labels)):
        st.session_state[key] = value if value in options else options[0]
    words = {THE_REST: "all the others"} | {label: f"“{names[label]}”" for label in labels}
    with st.container(horizontal=True):
        for label, key, options in (("Less like", _FROM_KEY, [THE_REST, *labels]), ("More like", _TO_KEY, labels)):
            st.selectbox(label, options, format_func=words.__getitem__, key=key, on_change=take, width=170)


def _components(chosen: OpenCheckpoint, name: str) -> None:
    number = name.partition("-")[2]
    most = chosen.config.latent_dim
    st.session_state[_COMPONENT_KEY] = min(max(1, int(number) if number.isdecimal() else 1), most)
    st.number_input(
        f"Principal component, 1 to {most}", 1, most, step=1, key=_COMPONENT_KEY, width=220,
        on_change=lambda: state.keep(KEY, f"component-{st.session_state[_COMPONENT_KEY]}"),
        help="The first holds most of what varies in E(x) over the gallery, each next one less.",
    )  # fmt: skip


def _selections(chosen: OpenCheckpoint) -> None:
    held = selections.kept(chosen.name)
    counts = [
        f"selection {name} has {counted(len(held[name]), 'image') if name in held else 'none yet'}"
        for name in selections.NAMES
    ]
    st.caption(
        f"Kept on the Map in this session: {', '.join(counts)}. A link to this view works here only, and until the "
        "page is reloaded."
    )
    state.link(state.MAP, "Select on the map", "Draw around points there, and keep them as A and as B")


def words(found: Direction) -> str:
    """What the direction is, and its unit of strength."""
    share = "" if found.explained is None else f" It holds {100 * found.explained:.0f} % of the variance."
    return (
        f"{found.name[0].upper()}{found.name[1:]}: one standard deviation of the gallery's E(x) along it is "
        f"{found.standard_deviation:.2f} long.{share}"
    )
