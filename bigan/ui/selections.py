"""Two selections of gallery images, kept in the session to ask elsewhere what leads from one to the other."""

from typing import Literal

import streamlit as st

Name = Literal["A", "B"]
NAMES: tuple[Name, ...] = ("A", "B")
_KEY = "kept-selections"


def keep(name: Name, checkpoint: str, ids: tuple[str, ...]) -> None:
    """Keep the ids of a checkpoint's gallery under a name; only from a callback, or before they are shown."""
    st.session_state.setdefault(_KEY, {})[name] = (checkpoint, ids)


def kept(checkpoint: str) -> dict[Name, tuple[str, ...]]:
    """What was kept of this checkpoint's gallery, by name."""
    found = st.session_state.get(_KEY, {})
    return {name: found[name][1] for name in NAMES if name in found and found[name][0] == checkpoint}
