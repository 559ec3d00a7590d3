"""A map of the gallery in two dimensions for each of three spaces, made by UMAP at build time and only read later.

Importing umap costs seconds and its threads may abort a server, so only `project` does it.

Shapes: N gallery images, F features, k neighbours, C H W image.
"""

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from bigan.arrays import read_arrays, write_arrays
from bigan.config import MAX_SEED, Prior
from bigan.data import scale
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.evaluation.report import weights_sha256
from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import nearest_few
from bigan.files import PROJECTION_FILE, CheckpointError
from bigan.latent import from_normal, to_normal
from bigan.models.bigan import BiGAN

Space = Literal["pixels", "latent", "penultimate"]
SPACES: tuple[Space, ...] = get_args(Space)

NUM_NEIGHBOURS = 15  # of UMAP (its default), of both quality numbers and of `place`
MIN_DIST = 0.1  # UMAP's default
MIN_IMAGES = 2 * NUM_NEIGHBOURS + 2  # trustworthiness is defined for fewer than half as many neighbours
MAX_TRUSTED = 5000  # points of the trustworthiness, whose cost grows with their square
BATCH_SIZE = 500


@dataclass(frozen=True)
class SpaceMap:
    """The map of one space, with the numbers that say how far to trust it."""

    space: str
    coordinates: Float[Tensor, "N 2"]
    parameters: dict[str, Any]
    """How it was made: UMAP's settings, the seed, versions, seconds."""
    trustworthiness: float
    """0 to 1: how far a point's neighbours on the map are its neighbours in the space.

    Source: Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods.
    """
    label_accuracy_map: float
    """Share of points whose label is the commonest among their 15 nearest on the map."""
    label_accuracy_full: float
    """The same in the space itself, which the map was made from."""


@dataclass(frozen=True)
class Projection:
    """The maps of a gallery."""

    ids: tuple[str, ...]
    """The gallery's ids, in the order of the coordinates."""
    maps: dict[str, SpaceMap]
    weights_sha256: str
    """Of the model whose encoder was asked (see bigan.evaluation.report): to another model the maps mean nothing."""


@torch.inference_mode()
def space_features(
    model: BiGAN, images: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"], space: str
) -> Float[Tensor, "N F"]:
    """Images as points of a space, float32 on the CPU.

    Args:
        model: whose encoder is asked.
        images: float32 in [0, 1] or uint8.
        space: "pixels" as they are, "latent" E(x), "penultimate" the encoder's last hidden layer.

    Raises:
        ValueError: no such space.
    """
    if space not in SPACES:
        raise ValueError(f"space is {space!r}; it must be one of {', '.join(SPACES)}.")
    batches = []
    for batch in torch.split(images, BATCH_SIZE):
        x = scale(batch) if batch.dtype == torch.uint8 else batch  # (B, C, H, W)
        batches.append((x.flatten(1) if space == "pixels" else model.features(x, space)).cpu())  # (B, F)
    return torch.cat(batches)


def project(
    model: BiGAN, gallery: Gallery, seed: int = 42, progress: Callable[[str], None] | None = None
) -> Projection:
    """Map a gallery in every space by UMAP. The same seed gives the same maps on one machine.

    Args:
        model: whose encoder is asked.
        gallery: at least MIN_IMAGES images.
        seed: of UMAP, which then keeps to one thread.
        progress: told in a sentence what begins.

    Raises:
        ValueError: too few images, or a seed out of range.

    Source: McInnes, Healy and Melville 2018, UMAP.
    """
    if len(gallery) < MIN_IMAGES:
        raise ValueError(f"The gallery has {len(gallery)} images; a map needs at least {MIN_IMAGES}.")
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed is {seed}; it must be 0 to {MAX_SEED}.")
    tell = progress or (lambda _: None)
    maps: dict[str, SpaceMap] = {}
    for space in SPACES:
        tell(f"Mapping {len(gallery):,} images by {space} ({len(maps) + 1} of {len(SPACES)}).")
        maps[space] = _map(space_features(model, gallery.images, space), gallery.labels, space, seed)
    return Projection(gallery.ids, maps, weights_sha256(model))


