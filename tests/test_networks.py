"""The networks against a naive float64 re-implementation of the paper's section 4.2, and what follows from it."""

import math
from collections.abc import Callable

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from bigan.config import ModelConfig
from bigan.models.bigan import BiGAN
from bigan.models.mlp import Discriminator, Encoder, Generator, HiddenLayer
from bigan.objectives.bigan import discriminator_loss, label_swapped_loss

SMALL = ModelConfig(image_shape=(1, 4, 4), latent_dim=3, hidden_dim=16)
SIZES = [
    ModelConfig(),
    SMALL,
    ModelConfig(image_shape=(1, 1, 2), latent_dim=2, prior="normal", hidden_dim=16),  # a toy in the plane
    ModelConfig(image_shape=(3, 4, 5), latent_dim=7, hidden_dim=16, num_hidden_layers=3),
    ModelConfig(image_shape=(2, 3, 3), latent_dim=1, prior="normal", hidden_dim=9, num_hidden_layers=4),
    ModelConfig(image_shape=(1, 4, 4), latent_dim=3, hidden_dim=16, num_hidden_layers=3, batch_norm=False),
]


def name(config: ModelConfig) -> str:
    shape = "x".join(map(str, config.image_shape))
    norm = "norm" if config.batch_norm else "no-norm"
    return f"{shape}-{config.latent_dim}{config.prior}-{config.num_hidden_layers}x{config.hidden_dim}-{norm}"


every_size = pytest.mark.parametrize("config", SIZES, ids=name)


def build(config: ModelConfig, seed: int = 0) -> BiGAN:
    """A model with an opinion: D's output, zero at the start, is drawn too."""
    model = BiGAN(config).initialise(seed)
    nn.init.normal_(model.discriminator.output.weight, std=0.02, generator=torch.Generator().manual_seed(seed + 1))
    return model


