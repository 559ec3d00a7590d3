"""What a model makes of many images at once, counted: D's opinions, what survives E and G, what a map keeps.

Shapes: N images, C H W image, F features, P pairs of classes.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn.functional import one_hot, softplus

from bigan.data import scale
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.explore.projection import space_features
from bigan.explore.reconstruction import GalleryIndex
from bigan.models.bigan import BiGAN

NUM_VOTES = 5  # of the nearest images whose labels name a class


def some_rows(num_rows: int, num_chosen: int, seed: int) -> Int64[Tensor, " n"]:
    """Some of the rows in a random order, each at most once; all where there are no more."""
    return torch.randperm(num_rows, generator=torch.Generator().manual_seed(seed))[:num_chosen]


@dataclass(frozen=True)
class Opinions:
    """D's logits of three kinds of pair: positive where D takes one for an encoder pair."""

    encoder_pairs: Float[Tensor, " N"]
    """(x, E(x))."""
    strange_pairs: Float[Tensor, " N"]
    """(x, E(x')), x' the next of the images: no pair of the training."""
    generator_pairs: Float[Tensor, " N"]
    """(G(z), z)."""

    @property
    def loss(self) -> float:
        """D's loss in nats: log 2 when undecided, 0 when always right and sure of it."""
        return (softplus(-self.encoder_pairs).mean() + softplus(self.generator_pairs).mean()).item() / 2

    @property
    def divergence_bound(self) -> float:
        """The least that the Jensen-Shannon divergence of the two kinds of pair can be, in nats, 0 to log 2.

        V(D) = -2 loss is at most max_D V = 2 JSD - log 4 (proposition 2), so JSD >= log 2 - loss; up to the chance of
        which images and latents were drawn.
        """
        return max(0.0, math.log(2) - self.loss)


def opinions(model: BiGAN, images: UInt8[Tensor, "N C H W"], seed: int) -> Opinions:
    """D's opinions of images with their own latents, with strange ones, and of as many pairs of the generator.

    Args:
        model: of all three networks.
        images: in an order that says nothing, since each lends its latent to the one before.
        seed: of the generator's latents.

    Raises:
        bigan.CapabilityError: a model without one of the networks, or with a D that sees images alone.
    """
    model.check_can("generate", "encode", "score")
    x = scale(images)  # (N, C, H, W)
    e_x = model.encode(x)  # (N, Z)
    z = model.sample_latents(len(x), seed)  # (N, Z)
    return Opinions(
        encoder_pairs=model.score(x, e_x).cpu(),
        strange_pairs=model.score(x, e_x.roll(-1, dims=0)).cpu(),
        generator_pairs=model.score(model.generate(z), z).cpu(),
    )


@dataclass(frozen=True)
class Survival:
    """What is left of gallery images after E and G. Shares of the images, 0 to 1.

    An image's class is named by the labels of the NUM_VOTES gallery images nearest to it, itself left out.
    """

    num_images: int
    seen_before: float
    """x is named its own class, by E's penultimate features."""
    seen_after: float
    """G(E(x)) is named the class of x, by the same features."""
    pixels_before: float
    """x is named its own class, by pixels."""
    pixels_after: float
    """G(E(x)) is named the class of x, by pixels."""
    nearest_is_itself: float
    """Of all the gallery, x is the image nearest to G(E(x)), by pixels."""


def survival(model: BiGAN, index: GalleryIndex, rows: Int64[Tensor, " n"]) -> Survival:
    """What is left of some images of a gallery.

    Args:
        model: the one the index was made with.
        index: of the gallery.
        rows: the images.
    """
    labels, made = index.gallery.labels, index.reconstructions[rows]  # (N,), (n, C, H, W)
    pixels, made_pixels = scale(index.pixels), scale(made.flatten(1))  # (N, P), (n, P)
    features = space_features(model, made, "penultimate")  # (n, F)

    def named(queries: Float[Tensor, "n F"], references: Float[Tensor, "N F"]) -> float:
        return (_named(queries, references, labels, rows) == labels[rows]).float().mean().item()

    nearest = nearest_neighbours(made_pixels, pixels, 1)[1][:, 0]  # (n,)
    return Survival(
        num_images=len(rows),
        seen_before=named(index.features[rows], index.features),
        seen_after=named(features, index.features),
        pixels_before=named(pixels[rows], pixels),
        pixels_after=named(made_pixels, pixels),
        nearest_is_itself=(nearest == rows).float().mean().item(),
    )


def _named(
    queries: Float[Tensor, "n F"], references: Float[Tensor, "N F"], labels: Int64[Tensor, " N"],
    rows: Int64[Tensor, " n"],
) -> Int64[Tensor, " n"]:  # fmt: skip
    """The commonest label among the nearest references other than rows; ties go to the lowest label."""
    num_votes = min(NUM_VOTES, len(references) - 1)
    _, indices = nearest_neighbours(queries, references, num_votes + 1)  # (n, k + 1)
    itself = indices == rows[:, None]  # (n, k + 1)
    itself[:, -1] |= ~itself.any(1)
    votes = one_hot(labels[indices[~itself].view(len(rows), num_votes)], int(labels.max()) + 1).sum(1)  # (n, classes)
    return torch.from_numpy(votes.numpy().argmax(1))  # numpy's promises the first of equals


@dataclass(frozen=True)
class ClassDistances:
    """How far the centres (means) of classes are from each other, in a space and on a map of it."""

    pairs: tuple[tuple[int, int], ...]
    """Labels."""
    in_space: Float[Tensor, " P"]
    on_map: Float[Tensor, " P"]

    @property
    def rank_agreement(self) -> float:
        """Spearman's rank correlation of the two columns: 1 where they order the pairs alike, 0 for no relation."""
        return float(np.corrcoef(_ranks(self.in_space), _ranks(self.on_map))[0, 1])


def class_distances(
    features: Float[Tensor, "N F"], coordinates: Float[Tensor, "N 2"], labels: Int64[Tensor, " N"]
) -> ClassDistances:
    """The distances of all classes that there are.

    Raises:
        ValueError: fewer than three classes, whose distances have no order to compare.
    """
    present = labels.unique().tolist()
    if len(present) < 3:
        raise ValueError(f"There are {len(present)} classes; to compare their distances it takes 3.")
    spaces = [torch.stack([points[labels == k].mean(0) for k in present]) for points in (features, coordinates)]
    return ClassDistances(
        pairs=tuple((a, b) for i, a in enumerate(present) for b in present[i + 1 :]),
        in_space=torch.pdist(spaces[0]),
        on_map=torch.pdist(spaces[1]),
    )


def _ranks(values: Float[Tensor, " P"]) -> np.ndarray:
    return values.numpy().argsort().argsort()
