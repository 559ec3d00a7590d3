"""Lesson 3: what a reconstruction leaves out."""

import streamlit as st

from bigan.explore.pairs import repeat
from bigan.explore.survey import Survival, survival
from bigan.kinds import BIGAN
from bigan.ui import difference, neighbours, pictures, reports, rounds, state
from bigan.ui.lessons import drawings
from bigan.ui.lessons.lesson import Lesson, Screen, answer, predict
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import default_source

NUM_IMAGES, NUM_SHOWN = 500, 12
LARGE_SCALE = 6

WHY = r"""
**What is compared.** An autoencoder descends $\lVert x - G(E(x)) \rVert$ in pixels, so it spends its numbers on
whatever
moves many pixels: exact strokes, positions, brightness. A BiGAN's losses contain only $D(x, E(x))$ and $D(G(z), z)$.
Theorem 3
writes the same game as an $\ell_0$ autoencoder,
$$C(E, G) = \mathbb{E}_x\left[\mathbf{1}_{E(x) \in \Omega_Z \,\wedge\, G(E(x)) = x}\, \log f_{EG}(x, E(x))\right]
+ \mathbb{E}_z\left[\mathbf{1}_{G(z) \in \Omega_X \,\wedge\, E(G(z)) = z}\, \log\left(1 - f_{EG}(G(z),
z)\right)\right],$$
which rewards exact returns and gives nothing for being near in pixels. Short of the optimum, what survives is what
helps
$E$ and $G$ to agree before $D$: as the authors put it, features that are semantically telling rather than every detail.

**How it was counted.** An image is "named" by the labels of the five gallery images nearest to it, itself left out,
once by
the Euclidean distance of pixels and once by that of the features of $E$'s last hidden layer. The second is $E$
judging what came from
its own code, which favours it; the first is blind to $E$. Neither is the truth, and the baseline is how often $x$
itself is
named rightly.

Donahue et al. 2017, sections 3.3, 4.2 and 4.3.
"""


def _survival(chosen: OpenCheckpoint) -> Survival:
    index = chosen.index
    assert index is not None
    rows = drawings.some(len(index.gallery), NUM_IMAGES)
    return drawings.once(chosen, ("survival",), lambda: survival(chosen.model, index, rows))


def kind(chosen: OpenCheckpoint) -> bool:
    """How often the class stays."""
    index, info = chosen.index, chosen.info
    assert index is not None
    rows = drawings.some(len(index.gallery), NUM_SHOWN)
    st.markdown(f"Above, real {info.noun_plural}. Below, what came back of each through E and G. Look at a few pairs.")
    drawings.strip(chosen, index.gallery.images[rows], "real", f"{len(rows)} real {info.noun_plural}, x")
    drawings.strip(chosen, index.reconstructions[rows], "generated", "What comes back of each, G(E(x))")
    num = min(NUM_IMAGES, len(index.gallery))
    options = ["More than 90 of 100", "60 to 90 of 100", "Fewer than 60 of 100"]
    guess = predict(
        chosen, "kind", f"Of {num} {info.noun_plural}, how many come back as the same kind of thing (a “"
        f"{index.gallery.class_names[int(index.gallery.labels[rows[0]])]}” as a "
        f"“{index.gallery.class_names[int(index.gallery.labels[rows[0]])]}”), judged by the nearest real ones in E's "
        "eyes?",
        options,
    )  # fmt: skip
    if guess is None:
        return False
    found = _survival(chosen)
    right = options[0 if found.seen_after > 0.9 else 1 if found.seen_after >= 0.6 else 2]
    answer(guess, right, f"The class stays for {100 * found.seen_after:.0f} %.")
    drawings.shares(
        {
            "x itself, in E's eyes": found.seen_before,
            "G(E(x)), in E's eyes": found.seen_after,
            "x itself, by pixels": found.pixels_before,
            "G(E(x)), by pixels": found.pixels_after,
        },
        "latent", axis="named as the class of x by the five nearest real ones, %", key="kept",
    )  # fmt: skip
    st.caption(
        "E judges what was made from its own numbers, so a second judge stands beside it, who knows only pixels. Not "
        "even x itself is always named rightly: that is the fair comparison."
    )
    return True


