"""A walk through the latent space: the images on a path, and how even and how honest it is.

Shapes: T steps, Z latent components, C H W image.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.latent import Path, interpolate, off_prior_share
from bigan.models.bigan import BiGAN


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
    logits: Float[Tensor, " T"]
    """D(G(z), z)."""

    @property
    def unevenness(self) -> float:
        """Standard deviation of the pixel steps over their mean; 0 where all are alike, and where nothing moves."""
        mean = self.pixel_steps.mean().item()
        return self.pixel_steps.std(correction=0).item() / mean if mean > 0 else 0.0


def walk(model: BiGAN, start: Float[Tensor, " Z"], end: Float[Tensor, " Z"], num_steps: int, path: Path) -> Walk:
    """The walk from one latent to another, both included.

    Args:
        model: generates the images.
        start: the first latent, kept bit for bit.
        end: the last latent, kept bit for bit.
        num_steps: T, at least 2.
        path: one of `latent.PATHS`.

    Raises:
        ValueError: latents of another size than the model's, or as `latent.interpolate`.
    """
    latent_dim = model.config.latent_dim
    if not len(start) == len(end) == latent_dim:
        raise ValueError(
            f"The ends have {len(start)} and {len(end)} components; this model's latents have {latent_dim}."
        )
    z = interpolate(start.cpu(), end.cpu(), num_steps, path, model.config.prior)  # (T, Z)
    x = model.generate(z)  # (T, C, H, W)
    return Walk(
        latents=z,
        images=x.cpu(),
        off_prior_shares=off_prior_share(z, model.config.prior),
        pixel_steps=torch.linalg.vector_norm(x.flatten(1).diff(dim=0), dim=1).cpu(),  # (T - 1,)
        logits=model.score(x, z).cpu(),
    )
