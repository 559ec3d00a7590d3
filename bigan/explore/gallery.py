"""Real images with labels and stable ids, shipped beside a checkpoint to explore it without its data set.

Shapes: N images, C H W image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from PIL import Image
from torch import Tensor

from bigan.arrays import read_arrays, write_arrays
from bigan.data import DATASETS, Dataset, scale
from bigan.files import GALLERY_FILE, CheckpointError

ARRAYS = {
    "images": ("uint8", 4),
    "labels": ("int64", 1),
    "ids": ("str", 1),
    "class_names": ("str", 1),
    "source": ("str", 1),
}
NUM_IMAGES = 5000

DIGIT_SHEET = "OpenCV sample digits, 20 px enlarged to 28"
DIGIT_SHEET_TERMS = "smaller copies of training images of MNIST; Apache-2.0 or BSD-3-Clause, as OpenCV"
# OpenCV's samples/data/digits.png: 50 rows of 100 digits, 5 rows a class, each 20 px square.
SHEET_ROWS, SHEET_COLUMNS, SHEET_ROWS_PER_DIGIT, SHEET_TILE_PX = 50, 100, 5, 20
DIGIT_PX = 28


@dataclass(frozen=True)
class Gallery:
    """Images a person can choose from, each with its label and an id that never changes."""

    images: UInt8[Tensor, "N C H W"]
    labels: Int64[Tensor, " N"]
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    """Where the images come from, as a person should read it."""

    def __post_init__(self) -> None:
        """Hold the four columns together: as many ids and labels as images, ids unique, labels with a name."""
        if not len(self.images) == len(self.labels) == len(self.ids) > 0:
            sizes = f"{len(self.images)} images, {len(self.labels)} labels and {len(self.ids)} ids"
            raise ValueError(f"A gallery needs as many labels and ids as images, and at least one; got {sizes}.")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("A gallery's ids must differ from each other.")
        if int(self.labels.min()) < 0 or int(self.labels.max()) >= len(self.class_names):
            seen = f"{int(self.labels.min())} to {int(self.labels.max())}"
            raise ValueError(f"A gallery's labels must be 0 to {len(self.class_names) - 1}; got {seen}.")

    def __len__(self) -> int:
        """Number of images."""
        return len(self.ids)

    def index_of(self, image_id: str) -> int:
        """Where the image with this id is.

        Raises:
            ValueError: the gallery has no such id.
        """
        return int(self.indices_of((image_id,))[0])

    def indices_of(self, image_ids: Iterable[str]) -> Int64[Tensor, " n"]:
        """Where the images with these ids are, in the order of the ids.

        Raises:
            ValueError: the gallery has no such id.
        """
        known = self._index_by_id
        try:
            return torch.tensor([known[image_id] for image_id in image_ids], dtype=torch.int64)
        except KeyError as error:
            some = f"{len(self)} images, {self.ids[0]} to {self.ids[-1]}"
            raise ValueError(f"No gallery image has the id {error.args[0]!r}; there are {some}.") from None

    def find(self, text: str) -> tuple[str, ...]:
        """Ids of the images that a text asks for, in the gallery's order.

        It may be an id, the name of a class or its beginning, or a part of ids, the first of these that there is; upper
        or lower case makes no difference.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return ()
        ids = tuple(image_id for image_id in self.ids if image_id.casefold() == wanted)
        names = [name.casefold() for name in self.class_names]
        classes = {k for k, name in enumerate(names) if name == wanted} or {
            k for k, name in enumerate(names) if name.startswith(wanted)
        }
        of_classes = tuple(i for i, label in zip(self.ids, self.labels.tolist(), strict=True) if label in classes)
        return ids or of_classes or tuple(image_id for image_id in self.ids if wanted in image_id.casefold())

    @cached_property
    def _index_by_id(self) -> dict[str, int]:
        return {image_id: index for index, image_id in enumerate(self.ids)}

    def image(self, image_id: str) -> Float[Tensor, "1 C H W"]:
        """The image with this id as a model's input, float32 in [0, 1].

        Raises:
            ValueError: the gallery has no such id.
        """
        row = self.index_of(image_id)
        return scale(self.images[row : row + 1])  # (1, C, H, W)


