"""Maps of a gallery: how they are made, kept and used."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]
from torch import Tensor

from bigan.config import Prior
from bigan.evaluation.report import weights_sha256
from bigan.explore.gallery import Gallery
from bigan.explore.projection import (
    SPACES,
    Projection,
    SpaceMap,
    label_accuracy,
    latent_at,
    load_projection,
    local_quality,
    place,
    project,
    save_projection,
    space_features,
)
from bigan.files import CheckpointError
from bigan.latent import off_prior_share, sample
from bigan.models.bigan import BiGAN


def clusters(num_images: int) -> Gallery:
    """Three kinds of pattern, each with noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num_images) % 3
    patterns = torch.randint(200, (3, 1, 28, 28), generator=generator)
    noise = torch.randint(56, (num_images, 1, 28, 28), generator=generator)
    ids = tuple(f"id-{i}" for i in range(num_images))
    return Gallery((patterns[labels] + noise).to(torch.uint8), labels, ids, ("a", "b", "c"), "made on the spot")


@pytest.fixture
def projection() -> Projection:
    generator = torch.Generator().manual_seed(0)
    maps = {
        str(space): SpaceMap(space, torch.randn(4, 2, generator=generator), {"seed": 3, "n": 0.1}, 0.9, 0.75, 1.0)
        for space in SPACES
    }
    return Projection(("a", "b", "ć", "d"), maps, "5ha")


def test_umap_maps_three_kinds_to_three_clusters_and_twice_the_same(tiny_model: BiGAN, tmp_path: Path) -> None:
    gallery = clusters(200)
    told: list[str] = []
    first, second = project(tiny_model, gallery, seed=1, progress=told.append), project(tiny_model, gallery, seed=1)
    assert first.ids == gallery.ids
    assert first.weights_sha256 == weights_sha256(tiny_model)
    assert tuple(first.maps) == SPACES
    assert told[0] == "Mapping 200 images by pixels (1 of 3)."
    for space, found in first.maps.items():
        assert found.space == space
        assert torch.equal(found.coordinates, second.maps[space].coordinates)
        assert found.coordinates.shape == (200, 2)
        assert found.coordinates.isfinite().all()
        assert found.label_accuracy_full == 1
        assert found.label_accuracy_map > 0.95
        assert 0.5 < found.trustworthiness <= 1
        assert (found.parameters["seed"], found.parameters["n_neighbors"]) == (1, 15)
    save_projection(first, tmp_path)
    loaded = load_projection(tmp_path)
    assert loaded is not None
    assert loaded.maps["latent"].parameters == first.maps["latent"].parameters


def test_too_small_a_gallery_and_impossible_seeds_are_refused(tiny_model: BiGAN) -> None:
    with pytest.raises(ValueError, match="31 images; a map needs at least 32"):
        project(tiny_model, clusters(31))
    with pytest.raises(ValueError, match="seed is -1"):
        project(tiny_model, clusters(32), seed=-1)


def test_importing_the_module_imports_neither_umap_nor_numba_nor_sklearn() -> None:
    import subprocess
    import sys

    code = "import sys, bigan.explore.projection; print({'umap', 'numba', 'sklearn', 'lightning'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_space_is_pixels_latents_or_features(tiny_model: BiGAN) -> None:
    images = clusters(7).images
    x = images.float() / 255
    assert torch.equal(space_features(tiny_model, images, "pixels"), x.flatten(1))
    assert torch.equal(space_features(tiny_model, images, "latent"), tiny_model.encode(x))
    assert torch.equal(space_features(tiny_model, images, "penultimate"), tiny_model.features(x, "penultimate"))
    assert torch.equal(space_features(tiny_model, x, "latent"), space_features(tiny_model, images, "latent"))
    with pytest.raises(ValueError, match="'colour'; it must be one of pixels, latent, penultimate"):
        space_features(tiny_model, images, "colour")


