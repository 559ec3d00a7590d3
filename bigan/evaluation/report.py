"""All figures of a model in one report: the official code's metrics under its names, and ours beside them.

Shapes: N training images, M held-out images, C H W image.
"""

import copy
import hashlib
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

import bigan
from bigan.config import Network, Split
from bigan.data import Dataset
from bigan.evaluation import inversion, linear_probe, sample_quality
from bigan.evaluation.features import encoder_features
from bigan.evaluation.nearest_neighbour import Accuracy, nearest_neighbour_accuracy
from bigan.machine import processor_name
from bigan.models.bigan import BiGAN
from bigan.models.statistics import DEPLOY_BATCH_SIZE, DEPLOY_BATCHES

PIXEL_UNIT = "pixel L2"
LATENT_UNIT = "latent L2"
NUM_GENERATED = 100_000  # generated images of EGg and EGg_b; official code, train_gan.py:612-762
NUM_LATENTS = 10_000  # latents of the round trip
FEATURES = {"NNC_e": "output", "NNC_e-": "penultimate", "NNC_d": "penultimate"}
NND_NAMES = dict(zip(sample_quality.NUM_SAMPLES, ("NND/100", "NND/10", "NND"), strict=True))


@dataclass(frozen=True)
class Measurement:
    """One figure with what it was measured on."""

    value: float
    unit: str
    num_samples: int | None = None
    """Images or latents that the figure is a mean over."""
    num_queries: int | None = None
    """Held-out images that were compared with references."""
    num_references: int | None = None
    """Images they were compared with, or that a classifier learnt from."""
    interval: tuple[float, float] | None = None
    """95 % Wilson interval of an accuracy, in percent."""

    def to_dict(self) -> dict[str, Any]:
        """The fields that have a value, as plain JSON values."""
        known = {key: value for key, value in vars(self).items() if value is not None}
        return known | ({"interval": list(self.interval)} if self.interval else {})


@dataclass(frozen=True)
class EvaluationReport:
    """Everything measured of one model, with what is needed to measure it again."""

    dataset: str
    protocol: Split
    seed: int
    device: str
    processor: str
    seconds: float
    versions: dict[str, str]
    weights_sha256: str
    metrics: dict[str, Measurement]

    def to_dict(self) -> dict[str, Any]:
        """The content of metrics.json."""
        return vars(self) | {"metrics": {name: metric.to_dict() for name, metric in self.metrics.items()}}


