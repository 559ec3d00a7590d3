"""The warning that a picture is like nothing the model was trained on, with the nearest thing that it knows."""

from collections.abc import Mapping

import streamlit as st

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
        about: which of several pictures or models is meant; plain text.
    """
    index = chosen.index
    if index is None or not report.is_far:
        return
    nearest = report.familiarity.nearest
    label = index.gallery.class_names[nearest.label]
    begin = f"{about}: t" if about else "T"
    strips.honesty(
        f"{begin}his model has only ever seen {chosen.info.noun_plural}; here is the nearest thing it knows."
    )
    picture, said = st.columns([1, 4], gap="small")
    with picture:
        pictures.show(
            mosaic(index.gallery.images[nearest.index][None], 1, gap_px=0),
            kind="real",
            alt=f"The nearest real {chosen.info.noun}: “{label}” ({nearest.id})",
            scale=SCALE,
            smooth=chosen.smooth,
        )
    with said:
        st.caption(state.as_text(words.far_scale(report, index, chosen)))


def warn_of_each(chosen: OpenCheckpoint, shown: Mapping[str, Resolved]) -> None:
    """The same of each of several pictures, by what each is called, that is a person's own or began with one."""
    for name, resolved in shown.items():
        if isinstance(innermost(resolved.source), Upload) and (
            report := reports.answer(resolved.source, chosen).report
        ):
            warn(chosen, report, name)
