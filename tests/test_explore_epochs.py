"""Maps of E(x) through the epochs of a training."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from bigan.config import Prior
from bigan.explore.epochs import map_epochs
from bigan.explore.gallery import Gallery, load_gallery
from bigan.explore.projection import label_accuracy
from bigan.latent import sample
from bigan.records import Replay, read_replay

NUM, LATENT_DIM = 60, 6
CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"


def gallery() -> Gallery:
    ids = tuple(f"id-{i}" for i in range(NUM))
    return Gallery(torch.zeros(NUM, 1, 2, 2, dtype=torch.uint8), torch.arange(NUM) % 3, ids, tuple("abc"), "none")


def replay_of(latents: np.ndarray, ids: tuple[str, ...]) -> Replay:
    num = len(latents)
    pictures = np.zeros((num, 1, 1, 2, 2), np.uint8)
    return Replay(np.arange(num) * 10, pictures, pictures[0], pictures, latents.astype(np.float16), ids)


@pytest.fixture
def latents() -> np.ndarray:
    """Noise at first, three kinds at last."""
    generator = np.random.default_rng(0)
    noise, kinds = generator.normal(size=(5, NUM, LATENT_DIM)), 6 * generator.normal(size=(3, LATENT_DIM))
    return np.stack([0.3 * noise[t] + t / 4 * kinds[np.arange(NUM) % 3] for t in range(5)])


def naive_view(z: np.ndarray) -> tuple[np.ndarray, float]:
    centred = z - z.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    return u[:, :2] * s[:2], float((s[:2] ** 2).sum() / (s**2).sum())


def test_each_map_is_the_first_two_principal_components_turned_or_mirrored(latents: np.ndarray) -> None:
    found = map_epochs(replay_of(latents, gallery().ids), gallery(), "uniform")
    assert found.epochs == (0, 10, 20, 30, 40)
    assert found.ids == gallery().ids
    for t in range(5):
        expected, explained = naive_view(latents[t].astype(np.float16).astype(np.float64))
        assert found.explained[t] == pytest.approx(explained, rel=1e-4)
        # turning and mirroring keep all distances, and nothing else does
        ours, theirs = (
            torch.cdist(torch.as_tensor(p).double(), torch.as_tensor(p).double())
            for p in (found.coordinates[t], expected)
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    for axis in range(2):  # the last is not turned at all
        last = found.coordinates[-1].double().numpy()
        assert abs(last[:, axis] @ expected[:, axis]) == pytest.approx(expected[:, axis] @ expected[:, axis], rel=1e-3)


def test_no_turn_or_mirror_brings_a_map_nearer_to_the_next(latents: np.ndarray) -> None:
    coordinates = map_epochs(replay_of(latents, gallery().ids), gallery(), "uniform").coordinates.double().numpy()
    for view, after in pairwise(coordinates):
        distance = ((view - after) ** 2).sum()
        for angle in np.linspace(0, 2 * np.pi, 721):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            for mirror in (np.eye(2), np.diag([1, -1])):
                assert ((view @ mirror @ turn - after) ** 2).sum() >= distance - 1e-3


def test_turning_the_latent_space_of_an_epoch_changes_no_map_but_the_last(latents: np.ndarray) -> None:
    turned = latents.copy()
    turned[:4] = turned[:4] @ np.linalg.qr(np.random.default_rng(1).normal(size=(LATENT_DIM, LATENT_DIM)))[0]
    first, second = (
        map_epochs(replay_of(z, gallery().ids), gallery(), "normal").coordinates for z in (latents, turned)
    )
    torch.testing.assert_close(first, second, rtol=0, atol=0.02)  # of float16


def test_labels_that_come_apart_are_measured_by_all_components(latents: np.ndarray) -> None:
    found = map_epochs(replay_of(latents, gallery().ids), gallery(), "normal")
    labels = torch.arange(NUM) % 3
    for t in range(5):
        z = torch.from_numpy(latents[t].astype(np.float16)).float()
        assert found.label_accuracies[t] == pytest.approx(label_accuracy(z, labels))
    assert found.label_accuracies[0] < 0.6
    assert found.label_accuracies[-1] == 1


@pytest.mark.parametrize("prior", ["uniform", "normal"])
def test_latents_as_long_as_draws_from_the_prior_are_at_one(prior: Prior) -> None:
    z = sample(prior, (NUM, 500), seed=0).numpy()
    found = map_epochs(replay_of(np.stack([z, 2 * z]), gallery().ids), gallery(), prior)
    np.testing.assert_allclose(found.relative_norms, [1, 2], rtol=0.02)


def test_a_part_of_the_gallery_in_any_order_takes_its_own_labels(latents: np.ndarray) -> None:
    rows = [7, 1, 0, 4, 3, 8, 6, 9, 12, 2]
    ids = tuple(f"id-{i}" for i in rows)
    found = map_epochs(replay_of(latents[:, rows], ids), gallery(), "uniform")
    expected = label_accuracy(torch.from_numpy(latents[-1, rows].astype(np.float16)).float(), torch.tensor(rows) % 3, 9)
    assert found.label_accuracies[-1] == pytest.approx(expected)


def test_one_component_and_a_dead_encoder_give_finite_maps(latents: np.ndarray) -> None:
    one = map_epochs(replay_of(latents[:, :, :1], gallery().ids), gallery(), "uniform")
    assert one.coordinates.isfinite().all() and one.coordinates[..., 1].abs().max() < 1e-6
    torch.testing.assert_close(one.explained, torch.ones(5))
    dead = map_epochs(replay_of(np.ones_like(latents), gallery().ids), gallery(), "uniform")
    assert not dead.coordinates.any()


def test_a_replay_of_another_gallery_or_of_one_image_is_refused(latents: np.ndarray) -> None:
    with pytest.raises(ValueError, match="'elsewhere'"):
        map_epochs(replay_of(latents[:, :2], ("id-1", "elsewhere")), gallery(), "uniform")
    with pytest.raises(ValueError, match="The replay has 1 gallery images; maps of its epochs need at least 2"):
        map_epochs(replay_of(latents[:, :1], ("id-1",)), gallery(), "uniform")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_in_the_shipped_trainings_the_latents_come_to_fill_the_prior_and_their_labels_stay_as_mixed(name: str) -> None:
    replay, shown = read_replay(CHECKPOINTS / name), load_gallery(CHECKPOINTS / name)
    assert replay is not None and shown is not None
    few = [0, 1, len(replay.epochs) - 1]
    found = map_epochs(
        Replay(replay.epochs[few], replay.generated[few], replay.originals, replay.reconstructed[few],
               replay.latents[few], replay.ids), shown, "uniform",
    )  # fmt: skip
    assert found.coordinates.shape == (3, 1000, 2)
    untrained, after_one, trained = found.relative_norms.tolist()
    assert untrained < 0.5 and after_one > 1.2 and 0.75 < trained < 1.25
    untrained, after_one, trained = found.label_accuracies.tolist()
    # an untrained E keeps neighbours in pixels: what one epoch mixes, training sorts again, and no more than that
    assert after_one < trained < untrained + 0.03
