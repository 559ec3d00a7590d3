"""What was tried for our own recipe beyond Table 1, read from the file that `scripts.attempts` writes."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bigan.ui import benchmarks

FILE = "attempts.json"
RECIPE = "mnist-best"
COMMAND = "python -m scripts.attempts RUNS"
METRICS = {"NNC_e-": "{:.2f} %", "NNC_e": "{:.2f} %", "EGr/EGr_b": "{:.3f}", "NND": "{:.2f}", "JD": "{:.3f}"}
HEADER = ("what was tried", *METRICS)


@dataclass(frozen=True)
class Attempt:
    """One training, and what it scores on held-out digits."""

    why: str
    """What sets it apart from the others."""
    command: str
    metrics: dict[str, float]
    """By the names of `METRICS`."""


def attempts() -> list[Attempt]:
    """All attempts in the order of the file; none without one.

    Raises:
        ValueError: the file is broken.
    """
    file = next((place / FILE for place in benchmarks.PLACES if (place / FILE).is_file()), None)
    if file is None:
        return []
    try:
        return list(_read(json.loads(file.read_text(encoding="utf-8"))))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{FILE} is broken: write it again with `{COMMAND}`.") from None


def _read(values: dict[str, Any]) -> Iterator[Attempt]:
    for value in values.values():
        metrics = {name: float(value["metrics"][name]) for name in METRICS}
        yield Attempt(str(value["why"]), str(value["command"]), metrics)


def finding(found: Sequence[Attempt]) -> str:
    """Which attempt classifies best, and which brings images back best; plain text."""
    sorts = max(found, key=lambda one: one.metrics["NNC_e-"])
    returns = min(found, key=lambda one: one.metrics["EGr/EGr_b"])
    figures = f"NNC_e- {_figure(sorts, 'NNC_e-')}", f"EGr/EGr_b {_figure(returns, 'EGr/EGr_b')}"
    count = f"{len(found)} attempts"
    if sorts is returns:
        return f"Best of {count} in both, classifying and bringing back: {sorts.why} ({', '.join(figures)})."
    return (
        f"Of {count}, the best at classifying is: {sorts.why} ({figures[0]}); the best at bringing images back: "
        f"{returns.why} ({figures[1]})."
    )


def cells(one: Attempt) -> list[str]:
    """The attempt as text, in the order of `HEADER`."""
    return [one.why, *(_figure(one, name) for name in METRICS)]


def _figure(one: Attempt, name: str) -> str:
    return METRICS[name].format(one.metrics[name])
