"""Rows of the benchmark that need a browser find what they press, on a tiny model; `make benchmark` runs them all."""

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
        (lambda: explorer.scrub(2), "ms"),
    ],
    ids=["click", "scrub"],
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