def evaluate(
    model: BiGAN,
    training: Dataset,
    held_out: Dataset,
    *,
    protocol: Split,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> EvaluationReport:
    """Measure a model by the official code's protocol.

    The same seed, thread count and machine give the same figures. The model is not changed.

    Args:
        model: with averaged batch-norm statistics, as loaded from a checkpoint.
        training: the references of NNC, and what CLS_e- and JD draw their batches from.
        held_out: the queries; at least two images.
        protocol: "test" or "validation": how the two were split (see `bigan.data.load_protocol`).
        seed: of every random choice.
        progress: told the name of each metric before it is measured.

    Raises:
        ValueError: data that does not fit the model, or a model with values that are not finite.

    Source: official code, lib/metrics.py and train_gan.py:612-762.
    """
    for data in (training, held_out):
        if tuple(data.images.shape[1:]) != model.config.image_shape:
            raise ValueError(
                f"Images of {data.name} have shape {tuple(data.images.shape[1:])}; "
                f"this model needs {model.config.image_shape}."
            )
    start = time.perf_counter()
    frozen = copy.deepcopy(model).eval()
    metrics: dict[str, Measurement] = {}
    for name, measure in _stages(frozen, training, held_out, seed):
        if progress is not None:
            progress(name)
        metrics |= measure()
    return EvaluationReport(
        dataset=training.name,
        protocol=protocol,
        seed=seed,
        device=str(model.device),
        processor=processor_name(model.device),
        seconds=round(time.perf_counter() - start, 2),
        versions={"bigan": bigan.__version__, "torch": torch.__version__, "python": platform.python_version()},
        weights_sha256=weights_sha256(model),
        metrics=metrics,
    )


def quick_metrics(
    model: BiGAN,
    training_images: UInt8[Tensor, "N C H W"],
    training_labels: Int64[Tensor, " N"],
    held_out_images: UInt8[Tensor, "M C H W"],
    held_out_labels: Int64[Tensor, " M"],
) -> dict[str, float]:
    """EGr, EGr_b and NNC_e- (percent): cheap enough to follow a training. The model is not changed.

    Only what the model's networks allow: a GAN has NNC_d, by the features of its D, in place of them all.

    Args:
        model: with averaged batch-norm statistics.
        training_images: the references of the nearest neighbours.
        training_labels: their classes.
        held_out_images: the queries, and what is reconstructed.
        held_out_labels: their classes.
    """
    frozen, found = copy.deepcopy(model).eval(), {}
    if _has(model, "generator", "encoder"):
        trip = inversion.reconstruction(frozen, held_out_images)
        found = {"EGr": trip.distance, "EGr_b": trip.baseline}
    if model.feature_layers:
        accuracy = _nearest_accuracy(
            frozen, "penultimate", training_images, training_labels, held_out_images, held_out_labels
        )
        found["NNC_e-" if _has(model, "encoder") else "NNC_d"] = accuracy.percent
    return found


def weights_sha256(model: BiGAN) -> str:
    """A fingerprint of the weights and statistics in memory: names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _stages(
    model: BiGAN, training: Dataset, held_out: Dataset, seed: int
) -> Iterator[tuple[str, Callable[[], dict[str, Measurement]]]]:
    """What can be measured of a model with its networks, in the order of the official log, and how."""
    if _has(model, "generator"):
        yield "NND", lambda: _sample_distances(model, held_out, seed)
    if _has(model, "encoder"):
        yield "NNC_e", lambda: _nearest_class("NNC_e", model, training, held_out)
        yield "NNC_e-", lambda: _nearest_class("NNC_e-", model, training, held_out)
        yield "CLS_e-", lambda: _linear_class(model, training, held_out, seed)
    elif model.feature_layers:
        yield "NNC_d", lambda: _nearest_class("NNC_d", model, training, held_out)
    if model.config.is_bigan:
        yield "JD", lambda: _joint_loss(model, training, seed)
    if _has(model, "generator", "encoder"):
        yield "EGr", lambda: _trip(inversion.reconstruction(model, held_out.images), PIXEL_UNIT, "EGr", "EGr_b")
        yield (
            "EGg",
            lambda: _trip(inversion.generated_reconstruction(model, NUM_GENERATED, seed), PIXEL_UNIT, "EGg", "EGg_b"),
        )
        yield "latent_round_trip", lambda: _latent_trip(model, seed)
        yield "prior_distance", lambda: _prior_distance(model, held_out)


def _has(model: BiGAN, *networks: Network) -> bool:
    return set(networks) <= set(model.config.networks)


def _sample_distances(model: BiGAN, held_out: Dataset, seed: int) -> dict[str, Measurement]:
    found = sample_quality.nearest_sample_distances(model, held_out.images, tuple(NND_NAMES), seed)
    return {
        name: Measurement(found[count], PIXEL_UNIT, num_queries=len(held_out), num_references=count)
        for count, name in NND_NAMES.items()
    }


def _nearest_class(name: str, model: BiGAN, training: Dataset, held_out: Dataset) -> dict[str, Measurement]:
    accuracy = _nearest_accuracy(
        model, FEATURES[name], training.images, training.labels, held_out.images, held_out.labels
    )
    return {name: _percentage(accuracy, len(training))}


def _linear_class(model: BiGAN, training: Dataset, held_out: Dataset, seed: int) -> dict[str, Measurement]:
    accuracy = linear_probe.linear_probe_accuracy(
        model, training.images, training.labels, held_out.images, held_out.labels, seed=seed
    )
    return {"CLS_e-": _percentage(accuracy, len(training))}


def _joint_loss(model: BiGAN, training: Dataset, seed: int) -> dict[str, Measurement]:
    loss = sample_quality.joint_loss(model, training.images, seed=seed)
    return {"JD": Measurement(loss, "nats", num_samples=DEPLOY_BATCHES * DEPLOY_BATCH_SIZE)}


def _latent_trip(model: BiGAN, seed: int) -> dict[str, Measurement]:
    trip = inversion.latent_round_trip(model, NUM_LATENTS, seed)
    named = _trip(trip, LATENT_UNIT, "latent_round_trip", "latent_round_trip_b")
    return {name: metric for name, metric in named.items() if "/" not in name}


def _prior_distance(model: BiGAN, held_out: Dataset) -> dict[str, Measurement]:
    latents = encoder_features(model, held_out.images, "latent")
    distance = inversion.prior_distance(latents, model.config.prior)
    return {"prior_distance": Measurement(distance, "Kolmogorov-Smirnov", num_samples=len(held_out))}


def _nearest_accuracy(
    model: BiGAN,
    layer: str,
    training_images: UInt8[Tensor, "N C H W"],
    training_labels: Int64[Tensor, " N"],
    held_out_images: UInt8[Tensor, "M C H W"],
    held_out_labels: Int64[Tensor, " M"],
) -> Accuracy:
    queries = encoder_features(model, held_out_images, layer)  # (M, F)
    references = encoder_features(model, training_images, layer)  # (N, F)
    return nearest_neighbour_accuracy(queries, held_out_labels, references, training_labels)


def _percentage(accuracy: Accuracy, num_references: int) -> Measurement:
    return Measurement(
        accuracy.percent,
        "%",
        num_queries=accuracy.num_total,
        num_references=num_references,
        interval=accuracy.interval,
    )


def _trip(trip: inversion.RoundTrip, unit: str, name: str, baseline_name: str) -> dict[str, Measurement]:
    return {
        name: Measurement(trip.distance, unit, trip.num_samples),
        baseline_name: Measurement(trip.baseline, unit, trip.num_samples),
        f"{name}/{baseline_name}": Measurement(trip.ratio, "ratio", trip.num_samples),
    }
