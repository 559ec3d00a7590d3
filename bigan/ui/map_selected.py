"""What the points selected on the map have in common, and what to do with them."""

import streamlit as st

from bigan.explore.gallery import Gallery
from bigan.explore.selection import SelectionSummary, summarise
from bigan.sources import BETWEEN_SELECTIONS
from bigan.ui import map_panel, pictures, selections, state
from bigan.ui.downloads import csv_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.words import counted

MAX_SHOWN, COLUMNS = 40, 10
LARGE_SCALE = 4


def show(chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...]) -> None:
    """The panel of a selection; nothing without one."""
    if not ids or chosen.index is None:
        return
    plural = chosen.info.noun_plural
    st.header(f"{len(ids):,} selected", anchor=False)
    found = summarise(chosen.model, chosen.index, ids)
    st.markdown(state.as_text(_labels(found, gallery)))
    _means(chosen, found)
    rows = gallery.indices_of(ids)
    few = rows[:: max(1, -(-len(rows) // MAX_SHOWN))]
    pictures.grid(
        gallery.images[few],
        columns=COLUMNS,
        kind="real",
        alt=f"{len(few)} of the selected {plural}",
        caption=f"{len(few)} of the {len(ids):,} selected {plural}",
        scale=1,
        smooth=chosen.smooth,
    )
    _ways_on(chosen, gallery, ids)


def _labels(found: SelectionSummary, gallery: Gallery) -> str:
    ranked = sorted(zip(found.label_counts, gallery.class_names, strict=True), reverse=True)
    named = [f"{name}: {count} ({100 * count / found.num:.0f} %)" for count, name in ranked if count]
    return "Labels: " + ", ".join(named) + "."


def _means(chosen: OpenCheckpoint, found: SelectionSummary) -> None:
    map_panel.side_by_side(
        (
            (found.mean_image[None], "real", "The mean of the selected images, pixel by pixel", "their mean in pixels"),
            (found.generated[None], "generated", "G of the mean E(x) of the selected images", "G of the mean E(x)"),
        ),
        LARGE_SCALE,
        smooth=chosen.smooth,
    )


def _ways_on(chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...]) -> None:
    """Keep it as one end of a direction, or take its ids home."""
    held = selections.kept(chosen.name)
    with st.container(horizontal=True):
        for name in selections.NAMES:
            st.button(
                f"Keep as {name}",
                key=f"keep-{name}",
                icon=":material/bookmark_add:",
                on_click=selections.keep,
                args=(name, chosen.name, ids),
                help="The Edit page can follow the direction from A to B.",
            )
        st.download_button(
            "CSV",
            lambda: csv_bytes(
                {"id": ids, "label": [gallery.class_names[gallery.labels[gallery.index_of(i)]] for i in ids]}
            ),
            f"{chosen.name}-selection.csv",
            "text/csv",
            key="download-selection",
            icon=":material/download:",
            on_click="ignore",
            help="Ids and labels of what is selected.",
        )
    if held:
        kept = ", ".join(f"**{name}: {counted(len(ids), 'image')}**" for name, ids in held.items())
        missing = [name for name in selections.NAMES if name not in held]
        then = f"Keep another selection as {missing[0]}, and the" if missing else "The"
        st.markdown(f"Kept {kept}. {then} Edit page can follow the direction from A to B.")
        if not missing:
            state.link(
                state.EDIT, "Follow it", "The direction from A to B, on the Edit page", direction=BETWEEN_SELECTIONS
            )
