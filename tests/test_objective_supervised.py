"""Training with labels: the cross-entropy, what it moves, and that it learns what can be learnt."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from toys import TRAIN, double, float64, lively, moved, naive_output, snapshot, toy_batch, toy_recipe

from bigan.data import Dataset, scale
from bigan.models.statistics import estimate_batch_norm
from bigan.training import TrainingState, train, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

RECIPE = toy_recipe("mnist-supervised")


def test_the_loss_equals_a_naive_float64_reference() -> None:
    state, batch = lively(TrainingState(RECIPE)), toy_batch()
    logits = naive_output(float64(state.model), double(batch)[0])
    own = logits[torch.arange(len(logits)), batch.labels]
    naive = (torch.log(torch.exp(logits).sum(1)) - own).mean()
    losses = state.objective.losses(state.model, batch)
    assert losses.keys() == {"C"} and losses["C"].item() == pytest.approx(naive.item(), rel=1e-5)


def test_the_loss_is_the_log_of_the_number_of_classes_where_all_logits_are_zero() -> None:
    state = TrainingState(RECIPE)
    torch.nn.init.zeros_(state.model.encoder.output.weight)
    assert state.objective.losses(state.model, toy_batch())["C"].item() == pytest.approx(math.log(3))


def test_a_step_moves_the_encoder(data: Dataset, fabric: "Fabric") -> None:
    state = lively(TrainingState(RECIPE))
    before = snapshot(state.model)
    next(train_epoch(state, data, fabric))
    assert moved(before, snapshot(state.model)) == ({"encoder"}, set())


def test_it_learns_classes_that_can_be_told_apart(fabric: "Fabric") -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 3
    images = torch.randint(0, 100, (120, 1, 5, 4), generator=generator, dtype=torch.uint8)
    images[torch.arange(120), 0, labels, 0] = 255  # where the class is
    bright = Dataset("bright", images, labels, ("a", "b", "c"))
    config = replace(TRAIN, objective="supervised", epochs=20, decay_epochs=0, weight_decay=0.0)
    state = TrainingState(replace(RECIPE, train=config))
    losses = [step.losses["C"] for step in train(state, bright, fabric)]
    assert losses[0] == pytest.approx(math.log(3), abs=0.1) and losses[-1] < 0.1
    estimate_batch_norm(state.model, images, num_batches=50, batch_size=32)
    assert (state.model.features(scale(images), "output").argmax(1) == labels).float().mean() > 0.97


def test_more_classes_than_outputs_are_one_sentence(data: Dataset, fabric: "Fabric") -> None:
    many = replace(data, labels=torch.arange(50) % 7, class_names=tuple("abcdefg"))
    with pytest.raises(ValueError, match=r"^latent_dim is 3; for the classes 0 to 6 it must be 7 or more\.$"):
        next(train_epoch(TrainingState(RECIPE), many, fabric))
