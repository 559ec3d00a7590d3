"""Two selections of gallery images, kept in the session to ask elsewhere what leads from one to the other.

In a recipe a selection is its ids, or, where these are too long for it, a bit for each image of the gallery.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Literal

import numpy as np
import streamlit as st

from bigan.explore.gallery import Gallery
from bigan.ui.loaders import OpenCheckpoint
from bigan.view_recipe import MAX_VALUE

Name = Literal["A", "B"]
NAMES: tuple[Name, ...] = ("A", "B")
SETTINGS: dict[Name, str] = {"A": "ids-a", "B": "ids-b"}  # in a recipe, see `bigan.view_recipe.CARRIED`
_KEY = "kept-selections"
_BITS = "bits:"  # before the bits in base 64


def keep(name: Name, checkpoint: str, ids: tuple[str, ...]) -> None:
    """Keep the ids of a checkpoint's gallery under a name; only from a callback, or before they are shown."""
    st.session_state.setdefault(_KEY, {})[name] = (checkpoint, ids)


def kept(checkpoint: str) -> dict[Name, tuple[str, ...]]:
    """What was kept of this checkpoint's gallery, by name."""
    found = st.session_state.get(_KEY, {})
    return {name: found[name][1] for name in NAMES if name in found and found[name][0] == checkpoint}


def settings(chosen: OpenCheckpoint) -> dict[str, str]:
    """Both selections as a recipe carries them; nothing where one is not kept, or the gallery is too large for it."""
    held, gallery = kept(chosen.name), chosen.gallery
    if gallery is None or len(held) < len(NAMES):
        return {}
    texts = {SETTINGS[name]: _text(ids, gallery) for name, ids in held.items()}
    return texts if all(len(text) <= MAX_VALUE for text in texts.values()) else {}


def take(chosen: OpenCheckpoint, settings: Mapping[str, str]) -> bool:
    """Keep the selections that a recipe carries in place of those that were kept; before they are shown.

    Returns:
        Whether they are of this gallery; otherwise nothing is kept.
    """
    if chosen.gallery is None:
        return False
    found = {name: _ids(settings.get(key, ""), chosen.gallery) for name, key in SETTINGS.items()}
    if not all(found.values()):
        return False
    for name, ids in found.items():
        keep(name, chosen.name, ids)
    return True


def _text(ids: tuple[str, ...], gallery: Gallery) -> str:
    """A selection as a recipe's text: its ids, or the bits where those are too long."""
    listed = " ".join(ids)
    if len(listed) <= MAX_VALUE:
        return listed
    among = set(ids)
    return _BITS + base64.b64encode(np.packbits([one in among for one in gallery.ids]).tobytes()).decode()


def _ids(text: str, gallery: Gallery) -> tuple[str, ...]:
    """The ids that a recipe's text stands for, in the gallery's order; none where it is not of this gallery."""
    if not text.startswith(_BITS):
        listed = set(text.split())
        return tuple(one for one in gallery.ids if one in listed) if listed <= set(gallery.ids) else ()
    try:
        packed = np.frombuffer(base64.b64decode(text.removeprefix(_BITS), validate=True), dtype=np.uint8)
    except binascii.Error:
        return ()
    if len(packed) != -(-len(gallery) // 8):  # rounded up
        return ()
    return tuple(gallery.ids[i] for i in np.flatnonzero(np.unpackbits(packed, count=len(gallery))))
