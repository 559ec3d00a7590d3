"""Samples that a person keeps for the session."""

import streamlit as st

from bigan.sources import Sample, parse_source

MAX_KEPT = 100
_KEY = "favourites-kept"


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
