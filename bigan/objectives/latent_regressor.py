"""The latent regressors LR and JLR: beside a GAN, or after it, E learns the z that an image was generated from.

Shapes: B batch, Z latent components.
"""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from bigan.config import ModelConfig, TrainConfig
from bigan.models.bigan import BiGAN
from bigan.objectives.bigan import discriminator_loss
from bigan.objectives.gan import generator_loss
from bigan.objectives.objective import Batch, Objective


def regression_loss(outputs: Float[Tensor, "B Z"], z: Float[Tensor, "B Z"]) -> Float[Tensor, ""]:
    """Sigmoid cross-entropy of E's raw outputs against z mapped from (-1, 1) to (0, 1), in nats.

    Averaged over the batch and the components of z. Least where 2 sigmoid(output) - 1, which is E(x), is z; log 2 when
    all outputs are 0.

    Source: Donahue et al. 2017, section 4.1; official code, dist.py:91-99 (--encode_normalize).
    """
    return binary_cross_entropy_with_logits(outputs, (z + 1) / 2)


class _Regressor(Objective):
    """E learns z from G(z)."""

    def check_fits(self, model: ModelConfig, train: TrainConfig) -> None:
        """Refuse latents that cannot be mapped to (0, 1), too."""
        super().check_fits(model, train)
        if model.prior != "uniform":
            raise ValueError(f"prior is {model.prior!r}; for the objective {train.objective!r} it must be 'uniform'.")

    def begin(self, model: BiGAN) -> None:
        """Zero E's output layer, for a loss of log 2. Source: official code, gan.py:242-243."""
        nn.init.zeros_(model.encoder.output.weight)


@dataclass(frozen=True)
class LatentRegressorObjective(_Regressor):
    """A GAN, and beside it E, which learns z from G(z).

    With a weight of 0 (LR as the official code has it) G does not know of E; the joint regressor (JLR) has 0.25, since
    "a weight of 1 results in a degenerate solution".

    Source: Donahue et al. 2017, section 4.1; official README (--encode_gen_weight).
    """

    generator_weight: float = 0.0
    """Weight of the regression loss in what G descends."""
    players: ClassVar = {"D": ("discriminator",), "G": ("generator",), "E": ("encoder",)}
    judges: ClassVar = "image"
    ships: ClassVar = ("generator", "encoder")  # its D judges images alone, as the GAN's does

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The losses of D, of G and of E."""
        x_fake = model.generator(batch.z)  # (B, C, H, W)
        real_logits, fake_logits = model.discriminator(batch.x), model.discriminator(x_fake)  # (B,)
        regression = regression_loss(model.encoder.output_of(x_fake), batch.z)
        loss = generator_loss(fake_logits)
        if self.generator_weight:
            loss = loss + self.generator_weight * regression
        return {"D": discriminator_loss(real_logits, fake_logits), "G": loss, "E": regression}


class LatentRegressorAfterObjective(_Regressor):
    """E learns z from the G(z) of a GAN that is trained already (LR as the paper's text has it); G stays as it is.

    G keeps normalising by its batch, as it did in its own training.

    Source: Donahue et al. 2017, section 4.1.
    """

    players: ClassVar = {"E": ("encoder",)}

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The loss of E."""
        return {"E": regression_loss(model.encoder.output_of(model.generator(batch.z)), batch.z)}
