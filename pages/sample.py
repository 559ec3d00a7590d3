"""Sample: what G makes of latents drawn from the prior, and what D says of each."""

import random
from collections.abc import Mapping, Sequence

import streamlit as st

from bigan.config import MAX_SEED
from bigan.pictures import mosaic, png_bytes
from bigan.ui import (
    charts,
    downloads,
    favourites,
    grid,
    neighbours,
    page,
    pictures,
    sample_questions,
    samples,
    state,
)
from bigan.ui.downloads import File, csv_bytes
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.samples import Samples
from bigan.ui.sources import MAX_SAMPLES, Sample, resolve_source
from bigan.view_code import SAMPLE_SCALE

COUNTS = (16, 25, 36, 49, 64, 81, 100)  # squares, so that the grid is one
DEFAULT_COUNT = 64
GRID_SCALE, LARGE_SCALE = 3, 9
COLUMNS = (3, 2)
BAR = (
    " The violet bar is D's opinion: the longer, the more the pair (G(z), z) passes for a pair (x, E(x)) of a real "
    "image and its code."
)
WITH_LOGIT = " and D's logit"
RANDOM_SEEDS = 10_000  # that the die has, short enough to say
IN_ORDER, BY_OPINION = "as drawn", "by D's opinion"

WHY = r"""
**The prior.** $z$ is drawn from $p_Z$: for the paper's MNIST model 50 independent numbers, uniform between $-1$ and
$1$. $G$ was only ever asked to turn such $z$ into images that, paired with their $z$, pass for pairs $(x, E(x))$ of a
real image and its code.

**Truncation** $t < 1$ draws from the prior shrunk to its centre: more typical images, less variety.

**D's opinion.** $D(x, z)$ looks at the pair, not at the image alone. For the best possible $D$ its probability is
$p_{EX} / (p_{EX} + p_{GZ})$: one half wherever the two kinds of pair are equally likely. Real training stops short of
that: $D$ usually stays ahead.

Donahue et al. 2017, sections 3 and 3.1 (Proposition 1).
"""


def _roll() -> None:
    seed = random.SystemRandom().randrange(RANDOM_SEEDS - 1)
    st.session_state["seed"] = seed + (seed >= st.session_state["seed"])  # another than now


def _controls(has_opinion: bool) -> tuple[int, int, float, str]:
    """The seed, the count, the truncation and the order, as the address bar has them."""
    seed_column, dice_column, count_column, truncation_column, order_column = st.columns(
        [2, 1.2, 1.6, 3, 3], vertical_alignment="bottom"
    )
    seed = seed_column.number_input(
        "Seed", 0, MAX_SEED, step=1, key="seed", bind="query-params", help="The same seed draws the same latents."
    )
    dice_column.button(
        "Roll", icon=":material/casino:", on_click=_roll, key="dice", help="Another seed at random", width="stretch"
    )
    count = count_column.selectbox("How many", COUNTS, COUNTS.index(DEFAULT_COUNT), key="count", bind="query-params")
    truncation = truncation_column.slider(
        "Truncation",
        0.1,
        1.0,
        1.0,
        0.05,
        key="truncation",
        bind="query-params",
        help=explain("truncation"),
    )
    order: str | None = IN_ORDER
    if has_opinion:
        order = order_column.segmented_control(
            "Order", (IN_ORDER, BY_OPINION), default=IN_ORDER, required=True, key="order", bind="query-params"
        )
    return int(seed), int(count), float(truncation), str(order or IN_ORDER)


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    seed, count, truncation, order = _controls(has_opinion=chosen.config.shortcoming("score") is None)
    drawn = samples.draw(chosen, count, seed, truncation)
    ranks = list(range(count))
    if drawn.logits is not None and order == BY_OPINION:
        ranks = [i for _, i in sorted(zip(drawn.logits, ranks, strict=True), key=lambda pair: -pair[0])]
    _grid_and_close_up(chosen, drawn, ranks, order)


