"""The configurations: JSON in and out, every bad value refused in one sentence, and the paper's numbers."""

import dataclasses
import json
import re
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest

from bigan.config import (
    MAX_LATENT_DIM,
    MAX_PIXELS,
    MAX_SEED,
    NETWORKS,
    RECIPES,
    VERBS,
    ModelConfig,
    Network,
    Sight,
    TrainConfig,
)
from bigan.models.bigan import BiGAN

OTHER_MODEL = ModelConfig("toy", (3, 1, 2), latent_dim=2, prior="normal", num_hidden_layers=4, batch_norm=False)
OTHER_TRAINING = TrainConfig(
    split="validation", adam_betas=(0.8, 0.99), objective="minimax", cycle_weight=0.5, blind_weight=2.0, start="mnist",
    schedule="alternating", discriminator_steps=3,
)  # fmt: skip
GAN = ModelConfig("toy", (1, 2, 3), networks=("generator", "discriminator"), discriminator_sees="image")
SUBSETS = [subset for count in (1, 2, 3) for subset in combinations(NETWORKS, count)]

# (field, bad value, what the message must say is allowed)
BAD_MODELS = [
    ("dataset", "", "a name"),
    ("dataset", 3, "a name"),
    ("image_shape", (28, 28), "three positive whole numbers"),
    ("image_shape", (1, 28, 28, 1), "three positive whole numbers"),
    ("image_shape", (1, 0, 28), "three positive whole numbers"),
    ("image_shape", (1, 28.0, 28), "three positive whole numbers"),
    ("image_shape", (True, 28, 28), "three positive whole numbers"),
    ("image_shape", "mnist", "three positive whole numbers"),
    ("image_shape", 784, "three positive whole numbers"),
    ("image_shape", None, "three positive whole numbers"),
    ("image_shape", (3, 4096, 4096), f"at most {MAX_PIXELS} values"),
    ("latent_dim", 0, f"a whole number from 1 to {MAX_LATENT_DIM}"),
    ("latent_dim", -50, "from 1 to"),
    ("latent_dim", 50.0, "a whole number"),
    ("latent_dim", "50", "a whole number"),
    ("latent_dim", True, "a whole number"),
    ("latent_dim", 10**9, "from 1 to"),
    ("prior", "laplace", "'uniform' or 'normal'"),
    ("prior", None, "'uniform' or 'normal'"),
    ("architecture", "dcgan", "'mlp'"),
    ("hidden_dim", 0, "a whole number from 1 to"),
    ("hidden_dim", 10**6, "a whole number from 1 to"),
    ("hidden_dim", float("nan"), "a whole number"),
    ("num_hidden_layers", 1, "a whole number from 2 to"),
    ("num_hidden_layers", 1000, "a whole number from 2 to"),
    ("batch_norm", "no", "true or false"),
    ("batch_norm", 1, "true or false"),
    ("networks", (), "one or more of generator, encoder, discriminator, in this order"),
    ("networks", ("encoder", "generator"), "in this order"),
    ("networks", ("generator", "generator"), "in this order"),
    ("networks", ("critic",), "one or more of generator, encoder, discriminator"),
    ("networks", "generator", "one or more of"),
    ("networks", None, "one or more of"),
    ("discriminator_sees", "latent", "'pair' or 'image'"),
    ("discriminator_sees", None, "'pair' or 'image'"),
]
BAD_TRAININGS = [
    ("split", "train", "'test' or 'validation'"),
    ("epochs", -1, "0 or more"),
    ("epochs", 1.5, "a whole number"),
    ("decay_epochs", -1, "0 or more"),
    ("decay_epochs", "200", "a whole number"),
    ("batch_size", 1, "2 or more"),
    ("batch_size", None, "2 or more"),
    ("learning_rate", 0.0, "a positive number"),
    ("learning_rate", -2e-4, "a positive number"),
    ("learning_rate", float("nan"), "a positive number"),
    ("learning_rate", float("inf"), "a positive number"),
    ("learning_rate", "2e-4", "a positive number"),
    ("final_learning_rate_factor", 0, "above 0 and at most 1"),
    ("final_learning_rate_factor", 1.01, "above 0 and at most 1"),
    ("adam_betas", 0.5, "two numbers"),
    ("adam_betas", (0.5,), "two numbers"),
    ("adam_eps", 0.0, "a positive number"),
    ("weight_decay", -1e-5, "0 or more"),
    ("weight_decay", float("nan"), "0 or more"),
    ("objective", "wasserstein", "one of label-swapped, minimax, gan, "),
    ("cycle_weight", -0.1, "0 or more"),
    ("cycle_weight", float("inf"), "0 or more"),
    ("blind_weight", -0.1, "0 or more"),
    ("start", 3, "the name of a checkpoint"),
    ("schedule", "random", "'simultaneous' or 'alternating'"),
    ("discriminator_steps", 0, "1 or more"),
    ("discriminator_steps", 2, "1 in the simultaneous schedule"),
    ("precision", "fp16", "'bf16' or 'fp32'"),
    ("seed", -1, "a whole number from 0"),
    ("seed", MAX_SEED + 1, "a whole number from 0"),
    ("seed", 0.5, "a whole number"),
]


