"""Data sets by name, as uint8 tensors in memory; the only place that scales pixels.

Shapes: N images, C H W image.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from bigan.config import Split
from bigan.images import ImageError
from bigan.preparation import prepare

Part = Literal["train", "test"]
CACHE = Path("~/.cache/bigan/data")
IDX_FILES = {"train": "train", "test": "t10k"}  # part -> how the four idx files' names begin
HELD_OUT_SHARE = 6  # "validation" holds out one image in six: 10,000 of 60,000
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


class DataError(ValueError):
    """A data set that is not there, or not what it should be."""


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a named data set without reading it."""

    name: str
    title: str
    noun: str
    noun_plural: str
    class_names: tuple[str, ...]
    source: str
    terms: str
    torchvision_name: str
    debian_folder: str | None = None
    """Where Debian's package of it puts its idx files."""

    @property
    def debian_package(self) -> str:
        """What that package is called."""
        return f"dataset-{self.name}"


_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "trainer", "bag", "ankle boot",
)  # fmt: skip
_KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")

DATASETS = {
    "mnist": DatasetInfo(
        "mnist", "MNIST", "digit", "digits", _DIGITS, "LeCun, Cortes and Burges, The MNIST database (1998)",
        "as published by its authors", "MNIST",
    ),
    "fashion-mnist": DatasetInfo(
        "fashion-mnist", "Fashion-MNIST", "garment", "garments", _CLOTHES, "Xiao, Rasul and Vollgraf, Zalando (2017)",
        "MIT licence", "FashionMNIST", "/usr/share/datasets/fashion-mnist",
    ),
    "kmnist": DatasetInfo(
        "kmnist", "Kuzushiji-MNIST", "character", "characters", _KUZUSHIJI, "Clanuwat et al., CODH (2018)",
        "CC BY-SA 4.0", "KMNIST",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Dataset:
    """Images with labels, in memory."""

    name: str
    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def to(self, device: torch.device | str) -> "Dataset":
        """The same on a device."""
        return Dataset(self.name, self.images.to(device), self.labels.to(device), self.class_names)

    def subset(self, chosen: Bool[Tensor, " N"]) -> "Dataset":
        """The chosen images, in their order."""
        return Dataset(self.name, self.images[chosen], self.labels[chosen], self.class_names)


def scale(images: UInt8[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Pixels 0 to 255 as float32 in [0, 1]."""
    return images.float() / 255


def fingerprint(*arrays: Tensor) -> str:
    """The first 16 hexadecimal digits of the arrays' SHA-256: enough to notice that data are other data."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def to_uint8(x: Float[Tensor, "*shape"]) -> UInt8[Tensor, "*shape"]:
    """Values in [0, 1] as pixels 0 to 255, rounded: the way back from `scale`."""
    return (x * 255).round().to(torch.uint8)


def load(
    name: str,
    part: Part,
    data_dir: Path | None = None,
    download: bool = False,
    image_shape: tuple[int, int, int] = (1, 28, 28),
) -> Dataset:
    """One part of a data set.

    Looks in data_dir, then $BIGAN_DATA, then ~/.cache/bigan/data, for idx files (raw or gzipped) of the named data
    sets (and last where Debian's package puts them), or else for a folder NAME/train/CLASS/*.png (and NAME/test or
    NAME/val).

    Args:
        name: a key of DATASETS, or a folder of images.
        part: "train" or "test".
        data_dir: the folder to look in first.
        download: fetch a named data set with torchvision when it is not there.
        image_shape: (C, H, W) that a folder's images are brought to.

    Raises:
        DataError: nothing found, or files that are not such a data set.
    """
    info = DATASETS.get(name)
    roots = search_roots(data_dir)
    if info is None:
        return _load_folder(name, part, roots, image_shape)
    folder = _find_idx_folder(info, part, roots)
    if folder is None and download:
        folder = _download(info, roots[0])
    if folder is None:
        raise DataError(_not_found(info, roots))
    images = torch.from_numpy(_read_idx(_find_idx(folder, part, "images-idx3-ubyte"), 3)).unsqueeze(1)  # (N, 1, H, W)
    labels = torch.from_numpy(_read_idx(_find_idx(folder, part, "labels-idx1-ubyte"), 1)).long()  # (N,)
    if not len(images) == len(labels) > 0 or int(labels.max()) >= len(info.class_names):
        raise DataError(f"The labels in {folder} do not belong to its images; unpack {info.title} again.")
    return Dataset(name, images, labels, info.class_names)


def load_protocol(
    name: str,
    protocol: Split,
    data_dir: Path | None = None,
    download: bool = False,
    image_shape: tuple[int, int, int] = (1, 28, 28),
) -> tuple[Dataset, Dataset]:
    """The images to train on (and to refer to) and those held out.

    "test": the whole training set and the test set, as in the paper's Table 1. "validation": the first five sixths
    of the training set and its last sixth, so that choices never see the test set; of a folder, which is sorted by
    class, every sixth image.

    Raises:
        DataError: as `load`, or the two parts of a folder have different classes.
    """
    training = load(name, "train", data_dir, download, image_shape)
    if protocol == "test":
        held_out = load(name, "test", data_dir, download, image_shape)
        if held_out.class_names != training.class_names:
            raise DataError(
                f"The classes of {name} differ: {', '.join(training.class_names)} to train on and "
                f"{', '.join(held_out.class_names)} held out; both need a folder for each class."
            )
        return training, held_out
    if name not in DATASETS:
        return hold_out(training, HELD_OUT_SHARE)
    is_held_out = torch.arange(len(training)) >= len(training) - len(training) // HELD_OUT_SHARE  # (N,)
    return training.subset(~is_held_out), training.subset(is_held_out)


def hold_out(dataset: Dataset, every: int) -> tuple[Dataset, Dataset]:
    """A data set less every n-th image, and those: both parts have the classes of a set that is sorted by class."""
    is_held_out = torch.arange(len(dataset)) % every == every - 1  # (N,)
    return dataset.subset(~is_held_out), dataset.subset(is_held_out)


def search_roots(data_dir: Path | None) -> list[Path]:
    """Where data sets are looked for, first place first."""
    named = [data_dir, os.environ.get("BIGAN_DATA"), CACHE]
    return [Path(root).expanduser() for root in named if root]


def _find_idx(folder: Path, part: Part, ending: str) -> Path:
    stem = folder / f"{IDX_FILES[part]}-{ending}"
    gzipped = stem.with_name(stem.name + ".gz")
    return stem if stem.exists() or not gzipped.exists() else gzipped


def _find_idx_folder(info: DatasetInfo, part: Part, roots: list[Path]) -> Path | None:
    own = [folder for root in roots for folder in (root / info.torchvision_name / "raw", root / info.name, root)]
    others = [Path(info.debian_folder)] if info.debian_folder else []
    for folder in own + others:
        plain_root = folder in roots and info.name != "mnist"  # a bare folder of idx files says not whose they are
        if not plain_root and _find_idx(folder, part, "images-idx3-ubyte").exists():
            return folder
    return None


def _not_found(info: DatasetInfo, roots: list[Path]) -> str:
    places, ways = [*map(str, roots)], ["give the folder that holds its idx files with --data"]
    if info.debian_folder:
        places.append(info.debian_folder)
        ways.append(f"install Debian's package {info.debian_package}")
    return (
        f"{info.title} was not found in {', '.join(places)}; {', '.join(ways)}, or let --download fetch it where "
        "there is a network."
    )


def _read_idx(path: Path, num_dims: int) -> np.ndarray:
    """A file in LeCun's idx format, unsigned bytes: magic number 0x0000080D, D sizes, then the values."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read; it should be an idx file, raw or gzipped.") from error
    header = 4 + 4 * num_dims
    shape = np.frombuffer(raw[4:header], ">i4") if len(raw) >= header else np.empty(0)
    if raw[:4] != bytes([0, 0, 8, num_dims]) or len(raw) != header + int(np.prod(shape)):
        raise DataError(f"{path} is not a complete idx file of {num_dims} dimensions; unpack the data set again.")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape).copy()


def _download(info: DatasetInfo, root: Path) -> Path:
    from torchvision import datasets

    try:
        getattr(datasets, info.torchvision_name)(root, download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{info.title} could not be downloaded ({error}); give a local folder with --data.") from error
    return root / info.torchvision_name / "raw"


def _load_folder(name: str, part: Part, roots: list[Path], image_shape: tuple[int, int, int]) -> Dataset:
    parts = ("train",) if part == "train" else ("test", "val")
    candidates = [root / name / sub for root in roots for sub in parts]
    folder = next((path for path in candidates if path.is_dir()), None)
    if folder is None:
        known = ", ".join(DATASETS)
        raise DataError(
            f"No data set is called {name!r} ({known}), and there is no folder of images at "
            f"{' or '.join(map(str, candidates))}."
        )
    class_names = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
    files = [(file, label) for label, kind in enumerate(class_names) for file in _image_files(folder / kind)]
    if not files:
        raise DataError(f"{folder} holds no images; it should hold a folder of PNG or JPEG files for each class.")
    images = torch.stack([_read_image(file, image_shape) for file, _ in files])  # (N, C, H, W)
    return Dataset(name, images, torch.tensor([label for _, label in files]), class_names)


def _image_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in IMAGE_SUFFIXES)


def _read_image(file: Path, image_shape: tuple[int, int, int]) -> UInt8[Tensor, "C H W"]:
    try:
        x = prepare(file, image_shape)  # (1, C, H, W)
    except ImageError as error:
        raise DataError(f"{file} cannot be used: {error}") from error
    return to_uint8(x[0])
