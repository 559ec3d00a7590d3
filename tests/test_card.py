"""The model card says what the files of its folder say."""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard

from bigan import checkpoint
from bigan.card import card_text, write_card
from bigan.config import RECIPES, TrainConfig
from bigan.evaluation.paper import MEANINGS, PUBLISHED, published
from bigan.evaluation.report import weights_sha256
from bigan.explore.gallery import Gallery, save_gallery
from bigan.explore.projection import SPACES, Projection, SpaceMap, save_projection
from bigan.models.bigan import BiGAN

TRAIN = {
    "recipe": "tiny",
    "train": dataclasses.replace(RECIPES["tiny"].train, epochs=5, decay_epochs=3, seed=4711).to_dict(),
    "command": "python -m bigan train tiny --data data --out checkpoints/tiny",
    "num_images": 59_321,
    "device": "cpu",
    "processor": "Abacus 7 | brass",
    "hours": 1.257,
    "epochs_done": 8,
    "versions": {"torch": "9.8.7"},
}
VALUES = {
    "NNC_e": (91.25, "%"), "NNC_e-": (96.875, "%"), "JD": (0.0625, "nats"), "EGr": (6.5, "pixel L2"),
    "EGr_b": (9.75, "pixel L2"), "EGr/EGr_b": (0.6667, "ratio"), "EGg/EGg_b": (0.5543, "ratio"),
    "latent_round_trip": (1.375, "latent L2"), "latent_round_trip_b": (5.875, "latent L2"),
    "prior_distance": (0.0437, "Kolmogorov-Smirnov"),
}  # fmt: skip
METRICS: dict[str, Any] = {
    "dataset": "mnist", "protocol": "test", "seed": 3, "device": "cpu", "processor": "Abacus 7", "seconds": 123.4,
    "versions": {"torch": "9.8.7"},
    "metrics": {name: {"value": value, "unit": unit, "num_samples": 9_876} for name, (value, unit) in VALUES.items()},
}  # fmt: skip
METRICS["metrics"]["NNC_e-"] |= {"interval": [96.51, 97.23], "num_queries": 9_753, "num_references": 58_642}


