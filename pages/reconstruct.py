"""Reconstruct: an image through E into numbers and back through G, and how much of it survives."""

import re

import streamlit as st

from bigan.pictures import comparison, png_bytes
from bigan.sources import innermost
from bigan.ui import (
    charts,
    descent,
    difference,
    downloads,
    gallery_search,
    links,
    neighbours,
    page,
    pairings,
    picker,
    pictures,
    reports,
    rounds,
    state,
    unfamiliar,
    upload_table,
    uploads,
    ways_in,
    words,
)
from bigan.ui.downloads import File
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.ui.sources import GalleryImage, Resolved, Upload
from bigan.view_code import RECONSTRUCTION_SCALE
from bigan.view_recipe import ViewRecipe

DEFAULT_POSITION = 4
LARGE_SCALE = 9
ASK = "ask"
QUESTIONS = {"Other pairs": pairings.show, "Again and again": rounds.show, "How good could it be": descent.show}

WHY = r"""
**Nobody taught it this.** $E$ and $G$ never saw $x$ and $G(E(x))$ side by side, and no loss compares them. They only
learned that the pairs $(x, E(x))$ and $(G(z), z)$ should look alike to $D$. At the optimum of that game
$G(E(x)) = x$ (Theorem 2); short of it, what survives is what $E$ found worth telling apart: often the kind of thing and
its style, less often the exact stroke.

**The ratio** is $\lVert x - G(E(x)) \rVert$ over the mean of $\lVert x' - G(E(x)) \rVert$, where $x'$ runs through the
gallery. The authors report the same idea for whole sets as EGr / EGr_b (0.62 for their MNIST model).

**D's needles.** $D(x, E(x))$ is asked about a real image with its code, $D(G(E(x)), E(x))$ about the generator's answer
to the same code. The farther apart the needles, the better $D$ still tells the two kinds of pair apart.

**Preparation.** The model has only ever seen images made like its training data. A photograph of a digit is dark ink on
shaded paper; MNIST's digits are bright on black, 20 of 28 pixels large, centred by their mass (LeCun et al. 1998,
section III.A). What is shown as $x$ is exactly what $E$ gets.

Donahue et al. 2017, sections 3.2, 3.3 and 4.2.
"""


@page.part
def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    resolved = picker.current(chosen, "source", DEFAULT_POSITION)
    answer, way = _sources(chosen, resolved)
    recipe = _recipe(chosen, answer, way)
    _strip(chosen, answer)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _findings(chosen, answer)
    with right:
        if answer.encoder_pair_logit is not None and answer.reconstruction_pair_logit is not None:
            charts.needle(
                [("D(x, E(x))", answer.encoder_pair_logit), ("D(G(E(x)), E(x))", answer.reconstruction_pair_logit)]
            )
        _ways_on(chosen, answer, recipe)
    _questions(chosen, answer, recipe)


def _sources(chosen: OpenCheckpoint, resolved: Resolved) -> tuple[Answer, ways_in.Way]:
    """Where x comes from: the answer to the source that is shown, and the way that is open."""
    source = resolved.source
    way, mode = ways_in.show(chosen, "source", source, lambda: _shortcuts(chosen, resolved))
    answer = reports.answer(source, chosen)
    if way in ("Upload", "Camera"):
        found = uploads.answers(chosen, mode)
        if len(found) > 1 or (found and not isinstance(source, Upload)):
            st.subheader("Your pictures, best reconstructed first", anchor=False)
            upload_table.show(chosen, "source", found, uploads.unusable(chosen, "source", mode), source)
    elif way == "Gallery":
        gallery_search.results(chosen, "source", source)
    return answer, way


def _recipe(chosen: OpenCheckpoint, answer: Answer, way: ways_in.Way) -> ViewRecipe:
    """Of the view, with all that the address has."""
    settings: dict[str, object] = {"source": answer.resolved.source, ways_in.KEY: way}
    settings[ASK] = next((asked for asked in _further_down(ASK) if asked in QUESTIONS), next(iter(QUESTIONS)))
    seeds = (seed for seed in _further_down(pairings.SEED_KEY) if re.fullmatch(r"\d{1,10}", seed, re.ASCII))
    settings[pairings.SEED_KEY] = next(seeds, 0)
    if way == "Gallery":
        settings |= gallery_search.settings()
    return downloads.recipe(chosen, state.RECONSTRUCT, answer.z, [answer.resolved], **settings)


def _further_down(key: str) -> tuple[str, ...]:
    """What a widget that is not drawn yet may be about to show, the likelier first: a callback may have changed it.

    With the back button, the address overrules it.
    """
    held, told = str(st.session_state.get(key, "")), st.query_params.get(key, "")
    return (told, held) if links.is_step() else (held, told)


