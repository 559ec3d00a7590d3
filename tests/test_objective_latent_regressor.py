"""LR, JLR and LR after a GAN: the regression against naive float64, which gradients flow and which do not."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from toys import (
    TRAIN,
    double,
    float64,
    lively,
    moved,
    naive_discriminator,
    naive_generator,
    naive_output,
    snapshot,
    toy_batch,
    toy_recipe,
)

from bigan import checkpoint
from bigan.config import ModelConfig, Recipe
from bigan.data import Dataset
from bigan.objectives import JOINT_WEIGHT
from bigan.objectives.latent_regressor import regression_loss
from bigan.training import TrainingState, train, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

LR, JLR, AFTER = toy_recipe("mnist-lr"), toy_recipe("mnist-jlr"), toy_recipe("mnist-lr-after")
GAN = toy_recipe("mnist-gan")


def started(recipe: Recipe, start: Path) -> TrainingState:
    return TrainingState(replace(recipe, train=replace(recipe.train, start=str(start))))


@pytest.fixture
def gan(data: Dataset, fabric: "Fabric", tmp_path: Path) -> Path:
    """The checkpoint of a GAN that was trained a little, as it is in memory."""
    state = TrainingState(GAN)
    list(train(state, data, fabric, num_epochs=1))
    checkpoint.save(state.model, tmp_path / "gan", torch.float32)
    return tmp_path / "gan"


def test_the_regression_equals_a_naive_float64_reference() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, z = 3 * torch.randn(7, 5, generator=generator), 2 * torch.rand(7, 5, generator=generator) - 1
    target, sigmoid = (z.double() + 1) / 2, 1 / (1 + torch.exp(-outputs.double()))
    naive = -(target * torch.log(sigmoid) + (1 - target) * torch.log(1 - sigmoid)).mean()
    assert regression_loss(outputs, z).item() == pytest.approx(naive.item(), rel=1e-5)


def test_the_regression_is_log_two_for_outputs_of_zero_whatever_z_is() -> None:
    z = torch.linspace(-1, 1, 12).view(4, 3)
    assert regression_loss(torch.zeros(4, 3), z).item() == pytest.approx(math.log(2))


def test_the_regression_is_least_where_the_squashed_output_is_z() -> None:
    z = torch.tensor([[-0.9, -0.2, 0.0, 0.6]])
    best = 2 * torch.atanh(z)  # 2 sigmoid(a) - 1 = tanh(a / 2)
    best.requires_grad_()
    (gradient,) = torch.autograd.grad(regression_loss(best, z), best)
    assert gradient.abs().max() < 1e-7
    nearby = [regression_loss(best.detach() + shift, z).item() for shift in (-0.1, 0.0, 0.1)]
    assert min(nearby) == nearby[1]


@pytest.mark.parametrize(("recipe", "weight"), [(LR, 0.0), (JLR, 0.25)], ids=["lr", "jlr"])
def test_the_losses_equal_a_naive_float64_reference(recipe: Recipe, weight: float) -> None:
    state, batch = lively(TrainingState(recipe)), toy_batch()
    w, (x, z) = float64(state.model), double(batch)
    x_fake = naive_generator(w, z)
    real, fake = naive_discriminator(w, x), naive_discriminator(w, x_fake)
    e = 1 / (1 + torch.exp(-naive_output(w, x_fake)))
    regression = -((z + 1) / 2 * torch.log(e) + (1 - z) / 2 * torch.log(1 - e)).mean()
    expected = {
        "D": -(torch.log(real).mean() + torch.log(1 - fake).mean()) / 2,
        "G": -torch.log(fake).mean() + weight * regression,
        "E": regression,
    }
    losses = state.objective.losses(state.model, batch)
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(expected[name].item(), rel=1e-5), name


def test_afterwards_the_loss_is_the_same_regression_alone(gan: Path) -> None:
    state, batch = lively(started(AFTER, gan)), toy_batch()
    w, (_, z) = float64(state.model), double(batch)
    e = 1 / (1 + torch.exp(-naive_output(w, naive_generator(w, z))))
    expected = -((z + 1) / 2 * torch.log(e) + (1 - z) / 2 * torch.log(1 - e)).mean().item()
    assert state.objective.losses(state.model, batch)["E"].item() == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(math.log(2), rel=0.01)


@pytest.mark.parametrize("recipe", [LR, JLR], ids=["lr", "jlr"])
def test_a_fresh_regressor_is_undecided_in_everything(recipe: Recipe) -> None:
    state = TrainingState(recipe)
    undecided = {"D": math.log(2), "E": math.log(2), "G": math.log(2)}
    if recipe is JLR:
        undecided["G"] += JOINT_WEIGHT * math.log(2)
    losses = state.objective.losses(state.model, toy_batch())
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(undecided)


@pytest.mark.parametrize("recipe", [LR, JLR], ids=["lr", "jlr"])
def test_a_step_moves_all_three_networks(recipe: Recipe, data: Dataset, fabric: "Fabric") -> None:
    state = lively(TrainingState(recipe))
    before = snapshot(state.model)
    next(train_epoch(state, data, fabric))
    assert moved(before, snapshot(state.model)) == ({"generator", "encoder", "discriminator"}, set())


def of_the_gan(state: TrainingState) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in snapshot(state.model).items() if not name.startswith("encoder")}


def test_the_g_and_d_of_lr_are_those_of_a_gan_bit_for_bit_and_those_of_jlr_are_not(
    gan: Path, data: Dataset, fabric: "Fabric"
) -> None:
    ends = {}
    for name, recipe in (("gan", GAN), ("lr", LR), ("jlr", JLR)):
        state = started(recipe, gan)
        list(train(state, data, fabric, num_epochs=2))
        ends[name] = of_the_gan(state)
    assert ends["gan"].keys() == ends["lr"].keys() == ends["jlr"].keys()
    assert all(torch.equal(ends["lr"][name], weight) for name, weight in ends["gan"].items())
    assert not any(torch.equal(ends["jlr"][name], weight) for name, weight in ends["gan"].items())


def test_e_learns_to_find_the_latents(data: Dataset, fabric: "Fabric") -> None:
    recipe = replace(LR, train=replace(LR.train, epochs=30, decay_epochs=0, weight_decay=0.0))
    losses = [step.losses["E"] for step in train(TrainingState(recipe), data, fabric)]
    assert losses[0] == pytest.approx(math.log(2)) and losses[-1] < 0.62


# After a GAN


def test_afterwards_only_e_moves_and_g_is_that_of_the_gan(gan: Path, data: Dataset, fabric: "Fabric") -> None:
    state, original = started(AFTER, gan), checkpoint.load(gan)
    before = snapshot(state.model)
    first, *_, last = train(state, data, fabric, num_epochs=2)
    assert first.losses == {"E": pytest.approx(math.log(2))} and last.losses["E"] < 0.999 * math.log(2)
    assert moved(before, snapshot(state.model)) == ({"encoder"}, {"generator"})
    for name, weight in state.model.generator.named_parameters():
        assert torch.equal(weight, original.generator.get_parameter(name))


def test_a_gan_that_is_not_there_or_not_given_is_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"^start is not given; the objective .* does not train the generator, .*\.$"):
        TrainingState(AFTER)
    with pytest.raises(checkpoint.CheckpointError, match=r"^There is no checkpoint 'no-such-gan'; .*\.$"):
        started(AFTER, Path("no-such-gan"))


def test_a_gan_of_other_sizes_is_one_sentence(tmp_path: Path) -> None:
    other = ModelConfig(image_shape=(1, 5, 4), latent_dim=4, hidden_dim=8)
    checkpoint.save(TrainingState(Recipe(other, TRAIN)).model, tmp_path / "other")
    with pytest.raises(ValueError, match=r"^start is '.*', whose generator is not of the recipe's sizes\.$"):
        started(AFTER, tmp_path / "other")


def test_a_checkpoint_without_the_g_to_start_with_is_one_sentence(tmp_path: Path) -> None:
    checkpoint.save(TrainingState(toy_recipe("mnist-supervised")).model, tmp_path / "no-g")
    with pytest.raises(ValueError, match=r"^start is '.*', which has no generator, and the objective .*\.$"):
        started(AFTER, tmp_path / "no-g")


def test_what_is_shipped_of_each_has_no_discriminator(gan: Path) -> None:
    for state in (TrainingState(LR), TrainingState(JLR), started(AFTER, gan)):
        shipped = state.model.with_networks(state.objective.ships)
        assert shipped.config.networks == ("generator", "encoder")
        assert shipped.generator is state.model.generator and shipped.encoder is state.model.encoder
