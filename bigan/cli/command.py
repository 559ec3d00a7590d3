"""What all commands share: the --json option, the answer in two forms, tables, and the way to standard error.

Nothing here or at the top of a command's file imports torch: help must answer at once.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from bigan.models.bigan import BiGAN

NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?( %)?|-|")  # a cell of a column that is aligned to the right
ENLARGEMENT = 4  # of pictures written to files, a whole factor

FolderOption = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]
FileOption = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
OutFile = Annotated[Path, tyro.conf.arg(metavar="FILE")]
CheckpointName = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="CHECKPOINT")]]
PreparationOption = Literal["plain", "digit"]  # preparation.Mode, without importing torch


@dataclass(frozen=True)
class Answer:
    """What a command found."""

    document: Any
    """Plain JSON values, for programs."""
    text: str
    """The same for people."""
    failed: bool = False
    """Part of what was asked could not be done."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command: its fields are its options, `run` does it."""

    json: bool = False
    """Print one JSON document instead of a table."""

    def run(self) -> Answer | None:
        """Do it. Progress goes to standard error.

        Raises:
            ValueError: one sentence that says what was wrong.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ModelCommand(Command):
    """A command that asks the model of a checkpoint."""

    name: CheckpointName
    """A checkpoint's name, its folder, or its id on the Hugging Face Hub."""
    device: str = "cpu"
    """What computes: "cpu", "cuda" or another of PyTorch's devices."""

    def load(self) -> "tuple[Path, BiGAN]":
        """The checkpoint's folder, and its model on the device.

        Raises:
            ValueError: no such checkpoint, or no such device here.
        """
        from bigan import checkpoint

        folder = checkpoint.find(self.name)
        return folder, checkpoint.load(folder, self.device)


def tell(message: str) -> None:
    """Say something to the person, past the answer."""
    print(message, file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; those that hold only numbers are aligned to the right."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    numeric = [all(NUMBER.fullmatch(cell) for cell in column[1:]) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def check_kind(path: Path, *suffixes: str) -> None:
    """Refuse a file to write that has none of these endings, before any work is done for it."""
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"out is {str(path)!r}; it must end in {' or '.join(suffixes)}.")


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Refuse a count outside its range, before any work is done for it."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; it must be {low} to {high}.")
