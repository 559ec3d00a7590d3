"""Rivals: one image through every model of its size, and samples of the same seed from each."""

import random

import streamlit as st

from bigan.config import MAX_SEED
from bigan.explore.comparison import Drawing, Reading
from bigan.explore.familiarity import LIMIT_QUANTILE
from bigan.explore.gallery import DIGIT_SHEET
from bigan.ui import (
    address,
    charts,
    comparison_files,
    comparison_words,
    comparisons,
    lanes,
    page,
    picker,
    state,
    ways_in,
)
from bigan.ui.comparisons import Company
from bigan.ui.loaders import MAX_MODELS, OpenCheckpoint
from bigan.ui.sources import GalleryImage, Resolved

DEFAULT_POSITION = 4
SCALE = 5
NUM_SAMPLES = 16
MODELS, NONE_CHOSEN = "models", "models-none-chosen"
ITSELF = " The image is one of them, and so the first of its own neighbours."
NEARLY_SEEN = (
    " They are copies of training digits, made smaller and enlarged again: the models have seen nearly the same. A "
    "digit that you draw is new to all of them."
)

WHY = r"""
**Why the autoencoder wins in pixels.** An autoencoder is trained on exactly what is measured here,
$\lVert x - G(E(x)) \rVert$ or its $\ell_1$ cousin, and on nothing else. The paper's BiGAN never sees $x$ beside
$G(E(x))$; it only learns that the pairs $(x, E(x))$ and $(G(z), z)$ should look alike to $D$. What its reconstruction
keeps is what helps to make a convincing image: the kind of thing and its style, less the exact stroke. An extended
BiGAN with a cycle term is trained on both.

**What it loses.** Nothing asks an autoencoder that $E(x)$ fill the prior, so a $z$ drawn from the prior lies where its
$G$ has never been, and the sample need not be like anything real. Counted as *like nothing in the gallery* is a sample
that is farther from every image of the gallery, sharp and blurred, than nearly all of its own are from their nearest.
That is a mild test: a fragment of a few strokes may pass it and be no digit all the same. Trust your eye first.

**E(G(z)) against z.** Each dot is one number of a $z$, and what $E$ finds of it in $G(z)$. A *latent regressor* is
trained on exactly this, on images that its $G$ made; a BiGAN comes to it only as far as the game leads. Nothing asks an
autoencoder for it; where it does well all the same, it is on samples that look like nothing, which need only differ.

**The latent regressor** (LR) learns $E$ beside a GAN, the joint one (JLR) lets $G$ help it. A GAN alone has no $E$: its
discriminator's last hidden layer gives the features that the paper calls $D$. How well each one's features classify
stands on the Benchmarks page.

Donahue et al. 2017, sections 4.1 and 4.2, Table 1.
"""


@page.part
def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    company = comparisons.company(chosen)
    source, asked = state.kept("source", ""), state.kept(MODELS, "")
    members = _members(company, asked)
    reader = company.reader
    resolved: Resolved | None = None
    found: tuple[Reading, ...] = ()
    if reader is None:
        st.markdown("An image needs a model here that has an encoder, a generator and a gallery to compare with.")
    else:
        resolved, found = _images(reader, members, source)
    place = st.columns(2)[0]
    if len(members) < 2:
        st.markdown(
            "There is no other model of this image size here yet. `python -m bigan train mnist-ae-l2` trains one of "
            "the paper's rivals, `python -m bigan reproduce table1` all of them."
        )
    st.header("What each draws from the same seed", anchor=False)
    drawn, seed = _samples(reader, members)
    names = ",".join(one.name for one in members)
    recipe = comparison_files.recipe(
        chosen, reader, members, resolved, drawn, state.RIVALS, **{MODELS: names, "seed": seed}
    )
    if recipe is not None:
        comparison_files.samples(recipe, members, drawn, seed, lanes.SAMPLE_COLUMNS)
        if reader is not None and resolved is not None:
            with place:
                comparison_files.reconstructions(recipe, members, reader, resolved, found)
    with st.container(horizontal=True):
        state.link(state.BENCHMARKS, "How well their features classify", "The paper's Table 1, measured")
        state.link(state.COMPARE, "Two of them closely", "Two models side by side, with numbers and maps")


