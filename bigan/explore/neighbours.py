"""The gallery images most like a given one, by the features of a model.

Shapes: Q queries, N gallery images, F features, k neighbours.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from bigan.data import scale
from bigan.explore.gallery import Gallery

NUM_NEIGHBOURS = 5
BLOCK_VALUES = 2**18  # most pixels that are floats at once (1 MB)


@dataclass(frozen=True)
class Neighbour:
    """A gallery image near to another."""

    id: str
    label: int
    index: int
    """Where it is in its gallery."""
    distance: float
    """Euclidean, in the space of the features."""


def distances_to(
    queries: Float[Tensor, "Q F"], references: Float[Tensor, "N F"] | UInt8[Tensor, "N F"]
) -> Float[Tensor, "Q N"]:
    """Euclidean distances from the differences themselves, so that equal points are at 0 and equal pairs tie.

    Args:
        queries: a few points.
        references: of the same space; pixels may be uint8, which become floats in [0, 1] block by block.
    """
    if references.dtype == torch.uint8:
        blocks = torch.split(references, max(1, BLOCK_VALUES // references.shape[1]))
        return torch.cat([distances_to(queries, scale(block)) for block in blocks], dim=1)
    return torch.cdist(queries, references, compute_mode="donot_use_mm_for_euclid_dist")


def pair_distances(a: Float[Tensor, "Q F"], b: Float[Tensor, "Q F"]) -> Float[Tensor, " Q"]:
    """Euclidean distance of each point to its partner, added up as `distances_to` does, so that equal pairs tie."""
    return torch.cdist(a[:, None], b[:, None], compute_mode="donot_use_mm_for_euclid_dist")[:, 0, 0]


def nearest_few(
    queries: Float[Tensor, "Q F"], references: Float[Tensor, "N F"] | UInt8[Tensor, "N F"], num_neighbours: int
) -> tuple[Float[Tensor, "Q k"], Int64[Tensor, "Q k"]]:
    """What `evaluation.nearest_neighbour` gives, for a few queries: distances and indices of the nearest references.

    It computes every difference, so that equal points are at 0 and ties go to the lowest index. For one query among
    5,000 that is several times quicker than preparing matrix products; for hundreds of queries it is slower.
    """
    distances, indices = distances_to(queries, references).sort(dim=1, stable=True)
    return distances[:, :num_neighbours], indices[:, :num_neighbours]  # (Q, k) each; k = N where there are fewer


def nearest_images(
    queries: Float[Tensor, "Q F"],
    references: Float[Tensor, "N F"] | UInt8[Tensor, "N F"],
    gallery: Gallery,
    num_neighbours: int = NUM_NEIGHBOURS,
) -> tuple[tuple[Neighbour, ...], ...]:
    """For each query, the gallery images nearest to it, nearest first; all of them where there are fewer.

    Args:
        queries: features of a few images.
        references: the same features of the gallery, in its order.
        gallery: the images to choose from.
        num_neighbours: how many for each query.
    """
    distances, indices = nearest_few(queries, references, num_neighbours)  # (Q, k) each
    return tuple(
        tuple(
            Neighbour(gallery.ids[index], int(gallery.labels[index]), index, distance)
            for distance, index in zip(*row, strict=True)
        )
        for row in zip(distances.tolist(), indices.tolist(), strict=True)
    )
