"""The images a command works on: a data set by name, or a gallery file in its place."""

from pathlib import Path
from typing import TYPE_CHECKING

from bigan.config import ModelConfig, Split
from bigan.files import GALLERY_FILE

if TYPE_CHECKING:
    from bigan.data import Dataset
    from bigan.explore.gallery import Gallery

HELD_OUT_EVERY = 5  # of a gallery, which is sorted by class, every fifth image is held out


def is_gallery(path: Path | None) -> bool:
    """Whether --data names a gallery instead of a folder of data sets."""
    return path is not None and path.name == GALLERY_FILE


def open_gallery(path: Path) -> "Gallery":
    """The gallery at FOLDER/gallery.npz.

    Raises:
        ValueError: there is none, or it is broken.
    """
    from bigan.data import DataError
    from bigan.explore.gallery import load_gallery

    gallery = load_gallery(path.parent) if is_gallery(path) else None
    if gallery is None:
        raise DataError(f"There is no gallery at {path}; give the path of a {GALLERY_FILE}.")
    return gallery


def read_parts(
    config: ModelConfig, protocol: Split, data: Path | None, download: bool = False
) -> "tuple[Dataset, Dataset]":
    """Training images and held-out images of the model's data set, or of a gallery given as --data.

    A gallery's parts are its own: four fifths and one fifth for "test", and of those four fifths again four and one
    for "validation".

    Raises:
        ValueError: they are not there, or not what they should be.
    """
    from bigan.data import DATASETS, DataError, Dataset, hold_out, load_protocol

    if data is not None and not data.expanduser().exists():  # a slip of the pen must not fall back to other places
        raise DataError(f"--data is {data}, and there is nothing there; give the folder that holds {config.dataset}.")
    if data is None or not is_gallery(data):
        return load_protocol(config.dataset, protocol, data, download, config.image_shape)
    gallery = open_gallery(data)
    for other, known in DATASETS.items():
        if other != config.dataset and known.class_names == gallery.class_names:
            raise DataError(f"{data} has the classes of {other}; give a gallery of {config.dataset}.")
    # not the name of the data set: figures from a gallery must not pass for figures from its test set
    name = f"gallery of {config.dataset}"
    training, held_out = hold_out(Dataset(name, gallery.images, gallery.labels, gallery.class_names), HELD_OUT_EVERY)
    return hold_out(training, HELD_OUT_EVERY) if protocol == "validation" else (training, held_out)
