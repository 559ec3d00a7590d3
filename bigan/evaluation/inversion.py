"""How nearly E and G invert each other: EGr, EGg, the latent round trip, and the marginal of E(x).

Shapes: N images, C H W image, B batch, Z latent components.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from bigan.config import Prior
from bigan.data import scale, to_uint8
from bigan.evaluation.features import BATCH_SIZE
from bigan.models.bigan import BiGAN


@dataclass(frozen=True)
class RoundTrip:
    """Mean distance between where a round trip starts and where it ends, and the same for mismatched pairs."""

    distance: float
    baseline: float
    num_samples: int

    @property
    def ratio(self) -> float:
        """Distance relative to the baseline: 0 for exact inverses, near 1 for chance (1 where all are equal)."""
        return self.distance / self.baseline if self.baseline else 1.0


def reconstruction(model: BiGAN, images: UInt8[Tensor, "N C H W"]) -> RoundTrip:
    """Mean Euclidean distance between x and G(E(x)) (EGr), and between the next image and G(E(x)) (EGr_b).

    Source: official code, train_gan.py:612-762 (image_recon_error). There the last image of a batch has the batch's
    first as its next; here the last of all has the first of all, so that the batch size plays no part.
    """
    return _image_round_trip(model, lambda index: scale(images[index.to(images.device)]), len(images))


def generated_reconstruction(model: BiGAN, num_samples: int, seed: int) -> RoundTrip:
    """The same as `reconstruction`, for generated images rounded to 8 bits (EGg and EGg_b).

    Source: official code, train_gan.py:612-762 (gen_output_to_enc_input).
    """
    z = model.sample_latents(num_samples, seed)  # (N, Z)

    def images_at(index: Int64[Tensor, " B"]) -> Float[Tensor, "B C H W"]:
        return scale(to_uint8(model.generate(z[index.to(z.device)])))

    return _image_round_trip(model, images_at, num_samples)


def latent_round_trip(model: BiGAN, num_samples: int, seed: int) -> RoundTrip:
    """Mean Euclidean distance between z and E(G(z)), and between the next z and E(G(z)), for z from the prior."""
    z = model.sample_latents(num_samples, seed)  # (N, Z)
    _at_least_two(num_samples)
    z_hat = torch.cat([model.encode(model.generate(batch)) for batch in z.split(BATCH_SIZE)])  # (N, Z)
    distances = torch.linalg.vector_norm(z_hat - z, dim=1).double()  # (N,)
    baselines = torch.linalg.vector_norm(z_hat - z.roll(-1, 0), dim=1).double()  # (N,)
    return RoundTrip(distances.mean().item(), baselines.mean().item(), num_samples)


def prior_distance(latents: Float[Tensor, "N Z"], prior: Prior) -> float:
    """How far the components of E(x) are from the prior, each by itself: 0 is the prior, 1 as far as can be.

    The mean over components of the Kolmogorov-Smirnov distance between the component's empirical distribution and
    the prior's distribution function.
    """
    ordered = latents.double().sort(0).values  # (N, Z)
    cdf = torch.special.ndtr(ordered) if prior == "normal" else ((ordered + 1) / 2).clamp(0, 1)  # (N, Z)
    steps = torch.arange(len(cdf) + 1, device=cdf.device, dtype=cdf.dtype)[:, None] / len(cdf)  # (N + 1, 1)
    # the empirical distribution jumps from (i - 1) / N to i / N at the i-th value: look on both sides
    above = (steps[1:] - cdf).amax(0)  # (Z,)
    below = (cdf - steps[:-1]).amax(0)  # (Z,)
    return torch.maximum(above, below).mean().item()


def _image_round_trip(
    model: BiGAN, images_at: Callable[[Int64[Tensor, " B"]], Float[Tensor, "B C H W"]], num_images: int
) -> RoundTrip:
    _at_least_two(num_images)
    totals = torch.zeros(2, dtype=torch.float64)
    for start in range(0, num_images, BATCH_SIZE):
        stop = min(start + BATCH_SIZE, num_images)
        x = images_at(torch.arange(start, stop + 1) % num_images).to(model.device)  # (B + 1, C, H, W)
        x_hat = model.reconstruct(x[:-1])  # (B, C, H, W)
        for i, original in enumerate((x[:-1], x[1:])):
            totals[i] += torch.linalg.vector_norm((original - x_hat).flatten(1), dim=1).double().sum().cpu()
    distance, baseline = (totals / num_images).tolist()
    return RoundTrip(distance, baseline, num_images)


def _at_least_two(num_samples: int) -> None:
    if num_samples < 2:
        raise ValueError(f"{num_samples} samples; there must be at least 2, as the baseline is about the next one.")
