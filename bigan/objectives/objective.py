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

from bigan.config import NETWORKS, ModelConfig, Network, Sight, TrainConfig
from bigan.models.bigan import BiGAN


class Batch(NamedTuple):
    """What one step may use."""

    x: Float[Tensor, "B C H W"]
    """Real images in [0, 1]."""
    z: Float[Tensor, "B Z"]
    """Latents from the prior, drawn independently of the images."""
    labels: Int64[Tensor, " B"]
    """Classes of the images; only a supervised objective looks at them."""
    seed: int = 0
    """Of whatever else is random in this step."""


class Objective(ABC):
    """A way to train a model: what each of its networks descends."""

    players: ClassVar[Mapping[str, tuple[Network, ...]]]
    """Name of a loss -> the networks that descend it together. The first is D's where there is a D."""
    judges: ClassVar[Sight | None] = None
    """What its D must see, where it has one."""
    ships: ClassVar[tuple[Network, ...]] = NETWORKS
    """Those networks of the trained model that its checkpoint keeps."""
    decodes: ClassVar[bool] = False
    """Its G is trained on E(x), and has never seen a latent of the prior."""

    def begin(self, model: BiGAN) -> None:  # noqa: B027  most objectives have nothing to do here
        """Adjust the freshly drawn weights."""

    def check_fits(self, model: ModelConfig, train: TrainConfig) -> None:
        """Refuse a model that it cannot train.

        Raises:
            ValueError: the model lacks a network or has one that nobody trains, its D sees something else, or there is
                no D to alternate with.
        """
        trained = [name for names in self.players.values() for name in names]
        if missing := [name for name in trained if name not in model.networks]:
            raise ValueError(
                f"networks is {', '.join(model.networks)}; the objective {train.objective!r} also trains the "
                f"{missing[0]}."
            )
        idle = [name for name in model.networks if name not in trained]
        if idle and train.start is None:
            raise ValueError(
                f"start is not given; the objective {train.objective!r} does not train the {idle[0]}, so it must come "
                "from a checkpoint."
            )
        if self.judges not in (None, model.discriminator_sees):
            raise ValueError(
                f"discriminator_sees is {model.discriminator_sees!r}; for the objective {train.objective!r} it must be "
                f"{self.judges!r}."
            )
        if train.schedule == "alternating" and "discriminator" not in trained:
            raise ValueError(f"schedule is 'alternating'; {train.objective!r} has no discriminator to alternate with.")

    @abstractmethod
    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The loss of each player, in nats unless said otherwise, in one forward pass."""
