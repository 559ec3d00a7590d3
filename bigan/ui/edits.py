"""What is done to a latent on the Edit page: which direction, how far, and which of its components by hand.

Shapes: Z latent components.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior
from bigan.explore.directions import (
    Direction,
    class_directions,
    move,
    principal_directions,
    selection_direction,
)
from bigan.latent import prior_limit
from bigan.ui import selections
from bigan.ui.loaders import OpenCheckpoint

NUM_PRINCIPAL = 8
MAX_CHANGES = 64  # components changed by hand
_CHANGE = re.compile(r"(\d{1,4})~(-?\d{1,2}(?:\.\d{1,2})?)")


@dataclass(frozen=True)
class Edit:
    """Changes to a latent: components set by hand, then a way along a direction."""

    changes: Mapping[int, float]
    """Component -> its new value."""
    direction: Direction | None
    strength_sd: float
    inside: bool
    """Whether what leaves the prior is brought back to its end."""

    def of(self, z: Float[Tensor, " Z"], prior: Prior, strength_sd: float | None = None) -> Float[Tensor, " Z"]:
        """The latent with the changes; another strength than the edit's where one is given."""
        changed = z.clone()
        for component, value in self.changes.items():
            changed[component] = value
        if self.direction is not None:
            strength = self.strength_sd if strength_sd is None else strength_sd
            return move(changed, self.direction, strength, prior, self.inside)
        limit = prior_limit(prior)
        return changed.clamp(-limit, limit) if self.inside else changed


def directions(chosen: OpenCheckpoint) -> dict[str, Direction]:
    """All named directions of a checkpoint's gallery, with that between the selections A and B where both are kept."""
    index = chosen.index
    if index is None:
        return {}
    number = min(NUM_PRINCIPAL, chosen.config.latent_dim)
    found = [*class_directions(index), *principal_directions(index, number)]
    kept = selections.kept(chosen.name)
    if len(kept) == len(selections.NAMES):
        found.insert(0, selection_direction(index, kept["A"], kept["B"]))
    return {direction.name: direction for direction in found}


def to_text(changes: Mapping[int, float]) -> str:
    """Changes as they stand in a link: "12~0.5_33~-0.25", components counted from 1."""
    return "_".join(f"{component + 1}~{value:.2f}" for component, value in sorted(changes.items()))


def from_text(text: str, latent_dim: int) -> dict[int, float]:
    """The changes that a link names; what is no change, or of a component that there is not, is left out."""
    found = (_CHANGE.fullmatch(word) for word in text.split("_")[:MAX_CHANGES])
    return {int(match[1]) - 1: float(match[2]) for match in found if match and 1 <= int(match[1]) <= latent_dim}


def ends_of(z: Float[Tensor, " Z"], components: list[int], prior: Prior) -> Float[Tensor, "K Z"]:
    """The latent with each component in turn at an end of the prior: first all at the low one, then at the high one."""
    limit, rows = prior_limit(prior), []
    for end in (-limit, limit):
        for component in components:
            changed = z.clone()
            changed[component] = end
            rows.append(changed)
    return torch.stack(rows)
