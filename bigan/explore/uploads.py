"""Many files of a person at once, as rows of a table."""

from dataclasses import dataclass

from bigan.explore.reconstruction import ReconstructionReport

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
