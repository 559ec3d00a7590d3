"""Directions in the latent space, against finite differences and naive computations in float64."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bigan.config import ModelConfig, Prior
from bigan.explore import directions
from bigan.explore.directions import (
    Direction,
    class_direction,
    move,
    principal_directions,
    selection_direction,
    sensitivities,
)
from bigan.explore.familiarity import known_images
from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import GalleryIndex
from bigan.models.bigan import BiGAN

NUM_IMAGES, LATENT_DIM = 40, 6
PRIORS: list[Prior] = ["uniform", "normal"]


@pytest.fixture(scope="module")
def index() -> GalleryIndex:
    """Latents of three classes of four, the third without images."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 1, 1, 3])[torch.arange(NUM_IMAGES) % 4]
    z = torch.rand(NUM_IMAGES, LATENT_DIM, generator=generator) * torch.linspace(0.3, 1, LATENT_DIM)
    z += 0.5 * torch.eye(LATENT_DIM)[labels]
    images = torch.zeros(NUM_IMAGES, 1, 2, 2, dtype=torch.uint8)
    gallery = Gallery(images, labels, tuple(f"id-{i}" for i in range(NUM_IMAGES)), ("a", "b", "c", "d"), "made")
    rest = torch.zeros(NUM_IMAGES)
    return GalleryIndex(gallery, z, rest[:, None], images, rest, rest, known_images(gallery))


def naive_generate(model: BiGAN, z: np.ndarray) -> np.ndarray:
    """G(z) of one latent in float64, of a model with fresh batch-norm statistics: mean 0, variance 1."""
    weights = {name: weight.double().numpy() for name, weight in model.generator.named_parameters()}
    h = z
    for i in range(model.config.num_hidden_layers):
        a = weights[f"hidden.{i}.linear.weight"] @ h
        if i > 0:
            a = a + weights[f"hidden.{i}.inject.weight"] @ z
        h = np.maximum(a / np.sqrt(1 + 1e-8), 0)
    return 1 / (1 + np.exp(-weights["output.weight"] @ h))


