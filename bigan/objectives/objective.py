"""What an objective is: players, each with networks of its own and a loss that it descends.

A step of training asks for all losses of a batch at once; each player's gradient is taken with respect to its own
networks alone, so that a loss may run through another player's networks without moving them.
Shapes: B batch, C H W image, Z latent components.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from jaxtyping import Float, Int64
from torch import Tensor

from bigan.config import NETWORKS, Network
from bigan.models.bigan import BiGAN


class Batch(NamedTuple):
    """What one step may use."""

    x: Float[Tensor, "B C H W"]
    """Real images in [0, 1]."""
    z: Float[Tensor, "B Z"]
    """Latents from the prior, drawn independently of the images."""
    labels: Int64[Tensor, " B"]
    """Classes of the images; only a supervised objective looks at them."""


class Objective(ABC):
    """A way to train a model: what each of its networks descends."""

    players: ClassVar[Mapping[str, tuple[Network, ...]]]
    """Name of a loss -> the networks that descend it together. The first is D's where there is a D."""
    ships: ClassVar[tuple[Network, ...]] = NETWORKS
    """Those networks of the trained model that its checkpoint keeps."""

    def begin(self, model: BiGAN) -> None:  # noqa: B027  most objectives have nothing to do here
        """Adjust the freshly drawn weights."""

    @abstractmethod
    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The loss of each player, in nats unless said otherwise, in one forward pass."""
