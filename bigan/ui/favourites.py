"""Samples that a person keeps for the session."""

import contextlib
from collections.abc import Mapping

import streamlit as st

from bigan.sources import Sample, SourceError, parse_source
from bigan.view_recipe import MAX_VALUE

MAX_KEPT = 100
SETTING = "favourites"  # in a recipe, see `bigan.view_recipe.CARRIED`
_KEY = "favourites-kept"
_PREFIX = "sample:"


def keep(checkpoint: str, source: str) -> None:
    """Keep a sample of a checkpoint; the oldest goes where there are too many. Only from a callback."""
    held = st.session_state.setdefault(_KEY, {}).setdefault(checkpoint, [])
    if source not in held:
        held.append(source)
        del held[:-MAX_KEPT]


def forget(checkpoint: str, source: str) -> None:
    """Keep it no longer; only from a callback."""
    held = st.session_state.get(_KEY, {}).get(checkpoint, [])
    if source in held:
        held.remove(source)


def kept(checkpoint: str) -> list[Sample]:
    """The favourites of a checkpoint, in the order in which they were kept."""
    found = (parse_source(text) for text in st.session_state.get(_KEY, {}).get(checkpoint, []))
    return [source for source in found if isinstance(source, Sample)]


def settings(checkpoint: str) -> dict[str, str]:
    """All favourites as a recipe carries them; nothing where they are too many for it."""
    text = " ".join(str(source).removeprefix(_PREFIX) for source in kept(checkpoint))
    return {SETTING: text} if text and len(text) <= MAX_VALUE else {}


def take(checkpoint: str, settings: Mapping[str, str]) -> None:
    """Keep the favourites that a recipe carries along with those there are; before they are shown."""
    for text in settings.get(SETTING, "").split():
        with contextlib.suppress(SourceError):  # anyone may have written it
            keep(checkpoint, str(parse_source(_PREFIX + text)))
