"""Data sets by name: where they are looked for, what is refused and how, and the two protocols."""

import dataclasses
import gzip
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from bigan import data
from bigan.data import DATASETS, DataError, hold_out, load, load_protocol, scale, to_uint8

NUM_TRAIN, NUM_TEST = 24, 6


def idx_bytes(values: np.ndarray) -> bytes:
    """LeCun's idx format: two zero bytes, 8 for unsigned bytes, the number of dimensions, the sizes, the values."""
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes() + values.astype(np.uint8).tobytes()


def pixels(seed: int, num_images: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (num_images, 28, 28), dtype=np.uint8)


def labels(num_images: int) -> np.ndarray:
    return (np.arange(num_images) * 7 % 10).astype(np.uint8)


def write_idx(folder: Path, seed: int = 0, gzipped: bool = False) -> Path:
    """The four idx files of a small data set, whose pixels tell the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for offset, (begin, count) in enumerate([("train", NUM_TRAIN), ("t10k", NUM_TEST)]):
        images = pixels(2 * seed + offset, count)
        for ending, values in [("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels(count))]:
            content = idx_bytes(values)
            path = folder / f"{begin}-{ending}{'.gz' if gzipped else ''}"
            path.write_bytes(gzip.compress(content) if gzipped else content)
    return folder


def has_seed(dataset: data.Dataset, seed: int) -> bool:
    return np.array_equal(dataset.images[:, 0].numpy(), pixels(2 * seed, NUM_TRAIN))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it, no $BIGAN_DATA, and nothing installed by the system."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BIGAN_DATA", raising=False)
    installed = dataclasses.replace(DATASETS["fashion-mnist"], debian_folder=str(tmp_path / "installed"))
    monkeypatch.setitem(data.DATASETS, "fashion-mnist", installed)
    return tmp_path / "home"


def refusal(*arguments: object, **options: object) -> str:
    """The message of the DataError, which must be one sentence."""
    with pytest.raises(DataError) as refused:
        load(*arguments, **options)  # type: ignore[arg-type]
    message = str(refused.value)
    assert re.fullmatch(r"[^\n]*[^\n.]\.", message)
    return message


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("layout", ["MNIST/raw", "mnist", "."])
def test_idx_files_are_read_raw_and_gzipped_in_every_layout(tmp_path: Path, layout: str, gzipped: bool) -> None:
    write_idx(tmp_path / layout, gzipped=gzipped)
    for part, offset, count in [("train", 0, NUM_TRAIN), ("test", 1, NUM_TEST)]:
        dataset = load("mnist", part, tmp_path)  # type: ignore[arg-type]
        assert dataset.images.shape == (count, 1, 28, 28) and dataset.images.dtype == torch.uint8
        assert np.array_equal(dataset.images[:, 0].numpy(), pixels(offset, count))
        assert dataset.labels.dtype == torch.int64 and dataset.labels.tolist() == labels(count).tolist()
        assert (len(dataset), dataset.name, dataset.class_names) == (count, "mnist", tuple("0123456789"))


def test_a_raw_file_is_preferred_to_the_gzipped_one_beside_it(tmp_path: Path) -> None:
    write_idx(tmp_path, seed=1, gzipped=True)
    write_idx(tmp_path, seed=2)
    assert has_seed(load("mnist", "train", tmp_path), 2)


def test_the_folder_given_comes_before_the_variable_and_that_before_the_cache(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named, cache = tmp_path / "given", tmp_path / "named", home / ".cache/bigan/data"
    write_idx(cache / "MNIST/raw", seed=3)
    assert has_seed(load("mnist", "train"), 3)
    monkeypatch.setenv("BIGAN_DATA", str(named))
    assert has_seed(load("mnist", "train"), 3), "an empty place does not stop the search"
    write_idx(named / "mnist", seed=2)
    assert has_seed(load("mnist", "train"), 2)
    assert has_seed(load("mnist", "train", given), 2)
    write_idx(given, seed=1)
    assert has_seed(load("mnist", "train", given), 1)
    assert has_seed(load("mnist", "train"), 2)


def test_fashion_mnist_is_found_where_the_system_installs_it_and_last(tmp_path: Path) -> None:
    write_idx(tmp_path / "installed", seed=1, gzipped=True)
    dataset = load("fashion-mnist", "train", tmp_path / "given")
    assert has_seed(dataset, 1) and dataset.class_names[9] == "ankle boot"
    write_idx(tmp_path / "given" / "FashionMNIST/raw", seed=2)
    assert has_seed(load("fashion-mnist", "train", tmp_path / "given"), 2)


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_bare_idx_files_are_not_taken_for_another_data_set_than_mnist(tmp_path: Path, name: str) -> None:
    write_idx(tmp_path)
    assert "was not found" in refusal(name, "train", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist"])
def test_nothing_found_names_the_places_and_the_two_ways_out(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BIGAN_DATA", str(tmp_path / "named"))
    message = refusal(name, "train", tmp_path / "given")
    assert message.startswith(f"{DATASETS[name].title} was not found in ")
    for place in (tmp_path / "given", tmp_path / "named", home / ".cache/bigan/data"):
        assert str(place) in message
    assert "--data" in message and "--download" in message
    is_fashion = name == "fashion-mnist"
    assert (str(tmp_path / "installed") in message) == ("dataset-fashion-mnist" in message) == is_fashion


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
WHOLE = idx_bytes(pixels(0, NUM_TRAIN))
BROKEN: dict[str, tuple[str, bytes | None, str]] = {
    "empty": (IMAGES, b"", "not a complete idx file of 3 dimensions"),
    "header cut off": (IMAGES, WHOLE[:9], "not a complete idx file"),
    "pixels cut off": (IMAGES, WHOLE[:-1], "not a complete idx file"),
    "more pixels than announced": (IMAGES, WHOLE + b"\0", "not a complete idx file"),
    "magic number of labels": (IMAGES, idx_bytes(labels(NUM_TRAIN)), "not a complete idx file of 3 dimensions"),
    "floats instead of bytes": (IMAGES, b"\0\0\x0d\x03" + WHOLE[4:], "not a complete idx file"),
    "a web page": (IMAGES, b"<html>404 Not Found</html>", "not a complete idx file"),
    "fewer labels than images": (LABELS, idx_bytes(labels(NUM_TRAIN - 1)), "do not belong to its images"),
    "a label without a class": (LABELS, idx_bytes(labels(NUM_TRAIN) + 1), "do not belong to its images"),
    "labels missing": (LABELS, None, "cannot be read"),
    "not gzip": (IMAGES + ".gz", WHOLE, "cannot be read"),
    "gzip cut off": (IMAGES + ".gz", gzip.compress(WHOLE)[:-20], "cannot be read"),
    "gzip damaged": (IMAGES + ".gz", gzip.compress(WHOLE)[:10] + b"\xff" * 5000, "cannot be read"),
    "gzip checksum": (IMAGES + ".gz", gzip.compress(WHOLE)[:-8] + bytes(8), "cannot be read"),
}


@pytest.mark.parametrize(("name", "content", "problem"), BROKEN.values(), ids=BROKEN)
def test_a_broken_idx_file_is_named_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, problem: str
) -> None:
    write_idx(tmp_path)
    (tmp_path / name.removesuffix(".gz")).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    message = refusal("mnist", "train", tmp_path)
    assert problem in message and str(tmp_path) in message


def test_idx_files_without_any_image_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / IMAGES).write_bytes(idx_bytes(np.empty((0, 28, 28))))
    (tmp_path / LABELS).write_bytes(idx_bytes(np.empty(0)))
    assert str(tmp_path) in refusal("mnist", "train", tmp_path)


def test_pixels_are_scaled_to_zero_to_one() -> None:
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    x = scale(images)
    assert x.dtype == torch.float32 and x.min() == 0 and x.max() == 1
    assert torch.equal(to_uint8(x), images)


def test_every_nth_image_is_held_out_and_keeps_its_label() -> None:
    images = torch.arange(11, dtype=torch.uint8).view(11, 1, 1, 1)
    kept, held_out = hold_out(data.Dataset("counted", images, torch.arange(11), tuple("abcdefghijk")), every=5)
    assert held_out.labels.tolist() == held_out.images.flatten().tolist() == [4, 9]
    assert kept.labels.tolist() == kept.images.flatten().tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 10]


def write_images(folder: Path, counts: dict[str, int]) -> Path:
    """Each class in one colour: uniform pictures of various sizes, kinds and formats."""
    colours = [(0, 0, 0), (255, 255, 255), (200, 30, 60)]
    sizes = [(12, 12), (40, 40), (7, 20), (64, 10)]
    for (name, count), colour in zip(counts.items(), colours, strict=False):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            picture = Image.new("RGB", sizes[i % len(sizes)], colour)
            picture = picture.convert("L") if i % 2 and len(set(colour)) == 1 else picture
            picture.save(folder / name / f"{i:03d}{['.png', '.BMP', '.tiff'][i % 3]}")
    return folder


def colour_of(dataset: data.Dataset, index: int) -> list[int]:
    """The one colour that the whole image has, also where it was padded."""
    (colour,) = dataset.images[index].flatten(1).T.unique(dim=0)
    return colour.tolist()


def test_a_folder_of_images_is_brought_to_the_models_shape(tmp_path: Path) -> None:
    write_images(tmp_path / "flags/train", {"black": 4, "white": 5, "red": 3})
    (tmp_path / "flags/train/black/notes.txt").write_text("not an image")
    (tmp_path / "flags/train/notes.txt").write_text("not a class")
    dataset = load("flags", "train", tmp_path, image_shape=(3, 12, 10))
    assert dataset.images.shape == (12, 3, 12, 10) and dataset.images.dtype == torch.uint8
    assert dataset.class_names == ("black", "red", "white")
    assert dataset.labels.tolist() == [0] * 4 + [1] * 3 + [2] * 5
    colours = [[0, 0, 0], [200, 30, 60], [255, 255, 255]]
    assert [colour_of(dataset, i) for i in range(12)] == [colours[label] for label in dataset.labels.tolist()]
    grey = load("flags", "train", tmp_path, image_shape=(1, 5, 9))
    assert grey.images.shape == (12, 1, 5, 9) and colour_of(grey, 11) == [255]


def test_an_image_of_the_right_shape_keeps_its_pixels(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    (tmp_path / "noise/train/only").mkdir(parents=True)
    Image.fromarray(picture).save(tmp_path / "noise/train/only/0.png")
    dataset = load("noise", "train", tmp_path, image_shape=(3, 9, 6))
    assert np.array_equal(dataset.images[0].permute(1, 2, 0).numpy(), picture)


@pytest.mark.parametrize("held_out", ["test", "val"])
def test_the_held_out_images_of_a_folder_may_be_called_test_or_val(tmp_path: Path, held_out: str) -> None:
    write_images(tmp_path / "flags/train", {"black": 4, "white": 5})
    write_images(tmp_path / "flags" / held_out, {"black": 2, "white": 1})
    training, testing = load_protocol("flags", "test", tmp_path, image_shape=(1, 4, 4))
    assert (training.labels.tolist(), testing.labels.tolist()) == ([0] * 4 + [1] * 5, [0, 0, 1])
    assert testing.class_names == training.class_names


def test_a_held_out_folder_of_other_classes_is_refused(tmp_path: Path) -> None:
    write_images(tmp_path / "flags/train", {"black": 4, "white": 5})
    write_images(tmp_path / "flags/test", {"white": 5})
    with pytest.raises(DataError, match=r"^The classes of flags .*black.*white.*\.$"):
        load_protocol("flags", "test", tmp_path, image_shape=(1, 4, 4))


def test_a_folder_can_be_named_by_its_path(tmp_path: Path) -> None:
    write_images(tmp_path / "flags/train", {"black": 2})
    assert len(load(str(tmp_path / "flags"), "train")) == 2


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"], ids=["empty", "text", "cut off"])
def test_a_broken_file_in_a_folder_is_named(tmp_path: Path, content: bytes) -> None:
    folder = write_images(tmp_path / "flags/train", {"black": 3})
    (folder / "black/001x.png").write_bytes(content)
    message = refusal("flags", "train", tmp_path)
    assert message.startswith(f"{folder / 'black/001x.png'} cannot be used: ")


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flags/train/black").mkdir(parents=True)
    assert "holds no images" in refusal("flags", "train", tmp_path)


def test_an_unknown_name_is_refused_with_the_known_ones_and_the_places(tmp_path: Path) -> None:
    message = refusal("mnits", "test", tmp_path)
    for part in ("'mnits'", *DATASETS, str(tmp_path / "mnits/test"), str(tmp_path / "mnits/val")):
        assert part in message


def rows(dataset: data.Dataset) -> list[bytes]:
    return [image.numpy().tobytes() for image in dataset.images]


def test_the_test_protocol_takes_the_whole_training_set_and_the_test_set(tmp_path: Path) -> None:
    write_idx(tmp_path)
    training, held_out = load_protocol("mnist", "test", tmp_path)
    assert rows(training) == rows(load("mnist", "train", tmp_path))
    assert rows(held_out) == rows(load("mnist", "test", tmp_path))


def test_the_validation_protocol_leaves_the_last_sixth_out_and_never_opens_the_test_set(tmp_path: Path) -> None:
    write_idx(tmp_path)
    for path in tmp_path.glob("t10k-*"):
        path.unlink()
    training, held_out = load_protocol("mnist", "validation", tmp_path)
    whole = load("mnist", "train", tmp_path)
    assert (len(training), len(held_out)) == (20, 4)
    assert rows(training) + rows(held_out) == rows(whole)
    assert torch.equal(torch.cat([training.labels, held_out.labels]), whole.labels)
    assert not set(rows(training)) & set(rows(held_out))


def test_the_validation_protocol_of_a_folder_holds_out_a_sixth_of_every_class(tmp_path: Path) -> None:
    write_images(tmp_path / "flags/train", {"black": 12, "white": 18, "red": 6})
    training, held_out = load_protocol("flags", "validation", tmp_path, image_shape=(1, 4, 4))
    assert training.labels.bincount().tolist() == [10, 5, 15]
    assert held_out.labels.bincount().tolist() == [2, 1, 3]


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where torchvision was asked to download MNIST to; it writes idx files there."""
    asked: list[Path] = []

    def mnist(root: Path, download: bool) -> SimpleNamespace:
        assert download
        asked.append(Path(root))
        write_idx(Path(root) / "MNIST/raw", seed=5, gzipped=True)
        return SimpleNamespace()

    monkeypatch.setattr("torchvision.datasets.MNIST", mnist)
    return asked


