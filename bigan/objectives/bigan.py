"""The BiGAN objective: logits of both kinds of pair in, scalars in nats out.

Shapes: B batch. Encoder pairs are (x, E(x)), generator pairs (G(z), z); a logit is positive for "encoder pair".
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


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