def _map(features: Float[Tensor, "N F"], labels: Int64[Tensor, " N"], space: Space, seed: int) -> SpaceMap:
    started = time.perf_counter()
    settings = {"n_neighbors": NUM_NEIGHBOURS, "min_dist": MIN_DIST, "metric": "euclidean"}
    coordinates = _umap(features, seed, settings)  # (N, 2)
    seconds = round(time.perf_counter() - started, 1)
    kept = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:MAX_TRUSTED].sort().values
    versions = {name: version(name) for name in ("umap-learn", "scikit-learn", "numba", "torch")}
    return SpaceMap(
        space=space,
        coordinates=coordinates,
        parameters={
            "method": "UMAP",
            **settings,
            "seed": seed,
            "num_neighbours": NUM_NEIGHBOURS,
            "num_trusted": len(kept),
            "versions": versions,
            "seconds": seconds,
        },
        trustworthiness=_trustworthiness(features[kept], coordinates[kept]),
        label_accuracy_map=label_accuracy(coordinates, labels),
        label_accuracy_full=label_accuracy(features, labels),
    )


def _umap(features: Float[Tensor, "N F"], seed: int, settings: dict[str, Any]) -> Float[Tensor, "N 2"]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)  # for a part of it we do not use
        from umap import UMAP
    # a fixed seed needs one thread; saying so beforehand saves a warning
    return torch.from_numpy(UMAP(**settings, random_state=seed, n_jobs=1).fit_transform(features.numpy())).float()


def _trustworthiness(features: Float[Tensor, "n F"], coordinates: Float[Tensor, "n 2"]) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(features.numpy(), coordinates.numpy(), n_neighbors=NUM_NEIGHBOURS))


def label_accuracy(
    points: Float[Tensor, "N F"], labels: Int64[Tensor, " N"], num_neighbours: int = NUM_NEIGHBOURS
) -> float:
    """Share of points whose label is the commonest among their nearest others; ties go to the lowest label.

    A label that says little about its point's neighbours gives the share of the commonest label.
    """
    others = labels[_nearest_others(points, num_neighbours)]  # (N, k)
    votes = torch.nn.functional.one_hot(others).sum(1)  # (N, classes)
    # numpy's argmax promises the first of equals
    return float((votes.numpy().argmax(1) == labels.numpy()).mean())


def local_quality(
    features: Float[Tensor, "N F"], coordinates: Float[Tensor, "N 2"], num_neighbours: int = NUM_NEIGHBOURS
) -> Float[Tensor, " N"]:
    """For each point the share of its nearest others in the space that are among as many nearest on the map, 0 to 1.

    Args:
        features: the points of the space.
        coordinates: their places on the map.
        num_neighbours: how many others, at least 1 and fewer than there are points.

    Raises:
        ValueError: too few points.
    """
    if not 1 <= num_neighbours < len(features):
        raise ValueError(f"num_neighbours is {num_neighbours}; it must be 1 to {len(features) - 1}, the other points.")
    true, kept = _nearest_others(features, num_neighbours), _nearest_others(coordinates, num_neighbours)  # (N, k)
    return (true[:, :, None] == kept[:, None, :]).any(2).float().mean(1)  # (N,)


def _nearest_others(points: Float[Tensor, "N F"], num_neighbours: int) -> Int64[Tensor, "N k"]:
    """Indices of each point's nearest others; ties go to the lowest index."""
    _, indices = nearest_neighbours(points, points, num_neighbours + 1)  # (N, k + 1)
    itself = indices == torch.arange(len(points))[:, None]  # (N, k + 1)
    itself[:, -1] |= ~itself.any(1)  # one that has more than k copies of it is not among them: drop the last instead
    return indices[~itself].view(len(points), num_neighbours)


def place(
    query: Float[Tensor, " F"],
    references: Float[Tensor, "N F"] | UInt8[Tensor, "N F"],
    coordinates: Float[Tensor, "N 2"],
    num_neighbours: int = NUM_NEIGHBOURS,
) -> Float[Tensor, " 2"]:
    """Where a new image belongs on a map: the mean of its nearest neighbours' places, weighted by 1 / distance.

    One that is in the references already gets its own place.

    Args:
        query: the image as a point of the map's space (`space_features`).
        references: the gallery's points in the same space.
        coordinates: their places on the map.
        num_neighbours: how many have a say; all where there are fewer.
    """
    weights, indices = _nearest_weights(query, references, num_neighbours)  # (k,) each
    # sum_i (1 / d_i) c_i / sum_i (1 / d_i)
    return weights @ coordinates[indices] / weights.sum()


