"""A training to look at afterwards: what a run gathers at its kept epochs for replay.npz.

Shapes: T kept epochs, K pictures, M latents, C H W image, Z latent components.
"""

import numpy as np
import torch
from torch import Tensor

from bigan.data import scale
from bigan.explore.gallery import Gallery
from bigan.models.bigan import BiGAN
from bigan.pictures import to_uint8

NUM_KEPT_EPOCHS = 16
NUM_PICTURES, NUM_LATENTS = 36, 1000
SEED = 0  # of the fixed z
PREFIX = "replay."  # of its tensors in a run's state


def kept_epochs(total_epochs: int) -> list[int]:
    """About 16 epochs from 0 to the last, spaced logarithmically: those that are evaluated and replayed."""
    spaced = np.geomspace(1, max(1, total_epochs), NUM_KEPT_EPOCHS - 1).round().astype(int).tolist()
    return sorted({0, *(epoch for epoch in spaced if epoch <= total_epochs)})


class Recorder:
    """G(z) of 36 fixed z, G(E(x)) of 36 fixed x (uint8) and E(x) of 1,000 gallery images (float16), epoch by epoch."""

    def __init__(self, gallery: Gallery) -> None:
        last = len(gallery.images) - 1
        pictures = torch.linspace(0, last, min(NUM_PICTURES, last + 1)).round().long()
        thousand = torch.linspace(0, last, min(NUM_LATENTS, last + 1)).round().long()
        self.originals = gallery.images[pictures]  # (K, C, H, W)
        self.encoded = gallery.images[thousand]  # (M, C, H, W)
        self.ids = [gallery.ids[i] for i in thousand.tolist()]
        self.epochs: list[int] = []
        self.kept: dict[str, list[Tensor]] = {"generated": [], "reconstructed": [], "latents": []}

    def record(self, model: BiGAN, epoch: int) -> None:
        """Keep what the model, in eval mode, makes of the fixed z and x."""
        z = model.sample_latents(NUM_PICTURES, SEED)  # (K, Z)
        self.epochs.append(epoch)
        self.kept["generated"].append(torch.from_numpy(to_uint8(model.generate(z))))
        self.kept["reconstructed"].append(torch.from_numpy(to_uint8(model.reconstruct(scale(self.originals)))))
        self.kept["latents"].append(model.encode(scale(self.encoded)).half().cpu())

    def tensors(self) -> dict[str, Tensor]:
        """What was kept, by names with PREFIX, each with a first axis T."""
        return {PREFIX + name: torch.stack(kept) for name, kept in self.kept.items() if kept}

    def restore(self, tensors: dict[str, Tensor], epochs: list[int]) -> None:
        """Take up again what `tensors` gave."""
        self.epochs = list(epochs)
        self.kept = {name: list(tensors[PREFIX + name]) if epochs else [] for name in self.kept}

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of replay.npz (see `records.Replay`)."""
        kept = {name.removeprefix(PREFIX): tensor.numpy() for name, tensor in self.tensors().items()}
        return kept | {
            "epochs": np.array(self.epochs, np.int64),
            "originals": self.originals.numpy(),
            "ids": np.array(self.ids),
        }
