"""Priors: sampling, the paths between latents, the share outside the prior, truncation.

Shapes: B batch, Z latent components, T steps along a path.
"""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.special import ndtri

from bigan.config import Prior

Path = Literal["prior", "slerp", "line"]
PATHS: tuple[Path, ...] = get_args(Path)

NORMAL_LIMIT = 3.0  # standard deviations; 0.27 % of the components of a normal prior lie beyond it
LARGEST_INSIDE = 1 - 2**-24  # the last float32 before 1: the probit is infinite at the ends of the uniform prior
MAX_GENERATOR_SEED = 2**63 - 1  # of torch.Generator; what people may choose ends sooner (config.MAX_SEED)
NORMAL_95 = 1.96  # standard deviations within which 95 % of a normal distribution lie
TINY = 1e-6  # lengths and angles (in radians) below it have no direction worth following


def sample(prior: Prior, shape: tuple[int, int], seed: int, truncation: float = 1.0) -> Float[Tensor, "B Z"]:
    """Latents from the prior, float32 on the CPU, by a generator of this call's own.

    Every component is made from one uniform number, drawn in order, so the first k latents of a seed are the same
    for every count. (torch.randn has no such order: 16 numbers or more come from another routine than fewer do.)

    Args:
        prior: pZ.
        shape: (B, Z).
        seed: 0 to 2^63 - 1.
        truncation: the central share t of each component's probability that is kept, in (0, 1]. For the uniform
            prior that is U(-t, t), for the normal one the normal truncated to +-probit((1 + t) / 2). Nothing is drawn
            again: the same seed moves smoothly towards the centre as t falls.

    Raises:
        ValueError: a seed or a truncation out of range.

    Source: the truncation trick, Brock et al. 2019 (BigGAN), section 3.1, by the inverse distribution function in
        place of drawing again.
    """
    if not 0 < truncation <= 1:
        raise ValueError(f"truncation is {truncation}; it must be above 0 and at most 1.")
    if not 0 <= seed <= MAX_GENERATOR_SEED:
        raise ValueError(f"seed is {seed}; it must be 0 to {MAX_GENERATOR_SEED}.")
    generator = torch.Generator().manual_seed(seed)
    if prior == "uniform":
        return (torch.rand(shape, generator=generator) * 2 - 1) * truncation  # (B, Z)
    u = torch.rand(shape, generator=generator, dtype=torch.float64) + 2**-54  # (B, Z), in (0, 1): never at an end
    return ndtri(0.5 + truncation * (u - 0.5)).float()  # (B, Z)


def interpolate(
    start: Float[Tensor, " Z"], end: Float[Tensor, " Z"], num_steps: int, path: Path, prior: Prior
) -> Float[Tensor, "T Z"]:
    """Latents on a path, evenly spaced; the first is start and the last is end, bit for bit.

    "prior" respects the prior: the probit maps each component to a normal one, the path is a slerp there, and the
    normal distribution function maps it back; for a normal prior it is the slerp itself. "slerp" turns the direction
    at constant speed while the norm changes linearly. "line" is the straight line.

    Between parallel vectors, and to or from zero, a slerp is the line; between opposite ones it takes the half circle
    through a direction fixed once and for all. Components at or beyond the ends of a uniform prior count as the
    largest number inside.

    Args:
        start: where the path begins.
        end: where it ends.
        num_steps: T, at least 2, both ends included.
        path: one of PATHS.
        prior: pZ, which "prior" needs to know.

    Raises:
        ValueError: an unknown path, too few steps, or an end that is not finite.

    Source: White 2016, "Sampling generative networks", section 2.1, for the slerp.
    """
    if path not in PATHS:
        raise ValueError(f"path is {path!r}; it must be one of {', '.join(PATHS)}.")
    if num_steps < 2:
        raise ValueError(f"num_steps is {num_steps}; it must be at least 2, for both ends.")
    if not (start.isfinite().all() and end.isfinite().all()):
        raise ValueError("A path needs two ends whose numbers are all finite.")
    a, b = start.detach().cpu().double(), end.detach().cpu().double()  # (Z,)
    t = torch.linspace(0, 1, num_steps, dtype=torch.float64).unsqueeze(1)  # (T, 1)
    if path == "line":
        z = _line(a, b, t)
    elif path == "prior":
        z = from_normal(_slerp(to_normal(a, prior), to_normal(b, prior), t), prior)
    else:
        z = _slerp(a, b, t)
    z = z.to(start)  # (T, Z)
    z[0], z[-1] = start, end
    return z


