"""Table 1 as it was measured: a JSON file for its figures, and beside it an array file with every single answer.

Shapes: R rows, Q queries.
"""

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, UInt8

from bigan.arrays import read_arrays, write_arrays
from bigan.evaluation.nearest_neighbour import Accuracy
from bigan.evaluation.paper import TABLE_1_ACCURACY, Published
from bigan.evaluation.representation import Answers
from bigan.evaluation.rows import REFERENCE, ROWS, RowName
from bigan.evaluation.significance import mcnemar
from bigan.files import CheckpointError, write_text
from bigan.records import is_finite_number, read_json

ARRAYS = {"names": ("str", 1), "labels": ("uint8", 1), "predicted": ("uint8", 2), "neighbours": ("int32", 2)}
FACTS = ("seed", "epochs", "weights_sha256", "training", "evaluation")  # of a row, beside what follows from its answers
SEED_MARK = "-seed-"  # "bigan-seed-43" is the row "bigan" from another seed


@dataclass(frozen=True)
class Table1:
    """The rows measured so far, all on the same queries."""

    settings: Mapping[str, Any]
    """What all rows have in common: protocol, data set, sizes and epochs."""
    labels: UInt8[np.ndarray, " Q"]
    """The queries' classes."""
    facts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Row -> how it was made: seed, epochs, weights, training and evaluation."""
    answers: Mapping[str, Answers] = field(default_factory=dict)
    """Row -> its answers. Neighbours are indices into the protocol's training images."""

    @property
    def names(self) -> tuple[str, ...]:
        """The rows there are, in the table's order; further seeds of a row come last, by seed."""
        return tuple(sorted(self.answers, key=_place))

    def with_row(self, name: str, facts: dict[str, Any], answers: Answers) -> "Table1":
        """The same with one row more, or another in its place."""
        return replace(self, facts={**self.facts, name: facts}, answers={**self.answers, name: answers})

    def correct(self, name: str) -> Bool[np.ndarray, " Q"]:
        """Which queries a row got right."""
        return self.answers[name].predicted == self.labels

    def accuracy(self, name: str) -> Accuracy:
        """How many those are."""
        return Accuracy(int(self.correct(name).sum()), len(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """The content of the JSON file: all figures, those published, and every difference to the BiGAN."""
        return {**self.settings, "rows": [self._row(name) for name in self.names], "spread": self._spread()}

    def _row(self, name: str) -> dict[str, Any]:
        base, seed = name_parts(name)
        row, accuracy = ROWS[base], self.accuracy(name)
        return {
            "name": name,
            "title": f"{row.title} (seed {seed})" if seed else row.title,
            "what": row.what,
            "features": row.features,
            "recipe": row.recipe,
            "accuracy": accuracy.percent,
            "interval": list(accuracy.interval),
            "num_correct": accuracy.num_correct,
            "published": [vars(figure) for figure in self._published(name)],
            "to_bigan": self._difference(name),
            **self.facts[name],
        }

    def _published(self, name: str) -> tuple[Published, ...]:
        """What others measured on this data set."""
        return TABLE_1_ACCURACY.get(name, ()) if self.settings["dataset"] == "mnist" else ()

    def _difference(self, name: str) -> dict[str, Any] | None:
        """How a row differs from the BiGAN on the same queries, in percentage points and by McNemar's test."""
        if name == REFERENCE or REFERENCE not in self.answers:
            return None
        found = mcnemar(self.correct(name), self.correct(REFERENCE))
        return {
            "points": 100 * (found.only_first - found.only_second) / len(self.labels),
            "only_this_correct": found.only_first,
            "only_bigan_correct": found.only_second,
            "p_value": found.p_value,
        }

    def _spread(self) -> dict[str, Any] | None:
        """Mean and standard deviation of the BiGAN's accuracy over seeds, in percent, once there are two."""
        names = [name for name in self.names if name_parts(name)[0] == REFERENCE]
        if len(names) < 2:
            return None
        values = [self.accuracy(name).percent for name in names]
        return {
            "seeds": [self.facts[name]["seed"] for name in names],
            "mean": statistics.mean(values),
            "standard_deviation": statistics.stdev(values),
        }


def seeded(name: str, seed: int) -> str:
    """The name of a row from another seed."""
    return f"{name}{SEED_MARK}{seed}"


def name_parts(name: str) -> tuple[RowName, int | None]:
    """The row that a name says, and the other seed, where it says one; undoes `seeded`.

    Raises:
        ValueError: there is no such row.
    """
    base, mark, seed = name.partition(SEED_MARK)
    if base not in ROWS or (mark and not seed.isdecimal()):
        raise ValueError(f"{name!r} is no row of the table; it must be one of {', '.join(ROWS)}.")
    return cast(RowName, base), int(seed) if mark else None


def run_name(recipe: str, seed: int | None) -> str:
    """What a training of a recipe from another seed than its own is called, as a folder of runs or a checkpoint."""
    return recipe if seed is None else seeded(recipe, seed)


def save_table(table: Table1, path: Path) -> None:
    """Write the figures to a .json file, and the answers to the .npz file of the same name."""
    answers = [table.answers[name] for name in table.names]
    write_arrays(
        path.with_suffix(".npz"),
        names=np.array(table.names),
        labels=table.labels,
        predicted=np.stack([a.predicted for a in answers]),
        neighbours=np.stack([a.neighbours for a in answers]),
    )
    write_text(path, json.dumps(table.to_dict(), indent=2, allow_nan=False) + "\n")


def load_table(path: Path) -> Table1 | None:
    """The table at a path, or None where there is none.

    A row whose answers are not those of its figures is left out: its writing was interrupted.

    Raises:
        CheckpointError: a file is broken.
    """
    try:
        document = read_json(path.parent, path.name)
        if document is None:
            return None
        arrays = read_arrays(path.with_suffix(".npz"), ARRAYS)
    except CheckpointError as error:
        raise CheckpointError(
            f"{path}, or {path.with_suffix('.npz').name} beside it, is broken or missing; delete both to measure "
            "again, or name another file."
        ) from error
    names, predicted, neighbours = (arrays[key] for key in ("names", "predicted", "neighbours"))
    if not predicted.shape == neighbours.shape == (len(names), len(arrays["labels"])) or predicted.size == 0:
        raise CheckpointError(f"The arrays beside {path} do not fit each other; delete both to measure again.")
    answers = {str(name): Answers(*row) for name, *row in zip(names, neighbours, predicted, strict=True)}
    try:
        rows = {row["name"]: row for row in document.pop("rows")}
        document.pop("spread")
        counts = {name: row["num_correct"] for name, row in rows.items()}
        if not all(map(is_finite_number, counts.values())):
            raise ValueError("a row without its count")
        for name in rows:
            name_parts(name)
        facts = {name: {key: row[key] for key in FACTS} for name, row in rows.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a table that `reproduce table1` wrote; delete it to measure again."
        ) from error
    table = Table1(document, arrays["labels"], facts, answers)
    kept = {name: a for name, a in answers.items() if name in rows and table.accuracy(name).num_correct == counts[name]}
    return replace(table, facts={name: facts[name] for name in kept}, answers=kept)


def _place(name: str) -> tuple[int, int]:
    base, seed = name_parts(name)
    return ([*ROWS].index(base), 0) if seed is None else (len(ROWS), seed)
