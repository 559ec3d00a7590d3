"""The nearest gallery images by features."""

import numpy as np
import pytest
import torch

from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.explore.gallery import Gallery
from bigan.explore.neighbours import Neighbour, distances_to, nearest_few, nearest_images


def gallery_of(num_images: int) -> Gallery:
    ids = tuple(f"id-{i}" for i in range(num_images))
    return Gallery(
        torch.zeros(num_images, 1, 2, 2, dtype=torch.uint8), torch.arange(num_images) % 3, ids, ("a", "b", "c"), ""
    )


def test_neighbours_are_those_of_a_naive_search() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, references = torch.rand(4, 20, generator=generator), torch.rand(50, 20, generator=generator)
    found = nearest_images(queries, references, gallery_of(50), num_neighbours=7)
    for query, neighbours in zip(queries.double().numpy(), found, strict=True):
        distances = np.sqrt(((references.double().numpy() - query) ** 2).sum(1))
        nearest = np.argsort(distances, kind="stable")[:7]
        assert [n.index for n in neighbours] == nearest.tolist()
        assert [n.id for n in neighbours] == [f"id-{i}" for i in nearest]
        assert [n.label for n in neighbours] == (nearest % 3).tolist()
        np.testing.assert_allclose([n.distance for n in neighbours], distances[nearest], rtol=1e-5)


def test_both_searches_agree() -> None:
    generator = torch.Generator().manual_seed(1)
    queries, references = torch.rand(9, 30, generator=generator), torch.rand(200, 30, generator=generator)
    (few_distances, few), (distances, indices) = (f(queries, references, 6) for f in (nearest_few, nearest_neighbours))
    assert torch.equal(few, indices)
    torch.testing.assert_close(few_distances, distances)


def test_equal_points_are_at_zero_and_ties_go_to_the_lowest_index() -> None:
    references = torch.tensor([[3.0, 4.0], [0.0, 0.0], [0.0, 0.0], [4.0, 3.0]])
    (neighbours,) = nearest_images(torch.zeros(1, 2), references, gallery_of(4))
    assert neighbours == (
        Neighbour("id-1", 1, 1, 0.0),
        Neighbour("id-2", 2, 2, 0.0),
        Neighbour("id-0", 0, 0, 5.0),
        Neighbour("id-3", 0, 3, 5.0),
    )


def test_no_queries_have_no_neighbours() -> None:
    assert nearest_images(torch.zeros(0, 2), torch.zeros(3, 2), gallery_of(3)) == ()


def test_pixels_of_a_gallery_are_compared_as_floats_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.randint(256, (50, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    images[40] = images[3]
    monkeypatch.setattr("bigan.explore.neighbours.BLOCK_VALUES", 100)  # 8 images
    x = images.double() / 255
    found = distances_to(images[:2].float() / 255, images)
    torch.testing.assert_close(found.double(), (x[:2, None] - x).norm(dim=2), rtol=1e-5, atol=1e-6)
    assert found[0, 0] == found[1, 1] == 0
    assert torch.equal(found[:, 40], found[:, 3])