def test_nothing_is_downloaded_unless_asked(downloads: list[Path], tmp_path: Path) -> None:
    refusal("mnist", "train", tmp_path)
    assert downloads == []


def test_what_is_there_is_not_downloaded_again(downloads: list[Path], tmp_path: Path) -> None:
    write_idx(tmp_path, seed=1)
    assert has_seed(load("mnist", "train", tmp_path, download=True), 1)
    assert downloads == []


def test_a_download_goes_to_the_first_place_that_is_searched(downloads: list[Path], tmp_path: Path, home: Path) -> None:
    assert has_seed(load("mnist", "train", tmp_path / "given", download=True), 5)
    assert has_seed(load("mnist", "train", download=True), 5)
    assert downloads == [tmp_path / "given", home / ".cache/bigan/data"]
    load_protocol("mnist", "test", tmp_path / "given", download=True)
    assert len(downloads) == 2, "the second time it is there"


@pytest.mark.parametrize("error", [RuntimeError("Error downloading"), OSError("no route to host")])
def test_a_failed_download_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(root: Path, download: bool) -> None:  # noqa: ARG001
        raise error

    monkeypatch.setattr("torchvision.datasets.KMNIST", fail)
    message = refusal("kmnist", "train", tmp_path, download=True)
    assert "Kuzushiji-MNIST could not be downloaded" in message and str(error) in message and "--data" in message


@pytest.mark.parametrize("name", DATASETS)
def test_every_named_data_set_knows_its_classes_and_terms(name: str) -> None:
    info = DATASETS[name]
    assert info.name == name and len(set(info.class_names)) == 10
    assert all([info.title, info.noun, info.noun_plural, info.source, info.terms, info.torchvision_name])