def _line(a: Float64[Tensor, " Z"], b: Float64[Tensor, " Z"], t: Float64[Tensor, "T 1"]) -> Float64[Tensor, "T Z"]:
    return (1 - t) * a + t * b


def _slerp(a: Float64[Tensor, " Z"], b: Float64[Tensor, " Z"], t: Float64[Tensor, "T 1"]) -> Float64[Tensor, "T Z"]:
    norms = a.norm(), b.norm()
    if min(norms) < TINY:
        return _line(a, b, t)
    a_hat, b_hat = a / norms[0], b / norms[1]
    # the angle between unit vectors, exact at 0 and pi too, where acos of their product is not
    angle = 2 * torch.atan2((a_hat - b_hat).norm(), (a_hat + b_hat).norm())
    # the same for a and -a, so that the way back is the way there
    towards = b_hat if angle < math.pi - TINY else torch.arange(len(a), dtype=torch.float64).cos()
    across = towards - (towards @ a_hat) * a_hat  # at right angles to a, in the plane of the path
    if angle < TINY or across.norm() < TINY:  # the second with one component alone
        return _line(a, b, t)
    # |z| (cos(t w) a_hat + sin(t w) across_hat), from a at t = 0 to b at t = 1
    direction = torch.cos(t * angle) * a_hat + torch.sin(t * angle) * across / across.norm()  # (T, Z)
    return ((1 - t) * norms[0] + t * norms[1]) * direction  # (T, Z)


def to_normal(z: Float64[Tensor, "*B Z"], prior: Prior) -> Float64[Tensor, "*B Z"]:
    """Latents as points of a normal prior, component by component: where sums and means respect the prior.

    Components at or beyond the ends of a uniform prior count as the largest number inside. A normal prior stays as it
    is.
    """
    if prior == "normal":
        return z
    # probit((1 + z) / 2) = sqrt(2) erfinv(z)
    return math.sqrt(2) * torch.erfinv(z.clamp(-LARGEST_INSIDE, LARGEST_INSIDE))


def from_normal(g: Float64[Tensor, "*B Z"], prior: Prior) -> Float64[Tensor, "*B Z"]:
    """The way back of `to_normal`: always inside a uniform prior."""
    if prior == "normal":
        return g
    # 2 Phi(g) - 1 = erf(g / sqrt(2))
    return torch.erf(g / math.sqrt(2))


def off_prior_share(z: Float[Tensor, "B Z"], prior: Prior) -> Float[Tensor, " B"]:
    """The share of each latent's components that lie outside the prior, 0 to 1.

    Outside U(-1, 1) is beyond +-1. A normal prior has no outside: beyond NORMAL_LIMIT standard deviations counts, where
    0.27 % of its own components lie.
    """
    return (z.abs() > prior_limit(prior)).float().mean(1)  # (B,)


def prior_limit(prior: Prior) -> float:
    """How far from 0 a component may be without counting as outside the prior."""
    return 1.0 if prior == "uniform" else NORMAL_LIMIT


def typical_norm(prior: Prior, latent_dim: int) -> float:
    """The root mean square of |z| over the prior: sqrt(Z / 3) if uniform, sqrt(Z) if normal."""
    variance = 1 / 3 if prior == "uniform" else 1.0
    return math.sqrt(latent_dim * variance)


def usual_norms(prior: Prior, latent_dim: int) -> tuple[float, float]:
    """Between which lengths 19 of 20 draws lie, taking |z|^2, a sum of many squares, for normally distributed."""
    mean, variance = {"uniform": (1 / 3, 4 / 45), "normal": (1.0, 2.0)}[prior]  # of a component's square
    around = NORMAL_95 * math.sqrt(latent_dim * variance)
    return math.sqrt(max(0.0, latent_dim * mean - around)), math.sqrt(latent_dim * mean + around)
