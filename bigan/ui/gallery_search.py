"""The gallery searched by label or id: a field, and what it finds as a grid to choose from."""

import streamlit as st

from bigan.ui import grid, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import GalleryImage, Source

KEY, PAGE = "find", "find-page"
COLUMNS, ROWS, SCALE = 15, 2, 2
SHOWN = COLUMNS * ROWS


def field(chosen: OpenCheckpoint) -> None:
    """Where one writes what to look for; it stands in the address."""
    if chosen.gallery is None:
        return
    example = chosen.gallery.class_names[0]
    st.text_input(
        "Find by label or id",
        key=KEY,
        bind="query-params",
        placeholder=f"{example} or {chosen.gallery.ids[0]}",
        width=240,
        icon=":material/search:",
    )


def results(chosen: OpenCheckpoint, key: str, source: Source) -> None:
    """What was found, page by page; the one pressed becomes the kept source.

    Args:
        chosen: the checkpoint.
        key: of the kept source.
        source: what is shown now.
    """
    gallery, text = chosen.gallery, str(st.session_state.get(KEY) or "")
    if gallery is None or not text.strip():
        return
    found = gallery.find(text)
    if not found:
        classes = ", ".join(f"“{name}”" for name in gallery.class_names)
        st.caption(
            state.as_text(f"No label or id is “{text}”. Labels: {classes}. Ids: {gallery.ids[0]} to {gallery.ids[-1]}.")
        )
        return
    start = SHOWN * (_page(len(found)) - 1)
    ids = found[start : start + SHOWN]
    rows = gallery.indices_of(ids)
    labels = [gallery.class_names[label] for label in gallery.labels[rows].tolist()]
    logits = chosen.gallery_opinions(rows.tolist())
    at = source.image_id if isinstance(source, GalleryImage) else ""
    part = f", {start + 1:,} to {start + len(ids):,} shown" if len(ids) < len(found) else ""
    plural = chosen.info.noun_plural if len(found) > 1 else chosen.info.noun
    grid.show(
        gallery.images[rows],
        [grid.Cell(f"“{label}”", one, logit) for label, one, logit in zip(labels, ids, logits, strict=True)],
        columns=COLUMNS,
        kind="real",
        alt=f"{len(ids)} real {plural} found",
        key=f"{key}-found",
        chosen=[ids.index(at)] if at in ids else [],
        on_choice=lambda cells: state.keep(key, str(GalleryImage(ids[cells[0]]))),
        caption=f"{len(found):,} {plural} found{part}.",
        scale=SCALE,
        smooth=chosen.smooth,
    )


def _page(count: int) -> int:
    """Which of the pages of results to show, from 1."""
    most = -(-count // SHOWN)
    if most == 1:
        return 1
    if PAGE in st.session_state:  # of another search, which may have found more
        st.session_state[PAGE] = min(int(st.session_state[PAGE]), most)
    label = f"Page of what was found, 1 to {most}"
    return int(st.number_input(label, 1, most, step=1, key=PAGE, bind="query-params", width=240))


def settings() -> dict[str, str]:
    """What the address has of the search; nothing where none is made."""
    text, page = str(st.session_state.get(KEY) or ""), st.session_state.get(PAGE, 1)
    return {KEY: text} | ({PAGE: str(page)} if page != 1 else {}) if text.strip() else {}
