"""The autoencoders of the paper's Table 1: x -> E -> G -> x by the l2 or the l1 error.

Shapes: B batch, C H W image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from bigan.models.bigan import BiGAN
from bigan.objectives.objective import Batch, Objective


def l2_error(x: Float[Tensor, "B C H W"], x_hat: Float[Tensor, "B C H W"]) -> Float[Tensor, ""]:
    """Squared differences, summed over an image and averaged over the batch."""
    return (x_hat - x).square().flatten(1).sum(1).mean()


def l1_error(x: Float[Tensor, "B C H W"], x_hat: Float[Tensor, "B C H W"]) -> Float[Tensor, ""]:
    """Absolute differences, summed over an image and averaged over the batch."""
    return (x_hat - x).abs().flatten(1).sum(1).mean()


@dataclass(frozen=True)
class AutoencoderObjective(Objective):
    """E and G together reproduce x. Nothing here follows the prior, so samples G(z) need not look like anything.

    The paper does not say how its errors are normalised. Adam does not see the scale of a loss; the weight decay of
    the recipe, which is added to the gradient, does.

    Source: Donahue et al. 2017, section 4.2 ("trained directly to minimize either l2 or l1 reconstruction error").
    """

    error: Callable[[Float[Tensor, "B C H W"], Float[Tensor, "B C H W"]], Float[Tensor, ""]]
    """Of x and G(E(x))."""
    players: ClassVar = {"R": ("generator", "encoder")}
    decodes: ClassVar = True

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The reconstruction error, in units of pixels and not in nats."""
        return {"R": self.error(batch.x, model.generator(model.encoder(batch.x)))}
