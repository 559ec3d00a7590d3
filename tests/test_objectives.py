"""What all objectives share: every recipe trains, what does not fit is refused, one of one's own needs nothing else."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import pytest
import torch
from toys import MODEL, TRAIN, lively, moved, snapshot, toy_recipe

from bigan import checkpoint
from bigan.config import RECIPES, ModelConfig, ObjectiveName, Recipe, TrainConfig
from bigan.data import Dataset
from bigan.models.bigan import BiGAN
from bigan.objectives import Batch, Objective, objective_of
from bigan.training import TrainingState, train, train_epoch

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_fabric import Fabric


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_a_step_and_moves_what_it_says(
    name: str, data: Dataset, fabric: "Fabric", tmp_path: "Path"
) -> None:
    recipe = toy_recipe(name)
    if RECIPES[name].train.start is not None:
        checkpoint.save(BiGAN(toy_recipe("mnist-gan").model).initialise(0), tmp_path / "start")
        recipe = replace(recipe, train=replace(recipe.train, start=str(tmp_path / "start")))
    state = lively(TrainingState(recipe))
    trained = {network for networks in state.objective.players.values() for network in networks}
    before = snapshot(state.model)
    step = next(train_epoch(state, data, fabric))
    assert step.losses.keys() == state.objective.players.keys()
    assert moved(before, snapshot(state.model)) == (trained, set(recipe.model.networks) - trained)


@pytest.mark.parametrize("name", get_args(ObjectiveName))
def test_every_objective_has_players_with_networks_of_their_own(name: ObjectiveName) -> None:
    objective = objective_of(TrainConfig(objective=name))
    networks = [network for names in objective.players.values() for network in names]
    assert networks and len(set(networks)) == len(networks), "no network descends two losses"
    first = next(iter(objective.players.values()))
    assert "discriminator" not in networks or first == ("discriminator",), "D is first, for the alternating schedule"


NO_ENCODER = ModelConfig(networks=("generator", "discriminator"), discriminator_sees="image")
NO_DISCRIMINATOR = ModelConfig(networks=("generator", "encoder"))
UNFIT: list[tuple[ModelConfig, dict[str, Any], str]] = [
    (NO_ENCODER, {}, "networks is generator, discriminator; the objective 'label-swapped' also trains the encoder."),
    (NO_DISCRIMINATOR, {"objective": "gan"}, "networks is generator, encoder; the objective 'gan' also trains the d"),
    (replace(NO_ENCODER, discriminator_sees="pair"), {"objective": "gan"}, "discriminator_sees is 'pair'; for the obj"),
    (ModelConfig(discriminator_sees="image"), {}, "for the objective 'label-swapped' it must be 'pair'."),
    (
        ModelConfig(discriminator_sees="image"),
        {"objective": "gan"},
        "start is not given; the objective 'gan' does not train the encoder, so it must come from a checkpoint.",
    ),
    (
        ModelConfig(prior="normal", discriminator_sees="image"),
        {"objective": "latent-regressor"},
        "prior is 'normal'; for the objective 'latent-regressor' it must be 'uniform'.",
    ),
    (ModelConfig(), {"objective": "supervised"}, "'supervised' does not train the generator"),
    (
        NO_DISCRIMINATOR,
        {"objective": "autoencoder-l2", "schedule": "alternating"},
        "schedule is 'alternating'; 'autoencoder-l2' has no discriminator to alternate with.",
    ),
]


@pytest.mark.parametrize(("model", "settings", "sentence"), UNFIT, ids=range(len(UNFIT)))
def test_a_model_that_an_objective_cannot_train_is_refused_in_one_sentence(
    model: ModelConfig, settings: dict[str, Any], sentence: str
) -> None:
    small = replace(model, image_shape=MODEL.image_shape, latent_dim=3, hidden_dim=8)
    with pytest.raises(ValueError) as refused:
        TrainingState(Recipe(small, TrainConfig(**settings)))
    message = str(refused.value)
    assert sentence in message and message.endswith(".") and ". " not in message and "\n" not in message


def test_training_begins_with_the_networks_of_a_checkpoint_and_goes_on_as_it_would(
    data: Dataset, fabric: "Fabric", tmp_path: "Path"
) -> None:
    state = TrainingState(Recipe(MODEL, TRAIN))
    list(train(state, data, fabric, num_epochs=1))
    checkpoint.save(state.model, tmp_path / "made", torch.float32)
    begun = TrainingState(Recipe(MODEL, replace(TRAIN, start=str(tmp_path / "made"))))
    assert snapshot(begun.model).keys() == snapshot(state.model).keys()
    for name, weight in snapshot(state.model).items():
        assert torch.equal(weight, begun.model.get_parameter(name)), name
    assert begun.epoch == 0 and begun.model.training


@pytest.mark.parametrize("recipe", ["mnist-gan", "mnist-jlr"])
def test_a_rival_can_alternate_too(recipe: str, data: Dataset, fabric: "Fabric") -> None:
    config = toy_recipe(recipe)
    config = replace(config, train=replace(config.train, schedule="alternating", discriminator_steps=2))
    state = lively(TrainingState(config))
    step = next(train_epoch(state, data, fabric))
    assert step.losses.keys() == state.objective.players.keys() and step.num_images == 48


class Echo(Objective):
    """Not one of ours: G paints every image grey, E says 0 to every image, each by itself."""

    players: ClassVar = {"grey": ("generator",), "nought": ("encoder",)}

    def losses(self, model: BiGAN, batch: Batch) -> dict[str, torch.Tensor]:
        """Squared distances to grey and to nought."""
        grey = (model.generator(batch.z) - 0.5).square().mean()
        return {"grey": grey, "nought": model.encoder(batch.x).square().mean()}


def test_an_objective_of_ones_own_trains_without_a_change_to_the_training(data: Dataset, fabric: "Fabric") -> None:
    recipe = Recipe(replace(MODEL, networks=("generator", "encoder")), replace(TRAIN, weight_decay=0.0, epochs=8))
    state = lively(TrainingState(recipe, objective=Echo()))
    steps = list(train(state, data, fabric))
    for name in ("grey", "nought"):
        assert steps[-1].losses[name] < 0.5 * steps[0].losses[name]
    continued = TrainingState(recipe, objective=Echo())
    continued.restore(state.tensors(), epoch=10)
    assert {name.split(".")[1] for name in continued.tensors() if name.startswith("adam")} == {"grey", "nought"}
    with pytest.raises(ValueError, match="does not train the discriminator"):
        TrainingState(Recipe(MODEL, TRAIN), objective=Echo())
