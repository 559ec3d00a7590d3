"""What a model makes of an image: x -> E(x) -> G(E(x)), in numbers that a gallery of real images gives a scale.

Distances between images are Euclidean over all pixels in [0, 1], as the paper's EGr.

Shapes: Q images asked about, N gallery images, P = C H W pixels, C H W image, Z latent components, F features.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.data import scale, to_uint8
from bigan.explore.familiarity import Familiarity, KnownImages, familiarities, known_images
from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import Neighbour, distances_to, nearest_images, pair_distances
from bigan.latent import off_prior_share
from bigan.models.bigan import BiGAN

BATCH_SIZE = 500
TIE = 1e-5  # a distance differs by less between an image alone and the same one in a batch, and counts as equal
SMALLEST = 1e-12  # a mean distance of 0 (one image, reconstructed exactly) must not divide


@dataclass(frozen=True)
class GalleryIndex:
    """What a model makes of a gallery, computed once and never changed: some 35 MB for 5,000 MNIST digits."""

    gallery: Gallery
    latents: Float[Tensor, "N Z"]
    """E(x)."""
    features: Float[Tensor, "N F"]
    """Activations of the encoder's penultimate layer."""
    reconstructions: UInt8[Tensor, "N C H W"]
    """G(E(x))."""
    distances: Float[Tensor, " N"]
    """|x - G(E(x))|."""
    encoder_pair_logits: Float[Tensor, " N"] | None
    """D(x, E(x)); None without a D of pairs."""
    known: KnownImages
    """The gallery again, for the question whether a picture is like anything in it."""

    @property
    def pixels(self) -> UInt8[Tensor, "N P"]:
        """The gallery's images, row by row."""
        return self.gallery.images.flatten(1)


@dataclass(frozen=True)
class ReconstructionReport:
    """What a model makes of one image. Shares are 0 to 1."""

    x: Float[Tensor, "C H W"]
    z: Float[Tensor, " Z"]
    """E(x)."""
    x_hat: Float[Tensor, "C H W"]
    """G(E(x))."""
    difference: Float[Tensor, "C H W"]
    """x_hat - x, in [-1, 1]."""
    distance: float
    """|x - G(E(x))|."""
    ratio: float
    """The distance over the mean distance between G(E(x)) and the gallery's images: 1 is no better than chance."""
    percentile: float
    """Share of gallery images that are farther from G(E(x)) than x is."""
    typicality: float
    """Share of gallery images whose own reconstruction is farther from them than this one is from x."""
    off_prior_share: float
    """Share of the latent's components outside the prior."""
    num_off_prior: int
    """The same as a count."""
    encoder_pair_logit: float | None
    """D(x, E(x)): positive where D takes it for an encoder pair. None without a D of pairs."""
    reconstruction_pair_logit: float | None
    """D(G(E(x)), E(x)): negative where D takes it for the generator pair that it is. None without a D of pairs."""
    neighbours: tuple[Neighbour, ...]
    """The five nearest gallery images, by features of the penultimate layer."""
    familiarity: Familiarity
    """How near the image is to the gallery, as a picture."""

    @property
    def is_far(self) -> bool:
        """The image is far from all the gallery: the model has seen nothing like it."""
        return self.familiarity.is_foreign


def index_gallery(model: BiGAN, gallery: Gallery, known: KnownImages | None = None) -> GalleryIndex:
    """The index of a gallery, for `reports`; everything in it is on the CPU.

    Args:
        model: who looks at it.
        gallery: real images.
        known: the same gallery, where it has been made ready for another model already.

    Raises:
        ValueError: the gallery's images are not of the model's shape.
        CapabilityError: the model lacks E or G.
    """
    model.check_can("generate", "encode")
    _check_shape(model, tuple(gallery.images.shape[1:]))
    batches, opinions = [], []
    for images in torch.split(gallery.images.cpu(), BATCH_SIZE):
        x = scale(images)  # (B, C, H, W)
        z, features, x_hat, logits, _ = _look(model, x)
        batches.append((z, features, to_uint8(x_hat), pair_distances(x.flatten(1), x_hat.flatten(1))))
        opinions.append(logits)
    z, features, reconstructions, distances = (torch.cat(parts) for parts in zip(*batches, strict=True))
    return GalleryIndex(
        gallery=gallery,
        latents=z,
        features=features,
        reconstructions=reconstructions,  # (N, C, H, W)
        distances=distances,
        encoder_pair_logits=_joined(opinions),
        known=known or known_images(gallery),
    )


