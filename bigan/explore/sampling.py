"""Latents near one or between several, and what a model's samples cover of a gallery.

Shapes: B samples, Z latent components, N gallery images.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor
from torch.special import ndtr

from bigan.config import Prior
from bigan.data import scale, to_uint8
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.explore.reconstruction import GalleryIndex
from bigan.latent import TINY, from_normal, sample, to_normal, typical_norm
from bigan.models.bigan import BiGAN

MAX_SAMPLES = 10_000
BATCH_SIZE = 500
DUPLICATE_QUANTILE = 0.01  # ours: samples are duplicates where real images so close are one in a hundred


def around(model: BiGAN, z: Float[Tensor, " Z"], num_samples: int, radius: float, seed: int) -> Float[Tensor, "B Z"]:
    """Latents drawn evenly from a ball about one, inside the prior.

    What would leave a uniform prior is reflected at its end, which brings it nearer to z: nothing leaves the ball. A
    normal prior has no end. The same seed gives the same directions at every radius; the first k of them do not depend
    on the count.

    Args:
        model: whose prior it is.
        z: the centre; what of it lies outside a uniform prior counts as its end.
        num_samples: B, 1 to MAX_SAMPLES.
        radius: in standard deviations of the prior for each component: the ball's is radius times `typical_norm`.
        seed: of this call's own random generator.

    Raises:
        ValueError: a latent of another size or not finite, or a count, radius or seed out of range.
    """
    _check_count(num_samples)
    prior, latent_dim = model.config.prior, model.config.latent_dim
    if len(z) != latent_dim or not z.isfinite().all():
        raise ValueError(f"A centre must be {latent_dim} finite numbers for this model; this one has {len(z)}.")
    if not 0 <= radius < float("inf"):
        raise ValueError(f"radius is {radius}; it must be a finite number, 0 or more.")
    drawn = sample("normal", (num_samples, latent_dim + 1), seed).double()  # (B, Z + 1)
    directions = drawn[:, :-1] / torch.linalg.vector_norm(drawn[:, :-1], dim=1, keepdim=True)  # (B, Z)
    # the volume within r grows as r^Z, so a share u of the ball lies within u^(1 / Z) of its radius
    shares = ndtr(drawn[:, -1:]) ** (1 / latent_dim)  # (B, 1)
    offsets = radius * typical_norm(prior, latent_dim) * shares * directions  # (B, Z)
    centre = z.detach().cpu().double()  # (Z,)
    found = _reflect(centre.clamp(-1, 1) + offsets) if prior == "uniform" else centre + offsets
    return found.float()


def _reflect(z: Float64[Tensor, "B Z"]) -> Float64[Tensor, "B Z"]:
    """Bring every component into [-1, 1], as a ball bounces between two walls."""
    return 1 - ((z + 1).remainder(4) - 2).abs()


def mean_latent(latents: Float[Tensor, "B Z"], prior: Prior) -> Float[Tensor, " Z"]:
    """What several latents have in common, as typical of the prior as they are; for two, the middle of their path.

    A plain mean of many latents shrinks to the centre of the prior, where no latent ever is. This one has the mean of
    their directions and the mean of their norms, in the normal view of a uniform prior (by the probit, and back): of
    two it is the middle of `latent.interpolate`'s path "prior". Where the directions cancel out it is the plain mean.

    Raises:
        ValueError: no latents, or some that are not finite.
    """
    if len(latents) == 0 or not latents.isfinite().all():
        raise ValueError(f"A mean needs one latent or more, all finite; there are {len(latents)}.")
    points = to_normal(latents.detach().cpu().double(), prior)  # (B, Z)
    norms = torch.linalg.vector_norm(points, dim=1, keepdim=True)  # (B, 1)
    direction = (points / norms.clamp(min=TINY)).mean(0)  # (Z,)
    length = torch.linalg.vector_norm(direction)
    mean = points.mean(0) if length < TINY else norms.mean() * direction / length  # (Z,)
    return from_normal(mean, prior).float()


@dataclass(frozen=True)
class Coverage:
    """What of a gallery a model's samples are nearest to, and how many of them are nearly the same."""

    num_samples: int
    class_names: tuple[str, ...]
    shares_of_samples: tuple[float, ...]
    """For each class, the share of samples whose nearest gallery image, by the encoder's features, is of it."""
    shares_of_gallery: tuple[float, ...]
    """For each class, its share of the gallery."""
    nearest_ids: tuple[str, ...]
    """That nearest image for each sample, in the order drawn."""
    num_duplicates: int
    """Samples with an earlier one no farther than `duplicate_distance` from them."""
    duplicate_distance: float
    """In pixels, what one in a hundred of as many gallery images is nearer than to another one; 0 for a lone image."""

    @property
    def num_distinct(self) -> int:
        """Gallery images that are the nearest one to some sample."""
        return len(set(self.nearest_ids))


