"""Batch-norm statistics: plain averages of what the batches had, and nothing else changed."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bigan.config import ModelConfig
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm

CONFIG = ModelConfig(image_shape=(1, 6, 5), latent_dim=3, hidden_dim=12, num_hidden_layers=3)
NUM_BATCHES, BATCH_SIZE = 7, 16


@pytest.fixture
def model() -> BiGAN:
    return BiGAN(CONFIG).initialise(0)


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (40, *CONFIG.image_shape), generator=generator, dtype=torch.uint8)


def norms(model: BiGAN) -> dict[str, nn.BatchNorm1d]:
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.BatchNorm1d)}


def statistics(model: BiGAN) -> dict[str, Tensor]:
    return {name: buffer.clone() for name, buffer in model.named_buffers() if "running" in name}


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_statistics_are_the_averages_of_batch_means_and_unbiased_variances(model: BiGAN, images: Tensor) -> None:
    seen: dict[str, list[np.ndarray]] = {name: [] for name in norms(model)}
    for name, layer in norms(model).items():
        layer.register_forward_pre_hook(lambda _, inputs, name=name: seen[name].append(inputs[0].double().numpy()))
    estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE)
    for name, layer in norms(model).items():
        # D sees encoder pairs and generator pairs in separate passes, and its statistics are of both kinds
        passes = 2 * NUM_BATCHES if name.startswith("discriminator") else NUM_BATCHES
        assert [len(batch) for batch in seen[name]] == [BATCH_SIZE] * passes
        means = np.mean([batch.mean(axis=0) for batch in seen[name]], axis=0)
        variances = np.mean([batch.var(axis=0, ddof=1) for batch in seen[name]], axis=0)
        assert layer.running_mean is not None and layer.running_var is not None
        np.testing.assert_allclose(layer.running_mean.numpy(), means, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(layer.running_var.numpy(), variances, rtol=1e-5)


def test_the_batches_are_training_images_and_fresh_latents(model: BiGAN, images: Tensor) -> None:
    xs: list[Tensor] = []
    zs: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _, inputs: xs.append(inputs[0]))
    model.generator.register_forward_pre_hook(lambda _, inputs: zs.append(inputs[0]))
    estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE)
    known = {image.numpy().tobytes() for image in images}
    drawn = [(x * 255).round().to(torch.uint8).numpy().tobytes() for x in torch.cat(xs)]
    assert set(drawn) <= known and len(set(drawn)) > len(images) / 2
    assert len(torch.cat(zs).unique(dim=0)) == NUM_BATCHES * BATCH_SIZE, "no latent twice"
    assert torch.cat(zs).abs().max() <= 1


def test_a_generator_that_decodes_is_measured_on_codes(model: BiGAN, images: Tensor) -> None:
    zs: list[Tensor] = []
    codes: list[Tensor] = []
    model.encoder.register_forward_hook(lambda _, __, output: codes.append(output))
    model.generator.register_forward_pre_hook(lambda _, inputs: zs.append(inputs[0]))
    estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE, decodes=True)
    torch.testing.assert_close(torch.cat(zs), torch.cat(codes), rtol=0, atol=0)


def test_the_seed_decides_and_the_global_generator_is_left_alone(model: BiGAN, images: Tensor) -> None:
    before = torch.random.get_rng_state()
    found = []
    for seed in (1, 1, 2):
        estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE, seed)
        found.append(statistics(model))
        torch.rand(3)  # what others draw from the global generator is of no consequence
    assert equal(found[0], found[1]) and not equal(found[0], found[2])
    torch.random.set_rng_state(before)
    estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_weights_are_untouched_and_the_model_is_left_in_eval_mode(model: BiGAN, images: Tensor) -> None:
    weights = {name: weight.clone() for name, weight in model.named_parameters()}
    estimate_batch_norm(model.train(), images, NUM_BATCHES, BATCH_SIZE)
    assert equal(dict(model.named_parameters()), weights)
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())
    assert not any(module.training for module in model.modules())


def test_earlier_statistics_have_no_effect(model: BiGAN, images: Tensor) -> None:
    spoilt = copy.deepcopy(model).eval()
    for layer in norms(spoilt).values():
        assert layer.running_mean is not None and layer.running_var is not None
        assert layer.num_batches_tracked is not None
        layer.running_mean.fill_(torch.nan)
        layer.running_var.fill_(1e6)
        layer.num_batches_tracked.fill_(12345)
    for either in (model, spoilt):
        estimate_batch_norm(either, images, NUM_BATCHES, BATCH_SIZE)
    assert equal(statistics(model), statistics(spoilt))


def test_fewer_images_than_a_batch_make_a_smaller_batch(model: BiGAN, images: Tensor) -> None:
    sizes: set[int] = set()
    model.encoder.register_forward_pre_hook(lambda _, inputs: sizes.add(len(inputs[0])))
    estimate_batch_norm(model, images[:5], NUM_BATCHES, BATCH_SIZE)
    assert sizes == {5}


def test_a_model_without_batch_norm_is_only_put_into_eval_mode(images: Tensor) -> None:
    model = BiGAN(ModelConfig(image_shape=(1, 6, 5), latent_dim=3, hidden_dim=12, batch_norm=False)).initialise(0)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    estimate_batch_norm(model, images, NUM_BATCHES, BATCH_SIZE)
    assert equal(model.state_dict(), state) and not model.training
