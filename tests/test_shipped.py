"""What ships says of itself what it is: cards, measured numbers and maps belong to the weights beside them."""

import json
from pathlib import Path

import pytest

from bigan import checkpoint
from bigan.card import card_text
from bigan.evaluation.report import weights_sha256
from bigan.evaluation.rows import ROWS
from bigan.evaluation.table1 import load_table
from bigan.explore.projection import load_projection
from bigan.records import read_metrics

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


def test_the_readme_gives_the_figures_of_the_table() -> None:
    for row in json.loads(TABLE.read_text())["rows"]:
        assert f"{row['accuracy']:.2f} %" in README, row["name"]


def test_all_checkpoints_together_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "checkpoints").rglob("*") if path.is_file()) < MAX_BYTES
