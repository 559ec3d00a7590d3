"""Round trips and the marginal of E(x) against naive references."""

import dataclasses
import math

import pytest
import torch
from scipy import stats  # type: ignore[import-untyped]
from torch import Tensor

from bigan.config import RECIPES, Prior
from bigan.data import scale
from bigan.evaluation import inversion
from bigan.evaluation.inversion import (
    RoundTrip,
    generated_reconstruction,
    latent_round_trip,
    prior_distance,
    reconstruction,
)
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm


class Mirror(BiGAN):
    """Inverse networks: a latent is the image itself, its pixels in a row."""

    def generate(self, z: Tensor) -> Tensor:
        return z.unflatten(1, self.config.image_shape)

    def encode(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def random_images(num_images: int, shape: tuple[int, int, int] = (1, 28, 28), seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num_images, *shape), generator=generator).to(torch.uint8)


@pytest.fixture(scope="module")
def model() -> BiGAN:
    model = BiGAN(RECIPES["tiny"].model).initialise(1)
    estimate_batch_norm(model, random_images(50), num_batches=10)
    return model


@pytest.fixture
def mirror() -> BiGAN:
    return Mirror(dataclasses.replace(RECIPES["tiny"].model, image_shape=(2, 2, 2), latent_dim=8))


def naive_trip(originals: list[Tensor], results: list[Tensor]) -> tuple[float, float]:
    """Mean distances to the same and to the next original, one pair at a time in float64."""
    next_ones = originals[1:] + originals[:1]
    return tuple(
        sum(
            math.dist(a.double().flatten().tolist(), b.double().flatten().tolist())
            for a, b in zip(x, results, strict=True)
        )
        / len(results)
        for x in (originals, next_ones)
    )  # type: ignore[return-value]


@pytest.mark.parametrize("num_images", [2, 9, 10, 11, 25])
def test_reconstruction_agrees_with_one_image_at_a_time_across_batches(
    model: BiGAN, num_images: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inversion, "BATCH_SIZE", 10)
    images = random_images(num_images, seed=2)
    trip = reconstruction(model, images)
    originals = [scale(image[None]) for image in images]
    expected = naive_trip(originals, [model.reconstruct(x) for x in originals])
    assert (trip.distance, trip.baseline) == pytest.approx(expected, rel=1e-5)
    assert trip.num_samples == num_images
    assert trip.ratio == trip.distance / trip.baseline


def test_reconstruction_of_inverse_networks_is_exact(mirror: BiGAN) -> None:
    images = random_images(30, (2, 2, 2), seed=3)
    trip = reconstruction(mirror, images)
    assert trip.distance == 0 and trip.ratio == 0
    x = scale(images).double().flatten(1)
    assert trip.baseline == pytest.approx((x - x.roll(-1, 0)).norm(dim=1).mean().item(), rel=1e-6)


def test_latents_come_back_exactly_from_inverse_networks(mirror: BiGAN) -> None:
    trip = latent_round_trip(mirror, 40, seed=4)
    z = mirror.sample_latents(40, seed=4).double()
    assert trip.distance == 0
    assert trip.baseline == pytest.approx((z - z.roll(-1, 0)).norm(dim=1).mean().item(), rel=1e-6)


def test_generated_images_are_rounded_to_bytes_before_they_are_encoded(model: BiGAN) -> None:
    trip = generated_reconstruction(model, 15, seed=5)
    originals = [torch.floor(model.generate(z[None]) * 255 + 0.5) / 255 for z in model.sample_latents(15, seed=5)]
    expected = naive_trip(originals, [model.reconstruct(x) for x in originals])
    assert (trip.distance, trip.baseline) == pytest.approx(expected, rel=1e-5)


def test_latent_round_trip_agrees_with_one_latent_at_a_time(model: BiGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "BATCH_SIZE", 10)
    trip = latent_round_trip(model, 23, seed=6)
    originals = [z[None] for z in model.sample_latents(23, seed=6)]
    expected = naive_trip(originals, [model.encode(model.generate(z)) for z in originals])
    assert (trip.distance, trip.baseline) == pytest.approx(expected, rel=1e-5)


def test_round_trip_of_equal_images_is_no_better_than_chance() -> None:
    assert RoundTrip(0.0, 0.0, 5).ratio == 1


def test_a_single_image_has_no_next_one(model: BiGAN) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        reconstruction(model, random_images(1))
    with pytest.raises(ValueError, match="at least 2"):
        latent_round_trip(model, 1, seed=0)


@pytest.mark.parametrize("prior", ["uniform", "normal"])
@pytest.mark.parametrize("num_images", [1, 7, 500])
def test_prior_distance_is_the_mean_kolmogorov_smirnov_statistic(prior: Prior, num_images: int) -> None:
    generator = torch.Generator().manual_seed(7)
    latents = torch.tanh(torch.randn(num_images, 4, generator=generator) + torch.tensor([0.0, 0.5, -1.0, 3.0]))
    cdf = stats.uniform(-1, 2).cdf if prior == "uniform" else stats.norm.cdf
    expected = sum(stats.ks_1samp(column.double().numpy(), cdf).statistic for column in latents.T) / 4
    assert prior_distance(latents, prior) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_prior_distance_is_small_for_the_prior_and_large_for_a_point(prior: Prior) -> None:
    config = dataclasses.replace(RECIPES["tiny"].model, prior=prior)
    samples = BiGAN(config).sample_latents(20_000, seed=8)
    assert prior_distance(samples, prior) < 0.01
    assert prior_distance(torch.zeros(100, 8), prior) == pytest.approx(0.5)
    assert prior_distance(torch.full((100, 8), 40.0), prior) == pytest.approx(1.0)
