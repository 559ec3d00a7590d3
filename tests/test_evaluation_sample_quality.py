"""NND and JD against naive references in float64."""

import dataclasses
import math
from collections.abc import Iterable

import pytest
import torch
from torch import Tensor, nn

from bigan.config import RECIPES
from bigan.data import scale
from bigan.evaluation import sample_quality
from bigan.evaluation.sample_quality import joint_loss, nearest_sample_distances
from bigan.models.bigan import BiGAN
from bigan.models.mlp import HiddenLayer
from bigan.models.statistics import estimate_batch_norm


def random_images(num_images: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num_images, 1, 28, 28), generator=generator).to(torch.uint8)


def fresh_model() -> BiGAN:
    return BiGAN(RECIPES["tiny"].model).initialise(2)


def with_opinion(model: BiGAN) -> BiGAN:
    """A discriminator that tells pairs apart at random."""
    nn.init.normal_(model.discriminator.output.weight, std=0.5, generator=torch.Generator().manual_seed(9))
    return model


def test_nearest_sample_distances_agree_with_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_quality, "MEGABATCH_SIZE", 40)
    model, images = fresh_model(), random_images(15)
    estimate_batch_norm(model, images, num_batches=10)
    found = nearest_sample_distances(model, images, (10, 40, 130), seed=3)
    generated = model.generate(model.sample_latents(130, seed=3)).double().flatten(1)  # (130, P)
    distances = (scale(images).double().flatten(1)[:, None] - generated).norm(dim=2)  # (15, 130)
    assert found == pytest.approx({n: distances[:, :n].amin(1).mean().item() for n in (10, 40, 130)}, rel=1e-6)


def test_more_samples_come_nearer() -> None:
    model, images = fresh_model(), random_images(15)
    estimate_batch_norm(model, images, num_batches=10)
    found = nearest_sample_distances(model, images, (1, 30, 300), seed=3)
    assert found[1] > found[30] > found[300]


def test_nearest_sample_distance_is_zero_for_images_that_the_generator_draws() -> None:
    model = fresh_model()
    with torch.no_grad():
        model.generator.output.weight.mul_(1e6)  # saturated: every pixel is 0 or 255, exactly
    images = (model.generate(model.sample_latents(20, seed=4)) * 255).round().to(torch.uint8)
    assert nearest_sample_distances(model, images, (20,), seed=4)[20] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("num_samples", [(), (0, 5)])
def test_counts_that_cannot_be_are_named(num_samples: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="each at least 1"):
        nearest_sample_distances(fresh_model(), random_images(3), num_samples)


def test_joint_loss_is_log_two_at_initialisation() -> None:
    assert joint_loss(fresh_model(), random_images(50), num_batches=5) == pytest.approx(math.log(2), abs=1e-7)


def naive_joint_loss(model: BiGAN, images: Tensor, num_batches: int, seed: int) -> float:
    """Every network written out in float64, each batch normalised by its own mean and variance."""

    def layer(hidden: HiddenLayer, h: Tensor, z: Tensor | None) -> Tensor:
        a = h @ hidden.linear.weight.double().T
        if hidden.inject is not None and z is not None:
            a = a + z @ hidden.inject.weight.double().T
        if hidden.norm is not None:
            a = (a - a.mean(0)) / (a.var(0, correction=0) + 1e-8).sqrt()
        return torch.where(a > 0, a, hidden.slope * a)

    def network(hidden: Iterable[nn.Module], output: nn.Linear, h: Tensor, z: Tensor | None = None) -> Tensor:
        for one in hidden:
            assert isinstance(one, HiddenLayer)
            h = layer(one, h, z)
        return h @ output.weight.double().T

    G, E, D = model.generator, model.encoder, model.discriminator  # noqa: N806
    generator = torch.Generator().manual_seed(seed)
    total = 0.0
    for latent_seed in torch.randint(2**62, (num_batches,), generator=generator).tolist():
        x = scale(images[torch.randint(len(images), (128,), generator=generator)]).double().flatten(1)
        z = model.sample_latents(128, latent_seed).double()
        z_hat = 2 * torch.sigmoid(network(E.hidden, E.output, x)) - 1
        x_hat = torch.sigmoid(network(G.hidden, G.output, z, z))
        encoder_pair = torch.sigmoid(network(D.hidden, D.output, x, z_hat))
        generator_pair = torch.sigmoid(network(D.hidden, D.output, x_hat, z))
        total += -(encoder_pair.log().mean() + (1 - generator_pair).log().mean()).item() / 2
    return total / num_batches


def test_joint_loss_agrees_with_the_networks_written_out() -> None:
    model, images = with_opinion(fresh_model()), random_images(200)
    with torch.no_grad():
        expected = naive_joint_loss(model, images, num_batches=3, seed=6)
    assert joint_loss(model, images, num_batches=3, seed=6) == pytest.approx(expected, rel=1e-4)
    assert abs(expected - math.log(2)) > 0.01


def test_joint_loss_leaves_the_stored_statistics_alone_and_ignores_them() -> None:
    model, images = with_opinion(fresh_model()), random_images(200)
    first = joint_loss(model, images, num_batches=3)
    estimate_batch_norm(model, images, num_batches=5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert joint_loss(model, images, num_batches=3) == first
    assert not model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_joint_loss_depends_on_its_seed_alone() -> None:
    model, images = with_opinion(fresh_model()), random_images(200)
    losses = []
    for disturbance in (1, 2):
        torch.manual_seed(disturbance)
        losses.append(joint_loss(model, images, num_batches=2, seed=1))
    assert losses[0] == losses[1]
    assert losses[0] != joint_loss(model, images, num_batches=2, seed=2)


def test_joint_loss_serves_a_model_without_batch_norm_and_with_the_other_prior() -> None:
    config = dataclasses.replace(RECIPES["tiny"].model, batch_norm=False, prior="normal")
    assert joint_loss(BiGAN(config).initialise(0), random_images(5), num_batches=2) == pytest.approx(math.log(2))
