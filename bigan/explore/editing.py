"""A latent edited by hand: some of its numbers set, then all moved along a direction that has a short name.

component-K     the K-th principal direction of the gallery's E(x), from 1
class-K         from the mean E(x) of all the other classes to that of the class with label K
class-J-K       from the mean E(x) of the class with label J to that of the class with label K
selections      from the mean E(x) of selection A to that of selection B

Shapes: Z latent components.
"""

import re
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior
from bigan.explore.directions import (
    Direction,
    class_direction,
    move,
    principal_directions,
    selection_direction,
)
from bigan.explore.reconstruction import GalleryIndex
from bigan.latent import prior_limit
from bigan.sources import BETWEEN_SELECTIONS


def find_direction(name: str, index: GalleryIndex, ids_a: Sequence[str] = (), ids_b: Sequence[str] = ()) -> Direction:
    """The direction with a short name.

    Args:
        name: as above.
        index: of the gallery.
        ids_a: selection A, which only "selections" needs.
        ids_b: selection B.

    Raises:
        ValueError: no direction has that name, or there is none between what it names.
    """
    if name == BETWEEN_SELECTIONS:
        return selection_direction(index, ids_a, ids_b)
    if match := re.fullmatch(r"component-(\d{1,4})", name, re.ASCII):
        return principal_directions(index, int(match[1]))[-1]
    if match := re.fullmatch(r"class-(?:(\d{1,4})-)?(\d{1,4})", name, re.ASCII):
        return class_direction(index, int(match[2]), None if match[1] is None else int(match[1]))
    raise ValueError(
        f"{name[:40]!r} is no direction; it must read component-K, class-K, class-J-K or {BETWEEN_SELECTIONS}."
    )


def edited(
    z: Float[Tensor, " Z"],
    changes: Mapping[int, float],
    direction: Direction | None,
    strength_sd: float,
    prior: Prior,
    inside: bool,
) -> Float[Tensor, " Z"]:
    """A latent with some of its numbers set, then moved.

    Args:
        z: where the edit starts.
        changes: component, from 0 -> its new value.
        direction: where it goes, if anywhere.
        strength_sd: how far, in the direction's standard deviations.
        prior: pZ.
        inside: bring every component that ends up outside the prior to its end.

    Raises:
        ValueError: a component that the latent does not have, a direction of another size, or a strength that is not
            finite.
    """
    if absent := [i for i in changes if not 0 <= i < len(z)]:
        raise ValueError(f"Number {absent[0] + 1} is to be changed; this model's latent has numbers 1 to {len(z)}.")
    here = z.clone()  # (Z,)
    for i, value in changes.items():
        here[i] = value
    if direction is not None:
        return move(here, direction, strength_sd, prior, clamp=inside)
    limit = prior_limit(prior)
    return here.clamp(-limit, limit) if inside else here
