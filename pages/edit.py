"""Edit: one latent under one's hands, along directions that mean something and number by number."""

from bigan.ui import editing, ends, page, state
from bigan.ui.loaders import OpenCheckpoint

WHY = r"""
**What a number of $z$ does** differs from place to place. The sliders are ordered by $\lVert \partial G / \partial z_i
\rVert$ at the start: how far the image moves, over all its pixels, for a small step of that number alone. These are the
norms of the columns of the Jacobian of $G$, by differentiation. A small norm does not mean that the number does
nothing anywhere: far from here, or together with others, it may.

**A direction** moves all numbers at once, $z' = z + s\,\sigma v$ with $\lVert v \rVert = 1$. It leads from one mean of
$E(x)$ over the gallery to another, or is one of the principal components, the directions in which the gallery's $E(x)$
varies most (Härkönen et al. 2020, *GANSpace*, section 2.1, with $E(x)$ in place of a generator's activations). Nobody
trained a direction, and $E$ and $G$ never saw a label: they are read off afterwards. That they work for images that
they were not read from is what makes them worth looking at.

**Strength in standard deviations.** $\sigma$ is the standard deviation of the gallery's $E(x)$ along $v$. So 1 is a
usual difference between two images whatever the direction, and 3 is as far as hardly any image lies from the mean.

**Leaving the prior.** $G$ was only ever asked for images of $z$ drawn from $p_Z$, and $D$ never judged any other: what
it makes outside is a guess that nothing in training held to account. "Inside the prior" brings every number that leaves
it back to its end; the move is then no longer straight.

Donahue et al. 2017, section 3 ($G$ and $E$ as inverses: a way in $E$'s space is a way in $G$'s).
"""


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    start = ends.resolve(chosen, editing.START, {editing.START: state.kept(editing.START, "")})
    ends.show(chosen, start, {editing.START: "where to start"})
    editing.show(chosen, start[editing.START])


page.show(
    draw,
    title="Edit",
    sentence="What does each of these numbers do? Change them, alone or along a direction, and see what G makes of it.",
    lit=("z", "G", "x_hat"),
    why=WHY,
)
