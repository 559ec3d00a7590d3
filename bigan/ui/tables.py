"""A small table of plain text as part of the page: read at a glance, by a screen reader, and on a telephone."""

import html
from collections.abc import Sequence

import streamlit as st


def show(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> None:
    """A table whose first column names its rows; it scrolls sideways where there is no room for it.

    Args:
        header: a word or two for each column.
        rows: as many cells each; plain text.
        caption: what the table holds; plain text.
    """
    heads = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in header)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(text)}</td>" for text in rest)
        + "</tr>"
        for first, *rest in rows
    )
    named = html.escape(caption)
    st.html(
        f'<div class="bg-scroll" role="region" aria-label="{named}" tabindex="0"><table class="bg-table">'
        f"<caption>{named}</caption><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
