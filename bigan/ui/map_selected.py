"""What the points selected on the map have in common, and what to do with them."""

import streamlit as st

from bigan.explore.gallery import Gallery
from bigan.explore.selection import SelectionSummary, summarise
from bigan.pictures import mosaic
from bigan.ui import pictures, selections, state
from bigan.ui.downloads import csv_bytes
from bigan.ui.loaders import OpenCheckpoint

MAX_SHOWN, COLUMNS = 40, 10
LARGE_SCALE = 4
PAIR_STYLE = "display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem"


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
    pair: tuple[tuple[object, pictures.Kind, str], ...] = (
        (found.mean_image, "real", "mean of the images, pixel by pixel"),
        (found.generated, "generated", "G of the mean E(x)"),
    )
    figures = "".join(
        pictures.figure(
            mosaic(image[None], 1, gap_px=0),  # type: ignore[index]
            alt=f"The {caption}, of what is selected",
            kind=kind,
            caption=caption,
            scale=LARGE_SCALE,
            smooth=chosen.smooth,
        )
        for image, kind, caption in pair
    )
    st.html(f'<div style="{PAIR_STYLE}">{figures}</div>')


def _ways_on(chosen: OpenCheckpoint, gallery: Gallery, ids: tuple[str, ...]) -> None:
    """Keep it as one end of a direction, or take its ids home."""
    held = selections.kept(chosen.name)
    with st.container(horizontal=True):
        for name in selections.NAMES:
            now = f", now {len(held[name]):,} images" if name in held else ""
            st.button(
                f"Keep as {name}",
                key=f"keep-{name}",
                icon=":material/bookmark_add:",
                on_click=selections.keep,
                args=(name, chosen.name, ids),
                help=f"The Edit page can follow the direction from A to B, or from all others to A{now}.",
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
