"""Cached access to checkpoints. Every cache is bounded and keyed by files' states or content: a new file is seen."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan import checkpoint, machine, records
from bigan.checkpoint import WEIGHTS_FILE
from bigan.config import ModelConfig
from bigan.data import DATASETS, DatasetInfo, fingerprint
from bigan.evaluation.report import weights_sha256
from bigan.explore.familiarity import KnownImages, known_images
from bigan.explore.gallery import Gallery, load_gallery
from bigan.explore.projection import Projection, load_projection
from bigan.explore.reconstruction import GalleryIndex, index_gallery
from bigan.files import GALLERY_FILE, PROJECTION_FILE
from bigan.kinds import Kind, kind_of
from bigan.models.bigan import BiGAN
from bigan.records import CONFIG_FILE, HISTORY_FILE, METRICS_FILE

MAX_MODELS = 12  # networks held in memory at once: as many as the Rivals page puts side by side
MAX_CHECKPOINTS = 4  # galleries, what models make of them, and maps
MODEL_FILES = (CONFIG_FILE, WEIGHTS_FILE)
FileStates = tuple[tuple[str, int, int], ...]


def _states(folder: Path, *names: str) -> FileStates:
    """Name, time and size of those of the files that exist."""
    found = [(name, (folder / name).stat()) for name in names if (folder / name).is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def _of(states: FileStates, *names: str) -> FileStates:
    return tuple(state for state in states if state[0] in names)


@st.cache_resource(max_entries=MAX_MODELS, show_spinner="Loading the model")
def _model(folder: str, states: FileStates) -> BiGAN:  # noqa: ARG001
    torch.set_num_threads(1)  # sessions run beside each other; sharing out small products costs more than it saves
    machine.share_freed_memory()
    return checkpoint.load(folder)


@st.cache_resource(max_entries=MAX_MODELS, show_spinner="Loading the gallery")
def _gallery(folder: str, states: FileStates) -> tuple[str, Gallery] | None:  # noqa: ARG001
    gallery = load_gallery(Path(folder))
    if gallery is None:
        return None
    words = json.dumps([gallery.ids, gallery.class_names, gallery.source])
    key = f"{fingerprint(gallery.images, gallery.labels)} {hashlib.sha256(words.encode()).hexdigest()}"
    return key, _shared(key, gallery)


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner=False)
def _shared(key: str, _gallery: Gallery) -> Gallery:  # noqa: ARG001
    """The same gallery as it was first loaded: most checkpoints ship one and the same."""
    return _gallery


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Reading the gallery")
def _known(gallery_key: str, _gallery: Gallery) -> KnownImages:  # noqa: ARG001
    return known_images(_gallery)


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Reading the gallery with E and G")
def _index(key: object, _model: BiGAN, _known: KnownImages) -> GalleryIndex:  # noqa: ARG001
    index = index_gallery(_model, _known.gallery, _known)
    machine.give_back_freed_memory()
    machine.exempt_from_garbage_collection()
    return index


@st.cache_resource(max_entries=MAX_MODELS, show_spinner=False)
def _weights_sha256(folder: str, states: FileStates) -> str:
    return weights_sha256(_model(folder, states))


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner=False)
def _projection(folder: str, states: FileStates) -> Projection | None:
    found = load_projection(Path(folder))
    if found is None or found.weights_sha256 != _weights_sha256(folder, _of(states, *MODEL_FILES)):
        return None
    return found


@st.cache_resource(max_entries=MAX_MODELS, show_spinner=False)
def _metrics(folder: str, states: FileStates) -> dict[str, Any] | None:  # noqa: ARG001
    return records.read_metrics(Path(folder))


@st.cache_resource(max_entries=MAX_MODELS, show_spinner=False)
def _history(folder: str, states: FileStates) -> list[dict[str, float]]:  # noqa: ARG001
    return records.read_history(Path(folder))


@dataclass(frozen=True)
class OpenCheckpoint:
    """A checkpoint as a page uses it. What it holds is loaded when first asked for, shared and never changed."""

    name: str
    path: Path
    config: ModelConfig

    @cached_property
    def _files(self) -> FileStates:
        """As they were when something of them was first asked for: what is remembered of each fits the others."""
        return _states(self.path, *MODEL_FILES, GALLERY_FILE, PROJECTION_FILE)

    @cached_property
    def model(self) -> BiGAN:
        """The frozen networks."""
        return _model(str(self.path), _of(self._files, *MODEL_FILES))

    @cached_property
    def kind(self) -> Kind:
        """What it is, in words."""
        return kind_of(self.config, records.read_train(self.path))

    @cached_property
    def weights_sha256(self) -> str:
        """The fingerprint of the networks' weights."""
        return _weights_sha256(str(self.path), _of(self._files, *MODEL_FILES))

    @cached_property
    def _gallery(self) -> tuple[str, Gallery] | None:
        return _gallery(str(self.path), _of(self._files, GALLERY_FILE))

    @property
    def gallery(self) -> Gallery | None:
        """Real images to explore with, or None if the checkpoint ships none."""
        return self._gallery[1] if self._gallery else None

    @property
    def gallery_key(self) -> str | None:
        """What its gallery is known by where something made of it is remembered; models of one gallery share it."""
        return self._gallery[0] if self._gallery else None

    @cached_property
    def known(self) -> KnownImages | None:
        """The gallery made ready for the question whether a picture is like anything in it; None without one.

        Raises:
            ValueError: its images are not of the model's shape.
        """
        if self._gallery is None:
            return None
        shape = tuple(self._gallery[1].images.shape[1:])
        if shape != self.config.image_shape:
            raise ValueError(f"The gallery of {self.name} has images of {shape}; it must be {self.config.image_shape}.")
        return _known(*self._gallery)

    @cached_property
    def index(self) -> GalleryIndex | None:
        """The gallery as E and G see it, or None without a gallery or one of them."""
        if self.config.shortcoming("generate", "encode") or self.known is None:
            return None
        return _index(self.index_key, self.model, self.known)

    @property
    def index_key(self) -> tuple[str, FileStates]:
        """What its model and its gallery are known by together."""
        return str(self.path), _of(self._files, *MODEL_FILES, GALLERY_FILE)

    @cached_property
    def projection(self) -> Projection | None:
        """The maps of the gallery, or None if the checkpoint ships none, or only some made with other weights."""
        return _projection(str(self.path), _of(self._files, *MODEL_FILES, PROJECTION_FILE))

    @property
    def projection_key(self) -> tuple[str, FileStates]:
        """What its maps are known by."""
        return str(self.path), _of(self._files, *MODEL_FILES, PROJECTION_FILE)

    @cached_property
    def metrics(self) -> dict[str, Any] | None:
        """The measured numbers (metrics.json), or None."""
        return _metrics(str(self.path), _states(self.path, METRICS_FILE))

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row per epoch of training, possibly none."""
        return _history(str(self.path), _states(self.path, HISTORY_FILE))

    def opinions(self, x: Float[Tensor, "B C H W"], z: Float[Tensor, "B Z"]) -> list[float] | None:
        """D's logit of each pair (x, z); None of a model that has no D of pairs."""
        if self.config.shortcoming("score"):
            return None
        return [float(logit) for logit in self.model.score(x, z)]

    def gallery_opinions(self, rows: Sequence[int]) -> Sequence[float | None]:
        """D's logit of the pair (x, E(x)) of some images of the gallery; None of each where there is none."""
        logits = None if self.index is None else self.index.encoder_pair_logits
        return [None] * len(rows) if logits is None else logits[list(rows)].tolist()

    @property
    def info(self) -> DatasetInfo:
        """Words for its data: title, noun, class names. A data set without a name of ours is "images"."""
        name = self.config.dataset
        return DATASETS.get(name) or DatasetInfo(name, name, "image", "images", (), "", "", "")

    @property
    def smooth(self) -> bool:
        """Whether its images are enlarged smoothly: photographs are, small drawings stay crisp."""
        channels, height, _ = self.config.image_shape
        return channels == 3 and height >= 64
