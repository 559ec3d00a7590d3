"""Batch-norm statistics for use, re-estimated over training batches as the official code does.

Shapes: N training images, C H W image.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from bigan import latent
from bigan.data import scale
from bigan.models.bigan import BiGAN


@torch.no_grad()
def estimate_batch_norm(
    model: BiGAN, images: UInt8[Tensor, "N C H W"], num_batches: int = 1000, batch_size: int = 128, seed: int = 0
) -> None:
    """Replace the running statistics by plain averages over fresh training batches, and switch to eval mode.

    Means and unbiased variances of num_batches batches are averaged. D sees encoder pairs and generator pairs in
    separate passes, so its statistics are the average over both kinds.

    Source: official code, train_gan.py:852-862 (--deploy_iters 1000) and net.py:483-530.
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
        z = latent.sample(model.config.prior, (batch_size, model.config.latent_dim), seed + 1 + batch).to(model.device)
        model.discriminator(x, model.encoder(x))
        model.discriminator(model.generator(z), z)
    model.eval()
