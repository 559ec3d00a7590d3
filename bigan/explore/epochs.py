"""How E(x) of the same gallery images moved while the model was trained: one map for each kept epoch.

Shapes: T kept epochs, M images, Z latent components.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from bigan.config import Prior
from bigan.explore.gallery import Gallery
from bigan.explore.projection import NUM_NEIGHBOURS, label_accuracy
from bigan.latent import typical_norm
from bigan.records import Replay


@dataclass(frozen=True)
class EpochMaps:
    """Maps to be shown one after the other, with what can be said of each epoch.

    They are flat views, not UMAP's: each shows E(x) along the two directions in which it varies most at that epoch
    (principal components), to one scale for all epochs, and turned or mirrored to lie as close as it can to the next
    epoch's. Two directions of fifty show little: `explained` says how much, and points that meet here may be far apart.
    """

    epochs: tuple[int, ...]
    ids: tuple[str, ...]
    """Of the gallery images, in the order of the coordinates."""
    coordinates: Float[Tensor, "T M 2"]
    explained: Float[Tensor, " T"]
    """Share of the variance of E(x) that the map shows, 0 to 1."""
    label_accuracies: Float[Tensor, " T"]
    """Share of images whose label is the commonest among their 15 nearest others by E(x), all its components."""
    relative_norms: Float[Tensor, " T"]
    """Root mean square of |E(x)| over that of the prior: at 1, E(x) is as long as draws from the prior are."""


def map_epochs(replay: Replay, gallery: Gallery, prior: Prior) -> EpochMaps:
    """A map for each epoch of a replay; the same replay gives the same maps.

    Args:
        replay: the training.
        gallery: of which the replay has images, at least two.
        prior: pZ.

    Raises:
        ValueError: too few images, or one that is not of the gallery.

    Source: Schoenemann 1966, A generalized solution of the orthogonal Procrustes problem, for the turning.
    """
    if len(replay.ids) < 2:
        raise ValueError(f"The replay has {len(replay.ids)} gallery images; maps of its epochs need at least 2.")
    labels = gallery.labels[gallery.indices_of(replay.ids)]  # (M,)
    latents = torch.from_numpy(replay.latents).float()  # (T, M, Z)
    num_neighbours = min(NUM_NEIGHBOURS, len(labels) - 1)
    views, explained = zip(*(_principal_view(z.double()) for z in latents), strict=True)
    return EpochMaps(
        epochs=tuple(replay.epochs.tolist()),
        ids=replay.ids,
        coordinates=_aligned(torch.stack(views)).float(),
        explained=torch.tensor(explained),
        label_accuracies=torch.tensor([label_accuracy(z, labels, num_neighbours) for z in latents]),
        relative_norms=latents.square().sum(2).mean(1).sqrt() / typical_norm(prior, latents.shape[2]),
    )


def _principal_view(z: Float64[Tensor, "M Z"]) -> tuple[Float64[Tensor, "M 2"], float]:
    """Points along their first two principal components, and the share of their variance that these have."""
    centred = z - z.mean(0)  # (M, Z)
    variances, axes = torch.linalg.eigh(centred.T @ centred)  # rising; (Z,), (Z, Z)
    axes = axes[:, -2:].flip(1)  # (Z, 2), or (Z, 1) where there is but one component
    # an axis has no sign of its own: its largest number becomes positive
    axes = axes * axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    view = z.new_zeros(len(z), 2)
    view[:, : axes.shape[1]] = centred @ axes
    total = variances.sum().item()
    return view, variances[-2:].sum().item() / total if total > 0 else 1.0


def _aligned(views: Float64[Tensor, "T M 2"]) -> Float64[Tensor, "T M 2"]:
    """The last view as it is, and each before it turned or mirrored to be nearest to the next, point by point."""
    aligned = [views[-1]]
    for view in views[:-1].flip(0):
        # the orthogonal R that minimises |view R - next|: U V^T of view^T next
        u, _, vh = torch.linalg.svd(view.T @ aligned[-1])
        aligned.append(view @ u @ vh)
    return torch.stack(aligned[::-1])
