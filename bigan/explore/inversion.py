"""How good E could be: gradient descent on |x - G(z)| from E(x) and from random latents.

Shapes: S starts, C H W image, Z latent components.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.latent import prior_limit
from bigan.models.bigan import BiGAN

NUM_RANDOM = 8
NUM_STEPS = 200
MAX_STARTS, MAX_STEPS = 256, 10_000
# Adam, Kingma and Ba 2015, algorithm 1, with its decay rates; the learning rate is ours. Written out: the first step of
# torch.optim.Adam in a process imports torch's compiler, 2 s and 70 MB that a page would wait for.
LEARNING_RATE, DECAY_1, DECAY_2, EPSILON = 0.1, 0.9, 0.999, 1e-8
LARGEST_ANGLE = math.pi / 2 - 1e-3  # beyond it a start at the end of the prior has no slope; z moves by 5e-7 at most


@dataclass(frozen=True)
class InversionStep:
    """The best found so far, on the CPU. A page can show it, and stop asking for more."""

    step: int
    """Of the descent; at 0 there are the starts themselves."""
    distances: Float[Tensor, " S"]
    """|x - G(z)| of the best z of each start; they never rise."""
    best_latent: Float[Tensor, " Z"]
    """The best z of all, inside the prior."""
    best_image: Float[Tensor, "C H W"]
    """G of it."""


@dataclass(frozen=True)
class EncoderGap:
    """How far E's guess is from the best z found: the honest measure of E for one image."""

    encoder_distance: float
    """|x - G(E(x))|."""
    best_distance: float
    """|x - G(z)| of the best z."""
    best_from: Literal["E(x)", "random"]
    """Where its descent began."""

    @property
    def ratio(self) -> float:
        """The first over the second: 1 where nothing better than E(x) was found; infinite where z is exact."""
        if self.encoder_distance == self.best_distance:
            return 1.0
        return self.encoder_distance / self.best_distance if self.best_distance else math.inf


def starts(model: BiGAN, x: Float[Tensor, "1 C H W"], seed: int, num_random: int = NUM_RANDOM) -> Float[Tensor, "S Z"]:
    """Where to begin: E(x) first, then latents drawn from the prior."""
    return torch.cat([model.encode(x), model.sample_latents(num_random, seed)]).cpu()  # (S, Z)


def invert(
    model: BiGAN, x: Float[Tensor, "1 C H W"], starts: Float[Tensor, "S Z"], num_steps: int = NUM_STEPS
) -> Iterator[InversionStep]:
    """Adam on |x - G(z)|^2 from all starts at once, step by step; the model is never changed.

    Every component is z = l sin(a), and a is what moves: z stays inside the prior, and unlike with a tanh its ends are
    no trap. l is the end of the prior (see `latent.prior_limit`), or the start itself where that lies farther out.

    Args:
        model: in eval mode, as from `bigan.load`.
        x: float32 in [0, 1].
        starts: as `starts` gives them.
        num_steps: of the descent; a run is the beginning of every longer one.

    Raises:
        ValueError: an image or latents that are not the model's or not finite, counts out of range, or a model that is
            not in eval mode.

    Source: Zhu et al. 2016, Generative visual manipulation on the natural image manifold, equation 4.
    """
    config = model.config
    if x.shape != (1, *config.image_shape) or not x.isfinite().all():
        raise ValueError(f"The image must be finite and {(1, *config.image_shape)}; this one is {tuple(x.shape)}.")
    if starts.shape[1:] != (config.latent_dim,) or not starts.isfinite().all():
        raise ValueError(f"Starts must be finite, {config.latent_dim} numbers each; these are {tuple(starts.shape)}.")
    if not 1 <= len(starts) <= MAX_STARTS:
        raise ValueError(f"There are {len(starts)} starts; there must be 1 to {MAX_STARTS}.")
    if not 1 <= num_steps <= MAX_STEPS:
        raise ValueError(f"num_steps is {num_steps}; it must be 1 to {MAX_STEPS:,}.")
    if model.generator.training:
        raise ValueError("The model is in training mode; put it into eval mode first.")
    return _descend(model, x.to(model.device), starts.to(model.device), num_steps)


def _descend(
    model: BiGAN, x: Float[Tensor, "1 C H W"], starts: Float[Tensor, "S Z"], num_steps: int
) -> Iterator[InversionStep]:
    limits = starts.abs().clamp(min=prior_limit(model.config.prior))  # (S, Z)
    angles = torch.asin(starts / limits).clamp(-LARGEST_ANGLE, LARGEST_ANGLE)  # (S, Z)
    mean = square = torch.zeros_like(angles)  # (S, Z): of the gradient
    best = torch.full((len(starts),), math.inf, device=starts.device)  # (S,)
    best_latent, best_image = starts[0], x[0]
    for step in range(num_steps + 1):
        z, x_hat, distances, gradient = _look(model, x, angles, limits)
        first = int(distances.argmin())
        if distances[first] < best.min():
            best_latent, best_image = z[first].cpu(), x_hat[first].cpu()
        best = torch.minimum(best, distances)
        yield InversionStep(step, best.cpu(), best_latent, best_image)
        mean = DECAY_1 * mean + (1 - DECAY_1) * gradient
        square = DECAY_2 * square + (1 - DECAY_2) * gradient.square()
        # a <- a - rate * m_hat / (sqrt(v_hat) + epsilon), both averages corrected for starting at 0
        m_hat, v_hat = mean / (1 - DECAY_1 ** (step + 1)), square / (1 - DECAY_2 ** (step + 1))
        angles = angles - LEARNING_RATE * m_hat / (v_hat.sqrt() + EPSILON)


@torch.inference_mode(False)  # a caller may be in inference mode, where nothing has a gradient
@torch.enable_grad()
def _look(
    model: BiGAN, x: Float[Tensor, "1 C H W"], angles: Float[Tensor, "S Z"], limits: Float[Tensor, "S Z"]
) -> tuple[Float[Tensor, "S Z"], Float[Tensor, "S C H W"], Float[Tensor, " S"], Float[Tensor, "S Z"]]:
    """The latents, their images, their distances from x, and the gradient of |x - G(z)|^2 in the angles."""
    x, limits = x.clone(), limits.clone()  # made in inference mode, they could not take part
    angles = angles.clone().requires_grad_()
    z = limits * angles.sin()  # (S, Z)
    x_hat = model.generator(z)  # (S, C, H, W)
    squares = (x - x_hat).square().flatten(1).sum(1)  # (S,)
    (gradient,) = torch.autograd.grad(squares.sum(), angles)  # of the angles only: no weight keeps one
    return z.detach(), x_hat.detach(), squares.detach().sqrt(), gradient


def encoder_gap(first: InversionStep, last: InversionStep) -> EncoderGap:
    """What the descent found beyond E(x), the first of its starts.

    Args:
        first: its step 0.
        last: its last one so far.

    Raises:
        ValueError: the first step is not step 0, or the two are of different descents.
    """
    if first.step != 0 or len(first.distances) != len(last.distances):
        raise ValueError(f"The gap needs step 0 of the same descent; got step {first.step}.")
    best = int(last.distances.argmin())
    return EncoderGap(first.distances[0].item(), last.distances[best].item(), "random" if best else "E(x)")
