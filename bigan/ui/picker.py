"""Choosing what an image comes from: a real image of the gallery, or a sample. The choice is a kept source."""

import random
from collections.abc import Callable

import streamlit as st

from bigan.config import MAX_SEED
from bigan.sources import innermost
from bigan.ui import grid, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import answer
from bigan.ui.sources import (
    MAX_SAMPLES,
    GalleryImage,
    Resolved,
    Sample,
    Source,
    default_source,
    resolve_source,
)

GRID_COLUMNS, GRID_SCALE = 10, 2
Resolve = Callable[[Source | str, OpenCheckpoint], Resolved]
SEED_HELP = "The same seed draws the same latents, here and on the Sample page."
NUMBER_HELP = f"Which of the latents drawn with this seed, 1 to {MAX_SAMPLES}, counted as on the Sample page."
RANDOM_SEEDS = 10_000  # as the dice of the Sample page
OPINION = "The violet bar is D's opinion of (x, E(x)): the longer, the more it takes the two for an encoder pair."


def current(chosen: OpenCheckpoint, key: str, position: int) -> Resolved:
    """What the address asks for under a key, for a page that needs its answer; otherwise a reason and a default.

    Args:
        chosen: the checkpoint.
        key: of the kept source.
        position: of the default, see `default_source`.
    """
    return named(chosen, state.kept(key, ""), position, lambda source, chosen: answer(source, chosen).resolved)


def named(chosen: OpenCheckpoint, text: str, position: int, resolve: Resolve = resolve_source) -> Resolved:
    """What a kept source stands for; where that cannot be had, the reason and a default.

    Args:
        chosen: the checkpoint.
        text: the kept source, possibly empty.
        position: of the default, see `default_source`.
        resolve: as `resolve_source`.
    """
    default = default_source(chosen, position)
    try:
        return resolve(text or default, chosen)
    except ValueError as error:
        shown = resolve(default, chosen)
        st.warning(state.as_text(f"{error} Shown instead: {shown.words}."), icon=":material/link_off:")
        return shown


def _rows_by_class(chosen: OpenCheckpoint) -> dict[int, list[int]]:
    """The places in the gallery of each class that it holds."""
    rows: dict[int, list[int]] = {}
    if chosen.gallery is not None:
        for row, label in enumerate(chosen.gallery.labels.tolist()):
            rows.setdefault(label, []).append(row)
    return dict(sorted(rows.items()))


def random_source(chosen: OpenCheckpoint, like: Source) -> Source:
    """Another source of the same kind at random; for an upload, a real image of the gallery."""
    dice = random.SystemRandom()
    if chosen.gallery is None or isinstance(like, Sample):
        truncation = like.truncation if isinstance(like, Sample) else 1.0
        found: Source = Sample(dice.randrange(RANDOM_SEEDS), 0, truncation)
        return found if found != like else Sample(dice.randrange(RANDOM_SEEDS) + RANDOM_SEEDS, 0, truncation)
    ids = chosen.gallery.ids
    return GalleryImage(dice.choice([name for name in ids if GalleryImage(name) != like] or ids))


def another(chosen: OpenCheckpoint, key: str, source: Source, help: str) -> None:
    """The button that takes another source of the same kind."""
    st.button(
        "Another one",
        icon=":material/casino:",
        key=f"{key}-another",
        help=help,
        on_click=lambda: state.keep(key, str(random_source(chosen, innermost(source)))),
    )


