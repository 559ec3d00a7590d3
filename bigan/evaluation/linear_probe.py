"""CLS_e-: a linear classifier on the encoder's frozen penultimate features.

Shapes: N training images, M held-out images, C H W image, B batch, F features, K classes.
"""

import copy

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn.functional import one_hot

from bigan.data import scale
from bigan.evaluation.features import encoder_features
from bigan.evaluation.nearest_neighbour import Accuracy
from bigan.models.bigan import BiGAN
from bigan.models.statistics import DEPLOY_BATCH_SIZE, DEPLOY_BATCHES

# Source: official code, train_gan.py: the classifier learns during the deploy batches, with the networks' own updater.
LEARNING_RATE = 2e-4
ADAM_BETAS = (0.5, 0.999)
WEIGHT_DECAY = 2.5e-5
LAYER = "penultimate"


def linear_probe_accuracy(
    model: BiGAN,
    training_images: UInt8[Tensor, "N C H W"],
    training_labels: Int64[Tensor, " N"],
    held_out_images: UInt8[Tensor, "M C H W"],
    held_out_labels: Int64[Tensor, " M"],
    *,
    num_batches: int = DEPLOY_BATCHES,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
) -> Accuracy:
    """Accuracy of a softmax classifier without bias, from zero, after num_batches batches of 128 (CLS_e-).

    It learns from features under train-mode batch norm, each batch normalised by itself, and is tested on features
    under the averaged statistics, as in the official code. That code takes whatever learning rate the networks have
    reached, so the value it prints collapses with the decayed rate (on MNIST from 92.63 after epoch 200 to 79.48 after
    epoch 400). Here the rate is an argument, by default the one that the recipe starts with, and the published figure
    to compare with is that of epoch 200.

    Args:
        model: in eval mode, with averaged batch-norm statistics; it is not changed.
        training_images: what the classifier learns from.
        training_labels: their classes.
        held_out_images: what it is tested on.
        held_out_labels: their classes.
        num_batches: Adam's steps.
        learning_rate: Adam's step size, constant.
        seed: of the choice of images.

    Source: official code, train_gan.py:612-762; see `LEARNING_RATE` and its neighbours for the constants.
    """
    num_classes = 1 + int(max(training_labels.max(), held_out_labels.max()))
    weight = train_linear_probe(
        model, training_images, training_labels, num_classes, num_batches, learning_rate, seed
    )  # (F, K)
    predicted = (encoder_features(model, held_out_images, LAYER) @ weight).argmax(1)  # (M,)
    return Accuracy(int((predicted == held_out_labels.to(predicted.device)).sum()), len(held_out_images))


@torch.no_grad()
def train_linear_probe(
    model: BiGAN,
    images: UInt8[Tensor, "N C H W"],
    labels: Int64[Tensor, " N"],
    num_classes: int,
    num_batches: int,
    learning_rate: float,
    seed: int,
) -> Float[Tensor, "F K"]:
    """The classifier's weights; its logits are features @ weights."""
    frozen = copy.deepcopy(model).train()  # in train mode the copy's statistics move, the model's do not
    num_features = frozen.features(scale(images[:2]), LAYER).shape[1]
    weight = torch.zeros(num_features, num_classes, device=model.device)  # (F, K)
    optimiser = torch.optim.Adam([weight], learning_rate, ADAM_BETAS, weight_decay=WEIGHT_DECAY)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(num_batches):
        chosen = torch.randint(len(images), (DEPLOY_BATCH_SIZE,), generator=generator).to(images.device)
        h = frozen.features(scale(images[chosen]), LAYER)  # (B, F)
        targets = one_hot(labels[chosen].to(h.device), num_classes)  # (B, K)
        # d/dW of the mean cross-entropy of softmax(h W):  h' (softmax(h W) - y) / B
        weight.grad = h.T @ ((h @ weight).softmax(1) - targets) / DEPLOY_BATCH_SIZE  # (F, K)
        optimiser.step()
    return weight
