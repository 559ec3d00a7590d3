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
WHY = r"""
**How it is made.** UMAP (McInnes, Healy and Melville 2018) takes each image's 15 nearest others in a space of many
dimensions and looks for places on the plane that keep these neighbours together. It was run once, with a fixed seed,
when this checkpoint was made; the app only reads the result.

**The spaces.** *Pixels*: two images are near if they agree pixel by pixel. *E(x)*: near if $E$ gives them similar
numbers, and $G$ therefore makes similar images of them. *Penultimate*: the activations of $E$'s last hidden layer,
which the paper's nearest-neighbour classification reads. No space has ever seen a label: the colours were put on
afterwards.

**What it does not show.** UMAP keeps neighbours, not distances. How far two clusters lie apart, how large or dense one
is, and the gap between them follow from the method as much as from the data; another seed gives another picture.
*Trustworthiness* (Venna and Kaski 2001) falls where images are neighbours on the map that are not neighbours in the
space. The *15-NN* numbers ask each image's 15 nearest others for its label, on the map and in the space itself: what
the map loses on the way to the plane.

**Your own image** is not run through UMAP: it is placed by its 15 nearest images in the same space, weighted by one
over the distance.

Donahue et al. 2017, section 4.2 (Table 1: nearest neighbours in $E$'s feature space).
"""
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