def data(config: ModelConfig, num_images: int = 32, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(num_images, *config.image_shape, generator=generator)
    z = torch.rand(num_images, config.latent_dim, generator=generator) * 2 - 1
    return x, z


# The paper's networks once more, in float64 and as slowly as one likes


class Naive:
    """G, E and D by the weights of a model, normalising by the batch or by the statistics kept in the model."""

    def __init__(self, model: BiGAN, training: bool) -> None:
        self.weights = {key: value.double() for key, value in model.state_dict().items()}
        self.layers = range(model.config.num_hidden_layers)
        self.config, self.training = model.config, training

    def normalise(self, a: Tensor, layer: str) -> Tensor:
        if not self.config.batch_norm:
            return a
        if self.training:
            mean, variance = a.mean(0), ((a - a.mean(0)) ** 2).mean(0)
        else:
            mean, variance = (self.weights[f"{layer}.norm.running_{which}"] for which in ("mean", "var"))
        return (a - mean) / (variance + 1e-8).sqrt()

    def generator(self, z: Tensor) -> Tensor:
        h = z = z.double()
        for i in self.layers:
            a = h @ self.weights[f"generator.hidden.{i}.linear.weight"].T
            if i > 0:
                a = a + z @ self.weights[f"generator.hidden.{i}.inject.weight"].T
            h = self.normalise(a, f"generator.hidden.{i}").clamp(min=0)
        pixels = 1 / (1 + (-(h @ self.weights["generator.output.weight"].T)).exp())
        return pixels.reshape(-1, *self.config.image_shape)

    def encoder(self, x: Tensor) -> Tensor:
        h = x.double().reshape(len(x), -1)
        for i in self.layers:
            a = h @ self.weights[f"encoder.hidden.{i}.linear.weight"].T
            if i > 0:
                a = self.normalise(a, f"encoder.hidden.{i}")
            h = torch.where(a > 0, a, 0.2 * a)
        a = h @ self.weights["encoder.output.weight"].T
        return 2 / (1 + (-a).exp()) - 1 if self.config.prior == "uniform" else a

    def discriminator(self, x: Tensor, z: Tensor) -> Tensor:
        h, z = x.double().reshape(len(x), -1), z.double()
        for i in self.layers:
            a = h @ self.weights[f"discriminator.hidden.{i}.linear.weight"].T
            if i > 0:
                a = a + z @ self.weights[f"discriminator.hidden.{i}.inject.weight"].T
                a = self.normalise(a, f"discriminator.hidden.{i}")
            h = torch.where(a > 0, a, 0.2 * a)
        return (h @ self.weights["discriminator.output.weight"].T)[:, 0]


def assert_equals_naive(model: BiGAN, x: Tensor, z: Tensor, training: bool) -> None:
    naive = Naive(model, training)  # before the model moves its statistics
    model.train(training)
    with torch.no_grad():
        for ours, reference in (
            (model.generator(z), naive.generator(z)),
            (model.encoder(x), naive.encoder(x)),
            (model.discriminator(x, z), naive.discriminator(x, z)),
        ):
            assert ours.dtype == torch.float32
            torch.testing.assert_close(ours.double(), reference, rtol=1e-4, atol=1e-5)


@every_size
def test_the_networks_equal_the_naive_reference_in_training(config: ModelConfig) -> None:
    assert_equals_naive(build(config), *data(config), training=True)


@every_size
def test_the_networks_equal_the_naive_reference_in_use(config: ModelConfig) -> None:
    model = build(config)
    for seed in range(3):  # gather statistics
        x, z = data(config, seed=seed)
        model.generator(z), model.encoder(x), model.discriminator(x, z)
    assert_equals_naive(model, *data(config, seed=9), training=False)


# Sizes and weights


def test_the_papers_networks_have_the_papers_numbers_of_weights() -> None:
    model = BiGAN(ModelConfig())
    counts = {key: sum(p.numel() for p in network.parameters()) for key, network in model.named_children()}
    assert counts == {"encoder": 1_902_592, "discriminator": 1_903_616, "generator": 1_953_792}


def test_the_papers_model_has_these_matrices_and_no_other_weights() -> None:
    """No biases, no gains; z enters G and D from the second hidden layer on, and E nowhere."""
    assert {key: tuple(p.shape) for key, p in BiGAN(ModelConfig()).named_parameters()} == {
        "generator.hidden.0.linear.weight": (1024, 50),
        "generator.hidden.1.linear.weight": (1024, 1024),
        "generator.hidden.1.inject.weight": (1024, 50),
        "generator.output.weight": (784, 1024),
        "encoder.hidden.0.linear.weight": (1024, 784),
        "encoder.hidden.1.linear.weight": (1024, 1024),
        "encoder.output.weight": (50, 1024),
        "discriminator.hidden.0.linear.weight": (1024, 784),
        "discriminator.hidden.1.linear.weight": (1024, 1024),
        "discriminator.hidden.1.inject.weight": (1024, 50),
        "discriminator.output.weight": (1, 1024),
    }


@every_size
def test_no_layer_has_a_bias_or_an_affine_batch_norm(config: ModelConfig) -> None:
    for layer in BiGAN(config).modules():
        assert getattr(layer, "bias", None) is None
        if isinstance(layer, nn.BatchNorm1d):
            assert not layer.affine and layer.eps == 1e-8 and layer.momentum is None


def test_batch_norm_stands_where_the_paper_has_it() -> None:
    norms = {key for key, layer in BiGAN(ModelConfig()).named_modules() if isinstance(layer, nn.BatchNorm1d)}
    hidden = ("generator.hidden.0", "generator.hidden.1", "encoder.hidden.1", "discriminator.hidden.1")
    assert norms == {f"{layer}.norm" for layer in hidden}


def test_without_batch_norm_there_is_nothing_but_matrices() -> None:
    model = BiGAN(SIZES[-1])
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in model.modules())
    assert not list(model.buffers())


@every_size
def test_shapes_and_ranges(config: ModelConfig) -> None:
    model, (x, z) = build(config), data(config, num_images=5)
    x_hat, z_hat = model.generator(z), model.encoder(x)
    assert x_hat.shape == x.shape and x_hat.min() > 0 and x_hat.max() < 1
    assert z_hat.shape == z.shape
    assert model.discriminator(x, z).shape == (5,)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    model, (x, z) = build(SMALL), data(SMALL)
    with pytest.raises(TypeCheckError):
        model.discriminator(x, z[:-1])
    with pytest.raises(TypeCheckError):
        model.encoder(x.flatten(1))


# Initial weights


def test_the_initial_weights_are_normal_with_std_two_hundredths() -> None:
    for key, weight in BiGAN(ModelConfig()).initialise(0).named_parameters():
        if key == "discriminator.output.weight":
            assert torch.equal(weight, torch.zeros_like(weight))
            continue
        tolerance = 4 / math.sqrt(weight.numel())  # four standard errors, generously
        assert weight.std().item() == pytest.approx(0.02, rel=tolerance), key
        assert abs(weight.mean().item()) < 0.02 * tolerance, key
        beyond_two_std = (weight.abs() > 0.04).float().mean().item()
        assert beyond_two_std == pytest.approx(0.0455, abs=tolerance), key


