"""What several models make of the same images, or of the same seed, each as far as its networks go.

Shapes: Q images, N gallery images, F features, Z latent components, C H W image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jaxtyping import Float
from torch import Tensor

from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import Neighbour, distances_to, nearest_images, pair_distances
from bigan.explore.projection import space_features
from bigan.explore.reconstruction import SMALLEST
from bigan.latent import off_prior_share
from bigan.models.bigan import BiGAN, CapabilityError

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Reading:
    """What one model makes of some images, on the CPU; None where it has no network for it."""

    x_hat: Float[Tensor, "Q C H W"] | None
    """G(E(x))."""
    distances: Float[Tensor, " Q"] | None
    """|x - G(E(x))|."""
    ratios: Float[Tensor, " Q"] | None
    """Each distance over the mean distance between G(E(x)) and the gallery's images: 1 is no better than chance."""
    percentiles: Float[Tensor, " Q"] | None
    """For each image the share of the gallery's images that are farther from G(E(x)) than x is."""
    off_prior_shares: Float[Tensor, " Q"] | None
    """Share of the components of E(x) outside the model's own prior."""
    logits: Float[Tensor, " Q"] | None
    """D(x, E(x))."""
    neighbours: tuple[tuple[Neighbour, ...], ...] | None
    """For each image the nearest of the gallery, by features of this model's penultimate layer."""
    shortcomings: tuple[str, ...]
    """Which networks the others would need, in a sentence each."""


@dataclass(frozen=True)
class Drawing:
    """What one model generates from a seed, on the CPU; None where it has no network for it."""

    latents: Float[Tensor, "Q Z"]
    """Equal to another model's where prior and number of components are."""
    images: Float[Tensor, "Q C H W"] | None
    """G(z)."""
    logits: Float[Tensor, " Q"] | None
    """D(G(z), z)."""
    latents_back: Float[Tensor, "Q Z"] | None
    """E(G(z))."""
    shortcomings: tuple[str, ...]
    """Why something is None, in a sentence each."""


def gallery_features(model: BiGAN, gallery: Gallery) -> Float[Tensor, "N F"] | None:
    """A gallery in the eyes of a model, to be computed once; None if the model has no network that sees an image alone.

    A `GalleryIndex` has them as its features.

    Raises:
        ValueError: the images are not of the model's shape.
    """
    _check_shapes([model], tuple(gallery.images.shape[1:]))
    return _ask(lambda: space_features(model, gallery.images, "penultimate"), [])


def compare(
    models: Sequence[BiGAN],
    x: Float[Tensor, "Q C H W"],
    gallery: Gallery,
    features: Sequence[Float[Tensor, "N _"] | None],
) -> tuple[Reading, ...]:
    """What each model makes of the same images.

    Args:
        models: of one image shape.
        x: float32 in [0, 1].
        gallery: the scale of the ratios, and where neighbours are looked for; the same for all models.
        features: of the gallery, for each model (`gallery_features`).

    Raises:
        ValueError: images that are not of every model's shape, or features that are not of these models and gallery.
    """
    for shape in (tuple(x.shape[1:]), tuple(gallery.images.shape[1:])):
        _check_shapes(models, shape)
    if len(features) != len(models) or any(f is not None and len(f) != len(gallery) for f in features):
        sizes = ", ".join("none" if f is None else str(len(f)) for f in features)
        raise ValueError(
            f"There are features of {sizes} images for {len(models)} models; each model needs those of "
            f"{len(gallery)} images, or none."
        )
    return tuple(_read(model, x.cpu(), gallery, known) for model, known in zip(models, features, strict=True))


def compare_samples(models: Sequence[BiGAN], num_samples: int, seed: int) -> tuple[Drawing, ...]:
    """What each model generates from the same seed.

    Raises:
        ValueError: a seed out of range.
    """
    return tuple(_draw(model, num_samples, seed) for model in models)


def _read(
    model: BiGAN, x: Float[Tensor, "Q C H W"], gallery: Gallery, features: Float[Tensor, "N F"] | None
) -> Reading:
    lacks: list[str] = []
    z = _ask(lambda: model.encode(x).cpu(), lacks)  # (Q, Z)
    x_hat = None if z is None else _ask(lambda: model.generate(z).cpu(), lacks)  # (Q, C, H, W)
    logits = None if z is None else _ask(lambda: model.score(x, z).cpu(), lacks)  # (Q,)
    own = None if features is None else _ask(lambda: model.features(x).cpu(), lacks)  # (Q, F)
    distances = ratios = percentiles = None
    if x_hat is not None:
        distances = pair_distances(x.flatten(1), x_hat.flatten(1))  # (Q,)
        to_gallery = distances_to(x_hat.flatten(1), gallery.images.flatten(1))  # (Q, N)
        percentiles = (to_gallery > distances[:, None]).float().mean(1)  # (Q,)
        ratios = distances / to_gallery.mean(1).clamp(min=SMALLEST)  # (Q,)
    return Reading(
        x_hat=x_hat,
        distances=distances,
        ratios=ratios,
        percentiles=percentiles,
        off_prior_shares=None if z is None else off_prior_share(z, model.config.prior),
        logits=logits,
        neighbours=None if own is None or features is None else nearest_images(own, features, gallery),
        shortcomings=tuple(lacks),
    )


def _draw(model: BiGAN, num_samples: int, seed: int) -> Drawing:
    lacks: list[str] = []
    z = model.sample_latents(num_samples, seed)  # (Q, Z)
    images = _ask(lambda: model.generate(z), lacks)  # (Q, C, H, W)
    logits = None if images is None else _ask(lambda: model.score(images, z).cpu(), lacks)  # (Q,)
    back = None if images is None else _ask(lambda: model.encode(images).cpu(), lacks)  # (Q, Z)
    return Drawing(z.cpu(), None if images is None else images.cpu(), logits, back, tuple(lacks))


def _ask(question: Callable[[], _Answer], lacks: list[str]) -> _Answer | None:
    """The answer; None from a model that has no network for it, whose reason is added to what it lacks."""
    try:
        return question()
    except CapabilityError as error:
        lacks.append(str(error))
        return None


def _check_shapes(models: Sequence[BiGAN], shape: tuple[int, ...]) -> None:
    for model in models:
        if model.config.image_shape != shape:
            raise ValueError(f"The images have the shape {shape}; a model here takes {model.config.image_shape}.")
