"""Walks and sheets through the latent space: the images on the way, and how even and how honest it is.

Shapes: T steps, K ends, S rows and as many columns of a sheet, Z latent components, C H W image.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from bigan.latent import PATHS, Path, from_normal, interpolate, off_prior_share, to_normal
from bigan.models.bigan import BiGAN

MAX_ENDS = 4
FINE = 16  # pieces of a step of a walk within which its path counts as straight when it is timed anew
MAX_ROUNDS = 12  # of timing anew
EVEN_ENOUGH = 0.01  # unevenness at which they end


@dataclass(frozen=True)
class Walk:
    """What a model generates along a path, on the CPU."""

    latents: Float[Tensor, "T Z"]
    images: Float[Tensor, "T C H W"]
    """G(z)."""
    off_prior_shares: Float[Tensor, " T"]
    """Share of each latent's components outside the prior, 0 to 1."""
    pixel_steps: Float[Tensor, " T-1"]
    """Euclidean distance between each image and the next."""
    logits: Float[Tensor, " T"] | None
    """D(G(z), z); None of a model that has no D of pairs."""
    path: Path

    @property
    def unevenness(self) -> float:
        """Standard deviation of the pixel steps over their mean; 0 where all are alike, and where nothing moves."""
        mean = self.pixel_steps.mean().item()
        return self.pixel_steps.std(correction=0).item() / mean if mean > 0 else 0.0


@dataclass(frozen=True)
class Sheet:
    """What a model generates between three or four corners, on the CPU; [0, 0] is the top left."""

    latents: Float[Tensor, "S S Z"]
    images: Float[Tensor, "S S C H W"]
    """G(z)."""
    off_prior_shares: Float[Tensor, "S S"]
    """Share of each latent's components outside the prior, 0 to 1."""


def walk(model: BiGAN, start: Float[Tensor, " Z"], end: Float[Tensor, " Z"], num_steps: int, path: Path) -> Walk:
    """The walk from one latent to another, both included: see `through`."""
    _check_components(model, start, end)
    return through(model, torch.stack([start.cpu(), end.cpu()]), num_steps, path)