def write_metrics(folder: Path, metrics: dict[str, Any]) -> None:
    metrics = metrics | {"weights_sha256": weights_sha256(checkpoint.load(folder))}
    (folder / "metrics.json").write_text(json.dumps(metrics))


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint with everything that a card is made from."""
    copy = Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))
    (copy / "train.json").write_text(json.dumps(TRAIN))
    write_metrics(copy, METRICS)
    ids = tuple(f"digit-{i}" for i in range(123))
    images = torch.zeros(123, 1, 28, 28, dtype=torch.uint8)
    labels = torch.arange(123) % 10
    save_gallery(Gallery(images, labels, ids, tuple("0123456789"), "drawn by hand"), copy)
    maps: dict[str, SpaceMap] = {
        space: SpaceMap(space, torch.from_numpy(np.eye(123, 2, dtype=np.float32)), {"seed": 42}, 0.9125, 0.8175, 0.9315)
        for space in SPACES
    }
    save_projection(Projection(ids, maps, weights_sha256(checkpoint.load(copy))), copy)
    return copy


def test_card_holds_every_measured_number_beside_the_published_one(folder: Path) -> None:
    text = card_text(folder)
    row = "| NNC_e- | 96.88 % (96.51 to 97.23) | 9,753 queries, 58,642 references, 9,876 samples | 97.39 % | "
    assert row + "Donahue et al. 2017, table 1 (test protocol) |" in text
    assert "| JD | 0.0625 nats | 9,876 samples | 0.0545 nats | " in text
    assert (
        "(validation protocol)" in text
        and "protocol `test`; seed 3; device cpu; processor Abacus 7; 123 seconds" in text
    )
    assert all(f"- {name}: {MEANINGS[name]}" in text for name in VALUES)


def test_card_says_how_it_was_made_and_from_what(folder: Path) -> None:
    text = card_text(folder)
    assert f"\n    {TRAIN['command']}\n" in text
    assert "1.26 hours on Abacus 7 \\| brass (device cpu); torch 9.8.7" in text
    assert "8 of 8 epochs" in text and "seed 4711" in text and "59,321 images" in text
    assert "Terms: as published by its authors" in text
    assert "123 images; drawn by hand." in text
    assert text.count("| 0.912 | 0.818 | 0.931 |") + text.count("| 0.912 | 0.817 | 0.931 |") == len(SPACES)


def test_card_names_the_gallery_that_a_model_was_trained_on_and_claims_no_data_set(folder: Path) -> None:
    (folder / "train.json").write_text(json.dumps(TRAIN | {"dataset": "gallery of mnist"}))
    text = card_text(folder)
    assert "Trained on gallery of mnist, 59,321 images." in text and "# BiGAN of MNIST: tiny" in text
    assert "LeCun" not in text and "Terms" not in text and "ylecun/mnist" not in text.partition("model-index")[0]
    (folder / "train.json").write_text(json.dumps(TRAIN | {"dataset": "mnist"}))
    assert "Trained on MNIST, 59,321 images." in card_text(folder)


def test_card_says_where_the_model_fails_in_its_own_numbers(folder: Path) -> None:
    failures = card_text(folder).split("## Where it fails")[1].split("##")[0]
    assert "only ever seen digits of 28 x 28 pixels" in failures
    assert "G(E(x)) is only 33 % closer to x than to another image (ratio 0.67)." in failures
    assert "G(E(G(z))) is only 45 % closer to G(z)" in failures
    assert "D nearly always tells the two kinds of pair apart: its loss is 0.062 nats, where 0.693" in failures
    assert "E(G(z)) lies 1.38 from z, where another z lies 5.88 away" in failures
    assert "91.25 % against 96.88 %" in failures
    assert "0.044 away" in failures


@pytest.mark.parametrize(("end", "is_worse"), [("80.24", True), ("84.3", False), ("97.04", False)])
def test_card_says_where_training_made_the_features_worse(folder: Path, end: str, is_worse: bool) -> None:
    (folder / "history.csv").write_text(f"epoch,NNC_e-\n0,84.62\n1,\n2,{end}\n")
    said = f"worse at telling classes apart: NNC_e- is {end} % at the end and was 84.62 % before the first epoch"
    assert (said in card_text(folder)) == is_worse


def test_no_number_of_the_card_is_typed(folder: Path) -> None:
    (folder / "metrics.json").unlink()
    text = card_text(folder)
    assert "not measured yet" in text
    assert not any(re.search(rf"\b{re.escape(f'{value:.4g}')}\b", text) for value, _ in VALUES.values())
    assert text.split("## Where it fails")[1].split("##")[0].count("\n- ") == 1


def test_metrics_and_maps_of_other_weights_are_not_shown(folder: Path) -> None:
    checkpoint.save(BiGAN(RECIPES["tiny"].model).initialise(1), folder)
    text = card_text(folder)
    assert "These weights are not measured yet: `python -m bigan evaluate tiny`" in text
    assert "96.88" not in text and "model-index" not in text and "closer" not in text
    assert "## Map" not in text


def test_head_is_what_the_hub_reads(folder: Path) -> None:
    write_card(folder)
    data = ModelCard.load(folder / "README.md").data
    assert (data.library_name, data.license, data.datasets) == ("bigan", "mit", ["ylecun/mnist"])
    assert "representation-learning" in data.tags
    assert data.model_name == "tiny"
    results = {result.metric_name: (result.metric_value, result.metric_type) for result in data.eval_results}
    assert results["NNC_e-"] == (96.875, "accuracy")
    assert {name: value for name, (value, _) in results.items()} == {name: value for name, (value, _) in VALUES.items()}


def test_card_is_the_same_twice_and_leaves_nothing_beside(folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    write_card(folder)
    first = (folder / "README.md").read_bytes()
    write_card(folder)
    assert (folder / "README.md").read_bytes() == first
    assert {path.name for path in folder.iterdir()} == before | {"README.md"}


def test_card_of_a_bare_checkpoint_claims_nothing(tmp_path: Path) -> None:
    config = dataclasses.replace(RECIPES["tiny"].model, dataset="my | photos", prior="normal", batch_norm=False)
    checkpoint.save(BiGAN(config).initialise(0), tmp_path / "bare")
    text = card_text(tmp_path / "bare")
    assert "# BiGAN of my \\| photos: bare" in text and "standard normal" in text and "without batch" in text
    assert "Not recorded." in text and "not measured yet" in text
    assert "Terms" not in text and "Gallery" not in text and "## Map" not in text and "datasets" not in text


def test_card_counts_the_weights_of_the_paper(tmp_path: Path) -> None:
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(RECIPES["mnist"].model.to_dict()))
    # E, D and G: 784 x 1024 + 1024^2 + 1024 x 50; + 50 x 1024 and 1024 x 1; 50 x 1024 + 1024^2 + 50 x 1024 + 1024 x 784
    assert f"{1_902_592 + 1_903_616 + 1_953_792:,} weights" in card_text(folder)


@pytest.mark.parametrize(
    "changes", [{"hours": None}, {"train": {"zoom": 1}}, {"versions": []}, {"hours": "long"}, {"hours": 10**400}]
)
def test_train_json_that_lacks_something_is_named(folder: Path, changes: dict[str, Any]) -> None:
    (folder / "train.json").write_text(json.dumps(TRAIN | changes))
    with pytest.raises(checkpoint.CheckpointError, match=r"train\.json must hold recipe, train, command"):
        write_card(folder)
    assert not (folder / "README.md").exists()


def test_seconds_that_no_float_holds_are_left_out(folder: Path) -> None:
    write_metrics(folder, METRICS | {"seconds": 10**400})
    assert "processor Abacus 7; torch" in card_text(folder)


def test_undecided_discriminator_and_exact_inverse_are_not_called_failures(folder: Path) -> None:
    kept = {"JD": {"value": 0.70, "unit": "nats"}, "EGr/EGr_b": {"value": 1.2, "unit": "ratio"}}
    write_metrics(folder, METRICS | {"metrics": kept})
    failures = card_text(folder).split("## Where it fails")[1]
    assert "tells the two kinds of pair apart" not in failures
    assert "no closer to x than to another image (ratio 1.20)" in failures


def test_published_prefers_the_protocol_asked_for() -> None:
    test, validation = (published("mnist", "bigan", "NNC_e-", protocol) for protocol in ("test", "validation"))
    assert test is not None and (test.value, test.protocol) == (97.39, "test")
    assert validation is not None and (validation.value, validation.protocol) == (97.35, "validation")
    assert published("fashion-mnist", "bigan", "NNC_e-") is None and published("mnist", "bigan", "beauty") is None


def test_each_row_of_the_table_has_its_own_published_figure_and_other_models_have_none() -> None:
    figures = {
        row: published("mnist", row, metric)
        for row, known in PUBLISHED.items()
        for metric in known
        if metric.startswith("NNC_") and metric != "NNC_e"
    }
    assert {row: figure and figure.value for row, figure in figures.items()} == {
        "bigan": 97.39, "d": 97.30, "lr": 97.44, "jlr": 97.13, "ae-l2": 97.58, "ae-l1": 97.63
    }  # fmt: skip
    assert published("mnist", None, "NNC_e-") is None


def test_published_ratios_are_those_of_the_published_distances() -> None:
    figures = {name: values[-1].value for name, values in PUBLISHED["bigan"].items()}
    assert figures["EGr/EGr_b"] == pytest.approx(0.620, abs=5e-4)  # derived from the log: 5.95 / 9.60
    for pair in ("EGr/EGr_b", "EGg/EGg_b"):
        distance, baseline = pair.split("/")
        assert figures[pair] == figures[distance] / figures[baseline]
    assert set(figures) <= set(MEANINGS)


@pytest.mark.parametrize(
    ("weights", "title", "terms"),
    [
        ({}, "BiGAN", "objective label-swapped, "),
        (
            {"cycle_weight": 0.25, "blind_weight": 3.0},
            "Extended BiGAN",
            "objective label-swapped + 0.25 |x - G(E(x))|^2 + 3 (consistency + information), ",
        ),
    ],
)
def test_a_bigan_with_further_terms_is_told_from_one_of_the_paper(
    folder: Path, weights: dict[str, float], title: str, terms: str
) -> None:
    (folder / "train.json").write_text(json.dumps(TRAIN | {"train": TRAIN["train"] | weights}))  # type: ignore[operator]
    text = card_text(folder)
    assert f"# {title} of MNIST: tiny" in text and terms in text
    assert ("Beyond the paper" in text) == bool(weights)
    assert "97.39 % | Donahue et al. 2017" in text


def test_shown_training_settings_are_complete_enough_to_repeat(folder: Path) -> None:
    text, settings = card_text(folder), TrainConfig.from_dict(TRAIN["train"])  # type: ignore[arg-type]
    for value in (
        settings.batch_size,
        settings.objective,
        settings.schedule,
        settings.precision,
        settings.weight_decay,
    ):
        assert str(value) in text
