"""Lesson 1: what D sees.

Shapes: N pairs.
"""

import math

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan import data
from bigan.explore.gallery import DIGIT_SHEET
from bigan.explore.pairs import PairTable, pair_table
from bigan.explore.survey import Opinions, opinions, some_rows
from bigan.ui import charts, state
from bigan.ui.lessons import drawings
from bigan.ui.lessons.lesson import Lesson, Screen, answer, predict
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import default_source, resolve_source

NUM_IMAGES, SEED = 1000, 0
FEW, MANY = 0.4, 0.8  # shares between the options of predictions
MOST = 0.6
MOVES = (
    "D reads the numbers beside the picture: a real picture with numbers that do not belong to it betrays that E and "
    "G do not treat them as a pair.",
    "This D hardly compares a picture with its numbers, so E can learn little from it now.",
    "D does read the numbers, or nothing would move; but it moves the other way than one might think. E was trained "
    "to pull the needle to the *left* for (x, E(x)), so that its pairs pass for the generator's. E(x) does that for "
    "its own picture; the numbers of another picture were not chosen to.",
)
LOG_2 = math.log(2)

WHY = r"""
$D$ gives the probability that a pair is an encoder pair, and plays
$$\max_D\; V(D, E, G) = \mathbb{E}_{x \sim p_X}\left[\log D(x, E(x))\right]
+ \mathbb{E}_{z \sim p_Z}\left[\log\left(1 - D(G(z), z)\right)\right]$$
(equation 3; the needle stands at $D$, and $\operatorname{logit} D$ is the number beside it). For fixed $E$ and $G$ the
best $D$ is $D^*(x, z) = p_{EX}(x, z) / \left(p_{EX}(x, z) + p_{GZ}(x, z)\right)$ where there are densities
(Proposition 1), and then $V = 2\,\mathrm{JSD}(P_{EX}, P_{GZ}) - \log 4$ (Proposition 2). It is least where
$P_{EX} = P_{GZ}$, and there $D^* = 1/2$ (Theorem 1).

**A bound.** $V(D) \le V(D^*)$ for any fixed $D$, so $\mathrm{JSD} \ge \log 2 - \ell$, where $\ell = -V(D)/2$ is $D$'s
mean cross-entropy. A $D$ that overfits makes the bound on fresh images weak, not wrong: it is estimated here from
1,000 pairs of each kind, of the gallery's images, which are not in the training as they are.

**Eval mode.** $D$ is asked with batch-norm averages kept from the training, one pair at a time. In training it judged
batches of one kind, with that batch's own statistics; the losses in a training log are of that other $D$.

Donahue et al. 2017, sections 3, 3.1 and 3.4.
"""


def _table(chosen: OpenCheckpoint, seed: int) -> PairTable:
    x = resolve_source(default_source(chosen, seed), chosen).x
    return pair_table(chosen.model, x, seed)


def _survey(chosen: OpenCheckpoint) -> Opinions:
    gallery = chosen.gallery
    assert gallery is not None
    rows = some_rows(len(gallery), NUM_IMAGES, SEED)
    return drawings.once(chosen, ("opinions",), lambda: opinions(chosen.model, gallery.images[rows], SEED))


def _taken(logits: Float[Tensor, " N"]) -> float:
    """The share that D takes for encoder pairs."""
    return (logits > 0).float().mean().item()