def save_gallery(gallery: Gallery, folder: Path) -> None:
    """Write folder/gallery.npz."""
    write_arrays(
        folder / GALLERY_FILE,
        images=gallery.images.cpu().numpy(),
        labels=gallery.labels.cpu().numpy(),
        ids=np.array(gallery.ids),
        class_names=np.array(gallery.class_names),
        source=np.array([gallery.source]),
    )


def load_gallery(folder: Path) -> Gallery | None:
    """The gallery of a checkpoint's folder, or None where it has none.

    Raises:
        bigan.CheckpointError: there is a gallery.npz, and it is broken.
    """
    path = folder / GALLERY_FILE
    if not path.exists():
        return None
    arrays = read_arrays(path, ARRAYS)
    try:
        return Gallery(
            torch.from_numpy(arrays["images"]),
            torch.from_numpy(arrays["labels"]),
            tuple(arrays["ids"].tolist()),
            tuple(arrays["class_names"].tolist()),
            "".join(arrays["source"].tolist()),
        )
    except ValueError as error:
        raise CheckpointError(f"In the checkpoint '{folder}', {GALLERY_FILE} is not a gallery: {error}") from error


def gallery_from_digit_sheet(path: Path) -> Gallery:
    """OpenCV's 5,000 sample digits, each enlarged on its own from 20 px to 28 by Lanczos.

    They are digits of MNIST's training set, a little soft. Ids are "opencv-0000" to "opencv-4999", row by row.

    Raises:
        ValueError: the picture has not the size of the sheet.
    """
    sheet = Image.open(path).convert("L")
    size = (SHEET_COLUMNS * SHEET_TILE_PX, SHEET_ROWS * SHEET_TILE_PX)
    if sheet.size != size:
        raise ValueError(
            f"{path} is {sheet.size[0]} x {sheet.size[1]} pixels; the digit sheet is {size[0]} x {size[1]}."
        )
    places = [(row, column) for row in range(SHEET_ROWS) for column in range(SHEET_COLUMNS)]
    tiles = np.stack([_enlarged_tile(sheet, row, column) for row, column in places])  # (N, H, W)
    return Gallery(
        images=torch.from_numpy(tiles).unsqueeze(1),  # (N, 1, H, W)
        labels=torch.tensor([row // SHEET_ROWS_PER_DIGIT for row, _ in places]),
        ids=tuple(f"opencv-{index:04d}" for index in range(len(places))),
        class_names=tuple("0123456789"),
        source=DIGIT_SHEET,
    )


def _enlarged_tile(sheet: Image.Image, row: int, column: int) -> UInt8[np.ndarray, "H W"]:
    left, top = column * SHEET_TILE_PX, row * SHEET_TILE_PX
    tile = sheet.crop((left, top, left + SHEET_TILE_PX, top + SHEET_TILE_PX))  # cut first: no neighbour bleeds in
    return np.asarray(tile.resize((DIGIT_PX, DIGIT_PX), Image.Resampling.LANCZOS))


def gallery_from_dataset(dataset: Dataset, num_images: int = NUM_IMAGES) -> Gallery:
    """The first images of each class of a test set, as many of each, in the order of the set.

    Ids name the set and the index in it: "fashion-mnist-test-00017". A class with too few images gives all it has.
    """
    if num_images < len(dataset.class_names):
        raise ValueError(f"num_images is {num_images}; it must be at least {len(dataset.class_names)}, one a class.")
    per_class = num_images // len(dataset.class_names)
    firsts = [(dataset.labels == label).nonzero()[:per_class, 0] for label in range(len(dataset.class_names))]
    index = torch.cat(firsts).sort().values  # (N,)
    info = DATASETS.get(dataset.name)
    title, terms = (info.title, f" ({info.source}; {info.terms})") if info else (dataset.name, "")
    return Gallery(
        images=dataset.images[index],
        labels=dataset.labels[index],
        ids=tuple(f"{dataset.name}-test-{i:05d}" for i in index.tolist()),
        class_names=dataset.class_names,
        source=f"{title}, {len(index):,} test images{terms}",
    )
