"""What the address asked for and this app did not understand: noted while a page is drawn, and said once, in its head.

A widget takes its value from the address by itself, and silently its usual one where the address names none that it
has. So what was asked for on arriving is compared with what the widgets then show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

_ASKED_KEY, _NOTES_KEY, _NAMES_KEY = "address-asked", "address-notes", "address-names"
MAX_CHARACTERS = 40  # of a value that is repeated to the person


Option = TypeVar("Option", bound=str)


@dataclass(frozen=True)
class _Note:
    """A value that was not understood."""

    text: str
    shown: str
    """What is shown instead, in words."""
    value: object
    """Of the widget: once a person changes it, nothing is left to say."""


def arrive(asked: Mapping[str, str]) -> None:
    """Remember what the address asks for, on arriving at a page."""
    st.session_state[_ASKED_KEY] = {key: text for key, text in asked.items() if text}
    st.session_state[_NOTES_KEY] = {}


def is_arriving() -> bool:
    """Whether the page has not been drawn yet since one arrived: what its widgets hold is then other pages'."""
    return _ASKED_KEY in st.session_state


def names(key: str, names: Mapping[Option, str]) -> Callable[[Option], str]:
    """The `format_func` of a widget whose options are called otherwise in the address than here.

    Args:
        key: of the widget.
        names: option -> what it is called.
    """
    st.session_state.setdefault(_NAMES_KEY, {})[key] = names
    return names.__getitem__


def note(key: str, text: str, shown: str) -> None:
    """Say in the page's head that a value was not understood.

    Args:
        key: as in the address.
        text: the value.
        shown: what is shown instead, in words.
    """
    st.session_state.setdefault(_NOTES_KEY, {})[key] = _Note(text, shown, st.session_state.get(key))


def problem() -> str:
    """The sentence on all that was not understood, or nothing; call it when the page is drawn.

    It stands there until what it speaks of is changed, or one leaves the page.
    """
    for key, text in st.session_state.pop(_ASKED_KEY, {}).items():
        if key in st.session_state and not _is_understood(key, text, st.session_state[key]):
            note(key, text, _words(key, st.session_state[key]))
    notes: dict[str, _Note] = st.session_state.get(_NOTES_KEY, {})
    for key in [key for key, one in notes.items() if st.session_state.get(key) != one.value]:
        del notes[key]
    said = ", ".join(f"{key} “{_short(one.text)}” (shown instead: {one.shown})" for key, one in notes.items())
    return f"The address asks for what there is not here: {said}." if said else ""


def _is_understood(key: str, text: str, value: object) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(text) == value
        except ValueError:
            return False
    return text.casefold() in (str(value).casefold(), _words(key, value).casefold())


def _words(key: str, value: object) -> str:
    """A widget's value as a person reads it."""
    known: Mapping[str, str] = st.session_state.get(_NAMES_KEY, {}).get(key, {})
    if value is None:
        return "the usual"
    return f"{value:g}" if isinstance(value, float) else known.get(str(value), str(value))


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}\N{HORIZONTAL ELLIPSIS}"