def test_label_accuracy_is_that_of_a_naive_vote() -> None:
    generator = np.random.default_rng(0)
    points, labels = generator.normal(size=(80, 3)), generator.integers(0, 3, 80)
    points[:, 0] += labels  # some signal
    points[10:14] = points[10]  # copies
    right = 0
    for i in range(80):
        others = [j for j in np.argsort(((points - points[i]) ** 2).sum(1), kind="stable") if j != i][:5]
        votes = Counter(labels[others].tolist())
        right += min(votes, key=lambda label: (-votes[label], label)) == labels[i]
    accuracy = label_accuracy(torch.from_numpy(points), torch.from_numpy(labels), num_neighbours=5)
    assert accuracy == pytest.approx(right / 80)


def test_label_accuracy_survives_more_copies_than_neighbours() -> None:
    assert label_accuracy(torch.zeros(40, 2), torch.zeros(40, dtype=torch.int64)) == 1


def naive_place(query: Tensor, references: Tensor, coordinates: Tensor, num_neighbours: int) -> np.ndarray:
    distances = np.sqrt(((references.double().numpy() - query.double().numpy()) ** 2).sum(1))
    nearest = np.argsort(distances, kind="stable")[:num_neighbours]
    weights = 1 / distances[nearest]
    return np.asarray((weights[:, None] * coordinates.double().numpy()[nearest]).sum(0) / weights.sum())


@pytest.mark.parametrize("num_neighbours", [1, 4, 15, 100])
def test_a_new_image_is_placed_by_the_formula(num_neighbours: int) -> None:
    generator = torch.Generator().manual_seed(0)
    references, coordinates = torch.randn(60, 9, generator=generator), torch.randn(60, 2, generator=generator)
    for query in torch.randn(5, 9, generator=generator):
        placed = place(query, references, coordinates, num_neighbours)
        np.testing.assert_allclose(
            placed, naive_place(query, references, coordinates, num_neighbours), rtol=1e-4, atol=1e-5
        )


def test_an_image_of_the_gallery_is_placed_on_its_own_point() -> None:
    generator = torch.Generator().manual_seed(1)
    references, coordinates = torch.randn(60, 9, generator=generator), torch.randn(60, 2, generator=generator)
    assert torch.equal(place(references[33], references, coordinates), coordinates[33])
    almost = place(references[33] + 1e-7, references, coordinates)
    torch.testing.assert_close(almost, coordinates[33], rtol=0, atol=1e-4)


@settings(deadline=None, max_examples=50)
@given(scale=st.floats(1e-20, 1e15), seed=st.integers(0, 1000))
def test_a_placed_image_lies_among_its_neighbours(scale: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    references, coordinates = torch.randn(20, 3, generator=generator) * scale, torch.randn(20, 2, generator=generator)
    placed = place(torch.zeros(3), references, coordinates, 5)
    assert (placed >= coordinates.amin(0) - 1e-5).all()
    assert (placed <= coordinates.amax(0) + 1e-5).all()


# What a map kept, and the way back from it


@pytest.mark.parametrize("num_neighbours", [1, 5, 15, 39])
def test_local_quality_is_the_share_of_true_neighbours_kept(num_neighbours: int) -> None:
    generator = np.random.default_rng(2)
    points = generator.normal(size=(40, 6)).astype(np.float32)
    places = points[:, :2] + 0.3 * generator.normal(size=(40, 2)).astype(np.float32)
    expected = []
    for i in range(40):
        others = [j for j in range(40) if j != i]
        true, kept = (
            set(sorted(others, key=lambda j: ((a[j].astype(float) - a[i]) ** 2).sum())[:num_neighbours])
            for a in (points, places)
        )
        expected.append(len(true & kept) / num_neighbours)
    found = local_quality(torch.from_numpy(points), torch.from_numpy(places), num_neighbours)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert (found.mean() < 1) == (num_neighbours < 39)


def test_a_map_that_is_the_space_keeps_all_and_one_without_places_about_what_chance_does() -> None:
    points = torch.randn(400, 2, generator=torch.Generator().manual_seed(3))
    assert local_quality(points, 3 * points + 1).min() == 1
    shuffled = points[torch.randperm(400, generator=torch.Generator().manual_seed(4))]
    assert local_quality(points, shuffled).mean().item() == pytest.approx(15 / 399, abs=0.01)


def test_local_quality_needs_more_points_than_neighbours() -> None:
    with pytest.raises(ValueError, match="num_neighbours is 15; it must be 1 to 14, the other points"):
        local_quality(torch.zeros(15, 3), torch.zeros(15, 2))
    assert local_quality(torch.zeros(16, 3), torch.zeros(16, 2)).tolist() == [1] * 16


@pytest.mark.parametrize("num_neighbours", [2, 15, 100])
@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_the_latent_of_a_place_is_the_weighted_mean_in_the_normal_view(prior: Prior, num_neighbours: int) -> None:
    latents = sample(prior, (60, 9), seed=5)
    coordinates = torch.randn(60, 2, generator=torch.Generator().manual_seed(5))
    for where in torch.randn(5, 2, generator=torch.Generator().manual_seed(6)):
        points = latents.double().numpy()
        if prior == "uniform":
            points = stats.norm.ppf((1 + points) / 2)
        expected = naive_place(where, coordinates, torch.from_numpy(points), num_neighbours)
        if prior == "uniform":
            expected = 2 * stats.norm.cdf(expected) - 1
        found = latent_at(where, coordinates, latents, prior, num_neighbours)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        assert prior == "normal" or off_prior_share(found[None], prior) == 0


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_the_latent_of_a_points_own_place_is_its_own(prior: Prior) -> None:
    latents = sample(prior, (40, 9), seed=7)
    coordinates = torch.randn(40, 2, generator=torch.Generator().manual_seed(8))
    assert torch.equal(latent_at(coordinates[12], coordinates, latents, prior), latents[12])
    beside = latent_at(coordinates[12] + 1e-6, coordinates, latents, prior)
    torch.testing.assert_close(beside, latents[12], rtol=0, atol=1e-3)
    assert latent_at(torch.tensor([1e6, -1e6]), coordinates, latents, prior).isfinite().all()


def test_the_latent_of_a_place_among_saturated_ones_is_finite() -> None:
    latents = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    found = latent_at(torch.zeros(2), torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), latents, "uniform")
    torch.testing.assert_close(found, torch.tensor([1.0, 0.0]))


