"""Many files of a person at once, prepared and reported on together."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bigan.explore.reconstruction import GalleryIndex, ReconstructionReport, reports
from bigan.images import ImageError, Source
from bigan.models.bigan import BiGAN
from bigan.preparation import Preparation

MAX_UPLOADS = 64
COLUMNS = (
    "distance", "ratio", "percentile", "off_prior_share", "encoder_pair_logit", "reconstruction_pair_logit", "is_far",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    report: ReconstructionReport | None
    """What the model makes of it; None where the file cannot be used."""
    problem: str = ""
    """Why it cannot, in a sentence."""

    @property
    def row(self) -> dict[str, str | float | bool | None]:
        """The same as numbers for a table, the report's own names as columns; None where there is nothing."""
        numbers = {column: getattr(self.report, column, None) for column in COLUMNS}
        return {"name": self.name, **numbers, "problem": self.problem}


def reconstruct_many(
    model: BiGAN, files: Sequence[tuple[str, Source]], index: GalleryIndex, mode: Preparation | str = "plain"
) -> tuple[Outcome, ...]:
    """What the model makes of each of some files, best reconstructed first; then the unusable ones, as they came.

    Args:
        model: the one the index was made with.
        files: names, as a person should read them, and contents: at most MAX_UPLOADS.
        index: of the gallery to compare with.
        mode: how they are prepared (see `preparation.prepare`).

    Raises:
        ValueError: too many files.
    """
    if len(files) > MAX_UPLOADS:
        raise ValueError(f"There are {len(files)} files; at most {MAX_UPLOADS} are taken at once.")
    prepared, unusable = [], []
    for name, source in files:
        try:
            prepared.append((name, model.prepare(source, mode)))  # (1, C, H, W)
        except ImageError as error:
            unusable.append(Outcome(name, None, str(error)))
    if not prepared:
        return tuple(unusable)
    names, xs = zip(*prepared, strict=True)
    found = zip(names, reports(model, torch.cat(xs), index), strict=True)
    usable = [Outcome(name, report) for name, report in sorted(found, key=lambda one: one[1].distance)]
    return (*usable, *unusable)
