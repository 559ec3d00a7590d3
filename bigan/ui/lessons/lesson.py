"""What a lesson is: a few screens, most of them with a prediction to make before the answer shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from bigan.config import Verb
from bigan.ui import page, state
from bigan.ui.loaders import OpenCheckpoint

_GUESSES_KEY = "guesses"

Draw = Callable[[OpenCheckpoint], bool]
"""Draws a screen; whether its prediction is made, if it asks for one."""


@dataclass(frozen=True)
class Screen:
    """One screen of a lesson."""

    title: str
    draw: Draw


@dataclass(frozen=True)
class Lesson:
    """A lesson of a few screens."""

    name: str
    """In the address."""
    short: str
    """On its button."""
    title: str
    screens: tuple[Screen, ...]
    why: str
    """Markdown with the formulae, and the paper's sections."""
    terms: tuple[str, ...] = ()
    """Of the glossary, that it uses."""
    needs: tuple[Verb, ...] = ()
    """What a model must be able to do."""
    needs_gallery: bool = False
    needs_maps: bool = False

    def shortcoming(self, chosen: OpenCheckpoint) -> str | None:
        """Why it cannot be given on a model, in a sentence; None where it can."""
        if problem := chosen.config.shortcoming(*self.needs):
            return problem
        if self.needs_gallery and chosen.gallery is None:
            return "This checkpoint comes without a gallery of real images."
        if self.needs_maps and chosen.projection is None:
            return f"This checkpoint comes without maps of its gallery (python -m bigan project {chosen.name})."
        return None


def predict(chosen: OpenCheckpoint, name: str, question: str, options: Sequence[str]) -> str | None:
    """What the learner predicts, remembered in the session; None until it is chosen.

    Args:
        chosen: the model; another one may answer differently, and is predicted anew.
        name: of the question, unlike any other's.
        question: plain text.
        options: plain text; one of them will turn out to be right.
    """
    guesses: dict[str, str] = st.session_state.setdefault(_GUESSES_KEY, {})
    key = f"predict-{name}-{chosen.name}"
    before = guesses.get(key)
    with st.container(border=True):
        guess = st.radio(
            f"**Your prediction.** {state.as_text(question)}",
            options,
            options.index(before) if before in options else None,
            format_func=state.as_text,
            key=key,
        )
        if guess is None:
            st.caption("Choose one; the answer then appears below.")
            return None
    guesses[key] = guess
    return guess


def answer(guess: str, right: str, sentence: str) -> None:
    """Whether the prediction came true, and what is the case; plain text."""
    verdict = "As you predicted." if guess == right else f"Not as you predicted. The answer: {right}."
    page.finding(f"{verdict} {sentence}")
