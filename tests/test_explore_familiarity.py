"""Whether a picture is like anything in a gallery, against loops in float64."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bigan.explore.familiarity import familiarities, known_images
from bigan.explore.gallery import Gallery, load_gallery

CHECKPOINTS = Path(__file__).parent.parent / "checkpoints"
NUM_IMAGES = 30


def made(shape: tuple[int, int, int]) -> Gallery:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (NUM_IMAGES, *shape), generator=generator, dtype=torch.uint8)
    return Gallery(images, torch.arange(NUM_IMAGES) % 3, tuple(f"id-{i}" for i in range(NUM_IMAGES)), tuple("abc"), "")


def naive_distance(a: Tensor, b: Tensor) -> float:
    """The root mean square, over squares of 1, 2, 4 and 8 pixels, of the distances between pictures blurred so."""
    difference, squares = (a.double() - b.double()).numpy(), 0.0
    channels, height, width = difference.shape
    for side in (1, 2, 4, 8):
        for c in range(channels):
            for top in range(0, height, side):
                for left in range(0, width, side):
                    squares += side**2 * difference[c, top : top + side, left : left + side].mean() ** 2
    return math.sqrt(squares / 4)


def test_distances_are_those_of_loops() -> None:
    gallery, xs = made((3, 16, 8)), torch.rand(4, 3, 16, 8, generator=torch.Generator().manual_seed(1))
    for x, found in zip(xs, familiarities(xs, replace(known_images(gallery), limit=1.0)), strict=True):
        distances = [naive_distance(x, image / 255) for image in gallery.images]
        nearest = int(np.argmin(distances))
        assert found.distance == pytest.approx(distances[nearest], rel=1e-5)
        assert found.nearest.index == nearest and found.nearest.id == f"id-{nearest}"
        assert found.nearest.label == nearest % 3 and found.nearest.distance == found.distance
        assert found.limit == 1.0 and found.is_foreign
        assert not replace(found, limit=found.distance).is_foreign


def test_the_limit_is_the_99th_percentile_of_leaving_one_out() -> None:
    gallery = made((1, 8, 8))
    images = gallery.images
    among = np.array([[naive_distance(a / 255, b / 255) for b in images] for a in images])
    np.fill_diagonal(among, np.inf)
    assert known_images(gallery).limit == pytest.approx(np.quantile(among.min(1), 0.99), rel=1e-5)
    lone = Gallery(images[:1], gallery.labels[:1], gallery.ids[:1], gallery.class_names, "")
    assert known_images(lone).limit == math.inf


def test_an_even_change_is_as_far_at_every_sharpness() -> None:
    gallery = replace(made((1, 28, 28)), images=torch.zeros(NUM_IMAGES, 1, 28, 28, dtype=torch.uint8))
    (found,) = familiarities(torch.full((1, 1, 28, 28), 0.5), known_images(gallery))
    # 28 is not a multiple of 8: the last of the four columns of squares holds 4 pixels and counts as 8, so 32 for 28
    assert found.distance == pytest.approx(0.5 * math.sqrt((3 * 28**2 + 32**2) / 4))
    assert found.nearest.index == 0  # of equals the first


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 5), (3, 28, 28)])
def test_pictures_of_any_size_are_compared(shape: tuple[int, int, int]) -> None:
    gallery = made(shape)
    found = familiarities(gallery.images / 255, known_images(gallery))
    assert all(one.distance == 0 and not one.is_foreign for one in found)


@pytest.mark.parametrize(("name", "other"), [("mnist", "fashion-mnist"), ("fashion-mnist", "mnist")])
def test_the_shipped_galleries_tell_their_own_from_others(name: str, other: str) -> None:
    gallery, others = load_gallery(CHECKPOINTS / name), load_gallery(CHECKPOINTS / other)
    assert gallery is not None and others is not None
    held_out = torch.arange(len(gallery)) % 10 == 0
    kept = replace(
        gallery,
        images=gallery.images[~held_out],
        labels=gallery.labels[~held_out],
        ids=tuple(one for i, one in enumerate(gallery.ids) if i % 10),
    )
    known = known_images(kept)

    def share_foreign(x: Tensor) -> float:
        return sum(one.is_foreign for one in familiarities(x, known)) / len(x)

    generator = torch.Generator().manual_seed(0)
    assert share_foreign(gallery.images[held_out][::5] / 255) <= 0.04
    assert share_foreign(others.images[::50] / 255) >= (0.8 if name == "mnist" else 0.25)
    assert share_foreign(torch.rand(30, 1, 28, 28, generator=generator)) == 1
    assert share_foreign((torch.rand(30, 1, 28, 28, generator=generator) < 0.15).float()) == 1
    assert share_foreign(1 - gallery.images[::250] / 255) == 1
