"""The BiGAN objective: logits of both kinds of pair in, scalars in nats out.

Shapes: B batch. Encoder pairs are (x, E(x)), generator pairs (G(z), z); a logit is positive for "encoder pair".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from bigan.models.bigan import BiGAN
from bigan.objectives.autoencoder import l2_error
from bigan.objectives.consistency import blind_loss
from bigan.objectives.objective import Batch, Objective


def discriminator_loss(encoder_logits: Float[Tensor, " B"], generator_logits: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """Binary cross-entropy of D over both kinds of pair, in nats ("JD").

    Equals log 2 when D is undecided (all logits 0).

    Args:
        encoder_logits: D(x, E(x)), shape (B,).
        generator_logits: D(G(z), z), shape (B,).

    Source: Donahue et al. 2017, equation 2, with the two terms averaged (official code, gan.py:169-187).
    """
    # -log sigmoid(a) = softplus(-a);  -log(1 - sigmoid(b)) = softplus(b)
    return (softplus(-encoder_logits).mean() + softplus(generator_logits).mean()) / 2


def label_swapped_loss(encoder_logits: Float[Tensor, " B"], generator_logits: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """What E and G descend in practice: D's loss with the labels swapped, in nats.

    Its gradient stays strong where D is sure. Equals log 2 when D is undecided.

    Source: Donahue et al. 2017, section 3.4 ("inverse" objective); official code, train_gan.py:440-472.
    """
    return discriminator_loss(generator_logits, encoder_logits)


def minimax_loss(encoder_logits: Float[Tensor, " B"], generator_logits: Float[Tensor, " B"]) -> Float[Tensor, ""]:
    """What E and G descend in the paper's equation 3: the value V / 2, in nats, at most 0.

    Its gradient vanishes where D is sure, which is why nobody trains with it. Equals -log 2 when D is undecided.

    Source: Donahue et al. 2017, equation 3: V = E[log D(x, E(x))] + E[log(1 - D(G(z), z))].
    """
    return -discriminator_loss(encoder_logits, generator_logits)


@dataclass(frozen=True)
class BiGANObjective(Objective):
    """D tells encoder pairs from generator pairs; E and G together make it fail."""

    pair_loss: Callable[[Float[Tensor, " B"], Float[Tensor, " B"]], Float[Tensor, ""]] = label_swapped_loss
    """What E and G descend, of the logits of encoder pairs and of generator pairs."""
    cycle_weight: float = 0.0
    """Weight of the cycle term |x - G(E(x))|^2 in what E and G descend.

    Source: Li et al. 2017 (ALICE), section 3.2, with an l2 cost in place of a discriminator.
    """
    blind_weight: float = 0.0
    """Weight of E's consistency and information (see `bigan.objectives.consistency`) in what E and G descend."""
    players: ClassVar = {"JD": ("discriminator",), "EG": ("generator", "encoder")}
    judges: ClassVar = "pair"

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """JD and the loss of (E, G), in nats but for what the weights add to the second.

        D sees the two kinds of pair in separate passes: batch norm is per source.
        """
        x, z = batch.x, batch.z
        *_, features, a = model.encoder.activations(x)  # (B, F), (B, Z)
        z_hat = model.encoder.squash(a)  # (B, Z)
        encoder_logits = model.discriminator(x, z_hat)  # (B,)
        generator_logits = model.discriminator(model.generator(z), z)  # (B,)
        loss = self.pair_loss(encoder_logits, generator_logits)
        if self.cycle_weight:
            loss = loss + self.cycle_weight * l2_error(x, model.generator(z_hat))
        if self.blind_weight:
            loss = loss + self.blind_weight * blind_loss(model.encoder, x, features, batch.seed)
        return {"JD": discriminator_loss(encoder_logits, generator_logits), "EG": loss}
