"""`python -m bigan benchmark`: the numbers to hold, measured here and now."""

from dataclasses import dataclass
from typing import Literal

import tyro

from bigan.benchmark import measure, rows_of
from bigan.cli.command import Answer, Command, table, tell

RowName = Literal[
    "start", "samples", "reconstruct", "rivals", "disagreements", "map", "training", "matrix-products",
    "nearest-neighbours", "memory", "click", "lasso", "large-map", "pan", "scrub", "stroke", "uploads", "descent",
    "sessions", "growth", "scripts", "evaluate", "objectives", "explorer", "evaluation",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Benchmark(Command):
    """Measure speed and memory against the numbers to hold. All rows take half an hour on an idle machine."""

    names: tyro.conf.Positional[tuple[RowName, ...]] = ()
    """Which rows, or groups of them (explorer, evaluation); all if none is named."""

    def run(self) -> Answer:
        """Measure one row after the other."""
        rows = []
        for name in rows_of(self.names):
            tell(f"Measuring {name}.")
            rows.append(measure(name))
        cells = [
            [row.name, row.figure, row.hold or "-", {True: "yes", False: "no", None: "-"}[row.holds], row.note]
            for row in rows
        ]
        return Answer([row.to_dict() for row in rows], table(("what", "value", "hold", "holds", "note"), cells))