def latent_at(
    where: Float[Tensor, " 2"],
    coordinates: Float[Tensor, "N 2"],
    latents: Float[Tensor, "N Z"],
    prior: Prior,
    num_neighbours: int = NUM_NEIGHBOURS,
) -> Float[Tensor, " Z"]:
    """A guess at the latent of a place on a map: the mean of the nearest points' latents, weighted by 1 / distance.

    A map has no way back; this is an invention, inside the prior and exact on a point. Far from all points it is the
    mean of those that happen to be nearest, and like all means it lies nearer the centre of the prior than they do.

    Args:
        where: the place.
        coordinates: of the gallery's points on the map.
        latents: of the gallery.
        prior: pZ; the mean is taken in the normal view of a uniform one.
        num_neighbours: how many have a say; all where there are fewer.
    """
    weights, indices = _nearest_weights(where, coordinates, num_neighbours)  # (k,) each
    if len(indices) == 1:
        return latents[indices[0]]
    points = to_normal(latents[indices].double(), prior)  # (k, Z)
    return from_normal(weights.double() @ points / weights.double().sum(), prior).float()


def _nearest_weights(
    query: Float[Tensor, " F"], references: Float[Tensor, "N F"] | UInt8[Tensor, "N F"], num_neighbours: int
) -> tuple[Float[Tensor, " k"], Int64[Tensor, " k"]]:
    """The nearest references and how much each counts, by 1 / distance; one at distance 0 counts alone."""
    (distances,), (indices,) = nearest_few(query[None], references, num_neighbours)  # (k,) each
    if distances[0] == 0:
        return torch.ones(1), indices[:1]
    return distances[0] / distances, indices  # over the largest weight, against overflow


def save_projection(projection: Projection, folder: Path) -> None:
    """Write folder/projection.npz: coordinates as float32, everything that is said of the maps as JSON."""
    facts: dict[str, Any] = {"weights_sha256": projection.weights_sha256}
    for space in SPACES:
        facts[space] = {name: value for name, value in vars(projection.maps[space]).items() if name != "coordinates"}
    coordinates = {f"coordinates_{space}": projection.maps[space].coordinates.numpy() for space in SPACES}
    write_arrays(
        folder / PROJECTION_FILE, ids=np.array(projection.ids), facts=np.array([json.dumps(facts)]), **coordinates
    )


def load_projection(folder: Path) -> Projection | None:
    """The maps of a checkpoint's folder, or None where it has none.

    Raises:
        bigan.CheckpointError: there is a projection.npz, and it is broken.
    """
    path = folder / PROJECTION_FILE
    if not path.exists():
        return None
    arrays = read_arrays(
        path, {"ids": ("str", 1), "facts": ("str", 1)} | {f"coordinates_{space}": ("float32", 2) for space in SPACES}
    )
    ids = tuple(arrays["ids"].tolist())
    try:
        facts = json.loads("".join(arrays["facts"].tolist()))
        maps = {str(space): _read_map(space, arrays[f"coordinates_{space}"], facts, len(ids)) for space in SPACES}
        digest = str(facts["weights_sha256"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"In the checkpoint '{folder}', {PROJECTION_FILE} does not describe its maps.") from error
    return Projection(ids, maps, digest)


def _read_map(space: str, coordinates: np.ndarray, all_facts: dict[str, Any], num_ids: int) -> SpaceMap:
    facts = all_facts[space]
    shares = [float(facts[name]) for name in ("trustworthiness", "label_accuracy_map", "label_accuracy_full")]
    if coordinates.shape != (num_ids, 2) or not all(0 <= share <= 1 for share in shares):
        raise ValueError("sizes or shares that cannot be")
    return SpaceMap(space, torch.from_numpy(coordinates), dict(facts["parameters"]), *shares)