def coverage(model: BiGAN, index: GalleryIndex, num_samples: int, seed: int) -> Coverage:
    """What the first samples of a seed cover of the gallery: the modes that a generator lost show as missing classes.

    Args:
        model: the one the index was made with.
        index: of the gallery to compare with.
        num_samples: 1 to MAX_SAMPLES.
        seed: of the samples, as `model.sample_latents`.

    Raises:
        ValueError: a count or a seed out of range.
    """
    _check_count(num_samples)
    gallery = index.gallery
    features, images = [], []
    for z in model.sample_latents(num_samples, seed).split(BATCH_SIZE):
        x = model.generate(z)  # (b, C, H, W)
        features.append(model.features(x).cpu())  # (b, F)
        images.append(to_uint8(x).flatten(1).cpu())  # (b, P)
    nearest = nearest_neighbours(torch.cat(features), index.features)[1][:, 0]  # (B,)
    num_classes = len(gallery.class_names)
    duplicate_distance = _duplicate_distance(gallery.images.flatten(1), num_samples)
    return Coverage(
        num_samples=num_samples,
        class_names=gallery.class_names,
        shares_of_samples=_shares(gallery.labels[nearest], num_classes),
        shares_of_gallery=_shares(gallery.labels, num_classes),
        nearest_ids=tuple(gallery.ids[i] for i in nearest.tolist()),
        num_duplicates=_num_duplicates(torch.cat(images), duplicate_distance),
        duplicate_distance=duplicate_distance,
    )


def _check_count(num_samples: int) -> None:
    if not 1 <= num_samples <= MAX_SAMPLES:
        raise ValueError(f"num_samples is {num_samples}; it must be 1 to {MAX_SAMPLES:,}.")


def _shares(labels: Tensor, num_classes: int) -> tuple[float, ...]:
    return tuple((torch.bincount(labels, minlength=num_classes) / len(labels)).tolist())


def _duplicate_distance(pixels: UInt8[Tensor, "N P"], num_samples: int) -> float:
    """How near the nearest pairs of gallery images are, among as many as there are samples: more would lie closer."""
    step = max(1, -(-len(pixels) // num_samples))  # rounded up
    few = scale(pixels[::step])  # (n, P)
    if len(few) == 1:
        return 0.0
    return torch.quantile(nearest_neighbours(few, few, 2)[0][:, 1], DUPLICATE_QUANTILE).item()


def _num_duplicates(pixels: UInt8[Tensor, "B P"], distance: float) -> int:
    points = pixels.double()  # (B, P): of whole numbers, matrix products give distances exactly
    found = 0
    for start in range(0, len(points), BATCH_SIZE):
        rows = points[start : start + BATCH_SIZE]  # (b, P)
        near = torch.cdist(rows, points[: start + len(rows)]) <= 255 * distance  # (b, before)
        found += int(near.tril(start - 1).any(1).sum())  # each with itself is on the diagonal at `start`
    return found
