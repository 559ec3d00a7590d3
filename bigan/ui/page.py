"""What every page shares: its head with the slim path through the model, its "why", and what happens when it fails."""

import contextlib
import functools
import html
import logging
from collections.abc import Callable, Collection, Iterator
from typing import ParamSpec

import streamlit as st

from bigan.ui import address, state
from bigan.ui.loaders import OpenCheckpoint

P = ParamSpec("P")

# The slim path: (name by which a page lights a part, class of its colour, HTML)
_PATH = (
    (
        ("x", "real", "<i>x</i>"),
        ("E", "latent", " &ndash;&#8201;<i>E</i>&#8201;&rarr; "),
        ("z", "latent", "<i>z</i>"),
        ("G", "generated", " &ndash;&#8201;<i>G</i>&#8201;&rarr; "),
        ("x_hat", "generated", "<i>x&#770;</i>"),
    ),
    (
        ("D", "opinion", "<i>D</i>"),
        ("encoder pair", "opinion", "( <i>x</i> , <i>E</i>(<i>x</i>) )"),
        ("D", "opinion", " or <i>D</i>"),
        ("generator pair", "opinion", "( <i>G</i>(<i>z</i>) , <i>z</i> )"),
        ("D", "opinion", " ?"),
    ),
)
EVERYTHING = ("x", "E", "z", "G", "x_hat", "D", "encoder pair", "generator pair")


def show(
    body: Callable[[OpenCheckpoint], None], *, title: str, sentence: str, lit: Collection[str], why: str = ""
) -> None:
    """Draw a page: its head, then `body` with the chosen checkpoint; a failure becomes one sentence and a way on.

    Args:
        body: draws the page below its head.
        title: a verb or a question.
        sentence: what one sees here.
        lit: the parts of the path that this page is about, among `EVERYTHING`.
        why: Markdown for the "Why, and how" at the foot of the page.
    """
    state.ensure_routed()
    path(lit)
    st.title(title, anchor=False)
    st.markdown(sentence)
    head = st.container()
    with _failing_softly(title):
        body(_suited())
    if problem := address.problem():
        head.warning(state.as_text(problem), icon=":material/link_off:")
    if why:
        with st.expander("Why, and how", icon=":material/menu_book:"):
            st.markdown(why)


def part(draw: Callable[P, None]) -> Callable[P, None]:
    """A part of a page that is drawn anew by itself when one of its own widgets changes, and the rest is left alone."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        with _failing_softly(draw.__name__):
            draw(*args, **kwargs)
        state.remember()

    return st.fragment(drawn)


@contextlib.contextmanager
def _failing_softly(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # a person's mistake, or a file that is not what it should be: the text says it
        _failure(str(error))
    except Exception:
        logging.getLogger(__name__).exception("The page %r failed", name)
        _failure("This page could not be drawn. What happened is in the server's log.")


def _suited() -> OpenCheckpoint:
    """The chosen checkpoint, once it is known that its model can do what this page shows.

    Raises:
        ValueError: it lacks a network.
    """
    chosen = state.current()
    if problem := chosen.config.shortcoming(*state.here().needs):
        raise ValueError(f"{problem} Please choose another model in the sidebar to see this page.")
    return chosen


def _failure(sentence: str) -> None:
    st.error(state.as_text(sentence), icon=":material/error:")
    state.link(state.HOME, "Back to the beginning")


def path(lit: Collection[str]) -> None:
    """The slim path `x -E-> z -G-> x_hat` and D's question, in full colour where this page is."""
    groups = []
    for group in _PATH:
        parts = "".join(
            f'<span class="{f"bg-{colour}" if name in lit else "bg-off"}">{text}</span>' for name, colour, text in group
        )
        groups.append(f"<span>{parts}</span>")
    words = "x goes through E to z, z through G to x hat. D asks: is it (x, E(x)) or (G(z), z)?"
    st.html(f'<div class="bg-path" role="img" aria-label="{words}">{"".join(groups)}</div>')


def finding(sentence: str) -> None:
    """The one sentence that says what was found, in large type; plain text."""
    st.html(f'<p class="bg-big">{html.escape(sentence)}</p>')


def cards(entries: Collection[tuple[str, str, str]]) -> None:
    """A row of numbers, each as (number, what it is, what to compare it with); plain text."""
    cells = "".join(
        f"<div><strong>{html.escape(number)}</strong><small>{html.escape(what)}</small>"
        f"<small><em>{html.escape(beside)}</em></small></div>"
        for number, what, beside in entries
    )
    st.html(f'<div class="bg-card">{cells}</div>')