def through(model: BiGAN, ends: Float[Tensor, "K Z"], num_steps: int, path: Path) -> Walk:
    """The walk from the first end to the last through those between, in pieces of equally many steps, give or take one.

    Args:
        model: generates the images.
        ends: 2 to 4 latents, each of them a frame of the walk, bit for bit.
        num_steps: T, at least one for each end.
        path: one of `latent.PATHS`.

    Raises:
        ValueError: too few or too many ends, latents of another size than the model's, or as `latent.interpolate`.
    """
    _check_components(model, *ends)
    if not 2 <= len(ends) <= MAX_ENDS:
        raise ValueError(f"There are {len(ends)} ends; a walk has 2 to {MAX_ENDS}.")
    if num_steps < len(ends):
        raise ValueError(f"num_steps is {num_steps}; it must be at least {len(ends)}, one for each end.")
    frames = [i * (num_steps - 1) // (len(ends) - 1) for i in range(len(ends))]  # that the ends are
    counts = [after - before for before, after in pairwise(frames)]
    return _along(model, _joined(model, ends, counts, path), path)


def compare_paths(
    model: BiGAN, start: Float[Tensor, " Z"], end: Float[Tensor, " Z"], num_steps: int
) -> dict[Path, Walk]:
    """The walk between the same two latents on every path."""
    return {path: walk(model, start, end, num_steps, path) for path in PATHS}


def retime(model: BiGAN, made: Walk, num_steps: int) -> Walk:
    """The same way at an even pace: frames chosen along its path so that each is as far in pixels from the next.

    The first and last latent stay, bit for bit; ends between them may come to lie between two frames. Frames are moved
    until their steps vary by no more than EVEN_ENOUGH of the mean; where G jumps that may never be, and the most even
    of MAX_ROUNDS rounds is what there is.

    Args:
        model: the one that made the walk.
        made: the walk.
        num_steps: T, at least 2.

    Raises:
        ValueError: too few steps, or latents of another size than the model's.
    """
    _check_components(model, *made.latents)
    if num_steps < 2:
        raise ValueError(f"num_steps is {num_steps}; it must be at least 2, for both ends.")
    fine = _joined(model, made.latents, [FINE] * (len(made.latents) - 1), made.path).double().numpy()  # (P, Z)
    places, tried = np.arange(len(made.latents)) * float(FINE), made  # of the frames along it
    best: Walk | None = None
    for _ in range(MAX_ROUNDS):
        places = _even_places(places, tried.pixel_steps.double().numpy(), num_steps)
        z = torch.from_numpy(_between(fine, places)).to(made.latents)  # (num_steps, Z)
        z[0], z[-1] = made.latents[0], made.latents[-1]
        tried = _along(model, z, made.path)
        if best is None or tried.unevenness < best.unevenness:
            best = tried
        if best.unevenness <= EVEN_ENOUGH:
            break
    assert best is not None
    return best


def sheet(model: BiGAN, corners: Float[Tensor, "K Z"], size: int, path: Path) -> Sheet:
    """A square of images between its corners: paths down the left and the right edge, and across from one to the other.

    All four edges are the paths between their corners. Within, a path that is not a line depends on which way goes
    first.

    Args:
        model: generates the images.
        corners: four latents, top left, top right, bottom left, bottom right; or three, of which the first is the whole
            upper edge. They are kept bit for bit.
        size: S, at least 2.
        path: one of `latent.PATHS`.

    Raises:
        ValueError: another number of corners, latents of another size than the model's, or as `latent.interpolate`.
    """
    _check_components(model, *corners)
    if len(corners) not in (3, 4):
        raise ValueError(f"There are {len(corners)} corners; a sheet has 3 or 4.")
    if size < 2:
        raise ValueError(f"size is {size}; it must be at least 2, for both edges.")
    prior = model.config.prior
    *first, top_right, bottom_left, bottom_right = corners.cpu()
    top_left = first[0] if first else top_right
    edges = (interpolate(*ends, size, path, prior) for ends in ((top_left, bottom_left), (top_right, bottom_right)))
    z = torch.cat([interpolate(left, right, size, path, prior) for left, right in zip(*edges, strict=True)])  # (S S, Z)
    return Sheet(
        latents=z.view(size, size, -1),
        images=model.generate(z).cpu().view(size, size, *model.config.image_shape),
        off_prior_shares=off_prior_share(z, prior).view(size, size),
    )


def analogy(
    model: BiGAN, a: Float[Tensor, " Z"], b: Float[Tensor, " Z"], c: Float[Tensor, " Z"]
) -> Float[Tensor, " Z"]:
    """What is to c as b is to a: c + (b - a), for a uniform prior in its normal view, so that it stays inside.

    Components that a and b share are those of c, and components that a and c share those of b, bit for bit.

    Raises:
        ValueError: latents of another size than the model's.

    Source: Mikolov et al. 2013, Linguistic regularities in continuous space word representations; for the images of a
        GAN, Radford et al. 2016 (DCGAN), section 6.3.2.
    """
    _check_components(model, a, b, c)
    prior = model.config.prior
    a, b, c = (z.detach().cpu() for z in (a, b, c))
    normal_a, normal_b, normal_c = (to_normal(z.double(), prior) for z in (a, b, c))
    d = from_normal(normal_c + (normal_b - normal_a), prior).to(c)  # (Z,)
    return torch.where(a == b, c, torch.where(a == c, b, d))


def _joined(model: BiGAN, ends: Float[Tensor, "K Z"], counts: list[int], path: Path) -> Float[Tensor, "T Z"]:
    """The paths from each end to the next, one after the other, of so many steps each."""
    ends = ends.cpu()
    pieces = [
        interpolate(start, end, count + 1, path, model.config.prior)[:-1]
        for start, end, count in zip(ends[:-1], ends[1:], counts, strict=True)
    ]
    return torch.cat([*pieces, ends[-1:]])


def _along(model: BiGAN, z: Float[Tensor, "T Z"], path: Path) -> Walk:
    x = model.generate(z)  # (T, C, H, W)
    return Walk(
        latents=z,
        images=x.cpu(),
        off_prior_shares=off_prior_share(z, model.config.prior),
        pixel_steps=torch.linalg.vector_norm(x.flatten(1).diff(dim=0), dim=1).cpu(),  # (T - 1,)
        logits=None if model.config.shortcoming("score") else model.score(x, z).cpu(),
        path=path,
    )


def _even_places(
    places: Float64[np.ndarray, " T"], steps: Float64[np.ndarray, " T-1"], num_steps: int
) -> Float64[np.ndarray, " n"]:
    """Where equal shares of the way are covered, if it is straight from each place to the next."""
    way = np.concatenate([[0.0], steps.cumsum()])  # (T,)
    if way[-1] == 0:
        return np.linspace(places[0], places[-1], num_steps)
    return np.interp(np.linspace(0, way[-1], num_steps), way, places)


def _between(points: Float64[np.ndarray, "P Z"], places: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n Z"]:
    """Points of a polyline, of which the i-th corner is at place i."""
    before = np.minimum(places.astype(int), len(points) - 2)  # (n,)
    share = (places - before)[:, None]  # (n, 1)
    return (1 - share) * points[before] + share * points[before + 1]


def _check_components(model: BiGAN, *latents: Float[Tensor, " _"]) -> None:
    for z in latents:
        if len(z) != model.config.latent_dim:
            raise ValueError(f"A latent has {len(z)} components; this model's latents have {model.config.latent_dim}.")
