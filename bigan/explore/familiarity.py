"""Whether a picture is like anything in a gallery: an encoder always answers, and does not say when it cannot know.

Compared are the pictures themselves, sharp and more and more blurred, not what E makes of them: E maps what it never
saw among what it knows. The share of pictures called foreign with the two shipped galleries, in %, of MNIST's first
2,000 test images and 1,500 images of Fashion-MNIST's gallery (left out of it here), 500 cuttings of scikit-learn's two
photographs, even noise, and noise of 15 % white pixels:

    compared by                 with MNIST's gallery                with Fashion-MNIST's
                                digits clothes photos noise sparse  clothes digits photos noise sparse
    this                        4      90      97     100   100     1       42     82     100   100
    pixels, sharp alone         6      88      95     100   100     1       29     49     100   100
    E's penultimate layer       4      90      97     100   99      2       31     53     12    3
    E(x)                        3      81      95     100   96      2       46     39     6     13
    D's last hidden layer       12     100     100    100   100     1       71     65     1     1

Shapes: N images, Q queries, C H W image, F values of a picture at all sharpnesses.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.data import scale
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import Neighbour

NUM_SHARPNESSES = 4  # each blurred over squares of twice the side: 1, 2, 4 and 8 pixels
LIMIT_QUANTILE = 0.99
MAX_LEFT_OUT = 1000  # gallery images whose distance to the nearest other one is measured
BLOCK_SIZE = 1000  # gallery images that are floats at once


@dataclass(frozen=True)
class Familiarity:
    """How near a picture is to a gallery."""

    distance: float
    """To the nearest image of the gallery: Euclidean over all pixels, the root mean square over the sharpnesses."""
    limit: float
    """What 99 % of the gallery's own images are no farther than from the nearest other one."""
    nearest: Neighbour
    """That nearest image."""

    @property
    def is_foreign(self) -> bool:
        """Nothing in the gallery is like it."""
        return self.distance > self.limit


def familiarity_limit(images: UInt8[Tensor, "N C H W"]) -> float:
    """The 99th percentile of the distances from gallery images to the nearest other one; infinite for a lone image."""
    if len(images) == 1:
        return float("inf")
    points = torch.cat([_sharpnesses(scale(block)) for block in images.split(BLOCK_SIZE)])  # (N, F)
    step = -(-len(points) // MAX_LEFT_OUT)  # rounded up
    distances, _ = nearest_neighbours(points[::step], points, 2)  # (n, 2): itself at 0, and the nearest other
    return torch.quantile(distances[:, 1], LIMIT_QUANTILE).item()


def familiarities(xs: Float[Tensor, "Q C H W"], gallery: Gallery, limit: float) -> tuple[Familiarity, ...]:
    """How near each of a few pictures is to a gallery; the nearest image of equals is the first.

    Args:
        xs: float32 in [0, 1], of the gallery's shape.
        gallery: to compare with.
        limit: its `familiarity_limit`.
    """
    points = _sharpnesses(xs)  # (Q, F)
    blocks = [
        # the differences themselves, so that equal pictures are at 0
        torch.cdist(points, _sharpnesses(scale(block)), compute_mode="donot_use_mm_for_euclid_dist")
        for block in gallery.images.split(BLOCK_SIZE)
    ]
    distances, nearest = torch.cat(blocks, dim=1).sort(dim=1, stable=True)  # (Q, N)
    return tuple(
        Familiarity(distance, limit, Neighbour(gallery.ids[i], int(gallery.labels[i]), i, distance))
        for distance, i in zip(distances[:, 0].tolist(), nearest[:, 0].tolist(), strict=True)
    )


def _sharpnesses(x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N F"]:
    """Pictures at every sharpness side by side, so that Euclidean distance is the root mean square over them."""
    found = []
    for i in range(NUM_SHARPNESSES):
        # a value that stands for 4^i pixels counts as often
        found.append(2**i * x.flatten(1))
        x = F.avg_pool2d(x, 2, ceil_mode=True)
    return torch.cat(found, dim=1) / NUM_SHARPNESSES**0.5
