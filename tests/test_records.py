"""Metrics, history and replay come back as they were written, or say what is wrong with them."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from bigan import records
from bigan.arrays import write_arrays
from bigan.checkpoint import CheckpointError
from bigan.config import RECIPES

Refused = Callable[[str], AbstractContextManager[pytest.ExceptionInfo[CheckpointError]]]
CONFIG = RECIPES["tiny"].model
METRICS = {"dataset": "mnist", "metrics": {"NNC_e-": {"value": 97.31, "unit": "%", "interval": [96.98, 97.61]}}}


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, to be changed."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "places" / "copy"))


def test_what_is_not_there_is_none(folder: Path) -> None:
    assert records.read_metrics(folder) is None
    assert records.read_train(folder) is None
    assert records.read_replay(folder) is None
    assert records.read_history(folder) == []


def test_metrics_and_train_are_read(folder: Path) -> None:
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    (folder / "train.json").write_text('{"recipe": "tiny"}')
    assert records.read_metrics(folder) == METRICS
    assert records.read_train(folder) == {"recipe": "tiny"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"metrics": []}', '{"metrics": {"JD": 0.1}}', '{"metrics": {"JD": {"value": "low"}}}',
     '{"metrics": {"JD": {"value": NaN}}}', '{"metrics": {"JD": {"value": 1e999}}}',
     '{"metrics": {"JD": {"value": 1, "interval": [0]}}}', '{"metrics": {"JD": {"value": 1' + "0" * 400 + "}}}"],
)  # fmt: skip
def test_broken_metrics_are_one_sentence(text: str, folder: Path, refused: Refused) -> None:
    (folder / "metrics.json").write_text(text)
    with refused(str(folder)):
        records.read_metrics(folder)


def test_history_leaves_empty_cells_out(folder: Path) -> None:
    (folder / "history.csv").write_text("epoch,JD,EGr\n0,,13.6\n1,0.42,\n")
    assert records.read_history(folder) == [{"epoch": 0, "EGr": 13.6}, {"epoch": 1, "JD": 0.42}]


@pytest.mark.parametrize(
    "content", [b"", b"epoch\n1,2\n", b"epoch\none\n", b"epoch\nnan\n", b"epoch\n\xff\n", b'epoch\n"1\n']
)
def test_broken_history_is_one_sentence(content: bytes, folder: Path, refused: Refused) -> None:
    (folder / "history.csv").write_bytes(content)
    with refused(str(folder)):
        records.read_history(folder)


def replay_arrays(**changes: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 4, *CONFIG.image_shape), dtype=np.uint8)
    known = {
        "epochs": np.array([0, 1, 8]),
        "generated": pictures,
        "originals": pictures[0, :2],
        "reconstructed": pictures[:, :2],
        "latents": rng.uniform(-1, 1, (3, 5, CONFIG.latent_dim)).astype(np.float16),
        "ids": np.array(["a", "b", "c", "dd", "e"]),
    }
    return known | changes


def test_replay_comes_back_as_it_was_written(folder: Path) -> None:
    arrays = replay_arrays()
    write_arrays(folder / "replay.npz", **arrays)
    replay = records.read_replay(folder)
    assert replay is not None and replay.ids == ("a", "b", "c", "dd", "e")
    for name in set(arrays) - {"ids"}:
        np.testing.assert_array_equal(getattr(replay, name), arrays[name], strict=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": np.arange(2)},
        {"epochs": np.arange(3.0)},
        {"ids": np.array(["a"])},
        {"ids": np.arange(5)},
        {"latents": np.full((3, 5, CONFIG.latent_dim), np.nan, np.float16)},
        {"latents": np.zeros((3, 5, CONFIG.latent_dim + 1), np.float16)},
        {"originals": np.zeros((2, 1, 27, 28), np.uint8)},
        {"generated": np.zeros((3, 4, 28, 28), np.uint8)},
        {"reconstructed": np.zeros((3, 1, *CONFIG.image_shape), np.uint8)},
    ],
)
def test_replay_that_does_not_fit_is_one_sentence(
    changes: dict[str, np.ndarray], folder: Path, refused: Refused
) -> None:
    write_arrays(folder / "replay.npz", **replay_arrays(**changes))
    with refused(str(folder)):
        records.read_replay(folder)
