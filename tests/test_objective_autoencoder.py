"""The autoencoders and a BiGAN's cycle term: reconstruction errors against naive float64, and what they move."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from toys import (
    after_one_step,
    double,
    float64,
    lively,
    moved,
    naive_encoder,
    naive_generator,
    snapshot,
    toy_batch,
    toy_recipe,
)

from bigan.config import Recipe
from bigan.data import Dataset
from bigan.objectives.autoencoder import l1_error, l2_error
from bigan.objectives.bigan import BiGANObjective
from bigan.training import TrainingState, train, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

L2, L1, BIGAN = toy_recipe("mnist-ae-l2"), toy_recipe("mnist-ae-l1"), toy_recipe("mnist")


def naive_error(state: TrainingState, power: int) -> float:
    w, (x, _) = float64(state.model), double(toy_batch())
    difference = naive_generator(w, naive_encoder(w, x)) - x.flatten(1)
    return (difference.abs() ** power).sum(1).mean().item()


@pytest.mark.parametrize(("recipe", "power"), [(L2, 2), (L1, 1)], ids=["l2", "l1"])
def test_the_loss_equals_a_naive_float64_reference(recipe: Recipe, power: int) -> None:
    state = lively(TrainingState(recipe))
    losses = state.objective.losses(state.model, toy_batch())
    assert losses.keys() == {"R"} and losses["R"].item() == pytest.approx(naive_error(state, power), rel=1e-5)


def test_the_errors_of_known_images_are_closed_forms() -> None:
    x, x_hat = torch.zeros(3, 1, 5, 4), torch.full((3, 1, 5, 4), 0.5)
    assert (l2_error(x, x_hat).item(), l1_error(x, x_hat).item()) == (20 * 0.25, 20 * 0.5)
    assert l2_error(x_hat, x_hat).item() == l1_error(x_hat, x_hat).item() == 0
    x_hat[1:] = 0  # a mean over the batch, a sum over the image
    assert l2_error(x, x_hat).item() == pytest.approx(5 / 3)


def test_the_gradient_of_the_l2_error_is_the_difference_and_that_of_l1_its_sign() -> None:
    generator = torch.Generator().manual_seed(0)
    x, x_hat = (torch.rand(4, 1, 5, 4, generator=generator) for _ in range(2))
    x_hat.requires_grad_()
    (l2,) = torch.autograd.grad(l2_error(x, x_hat), x_hat)
    (l1,) = torch.autograd.grad(l1_error(x, x_hat), x_hat)
    torch.testing.assert_close(l2, 2 * (x_hat.detach() - x) / 4)
    torch.testing.assert_close(l1, (x_hat.detach() - x).sign() / 4)


@pytest.mark.parametrize("recipe", [L2, L1], ids=["l2", "l1"])
def test_a_step_moves_g_and_e_and_many_reconstruct_better(recipe: Recipe, data: Dataset, fabric: "Fabric") -> None:
    config = replace(recipe.train, epochs=10, weight_decay=0.0)
    state = lively(TrainingState(replace(recipe, train=config)))
    before = snapshot(state.model)
    first = next(train_epoch(state, data, fabric)).losses["R"]
    assert moved(before, snapshot(state.model)) == ({"generator", "encoder"}, set())
    *_, last = train(state, data, fabric)
    assert last.losses["R"] < 0.9 * first


def test_latents_and_labels_are_of_no_consequence() -> None:
    state, batch = lively(TrainingState(L2)), toy_batch()
    other = batch._replace(z=-batch.z, labels=1 - batch.labels)
    losses = [state.objective.losses(state.model, each)["R"] for each in (batch, other)]
    assert torch.equal(*losses)


# The cycle term of a BiGAN


@pytest.mark.parametrize("weight", [0.0, 0.3, 2.0])
def test_the_cycle_term_adds_the_weighted_error_to_the_loss_of_e_and_g_alone(weight: float) -> None:
    state, batch = lively(TrainingState(BIGAN)), toy_batch()
    plain = BiGANObjective().losses(state.model, batch)
    cycled = BiGANObjective(cycle_weight=weight).losses(state.model, batch)
    assert torch.equal(plain["JD"], cycled["JD"])
    added = cycled["EG"].item() - plain["EG"].item()
    assert added == pytest.approx(weight * naive_error(state, 2), rel=1e-4, abs=1e-7)


def test_a_cycle_term_does_not_change_the_step_of_d(data: Dataset, fabric: "Fabric") -> None:
    recipes = [replace(BIGAN, train=replace(BIGAN.train, cycle_weight=weight)) for weight in (0.0, 1.0)]
    ends = [after_one_step(recipe, data, fabric) for recipe in recipes]
    for name, weight in ends[0].items():
        assert torch.equal(weight, ends[1][name]) == name.startswith("discriminator"), name