def gallery(chosen: OpenCheckpoint, key: str, source: Source, beside: Callable[[], None] | None = None) -> None:
    """One real image of each class as buttons, and a number to leaf through them.

    Args:
        chosen: the checkpoint.
        key: of the kept source.
        source: what is shown now.
        beside: draws more controls in one row with the number.
    """
    images, rows = chosen.gallery, _rows_by_class(chosen)
    if images is None:
        st.caption(
            "This checkpoint comes without a gallery of real images. Go on with a picture of your own or a sample, or "
            "choose another model in the sidebar."
        )
        return
    widget = f"{key}-number"
    row = images.index_of(source.image_id) if isinstance(source, GalleryImage) else None
    label = None if row is None else int(images.labels[row])
    if row is not None and label is not None:
        st.session_state[widget] = rows[label].index(row) + 1
    most = max(len(places) for places in rows.values())
    number = min(int(st.session_state.get(widget, 1)), most)
    st.session_state[widget] = number
    shown = [places[min(number, len(places)) - 1] for places in rows.values()]

    def leaf() -> None:
        if label is not None:
            place = min(int(st.session_state[widget]), len(rows[label])) - 1
            state.keep(key, str(GalleryImage(images.ids[rows[label][place]])))

    logits = chosen.gallery_opinions(shown)
    grid.show(
        images.images[shown],
        [
            grid.Cell(f"“{images.class_names[k]}”, number {number}", images.ids[i], logit)
            for k, i, logit in zip(rows, shown, logits, strict=True)
        ],
        columns=min(GRID_COLUMNS, len(shown)),
        kind="real",
        alt=f"One real {chosen.info.noun} of each of {len(shown)} classes",
        key=f"{key}-gallery",
        chosen=[shown.index(row)] if row in shown else [],
        on_choice=lambda cells: state.keep(key, str(GalleryImage(images.ids[shown[cells[0]]]))),
        caption="" if None in logits else OPINION,
        scale=GRID_SCALE,
        smooth=chosen.smooth,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        help = (
            f"Which {chosen.info.noun} of each class: leafs through the {len(images):,} real ones of the gallery, "
            f"{len(rows)} at a time."
        )
        st.number_input(f"Number, 1 to {most}", 1, most, step=1, key=widget, on_change=leaf, width=124, help=help)
        if beside is not None:
            beside()


def extremes(chosen: OpenCheckpoint, key: str, source: Source) -> None:
    """Shortcuts to the gallery images that come back worst and best; pressed again, to the next ones."""
    if chosen.index is None:
        return
    index = chosen.index
    row = index.gallery.index_of(source.image_id) if isinstance(source, GalleryImage) else None
    worst_first = index.distances.argsort(descending=True).tolist()

    taken = f"{key}-taken"  # by which of the buttons, and which image: only from there it goes on to the next

    def take(name: str, order: list[int]) -> None:
        goes_on = st.session_state.get(taken) == (name, row)
        place = (order.index(row) + 1) % len(order) if goes_on and row is not None else 0
        st.session_state[taken] = (name, order[place])
        state.keep(key, str(GalleryImage(index.gallery.ids[order[place]])))

    for name, order in (("worst", worst_first), ("best", worst_first[::-1])):
        st.button(
            f"{name.capitalize()} match",
            key=f"{key}-{name}",
            on_click=take,
            args=(name, order),
            help=f"Of all {chosen.info.noun_plural} of the gallery, the one that E and G bring back {name}; press "
            "again for the next.",
        )


def sample(key: str, source: Source) -> None:
    """The seed and the number of a sample; changing either takes that sample."""
    seed_widget, number_widget = f"{key}-seed", f"{key}-index"
    truncation = source.truncation if isinstance(source, Sample) else 1.0
    if isinstance(source, Sample):
        st.session_state[seed_widget], st.session_state[number_widget] = source.seed, source.index + 1

    def take() -> None:
        seed, number = int(st.session_state[seed_widget]), int(st.session_state[number_widget])
        state.keep(key, str(Sample(seed, number - 1, truncation)))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input("Seed", 0, MAX_SEED, step=1, key=seed_widget, on_change=take, width=150, help=SEED_HELP)
        st.number_input("Number", 1, MAX_SAMPLES, step=1, key=number_widget, on_change=take, width=120,
                        help=NUMBER_HELP)  # fmt: skip
    if isinstance(source, Sample):
        st.caption("A change of either takes that sample at once.")
    else:
        help = "Use the sample of this seed and number."
        st.button("Take this sample", key=f"{key}-sample", on_click=take, help=help)
        st.caption("No sample is taken yet: press the button, or change either number.")