def report(model: BiGAN, x: Float[Tensor, "1 C H W"], index: GalleryIndex) -> ReconstructionReport:
    """What the model makes of one image."""
    return reports(model, x, index)[0]


def reports(model: BiGAN, xs: Float[Tensor, "Q C H W"], index: GalleryIndex) -> tuple[ReconstructionReport, ...]:
    """What the model makes of each of some images.

    Args:
        model: the one the index was made with.
        xs: float32 in [0, 1].
        index: of the gallery to compare with.

    Raises:
        ValueError: the images are not of the model's shape.
    """
    _check_shape(model, tuple(xs.shape[1:]))
    xs = xs.detach().cpu()
    z, features, x_hat, logits, x_hat_logits = _look(model, xs)
    distances = pair_distances(xs.flatten(1), x_hat.flatten(1))  # (Q,)
    to_gallery = distances_to(x_hat.flatten(1), index.pixels)  # (Q, N)
    ratios = distances / to_gallery.mean(1).clamp(min=SMALLEST)  # (Q,)
    percentiles = (to_gallery > distances[:, None]).float().mean(1)  # (Q,)
    typicalities = (index.distances > (1 + TIE) * distances[:, None]).float().mean(1)  # (Q,)
    off_prior = off_prior_share(z, model.config.prior)  # (Q,)
    neighbours = nearest_images(features, index.features, index.gallery)
    familiarity = familiarities(xs, index.known)
    return tuple(
        ReconstructionReport(
            x=xs[i],
            z=z[i],
            x_hat=x_hat[i],
            difference=x_hat[i] - xs[i],
            distance=distances[i].item(),
            ratio=ratios[i].item(),
            percentile=percentiles[i].item(),
            typicality=typicalities[i].item(),
            off_prior_share=off_prior[i].item(),
            num_off_prior=round(off_prior[i].item() * model.config.latent_dim),
            encoder_pair_logit=None if logits is None else logits[i].item(),
            reconstruction_pair_logit=None if x_hat_logits is None else x_hat_logits[i].item(),
            neighbours=neighbours[i],
            familiarity=familiarity[i],
        )
        for i in range(len(xs))
    )


class _Look(NamedTuple):
    """What the networks say of some images in one pass each, on the CPU."""

    z: Float[Tensor, "Q Z"]
    features: Float[Tensor, "Q F"]
    x_hat: Float[Tensor, "Q C H W"]
    encoder_pair_logits: Float[Tensor, " Q"] | None
    reconstruction_pair_logits: Float[Tensor, " Q"] | None


def _check_shape(model: BiGAN, shape: tuple[int, ...]) -> None:
    if shape != model.config.image_shape:
        raise ValueError(f"The images have the shape {shape}; this model takes {model.config.image_shape}.")


@torch.inference_mode()
def _look(model: BiGAN, x: Float[Tensor, "Q C H W"]) -> "_Look":
    *_, features, a = model.encoder.activations(x.to(model.device))  # (Q, F), (Q, Z)
    z = model.encoder.squash(a)  # (Q, Z)
    x_hat = model.generate(z)  # (Q, C, H, W)
    if model.config.shortcoming("score"):
        return _Look(z.cpu(), features.cpu(), x_hat.cpu(), None, None)
    # both kinds of pair in one pass: in eval mode D takes each for itself
    logits = model.score(torch.cat([x.to(model.device), x_hat]), torch.cat([z, z]))  # (2Q,)
    return _Look(z.cpu(), features.cpu(), x_hat.cpu(), *logits.cpu().chunk(2))


def _joined(parts: Iterable[Float[Tensor, " _"] | None]) -> Float[Tensor, " N"] | None:
    known = [part for part in parts if part is not None]
    return torch.cat(known) if known else None