def pixels(chosen: OpenCheckpoint) -> bool:
    """How often the very picture stays."""
    index, plural = chosen.index, chosen.info.noun_plural
    assert index is not None
    st.markdown(
        "The kind of thing is one matter, the very picture another. Here are a real picture, what comes back of it, "
        "and the difference of the two, pixel by pixel."
    )
    seed = drawings.seed("Which picture", "Chooses a real one of the gallery.")
    shown = reports.answer(default_source(chosen, seed), chosen)
    columns = st.columns(3, gap="medium")
    with columns[0]:
        pictures.image(
            shown.resolved.x, kind="real", alt="x", caption="x", scale=LARGE_SCALE, smooth=chosen.smooth
        )  # fmt: skip
    with columns[1]:
        pictures.image(
            shown.x_hat, kind="generated", alt="G(E(x))", caption="G(E(x))", scale=LARGE_SCALE, smooth=chosen.smooth
        )  # fmt: skip
    with columns[2]:
        difference.show(shown.difference, scale=LARGE_SCALE, smooth=chosen.smooth)
    options = ["Nearly always", "In about half of the cases", "Rarely"]
    guess = predict(
        chosen, "pixels",
        f"Take G(E(x)) and look for the real picture with the most similar pixels among all {len(index.gallery):,}. "
        "How often is it x itself?", options,
    )  # fmt: skip
    if guess is None:
        return False
    share = _survival(chosen).nearest_is_itself
    right = options[0 if share > 0.8 else 1 if share > 0.3 else 2]
    answer(guess, right, f"For {100 * share:.0f} % of {min(NUM_IMAGES, len(index.gallery))} {plural}.")
    if shown.report is not None:
        st.markdown(
            "What comes back is less this picture than one of its kind. For the picture above, these are the nearest "
            "real ones in E's eyes:"
        )
        neighbours.draw(chosen, shown.report.neighbours)
        st.caption(
            f"Of the gallery, {100 * shown.report.percentile:.0f} % are farther from G(E(x)) than x is (distance "
            f"ratio {shown.report.ratio:.2f}; 0 is exact, 1 is chance)."
        )
    return True


def again(chosen: OpenCheckpoint) -> bool:
    """What remains after many rounds."""
    st.markdown(
        "A copy of a copy of a copy: send x through E and G, then send what came back, and so on, twelve times. An "
        "exact inverse would change nothing in any round."
    )
    seed = drawings.seed("Which picture", "Chooses a real one of the gallery.")
    shown = reports.answer(default_source(chosen, seed), chosen)
    pictures.image(shown.resolved.x, kind="real", alt="x", caption="x", scale=4, smooth=chosen.smooth)
    options = [
        "It settles: the last rounds change nothing to be seen",
        "It keeps moving, in small steps",
        "It keeps moving, in steps hardly smaller than the first",
    ]
    guess = predict(chosen, f"again-{seed}", "What will the picture do over twelve rounds?", options)
    if guess is None:
        return False
    found = repeat(chosen.model, shown.resolved.x)
    is_small = found.steps[-1] < found.steps[0] / 2
    right = options[0 if found.settled_at is not None else 1 if is_small else 2]
    answer(guess, right, "Here are the rounds:")
    rounds.show(chosen, shown)
    return True


def why(chosen: OpenCheckpoint) -> bool:
    """Why the pixels are lost."""
    num, pixels_ = chosen.config.latent_dim, chosen.config.num_pixels
    st.markdown(
        f"A picture has {pixels_:,} pixels; E(x) has {num} numbers. Something has to go. What decides what goes?"
    )
    options = [
        "The distance in pixels between x and G(E(x)): it was made as small as possible",
        "Only whether D can tell the two kinds of pair apart",
        "The labels: E was told which class each picture has",
    ]
    guess = predict(chosen, "why", "What did a BiGAN's training look at?", options)
    if guess is None:
        return False
    answer(guess, options[1], "No loss ever held x beside G(E(x)), and no label was used.")
    st.markdown(
        "An autoencoder is trained on the distance in pixels, and keeps whatever moves many pixels. A BiGAN's E and "
        "G are only asked to make their two kinds of pair alike. A stroke slightly to the left looks just as real to "
        "D; another class with the same numbers would give the pair away. So the kind and the style tend to survive, "
        "and the exact pixels need not."
    )
    if chosen.kind is BIGAN:
        st.caption("Whether that is so is measured, not proved: see the first screen of this lesson for this model.")
    else:
        st.caption("The model chosen here was trained in another way; compare its numbers with those of a BiGAN.")
    state.link(state.RECONSTRUCT, "Try it with a picture of your own")
    return True


LESSON = Lesson(
    name="what-is-left-out",
    short="What is left out",
    title="What a reconstruction leaves out",
    screens=(
        Screen("The kind of thing", kind),
        Screen("The very pixels", pixels),
        Screen("A copy of a copy", again),
        Screen("Why", why),
    ),
    why=WHY,
    needs=("generate", "encode"),
    needs_gallery=True,
)
