"""Compare: two models on the same images and the same seeds, their numbers and their maps beside each other."""

import random
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bigan.config import MAX_SEED
from bigan.explore.comparison import Drawing, Reading
from bigan.explore.projection import SPACES
from bigan.ui import (
    address,
    charts,
    comparison_files,
    comparison_words,
    comparisons,
    drawings,
    grid,
    lanes,
    map_pictures,
    page,
    picker,
    pictures,
    results,
    state,
    tables,
    ways_in,
)
from bigan.ui.comparisons import Company
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import SPACE_NAMES
from bigan.ui.sources import Resolved, resolve_source

DEFAULT_POSITION = 4
LARGE_SCALE, STRIP_SCALE = 7, 3
WIDTH_REM = 15.0  # of a lane
MEASURES = ("NND", "NNC_e", "NNC_e-", "CLS_e-", "JD", "EGr", "EGr_b")  # explained beside their table
Pair = tuple[OpenCheckpoint, OpenCheckpoint]

WHY = r"""
**The same image** goes through each model's $E$ and $G$. The ratio is $\lVert x - G(E(x)) \rVert$ over the mean
distance of $G(E(x))$ to the images of one gallery, the same for both, so that the two ratios have one scale. The
nearest images are looked for in that gallery too, each in the eyes of its model.

**Images of one data set through a model of another** are allowed, and tell most: $E$ always answers, and $G$ can only
make what it has learned to make. What returns is what the foreign image has in common with the model's own world.

**The same seed** is the same $z$ where both models have one prior and as many numbers. The images still have nothing to
do with each other: nothing tells two generators to give one $z$ the same meaning.

**The numbers** are those of each model's `metrics.json`. An interval (Wilson, 95 %) says how far the accuracy could be
off for the choice of test images alone; where two intervals overlap, the difference may be chance. McNemar's test on
the same images, on the Benchmarks page, decides it more sharply.

**The maps** are of each model's own gallery, made by UMAP; only who is whose neighbour can be compared, not places.

Donahue et al. 2017, sections 4.1 and 4.2.
"""


@page.part
def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    company = comparisons.company(chosen)
    source = state.kept("source", "")
    other = _other(company)
    if other is None:
        st.markdown(
            f"There is no other model of the same image size here ({comparisons.size(chosen)}). Train one, for example "
            "`python -m bigan train mnist-ae-l2`, or put a checkpoint's folder into `checkpoints`."
        )
        return
    pair = (chosen, other)
    if chosen.config.dataset != other.config.dataset:
        st.markdown(
            f"**{chosen.name}** has only ever seen {chosen.info.noun_plural}, **{other.name}** only "
            f"{other.info.noun_plural}. Each makes of the other's images what it can: neither E can say that it does "
            "not know."
        )
    image = _images(company, pair, source)
    st.header("The same seed", anchor=False)
    drawn, cell, seed = _samples(pair)
    samples = st.container()
    st.header("Their numbers", anchor=False, help=explain(*MEASURES))
    _numbers(pair)
    space = "latent"
    if image is not None:
        st.header("Their maps", anchor=False)
        space = _maps(image.reader, pair, image.resolved)
    _downloads(pair, image, samples, drawn, seed, cell, space)


@dataclass(frozen=True)
class Image:
    """The image that both are given."""

    reader: OpenCheckpoint
    resolved: Resolved
    found: tuple[Reading, ...]
    place: DeltaGenerator
    """Below all that is said of it."""


def _downloads(
    pair: Pair,
    image: Image | None,
    samples: DeltaGenerator,
    drawn: tuple[Drawing, ...],
    seed: int,
    cell: int,
    space: str,
) -> None:
    """Files for each part of the page, now that all its settings are known."""
    reader, resolved = (None, None) if image is None else (image.reader, image.resolved)
    settings = {"other": pair[1].name, "seed": seed, "cell": cell, "space": SPACE_NAMES[space]}
    recipe = comparison_files.recipe(pair[0], reader, pair, resolved, drawn, state.COMPARE, **settings)
    if recipe is None:
        return
    with samples:
        comparison_files.samples(recipe, pair, drawn, seed, drawings.COLUMNS)
    if image is not None:
        comparison_files.maps(recipe, pair, space, image.resolved)
        with image.place:
            comparison_files.reconstructions(recipe, pair, image.reader, image.resolved, image.found)


def _other(company: Company) -> OpenCheckpoint | None:
    """The model to compare the sidebar's with, as the address has it."""
    others = {one.name: one for one in company.members[1:]}
    if others:
        if st.session_state.get("other") not in others:  # it has become the sidebar's own
            st.session_state.pop("other", None)
        left, _ = st.columns([2, 3])
        name = left.selectbox(
            f"{company.members[0].name}, beside",
            list(others),
            key="other",
            bind="query-params",
            help="The first model is the sidebar's. Any other of the same image size can stand beside it.",
        )
    for sentence in company.strangers.values():
        st.caption(state.as_text(f"Not comparable: {sentence}"))
    return others[name] if others else None


