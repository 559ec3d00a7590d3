"""What a model answers about a source, computed once in a session and remembered by what the source holds.

An upload's source names its content, so the same picture is never looked at twice. Shapes: C H W image, Z latent
components.
"""

from dataclasses import dataclass

import streamlit as st
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from bigan.explore.reconstruction import ReconstructionReport, report
from bigan.images import ImageError, open_image
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved, Source, Upload, resolve_source, upload_bytes

MAX_ANSWERS = 100  # remembered in one session, the oldest forgotten first
ORIGINAL_PX = 168  # a person's own picture, as brought, is remembered at this size
_ANSWERS_KEY = "answers"


@dataclass(frozen=True)
class Answer:
    """A source, and what E, G and D make of it."""

    resolved: Resolved
    z: Float[Tensor, "1 Z"]
    """E(x)."""
    x_hat: Float[Tensor, "1 C H W"]
    """G(E(x))."""
    encoder_pair_logit: float | None
    """D(x, E(x)); None without a D of pairs."""
    reconstruction_pair_logit: float | None
    """D(G(E(x)), E(x)); None without a D of pairs."""
    report: ReconstructionReport | None
    """The comparison with the gallery; None where the checkpoint has none."""
    original: Image.Image | None
    """An upload before it was prepared, small."""

    @property
    def difference(self) -> Float[Tensor, "C H W"]:
        """G(E(x)) - x."""
        return (self.x_hat - self.resolved.x)[0]

    @property
    def distance(self) -> float:
        """|x - G(E(x))|."""
        return self.difference.norm().item()


def answer(source: Source | str, chosen: OpenCheckpoint) -> Answer:
    """What the chosen model makes of a source.

    Raises:
        SourceError, bigan.ImageError: as `resolve_source`.
    """
    answers: dict[tuple[str, int, str], Answer | ImageError] = st.session_state.setdefault(_ANSWERS_KEY, {})
    key = (str(chosen.path), (chosen.path / "model.safetensors").stat().st_mtime_ns, str(source))
    if key not in answers:
        try:
            answers[key] = _answer(resolve_source(source, chosen), chosen)
        except ImageError as error:  # a picture that cannot be used will not become usable: say so at once next time
            answers[key] = error
        for oldest in list(answers)[:-MAX_ANSWERS]:
            answers.pop(oldest, None)
    known = answers[key]
    if isinstance(known, ImageError):
        raise ImageError(str(known))
    return known


def _answer(resolved: Resolved, chosen: OpenCheckpoint) -> Answer:
    original = _original(resolved.source) if isinstance(resolved.source, Upload) else None
    if chosen.index is None:
        z = chosen.model.encode(resolved.x)  # (1, Z)
        x_hat = chosen.model.generate(z)  # (1, C, H, W)
        if chosen.config.shortcoming("score"):
            return Answer(resolved, z, x_hat, None, None, None, original)
        scores = float(chosen.model.score(resolved.x, z)), float(chosen.model.score(x_hat, z))
        return Answer(resolved, z, x_hat, *scores, None, original)
    found = report(chosen.model, resolved.x, chosen.index)
    opinions = found.encoder_pair_logit, found.reconstruction_pair_logit
    return Answer(resolved, found.z[None], found.x_hat[None], *opinions, found, original)


def _original(source: Upload) -> Image.Image:
    picture = open_image(upload_bytes(source))
    picture.thumbnail((ORIGINAL_PX, ORIGINAL_PX))
    return picture