def pairs(chosen: OpenCheckpoint) -> bool:
    """Two kinds of pair, and D's needle on one of each."""
    st.markdown(
        "D never sees a picture alone. It sees a **pair**: a picture and a row of numbers. There are two kinds. An "
        "*encoder pair* is a real picture x with the numbers E(x) that the encoder read from it. A *generator pair* "
        "is the other way round: numbers z drawn at random, with the picture G(z) that the generator made of them. "
        "D's only task is to say which kind it is shown; E and G try to make that impossible."
    )
    seed = drawings.seed("Seed of the pairs", "Chooses the real picture, and draws z.")
    table = _table(chosen, seed)
    first, second = table.encoder_pair, table.generator_pair
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True):
        drawings.pair(chosen, "A real x, with E(x)", first.image, first.latent, "real")
    with right, st.container(border=True):
        drawings.pair(chosen, "A random z, with G(z)", second.image, second.latent, "generated")
    options = ["Both", "Only the left one", "Only the right one", "Neither"]
    guess = predict(chosen, f"kinds-{seed}", "Which of these two does D take for an encoder pair?", options)
    if guess is None:
        return False
    taken = first.logit > 0, second.logit > 0
    right_one = {(True, True): 0, (True, False): 1, (False, True): 2, (False, False): 3}[taken]
    num_right = taken[0] + (not taken[1])
    answer(guess, options[right_one], f"D is right about {num_right} of the two.")
    charts.needle([(f"D{pair.name}", pair.logit) for pair in (first, second)])
    st.caption("The needle stands where D's answer is: on the right it says encoder pair, on the left generator pair.")
    return True


def strangers(chosen: OpenCheckpoint) -> bool:
    """The same picture with numbers that are not its own."""
    st.markdown(
        "Now a pair that the training never made: a real picture with numbers that **belong to another picture**. If "
        "D looked only at the picture, swapping the numbers would not move its needle."
    )
    found = _survey(chosen)
    num = len(found.encoder_pairs)
    options = [
        "For most it moves left, towards “generator pair”",
        "For most it hardly matters which way: D judges the picture alone",
        "For most it moves right, towards “encoder pair”",
    ]
    question = (
        f"For {num:,} pictures of the gallery, E(x) is swapped for E of another picture. What does D's needle do?"
    )
    guess = predict(chosen, "strangers", question, options)
    if guess is None:
        return False
    left = (found.strange_pairs < found.encoder_pairs).float().mean().item()
    right = (found.strange_pairs > found.encoder_pairs).float().mean().item()
    place = 0 if left > MOST else 2 if right > MOST else 1
    answer(guess, options[place], f"It moves left for {100 * left:.0f} % of them and right for {100 * right:.0f} %.")
    st.markdown(MOVES[place])
    seed = drawings.seed("Seed of the example", "Chooses the real picture and the random z.")
    table = _table(chosen, seed)
    columns = st.columns(2, gap="medium")
    for column, pair, title in zip(
        columns, (table.encoder_pair, table.random_pair), ("x with its own E(x)", "x with a random z"), strict=True
    ):  # fmt: skip
        with column, st.container(border=True):
            drawings.pair(chosen, title, pair.image, pair.latent, "real")
            charts.needle([(f"D{pair.name}", pair.logit)])
    st.caption(
        "One example; the random z is drawn from the prior. No loss contains such a pair: what D says of it, it infers."
    )
    return True


def by_heart(chosen: OpenCheckpoint) -> bool:
    """How often D is right, on images that it was and was not trained on."""
    gallery = chosen.gallery
    assert gallery is not None
    found, plural = _survey(chosen), chosen.info.noun_plural
    st.markdown(
        state.as_text(
            f"In training, D was shown the same real {plural} again and again. Here are other pictures: "
            f"{len(found.encoder_pairs):,} of this checkpoint's gallery ({gallery.source}). Does D recognise their "
            "encoder pairs as well?"
        )
    )
    options = ["More than 80 %", "Between 40 and 80 %", "Fewer than 40 %"]
    guess = predict(chosen, "by-heart", "Of how many of them does D say “encoder pair”, which would be right?", options)
    if guess is None:
        return False
    taken, fooled = _taken(found.encoder_pairs), _taken(found.generator_pairs)
    values = {"Pairs (x, E(x)) of the gallery": taken, "Pairs (G(z), z), where it would be wrong": fooled}
    trained = drawings.once(chosen, ("trained",), lambda: _trained(chosen))
    right = options[0 if taken > MANY else 1 if taken >= FEW else 2]
    answer(
        guess, right, f"D takes {100 * taken:.0f} % of them for encoder pairs, and {100 * fooled:.0f} % of G's pairs."
    )
    drawings.shares(trained | values, "opinion", axis="taken for encoder pairs, %", key="taken")
    nature = (
        "They are training images made smaller and enlarged again: what D misses in them is their exact look, not "
        f"which {plural} they show."
        if gallery.source == DIGIT_SHEET
        else "Where that is another source than the training's, its pictures are not only new to D, they also look a "
        "little different."
    )
    st.caption(state.as_text(f"Gallery: {gallery.source}. {nature}"))
    if trained:
        own, fresh = trained.values()
        st.markdown(
            state.as_text(
                f"Of pairs of its own training images D takes {100 * own:.0f} %, of fresh images from the same source "
                f"{100 * fresh:.0f} %. "
                + (
                    "The difference is what D knows by heart: it has learnt those images, not only the kind of "
                    "image. So its success in training says less of E and G than it seems to."
                    if own - fresh > 0.1 else "It hardly matters whether D was trained on an image."
                )
            )
        )  # fmt: skip
    else:
        st.caption(
            "Whether D does better on the very images it was trained on can be seen where they are: this machine has "
            "not got them, and the shipped galleries hold none of them as they were. `python -m bigan evaluate --help` "
            "says how a data set is fetched."
        )
    return True


