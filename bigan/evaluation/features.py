"""Encoder activations of many images at once, in batches so that memory stays bounded.

Shapes: N images, C H W image, F features.
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.data import scale
from bigan.models.bigan import BiGAN

BATCH_SIZE = 1000  # images in the networks at a time; figures do not depend on it beyond rounding


def encoder_features(model: BiGAN, images: UInt8[Tensor, "N C H W"], layer: str) -> Float[Tensor, "N F"]:
    """Activations of one of `model.feature_layers`, on the model's device.

    Args:
        model: in eval mode.
        images: pixels 0 to 255.
        layer: "output" is the paper's e, "penultimate" e-, "latent" E(x).
    """
    return torch.cat([model.features(scale(batch), layer) for batch in images.split(BATCH_SIZE)])
