"""Where an image and its latent come from, as a short text that fits into a link.

sample:SEED:INDEX:TRUNCATION    z drawn from the prior, x = G(z)
gallery:ID                      a real image of the checkpoint's gallery, z = E(x)
upload:HASH:PREPARATION         a person's own picture, z = E(x); only who has the picture can resolve it
edit:DIRECTION:STRENGTH:free|inside:CHANGES:START
                                the latent of the source START, edited (see bigan.explore.editing), x = G(z)

CHANGES are the numbers that were set, in hundredths: 17_-31~4_80 sets number 17 to -0.31 and number 4 to 0.8.
"""

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bigan.config import MAX_SEED
from bigan.preparation import AS_IT_IS, Preparation, parse_preparation

MAX_SAMPLES = 100
MIN_TRUNCATION = 0.001
HASH_DIGITS = 12
MAX_CHANGES = 40  # so that an edit fits into a link
BETWEEN_SELECTIONS = "selections"  # the direction that only a session with two selections knows
MAX_STRENGTH = 3  # standard deviations
MAX_EDIT_CHARACTERS = 900  # an edit may start from an edit
MAX_SHOWN = 60  # characters of what was not understood
# How it would read, by what it begins with
_HINTS = {
    "": "a real image is named as in gallery:opencv-0001, and one that G makes as in sample:7:0:1",
    "sample": f"after “sample” come a seed from 0 to {MAX_SEED}, a number from 0 to {MAX_SAMPLES - 1} and a truncation "
    f"from {MIN_TRUNCATION} to 1, as in sample:7:0:1",
    "gallery": "after “gallery” comes the name of one of its images, as in gallery:opencv-0001",
    "upload": "the name of a picture of your own cannot be typed; please bring the picture itself",
    "edit": "part of the edit is missing or beyond what the Edit page allows; please copy the whole link again",
}


class SourceError(ValueError):
    """A source that is not written as one, or that is no longer there."""


@dataclass(frozen=True)
class Sample:
    """The index-th latent drawn with a seed."""

    seed: int
    index: int
    truncation: float = 1.0

    def __str__(self) -> str:
        """As in a link."""
        return f"sample:{self.seed}:{self.index}:{self.truncation:g}"


@dataclass(frozen=True)
class GalleryImage:
    """A real image of the gallery."""

    image_id: str

    def __str__(self) -> str:
        """As in a link."""
        return f"gallery:{self.image_id}"


@dataclass(frozen=True)
class Upload:
    """A picture that a person brought."""

    digest: str
    preparation: Preparation = AS_IT_IS

    def __str__(self) -> str:
        """As in a link."""
        return f"upload:{self.digest}:{self.preparation}"


@dataclass(frozen=True)
class Edit:
    """A latent edited by hand."""

    start: "Source"
    direction: str = ""
    """Its short name, see bigan.explore.editing; empty where there is none."""
    strength: float = 0.0
    """In the direction's standard deviations, to one decimal."""
    inside: bool = False
    """Whether what leaves the prior is brought back to its end."""
    changes: tuple[tuple[int, float], ...] = ()
    """Components, from 0, with their new values, to two decimals."""

    def __str__(self) -> str:
        """As in a link."""
        kept = "inside" if self.inside else "free"
        return f"edit:{self.direction}:{self.strength:g}:{kept}:{changes_text(self.changes)}:{self.start}"


Source = Sample | GalleryImage | Upload | Edit


def changes_text(changes: Iterable[tuple[int, float]]) -> str:
    """Changed components as they stand in a link."""
    return "~".join(f"{i + 1}_{round(100 * value)}" for i, value in changes)


def parse_changes(text: str) -> tuple[tuple[int, float], ...]:
    """The changed components, from 0, that a text in a link stands for.

    Raises:
        SourceError: it does not read as it must, names a number twice or too many.
    """
    pieces = text.split("~") if text else []
    found = [re.fullmatch(r"([1-9]\d{0,3})_(-?\d{1,3})", piece, re.ASCII) for piece in pieces[:MAX_CHANGES]]
    changes = {int(match[1]) - 1: int(match[2]) / 100 for match in found if match}
    if len(changes) != len(pieces):
        raise SourceError(
            f"“{_short(text)}” are no changes of a latent: they are written as in 17_-31~4_80, which sets number 17 to "
            f"\N{MINUS SIGN}0.31 and number 4 to 0.80, each number once and {MAX_CHANGES} of them at most."
        )
    return tuple(changes.items())


def innermost(source: Source) -> Source:
    """What an edit began with, through all edits; of anything else, itself."""
    return innermost(source.start) if isinstance(source, Edit) else source


def is_local(source: Source) -> bool:
    """Whether only the session that has a person's picture or selections can resolve it."""
    return isinstance(innermost(source), Upload) or needs_selections(source)


def needs_selections(source: Source) -> bool:
    """Whether it is an edit that leads, or starts from one that leads, from one selection to another."""
    if not isinstance(source, Edit):
        return False
    return source.direction == BETWEEN_SELECTIONS or needs_selections(source.start)


def parse_source(text: str) -> Source:
    """The source that a text in a link stands for.

    Raises:
        SourceError: it is not one.
    """
    if match := re.fullmatch(r"sample:(\d{1,10}):(\d{1,3}):([\d.]{1,8})", text, re.ASCII):
        seed, index = int(match[1]), int(match[2])
        truncation = float(match[3]) if re.fullmatch(r"\d+\.?\d*", match[3], re.ASCII) else -1.0
        if seed <= MAX_SEED and index < MAX_SAMPLES and MIN_TRUNCATION <= truncation <= 1:
            return Sample(seed, index, truncation)
    if match := re.fullmatch(r"gallery:([\w.-]{1,100})", text):
        return GalleryImage(match[1])
    if match := re.fullmatch(rf"upload:([0-9a-f]{{{HASH_DIGITS}}}):([a-z0-9.-]{{1,40}})", text, re.ASCII):
        with contextlib.suppress(ValueError):
            return Upload(match[1], parse_preparation(match[2]))
    pattern = r"edit:([a-z0-9-]{0,32}):(-?\d(?:\.\d)?):(free|inside):([\d_~-]*):(.+)"
    if len(text) <= MAX_EDIT_CHARACTERS and (match := re.fullmatch(pattern, text, re.ASCII)):
        strength, inside, changes = float(match[2]), match[3] == "inside", parse_changes(match[4])
        if abs(strength) <= MAX_STRENGTH:
            return Edit(parse_source(match[5]), match[1], strength, inside, changes)
    hint = _HINTS.get(text.partition(":")[0], _HINTS[""])
    raise SourceError(f"“{_short(text)}” is no source of an image: {hint}.")


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}\N{HORIZONTAL ELLIPSIS}"
