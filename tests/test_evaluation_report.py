"""The whole report: complete, repeatable, and of a model that stays as it was."""

import dataclasses
import json
import math

import pytest
import torch

from bigan.config import RECIPES
from bigan.data import Dataset, scale
from bigan.evaluation.nearest_neighbour import wilson_interval
from bigan.evaluation.report import EvaluationReport, evaluate, quick_metrics, weights_sha256
from bigan.machine import processor_name
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm

METRICS = [
    "NND/100", "NND/10", "NND", "NNC_e", "NNC_e-", "CLS_e-", "JD", "EGr", "EGr_b", "EGr/EGr_b", "EGg", "EGg_b",
    "EGg/EGg_b", "latent_round_trip", "latent_round_trip_b", "prior_distance",
]  # fmt: skip


def dataset(num_images: int, seed: int, shape: tuple[int, int, int] = (2, 3, 4)) -> Dataset:
    """Images with one bright pixel block a class, under noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (num_images,), generator=generator)
    images = torch.randint(0, 120, (num_images, *shape), generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[:, label] += 100
    return Dataset("dots", images.to(torch.uint8), labels, ("a", "b", "c"))


def small_model() -> BiGAN:
    config = dataclasses.replace(RECIPES["tiny"].model, dataset="dots", image_shape=(2, 3, 4), latent_dim=3)
    model = BiGAN(config).initialise(5)
    estimate_batch_norm(model, dataset(90, seed=1).images, num_batches=10)
    return model


@pytest.fixture(scope="module")
def model() -> BiGAN:
    return small_model()


@pytest.fixture(scope="module")
def report(model: BiGAN) -> EvaluationReport:
    return evaluate(model, dataset(90, seed=1), dataset(40, seed=2), protocol="test", seed=3)


def test_report_names_every_metric_in_the_order_of_the_official_log(report: EvaluationReport) -> None:
    assert list(report.metrics) == METRICS
    assert all(math.isfinite(metric.value) for metric in report.metrics.values())


def test_report_is_plain_json_with_everything_needed_to_repeat_it(report: EvaluationReport, model: BiGAN) -> None:
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["dataset"] == "dots" and document["protocol"] == "test" and document["seed"] == 3
    assert document["device"] == "cpu" and document["processor"] == processor_name() != ""
    assert document["versions"]["torch"] == torch.__version__
    assert document["weights_sha256"] == weights_sha256(model)
    assert document["seconds"] > 0
    for name, figure in document["metrics"].items():
        assert {"num_samples", "num_queries", "num_references"} & set(figure), name


def test_sample_sizes_are_those_of_the_protocol(report: EvaluationReport) -> None:
    metrics = report.to_dict()["metrics"]
    assert [metrics[name]["num_references"] for name in ("NND/100", "NND/10", "NND")] == [1_000, 10_000, 100_000]
    assert metrics["NNC_e-"] | {"value": 0, "interval": []} == {
        "value": 0, "unit": "%", "num_queries": 40, "num_references": 90, "interval": [],
    }  # fmt: skip
    assert metrics["EGr"]["num_samples"] == 40 and metrics["EGg"]["num_samples"] == 100_000
    assert metrics["JD"]["num_samples"] == 128_000 and metrics["JD"]["unit"] == "nats"


def test_accuracies_carry_their_wilson_interval_in_percent(report: EvaluationReport) -> None:
    for name in ("NNC_e", "NNC_e-", "CLS_e-"):
        metric = report.metrics[name]
        low, high = wilson_interval(round(metric.value * 40 / 100), 40)
        assert metric.interval == pytest.approx((100 * low, 100 * high))


def test_nearest_neighbour_accuracies_agree_with_brute_force(report: EvaluationReport, model: BiGAN) -> None:
    training, held_out = dataset(90, seed=1), dataset(40, seed=2)
    for name, layer in (("NNC_e", "output"), ("NNC_e-", "penultimate")):
        references, queries = (model.features(scale(data.images), layer).double() for data in (training, held_out))
        nearest = (queries[:, None] - references).norm(dim=2).argmin(1)
        correct = (training.labels[nearest] == held_out.labels).double().mean().item()
        assert report.metrics[name].value == pytest.approx(100 * correct)


def test_an_untrained_discriminator_is_undecided(report: EvaluationReport) -> None:
    assert report.metrics["JD"].value == pytest.approx(math.log(2), abs=1e-6)


def test_the_same_seed_gives_the_same_figures_and_leaves_the_model_bit_identical(report: EvaluationReport) -> None:
    model = small_model().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    second = evaluate(model, dataset(90, seed=1), dataset(40, seed=2), protocol="test", seed=3)
    assert second.metrics == report.metrics
    assert second.weights_sha256 == report.weights_sha256
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_progress_is_told_each_stage_before_it_runs(model: BiGAN) -> None:
    class StopError(Exception):
        """Ends the evaluation."""

    heard: list[str] = []

    def listen(stage: str) -> None:
        heard.append(stage)
        if stage == "NNC_e-":
            raise StopError

    with pytest.raises(StopError):
        evaluate(model, dataset(90, seed=1), dataset(40, seed=2), protocol="test", progress=listen)
    assert heard == ["NND", "NNC_e", "NNC_e-"]


def test_quick_metrics_are_those_of_the_report(model: BiGAN, report: EvaluationReport) -> None:
    training, held_out = dataset(90, seed=1), dataset(40, seed=2)
    quick = quick_metrics(model, training.images, training.labels, held_out.images, held_out.labels)
    assert quick == {name: report.metrics[name].value for name in ("EGr", "EGr_b", "NNC_e-")}


def test_weights_fingerprint_changes_with_a_single_weight(model: BiGAN) -> None:
    other = small_model()
    assert weights_sha256(other) == weights_sha256(model)
    with torch.no_grad():
        other.encoder.output.weight[0, 0] += 1e-3
    assert weights_sha256(other) != weights_sha256(model)


def test_images_of_another_shape_are_refused(model: BiGAN) -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 3, 4\); this model needs \(2, 3, 4\)"):
        evaluate(model, dataset(90, seed=1), dataset(40, seed=2, shape=(1, 3, 4)), protocol="test")
