"""Each row of the benchmark that needs a browser finds what it presses, on a tiny model."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bigan.benchmark import Row, explorer
from bigan.checkpoint import DEFAULT_NAME


@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        (lambda: explorer.click(2), "ms"),
        (lambda: explorer.lasso(200, 2), "ms"),
        (lambda: explorer.pan(200, 2), "frames/s"),
        (lambda: explorer.scrub(2), "ms"),
        (lambda: explorer.stroke(3), "ms"),
        (lambda: explorer.uploads(2), "ms"),
        (lambda: explorer.sessions(2, 2), "ms"),
        (lambda: explorer.growth(4, 2), "MB"),
    ],
    ids=["click", "lasso", "pan", "scrub", "stroke", "uploads", "sessions", "growth"],
)
def test_a_row_finds_what_it_presses(
    measure: Callable[[], Row],
    unit: str,
    mapped_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(mapped_checkpoint, tmp_path / DEFAULT_NAME)
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    row = measure()
    assert row.value is not None and row.unit == unit and row.hold is not None
    assert "0 messages" in row.note if row.name == "scrub" else row.note
