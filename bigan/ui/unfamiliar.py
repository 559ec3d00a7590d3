"""The warning that a picture is like nothing the model was trained on, with the nearest thing that it knows."""

from collections.abc import Mapping, Sequence

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.explore.familiarity import Familiarity, familiarities
from bigan.explore.reconstruction import ReconstructionReport
from bigan.pictures import mosaic
from bigan.sources import Upload, innermost
from bigan.ui import pictures, reports, state, strips, words
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved

SCALE = 3


def warn(chosen: OpenCheckpoint, report: ReconstructionReport, about: str = "") -> None:
    """The sentence, the nearest image of the gallery, and how far it is; nothing for a picture that is like others.

    Args:
        chosen: the model.
        report: what it makes of the picture.
        about: which of several pictures is meant; plain text.
    """
    index = chosen.index
    if index is not None and report.is_far:
        begin = f"{about}: t" if about else "T"
        strips.honesty(
            f"{begin}his model has only ever seen {chosen.info.noun_plural}; here is the nearest thing it knows."
        )
        scale = words.far_scale(report.familiarity, chosen)
        _show_nearest(chosen, report.familiarity, f"{scale} {words.placed_all_the_same(report, index)}")


def warn_of_models(models: Sequence[OpenCheckpoint], x: Float[Tensor, "1 C H W"]) -> None:
    """The same of one picture and several models of one gallery, said once."""
    first, plural = models[0], models[0].info.noun_plural
    assert first.known is not None
    (found,) = familiarities(x, first.known)
    if not found.is_foreign:
        return
    if len(models) == 1:
        have, know = "this model has", "it knows"
    else:
        have, know = "these models have", "they know"
    names = ", ".join(one.name for one in models)
    strips.honesty(f"{names}: {have} only ever seen {plural}; here is the nearest thing {know}.")
    _show_nearest(first, found, words.far_scale(found, first))


def _show_nearest(chosen: OpenCheckpoint, found: Familiarity, caption: str) -> None:
    assert chosen.gallery is not None
    nearest, info = found.nearest, chosen.info
    picture, said = st.columns([1, 4], gap="small")
    with picture:
        pictures.show(
            mosaic(chosen.gallery.images[nearest.index][None], 1, gap_px=0),
            kind="real",
            alt=f"The nearest real {info.noun}: “{chosen.gallery.class_names[nearest.label]}” ({nearest.id})",
            scale=SCALE,
            smooth=chosen.smooth,
        )
    with said:
        st.caption(state.as_text(caption))


def warn_of_each(chosen: OpenCheckpoint, shown: Mapping[str, Resolved]) -> None:
    """The same of each of several pictures, by what each is called, that is a person's own or began with one."""
    for name, resolved in shown.items():
        if isinstance(innermost(resolved.source), Upload) and (
            report := reports.answer(resolved.source, chosen).report
        ):
            warn(chosen, report, name)
