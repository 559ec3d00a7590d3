"""The standard GAN on images alone: the paper's baseline "D", whose features are its discriminator's.

Shapes: B batch.
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from bigan.models.bigan import BiGAN
from bigan.objectives.bigan import discriminator_loss
from bigan.objectives.objective import Batch, Objective


def generator_loss(fake_logits: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """G's loss with the label swapped: the cross-entropy of D(G(z)) against "real", in nats.

    Equals log 2 when D is undecided.

    Source: official code, train_gan.py:379-391.
    """
    # -log sigmoid(a) = softplus(-a)
    return softplus(-fake_logits).mean()


class GANObjective(Objective):
    """D tells real images from generated ones; G makes it fail."""

    players: ClassVar = {"D": ("discriminator",), "G": ("generator",)}
    judges: ClassVar = "image"

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """D's binary cross-entropy over real and generated images, and G's loss."""
        real_logits = model.discriminator(batch.x)  # (B,)
        fake_logits = model.discriminator(model.generator(batch.z))  # (B,)
        return {"D": discriminator_loss(real_logits, fake_logits), "G": generator_loss(fake_logits)}
