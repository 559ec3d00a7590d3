"""Several models on the same images and the same seeds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from bigan.config import ModelConfig
from bigan.explore.comparison import Reading, compare, compare_samples, gallery_features
from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import index_gallery, reports
from bigan.models.bigan import BiGAN


def gallery() -> Gallery:
    images = torch.randint(256, (30, 1, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return Gallery(images, torch.arange(30) % 3, tuple(f"id-{i}" for i in range(30)), tuple("abc"), "noise")


def some_images(num: int) -> Tensor:
    return torch.rand(num, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def fresh(config: ModelConfig, seed: int) -> BiGAN:
    return BiGAN(config).initialise(seed).eval().requires_grad_(False)


def read(models: list[BiGAN], x: Tensor) -> tuple[Reading, ...]:
    return compare(models, x, gallery(), [gallery_features(model, gallery()) for model in models])


def test_each_reading_is_what_reconstruct_reports_of_the_model_alone(tiny_model: BiGAN, either_model: BiGAN) -> None:
    other = fresh(replace(either_model.config, latent_dim=7), 3)
    x = some_images(5)
    for model, found in zip((tiny_model, other), read([tiny_model, other], x), strict=True):
        assert found.shortcomings == ()
        expected = reports(model, x, index_gallery(model, gallery()))
        assert found.x_hat is not None and found.distances is not None and found.ratios is not None
        assert found.logits is not None and found.off_prior_shares is not None and found.neighbours is not None
        for i, one in enumerate(expected):
            torch.testing.assert_close(found.x_hat[i], one.x_hat)
            assert found.distances[i].item() == pytest.approx(one.distance, rel=1e-5)
            assert found.ratios[i].item() == pytest.approx(one.ratio, rel=1e-5)
            assert found.percentiles is not None and found.percentiles[i].item() == one.percentile
            assert found.off_prior_shares[i].item() == one.off_prior_share
            assert found.logits[i].item() == pytest.approx(one.encoder_pair_logit, rel=1e-4, abs=1e-5)
            assert [n.id for n in found.neighbours[i]] == [n.id for n in one.neighbours]


def test_distances_and_ratios_are_those_of_a_naive_count(tiny_model: BiGAN) -> None:
    x = some_images(4)
    (found,) = read([tiny_model], x)
    assert found.distances is not None and found.ratios is not None and found.percentiles is not None
    x_hat = tiny_model.reconstruct(x).double().numpy().reshape(4, -1)
    images = gallery().images.double().numpy().reshape(30, -1) / 255
    for i in range(4):
        distance = np.sqrt(((x[i].double().numpy().ravel() - x_hat[i]) ** 2).sum())
        others = [np.sqrt(((x_hat[i] - image) ** 2).sum()) for image in images]
        assert found.distances[i].item() == pytest.approx(distance, rel=1e-5)
        assert found.ratios[i].item() == pytest.approx(distance / np.mean(others), rel=1e-5)
        assert found.percentiles[i].item() == pytest.approx(np.mean(np.array(others) > distance))


def test_a_gallery_indexed_before_serves_as_well(tiny_model: BiGAN) -> None:
    features = gallery_features(tiny_model, gallery())
    assert features is not None
    torch.testing.assert_close(features, index_gallery(tiny_model, gallery()).features)


def test_a_model_answers_as_far_as_its_networks_go(tiny_model: BiGAN) -> None:
    config = tiny_model.config
    autoencoder = fresh(replace(config, networks=("generator", "encoder")), 0)
    regressor = fresh(replace(config, discriminator_sees="image"), 0)
    gan = fresh(replace(config, networks=("generator", "discriminator"), discriminator_sees="image"), 0)
    classifier = fresh(replace(config, networks=("encoder",)), 0)
    answers = read([tiny_model, autoencoder, regressor, gan, classifier], some_images(2))
    names = ("x_hat", "ratios", "off_prior_shares", "logits", "neighbours")
    given = [[getattr(answer, name) is not None for name in names] for answer in answers]
    assert given == [
        [True, True, True, True, True],
        [True, True, True, False, True],
        [True, True, True, False, True],
        [False, False, False, False, True],  # neighbours in its discriminator's eyes
        [False, False, True, False, True],
    ]
    assert [len(answer.shortcomings) for answer in answers] == [0, 1, 1, 1, 2]
    assert "no discriminator" in answers[1].shortcomings[0]
    assert "images alone" in answers[2].shortcomings[0]
    assert "no encoder" in answers[3].shortcomings[0]


def test_a_model_that_sees_no_image_alone_has_no_neighbours(tiny_model: BiGAN) -> None:
    blind = fresh(replace(tiny_model.config, networks=("generator",)), 0)
    assert gallery_features(blind, gallery()) is None
    (found,) = read([blind], some_images(2))
    assert found.neighbours is None and found.x_hat is None and found.shortcomings


def test_the_same_seed_gives_the_same_latents_to_models_of_one_prior(tiny_model: BiGAN) -> None:
    twin = fresh(tiny_model.config, 5)
    normal = fresh(replace(tiny_model.config, prior="normal"), 5)
    autoencoder = fresh(replace(tiny_model.config, networks=("generator", "encoder")), 5)
    classifier = fresh(replace(tiny_model.config, networks=("encoder",)), 5)
    drawn = compare_samples([tiny_model, twin, normal, autoencoder, classifier], 6, seed=4)
    z = tiny_model.sample_latents(6, seed=4)
    assert torch.equal(drawn[0].latents, z) and torch.equal(drawn[1].latents, z)
    assert not torch.equal(drawn[2].latents, z)
    for model, one in zip((tiny_model, twin, normal), drawn, strict=False):
        assert one.images is not None and one.logits is not None and one.shortcomings == ()
        assert torch.equal(one.images, model.generate(one.latents))
        assert torch.equal(one.logits, model.score(one.images, one.latents))
        assert one.latents_back is not None and torch.equal(one.latents_back, model.encode(one.images))
    assert drawn[3].images is not None and drawn[3].logits is None and len(drawn[3].shortcomings) == 1
    assert (
        drawn[4].images is None
        and drawn[4].latents_back is None
        and drawn[4].logits is None
        and len(drawn[4].shortcomings) == 1
    )


def test_models_and_images_that_do_not_fit_are_refused(tiny_model: BiGAN) -> None:
    small = fresh(replace(tiny_model.config, image_shape=(1, 8, 8)), 0)
    known = gallery_features(tiny_model, gallery())
    assert known is not None
    with pytest.raises(ValueError, match=r"shape \(1, 28, 28\); a model here takes \(1, 8, 8\)"):
        compare([tiny_model, small], some_images(1), gallery(), [known, None])
    with pytest.raises(ValueError, match=r"shape \(1, 28, 28\); a model here takes \(1, 8, 8\)"):
        gallery_features(small, gallery())
    with pytest.raises(ValueError, match="features of 30 images for 2 models; each model needs those of 30 images"):
        compare([tiny_model, tiny_model], some_images(1), gallery(), [known])
    with pytest.raises(ValueError, match="features of 30, 29 images"):
        compare([tiny_model, tiny_model], some_images(1), gallery(), [known, known[:29]])
    with pytest.raises(ValueError, match="seed is -1"):
        compare_samples([tiny_model], 2, seed=-1)
