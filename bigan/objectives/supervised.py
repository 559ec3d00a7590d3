"""Training with labels: what the rivals of Table 1, which have none, are compared with.

Shapes: B batch.
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from bigan.models.bigan import BiGAN
from bigan.objectives.objective import Batch, Objective


class SupervisedObjective(Objective):
    """E's raw outputs are the logits of the classes, one component of z each."""

    players: ClassVar = {"C": ("encoder",)}

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, Float[Tensor, ""]]:
        """The cross-entropy of the labels, in nats.

        Raises:
            ValueError: more classes than components of z.
        """
        logits = model.encoder.output_of(batch.x)  # (B, Z)
        if (last := int(batch.labels.max())) >= logits.shape[1]:
            raise ValueError(
                f"latent_dim is {logits.shape[1]}; for the classes 0 to {last} it must be {last + 1} or more."
            )
        return {"C": cross_entropy(logits, batch.labels)}