def _refusal(config_class: type, name: str, value: Any) -> str:
    with pytest.raises(ValueError, match=name) as refusal:
        config_class(**{name: value})
    return str(refusal.value)


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_MODELS)
def test_a_bad_value_of_the_model_is_refused_in_one_sentence(name: str, value: Any, allowed: str) -> None:
    message = _refusal(ModelConfig, name, value)
    assert message.startswith(f"{name} is {value!r}; it must be ") and allowed in message
    assert re.fullmatch(r"[^\n]*\.", message)


@pytest.mark.parametrize(("name", "value", "allowed"), BAD_TRAININGS)
def test_a_bad_value_of_the_training_is_refused_in_one_sentence(name: str, value: Any, allowed: str) -> None:
    message = _refusal(TrainConfig, name, value)
    assert message.startswith(f"{name} is {value!r}; it must be ") and allowed in message
    assert re.fullmatch(r"[^\n]*\.", message)


@pytest.mark.parametrize("beta", [1.0, -0.1, "0.5", float("nan")])
def test_each_of_adams_betas_is_checked(beta: Any) -> None:
    with pytest.raises(ValueError, match=re.escape(f"adam_betas is {beta!r}; it must be numbers from 0 to below 1.")):
        TrainConfig(adam_betas=(0.5, beta))


def test_each_size_may_be_allowed_and_the_whole_still_too_large() -> None:
    with pytest.raises(ValueError, match=r"^the number of weights is \d+; it must be at most 500000000\.$"):
        ModelConfig(hidden_dim=16384, num_hidden_layers=16)


def test_a_huge_value_does_not_make_a_huge_message() -> None:
    assert len(_refusal(ModelConfig, "prior", "x" * 1_000_000)) < 200


@pytest.mark.parametrize("config", [ModelConfig(), OTHER_MODEL, GAN, TrainConfig(), OTHER_TRAINING], ids=repr)
def test_a_config_survives_json(config: ModelConfig | TrainConfig) -> None:
    read = type(config).from_dict(json.loads(json.dumps(config.to_dict(), allow_nan=False)))
    assert read == config
    assert hash(read) == hash(config), "tuples must come back as tuples, for caches keyed by config"


@pytest.mark.parametrize("config_class", [ModelConfig, TrainConfig])
def test_absent_settings_take_the_papers_values(config_class: type[ModelConfig | TrainConfig]) -> None:
    assert config_class.from_dict({}) == config_class()


@pytest.mark.parametrize("config_class", [ModelConfig, TrainConfig])
def test_an_unknown_setting_is_refused_and_the_known_ones_are_named(
    config_class: type[ModelConfig | TrainConfig],
) -> None:
    with pytest.raises(ValueError, match=r"^Unknown setting 'latent_dims'; \w+ has .*\.$") as refusal:
        config_class.from_dict({"latent_dims": 50})
    for known in dataclasses.fields(config_class):
        assert known.name in str(refusal.value)


def test_from_dict_checks_as_the_constructor_does() -> None:
    with pytest.raises(ValueError, match="latent_dim is -1"):
        ModelConfig.from_dict({"latent_dim": -1})


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().latent_dim = 2  # type: ignore[misc]


