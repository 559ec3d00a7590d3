"""Directions in the latent space: what each component does here, and ways that mean something over the gallery.

Directions are of E(x) as it is, not of its normal view: what they push out of the prior is there to be seen.

Shapes: Z latent components, N gallery images, P = C H W pixels, k components of a block.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from bigan.config import Prior
from bigan.explore.reconstruction import GalleryIndex
from bigan.latent import prior_limit
from bigan.models.bigan import BiGAN

MAX_VALUES = 2**22  # most derivatives of pixels in memory at once (16 MB)
TINY = 1e-6  # lengths below it have no direction


@dataclass(frozen=True)
class Direction:
    """A way to move a latent."""

    name: str
    vector: Float[Tensor, " Z"]
    """Of length 1."""
    standard_deviation: float
    """Of the gallery's E(x) along it: the unit of strength."""
    explained: float | None = None
    """Share of the variance of the gallery's E(x) along it, where the direction was chosen for it."""


def sensitivities(model: BiGAN, z: Float[Tensor, " Z"]) -> Float[Tensor, " Z"]:
    """How much each component changes the image here: |dG / dz_i|, the norms of the Jacobian's columns.

    In Euclidean distance over all pixels for a unit of the component, by differentiation.

    Raises:
        ValueError: a latent of another size or not finite, or a model that is not in eval mode.
    """
    latent_dim = model.config.latent_dim
    if len(z) != latent_dim or not z.isfinite().all():
        raise ValueError(f"A latent must be {latent_dim} finite numbers for this model; this one has {len(z)}.")
    if model.generator.training:
        raise ValueError("The model is in training mode; put it into eval mode first.")
    with torch.inference_mode(False), torch.enable_grad():
        here = z.detach().to(model.device).clone()  # (Z,)
        blocks = torch.eye(latent_dim, device=here.device).split(max(1, MAX_VALUES // model.config.num_pixels))
        return torch.cat([_norms_along(model, here, block) for block in blocks]).cpu()  # (Z,)


def _norms_along(model: BiGAN, z: Float[Tensor, " Z"], tangents: Float[Tensor, "k Z"]) -> Float[Tensor, " k"]:
    """|J t| for each tangent t, where J = dG / dz."""
    points = z.expand_as(tangents).clone().requires_grad_()  # (k, Z)
    x = model.generator(points).flatten(1)  # (k, P)
    # J^T v is linear in v, so its derivative in v along t is J t: forward mode out of two backward passes, since
    # PyTorch's own needs its script compiler for batch norm
    v = torch.zeros_like(x, requires_grad=True)  # (k, P)
    (pulled,) = torch.autograd.grad(x, points, v, create_graph=True)  # (k, Z)
    (changes,) = torch.autograd.grad(pulled, v, tangents)  # (k, P)
    return torch.linalg.vector_norm(changes, dim=1)


def principal_directions(index: GalleryIndex, num: int) -> tuple[Direction, ...]:
    """The directions in which the gallery's E(x) varies most, at right angles to each other, the first most.

    Each points so that its largest component is positive.

    Args:
        index: of the gallery.
        num: how many, 1 to Z.

    Raises:
        ValueError: a number out of range, or a gallery whose E(x) are all the same.

    Source: Härkönen et al. 2020 (GANSpace), section 2.1, with E(x) in place of a generator's activations.
    """
    latent_dim = index.latents.shape[1]
    if not 1 <= num <= latent_dim:
        raise ValueError(f"num is {num}; it must be 1 to {latent_dim}, the components of a latent.")
    z = index.latents.double()  # (N, Z)
    covariance = torch.cov(z.T, correction=0).view(latent_dim, latent_dim)  # (Z, Z)
    variances, vectors = torch.linalg.eigh(covariance)  # (Z,) rising, and columns
    total = variances.sum().item()
    if total < TINY**2:
        raise ValueError(f"All {len(z)} images of the gallery have the same E(x); there is no direction between them.")
    found = []
    for i in range(num):
        vector, variance = vectors[:, -1 - i], max(0.0, variances[-1 - i].item())
        vector = vector * vector[vector.abs().argmax()].sign()  # (Z,)
        found.append(Direction(f"component {i + 1}", vector.float(), math.sqrt(variance), variance / total))
    return tuple(found)


def class_direction(index: GalleryIndex, label: int, origin: int | None = None) -> Direction:
    """The way to the mean E(x) of one class from that of another, or from that of all the others.

    Args:
        index: of the gallery.
        label: of the class that it leads to.
        origin: the label of the class that it starts from; None starts from all the others.

    Raises:
        ValueError: the gallery has no images with one of the labels, the two are one, or their means are.
    """
    gallery, z = index.gallery, index.latents.double()  # (N, Z)
    known = gallery.labels.unique().tolist()
    for name, given in (("label", label), ("origin", origin)):
        if given is not None and given not in known:
            raise ValueError(f"{name} is {given}; the gallery's labels are {', '.join(map(str, known))}.")
    inside = gallery.labels == label  # (N,)
    outside = ~inside if origin is None else gallery.labels == origin  # (N,)
    if label == origin or not outside.any():
        raise ValueError(f"The class with label {label} has no other class to lead there from; choose another.")
    names, difference = gallery.class_names, z[inside].mean(0) - z[outside].mean(0)  # (Z,)
    start = "the rest" if origin is None else f"“{names[origin]}”"
    if difference.norm() < TINY:
        raise ValueError(f"There is no direction from {start} to “{names[label]}”: their means are the same.")
    return _along(index, f"from {start} to “{names[label]}”", difference)


def selection_direction(index: GalleryIndex, ids_a: Sequence[str], ids_b: Sequence[str]) -> Direction:
    """The way from the mean E(x) of one selection of gallery images to that of another.

    Raises:
        ValueError: an empty selection, an id the gallery does not have, or two selections with the same mean.
    """
    if not ids_a or not ids_b:
        raise ValueError(f"The selections have {len(ids_a)} and {len(ids_b)} images; each needs at least one.")
    z = index.latents.double()  # (N, Z)
    start, end = (z[index.gallery.indices_of(ids)].mean(0) for ids in (ids_a, ids_b))  # (Z,) each
    if (end - start).norm() < TINY:
        raise ValueError("The two selections have the same mean E(x); there is no direction between them.")
    return _along(index, "from selection A to selection B", end - start)


def _along(index: GalleryIndex, name: str, difference: Float64[Tensor, " Z"]) -> Direction:
    vector = difference / difference.norm()  # (Z,)
    places = index.latents.double() @ vector  # (N,)
    return Direction(name, vector.float(), places.std(correction=0).item())


def move(
    z: Float[Tensor, " Z"], direction: Direction, strength_sd: float, prior: Prior, clamp: bool
) -> Float[Tensor, " Z"]:
    """A latent, moved.

    Args:
        z: where it is.
        direction: where it goes.
        strength_sd: how far, in the direction's standard deviations; negative goes back.
        prior: pZ.
        clamp: bring every component that ends up outside the prior to its end (see `latent.prior_limit`).

    Raises:
        ValueError: another size than the direction's, or a strength that is not finite.
    """
    if len(z) != len(direction.vector):
        raise ValueError(f"The latent has {len(z)} components and the direction {len(direction.vector)}.")
    if not math.isfinite(strength_sd):
        raise ValueError(f"strength_sd is {strength_sd}; it must be a finite number.")
    moved = z + strength_sd * direction.standard_deviation * direction.vector.to(z)  # (Z,)
    limit = prior_limit(prior)
    return moved.clamp(-limit, limit) if clamp else moved
