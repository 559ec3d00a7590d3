"""What the points of a map can be coloured and filtered by: one number for each gallery image.

Shapes: N gallery images, P pixels.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from bigan.config import Prior
from bigan.data import scale
from bigan.explore.projection import SPACES, local_quality
from bigan.explore.reconstruction import GalleryIndex
from bigan.latent import off_prior_share


@dataclass(frozen=True)
class MappedGallery:
    """A gallery as a model sees it, and its map by one space."""

    index: GalleryIndex
    prior: Prior
    """The model's."""
    space: str
    coordinates: Float[Tensor, "N 2"]

    def __post_init__(self) -> None:
        """Hold the two together."""
        if self.space not in SPACES:
            raise ValueError(f"space is {self.space!r}; it must be one of {', '.join(SPACES)}.")
        if len(self.coordinates) != len(self.index.gallery):
            sizes = f"{len(self.coordinates)} points for {len(self.index.gallery)} images"
            raise ValueError(f"A map needs as many points as the gallery has images; got {sizes}.")


@dataclass(frozen=True)
class Colouring:
    """Something to colour by."""

    title: str
    unit: str
    values: Callable[[MappedGallery], Float[Tensor, " N"]]
    """In the unit, one for each gallery image, in its order. All but the local quality, which takes some seconds for
    5,000 images, are there at once."""

    @property
    def words(self) -> str:
        """What the values are, with their unit."""
        return f"{self.title}, {self.unit}"


def _opinion(mapped: MappedGallery) -> Float[Tensor, " N"]:
    if mapped.index.encoder_pair_logits is None:
        raise ValueError("This model's discriminator does not judge pairs; there is no opinion to colour by.")
    return mapped.index.encoder_pair_logits


def _local_quality(mapped: MappedGallery) -> Float[Tensor, " N"]:
    index = mapped.index
    if mapped.space == "pixels":
        points = scale(index.gallery.images).flatten(1)  # (N, P)
    else:
        points = index.latents if mapped.space == "latent" else index.features
    return 100 * local_quality(points, mapped.coordinates)


COLOURINGS = {
    "error": Colouring("Reconstruction error", "pixel distance", lambda mapped: mapped.index.distances),
    "opinion": Colouring("D's opinion of (x, E(x))", "logit", _opinion),
    "off_prior": Colouring(
        "Outside the prior",
        "% of the numbers of E(x)",
        lambda mapped: 100 * off_prior_share(mapped.index.latents, mapped.prior),
    ),
    "local_quality": Colouring("Local quality of this map", "% of the true neighbours kept", _local_quality),
}


def offered(index: GalleryIndex) -> tuple[str, ...]:
    """The names of COLOURINGS that there are values of: D's opinion only where the model's D judges pairs."""
    return tuple(name for name in COLOURINGS if name != "opinion" or index.encoder_pair_logits is not None)


def colour_values(name: str, mapped: MappedGallery) -> Float[Tensor, " N"]:
    """The values of one of COLOURINGS.

    Raises:
        ValueError: no such name, one that is not `offered`, or a gallery too small for a local quality.
    """
    if name not in COLOURINGS:
        raise ValueError(f"colouring is {name!r}; it must be one of {', '.join(COLOURINGS)}.")
    return COLOURINGS[name].values(mapped)


def parse_range(text: str) -> tuple[float, float] | None:
    """The least and the greatest value that a text allows; None where it is not a range.

    Args:
        text: "3.2,5.8"; an end that is left out, as in "3.2,", is open, and so are both of an empty one.
    """
    parts = text.split(",") if text else ["", ""]
    try:
        given = [float(part) for part in parts if part]
        low, high = (float(part or end) for part, end in zip(parts, (-math.inf, math.inf), strict=True))
    except ValueError:
        return None
    return (low, high) if low <= high and all(map(math.isfinite, given)) else None


def within(values: Mapping[str, Float[Tensor, " N"]], ranges: Mapping[str, tuple[float, float]]) -> Bool[Tensor, " N"]:
    """Which gallery images lie inside all ranges, both ends included; all of them where there are no ranges.

    Args:
        values: of each colouring (`colour_values`), at least one.
        ranges: least and greatest value by the same names.

    Raises:
        ValueError: a range of something else, or one that ends before it begins.
    """
    kept = torch.ones(len(next(iter(values.values()))), dtype=torch.bool)  # (N,)
    for name, (low, high) in ranges.items():
        if name not in values:
            raise ValueError(f"No values are called {name!r}; there are {', '.join(values)}.")
        if not low <= high:
            raise ValueError(f"The range of {name} is {low} to {high}; it must not end before it begins.")
        kept &= (values[name] >= low) & (values[name] <= high)
    return kept