@every_size
def test_a_fresh_discriminator_is_undecided_at_exactly_log_two(config: ModelConfig) -> None:
    model, (x, z) = BiGAN(config).initialise(0), data(config)
    encoder_logits = model.discriminator(x, model.encoder(x))
    generator_logits = model.discriminator(model.generator(z), z)
    assert not encoder_logits.any() and not generator_logits.any()
    assert discriminator_loss(encoder_logits, generator_logits).item() == pytest.approx(math.log(2), rel=1e-6)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (BiGAN(SMALL).initialise(seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["encoder.output.weight"], other["encoder.output.weight"])


def test_no_two_matrices_start_alike() -> None:
    weights = list(BiGAN(SMALL).initialise(0).parameters())
    firsts = {weight.flatten()[0].item() for weight in weights}
    assert len(firsts) == len(weights)


def test_building_and_initialising_leave_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    BiGAN(SMALL).initialise(0)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_built_model_is_zero_until_it_is_initialised() -> None:
    assert not any(weight.any() for weight in BiGAN(SMALL).parameters())


# What depends on what


@every_size
def test_z_reaches_d_only_from_the_second_hidden_layer_on(config: ModelConfig) -> None:
    model, (x, z) = build(config).eval(), data(config)
    seen: list[list[Tensor]] = [[] for _ in model.discriminator.hidden]
    for layer, outputs in zip(model.discriminator.hidden, seen, strict=True):
        layer.register_forward_hook(lambda _layer, _inputs, output, outputs=outputs: outputs.append(output))
    model.discriminator(x, z), model.discriminator(x, -z)
    first, *later = seen
    assert torch.equal(first[0], first[1])
    assert all(not torch.equal(outputs[0], outputs[1]) for outputs in later)


@every_size
def test_each_injection_of_d_is_a_path_for_z_and_there_is_no_other(config: ModelConfig) -> None:
    x, z = data(config)
    injected = range(1, config.num_hidden_layers)
    for open_path in (None, *injected):
        model = build(config).eval()
        for i in injected:
            if i != open_path:
                nn.init.zeros_(model.get_parameter(f"discriminator.hidden.{i}.inject.weight"))
        z.requires_grad_().grad = None
        model.discriminator(x, z).sum().backward()
        assert z.grad is not None
        assert z.grad.any() == (open_path is not None)


@every_size
def test_each_injection_of_g_is_a_path_for_z_beside_the_first_layer(config: ModelConfig) -> None:
    _, z = data(config)
    for open_path in range(1, config.num_hidden_layers):
        model = build(config).eval()
        nn.init.zeros_(model.get_parameter("generator.hidden.0.linear.weight"))  # the way through all layers
        for i in range(1, config.num_hidden_layers):
            if i != open_path:
                nn.init.zeros_(model.get_parameter(f"generator.hidden.{i}.inject.weight"))
        assert not torch.equal(model.generator(z), model.generator(-z))


def test_the_encoder_of_a_uniform_prior_stays_strictly_inside_it() -> None:
    model, (x, _) = build(SMALL), data(SMALL)
    nn.init.normal_(model.encoder.output.weight, std=1.0, generator=torch.Generator().manual_seed(0))
    z = model.encoder(x)
    assert z.abs().max() < 1
    assert z.abs().max() > 0.5, "the weights should make this a test"


def test_the_encoder_of_a_uniform_prior_never_leaves_it_even_where_float32_rounds() -> None:
    assert build(SMALL).encoder.squash(torch.tensor([[-1e9, -50.0, 0.0], [50.0, 1e9, 1.0]])).abs().max() <= 1


def test_the_encoder_of_a_normal_prior_is_not_squashed() -> None:
    model, (x, _) = build(SIZES[2]), data(SIZES[2])
    nn.init.ones_(model.encoder.output.weight)
    assert model.encoder(x).abs().max() > 1


# Gradients


def losses(model: BiGAN, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """D's loss, and that of E and G."""
    logits = model.discriminator(x, model.encoder(x)), model.discriminator(model.generator(z), z)
    return discriminator_loss(*logits), label_swapped_loss(*logits)


@every_size
def test_at_the_start_only_ds_output_learns_because_it_is_zero(config: ModelConfig) -> None:
    model = BiGAN(config).initialise(0)
    for loss in losses(model, *data(config)):
        model.zero_grad()
        loss.backward(retain_graph=True)
        learning = {key for key, weight in model.named_parameters() if weight.grad is not None and weight.grad.any()}
        assert learning == {"discriminator.output.weight"}


@every_size
def test_after_one_step_of_d_every_parameter_receives_a_gradient(config: ModelConfig) -> None:
    model, (x, z) = BiGAN(config).initialise(0), data(config, num_images=128)
    d_loss, _ = losses(model, x, z)
    d_loss.backward()
    torch.optim.Adam(model.discriminator.parameters(), lr=2e-4).step()

    d_loss, joint_loss = losses(model, x, z)
    for loss, networks in ((d_loss, [model.discriminator]), (joint_loss, [model.encoder, model.generator])):
        model.zero_grad()
        loss.backward(retain_graph=True)
        for network in networks:
            for key, weight in network.named_parameters():
                assert weight.grad is not None and torch.isfinite(weight.grad).all(), key
                assert weight.grad.any(dim=1).all(), f"a unit of {key} learns nothing"


def test_e_learns_only_from_encoder_pairs_and_g_only_from_generator_pairs() -> None:
    model, (x, z) = build(SMALL), data(SMALL)
    model.discriminator(x, model.encoder(x)).sum().backward()
    assert all(weight.grad is None for weight in model.generator.parameters())
    model.zero_grad()
    model.discriminator(model.generator(z), z).sum().backward()
    assert all(weight.grad is None for weight in model.encoder.parameters())


# Permutation invariance, which gives the experiment its name


def test_permuting_the_pixels_and_the_matrices_that_touch_them_changes_nothing() -> None:
    config = ModelConfig(image_shape=(1, 8, 8), latent_dim=3, hidden_dim=32)
    model, permuted = build(config), build(config)
    _, z = data(config)
    random = torch.Generator().manual_seed(5)
    x = torch.randint(0, 2, (32, *config.image_shape), generator=random).float()
    order = torch.randperm(config.num_pixels, generator=random)
    with torch.no_grad():
        for key in ("encoder.hidden.0.linear.weight", "discriminator.hidden.0.linear.weight"):
            weight = (model.get_parameter(key) * 1024).round() / 1024  # adds up exactly, in any order
            model.get_parameter(key).copy_(weight)
            permuted.get_parameter(key).copy_(weight[:, order])
        permuted.generator.output.weight.copy_(permuted.generator.output.weight[order])
        x_permuted = x.flatten(1)[:, order].reshape(x.shape)
        assert torch.equal(permuted.encoder(x_permuted), model.encoder(x))
        assert torch.equal(permuted.discriminator(x_permuted, z), model.discriminator(x, z))
        generated = model.generator(z).flatten(1)[:, order]
        torch.testing.assert_close(permuted.generator(z).flatten(1), generated, rtol=1e-6, atol=1e-6)


# Batch-norm statistics


def test_batch_norm_keeps_the_plain_average_over_batches_with_unbiased_variance() -> None:
    layer = HiddenLayer(4, 3, slope=0.2, batch_norm=True)
    assert layer.norm is not None
    generator = torch.Generator().manual_seed(0)
    nn.init.normal_(layer.linear.weight, generator=generator)
    batches = [torch.rand(size, 4, generator=generator) * size for size in (8, 5, 13)]
    for h in batches:
        layer(h)
    a = [(h.double() @ layer.linear.weight.double().T).detach().numpy() for h in batches]
    mean = sum(batch.mean(0) for batch in a) / 3
    variance = sum(batch.var(0, ddof=1) for batch in a) / 3
    torch.testing.assert_close(layer.norm.running_mean, torch.from_numpy(mean).float())
    torch.testing.assert_close(layer.norm.running_var, torch.from_numpy(variance).float())


def test_in_use_an_image_does_not_depend_on_its_neighbours_and_in_training_it_does() -> None:
    model, (x, z) = build(SMALL), data(SMALL)
    calls: list[Callable[[slice], Tensor]] = [
        lambda part: model.encoder(x[part]),
        lambda part: model.generator(z[part]),
        lambda part: model.discriminator(x[part], z[part]),
    ]
    for call in calls:
        model.train()
        assert not torch.allclose(call(slice(None))[:4], call(slice(0, 4)), atol=1e-4)
        model.eval()
        torch.testing.assert_close(call(slice(None))[:1], call(slice(0, 1)))


def test_use_leaves_the_statistics_alone() -> None:
    model, (x, z) = build(SMALL), data(SMALL)
    model.discriminator(x, model.encoder(x)), model.generator(z)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.eval()
    model.discriminator(x, model.encoder(x)), model.generator(z)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


# bfloat16


def test_autocast_keeps_batch_norm_and_outputs_in_float32_and_only_the_products_in_bfloat16() -> None:
    model, (x, z) = build(SMALL), data(SMALL)
    products: set[torch.dtype] = set()
    between: set[torch.dtype] = set()
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda _layer, _inputs, output: products.add(output.dtype))
        if isinstance(layer, nn.BatchNorm1d):
            layer.register_forward_hook(lambda _layer, inputs, output: between.update((inputs[0].dtype, output.dtype)))
        if isinstance(layer, HiddenLayer):
            layer.register_forward_hook(lambda _layer, _inputs, output: between.add(output.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        outputs = model.generator(z), model.encoder(x), model.discriminator(x, z)
        loss = discriminator_loss(outputs[2], outputs[2])
    assert products == {torch.bfloat16}
    assert between == {torch.float32}
    assert {output.dtype for output in (*outputs, loss)} == {torch.float32}
    loss.backward()
    assert all(weight.grad is None or weight.grad.dtype == torch.float32 for weight in model.parameters())


def test_under_autocast_the_outputs_are_finer_than_bfloat16() -> None:
    # A generated pixel that has been rounded to 8 bits tells D that it is generated.
    model, (x, z) = build(SMALL), data(SMALL)
    nn.init.normal_(model.encoder.output.weight, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        for output in (model.generator(z), model.encoder(x)):
            assert (output != output.bfloat16().float()).float().mean() > 0.5


@pytest.mark.parametrize("training", [True, False])
def test_the_forward_pass_in_bfloat16_stays_with_float32(training: bool) -> None:
    config = ModelConfig(image_shape=(1, 16, 16), hidden_dim=256)
    model, (x, z) = build(config), data(config)
    model.discriminator(x, model.encoder(x)), model.generator(z)
    model.train(training)

    def outputs() -> list[Tensor]:
        return [model.generator(z), model.encoder(x), model.discriminator(x, z)]

    with torch.no_grad():
        exact = outputs()
        with torch.autocast("cpu", torch.bfloat16):
            rounded = outputs()
    for output, reference in zip(rounded, exact, strict=True):
        error = (output - reference).norm() / (reference - reference.mean()).norm()
        assert 0 < error < 0.02


# The verbs of BiGAN that the rest stands on


@every_size
def test_features_are_the_encoders_activations_by_name(config: ModelConfig) -> None:
    model, (x, _) = build(config).eval(), data(config)
    *hidden, penultimate, output, latent = model.feature_layers
    assert [penultimate, output, latent] == ["penultimate", "output", "latent"]
    assert hidden == [f"hidden{i}" for i in range(1, config.num_hidden_layers)]
    for layer, activations in zip((*hidden, penultimate, output), model.encoder.activations(x), strict=True):
        assert torch.equal(model.features(x, layer), activations)
    assert torch.equal(model.features(x, "latent"), model.encode(x))
    assert torch.equal(model.features(x), model.features(x, "penultimate"))
    expected_output = model.features(x, "penultimate") @ model.encoder.output.weight.detach().T
    torch.testing.assert_close(model.features(x, "output"), expected_output)


def test_an_unknown_feature_layer_is_refused_and_the_known_ones_are_named() -> None:
    model, (x, _) = build(SMALL), data(SMALL)
    with pytest.raises(ValueError, match="'conv5'; this model has hidden1, penultimate, output, latent"):
        model.features(x, "conv5")


def test_the_verbs_are_the_networks() -> None:
    model, (x, z) = build(SMALL).eval(), data(SMALL)
    assert torch.equal(model.generate(z), model.generator(z))
    assert torch.equal(model.encode(x), model.encoder(x))
    assert torch.equal(model.reconstruct(x), model.generator(model.encoder(x)))
    assert torch.equal(model.score(x, z), model.discriminator(x, z))


@pytest.mark.parametrize("network", [Generator, Encoder, Discriminator])
def test_a_network_can_be_built_on_its_own(network: type[nn.Module]) -> None:
    assert list(network(SMALL).parameters())
