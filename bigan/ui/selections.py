"""Two selections of gallery images, kept in the session to ask elsewhere what leads from one to the other."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from bigan.view_recipe import MAX_VALUE

Name = Literal["A", "B"]
NAMES: tuple[Name, ...] = ("A", "B")
SETTINGS: dict[Name, str] = {"A": "ids-a", "B": "ids-b"}  # in a recipe, see `bigan.view_recipe.CARRIED`
_KEY = "kept-selections"


def keep(name: Name, checkpoint: str, ids: tuple[str, ...]) -> None:
    """Keep the ids of a checkpoint's gallery under a name; only from a callback, or before they are shown."""
    st.session_state.setdefault(_KEY, {})[name] = (checkpoint, ids)


def kept(checkpoint: str) -> dict[Name, tuple[str, ...]]:
    """What was kept of this checkpoint's gallery, by name."""
    found = st.session_state.get(_KEY, {})
    return {name: found[name][1] for name in NAMES if name in found and found[name][0] == checkpoint}


def settings(checkpoint: str) -> dict[str, str]:
    """Both selections as a recipe carries them; nothing where one is not kept, or too large for it."""
    texts = {SETTINGS[name]: " ".join(ids) for name, ids in kept(checkpoint).items()}
    fits = len(texts) == len(NAMES) and all(len(text) <= MAX_VALUE for text in texts.values())
    return texts if fits else {}


def take(checkpoint: str, settings: Mapping[str, str]) -> None:
    """Keep the selections that a recipe carries in place of those that were kept; before they are shown."""
    for name, key in SETTINGS.items():
        if ids := tuple(settings.get(key, "").split()):
            keep(name, checkpoint, ids)