@page.part
def _grid_and_close_up(chosen: OpenCheckpoint, drawn: Samples, ranks: list[int], order: str) -> None:
    """All samples, in the order of their ranks, and beside them the one that was chosen last."""
    count = len(drawn)
    left, right = st.columns(COLUMNS, gap="large")
    with right:
        number = st.number_input("Look closer at number", 1, MAX_SAMPLES, step=1, key="cell", bind="query-params")
        shown = min(int(number), count)
        with left:
            others = samples.from_text(state.kept("with", ""), count)
        numbers = [*(other for other in others if other != shown), shown]
        _close_up(chosen, Sample(drawn.seed, shown - 1, drawn.truncation))
    seen = {
        "seed": drawn.seed, "count": count, "truncation": drawn.truncation, "order": order, "cell": shown
    }  # fmt: skip
    if others := numbers[:-1]:
        seen["with"] = samples.to_text(others)
    with left:
        grid.show(
            drawn.x[ranks],
            [grid.Cell(f"number {i + 1}", logit=drawn.logits[i] if drawn.logits else None) for i in ranks],
            columns=round(count**0.5),
            kind="generated",
            alt=f"{count} images G(z) drawn with seed {drawn.seed}",
            key="grid",
            chosen=[ranks.index(number - 1) for number in numbers],
            several=True,
            on_choice=lambda cells: _keep([ranks[cell] + 1 for cell in cells]),
            caption="Press one to look closer." + BAR * (drawn.logits is not None),
            scale=GRID_SCALE,
            smooth=chosen.smooth,
        )
        if drawn.logits is None:
            st.markdown(state.as_text(str(chosen.config.shortcoming("score"))))
        else:
            passed = sum(logit > 0 for logit in drawn.logits)
            taken = f"D takes **{passed} of {count}** for pairs of a real image with its code."
            st.markdown(taken, help=explain("logit"))
        files = st.container()
    asked = sample_questions.show(chosen, drawn, Sample(drawn.seed, shown - 1, drawn.truncation), numbers, seen)
    with files:
        _downloads(chosen, drawn, asked)


def _keep(numbers: list[int]) -> None:
    """Put the chosen samples into the address; the last one is looked at, and stays so when none is chosen any more."""
    if numbers:
        state.keep("cell", numbers[-1])
    state.keep("with", samples.to_text(numbers[:-1]))


def _downloads(chosen: OpenCheckpoint, drawn: Samples, settings: Mapping[str, object]) -> None:
    numbers = range(len(drawn))
    recipe = downloads.recipe(chosen, state.SAMPLE, drawn.z, [], **settings)
    sources = [str(Sample(drawn.seed, i, drawn.truncation)) for i in numbers]
    table: dict[str, Sequence[object]] = {
        "number": [i + 1 for i in numbers],
        "source": sources,
    }
    opinions = {} if drawn.logits is None else {"logits": drawn.logits}
    if drawn.logits is not None:
        table["D(G(z), z)"] = drawn.logits

    def picture() -> bytes:
        return png_bytes(mosaic(drawn.x, round(len(drawn) ** 0.5), SAMPLE_SCALE))

    def arrays() -> bytes:
        return downloads.npz_bytes(recipe, z=drawn.z, x=drawn.x, ids=sources, seed=drawn.seed, **opinions)

    downloads.show(
        recipe,
        f"{chosen.name}-seed-{drawn.seed}-truncation-{drawn.truncation:g}-{len(drawn)}",
        [
            File("PNG", picture, "This grid in the order drawn, as a picture."),
            File("NPZ", arrays, f"z and x as NumPy arrays, with each sample's id{WITH_LOGIT * bool(opinions)}."),
            File("CSV", lambda: csv_bytes(table), f"Each sample's id{WITH_LOGIT * bool(opinions)}."),
        ],
    )


def _close_up(chosen: OpenCheckpoint, source: Sample) -> None:
    """One sample: large, its latent, D's opinion, the real images nearest to it, and the ways on."""
    sample = resolve_source(source, chosen)
    logits = chosen.opinions(sample.x, sample.z)
    pictures.image(
        sample.x,
        kind="generated",
        alt=f"G(z) of {sample.words}",
        caption=f"G(z), {sample.words}",
        scale=LARGE_SCALE,
        smooth=chosen.smooth,
    )
    if logits is not None:
        charts.needle([("D(G(z), z)", logits[0])])
    with st.container(horizontal=True):
        state.link(state.RECONSTRUCT, "Reconstruct it", "Send this image through E and back through G", source=source)
        state.link(state.EDIT, "Edit it", "Change the numbers of this latent", a=source)
        state.link(state.INTERPOLATE, "Walk from here", "Walk from this latent to another one", a=source)
        state.link(state.MAP, "On the map", "Where this image lands among the real ones", source=source)
        st.button(
            "Keep as a favourite",
            icon=":material/star:",
            key="favourite",
            on_click=favourites.keep,
            args=(chosen.name, str(source)),
            disabled=source in favourites.kept(chosen.name),
            help="Favourites last as long as this session; “Favourites” below shows and exports them.",
        )
    charts.latent_bars(sample.z, chosen.config.prior, key="bars")
    neighbours.show(chosen, sample.x)


page.show(
    draw,
    title="Sample",
    sentence="Numbers drawn at random from the prior, and what the generator G makes of them. No image here is real.",
    lit=("z", "G", "x_hat", "generator pair"),
    why=WHY,
)
