"""What a report says, in sentences that a person without a course on the subject understands; plain text.

Every number comes with what to compare it with. Shapes: B latents, Z latent components.
"""

import math
from collections import Counter

from jaxtyping import Float
from torch import Tensor

from bigan.config import Prior
from bigan.explore.familiarity import Familiarity
from bigan.explore.reconstruction import GalleryIndex, ReconstructionReport
from bigan.ui.loaders import OpenCheckpoint

HALF = 0.5  # below it, the better sentence counts those that are closer
# E|a - b| of two independent numbers from the prior
RANDOM_GAP: dict[Prior, float] = {"uniform": 2 / 3, "normal": 2 / math.sqrt(math.pi)}
# E|a|: what one misses who always answers 0, the best without having seen the image
CENTRE_GAP: dict[Prior, float] = {"uniform": 1 / 2, "normal": math.sqrt(2 / math.pi)}


def counted(number: int, noun: str) -> str:
    """A number of things: "1 image", "2,000 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def num_outside(off_prior_shares: Float[Tensor, " B"], latent_dim: int) -> list[int]:
    """How many numbers of each latent lie outside the prior.

    Args:
        off_prior_shares: of each, 0 to 1.
        latent_dim: how many numbers a latent has.
    """
    return [round(share * latent_dim) for share in off_prior_shares.tolist()]


def outside(number: int, latent_dim: int) -> str:
    """How many of a latent's numbers lie outside the prior, as a sentence without its end."""
    return f"{number} of {latent_dim} numbers {'lies' if number == 1 else 'lie'} outside the prior"


def _some(share: float) -> str:
    return "all" if share == 1 else f"{percent(share)} of"


def percent(share: float) -> str:
    """A share in whole per cent, rounded down, so that "100 %" is said of all only, and "0 %" of none."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{math.floor(100 * share + 1e-9)} %"


def closeness(report: ReconstructionReport, plural: str) -> str:
    """How near G(E(x)) came, against random real images."""
    if report.percentile < HALF:
        share = _some(1 - report.percentile).capitalize()
        return f"{share} random {plural} are closer to G(E(x)) than x is (ratio {report.ratio:.2f})."
    return f"x is closer to G(E(x)) than {_some(report.percentile)} random {plural} are (ratio {report.ratio:.2f})."


def closeness_scale(report: ReconstructionReport, index: GalleryIndex, plural: str) -> str:
    """What the ratio means, and how the gallery's own images fare."""
    random = report.distance / report.ratio if report.ratio > 0 else index.distances.mean().item()
    worse = percent(report.typicality) if report.typicality else "none"
    return (
        f"The ratio is the distance from x to G(E(x)), {report.distance:.1f} (Euclidean, over all pixels), divided by "
        f"the mean distance from G(E(x)) to a random one of the gallery, {random:.1f}: 0 is exact, 1 no better than "
        f"chance. Of the gallery's {len(index.gallery):,} {plural}, {worse} come back farther from themselves than "
        f"this one; their median distance is {index.distances.median().item():.1f}."
    )


def distance_alone(distance: float) -> str:
    """How near G(E(x)) came where there is no gallery to compare with."""
    return (
        f"x and G(E(x)) are {distance:.1f} apart (Euclidean, over all pixels; 0 is exact). This checkpoint comes "
        "without a gallery of real images, so there is nothing to compare it with."
    )


def far(report: ReconstructionReport, index: GalleryIndex, chosen: OpenCheckpoint) -> str:
    """That the model has seen nothing like this image, how far it is from anything seen, and what E makes of it."""
    scale = far_scale(report.familiarity, chosen)
    return f"This model has only ever seen {chosen.info.noun_plural}. {scale} {placed_all_the_same(report, index)}"


def far_scale(found: Familiarity, chosen: OpenCheckpoint) -> str:
    """How far from anything in a model's gallery an image is."""
    assert chosen.gallery is not None
    return (
        f"The nearest real {chosen.info.noun}, sharp and blurred, is a "
        f"“{chosen.gallery.class_names[found.nearest.label]}” ({found.nearest.id}), {found.distance:.1f} away; 99 % of "
        f"the gallery's own {chosen.info.noun_plural} have another one within {found.limit:.1f}."
    )


def placed_all_the_same(report: ReconstructionReport, index: GalleryIndex) -> str:
    """Where E puts what it has seen nothing like."""
    label, count = Counter(neighbour.label for neighbour in report.neighbours).most_common(1)[0]
    return (
        "E must still put the picture somewhere, and puts it where "
        f"“{index.gallery.class_names[label]}” lives ({count} of {len(report.neighbours)} neighbours)."
    )


def neighbourhood(report: ReconstructionReport, index: GalleryIndex, label: int | None) -> str:
    """Whether the neighbours are of one class, and of the image's own."""
    counts = Counter(neighbour.label for neighbour in report.neighbours)
    most, count = counts.most_common(1)[0]
    names, total = index.gallery.class_names, len(report.neighbours)
    if label is None:
        return f"{count} of the {total} nearest are labelled “{names[most]}”."
    return f"{counts[label]} of the {total} nearest share its label, “{names[label]}”."


def round_trip(z: Float[Tensor, "1 Z"], z_hat: Float[Tensor, "1 Z"], prior: Prior) -> str:
    """How much of a sample's own z E finds again in G(z)."""
    gap = (z - z_hat).abs().mean().item()
    return (
        f"This image is G(z), so its z is known: E(G(z)) misses it by {gap:.2f} per number on average; two latents "
        f"drawn at random are {RANDOM_GAP[prior]:.2f} apart."
    )
