"""Priors: sampling, the paths between latents, the share outside the prior, truncation.

Shapes: B batch, Z latent components, T steps along a path.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior


def sample(prior: Prior, shape: tuple[int, int], seed: int, truncation: float = 1.0) -> Float[Tensor, "B Z"]:
    """Latents from the prior, float32 on the CPU, by a generator of this call's own."""
    generator = torch.Generator().manual_seed(seed)
    if prior == "uniform":
        return (torch.rand(shape, generator=generator) * 2 - 1) * truncation
    return torch.randn(shape, generator=generator) * truncation