def _shortcuts(chosen: OpenCheckpoint, resolved: Resolved) -> None:
    picker.another(chosen, "source", resolved.source, "Another one at random")
    picker.extremes(chosen, "source", resolved.source)
    gallery_search.field(chosen)


def _questions(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    """What else one can ask of this picture, each answered when it is opened."""
    st.header("Ask more of it", anchor=False)
    for tab, show in zip(
        st.tabs(list(QUESTIONS), key=ASK, on_change="rerun", bind="query-params"), QUESTIONS.values(), strict=True
    ):
        with tab:
            if tab.open:
                show(chosen, answer, recipe)


def _strip(chosen: OpenCheckpoint, answer: Answer) -> None:
    """x, E(x), G(E(x)) and the difference, in the order of the path."""
    real = answer.resolved.kind == "real"
    columns = st.columns([1.1, 1.6, 1.1, 1.1], gap="medium")
    with columns[0]:
        x_name = "x, as E sees it" if real else "x = G(z), made by G"
        pictures.image(
            answer.resolved.x,
            kind=answer.resolved.kind,
            alt=f"{x_name}: {answer.resolved.words}",
            caption=f"{x_name}: {answer.resolved.words}",
            scale=LARGE_SCALE,
            smooth=chosen.smooth,
        )
    with columns[2]:
        pictures.image(
            answer.x_hat,
            kind="generated",
            alt="G(E(x)), the reconstruction",
            caption=f"G(E(x)): what {chosen.config.latent_dim} numbers kept of it",
            scale=LARGE_SCALE,
            smooth=chosen.smooth,
        )
    with columns[3]:
        difference.show(answer.difference, scale=LARGE_SCALE, smooth=chosen.smooth)
    with columns[1]:  # last: the pictures travel while the chart is still made
        charts.latent_bars(answer.z, chosen.config.prior, key="bars", name="E(x)")


def _findings(chosen: OpenCheckpoint, answer: Answer) -> None:
    """The report in words, and the nearest real images."""
    report, index, plural = answer.report, chosen.index, chosen.info.noun_plural
    if report is None or index is None:
        page.finding(words.distance_alone(answer.distance))
        return
    page.finding(words.closeness(report, plural))
    unfamiliar.warn(chosen, report)
    st.markdown(state.as_text(words.closeness_scale(report, index, plural)), help=explain("ratio"))
    if answer.resolved.kind == "generated":
        st.markdown(state.as_text(words.round_trip(answer.resolved.z, answer.z, chosen.config.prior)))
    neighbours.draw(chosen, report.neighbours)
    sentence = words.neighbourhood(report, index, answer.resolved.label)
    source = answer.resolved.source
    if isinstance(source, GalleryImage) and report.neighbours[0].id == source.image_id:
        sentence = f"The first is the image itself. {sentence}"
    st.caption(state.as_text(sentence))


def _ways_on(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    """Links to the other pages, and files to take home."""
    source = answer.resolved.source
    with st.container(horizontal=True):
        state.link(state.EDIT, "Edit it", "Change the numbers that E makes of this image", a=source)
        state.link(state.INTERPOLATE, "Walk from here", "Walk from this image's latent to another one", a=source)
        state.link(state.MAP, "On the map", "Where this image lands among the real ones", source=source)
    if isinstance(innermost(source), Upload):
        st.caption(
            "Your picture stays in this session: a link to it works here only, and until the page is reloaded. The "
            "PNG carries what the model sees of it: bring it here, and the view is back, for whoever has the file."
        )
    _downloads(chosen, answer, recipe)


def _downloads(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    source = answer.resolved.source

    def picture() -> bytes:
        return png_bytes(comparison(answer.resolved.x, answer.x_hat, RECONSTRUCTION_SCALE))

    def arrays() -> bytes:
        logits = [x for x in (answer.encoder_pair_logit, answer.reconstruction_pair_logit) if x is not None]
        x, z, x_hat = answer.resolved.x, answer.z, answer.x_hat
        return downloads.npz_bytes(recipe, x=x, z=z, x_hat=x_hat, logits=logits, source=str(source))

    downloads.show(
        recipe,
        downloads.file_name(chosen, source),
        [
            File("PNG", picture, "x, G(E(x)) and their difference side by side."),
            File("NPZ", arrays, "x, E(x), G(E(x)) and D's two logits as NumPy arrays."),
        ],
    )


page.show(
    draw,
    title="Reconstruct",
    sentence="An image through the encoder E into a few numbers, and from the numbers back through the generator G. "
    "What returns is what E and G both know.",
    lit=("x", "E", "z", "G", "x_hat", "D", "encoder pair"),
    why=WHY,
)
