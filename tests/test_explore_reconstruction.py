"""The reconstruction report, held against naive computations in float64."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from bigan.config import ModelConfig
from bigan.explore.familiarity import familiarities, known_images
from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import GalleryIndex, index_gallery, report, reports
from bigan.models.bigan import BiGAN

NUM_IMAGES = 60


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (NUM_IMAGES, 1, 28, 28), generator=generator, dtype=torch.uint8)
    ids = tuple(f"id-{i}" for i in range(NUM_IMAGES))
    return Gallery(images, torch.arange(NUM_IMAGES) % 10, ids, tuple("0123456789"), "noise")


@pytest.fixture(scope="module")
def index(tiny_model: BiGAN, gallery: Gallery) -> GalleryIndex:
    return index_gallery(tiny_model, gallery)


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def layers(network: torch.nn.Module) -> Iterator[tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray, float]]:
    """Weights of a hidden layer in float64: matrix, matrix of z, mean, variance, slope."""
    for layer in network.hidden:  # type: ignore[union-attr]
        matrix = layer.linear.weight.double().numpy()
        inject = None if layer.inject is None else layer.inject.weight.double().numpy()
        mean = np.zeros(1) if layer.norm is None else layer.norm.running_mean.double().numpy()
        variance = np.ones(1) if layer.norm is None else layer.norm.running_var.double().numpy() + 1e-8
        yield matrix, inject, mean, variance, layer.slope


def naive_hidden(network: torch.nn.Module, h: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Activations of the last hidden layer for one input."""
    for matrix, inject, mean, variance, slope in layers(network):
        a = matrix @ h
        if inject is not None:
            a = a + inject @ z
        a = (a - mean) / np.sqrt(variance)
        h = np.where(a > 0, a, slope * a)
    return h


def output(network: torch.nn.Module) -> np.ndarray:
    return network.output.weight.double().numpy()  # type: ignore[union-attr, operator]


