"""Checkpoints beside each other: which can be compared, who prepares the images, and what each makes of them.

Shapes: Q images, C H W image, N gallery images, F features.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan import checkpoint
from bigan.data import scale
from bigan.explore.comparison import Drawing, Reading, compare, compare_samples, gallery_features
from bigan.explore.familiarity import familiarities
from bigan.ui import unfamiliar
from bigan.ui.loaders import MAX_MODELS, OpenCheckpoint
from bigan.ui.sources import GalleryImage, Source, Upload, resolve_source, upload_names

MAX_READINGS = 64  # remembered for all sessions; one of ten MNIST digits by two models takes 150 kB
MAX_DRAWINGS = 16  # likewise; one of 16 samples by eight models takes 450 kB
MAX_COMPANIONS = 10


@dataclass(frozen=True)
class Company:
    """The checkpoints that can stand beside the chosen one."""

    members: tuple[OpenCheckpoint, ...]
    """The chosen one, then those of its data set, then others of its image shape."""
    strangers: dict[str, str]
    """Name -> why it cannot, in a sentence."""

    @property
    def reader(self) -> OpenCheckpoint | None:
        """Who prepares images and lends its gallery: the first with G, E and a gallery."""
        able = (one for one in self.members if one.config.shortcoming("generate", "encode") is None)
        return next((one for one in able if one.gallery is not None), None)


def company(chosen: OpenCheckpoint) -> Company:
    """Who can be compared with the chosen checkpoint, of all that can be opened."""
    members, strangers = [], {}
    for summary in checkpoint.summarise_checkpoints():
        if summary.config is None or summary.name == chosen.name:
            continue
        one = OpenCheckpoint(summary.name, summary.path, summary.config)
        if one.config.image_shape == chosen.config.image_shape:
            members.append(one)
        else:
            strangers[one.name] = f"{one.name} takes images of {size(one)}, and {chosen.name} of {size(chosen)}."
    members.sort(key=lambda one: one.config.dataset != chosen.config.dataset)  # stable: else the order of the sidebar
    return Company((chosen, *members), strangers)


def size(one: OpenCheckpoint) -> str:
    """The size of its images in words."""
    channels, height, width = one.config.image_shape
    return f"{width} by {height} pixels{', in colour' if channels == 3 else ''}"


def _fingerprints(members: Sequence[OpenCheckpoint]) -> tuple[str, ...]:
    """What tells each model from others: its weights, and its prior, of which they say nothing."""
    return tuple(f"{one.weights_sha256} {one.config.prior}" for one in members)


def readings(
    members: Sequence[OpenCheckpoint],
    reader: OpenCheckpoint,
    x: Float[Tensor, "Q C H W"],
    *,
    with_neighbours: bool = True,
) -> tuple[Reading, ...]:
    """What each model makes of the same images, against the reader's gallery; the same is computed once."""
    models = _fingerprints(members)
    digest = hashlib.sha256(x.numpy().tobytes()).hexdigest()
    return _readings(models, reader.gallery_key, digest, with_neighbours, members, reader, x)


@st.cache_resource(max_entries=MAX_READINGS, show_spinner="Asking each model")
def _readings(
    models: tuple[str, ...],  # noqa: ARG001
    gallery: object,  # noqa: ARG001
    digest: str,  # noqa: ARG001
    with_neighbours: bool,
    _members: Sequence[OpenCheckpoint],
    _reader: OpenCheckpoint,
    _x: Tensor,
) -> tuple[Reading, ...]:
    assert _reader.gallery is not None
    features = [_gallery_features(one, _reader) if with_neighbours else None for one in _members]
    return compare([one.model for one in _members], _x, _reader.gallery, features)


def _gallery_features(one: OpenCheckpoint, reader: OpenCheckpoint) -> Float[Tensor, "N F"] | None:
    if one.name == reader.name and one.index is not None:
        return one.index.features
    return _foreign_features(one.weights_sha256, reader.gallery_key, one, reader)


