"""The warning that a picture is like nothing the model was trained on, with the nearest thing that it knows."""

import streamlit as st

from bigan.explore.reconstruction import ReconstructionReport
from bigan.pictures import mosaic
from bigan.ui import pictures, state, strips, words
from bigan.ui.loaders import OpenCheckpoint

SCALE = 3


def warn(chosen: OpenCheckpoint, report: ReconstructionReport) -> None:
    """The sentence, the nearest image of the gallery, and how far it is; nothing for a picture that is like others."""
    index = chosen.index
    if index is None or not report.is_far:
        return
    nearest = report.familiarity.nearest
    label = index.gallery.class_names[nearest.label]
    strips.honesty(f"This model has only ever seen {chosen.info.noun_plural}; here is the nearest thing it knows.")
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
