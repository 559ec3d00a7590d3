"""Latents near one and between several, and what samples cover of a gallery, against naive computations in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from bigan.config import ModelConfig, Prior
from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import GalleryIndex, index_gallery
from bigan.explore.sampling import around, coverage, mean_latent
from bigan.latent import interpolate, sample
from bigan.models.bigan import BiGAN

STANDARD_DEVIATION: dict[Prior, float] = {"uniform": 3**-0.5, "normal": 1.0}
PRIORS = list(STANDARD_DEVIATION)


def small_model(prior: Prior) -> BiGAN:
    return BiGAN(ModelConfig(latent_dim=4, hidden_dim=8, prior=prior)).initialise(0).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def index(tiny_model: BiGAN) -> GalleryIndex:
    """A gallery of what G makes, with some noise: samples have something to be near to."""
    generator = torch.Generator().manual_seed(5)
    x = tiny_model.generate(tiny_model.sample_latents(80, seed=9))
    images = (255 * (x + 0.1 * torch.rand(x.shape, generator=generator)).clamp(0, 1)).to(torch.uint8)
    labels = torch.arange(80) % 3  # of four classes, the last of which has no images
    gallery = Gallery(images, labels, tuple(f"id-{i}" for i in range(80)), ("a", "b", "c", "d"), "made")
    return index_gallery(tiny_model, gallery)


@pytest.mark.parametrize("prior", PRIORS)
def test_a_ball_is_filled_evenly_to_its_radius(prior: Prior) -> None:
    model, z = small_model(prior), torch.tensor([0.1, -0.2, 0.0, 0.3])
    radius = 0.3 * STANDARD_DEVIATION[prior] * 2  # 2 = sqrt(4 components)
    found = around(model, z, 4000, 0.3, seed=1)
    offsets = (found - z).double().numpy()
    lengths = np.linalg.norm(offsets, axis=1)
    assert lengths.max() <= radius * (1 + 1e-6)
    assert (found.abs() < 1).all() or prior == "normal"  # far enough from the ends that nothing was reflected
    # a share s^4 of a ball in four dimensions lies within s of its radius: uniform numbers
    shares = np.sort((lengths / radius) ** 4)
    assert abs(shares - (np.arange(4000) + 0.5) / 4000).max() < 1.63 / 4000**0.5  # Kolmogorov-Smirnov at 1 %
    np.testing.assert_allclose(offsets.mean(0), 0, atol=0.02 * radius)
    np.testing.assert_allclose(np.cov(offsets.T), np.eye(4) * radius**2 / 6, atol=0.01 * radius**2)  # r^2 / (Z + 2)


def test_nothing_leaves_a_uniform_prior_or_the_ball() -> None:
    model, z = small_model("uniform"), torch.tensor([0.99, -1.0, 0.5, 0.0])
    for radius in (0.1, 1.0, 7.0):
        found = around(model, z, 500, radius, seed=2)
        assert (found.abs() <= 1).all()
        assert torch.linalg.vector_norm(found - z, dim=1).max() <= radius * 2 * 3**-0.5 * (1 + 1e-6)
    assert (around(model, 1.5 * torch.ones(4), 9, 0.0, seed=0) == 1).all()  # what lies outside counts as the end


def test_reflection_is_that_of_a_ball_between_two_walls() -> None:
    model, z = small_model("uniform"), torch.tensor([0.9, -0.9, 0.2, 0.0])
    found, free = around(model, z, 50, 3.0, seed=4), around(small_model("uniform"), torch.zeros(4), 50, 1e-3, seed=4)
    offsets = free.double() * 3000  # the same directions and shares, too short to be reflected
    for row, offset in zip(found.double(), offsets, strict=True):
        for i in range(4):
            place = z[i].item() + offset[i].item()
            while abs(place) > 1:
                place = 2 - place if place > 1 else -2 - place
            assert row[i].item() == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize("prior", PRIORS)
def test_a_ball_depends_on_its_seed_alone(prior: Prior) -> None:
    model, z = small_model(prior), torch.zeros(4)
    state = torch.get_rng_state()
    many = around(model, z, 20, 0.5, seed=3)
    assert torch.equal(around(model, z, 5, 0.5, seed=3), many[:5])
    assert not torch.equal(around(model, z, 5, 0.5, seed=4), many[:5])
    torch.testing.assert_close(around(model, z, 20, 0.25, seed=3) * 2, many)
    assert torch.equal(around(model, z, 3, 0.0, seed=3), torch.zeros(3, 4))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_ball_that_cannot_be_is_refused(tiny_model: BiGAN) -> None:
    z = torch.zeros(tiny_model.config.latent_dim)
    with pytest.raises(ValueError, match="this one has 3"):
        around(tiny_model, torch.zeros(3), 4, 0.5, seed=0)
    with pytest.raises(ValueError, match="finite numbers"):
        around(tiny_model, z * float("nan"), 4, 0.5, seed=0)
    for radius in (-0.1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"radius is {radius}"):
            around(tiny_model, z, 4, radius, seed=0)
    for count in (0, 10_001):
        with pytest.raises(ValueError, match=f"num_samples is {count}; it must be 1 to 10,000"):
            around(tiny_model, z, count, 0.5, seed=0)
    with pytest.raises(ValueError, match="seed is -1"):
        around(tiny_model, z, 4, 0.5, seed=-1)


@pytest.mark.parametrize("prior", PRIORS)
def test_the_mean_of_two_is_the_middle_of_their_path(prior: Prior) -> None:
    a, b = sample(prior, (2, 30), seed=0)
    torch.testing.assert_close(mean_latent(torch.stack([a, b]), prior), interpolate(a, b, 3, "prior", prior)[1])


@pytest.mark.parametrize("prior", PRIORS)
def test_the_mean_of_many_is_as_typical_as_they_are(prior: Prior) -> None:
    latents = sample(prior, (40, 50), seed=1)
    mean = mean_latent(latents, prior)
    assert mean.norm().item() == pytest.approx(latents.norm(dim=1).mean().item(), rel=0.1)
    assert latents.mean(0).norm() < 0.3 * mean.norm()  # the plain mean is not
    torch.testing.assert_close(mean_latent(latents[:1], prior), latents[0])
    torch.testing.assert_close(mean_latent(latents.flip(0), prior), mean)
    if prior == "uniform":
        assert (mean.abs() < 1).all()


def test_latents_that_cancel_out_have_the_centre_for_a_mean() -> None:
    z = sample("uniform", (1, 10), seed=2)
    torch.testing.assert_close(mean_latent(torch.cat([z, -z]), "uniform"), torch.zeros(10))
    assert torch.equal(mean_latent(torch.zeros(3, 10), "normal"), torch.zeros(10))


def test_no_latents_have_no_mean() -> None:
    with pytest.raises(ValueError, match="there are 0"):
        mean_latent(torch.zeros(0, 5), "uniform")
    with pytest.raises(ValueError, match="all finite"):
        mean_latent(torch.full((2, 5), float("inf")), "normal")


def naive_nearest(a: Tensor, b: Tensor, leave_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Distance and index of the nearest of b to each of a, by loops in float64."""
    distances = np.array([[np.sqrt(((p - q) ** 2).sum()) for q in b.double().numpy()] for p in a.double().numpy()])
    if leave_out:
        np.fill_diagonal(distances, np.inf)
    return distances.min(1), distances.argmin(1)


