"""The permutation-invariant networks of the paper's MNIST experiment: multi-layer perceptrons.

No biases and no affine batch norm anywhere. Under autocast the matrix products are bfloat16 and everything between
them is float32: with batch norm or an output left in bfloat16, D learns to see the rounding.

Shapes: B batch, C H W image, P = C H W pixels, N hidden units, Z latent components.
Source: Donahue et al. 2017, section 4.2; official code, net.py:839-858 and 1130-1134.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from jaxtyping import Float
from torch import Tensor, nn

from bigan.config import ModelConfig

INITIAL_STD = 0.02  # official code, net.py:120
BATCH_NORM_EPS = 1e-8  # official code, net.py:483-530
LEAKY_SLOPE = 0.2  # of E and D; G has plain ReLUs


class Matrix(nn.Linear):
    """A linear map without a bias, its weights drawn from N(0, std^2) by `initialise`."""

    def __init__(self, in_dim: int, out_dim: int, std: float = INITIAL_STD) -> None:
        super().__init__(in_dim, out_dim, bias=False)
        self.std = std

    def reset_parameters(self) -> None:
        """Leave the weights at zero: `initialise` or a checkpoint fills them, never the global generator."""
        nn.init.zeros_(self.weight)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw every matrix of a network from its N(0, std^2)."""
    for layer in network.modules():
        if isinstance(layer, Matrix):
            nn.init.normal_(layer.weight, std=layer.std, generator=generator)


class HiddenLayer(nn.Module):
    """Matrix (+ matrix of z) -> batch norm -> leaky ReLU."""

    def __init__(self, in_dim: int, out_dim: int, *, slope: float, batch_norm: bool, latent_dim: int = 0) -> None:
        super().__init__()
        self.linear = Matrix(in_dim, out_dim)
        self.inject = Matrix(latent_dim, out_dim) if latent_dim else None
        # momentum=None: running statistics are plain averages over the batches since the last reset
        self.norm = nn.BatchNorm1d(out_dim, BATCH_NORM_EPS, momentum=None, affine=False) if batch_norm else None
        self.slope = slope

    def forward(self, h: Float[Tensor, "B N"], z: Float[Tensor, "B Z"] | None = None) -> Float[Tensor, "B M"]:
        """Activations after the non-linearity, float32."""
        a = self.linear(h).float()  # (B, M)
        if self.inject is not None:
            assert z is not None
            a = a + self.inject(z).float()  # (B, M)
        if self.norm is not None:
            a = self.norm(a)
        return F.leaky_relu(a, self.slope)


class Encoder(nn.Module):
    """E: image -> latent. No batch norm in the first layer."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        sizes = [config.num_pixels] + [config.hidden_dim] * config.num_hidden_layers
        self.hidden = nn.ModuleList(
            HiddenLayer(m, n, slope=LEAKY_SLOPE, batch_norm=config.batch_norm and i > 0)
            for i, (m, n) in enumerate(pairwise(sizes))
        )
        self.output = Matrix(config.hidden_dim, config.latent_dim)
        self.prior = config.prior

    def activations(self, x: Float[Tensor, "B C H W"]) -> Iterator[Float[Tensor, "B N"]]:
        """Each hidden layer's activations in turn, and last the raw output a, before it is squashed."""
        h = x.flatten(1)  # (B, P)
        for layer in self.hidden:
            h = layer(h)  # (B, N)
            yield h
        yield self.output(h).float()  # (B, Z)

    def output_of(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B Z"]:
        """The raw output a, before it is squashed."""
        *_, a = self.activations(x)
        return a

    def squash(self, a: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
        """The raw output, brought into the support of the prior."""
        # uniform prior: 2 sigmoid(a) - 1 = tanh(a / 2)
        return torch.tanh(a / 2) if self.prior == "uniform" else a

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B Z"]:
        """E(x), inside the prior's support."""
        return self.squash(self.output_of(x))


class Generator(nn.Module):
    """G: latent -> image in [0, 1]. z is added again, through its own matrix, from the second hidden layer on."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        z_dim, n = config.latent_dim, config.hidden_dim
        self.hidden = nn.ModuleList(
            HiddenLayer(n if i else z_dim, n, slope=0.0, batch_norm=config.batch_norm, latent_dim=z_dim if i else 0)
            for i in range(config.num_hidden_layers)
        )
        self.output = Matrix(n, config.num_pixels)
        self.image_shape = config.image_shape

    def forward(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B C H W"]:
        """G(z) in [0, 1]."""
        h = z
        for layer in self.hidden:
            h = layer(h, z)  # (B, N)
        return torch.sigmoid(self.output(h).float()).unflatten(1, self.image_shape)  # (B, C, H, W)


class Discriminator(nn.Module):
    """D: (image, latent) -> logit, positive for an encoder pair. z enters from the second hidden layer on.

    A GAN's sees the image alone, and its logit is positive for a real one.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        n, z_dim = config.hidden_dim, config.latent_dim if config.discriminator_sees == "pair" else 0
        self.hidden = nn.ModuleList(
            HiddenLayer(
                n if i else config.num_pixels,
                n,
                slope=LEAKY_SLOPE,
                batch_norm=config.batch_norm and i > 0,
                latent_dim=z_dim if i else 0,
            )
            for i in range(config.num_hidden_layers)
        )
        self.output = Matrix(n, 1, std=0.0)  # zero: D starts undecided, at log 2

    def activations(
        self, x: Float[Tensor, "B C H W"], z: Float[Tensor, "B Z"] | None = None
    ) -> Iterator[Float[Tensor, "B N"]]:
        """Each hidden layer's activations in turn, and last the logit, (B, 1)."""
        h = x.flatten(1)  # (B, P)
        for layer in self.hidden:
            h = layer(h, z)  # (B, N)
            yield h
        yield self.output(h).float()  # (B, 1)

    def forward(self, x: Float[Tensor, "B C H W"], z: Float[Tensor, "B Z"] | None = None) -> Float[Tensor, " B"]:
        """The logit of "this is an encoder pair", or of "this is a real image"; z only for a D of pairs."""
        *_, logit = self.activations(x, z)
        return logit.squeeze(1)  # (B,)