def naive_look(model: BiGAN, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """E(x), features, G(E(x)), D(x, E(x)) and D(G(E(x)), E(x)) of one image, all in float64."""
    features = naive_hidden(model.encoder, x, np.zeros(0))
    z = np.tanh(output(model.encoder) @ features / 2)
    x_hat = 1 / (1 + np.exp(-output(model.generator) @ naive_hidden(model.generator, z, z)))
    d = [(output(model.discriminator) @ naive_hidden(model.discriminator, image, z)).item() for image in (x, x_hat)]
    return z, features, x_hat, d[0], d[1]


def test_every_number_of_the_report_is_that_of_a_naive_computation(
    tiny_model: BiGAN, gallery: Gallery, index: GalleryIndex, x: Tensor
) -> None:
    pixels = gallery.images.double().flatten(1).numpy() / 255  # (N, P)
    looks = [naive_look(tiny_model, image) for image in pixels]
    own = np.array([np.sqrt(((image - look[2]) ** 2).sum()) for image, look in zip(pixels, looks, strict=True)])
    gallery_features = np.stack([look[1] for look in looks])
    for image, result in zip(x, reports(tiny_model, x, index), strict=True):
        flat = image.double().flatten().numpy()
        z, features, x_hat, encoder_logit, reconstruction_logit = naive_look(tiny_model, flat)
        distance = np.sqrt(((flat - x_hat) ** 2).sum())
        to_gallery = np.sqrt(((pixels - x_hat) ** 2).sum(1))
        to_features = np.sqrt(((gallery_features - features) ** 2).sum(1))
        nearest = np.argsort(to_features)[:5]
        assert torch.equal(result.x, image)
        np.testing.assert_allclose(result.z, z, atol=1e-5)
        np.testing.assert_allclose(result.x_hat.flatten(), x_hat, atol=1e-5)
        np.testing.assert_allclose(result.difference.flatten(), x_hat - flat, atol=1e-5)
        assert result.distance == pytest.approx(distance, rel=1e-5)
        assert result.ratio == pytest.approx(distance / to_gallery.mean(), rel=1e-5)
        assert result.percentile == pytest.approx((to_gallery > distance).mean(), abs=1e-6)
        assert result.typicality == pytest.approx((own > distance).mean(), abs=1e-6)
        assert result.num_off_prior == (abs(z) > 1).sum() == 0
        assert result.off_prior_share == 0
        assert result.encoder_pair_logit == pytest.approx(encoder_logit, abs=1e-4)
        assert result.reconstruction_pair_logit == pytest.approx(reconstruction_logit, abs=1e-4)
        assert [n.index for n in result.neighbours] == nearest.tolist()
        np.testing.assert_allclose([n.distance for n in result.neighbours], to_features[nearest], rtol=1e-4)


def test_the_index_holds_what_the_model_makes_of_the_gallery(
    tiny_model: BiGAN, gallery: Gallery, index: GalleryIndex
) -> None:
    pixels = gallery.images.double().flatten(1).numpy() / 255
    assert index.encoder_pair_logits is not None
    for i in (0, 17, NUM_IMAGES - 1):
        z, features, x_hat, encoder_logit, _ = naive_look(tiny_model, pixels[i])
        np.testing.assert_array_equal(index.pixels[i], (255 * pixels[i]).round())
        np.testing.assert_allclose(index.latents[i], z, atol=1e-5)
        np.testing.assert_allclose(index.features[i], features, atol=1e-4)
        assert abs(index.reconstructions[i].flatten().numpy() / 255 - x_hat).max() <= 0.5 / 255 + 1e-5
        assert index.distances[i].item() == pytest.approx(np.sqrt(((pixels[i] - x_hat) ** 2).sum()), rel=1e-5)
        assert index.encoder_pair_logits[i].item() == pytest.approx(encoder_logit, abs=1e-4)
    assert index.known.limit == known_images(gallery).limit


def test_one_image_is_reported_as_it_is_among_several(tiny_model: BiGAN, index: GalleryIndex, x: Tensor) -> None:
    together = reports(tiny_model, x, index)
    for i in range(len(x)):
        alone = report(tiny_model, x[i : i + 1], index)
        assert alone.distance == pytest.approx(together[i].distance, rel=1e-5)
        assert [n.id for n in alone.neighbours] == [n.id for n in together[i].neighbours]
    assert reports(tiny_model, x[:0], index) == ()


def test_an_image_of_the_gallery_is_not_farther_than_itself(
    tiny_model: BiGAN, gallery: Gallery, index: GalleryIndex
) -> None:
    for i in range(0, NUM_IMAGES, 6):
        result = report(tiny_model, gallery.images[i : i + 1].float() / 255, index)
        others = [np.linalg.norm((result.x_hat - image / 255).numpy()) for image in index.gallery.images]
        del others[i]
        assert result.percentile == pytest.approx(sum(d > result.distance for d in others) / NUM_IMAGES, abs=1e-6)
        assert result.neighbours[0].id == f"id-{i}"
        assert not result.is_far


def test_an_image_that_comes_back_as_another_does_is_not_nearer_by_rounding(
    tiny_model: BiGAN, index: GalleryIndex, x: Tensor
) -> None:
    distance = report(tiny_model, x[:1], index).distance
    for factor, share in ((1 + 5e-6, 0.0), (1 + 5e-5, 1.0)):
        close = replace(index, distances=torch.full_like(index.distances, factor * distance))
        assert report(tiny_model, x[:1], close).typicality == share


def test_what_lies_beyond_the_gallery_is_far(tiny_model: BiGAN, index: GalleryIndex, x: Tensor) -> None:
    nearest = report(tiny_model, x[:1], index).familiarity.distance
    assert report(tiny_model, x[:1], replace(index, known=replace(index.known, limit=nearest * 0.99))).is_far
    assert not report(tiny_model, x[:1], replace(index, known=replace(index.known, limit=nearest * 1.01))).is_far
    black = torch.zeros(1, 1, 28, 28)  # far from noise
    assert report(tiny_model, black, index).is_far
    (expected,) = familiarities(black, index.known)
    assert report(tiny_model, black, index).familiarity == expected


def test_components_outside_a_normal_prior_are_counted(gallery: Gallery, x: Tensor) -> None:
    config = ModelConfig(latent_dim=8, hidden_dim=64, prior="normal")
    model = BiGAN(config).initialise(0).eval().requires_grad_(False)
    model.encoder.output.weight.mul_(3 / model.encode(x[:1]).abs().median())  # some components beyond 3, some not
    result = report(model, x[:1], index_gallery(model, gallery))
    assert 0 < result.num_off_prior == (result.z.abs() > 3).sum().item() < 8
    assert result.off_prior_share == pytest.approx(result.num_off_prior / 8)


def test_a_gallery_of_one_image_is_enough(tiny_model: BiGAN, gallery: Gallery, x: Tensor) -> None:
    one = Gallery(gallery.images[:1], gallery.labels[:1], gallery.ids[:1], gallery.class_names, "one")
    result = report(tiny_model, x[:1], index_gallery(tiny_model, one))
    assert len(result.neighbours) == 1
    assert not result.is_far
    assert np.isfinite(result.ratio)


def test_images_of_another_shape_are_refused(tiny_model: BiGAN, gallery: Gallery, index: GalleryIndex) -> None:
    with pytest.raises(ValueError, match=r"\(1, 14, 28\); this model takes \(1, 28, 28\)"):
        report(tiny_model, torch.zeros(1, 1, 14, 28), index)
    with pytest.raises(ValueError, match=r"\(1, 14, 28\); this model takes \(1, 28, 28\)"):
        index_gallery(tiny_model, replace(gallery, images=gallery.images[:, :, :14].contiguous()))
