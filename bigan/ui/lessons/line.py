"""Lesson 4: why a straight line leaves the prior.

Shapes: N latents, Z latent components.
"""

import math

import streamlit as st
import torch

from bigan import latent
from bigan.explore.interpolation import Walk
from bigan.latent import typical_norm, usual_norms
from bigan.ui import charts, state, walks
from bigan.ui.lessons import drawings
from bigan.ui.lessons.lesson import Lesson, Screen, answer, predict
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Sample

NUM_DRAWS, NUM_BINS, NUM_STEPS = 1000, 40, 13
MIDDLE = NUM_STEPS // 2
ENOUGH = 0.15  # of the longer one: lengths that differ by less count as the same

WHY = r"""
**How long a draw is.** For $z \sim \mathcal{N}(0, I_Z)$ the length $\lVert z \rVert$ follows the chi distribution
with $Z$
degrees of freedom: mean close to $\sqrt{Z - 1/2}$, standard deviation close to $1/\sqrt{2}$ whatever $Z$ is. For the
paper's
prior $U(-1, 1)^Z$ each $z_i^2$ has mean $1/3$ and variance $4/45$, so $\lVert z \rVert^2$ has mean $Z/3$ and variance
$4Z/45$, and for large $Z$ the length is close to $\sqrt{Z/3}$ with standard deviation close to $1/\sqrt{15}$. Either
way
nearly all probability lies in a thin shell: the spread stays, while the length grows with $\sqrt{Z}$.

**The middle of a line.** For independent $a, b$ with mean 0,
$\mathbb{E}\lVert (a + b)/2 \rVert^2 = \tfrac14\left(\mathbb{E}\lVert a \rVert^2 + \mathbb{E}\lVert b \rVert^2\right) =
\tfrac12\,\mathbb{E}\lVert a \rVert^2$: shorter by $\sqrt{1/2} \approx 0.71$. Every single number is inside the
prior's range; it is the
whole that is untypical. Such a $z$ is no impossible draw, only one that $G$ practically never met in training.

**The great arc (slerp)** $\frac{\sin((1-t)\omega)}{\sin\omega} a + \frac{\sin(t\omega)}{\sin\omega} b$ keeps the
length of
equally long ends (White 2016, *Sampling Generative Networks*, section 2.1). For a normal prior that is a typical way.
A uniform prior
is a cube and no sphere: the arc bulges through its faces. **The path within the prior** maps every number to a normal
one,
$g = \Phi^{-1}\!\left(\tfrac{1+z}{2}\right)$, takes the arc there, and maps back; if the ends are independent draws,
each point of
that way is close to a draw.

The prior $U(-1, 1)^{50}$ on MNIST: Donahue et al. 2017, section 4.2.
"""


def _ends(chosen: OpenCheckpoint, seed: int) -> tuple[walks.Latent, walks.Latent]:
    a, b = chosen.model.sample_latents(2, seed).split(1)
    return a, b


def _walks(chosen: OpenCheckpoint, seed: int) -> dict[str, Walk]:
    return walks.compare(chosen, *_ends(chosen, seed), NUM_STEPS)


def shell(chosen: OpenCheckpoint) -> bool:
    """How long draws are."""
    prior, num = chosen.config.prior, chosen.config.latent_dim
    range_ = (
        f"between {charts.MINUS}1 and 1, each value as likely as another" if prior == "uniform" else "from a bell curve"
    )
    longest = math.sqrt(num) * charts.PRIOR_LIMIT[prior]
    st.markdown(
        f"G was trained on latents drawn at random: {num} numbers, {range_}. Take the {num} numbers as the "
        "coordinates of a point; its **length** is its distance from the centre, the square root of the sum of the "
        "squares. It could be "
        f"anything from 0 to {longest:.1f}" + ("." if prior == "uniform" else " and beyond.")
    )
    typical = typical_norm(prior, num)
    options = [
        "Short: most are near 0",
        f"Nearly all about equally long, near {typical:.1f}",
        "Spread evenly over all lengths",
    ]
    guess = predict(chosen, "shell", f"{NUM_DRAWS:,} latents are drawn. How long are they?", options)
    if guess is None:
        return False
    norms = latent.sample(prior, (NUM_DRAWS, num), seed=0).norm(dim=1)  # (N,)
    low, high = norms.quantile(torch.tensor([0.025, 0.975])).tolist()
    answer(guess, options[1], f"Of the draws, 19 of 20 are between {low:.1f} and {high:.1f} long.")
    drawings.histogram(
        norms, (0.0, longest if prior == "uniform" else 2 * typical), NUM_BINS, "latent",
        axis="length of z", key="norms",
    )  # fmt: skip
    st.caption(
        f"With {num} numbers, large and small ones nearly always balance. So draws come from a thin shell around the "
        "centre, and G has hardly ever seen anything else."
    )
    return True


