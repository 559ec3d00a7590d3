"""What some gallery images have in common.

Shapes: N gallery images, n selected ones, Z latent components, C H W image.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.data import scale
from bigan.explore.directions import Direction, selection_direction
from bigan.explore.reconstruction import GalleryIndex
from bigan.explore.sampling import mean_latent
from bigan.models.bigan import BiGAN


@dataclass(frozen=True)
class SelectionSummary:
    """Labels, means and direction of a selection."""

    num: int
    """How many images it has."""
    label_counts: tuple[int, ...]
    """Of each of the gallery's classes, in their order."""
    mean_image: Float[Tensor, "C H W"]
    """Pixel by pixel, in [0, 1]."""
    mean_latent: Float[Tensor, " Z"]
    """Of E(x), as typical of the prior as they are (see `sampling.mean_latent`)."""
    generated: Float[Tensor, "C H W"]
    """G of the mean latent."""
    direction: Direction | None
    """From the mean E(x) of all other gallery images to the selection's: the way to become more like the selection.
    None where there is no other image, or none that differs."""


def summarise(model: BiGAN, index: GalleryIndex, ids: Iterable[str]) -> SelectionSummary:
    """What the images with these ids have in common; one named twice counts once.

    Args:
        model: the one the index was made with.
        index: of the gallery they are from.
        ids: at least one.

    Raises:
        ValueError: no ids, or one that the gallery does not have.
    """
    gallery = index.gallery
    chosen = tuple(dict.fromkeys(ids))
    if not chosen:
        raise ValueError("The selection is empty; it must have at least one image.")
    rows = gallery.indices_of(chosen)  # (n,)
    z = mean_latent(index.latents[rows], model.config.prior)  # (Z,)
    return SelectionSummary(
        num=len(chosen),
        label_counts=tuple(torch.bincount(gallery.labels[rows], minlength=len(gallery.class_names)).tolist()),
        mean_image=scale(gallery.images[rows]).mean(0),
        mean_latent=z,
        generated=model.generate(z[None])[0].cpu(),
        direction=_from_the_rest(index, chosen),
    )


def _from_the_rest(index: GalleryIndex, chosen: tuple[str, ...]) -> Direction | None:
    inside = set(chosen)
    rest = [image_id for image_id in index.gallery.ids if image_id not in inside]
    try:
        return replace(selection_direction(index, rest, chosen), name="from the rest to the selection")
    except ValueError:  # no rest, or the same mean
        return None