@pytest.mark.parametrize("prior", PRIORS)
def test_sensitivities_are_the_norms_of_finite_differences(prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    config = ModelConfig(image_shape=(1, 6, 6), latent_dim=5, hidden_dim=32, prior=prior)
    model = BiGAN(config).initialise(2).eval().requires_grad_(False)
    for weight in model.generator.parameters():
        weight.mul_(20)  # of a fresh model they are so small that nothing changes
    z = model.sample_latents(1, seed=0)[0]
    found = sensitivities(model, z)
    for i in range(5):
        step = 1e-6 * np.eye(5)[i]
        ends = naive_generate(model, z.double().numpy() + step), naive_generate(model, z.double().numpy() - step)
        assert found[i].item() == pytest.approx(np.linalg.norm(ends[0] - ends[1]) / 2e-6, rel=1e-3)
    assert found.max() > 1.5 * found.min()
    monkeypatch.setattr(directions, "MAX_VALUES", 2 * 36)  # two components at once
    torch.testing.assert_close(sensitivities(model, z), found)
    with torch.inference_mode():
        torch.testing.assert_close(sensitivities(model, z * 1), found)


def test_sensitivities_of_what_cannot_be_are_refused(tiny_model: BiGAN) -> None:
    with pytest.raises(ValueError, match="this one has 3"):
        sensitivities(tiny_model, torch.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        sensitivities(tiny_model, torch.full((tiny_model.config.latent_dim,), float("nan")))
    with pytest.raises(ValueError, match="training mode"):
        sensitivities(BiGAN(tiny_model.config), torch.zeros(tiny_model.config.latent_dim))


def test_principal_directions_are_those_of_a_singular_value_decomposition(index: GalleryIndex) -> None:
    centred = index.latents.double().numpy() - index.latents.double().numpy().mean(0)
    _, singular, rows = np.linalg.svd(centred, full_matrices=False)
    found = principal_directions(index, LATENT_DIM)
    for i, direction in enumerate(found):
        assert direction.name == f"component {i + 1}"
        assert abs(rows[i] @ direction.vector.double().numpy()) == pytest.approx(1, abs=1e-5)
        assert direction.vector[direction.vector.abs().argmax()] > 0
        assert direction.standard_deviation == pytest.approx(singular[i] / NUM_IMAGES**0.5, rel=1e-6)
        assert direction.standard_deviation == pytest.approx((centred @ direction.vector.numpy()).std(), rel=1e-5)
        assert direction.explained == pytest.approx(singular[i] ** 2 / (singular**2).sum(), rel=1e-6)
    assert sum(direction.explained or 0 for direction in found) == pytest.approx(1)
    assert [d.name for d in principal_directions(index, 2)] == ["component 1", "component 2"]


def test_a_number_of_principal_directions_that_cannot_be_is_refused(index: GalleryIndex) -> None:
    for num in (0, LATENT_DIM + 1):
        with pytest.raises(ValueError, match=f"num is {num}; it must be 1 to {LATENT_DIM}"):
            principal_directions(index, num)
    same = replace(index, latents=torch.ones(NUM_IMAGES, LATENT_DIM))
    with pytest.raises(ValueError, match=r"All 40 images .* no direction"):
        principal_directions(same, 1)


def test_class_directions_are_the_differences_of_means(index: GalleryIndex) -> None:
    z, labels = index.latents.double().numpy(), index.gallery.labels.numpy()
    for label, name in ((0, "a"), (1, "b"), (3, "d")):
        direction = class_direction(index, label)
        assert direction.name == f"from the rest to “{name}”"
        difference = z[labels == label].mean(0) - z[labels != label].mean(0)
        np.testing.assert_allclose(direction.vector, difference / np.linalg.norm(difference), atol=1e-6)
        assert direction.standard_deviation == pytest.approx((z @ direction.vector.double().numpy()).std(), rel=1e-5)
        assert direction.explained is None
    to_d = class_direction(index, 3, origin=1)
    assert to_d.name == "from “b” to “d”"
    difference = z[labels == 3].mean(0) - z[labels == 1].mean(0)
    np.testing.assert_allclose(to_d.vector, difference / np.linalg.norm(difference), atol=1e-6)


def test_classes_of_one_name_are_told_apart(index: GalleryIndex) -> None:
    same = replace(index, gallery=replace(index.gallery, class_names=("a", "b", "c", "a")))
    assert not torch.equal(class_direction(same, 0).vector, class_direction(same, 3).vector)


def test_classes_with_nothing_between_them_have_no_direction(index: GalleryIndex) -> None:
    for absent in (2, 4, -1):  # one without images, and two that are none
        with pytest.raises(ValueError, match=f"origin is {absent}; the gallery's labels are 0, 1, 3"):
            class_direction(index, 0, absent)
        with pytest.raises(ValueError, match=f"label is {absent}; the gallery's labels are 0, 1, 3"):
            class_direction(index, absent)
    with pytest.raises(ValueError, match="no other class"):
        class_direction(index, 1, 1)
    with pytest.raises(ValueError, match="their means are the same"):
        class_direction(replace(index, latents=torch.ones(NUM_IMAGES, LATENT_DIM)), 0)
    one_class = replace(index.gallery, labels=torch.zeros(NUM_IMAGES, dtype=torch.int64))
    with pytest.raises(ValueError, match="no other class"):
        class_direction(replace(index, gallery=one_class), 0)


def test_a_direction_between_selections_is_the_difference_of_their_means(index: GalleryIndex) -> None:
    z = index.latents.double().numpy()
    difference = z[[5, 8]].mean(0) - z[[0, 3, 7]].mean(0)
    found = selection_direction(index, ["id-0", "id-3", "id-7"], ["id-8", "id-5"])
    np.testing.assert_allclose(found.vector, difference / np.linalg.norm(difference), atol=1e-6)
    back = selection_direction(index, ["id-8", "id-5"], ["id-0", "id-3", "id-7"])
    torch.testing.assert_close(back.vector, -found.vector)
    assert back.standard_deviation == pytest.approx(found.standard_deviation)
    with pytest.raises(ValueError, match="0 and 1 images"):
        selection_direction(index, [], ["id-1"])
    with pytest.raises(ValueError, match="'id-99'"):
        selection_direction(index, ["id-1"], ["id-99"])
    with pytest.raises(ValueError, match="the same mean"):
        selection_direction(index, ["id-1"], ["id-1"])


def test_a_move_is_measured_in_standard_deviations() -> None:
    direction = Direction("up", torch.tensor([0.6, 0.8, 0.0]), 0.5)
    z = torch.tensor([0.5, 0.5, -1.25])
    torch.testing.assert_close(move(z, direction, 2.0, "uniform", clamp=False), torch.tensor([1.1, 1.3, -1.25]))
    torch.testing.assert_close(move(z, direction, 2.0, "uniform", clamp=True), torch.tensor([1.0, 1.0, -1.0]))
    torch.testing.assert_close(move(z, direction, -1.0, "uniform", clamp=True), torch.tensor([0.2, 0.1, -1.0]))
    torch.testing.assert_close(move(z, direction, 8.0, "normal", clamp=True), torch.tensor([2.9, 3.0, -1.25]))
    assert torch.equal(move(z, direction, 0.0, "normal", clamp=True), z)
    with pytest.raises(ValueError, match="2 components and the direction 3"):
        move(z[:2], direction, 1.0, "uniform", clamp=False)
    with pytest.raises(ValueError, match="strength_sd is inf"):
        move(z, direction, float("inf"), "uniform", clamp=False)