def test_the_defaults_are_the_papers_mnist_experiment() -> None:
    model, train = ModelConfig(), TrainConfig()
    assert (model.num_pixels, model.latent_dim, model.prior, model.hidden_dim) == (784, 50, "uniform", 1024)
    assert (model.num_hidden_layers, model.batch_norm) == (2, True)
    assert (train.epochs, train.decay_epochs, train.total_epochs, train.batch_size) == (200, 200, 400, 128)
    assert (train.learning_rate, train.adam_betas, train.adam_eps) == (2e-4, (0.5, 0.999), 1e-8)
    assert (train.weight_decay, train.objective, train.schedule) == (2.5e-5, "label-swapped", "simultaneous")


@pytest.mark.parametrize("sees", ["pair", "image"])
@pytest.mark.parametrize("networks", SUBSETS, ids="-".join)
def test_num_parameters_is_what_the_networks_hold(networks: tuple[Network, ...], sees: Sight) -> None:
    config = replace(OTHER_MODEL, networks=networks, discriminator_sees=sees)
    assert config.num_parameters == sum(weight.numel() for weight in BiGAN(config).parameters())


@pytest.mark.parametrize("name", ["cycle_weight", "blind_weight"])
def test_a_term_of_the_encoder_of_a_bigan_is_for_bigans_alone(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} is 0.5; it must be 0 for the objective 'gan'\.$"):
        TrainConfig(**{"objective": "gan", name: 0.5})  # type: ignore[arg-type]


@pytest.mark.parametrize("networks", SUBSETS, ids="-".join)
def test_a_shortcoming_names_what_is_missing_and_what_there_is(networks: tuple[Network, ...]) -> None:
    config = replace(OTHER_MODEL, networks=networks)
    for verb, network in VERBS.items():
        problem = config.shortcoming(verb)
        if network in networks:
            assert problem is None
        else:
            assert problem is not None and problem.startswith(f"This model has no {network}; it has a")
            assert all(name in problem.partition(";")[2] for name in networks)
    assert (config.shortcoming(*VERBS) is None) == (len(networks) == 3)


def test_the_shortcomings_of_a_gan_and_of_an_autoencoder_are_sentences() -> None:
    assert GAN.shortcoming("generate", "encode") == (
        "This model has no encoder; it has a generator and a discriminator."
    )
    assert GAN.shortcoming("score") == "This model's discriminator sees images alone; it has no opinion of pairs."
    one = replace(GAN, networks=("encoder",))
    assert one.shortcoming("generate", "score") == (
        "This model has no generator and no discriminator; it has an encoder."
    )
    assert ModelConfig().shortcoming() is None


@pytest.mark.parametrize("epoch", [0, 1, 100, 199])
def test_the_learning_rate_is_constant_at_first(epoch: int) -> None:
    assert TrainConfig().learning_rate_at(epoch) == 2e-4


@pytest.mark.parametrize(("epoch", "published"), [(300, "1.95e-05"), (399, "2.00e-06")])
def test_the_learning_rate_decays_as_published(epoch: int, published: str) -> None:
    assert f"{TrainConfig().learning_rate_at(epoch):.2e}" == published


def test_the_learning_rate_falls_by_the_same_factor_every_epoch_of_the_decay() -> None:
    rates = [TrainConfig().learning_rate_at(epoch) for epoch in range(199, 400)]
    factors = [after / before for before, after in pairwise(rates)]
    assert factors == pytest.approx([0.01 ** (1 / 200)] * 200)


def test_without_decay_the_learning_rate_stays() -> None:
    train = TrainConfig(epochs=3, decay_epochs=0)
    assert [train.learning_rate_at(epoch) for epoch in range(train.total_epochs)] == [2e-4] * 3


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_survives_json(name: str) -> None:
    recipe = RECIPES[name]
    assert ModelConfig.from_dict(recipe.model.to_dict()) == recipe.model
    assert TrainConfig.from_dict(recipe.train.to_dict()) == recipe.train
    assert recipe.train.total_epochs > 0


def test_the_shipped_recipes_are_the_papers() -> None:
    assert (RECIPES["mnist"].model, RECIPES["mnist"].train) == (ModelConfig(), TrainConfig())
    assert RECIPES["fashion-mnist"].model == ModelConfig(dataset="fashion-mnist")
    assert RECIPES["fashion-mnist"].train == TrainConfig()
