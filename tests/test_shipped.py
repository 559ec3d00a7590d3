"""What ships says of itself what it is: cards, measured numbers and maps belong to the weights beside them."""

from pathlib import Path

import pytest

from bigan import checkpoint
from bigan.card import card_text
from bigan.evaluation.report import weights_sha256
from bigan.evaluation.rows import ROWS
from bigan.evaluation.table1 import load_table
from bigan.explore.projection import load_projection
from bigan.records import read_metrics
from bigan.ui import attempts, benchmarks

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "checkpoints").glob("*/config.json"))
TABLE = ROOT / "results" / "table1.json"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAX_BYTES = 150_000_000  # of all checkpoints together

every_checkpoint = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


@every_checkpoint
def test_the_card_is_what_the_files_beside_it_say(folder: Path) -> None:
    assert (folder / "README.md").read_text(encoding="utf-8") == card_text(folder)


@every_checkpoint
def test_numbers_and_maps_were_made_with_these_weights(folder: Path) -> None:
    digest, metrics, projection = weights_sha256(checkpoint.load(folder)), read_metrics(folder), load_projection(folder)
    assert metrics is not None and metrics["weights_sha256"] == digest and metrics["protocol"] == "test"
    assert projection is None or projection.weights_sha256 == digest


@every_checkpoint
def test_the_index_and_the_readme_name_it(folder: Path) -> None:
    index = (ROOT / "checkpoints" / "README.md").read_text(encoding="utf-8")
    assert f"[{folder.name}]({folder.name}/README.md)" in index
    assert f"| `{folder.name}` |" in README


def test_the_rows_of_the_table_were_measured_on_the_weights_that_ship() -> None:
    table = load_table(TABLE)
    assert table is not None
    shipped = {folder.name: weights_sha256(checkpoint.load(folder)) for folder in FOLDERS}
    for name, row in ROWS.items():
        if name in table.answers and row.is_trained and row.recipe in shipped:
            assert table.facts[name]["weights_sha256"] == shipped[row.recipe], name


@every_checkpoint
def test_an_evaluation_and_the_table_agree(folder: Path) -> None:
    table, metrics = load_table(TABLE), read_metrics(folder)
    assert table is not None and metrics is not None
    for name, row in ROWS.items():
        if name in table.answers and row.is_trained and row.recipe == folder.name:
            measured = metrics["metrics"]
            value = measured.get("NNC_e" if row.features == "output" else "NNC_e-", measured.get("NNC_d"))["value"]
            assert table.accuracy(name).percent == pytest.approx(value, abs=1e-9), name


def test_the_readme_has_the_table_line_by_line() -> None:
    for line in benchmarks.lines(load_table(TABLE)):
        assert (f"| {' | '.join(benchmarks.cells(line))} |" in README) == (line.measured is not None), line.name


def test_the_readme_says_how_far_the_seeds_differ() -> None:
    table = load_table(TABLE)
    assert table is not None
    spread = table.to_dict()["spread"]
    words = (
        f"{len(spread['seeds'])} seeds have {spread['mean']:.2f} % on average, with a standard deviation of "
        f"{spread['standard_deviation']:.2f} points"
    )
    assert words in " ".join(README.split())


def test_the_readme_has_the_figures_of_every_attempt() -> None:
    for attempt in attempts.attempts():
        accuracy, _, ratio, nnd, _ = attempts.cells(attempt)[1:]
        assert f"{accuracy} | {ratio} | {nnd} |" in README, attempt.why


def test_all_checkpoints_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "checkpoints").rglob("*") if path.is_file()) < MAX_BYTES