def _images(company: Company, pair: Pair, source: str) -> Image | None:
    """One image through both, and ten more at once."""
    st.header("The same image", anchor=False)
    reader = company.reader
    if reader is None or reader.gallery is None:
        st.markdown("An image needs a model here that has an encoder, a generator and a gallery to compare with.")
        return None
    resolved = picker.named(reader, source, DEFAULT_POSITION)
    ways_in.show(
        reader,
        "source",
        resolved.source,
        lambda: picker.another(reader, "source", resolved.source, "Another one at random"),
    )
    found = comparisons.readings(pair, reader, resolved.x)
    best = comparison_words.nearest(found)
    page.finding(comparison_words.verdict(pair, found))
    comparisons.warn(pair, resolved.x)
    lanes.show(
        [lanes.original(resolved, reader, LARGE_SCALE)]
        + [
            lanes.reconstruction(one, reader, reading, LARGE_SCALE, is_best=i == best, with_opinion=True)
            for i, (one, reading) in enumerate(zip(pair, found, strict=True))
        ],
        WIDTH_REM,
    )
    charts.table_twin(lambda: lanes.table(pair, reader, found), "Both readings as a table")
    _strip(reader, pair, resolved)
    left, _ = st.columns(2)
    return Image(reader, resolved, found, left)


def _strip(reader: OpenCheckpoint, pair: Pair, resolved: Resolved) -> None:
    """More images at once, a row for each model."""
    more = comparisons.companions(reader, resolved.source)
    found = comparisons.readings(pair, reader, more.x, with_neighbours=False)
    count = len(more.sources)
    st.subheader(f"{count} at once", anchor=False)
    chosen = [i for i, source in enumerate(more.sources) if str(source) == str(resolved.source)]
    grid.show(
        more.x,
        [grid.Cell(name, comparison_words.each(pair, found, i)) for i, name in enumerate(more.names)],
        columns=count,
        kind="real",
        alt=f"{count} images that both models are given",
        key="strip",
        chosen=chosen,
        on_choice=lambda cells: state.keep("source", str(more.sources[cells[0]])),
        caption="Press one to look at it above.",
        scale=STRIP_SCALE,
        smooth=reader.smooth,
    )
    for one, reading in zip(pair, found, strict=True):
        if reading.x_hat is not None:
            pictures.grid(
                reading.x_hat,
                columns=count,
                kind="generated",
                alt=f"What returns of them from {one.name}",
                caption=comparison_words.returned(one, reading),
                scale=STRIP_SCALE,
                smooth=one.smooth,
            )
    if sentence := comparison_words.count(pair, found):
        st.markdown(state.as_text(sentence))


def _roll() -> None:
    st.session_state["seed"] = random.SystemRandom().randint(0, 9999)


def _samples(pair: Pair) -> tuple[tuple[Drawing, ...], int, int]:
    """What each draws from one seed, and one of them looked at; with its number and the seed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = int(st.number_input("Seed", 0, MAX_SEED, step=1, key="seed", bind="query-params", width=150))
        st.button("Roll", icon=":material/casino:", on_click=_roll, key="dice", help="Another seed at random")
        label, count = f"Look closer at number, 1 to {drawings.COUNT}", drawings.COUNT
        cell = int(st.number_input(label, 1, count, step=1, key="cell", bind="query-params", width=220))
    drawn = comparisons.drawings(pair, count, seed)
    st.markdown(comparison_words.seed(pair), help=explain("prior"))
    for column, one, made in zip(st.columns(2, gap="large"), pair, drawn, strict=True):
        with column:
            drawings.show(one, made, seed, cell)
    return drawn, cell, seed


def _numbers(pair: Pair) -> None:
    """What was measured of each, in one table."""
    measured = [one for one in pair if one.metrics is not None]
    for one in pair:
        if one.metrics is None:
            st.caption(f"{one.name} has not been measured yet: `python -m bigan evaluate {one.name}` does that.")
    if measured:
        header, rows = results.side_by_side([(one.name, one.config, one.metrics or {}) for one in measured])
        tables.show(header, rows, caption=" ".join(
            f"{one.name}: {results.protocol_words(one.metrics or {})}" for one in measured
        ))  # fmt: skip
        if len({(one.metrics or {})["dataset"] for one in measured}) > 1:
            st.caption("They were measured on different data: a higher number here is not a better model.")


def _maps(reader: OpenCheckpoint, pair: Pair, resolved: Resolved) -> str:
    """Each model's map with the images from above marked; returns its space."""
    space = st.segmented_control(
        "Near means alike in", SPACES, default="latent", required=True, format_func=address.names("space", SPACE_NAMES),
        key="space", bind="query-params", help=explain("penultimate"),
    ) or "latent"  # fmt: skip
    more = comparisons.companions(reader, resolved.source)
    others = [(str(i + 1), resolve_source(source, reader)) for i, source in enumerate(more.sources)
              if str(source) != str(resolved.source)]  # fmt: skip
    for column, one in zip(st.columns(2, gap="large"), pair, strict=True):
        with column:
            if sentence := map_pictures.missing(one):
                st.subheader(one.name, anchor=False)
                st.caption(sentence)
            else:
                map_pictures.show(one, space, [("x", resolved), *others])
    st.caption(
        f"Blue: x from above; numbered: the {len(more.sources)} at once, from left to right. An image of another "
        "gallery is placed among its nearest. Only who is near whom can be compared: places, distances and turns of a "
        "map mean nothing."
    )
    state.link(state.MAP, "The map to explore", "The sidebar's model on the Map page", source=resolved.source)
    return space


page.show(
    draw,
    title="Compare",
    sentence="Two models on the same images and the same seeds: what each brings back, draws and measures.",
    lit=("x", "E", "z", "G", "x_hat"),
    why=WHY,
)
