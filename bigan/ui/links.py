"""What a link between pages carries, and the step back to a page: whole, although Streamlit takes values out of both.

On the way from one page to another, Streamlit sends the values bound on the page that one leaves along with those of
the link, and on arriving takes out every value with a name that was bound there, be it the link's own or one that the
back button returns to. So a link's values stand behind a mark, by which they are told apart and put back.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_MARK = "link"
_STREAMLITS_OWN = "embed"  # what such names begin with, in addresses of an app within another page


def marked(query: Mapping[str, str]) -> dict[str, str]:
    """The query parameters of a link, as they arrive whole."""
    return {_MARK: ""} | dict(query)


def asked() -> dict[str, str] | None:
    """What the link or the step back or forward asks for by which one arrived; None if it was neither of them."""
    context = get_script_run_ctx()
    if context is None:
        return None
    values = [
        (key, value)
        for key, value in parse_qsl(context.query_string, keep_blank_values=True)
        if not key.casefold().startswith(_STREAMLITS_OWN)
    ]
    marks = [place for place, (key, _) in enumerate(values) if key == _MARK]
    if marks:
        return dict(values[marks[-1] + 1 :])
    return dict(values) if is_step() else None


def is_step() -> bool:
    """Whether the browser's back or forward button began this run."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def put_back(asked: Mapping[str, str]) -> bool:
    """Make the address say what was asked for; whether it did not."""
    lost = {key: value for key, value in asked.items() if key not in st.query_params}
    is_marked = _MARK in st.query_params
    if lost:
        st.query_params.update(lost)
    if is_marked:
        del st.query_params[_MARK]
    return bool(lost) or is_marked
