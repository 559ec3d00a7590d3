"""What makes E's features ignore small changes of an image and still tell images apart, without labels.

Blind classifiers, fixed random maps of E's last hidden layer onto K classes each, are asked for two things: the same
answer for an image and for the image nearby that would change the answer most (virtual adversarial training), and
answers that are sure of each image and evenly spread over all (information maximisation). The classifiers are neither
trained nor kept; all that can move is E. Both terms are blind to the order of the pixels.

Shapes: B batch, C H W image, P = C H W pixels, F features, K classes of a classifier, A classifiers.
Source: Miyato et al. 2018 (virtual adversarial training, arXiv 1704.03976); Hu et al. 2017 (IMSAT, arXiv 1702.08720),
who train one classifier, and find clusters with it.
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from bigan.models.mlp import Encoder

NUM_CLASSIFIERS, NUM_CLASSES = 5, 20
LOGIT_STD = 3.0  # of a classifier's logits where the features have a mean square of 1
REACH = 0.2  # length of the adversarial step, relative to the distance to the batch's nearest other image
# Those above are ours and were not varied (results/attempts.md); these are Hu et al.'s.
PROBE_NORM = 10.0  # length of the random step at whose end the gradient tells the worst direction
INFORMATION_WEIGHT = 0.1  # against the consistency
SPREAD_WEIGHT = 4.0  # of H(Y) against H(Y|X)
SMALLEST_PROBABILITY = 1e-8


def divergence(log_p: Float[Tensor, "B A K"], log_q: Float[Tensor, "B A K"]) -> Float[Tensor, ""]:
    """KL(p || q) in nats, averaged over images and classifiers."""
    return (log_p.exp() * (log_p - log_q)).sum(-1).mean()


def information_loss(log_p: Float[Tensor, "B A K"]) -> Float[Tensor, ""]:
    """H(Y|X) - 4 H(Y) in nats, averaged over the classifiers: low where answers are sure and evenly spread."""
    mean = log_p.exp().mean(0).clamp_min(SMALLEST_PROBABILITY)  # (A, K)
    unsure, spread = -(log_p.exp() * log_p).sum(-1).mean(), -(mean * mean.log()).sum(-1).mean()
    return unsure - SPREAD_WEIGHT * spread


def answers(features: Float[Tensor, "B F"]) -> Float[Tensor, "B A K"]:
    """Log probabilities that the blind classifiers give to their classes."""
    logits = features @ _classifiers(features.shape[1], features.device)  # (B, A K)
    return logits.float().unflatten(1, (NUM_CLASSIFIERS, NUM_CLASSES)).log_softmax(-1)


def consistency_loss(
    encoder: Encoder, x: Float[Tensor, "B C H W"], log_p: Float[Tensor, "B A K"], seed: int
) -> Float[Tensor, ""]:
    """How far the answers change at the worst place nearby, in nats.

    Args:
        encoder: E.
        x: images in [0, 1]. The places nearby may leave that range.
        log_p: the answers at x, which the answers nearby are to follow.
        seed: of the random directions from which the worst ones are sought.
    """
    fixed, reach = log_p.detach(), REACH * _nearest(x)  # (B,)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x.device)
    probe = _step(noise, torch.full_like(reach, PROBE_NORM)).requires_grad_()
    (worst,) = torch.autograd.grad(divergence(fixed, _answers_to(encoder, x + probe)), probe)
    return divergence(fixed, _answers_to(encoder, x + _step(worst, reach)))


def blind_loss(
    encoder: Encoder, x: Float[Tensor, "B C H W"], features: Float[Tensor, "B F"], seed: int
) -> Float[Tensor, ""]:
    """Both terms for a batch whose features, E's last hidden layer, are at hand."""
    log_p = answers(features)
    return consistency_loss(encoder, x, log_p, seed) + INFORMATION_WEIGHT * information_loss(log_p)


def _answers_to(encoder: Encoder, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B A K"]:
    *_, features, _ = encoder.activations(x)
    return answers(features)


@cache
def _classifiers(num_features: int, device: torch.device) -> Float[Tensor, "F AK"]:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(num_features, NUM_CLASSIFIERS * NUM_CLASSES, generator=generator)
    return (weights * LOGIT_STD / num_features**0.5).to(device)


def _nearest(x: Float[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
    """Distance from each image to the batch's nearest other one."""
    distances = torch.cdist(x.flatten(1), x.flatten(1))  # (B, B)
    return distances.fill_diagonal_(float("inf")).amin(1)


def _step(direction: Float[Tensor, "B C H W"], length: Float[Tensor, " B"]) -> Float[Tensor, "B C H W"]:
    """These directions, each as long as said."""
    return (normalize(direction.flatten(1)) * length[:, None]).view_as(direction)
