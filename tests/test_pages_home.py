"""Home: the shipped model's numbers beside the paper's, and how it learned, as its files have it."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

ROOT, SECONDS = Path(__file__).parents[1], 60
MNIST = ROOT / "checkpoints" / "mnist"


def open_home(name: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.query_params["checkpoint"] = name
    app.run()
    assert not app.exception and not app.error
    return app


def lines(app: AppTest) -> dict[str, tuple[list[float], list[float]]]:
    """What the charts draw: name -> epochs and values."""
    plots: list[dict[str, Any]] = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    return {line["name"]: (line["x"], line["y"]) for plot in plots for line in plot["data"]}


def test_the_bigans_number_stands_beside_the_papers() -> None:
    measured = json.loads((MNIST / "metrics.json").read_text())["metrics"]["NNC_e-"]["value"]
    (card,) = [one.proto.body for one in open_home("mnist").get("html") if '"bg-card"' in one.proto.body]
    first = card.split("</div>")[0]
    assert f"<strong>{measured:.2f} %</strong>" in first and "the paper: 97.39 %" in first


def test_the_curves_are_those_of_its_history() -> None:
    with (MNIST / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    shown = lines(open_home("mnist"))
    for name in ("JD", "EG"):
        known = [(int(row["epoch"]), float(row[name])) for row in rows if row[name]]
        assert list(zip(*shown[name], strict=True)) == known and len(known) > 100
    ratios = [float(row["EGr"]) / float(row["EGr_b"]) for row in rows if row["EGr"]]
    assert shown["EGr / EGr_b"][1] == pytest.approx(ratios)


def test_without_a_history_what_to_do_next_is_said(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "tiny")
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tmp_path))
    app = open_home("tiny")
    assert not lines(app)
    assert any("without the record" in one.value and "python -m bigan train" in one.value for one in app.markdown)
