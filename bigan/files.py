"""Small rules for the files of a checkpoint folder: read within limits, written beside and renamed."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

# Beside the weights and the records (see bigan.checkpoint and bigan.records)
GALLERY_FILE, PROJECTION_FILE, CARD_FILE = "gallery.npz", "projection.npz", "README.md"


class CheckpointError(ValueError):
    """A checkpoint that is not there, or is not what it should be. One sentence for the person who asked for it."""


def checked_file(path: Path, max_bytes: int) -> Path:
    """The path itself, once it is known to be a plain file of its folder and not too large.

    A link must stay within its folder; the Hub's own cache, which keeps contents in `blobs` beside `snapshots`, may
    link to those.

    Raises:
        CheckpointError: it is missing, leads elsewhere, is no plain file, or is larger than max_bytes.
    """
    folder = path.parent.resolve()
    homes = [folder, folder.parent.parent / "blobs"] if folder.parent.name == "snapshots" else [folder]
    try:
        target = path.resolve()
        if not path.exists():
            raise CheckpointError(f"The checkpoint '{path.parent}' has no {path.name}.")
        if not any(target.is_relative_to(home) for home in homes):
            raise CheckpointError(
                f"In the checkpoint '{path.parent}', {path.name} is a link that leads out of the folder; it must be "
                "a file of that folder."
            )
        if not target.is_file():
            raise CheckpointError(f"In the checkpoint '{path.parent}', {path.name} must be a plain file.")
        size = target.stat().st_size
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise CheckpointError(f"In the checkpoint '{path.parent}', {path.name} cannot be read.") from error
    if size > max_bytes:
        raise CheckpointError(
            f"In the checkpoint '{path.parent}', {path.name} has {size} bytes; it must have at most {max_bytes}."
        )
    return path


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """A small file's bytes.

    Raises:
        CheckpointError: as `checked_file`, or it cannot be read.
    """
    try:
        return checked_file(path, max_bytes).read_bytes()
    except OSError as error:
        raise CheckpointError(f"In the checkpoint '{path.parent}', {path.name} cannot be read.") from error


def write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file beside the path, and rename it to the path once it is safely on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    beside = Path(name)
    beside.unlink()  # made anew below, with the permissions a person's files have
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a small text file as `write_file` does."""
    write_file(path, lambda file: file.write(text.encode()))


def sync_folder(folder: Path) -> None:
    """Make renames within a folder last, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
