"""Where an image and its latent come from, as a short text that fits into a link.

sample:SEED:INDEX:TRUNCATION    z drawn from the prior, x = G(z)
gallery:ID                      a real image of the checkpoint's gallery, z = E(x)
upload:HASH:PREPARATION         a person's own picture, z = E(x); only who has the picture can resolve it
"""

import contextlib
import re
from dataclasses import dataclass

from bigan.config import MAX_SEED
from bigan.preparation import AS_IT_IS, Preparation, parse_preparation

MAX_SAMPLES = 100
HASH_DIGITS = 12


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


Source = Sample | GalleryImage | Upload


def parse_source(text: str) -> Source:
    """The source that a text in a link stands for.

    Raises:
        SourceError: it is not one.
    """
    if match := re.fullmatch(r"sample:(\d{1,10}):(\d{1,3}):([\d.]{1,8})", text, re.ASCII):
        seed, index = int(match[1]), int(match[2])
        truncation = float(match[3]) if re.fullmatch(r"\d+\.?\d*", match[3], re.ASCII) else -1.0
        if seed <= MAX_SEED and index < MAX_SAMPLES and 0 < truncation <= 1:
            return Sample(seed, index, truncation)
    if match := re.fullmatch(r"gallery:([\w.-]{1,100})", text):
        return GalleryImage(match[1])
    if match := re.fullmatch(rf"upload:([0-9a-f]{{{HASH_DIGITS}}}):([a-z0-9.-]{{1,40}})", text, re.ASCII):
        with contextlib.suppress(ValueError):
            return Upload(match[1], parse_preparation(match[2]))
    raise SourceError(
        f"{text[:60]!r} is no source of an image; it must read sample:SEED:INDEX:TRUNCATION, gallery:ID or "
        "upload:HASH:PREPARATION."
    )
