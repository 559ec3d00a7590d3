"""What a source stands for in the chosen model, and the pictures that this session brought.

Shapes: C H W image, Z latent components.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.explore.uploads import MAX_UPLOADS
from bigan.preparation import AS_IT_IS, Preparation
from bigan.sources import (
    HASH_DIGITS,
    MAX_SAMPLES,
    Edit,
    GalleryImage,
    Sample,
    Source,
    SourceError,
    Upload,
    parse_source,
)
from bigan.ui import edits
from bigan.ui.loaders import OpenCheckpoint

__all__ = [
    "MAX_SAMPLES", "MAX_UPLOADS", "Edit", "GalleryImage", "Resolved", "Sample", "Source", "SourceError", "Upload",
    "default_source", "is_remembered", "keep_drawing", "keep_upload", "parse_source", "resolve_source",
    "upload_bytes", "upload_name", "upload_names",
]  # fmt: skip

# Of the pictures remembered in one session, at most MAX_UPLOADS, the oldest forgotten first.
MAX_UPLOADED_BYTES = 64 * 2**20
MAX_DRAWINGS = 50  # the same of drawings, of which each stroke makes a new one
DRAWING = "your drawing"
_UPLOADS_KEY, _DRAWINGS_KEY = "uploads", "drawings"


@dataclass(frozen=True)
class Resolved:
    """A source with what it stands for."""

    source: Source
    x: Float[Tensor, "1 C H W"]
    z: Float[Tensor, "1 Z"]
    kind: Literal["real", "generated"]
    """Whether x is a real image (z = E(x)) or a generated one (x = G(z))."""
    words: str
    """What a caption calls it."""
    label: int | None = None
    """Its class, where known."""


def default_source(chosen: OpenCheckpoint, position: int = 0) -> Source:
    """Something real to begin with: one image per class in turn of the gallery, or a sample if there is none.

    Args:
        chosen: the checkpoint.
        position: different positions give different images (two ends of a walk).
    """
    gallery = chosen.gallery
    if gallery is None:
        return Sample(seed=0, index=position)
    return GalleryImage(gallery.ids[(position * 611 + 3) % len(gallery)])


def resolve_source(source: Source | str, chosen: OpenCheckpoint) -> Resolved:
    """The image x and the latent z that a source stands for, in the chosen model.

    Raises:
        SourceError: the text is no source, the gallery has no such image, or the session no such upload.
        ValueError: an edit that this model's latents or gallery do not allow.
        bigan.ImageError: the upload cannot be prepared for this model.
    """
    if isinstance(source, str):
        source = parse_source(source)
    model = chosen.model
    if isinstance(source, Sample):
        z = model.sample_latents(source.index + 1, source.seed, source.truncation)[-1:]  # (1, Z)
        words = f"sample {source.index + 1} of seed {source.seed}"
        return Resolved(source, model.generate(z), z, "generated", words)
    if isinstance(source, Upload):
        x = model.prepare(upload_bytes(source), source.preparation)  # (1, C, H, W)
        return Resolved(source, x, model.encode(x), "real", upload_name(source))
    if isinstance(source, Edit):
        start = resolve_source(source.start, chosen)
        z = edits.latent(chosen, start.z[0], source)[None]  # (1, Z)
        words = start.words if isinstance(source.start, Edit) else f"{start.words}, edited"
        return Resolved(source, model.generate(z), z, "generated", words)
    return _gallery_image(source, chosen)


def _gallery_image(source: GalleryImage, chosen: OpenCheckpoint) -> Resolved:
    gallery = chosen.gallery
    if gallery is None or source.image_id not in gallery.ids:
        raise SourceError(f"The gallery of {chosen.name} has no image {source.image_id}; it may be another model's.")
    label = int(gallery.labels[gallery.index_of(source.image_id)])
    x = gallery.image(source.image_id)  # (1, C, H, W)
    words = f"{chosen.info.noun} “{gallery.class_names[label]}” of the gallery ({source.image_id})"
    return Resolved(source, x, chosen.model.encode(x), "real", words, label)


def _brought(store: str) -> dict[str, tuple[str, bytes]]:
    """The session's pictures of one kind: digest -> name and bytes, oldest first."""
    brought: dict[str, tuple[str, bytes]] = st.session_state.setdefault(store, {})
    return brought


def _keep(store: str, most: int, name: str, data: bytes) -> str:
    digest = hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
    brought = _brought(store)
    brought.pop(digest, None)
    brought[digest] = (name, data)
    while len(brought) > most or sum(len(content) for _, content in brought.values()) > MAX_UPLOADED_BYTES:
        del brought[next(iter(brought))]
    return digest


def keep_upload(name: str, data: bytes, preparation: Preparation = AS_IT_IS) -> Upload:
    """Remember a picture in this session, by its content.

    Args:
        name: the file's name, for captions.
        data: the file's bytes, unchecked: `resolve_source` says what is wrong with them.
        preparation: how it becomes an input, see `bigan.preparation`.
    """
    return Upload(_keep(_UPLOADS_KEY, MAX_UPLOADS, name, data), preparation)


def keep_drawing(data: bytes, preparation: Preparation) -> Upload:
    """The same for what was drawn in the app: it is no one's file, and is not listed among the uploads."""
    return Upload(_keep(_DRAWINGS_KEY, MAX_DRAWINGS, DRAWING, data), preparation)


def upload_names() -> dict[str, str]:
    """The session's files, digest -> file name, oldest first."""
    return {digest: name for digest, (name, _) in _brought(_UPLOADS_KEY).items()}


def is_remembered(source: Upload) -> bool:
    """Whether the session has the picture behind an upload."""
    return any(source.digest in _brought(store) for store in (_UPLOADS_KEY, _DRAWINGS_KEY))


def _upload(source: Upload) -> tuple[str, bytes]:
    for store in (_UPLOADS_KEY, _DRAWINGS_KEY):
        if found := _brought(store).get(source.digest):
            return found
    raise SourceError(
        "This link shows a person's own picture, which does not travel in a link: please bring the file, or a picture "
        "that was saved from that view."
    )


def upload_bytes(source: Upload) -> bytes:
    """The file behind an upload."""
    return _upload(source)[1]


def upload_name(source: Upload) -> str:
    """The name of the file behind an upload."""
    return _upload(source)[0]
