"""Batch-norm statistics for use, re-estimated over training batches as the official code does.

Shapes: N training images, C H W image.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from bigan.data import scale
from bigan.models.bigan import BiGAN

# Of the official code's "deploy" before it measures: it averages the statistics, learns its classifier and takes D's
# loss over the same number of training batches. Source: train_gan.py:852-862 (--deploy_iters 1000).
DEPLOY_BATCHES = 1000
DEPLOY_BATCH_SIZE = 128


@torch.no_grad()
def estimate_batch_norm(
    model: BiGAN,
    images: UInt8[Tensor, "N C H W"],
    num_batches: int = DEPLOY_BATCHES,
    batch_size: int = DEPLOY_BATCH_SIZE,
    seed: int = 0,
) -> None:
    """Replace the running statistics by plain averages over fresh training batches, and switch to eval mode.

    Means and unbiased variances of num_batches batches are averaged. D sees encoder pairs and generator pairs in
    separate passes, so its statistics are the average over both kinds.

    Source: official code, train_gan.py:852-862 and net.py:483-530.
    """
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.reset_running_stats()
    model.train()
    generator = torch.Generator().manual_seed(seed)
    batch_size = min(batch_size, len(images))
    for batch in range(num_batches):
        index = torch.randint(len(images), (batch_size,), generator=generator)
        x = scale(images[index.to(images.device)]).to(model.device)  # (B, C, H, W)
        z = model.sample_latents(batch_size, seed + 1 + batch)  # (B, Z)
        model.discriminator(x, model.encoder(x))
        model.discriminator(model.generator(z), z)
    model.eval()
