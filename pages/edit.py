"""Edit: one latent under one's hands, along directions that mean something and component by component."""

from bigan.ui import editing, ends, page, state
from bigan.ui.loaders import OpenCheckpoint

START = "a"

WHY = r"""
**What a number of $z$ does** differs from place to place. The sliders are ordered by $\lVert \partial G / \partial z_i
\rVert$ *here*: how much the image changes, over all its pixels, for a small step of that number alone. These are the
norms of the columns of the Jacobian of $G$, by differentiation.

**A direction** leads from one mean of $E(x)$ to another: from the rest of the gallery to a class, or between two
selections kept on the Map; the principal components are the directions in which the gallery's $E(x)$ varies most. No
direction was trained: they are read off the labels and the gallery afterwards.

**Strength** is counted in standard deviations of the gallery's $E(x)$ along the direction, so that 1 is a usual
difference between two images and 4 is far.

**The prior.** $G$ has never been asked for a $z$ outside it, so what it makes there was never judged by $D$.
"Inside the prior" brings every number that leaves it back to its end.

Donahue et al. 2017, section 3 ($G$ and $E$ as inverses: a way in $E$'s space is a way in $G$'s).
"""


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    start = ends.resolve(chosen, START, {START: state.kept(START, "")})
    ends.show(chosen, start, {START: "where to start"})
    editing.show(chosen, start[START].z[0].clone())


page.show(
    draw,
    title="Edit",
    sentence="What does each of these numbers do? Change them, alone or along a direction, and see what G makes of it.",
    lit=("z", "G", "x_hat"),
    why=WHY,
)