def _trained(chosen: OpenCheckpoint) -> dict[str, float]:
    """The share of encoder pairs recognised among training and test images, where the data set lies on this machine."""
    name = chosen.config.dataset
    if name not in data.DATASETS:
        return {}
    try:
        # the first five sixths: trained on whether or not the rest was held out
        parts = [data.load_protocol(name, "validation")[0], data.load(name, "test")]
    except data.DataError:
        return {}
    words = "Pairs (x, E(x)) of the training images", "Pairs (x, E(x)) of the test images"
    rows = [some_rows(len(part), NUM_IMAGES, SEED) for part in parts]
    return {
        word: _taken(opinions(chosen.model, part.images[some], SEED).encoder_pairs)
        for word, part, some in zip(words, parts, rows, strict=True)
    }


def undecided(chosen: OpenCheckpoint) -> bool:
    """What D's success says of E and G."""
    found = _survey(chosen)
    st.markdown(
        "D is a means, not an end. Whatever it can still find to tell the two kinds of pair apart is something that "
        "E and G have got wrong."
    )
    options = [
        "“Encoder pair” every time",
        "The needle in the middle: undecided every time",
        "The right answer every time",
    ]
    guess = predict(chosen, "undecided", "If E and G were perfect, what would the best possible D say?", options)
    if guess is None:
        return False
    answer(guess, options[1], "Both kinds of pair would be equally likely, so no answer is better than a coin's.")
    st.markdown(
        f"This D's loss on {len(found.encoder_pairs):,} pairs of each kind, with the gallery's images, is "
        f"{found.loss:.2f}; undecided would be log 2 = {LOG_2:.2f}, and 0 is always "
        "right. "
        + (
            f"So the two kinds of pair differ by at least {found.divergence_bound:.2f} on a scale on which 0 means "
            f"the same and {LOG_2:.2f} nothing in common (the Jensen-Shannon divergence): E and G are not at the "
            "optimum."
            if found.divergence_bound > 0 else
            "A coin would do as well or better: on these pairs this D is often sure and wrong, so its loss proves "
            "nothing about how far E and G are from the optimum."
        )
    )  # fmt: skip
    logits = {
        "(x, E(x))": found.encoder_pairs,
        "(x, E of another)": found.strange_pairs,
        "(G(z), z)": found.generator_pairs,
    }
    st.caption("D's middle answer (median) on each kind of pair:")
    charts.needle([(f"D{name}", values.median().item()) for name, values in logits.items()])
    return True


LESSON = Lesson(
    name="what-d-sees",
    short="What D sees",
    title="What D sees",
    screens=(
        Screen("Two kinds of pair", pairs),
        Screen("The same picture, another's numbers", strangers),
        Screen("Learnt by heart?", by_heart),
        Screen("When D knows nothing", undecided),
    ),
    why=WHY,
    terms=("logit",),
    needs=("generate", "encode", "score"),
    needs_gallery=True,
)
