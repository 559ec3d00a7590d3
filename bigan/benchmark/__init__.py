"""The numbers to hold: speed and memory, each measured by a function of its own that can run alone.

Every comparison is made within one run, its sides taking turns, since machines differ and are never quite idle.
Nothing here imports torch before a row is measured.
"""

import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bigan.benchmark.browser import BrowserError

# Name of a row -> module and function that measure it, with default sizes
ROWS = {
    "start": ("app", "start"),
    "samples": ("app", "samples"),
    "reconstruct": ("app", "reconstruct"),
    "rivals": ("app", "rivals"),
    "disagreements": ("app", "disagreements"),
    "map": ("app", "map_page"),
    "training": ("training", "training"),
    "matrix-products": ("training", "matrix_products"),
    "nearest-neighbours": ("search", "nearest_neighbours"),
    "memory": ("app", "memory"),
    "click": ("explorer", "click"),
    "lasso": ("maps", "lasso"),
    "large-map": ("maps", "large_map"),
    "pan": ("maps", "pan"),
    "scrub": ("explorer", "scrub"),
    "stroke": ("explorer", "stroke"),
    "uploads": ("explorer", "uploads"),
    "descent": ("explorer", "descent"),
    "sessions": ("explorer", "sessions"),
    "growth": ("explorer", "growth"),
    "scripts": ("explorer", "scripts"),
    "evaluate": ("evaluation", "evaluate"),
    "objectives": ("evaluation", "objectives"),
}
# Name of a group -> its rows
GROUPS = {
    "explorer": (
        "click", "lasso", "large-map", "pan", "scrub", "stroke", "uploads", "descent", "sessions", "growth", "scripts",
    ),
    "evaluation": ("nearest-neighbours", "evaluate", "objectives", "rivals", "disagreements"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One measured number."""

    name: str
    value: float | None
    """None where it could not be measured; the note says why."""
    unit: str
    hold: str | None = None
    """What it should be, such as "<= 5"."""
    holds: bool | None = None
    """Whether it is; None where there is nothing to hold here."""
    note: str = ""

    @property
    def figure(self) -> str:
        """Value and unit for a table."""
        return "-" if self.value is None else f"{self.value:.3g} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, str | float | bool | None]:
        """Plain JSON values."""
        return dict(vars(self))


def rows_of(names: Sequence[str]) -> list[str]:
    """The rows that these names of rows and groups ask for, each once, in the order asked for; all for no names."""
    return list(dict.fromkeys(row for name in names or ROWS for row in GROUPS.get(name, (name,))))


def measure(name: str) -> Row:
    """Measure one of ROWS. What goes wrong on the way becomes a row that does not hold.

    A row that needs a browser says nothing about holding where there is none.

    Raises:
        ValueError: no such row.
    """
    if name not in ROWS:
        raise ValueError(f"No row is called {name!r}; there are {', '.join(ROWS)}.")
    module, function = ROWS[name]
    try:
        row: Row = getattr(importlib.import_module(f"{__name__}.{module}"), function)()
        return row
    except BrowserError as error:
        return Row(name, None, "", note=str(error))
    except Exception as error:  # whatever it is, the other rows are still wanted
        return Row(name, None, "", holds=False, note=f"failed: {' '.join(str(error).split())[:200]}")


def at_most(name: str, value: float, unit: str, limit: float, note: str = "", *, also: bool = True) -> Row:
    """A row that holds up to a limit, and only if something else is true too."""
    return Row(name, value, unit, f"<= {limit:g}", value <= limit and also, note)


def at_least(name: str, value: float, unit: str, limit: float, note: str = "", *, also: bool = True) -> Row:
    """A row that holds from a limit on, and only if something else is true too."""
    return Row(name, value, unit, f">= {limit:g}", value >= limit and also, note)


def take_turns(num_rounds: int, *turns: Callable[[], object]) -> list[list[float]]:
    """Seconds of every turn in every round, after a first round that does not count."""
    seconds: list[list[float]] = [[] for _ in turns]
    for round_index in range(num_rounds + 1):
        for turn, taken in zip(turns, seconds, strict=True):
            started = time.perf_counter()
            turn()
            if round_index:
                taken.append(time.perf_counter() - started)
    return seconds


def percentile_95(seconds: Sequence[float]) -> float:
    """The 95th percentile, by the inclusive method."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]