def test_maps_survive_the_disk(projection: Projection, tmp_path: Path) -> None:
    save_projection(projection, tmp_path)
    loaded = load_projection(tmp_path)
    assert loaded is not None
    assert loaded.ids == projection.ids and loaded.weights_sha256 == "5ha"
    for space in SPACES:
        before, after = vars(projection.maps[space]).copy(), vars(loaded.maps[space]).copy()
        assert torch.equal(before.pop("coordinates"), after.pop("coordinates"))
        assert before == after


def test_a_folder_without_maps_has_none(tmp_path: Path) -> None:
    assert load_projection(tmp_path) is None


def test_broken_maps_say_so(projection: Projection, tmp_path: Path) -> None:
    save_projection(projection, tmp_path)
    path = tmp_path / "projection.npz"
    good = dict(np.load(path))
    facts: dict[str, Any] = json.loads(good["facts"][0])

    def told(text: str) -> dict[str, np.ndarray]:
        return good | {"facts": np.array([text])}

    broken: list[dict[str, np.ndarray]] = [
        good | {"coordinates_latent": good["coordinates_latent"][:3]},
        good | {"coordinates_latent": np.zeros((4, 3), np.float32)},
        good | {"coordinates_latent": np.full((4, 2), np.nan, np.float32)},
        {name: array for name, array in good.items() if name != "coordinates_pixels"},
        told("not JSON"),
        told("[]"),
        told("[" * 100_000),
        told(json.dumps({"pixels": facts["pixels"]})),
        told(json.dumps(facts | {"latent": facts["latent"] | {"trustworthiness": 1.5}})),
        told(json.dumps(facts | {"latent": facts["latent"] | {"trustworthiness": float("nan")}})),
        told(json.dumps(facts | {"latent": facts["latent"] | {"trustworthiness": None}})),
        told(json.dumps(facts | {"latent": facts["latent"] | {"trustworthiness": 10**400}})),
        told(json.dumps({name: fact for name, fact in facts.items() if name != "weights_sha256"})),
        told(json.dumps(facts | {"latent": facts["latent"] | {"parameters": 3}})),
    ]
    for arrays in broken:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match=r"projection\.npz"):
            load_projection(tmp_path)
