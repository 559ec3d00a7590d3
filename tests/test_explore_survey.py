"""What is counted over many images, against naive counting."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from bigan import checkpoint
from bigan.data import scale
from bigan.explore.gallery import load_gallery
from bigan.explore.reconstruction import GalleryIndex, index_gallery
from bigan.explore.survey import Opinions, class_distances, opinions, some_rows, survival
from bigan.models.bigan import BiGAN


@pytest.fixture(scope="module")
def index(mapped_checkpoint: Path) -> GalleryIndex:
    gallery = load_gallery(mapped_checkpoint)
    assert gallery is not None
    return index_gallery(checkpoint.load(mapped_checkpoint), gallery)


def test_some_rows_are_different_rows_and_the_same_for_a_seed() -> None:
    rows = some_rows(50, 20, seed=1)
    assert len(set(rows.tolist())) == 20
    assert torch.equal(rows, some_rows(50, 20, seed=1))
    assert sorted(some_rows(5, 20, seed=1).tolist()) == list(range(5))


def test_opinions_are_those_of_each_pair_by_itself(tiny_model: BiGAN, index: GalleryIndex) -> None:
    images = index.gallery.images[:6]
    found = opinions(tiny_model, images, seed=4)
    z = tiny_model.sample_latents(6, 4)
    for i in range(6):
        x, after = scale(images[i : i + 1]), scale(images[(i + 1) % 6][None])
        asked = (
            (x, tiny_model.encode(x)),
            (x, tiny_model.encode(after)),
            (tiny_model.generate(z[i : i + 1]), z[i : i + 1]),
        )
        logits = [tiny_model.score(*pair).item() for pair in asked]
        kinds = found.encoder_pairs, found.strange_pairs, found.generator_pairs
        assert [values[i].item() for values in kinds] == pytest.approx(logits, abs=1e-4)


def test_the_bound_is_log_two_for_a_discriminator_that_is_always_right_and_zero_for_one_that_guesses() -> None:
    sure, undecided = torch.full((4,), 50.0), torch.zeros(4)
    assert Opinions(sure, sure, -sure).divergence_bound == pytest.approx(math.log(2))
    assert Opinions(undecided, undecided, undecided).loss == pytest.approx(math.log(2))
    assert Opinions(-sure, sure, sure).divergence_bound == 0


def test_survival_counts_as_naive_search_does(tiny_model: BiGAN, index: GalleryIndex) -> None:
    rows = some_rows(len(index.gallery), 25, seed=2)
    found = survival(tiny_model, index, rows)
    labels = index.gallery.labels.tolist()
    pixels = index.pixels.numpy().astype(float) / 255
    made = index.reconstructions.flatten(1).numpy().astype(float) / 255
    features = index.features.double().numpy()
    made_features = tiny_model.features(scale(index.reconstructions)).double().numpy()

    def named(queries: np.ndarray, references: np.ndarray) -> float:
        right = 0
        for row in rows.tolist():
            order = np.linalg.norm(references - queries[row], axis=1).argsort(kind="stable")
            votes = Counter(labels[i] for i in [i for i in order if i != row][:5])
            right += min(votes, key=lambda label: (-votes[label], label)) == labels[row]
        return right / len(rows)

    nearest = [int(np.linalg.norm(pixels - made[row], axis=1).argmin()) == row for row in rows.tolist()]
    assert found.num_images == 25
    assert found.seen_before == pytest.approx(named(features, features))
    assert found.seen_after == pytest.approx(named(made_features, features))
    assert found.pixels_before == pytest.approx(named(pixels, pixels)) == 1, "the classes are squares in ten places"
    assert found.pixels_after == pytest.approx(named(made, pixels))
    assert found.nearest_is_itself == pytest.approx(sum(nearest) / 25)


def test_class_distances_are_those_of_the_means_and_their_order_agrees_with_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0, 0, 2, 2, 5, 5, 7, 7])
    points = torch.rand(8, 3, generator=generator)
    found = class_distances(points, points[:, :2], labels)
    assert found.pairs == ((0, 2), (0, 5), (0, 7), (2, 5), (2, 7), (5, 7))
    for (a, b), in_space, on_map in zip(found.pairs, found.in_space, found.on_map, strict=True):
        difference = points[labels == a].mean(0) - points[labels == b].mean(0)
        assert in_space.item() == pytest.approx(difference.norm().item())
        assert on_map.item() == pytest.approx(difference[:2].norm().item())
    flat = torch.cat([points[:, :2], torch.zeros(8, 1)], dim=1)
    assert class_distances(flat, points[:, :2], labels).rank_agreement == pytest.approx(1)
    with pytest.raises(ValueError, match="There are 2 classes"):
        class_distances(points, points[:, :2], labels % 2)


def test_rank_agreement_is_spearmans() -> None:
    line = torch.tensor([[0.0], [1.0], [3.0]])  # distances 1, 3, 2
    plane = torch.tensor([[0.0, 0.0], [3.0, 0.0], [4.0, 0.0]])  # distances 3, 4, 1
    # ranks 1 3 2 and 2 3 1: 1 - 6 (1 + 0 + 1) / (3 (9 - 1))
    assert class_distances(line, plane, torch.arange(3)).rank_agreement == pytest.approx(0.5)