@st.cache_resource(max_entries=MAX_MODELS, show_spinner="Reading the gallery with each model")
def _foreign_features(
    model: str,  # noqa: ARG001
    gallery: object,  # noqa: ARG001
    _one: OpenCheckpoint,
    _reader: OpenCheckpoint,
) -> Tensor | None:
    assert _reader.gallery is not None
    return gallery_features(_one.model, _reader.gallery)


def warn(members: Sequence[OpenCheckpoint], x: Float[Tensor, "1 C H W"]) -> None:
    """Of each gallery of a model that reads and draws images that x is like nothing in it."""
    by_gallery: dict[str, list[OpenCheckpoint]] = {}
    for one in members:
        if not one.config.shortcoming("generate", "encode") and one.gallery_key is not None:
            by_gallery.setdefault(one.gallery_key, []).append(one)
    for models in by_gallery.values():
        unfamiliar.warn_of_models(models, x)


def drawings(members: Sequence[OpenCheckpoint], num_samples: int, seed: int) -> tuple[Drawing, ...]:
    """What each model generates from the same seed; the same is computed once."""
    return _drawings(_fingerprints(members), num_samples, seed, members)


@st.cache_resource(max_entries=MAX_DRAWINGS, show_spinner="Drawing with each model")
def _drawings(
    models: tuple[str, ...],  # noqa: ARG001
    num_samples: int,
    seed: int,
    _members: Sequence[OpenCheckpoint],
) -> tuple[Drawing, ...]:
    return compare_samples([one.model for one in _members], num_samples, seed)


def foreign_counts(
    members: Sequence[OpenCheckpoint], reader: OpenCheckpoint, num_samples: int, seed: int
) -> tuple[int | None, ...]:
    """How many of these samples are like nothing in the reader's gallery; None without G or for other data."""
    own = [one.config.dataset == reader.config.dataset and not one.config.shortcoming("generate") for one in members]
    asked = tuple(one for one, is_own in zip(members, own, strict=True) if is_own)
    counts = iter(_foreign_counts(_fingerprints(asked), reader.gallery_key, num_samples, seed, asked, reader))
    return tuple(next(counts) if is_own else None for is_own in own)


@st.cache_resource(max_entries=MAX_READINGS, show_spinner="Looking for the like of each sample")
def _foreign_counts(
    models: tuple[str, ...],  # noqa: ARG001
    gallery: object,  # noqa: ARG001
    num_samples: int,
    seed: int,
    _members: Sequence[OpenCheckpoint],
    _reader: OpenCheckpoint,
) -> tuple[int, ...]:
    known = _reader.known
    assert known is not None
    found = []
    for one in drawings(_members, num_samples, seed):
        assert one.images is not None
        found.append(sum(f.is_foreign for f in familiarities(one.images, known)))
    return tuple(found)


@dataclass(frozen=True)
class Companions:
    """More images to compare at once with the one that is looked at."""

    x: Float[Tensor, "Q C H W"]
    sources: tuple[Source, ...]
    names: tuple[str, ...]


def companions(reader: OpenCheckpoint, source: Source) -> Companions:
    """The session's own pictures where one of several is looked at, or else one real image of each class."""
    gallery = reader.gallery
    assert gallery is not None
    names = upload_names()
    if isinstance(source, Upload) and len(names) > 1:
        own = [Upload(digest, source.preparation) for digest in list(names)[-MAX_COMPANIONS:]]
        x = torch.cat([resolve_source(one, reader).x for one in own])  # (Q, C, H, W)
        return Companions(x, tuple(own), tuple(names[one.digest] for one in own))
    labels = gallery.labels.tolist()
    row = gallery.index_of(source.image_id) if isinstance(source, GalleryImage) else 0
    place = labels[:row].count(labels[row])  # in its class
    rows = []
    for label in sorted(set(labels))[:MAX_COMPANIONS]:
        same = [i for i, other in enumerate(labels) if other == label]
        rows.append(same[min(place, len(same) - 1)])
    images = scale(gallery.images[rows])  # (Q, C, H, W)
    return Companions(
        images,
        tuple(GalleryImage(gallery.ids[i]) for i in rows),
        tuple(f"“{gallery.class_names[labels[i]]}” ({gallery.ids[i]})" for i in rows),
    )
