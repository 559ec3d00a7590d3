"""The GAN on images alone: its losses against a naive float64 reference, and what each step moves."""

import math
from typing import TYPE_CHECKING

import pytest
import torch
from jaxtyping import TypeCheckError
from toys import double, float64, lively, moved, naive_discriminator, naive_generator, snapshot, toy_batch, toy_recipe

from bigan.data import Dataset
from bigan.objectives.gan import GANObjective, generator_loss
from bigan.training import TrainingState, epoch_batches, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@pytest.fixture
def state() -> TrainingState:
    """A GAN whose D has an opinion."""
    return lively(TrainingState(toy_recipe("mnist-gan")))


def test_the_losses_equal_a_naive_float64_reference(state: TrainingState) -> None:
    batch = toy_batch()
    w, (x, z) = float64(state.model), double(batch)
    real, fake = naive_discriminator(w, x), naive_discriminator(w, naive_generator(w, z))
    losses = GANObjective().losses(state.model, batch)
    assert losses["D"].item() == pytest.approx(
        (-torch.log(real).mean() - torch.log(1 - fake).mean()).item() / 2, rel=1e-5
    )
    assert losses["G"].item() == pytest.approx(-torch.log(fake).mean().item(), rel=1e-5)
    assert losses.keys() == {"D", "G"}


def test_both_losses_are_log_two_when_d_is_undecided() -> None:
    fresh = TrainingState(toy_recipe("mnist-gan"))
    losses = GANObjective().losses(fresh.model, toy_batch())
    assert [loss.item() for loss in losses.values()] == pytest.approx([math.log(2)] * 2)


@pytest.mark.parametrize("logit", [-3.0, 0.0, 2.0])
def test_the_loss_of_g_is_small_where_d_takes_its_images_for_real(logit: float) -> None:
    assert generator_loss(torch.full((4,), logit)).item() == pytest.approx(math.log1p(math.exp(-logit)))


def test_a_logit_with_a_spare_axis_is_refused() -> None:
    with pytest.raises(TypeCheckError):
        generator_loss(torch.zeros(4, 1))


def test_a_step_moves_both_networks_and_d_by_its_own_loss_alone(
    state: TrainingState, data: Dataset, fabric: "Fabric"
) -> None:
    config, weights = state.config, list(state.model.discriminator.parameters())
    loss = state.objective.losses(state.model, next(epoch_batches(state, data, fabric)))["D"]
    expected = []  # Adam's first step has the length of the learning rate, whatever the gradient's
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        direction = gradient + config.weight_decay * weight.detach()
        expected.append(weight.detach() - config.learning_rate * direction / (direction.abs() + config.adam_eps))
    before = snapshot(state.model)
    step = next(train_epoch(state, data, fabric))
    assert step.losses.keys() == {"D", "G"}
    assert moved(before, snapshot(state.model)) == ({"generator", "discriminator"}, set())
    for weight, value in zip(weights, expected, strict=True):
        torch.testing.assert_close(weight.detach(), value, rtol=1e-4, atol=1e-6)
