"""Sentences that are marked for what they say."""

import html

import streamlit as st


def honesty(sentence: str) -> None:
    """A sentence that owns up to a limit of the model, marked as such; plain text."""
    st.html(f'<p class="bg-off_prior" style="line-height: 1.45">{html.escape(sentence)}</p>')
