"""Where an image stands in each space of the map: its nearest gallery images, and its place among them.

Shapes: N gallery images, F features, C H W image.
"""

from collections import Counter
from dataclasses import dataclass

from jaxtyping import Float, UInt8
from torch import Tensor

from bigan import view_code
from bigan.explore.neighbours import Neighbour, nearest_images
from bigan.explore.projection import NUM_NEIGHBOURS, Projection, place, space_features
from bigan.explore.reconstruction import GalleryIndex
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import GalleryImage, Resolved

NUM_SHOWN = 5
SPACE_NAMES = view_code.SPACE_NAMES
SPACE_WORDS = {"pixels": "pixels", "latent": "E(x)", "penultimate": "E's last hidden layer"}  # within a sentence


@dataclass(frozen=True)
class Placement:
    """Where an image that is not in the gallery comes to lie on a map."""

    place: Float[Tensor, " 2"]
    words: str
    """How it was placed."""


def _references(index: GalleryIndex, space: str) -> Float[Tensor, "N F"] | UInt8[Tensor, "N F"]:
    return {"pixels": index.pixels, "latent": index.latents, "penultimate": index.features}[space]


def neighbours(chosen: OpenCheckpoint, resolved: Resolved, space: str) -> tuple[Neighbour, ...]:
    """The gallery images nearest to an image in a space, nearest first; an image of the gallery is not its own."""
    index = chosen.index
    assert index is not None
    own = resolved.source.image_id if isinstance(resolved.source, GalleryImage) else None
    query = space_features(chosen.model, resolved.x, space)  # (1, F)
    (found,) = nearest_images(query, _references(index, space), index.gallery, NUM_SHOWN + 1)
    return tuple(neighbour for neighbour in found if neighbour.id != own)[:NUM_SHOWN]


def placement(chosen: OpenCheckpoint, projection: Projection, resolved: Resolved, space: str) -> Placement:
    """The place of an image among its nearest neighbours in the space, and the sentence that says so."""
    index = chosen.index
    assert index is not None
    references = _references(index, space)
    query = space_features(chosen.model, resolved.x, space)  # (1, F)
    (found,) = nearest_images(query, references, index.gallery, NUM_NEIGHBOURS)
    label, count = Counter(neighbour.label for neighbour in found).most_common(1)[0]
    number = "all" if count == len(found) else str(count)
    words = (
        f"Its place is the mean of those of its {len(found)} nearest {chosen.info.noun_plural} in "
        f"{SPACE_WORDS[space]}, the nearer ones counting more; {number} of them are labelled "
        f"“{index.gallery.class_names[label]}”."
    )
    return Placement(place(query[0], references, projection.maps[space].coordinates, NUM_NEIGHBOURS), words)