def halfway(chosen: OpenCheckpoint) -> bool:
    """The middle of a straight line."""
    st.markdown(
        "Draw two latents and walk from one to the other on a straight line, mixing them number by number. Halfway, "
        "each number is the mean of the two."
    )
    seed = drawings.seed("Seed of the two ends", "Draws two latents.")
    prior, num = chosen.config.prior, chosen.config.latent_dim
    (a, b), found = _ends(chosen, seed), _walks(chosen, seed)
    lengths = a.norm().item(), b.norm().item()
    options = ["Longer than both", "About as long as they are", "Clearly shorter"]
    guess = predict(
        chosen,
        f"halfway-{seed}",
        f"The ends are {lengths[0]:.1f} and {lengths[1]:.1f} long. How long is the latent halfway?",
        options,
    )
    if guess is None:
        return False
    line = found[walks.PATH_NAMES["line"]]
    middle, shorter = line.latents[MIDDLE].norm().item(), min(lengths)
    right = options[0 if middle > max(lengths) else 2 if middle < (1 - ENOUGH) * shorter else 1]
    low, high = usual_norms(prior, num)
    place = "shorter than nearly every draw" if middle < low else "still as long as draws are"
    answer(guess, right, f"It is {middle:.1f} long: {place}.")
    drawings.lines(
        {name: made.latents.norm(dim=1).tolist() for name, made in found.items()},
        x_title="step", y_title="length of z", key="lengths", band=(low, high),
        alt=f"The length of z over {NUM_STEPS} steps on three ways; on the line it falls to {middle:.1f} in the middle",
    )  # fmt: skip
    st.caption(
        "Where one latent has a large number the other may have a small or opposite one, and their mean lies "
        "between. No single number has left the prior; the latent as a whole is one that a draw practically never "
        "gives."
    )
    return True


def arc(chosen: OpenCheckpoint) -> bool:
    """What the great arc does instead."""
    prior, num = chosen.config.prior, chosen.config.latent_dim
    st.markdown(
        "A remedy: walk along an arc about the centre, as a ship follows the curve of the earth, so that the length "
        f"changes only as the ends' lengths do. In this prior, {charts.PRIOR_WORDS[prior]} counts as inside."
    )
    seed = drawings.seed("Seed of the two ends", "Draws two latents.")
    found = _walks(chosen, seed)
    options = ["None: the arc stays inside", "Some of them", "Most of them"]
    guess = predict(
        chosen, f"arc-{seed}", f"How many of the {num} numbers leave the prior somewhere on the arc?", options
    )
    if guess is None:
        return False
    outside = {name: max(walks.num_off_prior(made)) for name, made in found.items()}
    worst = outside[walks.PATH_NAMES["slerp"]]
    right = options[0 if worst == 0 else 1 if worst <= num / 2 else 2]
    answer(guess, right, f"At its worst step, {worst} of {num} are outside.")
    drawings.shares(
        {f"{name}, worst step": count / num for name, count in outside.items()}, "off_prior",
        axis="numbers outside the prior, %", key="outside",
    )  # fmt: skip
    st.markdown(
        "The uniform prior is a cube, and an arc about its centre bulges through its sides. The way within the prior "
        "bends the cube into a bell curve first, takes the arc there, and bends back: the length stays typical and "
        "nothing leaves."
        if prior == "uniform" else
        "This model's prior is a bell curve in every number, and round: the arc is already the way within the prior, "
        "and the few numbers beyond three standard deviations are as few as in any draw."
    )  # fmt: skip
    return True


def pictures(chosen: OpenCheckpoint) -> bool:
    """What G makes of the three ways."""
    st.markdown(
        "Does it matter for the pictures? Here are the three ways between the same two latents, each in even steps "
        "of the latent. Their first and last pictures are the same."
    )
    seed = drawings.seed("Seed of the two ends", "Draws two latents.")
    found = _walks(chosen, seed)
    for name, made in found.items():
        drawings.strip(chosen, made.images, "generated", f"{name[:1].upper()}{name[1:]}")
    names = list(found)
    guess = predict(
        chosen, f"pictures-{seed}", "On which does the picture change most evenly from step to step?", names
    )
    if guess is None:
        return False
    evenest = min(names, key=lambda name: found[name].unevenness)
    numbers = ", ".join(f"{name} {100 * made.unevenness:.0f} %" for name, made in found.items())
    answer(guess, evenest, f"Steps vary by: {numbers} of their mean.")
    st.markdown(state.as_text(_opinion(found)))
    st.caption(
        "This is one pair of ends; try others before you conclude anything. A way that leaves the prior can still "
        "give good pictures: G may do well where it was never asked. What the prior promises is only that G was "
        "trained there."
    )
    state.link(
        state.INTERPOLATE, "Compare them on the Walk page", a=Sample(seed, 0), b=Sample(seed, 1), mode="Compare paths"
    )
    return True


def _opinion(found: dict[str, Walk]) -> str:
    logits = {name: made.logits for name, made in found.items() if made.logits is not None}  # all: the lesson needs D
    taken = ", ".join(f"{name} {int((of_path > 0).sum())}" for name, of_path in logits.items())
    return f"D takes for encoder pairs, of {NUM_STEPS} steps each: {taken}."


LESSON = Lesson(
    name="straight-lines",
    short="Straight lines",
    title="Why a straight line leaves the prior",
    screens=(
        Screen("How long is a latent?", shell),
        Screen("Halfway", halfway),
        Screen("Along an arc", arc),
        Screen("In pictures", pictures),
    ),
    why=WHY,
    terms=("prior",),
    needs=("generate", "score"),
)
