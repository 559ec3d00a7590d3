"""What a model answers about a source, computed once in a session and remembered by what the source holds.

An upload's source names its content, so the same picture is never looked at twice. Shapes: C H W image, Z latent
components.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from bigan.explore.reconstruction import ReconstructionReport, reports
from bigan.images import ImageError, open_image
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved, Source, Upload, resolve_source, upload_bytes

MAX_ANSWERS = 100  # remembered in one session, the oldest forgotten first
ORIGINAL_PX = 140  # a person's own picture, as brought, is remembered at this size
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
    found = answers([source], chosen)[0]
    if isinstance(found, ImageError):
        raise ImageError(str(found))
    return found


def answers(sources: Sequence[Source | str], chosen: OpenCheckpoint) -> list[Answer | ImageError]:
    """What the chosen model makes of each of some sources, looked at together; or why one cannot be used.

    Raises:
        SourceError: as `resolve_source`.
    """
    remembered: dict[tuple[object, str], Answer | ImageError] = st.session_state.setdefault(_ANSWERS_KEY, {})
    keys: list[tuple[object, str]] = [(chosen.index_key, str(source)) for source in sources]
    found = {key: remembered[key] for key in keys if key in remembered}
    resolved: dict[tuple[object, str], Resolved] = {}
    for key, source in zip(keys, sources, strict=True):
        if key not in found and key not in resolved:
            try:
                resolved[key] = resolve_source(source, chosen)
            except ImageError as error:  # it will not become usable: say so at once next time
                found[key] = error
    found |= zip(resolved, _answers(list(resolved.values()), chosen), strict=True)
    remembered |= found
    for oldest in list(remembered)[:-MAX_ANSWERS]:
        remembered.pop(oldest, None)
    return [found[key] for key in keys]


def _answers(resolved: Sequence[Resolved], chosen: OpenCheckpoint) -> list[Answer]:
    if not resolved:
        return []
    if chosen.index is None:
        return [_alone(one, chosen) for one in resolved]
    found = reports(chosen.model, torch.cat([one.x for one in resolved]), chosen.index)
    return [
        Answer(
            one, r.z[None], r.x_hat[None], r.encoder_pair_logit, r.reconstruction_pair_logit, r, _original(one.source)
        )
        for one, r in zip(resolved, found, strict=True)
    ]


def _alone(resolved: Resolved, chosen: OpenCheckpoint) -> Answer:
    """The answer of a model without a gallery to compare with."""
    z = chosen.model.encode(resolved.x)  # (1, Z)
    x_hat = chosen.model.generate(z)  # (1, C, H, W)
    original = _original(resolved.source)
    if chosen.config.shortcoming("score"):
        return Answer(resolved, z, x_hat, None, None, None, original)
    opinions = float(chosen.model.score(resolved.x, z)), float(chosen.model.score(x_hat, z))
    return Answer(resolved, z, x_hat, *opinions, None, original)


def _original(source: Source) -> Image.Image | None:
    """A picture of a person's own as brought, small."""
    if not isinstance(source, Upload):
        return None
    picture = open_image(upload_bytes(source))
    picture.thumbnail((ORIGINAL_PX, ORIGINAL_PX))
    return picture