def _members(company: Company, asked: str) -> tuple[OpenCheckpoint, ...]:
    """The models to show, as the address has them; those of the chosen data set unless it names any."""
    known = {one.name: one for one in company.members}
    same = [one.name for one in company.members if one.config.dataset == company.members[0].config.dataset]
    default = (same if len(same) > 1 else list(known))[:MAX_MODELS]
    names = [name for name in dict.fromkeys(asked.split(",")) if name in known][:MAX_MODELS] or default
    if asked and not set(asked.split(",")) <= known.keys():
        address.note(MODELS, asked, ", ".join(names))
    widget = f"{MODELS}-chosen"
    st.session_state[widget] = names
    st.multiselect(
        "Models",
        list(known),
        key=widget,
        max_selections=MAX_MODELS,
        on_change=lambda: _choose(st.session_state[widget]),
        help=f"Any {MAX_MODELS} of the checkpoints with images of {comparisons.size(company.members[0])}. Where none "
        "is chosen, those of the sidebar's data set are shown.",
    )
    if st.session_state.pop(NONE_CHOSEN, False):
        st.caption("With none chosen there is nothing to see, so those of the sidebar's data set are shown.")
    for sentence in company.strangers.values():
        st.caption(state.as_text(f"Not among them: {sentence}"))
    return tuple(known[name] for name in names)


def _choose(names: list[str]) -> None:
    """Keep the choice; none at all is no view, which is said once."""
    state.keep(MODELS, ",".join(names))
    st.session_state[NONE_CHOSEN] = not names


def _images(
    reader: OpenCheckpoint, members: tuple[OpenCheckpoint, ...], source: str
) -> tuple[Resolved, tuple[Reading, ...]]:
    """One image through every model, and what each makes of it."""
    st.header("The same image", anchor=False)
    resolved = picker.named(reader, source, DEFAULT_POSITION)
    ways_in.show(
        reader,
        "source",
        resolved.source,
        lambda: picker.another(reader, "source", resolved.source, "Another one at random"),
    )
    found = comparisons.readings(members, reader, resolved.x)
    best = comparison_words.nearest(found)
    page.finding(comparison_words.verdict(members, found))
    comparisons.warn(members, resolved.x)
    lanes.show(
        [lanes.original(resolved, reader, SCALE)]
        + [
            lanes.reconstruction(one, reader, reading, SCALE, is_best=i == best)
            for i, (one, reading) in enumerate(zip(members, found, strict=True))
        ]
    )
    charts.table_twin(lambda: lanes.table(members, reader, found), "All readings as a table")
    st.caption(
        f"All are measured against the {reader.info.noun_plural} of {reader.name}'s gallery: the ratio is the distance "
        "to x over the mean distance to a random one of them. 0 is exact, 1 no better than chance."
        + (ITSELF if isinstance(resolved.source, GalleryImage) else "")
        + (NEARLY_SEEN if reader.gallery is not None and reader.gallery.source == DIGIT_SHEET else "")
    )
    return resolved, found


def _roll() -> None:
    st.session_state["seed"] = random.SystemRandom().randint(0, 9999)


def _samples(reader: OpenCheckpoint | None, members: tuple[OpenCheckpoint, ...]) -> tuple[tuple[Drawing, ...], int]:
    """What each draws, and how well its E finds z again; with the seed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = int(st.number_input("Seed", 0, MAX_SEED, step=1, key="seed", bind="query-params", width=150))
        st.button("Roll", icon=":material/casino:", on_click=_roll, key="dice", help="Another seed at random")
    drawn = comparisons.drawings(members, NUM_SAMPLES, seed)
    foreign = comparisons.foreign_counts(members, reader, NUM_SAMPLES, seed) if reader else (None,) * len(members)
    lanes.show([lanes.samples(*lane) for lane in zip(members, (reader or one for one in members), drawn, foreign,
                                                     strict=True)])  # fmt: skip
    st.caption(
        "Models of one prior and as many numbers are given the same z. Each teal dot is one number of z, to the right, "
        "and what E finds of it in G(z), upwards: on the dotted diagonal it is found again exactly. Of the gallery's "
        f"own images, {100 * (1 - LIMIT_QUANTILE):.0f} % count as like nothing else in it."
    )
    return drawn, seed


page.show(
    draw,
    title="Rivals",
    sentence="One image through all models that know its kind, and what each draws by itself: to win in pixels and to "
    "draw well are different games.",
    lit=("x", "E", "z", "G", "x_hat"),
    why=WHY,
)
