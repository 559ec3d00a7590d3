"""How near generated images come to real ones (NND), and how well D tells the pairs apart (JD).

Shapes: N images, C H W image, B batch, Z latent components.
"""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.data import scale
from bigan.evaluation.features import BATCH_SIZE
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.models.bigan import BiGAN
from bigan.models.statistics import DEPLOY_BATCH_SIZE, DEPLOY_BATCHES
from bigan.objectives.bigan import discriminator_loss

NUM_SAMPLES = (1_000, 10_000, 100_000)  # of NND/100, NND/10 and NND; official code, train_gan.py:612-762
MEGABATCH_SIZE = 10_000  # generated images in memory at a time, as in the official code,
MEGABATCH_VALUES = 2**27  # and no more than this many pixel values (512 MB)


def nearest_sample_distances(
    model: BiGAN, images: UInt8[Tensor, "N C H W"], num_samples: Sequence[int] = NUM_SAMPLES, seed: int = 0
) -> dict[int, float]:
    """Mean Euclidean distance from an image to the nearest of the first n generated ones, for each n (NND).

    Distances are over pixels in [0, 1]. The smaller sets are the beginning of the larger ones, so the distance falls
    as n grows.

    Source: official code, lib/metrics.py (nnd_score).
    """
    if not num_samples or min(num_samples) < 1:
        raise ValueError(f"num_samples is {tuple(num_samples)}; it must be one or more counts, each at least 1.")
    queries = scale(images).flatten(1).to(model.device)  # (N, P)
    z = model.sample_latents(max(num_samples), seed)
    step = max(1, min(MEGABATCH_SIZE, MEGABATCH_VALUES // queries.shape[1]))
    stops = sorted({*num_samples, *range(step, len(z), step)})
    nearest = torch.full((len(images),), torch.inf, device=queries.device)  # (N,)
    found = {}
    for start, stop in zip([0, *stops], stops, strict=False):
        distances, _ = nearest_neighbours(queries, _generate(model, z[start:stop]).flatten(1))  # (N, 1)
        nearest = torch.minimum(nearest, distances[:, 0])
        if stop in num_samples:
            found[stop] = nearest.double().mean().item()
    return found


@torch.no_grad()
def joint_loss(
    model: BiGAN, images: UInt8[Tensor, "N C H W"], num_batches: int = DEPLOY_BATCHES, seed: int = 0
) -> float:
    """D's mean loss over training batches of 128, in nats, under train-mode batch norm (JD).

    Equals log 2 when D is undecided. Each kind of pair is normalised by its own batch, so D here is a function of the
    batch. The model is not changed: its copy runs in train mode.

    Source: official code, train_gan.py (deploy).
    """
    model = copy.deepcopy(model).train()
    generator = torch.Generator().manual_seed(seed)
    seeds = torch.randint(2**62, (num_batches,), generator=generator).tolist()
    total = 0.0
    for latent_seed in seeds:
        chosen = torch.randint(len(images), (DEPLOY_BATCH_SIZE,), generator=generator).to(images.device)
        x = scale(images[chosen]).to(model.device)  # (B, C, H, W)
        z = model.sample_latents(DEPLOY_BATCH_SIZE, latent_seed)  # (B, Z)
        encoder_logits = model.score(x, model.encode(x))  # (B,)
        generator_logits = model.score(model.generate(z), z)  # (B,)
        total += discriminator_loss(encoder_logits, generator_logits).item()
    return total / num_batches


def _generate(model: BiGAN, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B C H W"]:
    return torch.cat([model.generate(batch) for batch in z.split(BATCH_SIZE)])