def test_coverage_is_that_of_brute_force(tiny_model: BiGAN, index: GalleryIndex) -> None:
    x = tiny_model.generate(tiny_model.sample_latents(40, seed=3))
    nearest = naive_nearest(tiny_model.features(x), index.features)[1]
    labels = index.gallery.labels[nearest]
    result = coverage(tiny_model, index, 40, seed=3)
    assert result.num_samples == 40
    assert result.nearest_ids == tuple(index.gallery.ids[i] for i in nearest)
    assert result.num_distinct == len(set(nearest.tolist()))
    assert result.class_names == ("a", "b", "c", "d")
    np.testing.assert_allclose(result.shares_of_samples, [(labels == k).float().mean() for k in range(4)], atol=1e-6)
    np.testing.assert_allclose(result.shares_of_gallery, [27 / 80, 27 / 80, 26 / 80, 0], atol=1e-6)
    every_other = index.gallery.images[::2].flatten(1).double() / 255  # 40 of 80, as many as samples
    expected = np.quantile(naive_nearest(every_other, every_other, leave_out=True)[0], 0.01)
    assert result.duplicate_distance == pytest.approx(expected, rel=1e-5)


def test_a_generator_that_lost_all_modes_but_one_is_found_out(tiny_model: BiGAN, index: GalleryIndex) -> None:
    fresh = coverage(tiny_model, index, 30, seed=0)
    constant = BiGAN(tiny_model.config)
    constant.load_state_dict(tiny_model.state_dict())
    for weight in constant.generator.parameters():
        weight.data.mul_(1e-4)
    collapsed = coverage(constant.eval().requires_grad_(False), index, 30, seed=0)
    assert collapsed.num_duplicates == 29  # all but the first
    assert collapsed.num_distinct == 1
    assert max(collapsed.shares_of_samples) == 1
    assert fresh.num_duplicates < 29 and fresh.num_distinct > 1


def test_duplicates_are_those_with_an_earlier_one_so_near(tiny_model: BiGAN, index: GalleryIndex) -> None:
    images = (255 * tiny_model.generate(tiny_model.sample_latents(60, seed=1))).round().double().flatten(1) / 255
    among = np.array([[np.sqrt(((p - q) ** 2).sum()) for q in images.numpy()] for p in images.numpy()])
    limit = coverage(tiny_model, index, 60, seed=1).duplicate_distance
    expected = sum(bool((among[i, :i] <= limit).any()) for i in range(60))
    assert coverage(tiny_model, index, 60, seed=1).num_duplicates == expected
    assert 0 < expected < 60


def test_one_gallery_image_is_nearest_to_all(tiny_model: BiGAN, index: GalleryIndex) -> None:
    one = index.gallery
    alone = replace(one, images=one.images[:1], labels=one.labels[:1], ids=one.ids[:1])
    result = coverage(tiny_model, index_gallery(tiny_model, alone), 5, seed=0)
    assert result.nearest_ids == ("id-0",) * 5
    assert result.shares_of_samples == result.shares_of_gallery == (1, 0, 0, 0)
    assert result.duplicate_distance == 0 == result.num_duplicates
    with pytest.raises(ValueError, match="num_samples is 0"):
        coverage(tiny_model, index, 0, seed=0)
