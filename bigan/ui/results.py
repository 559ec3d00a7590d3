"""A checkpoint's measured numbers in words, beside what the paper and its authors' log report."""

from collections.abc import Mapping, Sequence
from typing import Any

from bigan.config import ModelConfig
from bigan.evaluation import paper
from bigan.kinds import EXTENDED
from bigan.ui.loaders import OpenCheckpoint

Metrics = Mapping[str, Any]
CARD_METRICS = ("NNC_e-", "NNC_d", "EGr/EGr_b", "NND")
_CARD_WORDS = {
    "NNC_e-": "of unseen images have the class of their nearest neighbour in E's features",
    "NNC_d": "of unseen images have the class of their nearest neighbour in D's features",
    "EGr/EGr_b": "distance from x to G(E(x)), relative to another image's; 0 is exact",
    "NND": "pixel distance from an unseen image to the nearest of 100,000 samples",
}


def _number(value: float, unit: str) -> str:
    return f"{value:.2f} %" if unit == "%" else f"{value:.3g}"


def _beside(one: OpenCheckpoint, name: str, protocol: str) -> str:
    figure = paper.published(one.config.dataset, one.kind.row, name, protocol)
    if figure is None:
        return "no published figure for these data" if one.config.is_bigan else ""
    origin = "the paper" if figure.source == paper.TABLE_1 else "the authors' log"
    if one.kind is EXTENDED:
        origin += "'s BiGAN" if figure.source == paper.TABLE_1 else " of a BiGAN"
    if figure.protocol != protocol:
        origin += f" ({figure.protocol})"
    return f"{origin}: {_number(figure.value, figure.unit)}"


def cards(metrics: Metrics, one: OpenCheckpoint) -> list[tuple[str, str, str]]:
    """The few numbers of a checkpoint's card: (number, what it is, what was published of its kind)."""
    measured, protocol = metrics["metrics"], metrics["protocol"]
    return [
        (
            _number(measured[name]["value"], measured[name]["unit"]),
            f"{name}: {_CARD_WORDS[name]}",
            _beside(one, name, protocol),
        )
        for name in card_terms(metrics)
    ]


def card_terms(metrics: Metrics) -> list[str]:
    """The metrics on a checkpoint's card, for the glossary."""
    return [name for name in CARD_METRICS if name in metrics["metrics"]]


def protocol_words(metrics: Metrics) -> str:
    """How the numbers were measured."""
    held_out = "the test set" if metrics["protocol"] == "test" else "a sixth of the training set, held out"
    return f"Measured on {held_out} of {metrics['dataset']}, seed {metrics['seed']}."


def table(metrics: Metrics, one: OpenCheckpoint) -> dict[str, list[str]]:
    """All numbers, as columns."""
    names = list(metrics["metrics"])
    entries = [metrics["metrics"][name] for name in names]
    intervals = [entry.get("interval") for entry in entries]
    return {
        "metric": names,
        "here": [_number(entry["value"], entry["unit"]) for entry in entries],
        "unit": [entry["unit"] for entry in entries],
        "95 % interval": [f"{interval[0]:.2f} to {interval[1]:.2f}" if interval else "" for interval in intervals],
        "published": [_beside(one, name, metrics["protocol"]) for name in names],
        "what it is": [paper.MEANINGS.get(name, "") for name in names],
    }


def side_by_side(measured: Sequence[tuple[str, ModelConfig, Metrics]]) -> tuple[list[str], list[list[str]]]:
    """The numbers of several checkpoints beside each other, as the header and the rows of a table.

    Args:
        measured: name, config and numbers of each.
    """
    known = [metrics["metrics"] for _, _, metrics in measured]
    names = [name for name in paper.MEANINGS if any(name in metrics for metrics in known)]
    names += sorted({name for metrics in known for name in metrics} - set(names))
    rows = []
    for name in names:
        values = (_with_interval(metrics.get(name)) for metrics in known)
        rows.append([name, *values, _apart(name, known), paper.MEANINGS.get(name, "")])
    return ["metric", *(name for name, _, _ in measured), "95 % intervals", "what it is"], rows


def _with_interval(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "not measured"
    shown = _number(entry["value"], entry["unit"])
    if interval := entry.get("interval"):
        return f"{shown} ({interval[0]:.2f} to {interval[1]:.2f})"
    return shown


def _apart(name: str, known: Sequence[Mapping[str, Any]]) -> str:
    """Whether two intervals overlap."""
    intervals = [metrics[name]["interval"] for metrics in known if metrics.get(name, {}).get("interval")]
    if len(intervals) != 2:
        return ""
    (low, high), (other_low, other_high) = intervals
    return "overlap" if low <= other_high and other_low <= high else "apart"


def reconstruction_ratio(row: Mapping[str, float]) -> float | None:
    """EGr / EGr_b of one row of a training's history, where it was evaluated."""
    if not row.get("EGr") or not row.get("EGr_b"):
        return None
    return row["EGr"] / row["EGr_b"]
