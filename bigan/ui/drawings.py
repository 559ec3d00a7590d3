"""What a model that stands beside another draws from a seed, and one of its images looked at closely."""

import streamlit as st

from bigan.explore.comparison import Drawing
from bigan.ui import comparison_words, grid, pictures, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Sample

COUNT, COLUMNS = 36, 6
GRID_SCALE, CLOSE_SCALE = 2, 6


def show(one: OpenCheckpoint, made: Drawing, seed: int, cell: int) -> None:
    """A model's grid, one of its images close up, and what D and E say of them all.

    Args:
        one: the model.
        made: its `COUNT` images.
        seed: of which they are.
        cell: the one to look at, from 1; kept under that name.
    """
    st.subheader(one.name, anchor=False)
    if made.images is None:
        st.caption(state.as_text(made.shortcomings[0]))
        return
    logits = None if made.logits is None else made.logits.tolist()
    grid.show(
        made.images,
        [grid.Cell(f"number {i + 1}", logit=None if logits is None else logits[i]) for i in range(COUNT)],
        columns=COLUMNS,
        kind="generated",
        alt=f"{COUNT} images G(z) of {one.name}, drawn with seed {seed}",
        key=f"grid-{one.name}",
        chosen=[cell - 1],
        on_choice=lambda cells: state.keep("cell", cells[0] + 1),
        scale=GRID_SCALE,
        smooth=one.smooth,
    )
    left, right = st.columns(2)
    with left:
        pictures.image(
            made.images[cell - 1 : cell],
            kind="generated",
            alt=f"G(z) of {one.name}, number {cell} of seed {seed}",
            caption=f"Number {cell} of {one.name}",
            scale=CLOSE_SCALE,
            smooth=one.smooth,
        )
        if not one.config.shortcoming("encode"):
            sample = Sample(seed, cell - 1)
            state.link(state.RECONSTRUCT, "Reconstruct it", "Send it through its own E and G", source=sample,
                       **{state.CHECKPOINT_KEY: one.name})  # fmt: skip
    with right:
        for line in comparison_words.drawing(one, made):
            st.caption(state.as_text(line))
