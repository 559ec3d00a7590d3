"""The gallery: real images, labels and ids beside a checkpoint."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bigan.data import Dataset
from bigan.explore.gallery import (
    Gallery,
    gallery_from_dataset,
    gallery_from_digit_sheet,
    load_gallery,
    save_gallery,
)
from bigan.files import CheckpointError


@pytest.fixture
def gallery() -> Gallery:
    images = torch.randint(256, (6, 1, 4, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    return Gallery(images, labels, tuple(f"id-{i}" for i in range(6)), ("a", "b", "ć"), "made on the spot")


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (1000, 2000), dtype=np.uint8)


def test_a_gallery_survives_the_disk(gallery: Gallery, tmp_path: Path) -> None:
    save_gallery(gallery, tmp_path)
    loaded = load_gallery(tmp_path)
    assert loaded is not None
    assert torch.equal(loaded.images, gallery.images)
    assert torch.equal(loaded.labels, gallery.labels)
    assert (loaded.ids, loaded.class_names, loaded.source) == (gallery.ids, gallery.class_names, gallery.source)
    assert [path.name for path in tmp_path.iterdir()] == ["gallery.npz"]


def test_the_same_gallery_gives_the_same_bytes(gallery: Gallery, tmp_path: Path) -> None:
    save_gallery(gallery, tmp_path)
    first = (tmp_path / "gallery.npz").read_bytes()
    save_gallery(gallery, tmp_path)
    assert (tmp_path / "gallery.npz").read_bytes() == first


def test_a_folder_without_a_gallery_has_none(tmp_path: Path) -> None:
    assert load_gallery(tmp_path) is None


def test_an_image_is_found_by_its_id(gallery: Gallery) -> None:
    assert gallery.index_of("id-4") == 4
    with pytest.raises(ValueError, match=r"'id-6'.*id-0 to id-5"):
        gallery.index_of("id-6")


def test_images_are_found_by_their_ids_in_the_order_of_the_ids(gallery: Gallery) -> None:
    assert gallery.indices_of(("id-4", "id-0", "id-4")).tolist() == [4, 0, 4]
    assert gallery.indices_of([]).tolist() == []
    with pytest.raises(ValueError, match=r"'id-6'.*id-0 to id-5"):
        gallery.indices_of(("id-1", "id-6", "id-7"))


def test_a_broken_gallery_file_says_so(gallery: Gallery, tmp_path: Path) -> None:
    save_gallery(gallery, tmp_path)
    path = tmp_path / "gallery.npz"
    whole = path.read_bytes()
    pickled = np.array([{"a": 1}], dtype=object)
    good = dict(np.load(path))
    broken: list[dict[str, np.ndarray]] = [
        good | {"ids": pickled},
        good | {"images": good["images"].astype(np.float32)},
        good | {"images": good["images"][:, 0]},
        good | {"labels": good["labels"].astype(np.float64)},
        good | {"labels": good["labels"] + 5},
        good | {"ids": good["ids"][:3]},
        good | {"ids": good["ids"][[0, 0, 0, 0, 0, 0]]},
        good | {"ids": np.arange(6)},
        good | {"images": good["images"][:0], "labels": good["labels"][:0], "ids": good["ids"][:0]},
        {name: array for name, array in good.items() if name != "source"},
    ]
    for arrays in broken:
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match=r"gallery\.npz"):
            load_gallery(tmp_path)
    for content in (b"", b"PK not a zip", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"gallery\.npz"):
            load_gallery(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ids": ("a",)}, "as many labels and ids"),
        ({"ids": ("a",) * 6}, "differ"),
        ({"labels": torch.tensor([0, 1, 2, 3, 0, 0])}, "0 to 2; got 0 to 3"),
        ({"labels": torch.tensor([0, 1, 2, -1, 0, 0])}, "got -1 to 2"),
    ],
)
def test_a_gallery_holds_its_columns_together(gallery: Gallery, change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        replace(gallery, **change)  # type: ignore[arg-type]


def test_the_digit_sheet_is_read_row_by_row(sheet: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(sheet).save(tmp_path / "digits.png")
    gallery = gallery_from_digit_sheet(tmp_path / "digits.png")
    assert gallery.images.shape == (5000, 1, 28, 28)
    assert (gallery.ids[0], gallery.ids[-1]) == ("opencv-0000", "opencv-4999")
    assert gallery.labels.tolist() == [row // 5 for row in range(50) for _ in range(100)]
    for row, column in [(0, 0), (7, 42), (49, 99)]:
        tile = sheet[row * 20 : row * 20 + 20, column * 20 : column * 20 + 20]
        enlarged = Image.fromarray(tile).resize((28, 28), Image.Resampling.LANCZOS)
        assert np.array_equal(gallery.images[row * 100 + column, 0].numpy(), np.asarray(enlarged))


def test_flat_tiles_stay_flat_beside_bright_neighbours(tmp_path: Path) -> None:
    checkers = np.kron(np.indices((50, 100)).sum(axis=0) % 2 * 255, np.ones((20, 20))).astype(np.uint8)
    Image.fromarray(checkers).save(tmp_path / "digits.png")
    images = gallery_from_digit_sheet(tmp_path / "digits.png").images
    assert images.amin((1, 2, 3)).equal(images.amax((1, 2, 3)))


def test_a_sheet_of_another_size_is_refused(tmp_path: Path) -> None:
    Image.new("L", (100, 50)).save(tmp_path / "digits.png")
    with pytest.raises(ValueError, match="100 x 50 pixels; the digit sheet is 2000 x 1000"):
        gallery_from_digit_sheet(tmp_path / "digits.png")


def test_a_data_set_gives_the_first_images_of_each_class() -> None:
    labels = torch.tensor([2, 2, 2, 0, 1, 1, 0, 1, 0, 2])
    images = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
    dataset = Dataset("fashion-mnist", images, labels, ("a", "b", "c"))
    gallery = gallery_from_dataset(dataset, num_images=6)
    assert gallery.images.flatten().tolist() == [0, 1, 3, 4, 5, 6]
    assert gallery.labels.tolist() == [2, 2, 0, 1, 1, 0]
    assert gallery.ids[:2] == ("fashion-mnist-test-00000", "fashion-mnist-test-00001")
    assert gallery.source.startswith("Fashion-MNIST, 6 test images (")
    with pytest.raises(ValueError, match="num_images is 2; it must be at least 3"):
        gallery_from_dataset(dataset, num_images=2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bag", ("shop-2", "shop-3")),
        (" t-SHIRT ", ("shop-0", "3")),
        ("ba", ("shop-2", "shop-3", "shop-4")),
        ("3", ("3",)),
        ("SHOP-4", ("shop-4",)),
        ("hop", ("shop-0", "shop-2", "shop-3", "shop-4")),
        ("", ()),
        ("boot", ()),
    ],
)
def test_images_are_found_by_label_or_id(text: str, found: tuple[str, ...]) -> None:
    images = torch.zeros(5, 1, 2, 2, dtype=torch.uint8)
    ids = ("shop-0", "3", "shop-2", "shop-3", "shop-4")
    gallery = Gallery(images, torch.tensor([0, 0, 1, 1, 2]), ids, ("T-shirt", "Bag", "Bagel"), "made here")
    assert gallery.find(text) == found
