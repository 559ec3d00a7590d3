"""`python -m bigan benchmark`: the numbers to hold, measured here and now."""

from dataclasses import dataclass
from typing import Literal

import tyro

from bigan.benchmark import ROWS, measure
from bigan.cli.command import Answer, Command, table, tell

RowName = Literal[
    "start", "samples", "reconstruct", "map", "training", "matrix-products", "nearest-neighbours", "memory"
]


@dataclass(frozen=True, kw_only=True)
class Benchmark(Command):
    """Measure speed and memory against the numbers to hold. All rows take some minutes on an idle machine."""

    names: tyro.conf.Positional[tuple[RowName, ...]] = ()
    """Which rows; all if none is named."""

    def run(self) -> Answer:
        """Measure one row after the other."""
        rows = []
        for name in self.names or ROWS:
            tell(f"Measuring {name}.")
            rows.append(measure(name))
        cells = [
            [row.name, row.figure, row.hold or "-", {True: "yes", False: "no", None: "-"}[row.holds], row.note]
            for row in rows
        ]
        return Answer([row.to_dict() for row in rows], table(("what", "value", "hold", "holds", "note"), cells))
