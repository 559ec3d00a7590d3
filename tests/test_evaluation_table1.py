"""The measured table: what follows from its answers, its two files, and files that cannot be trusted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from bigan.config import RECIPES
from bigan.evaluation.paper import PUBLISHED, TABLE_1, TABLE_1_ACCURACY
from bigan.evaluation.representation import Answers
from bigan.evaluation.rows import REFERENCE, ROWS
from bigan.evaluation.table1 import FACTS, Table1, load_table, save_table, seeded
from bigan.files import CheckpointError

NUM_QUERIES = 50
LABELS = (np.arange(NUM_QUERIES) % 10).astype(np.uint8)
SETTINGS = {"dataset": "mnist", "protocol": "test", "epochs": 400}
SEED_43, SEED_44 = seeded(REFERENCE, 43), seeded(REFERENCE, 44)


def wrong_at(*places: int) -> Answers:
    """Answers that are right but at these places."""
    predicted = LABELS.copy()
    predicted[list(places)] = (predicted[list(places)] + 1) % 10
    return Answers(np.arange(NUM_QUERIES, dtype=np.int32), predicted)


def facts(seed: int | None = 42) -> dict[str, Any]:
    return dict.fromkeys(FACTS) | {"seed": seed}


def table(**rows: Answers) -> Table1:
    made = Table1(SETTINGS, LABELS)
    for name, answers in rows.items():
        made = made.with_row(name, facts(), answers)
    return made


def seeds() -> Table1:
    made = table(pixels=wrong_at(*range(20)), bigan=wrong_at(0, 1, 2))
    made = made.with_row(SEED_44, facts(44), wrong_at(0))
    return made.with_row(SEED_43, facts(43), wrong_at(0, 1, 2, 3, 4))


def test_rows_stand_in_the_papers_order_with_further_seeds_last() -> None:
    assert [row["name"] for row in seeds().to_dict()["rows"]] == ["bigan", "pixels", SEED_43, SEED_44]
    assert seeds().to_dict()["rows"][2]["title"] == "BiGAN (seed 43)"


def test_an_accuracy_and_its_interval_follow_from_the_answers() -> None:
    row = table(d=wrong_at(7, 30)).to_dict()["rows"][0]
    assert row["num_correct"] == 48 and row["accuracy"] == 96.0
    # Wilson: (0.96 + z^2 / 100 +- z sqrt(0.96 0.04 / 50 + z^2 / 10000)) / (1 + z^2 / 50) with z = 1.96
    assert row["interval"] == pytest.approx([86.5404, 98.8962], abs=1e-3)


def test_a_difference_to_the_bigan_counts_the_queries_that_one_of_both_got_right() -> None:
    rows = {row["name"]: row for row in table(bigan=wrong_at(0, 1, 2), lr=wrong_at(2, 3)).to_dict()["rows"]}
    assert rows["bigan"]["to_bigan"] is None
    assert rows["lr"]["to_bigan"] == {
        "points": 2.0,
        "only_this_correct": 2,
        "only_bigan_correct": 1,
        "p_value": binomtest(1, 3).pvalue,
    }
    assert table(lr=wrong_at(2)).to_dict()["rows"][0]["to_bigan"] is None  # before there is a BiGAN


def test_the_spread_is_over_the_seeds_of_the_bigan_alone() -> None:
    spread = seeds().to_dict()["spread"]
    assert spread["seeds"] == [42, 43, 44] and spread["mean"] == pytest.approx((94 + 90 + 98) / 3)
    assert spread["standard_deviation"] == pytest.approx(4.0)  # of 94, 90 and 98: sqrt((0 + 16 + 16) / 2)
    assert table(bigan=wrong_at(0), d=wrong_at(1)).to_dict()["spread"] is None


def test_published_figures_stand_beside_those_of_mnist_alone() -> None:
    row = table(jlr=wrong_at()).to_dict()["rows"][0]
    assert [figure["source"] for figure in row["published"]] == [TABLE_1]
    elsewhere = Table1({**SETTINGS, "dataset": "gallery of mnist"}, LABELS).with_row("jlr", facts(), wrong_at())
    assert elsewhere.to_dict()["rows"][0]["published"] == []


def test_every_row_of_the_paper_has_the_papers_figure_and_every_other_none() -> None:
    published = {name for name, figures in TABLE_1_ACCURACY.items() if any(f.source == TABLE_1 for f in figures)}
    assert published == {"bigan", "d", "lr", "lr-after", "jlr", "ae-l2", "ae-l1"}  # LR by the code and by the text
    assert TABLE_1_ACCURACY["lr-after"] == TABLE_1_ACCURACY["lr"] and set(TABLE_1_ACCURACY) <= set(ROWS)
    assert PUBLISHED["bigan"]["NNC_e-"] is TABLE_1_ACCURACY["bigan"]


def test_every_rows_recipe_is_there_and_has_a_network_for_its_features() -> None:
    for row in ROWS.values():
        assert (row.recipe is None) == (row.features in ("pixels", "principal"))
        if row.recipe is not None:
            model = RECIPES[row.recipe].model
            assert "encoder" in model.networks or model.discriminator_sees == "image"


def test_a_table_comes_back_from_its_files(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table1.json"
    save_table(seeds(), path)
    found = load_table(path)
    assert found is not None and found.to_dict() == seeds().to_dict() == json.loads(path.read_text())
    assert found.settings == SETTINGS
    for name in found.names:
        assert np.array_equal(found.correct(name), seeds().correct(name))
        assert np.array_equal(found.answers[name].neighbours, np.arange(NUM_QUERIES))
    assert load_table(tmp_path / "none.json") is None


def test_a_row_whose_writing_was_interrupted_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "table1.json"
    save_table(table(bigan=wrong_at(0), d=wrong_at(1)), path)
    old = path.read_bytes()
    save_table(table(bigan=wrong_at(0), d=wrong_at(1, 2), lr=wrong_at()), path)
    path.write_bytes(old)  # the answers were written, the figures not yet
    found = load_table(path)
    assert found is not None and found.names == ("bigan",) == tuple(found.facts)


def without_answers(path: Path) -> None:
    path.with_suffix(".npz").unlink()


def with_few_answers(path: Path) -> None:
    with np.load(path.with_suffix(".npz")) as file:
        arrays = dict(file)
    np.savez(path.with_suffix(".npz"), **arrays | {"labels": arrays["labels"][1:]})


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        document = json.loads(path.read_text())
        change(document)
        path.write_text(json.dumps(document))

    return edit


@pytest.mark.parametrize(
    "break_it",
    [
        without_answers,
        with_few_answers,
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        edited(lambda document: document.pop("rows")),
        edited(lambda document: document.pop("spread")),
        edited(lambda document: document.update(rows=3)),
        edited(lambda document: document["rows"][0].update(name="gpt")),
        edited(lambda document: document["rows"][0].update(name="bigan-seed-x")),
        edited(lambda document: document["rows"][0].update(name=["bigan"])),
        edited(lambda document: document["rows"][0].update(num_correct="all")),
        edited(lambda document: document["rows"][0].pop("training")),
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, break_it: Callable[[Path], object]) -> None:
    path = tmp_path / "table1.json"
    save_table(seeds(), path)
    break_it(path)
    with pytest.raises(CheckpointError, match="table1") as caught:
        load_table(path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
    assert "checkpoint" not in str(caught.value), "it is none"
