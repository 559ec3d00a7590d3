"""The Benchmarks page says what the files say, row by row, and what is not measured is not made up."""

import gzip
import html
import json
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint, data
from bigan.evaluation.paper import TABLE_1, TABLE_1_ACCURACY
from bigan.evaluation.report import weights_sha256
from bigan.evaluation.representation import Answers
from bigan.evaluation.rows import ROWS
from bigan.evaluation.significance import mcnemar
from bigan.evaluation.table1 import Table1, load_table, save_table
from bigan.explore.gallery import load_gallery
from bigan.models.bigan import BiGAN
from bigan.ui import attempts, benchmarks, disagreements

ROOT = Path(__file__).parents[1]
SECONDS = 60
NUM_TRAINING, NUM_QUERIES = 60, 40
RIGHT = {"bigan": 36, "ae-l2": 33, "pixels": 30}  # how many of the first queries each row gets right


def labels(count: int) -> np.ndarray:
    return (np.arange(count) % 10).astype(np.uint8)


def facts(name: str) -> dict[str, object]:
    training = {"command": f"python -m bigan train {name}", "processor": "Abacus", "seconds": 600}
    return {
        "seed": 42, "epochs": 400, "weights_sha256": (name * 64)[:64],
        "training": None if name == "pixels" else training,
        "evaluation": {"command": f"python -m bigan reproduce table1 --rows {name}", "processor": "Abacus"},
    }  # fmt: skip


def numbered_images() -> np.ndarray:
    """Images of which each says its number in its first pixel: 0 to 59 to train on, then to test."""
    images = np.zeros((NUM_TRAINING + NUM_QUERIES, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(images))
    return images


def data_sha256() -> str:
    images = torch.from_numpy(numbered_images())[:, None]
    both = (torch.from_numpy(labels(count)).long() for count in (NUM_TRAINING, NUM_QUERIES))
    return data.fingerprint(images[:NUM_TRAINING], next(both), images[NUM_TRAINING:], next(both))


@pytest.fixture(scope="session")
def measured() -> Table1:
    """Three rows of forty queries. A row that is wrong says the next class."""
    settings = {
        "dataset": "mnist", "protocol": "test", "data_sha256": data_sha256(), "num_references": NUM_TRAINING,
        "num_queries": NUM_QUERIES, "epochs": 400, "size": "paper",
    }  # fmt: skip
    own = labels(NUM_QUERIES)
    table = Table1(settings, own)
    for shift, (name, right) in enumerate(RIGHT.items()):
        predicted = np.where(np.arange(NUM_QUERIES) < right, own, (own + 1 + shift) % 10).astype(np.uint8)
        table = table.with_row(name, facts(name), Answers((predicted + 10 * shift).astype(np.int32), predicted))
    return table


@pytest.fixture
def here(tmp_path: Path, tiny_model: BiGAN, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place without results and without MNIST, with one checkpoint."""
    checkpoint.save(tiny_model, tmp_path / "places" / "tiny")
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path / "places"])
    monkeypatch.setattr(benchmarks, "PLACES", (tmp_path / "results",))
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("BIGAN_DATA", raising=False)
    disagreements._trio.clear()
    disagreements._is_measured.clear()
    return tmp_path


@pytest.fixture
def results(here: Path, measured: Table1) -> Path:
    (here / "results").mkdir()
    save_table(measured, here / "results" / "table1.json")
    return here / "results"


@pytest.fixture
def mnist(here: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Those images, in files as MNIST's."""
    folder = here / "data"
    folder.mkdir()
    images = numbered_images()
    parts = {"train": images[:NUM_TRAINING], "t10k": images[NUM_TRAINING:]}
    for stem, part in parts.items():
        header = struct.pack(">4B3i", 0, 0, 8, 3, *part.shape)
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + part.tobytes()))
        header = struct.pack(">4Bi", 0, 0, 8, 1, len(part))
        (folder / f"{stem}-labels-idx1-ubyte").write_bytes(header + labels(len(part)).tobytes())
    monkeypatch.setenv("BIGAN_DATA", str(folder))
    return images


def open_page(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/benchmarks.py")
    app.query_params.update(parameters)
    app.run()
    assert not app.exception and not app.error, (app.exception, [one.value for one in app.error])
    return app


def written(app: AppTest) -> str:
    shown = [html.unescape(element.proto.body) for element in app.get("html")]
    return " ".join([*shown, *(one.value.replace("\\", "") for one in (*app.markdown, *app.caption))])


@pytest.mark.usefixtures("results")
def test_of_a_model_of_other_data_is_said_that_the_table_is_not_about_it(here: Path, tiny_model: BiGAN) -> None:
    assert not open_page().info
    folder = here / "places" / "clothes"
    checkpoint.save(BiGAN(replace(tiny_model.config, dataset="fashion-mnist")), folder)
    app = open_page(checkpoint="clothes")
    said = app.info[0].value
    assert "This table is about MNIST; the paper has none for Fashion-MNIST" in said and "clothes" in said
    assert "`python -m bigan evaluate clothes`" in written(app)
    shutil.copy(ROOT / "checkpoints" / "fashion-mnist" / "metrics.json", folder)
    app = open_page(checkpoint="clothes")
    assert "NNC_e-: of unseen images" in written(app) and "Measured on the test set of fashion-mnist" in written(app)


def test_every_row_says_what_was_measured_what_was_published_and_what_is_missing(
    results: Path, measured: Table1
) -> None:
    document = {row["name"]: row for row in json.loads((results / "table1.json").read_text())["rows"]}
    shown = benchmarks.lines(benchmarks.table())
    assert [line.name for line in shown] == list(ROWS)
    for line in shown:
        text = benchmarks.cells(line)
        assert len(text) == len(benchmarks.HEADER)
        published = [figure.value for figure in TABLE_1_ACCURACY.get(line.name, ()) if figure.source == TABLE_1]
        assert text[2] == (f"{published[0]:.2f}" if published else benchmarks.NOT_PUBLISHED)
        if line.name not in RIGHT:
            assert text[4] == benchmarks.NOT_YET and not any(text[5:])
            continue
        row = document[line.name]
        assert text[4] == f"{100 * RIGHT[line.name] / NUM_QUERIES:.2f}" == f"{row['accuracy']:.2f}"
        assert text[5] == "{:.2f} to {:.2f}".format(*measured.accuracy(line.name).interval)
        assert text[8] == ("none" if line.name == "pixels" else "10 min")
    by_name = {line.name: benchmarks.cells(line) for line in shown}
    test = mcnemar(measured.correct("pixels"), measured.correct("bigan"))
    assert by_name["pixels"][6:8] == ["\N{MINUS SIGN}15.00", f"{test.p_value:.2g}"]
    assert by_name["bigan"][6:8] == ["", ""]


@pytest.mark.usefixtures("results")
def test_the_page_holds_the_plot_the_table_and_the_command() -> None:
    app = open_page()
    text = written(app)
    assert (
        "BiGAN: 90.00 % here" in text
        and "97.39 % in the paper" in text
        and f"3 of {len(ROWS)} rows are measured" in text
    )
    assert text.count(f"<td>{benchmarks.NOT_YET}</td>") == len(ROWS) - 3
    assert app.code[0].value == "python -m bigan reproduce table1 --data DIR"
    assert "Training the 2 models measured so far took 20 minutes (Abacus): " in text
    plot = json.loads(app.get("plotly_chart")[0].proto.spec)
    ours, paper, log = plot["data"]
    assert ours["y"] == ["BiGAN"], "rows far below the BiGAN stand at the edge, in words"
    assert len(paper["x"]) == 7 and len(log["x"]) == 3  # LR, as the text and as the code have it
    said = {one["y"]: one["text"] for one in plot["layout"]["annotations"]}
    assert said["Raw pixels"] == "\N{LEFTWARDS ARROW} 75.00 here" and said["LR"] == benchmarks.NOT_YET


@pytest.mark.usefixtures("here")
def test_without_any_result_the_paper_stands_alone_and_the_command_is_named() -> None:
    text = written(open_page())
    assert f"0 of {len(ROWS)} rows are measured. The BiGAN's is not among them yet." in text
    assert "Nothing has been measured here yet" in text and "As soon as two rows are measured" in text
    assert "97.63" in text and text.count(f"<td>{benchmarks.NOT_YET}</td>") == len(ROWS)


@pytest.mark.usefixtures("here")
def test_a_broken_result_is_one_sentence(here: Path) -> None:
    (here / "results").mkdir()
    (here / "results" / "table1.json").write_text("{}")
    (here / "results" / "table1.npz").write_bytes(b"no arrays")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    app.switch_page("pages/benchmarks.py").run()
    assert not app.exception and len(app.error) == 1 and "table1.npz" in app.error[0].value.replace("\\", "")


@pytest.mark.usefixtures("results", "mnist")
def test_the_digits_on_which_two_rows_disagree_are_shown_with_the_neighbour_each_chose(
    measured: Table1,
) -> None:
    app = open_page(first="BiGAN", second="Raw pixels")
    assert app.selectbox(key="first").value == "bigan" and app.selectbox(key="second").value == "pixels"
    text = written(app)
    test = mcnemar(measured.correct("bigan"), measured.correct("pixels"))
    assert f"BiGAN on {test.only_first}, Raw pixels on {test.only_second}" in text
    assert f"with probability {test.p_value:.2g} (McNemar's test)" in text
    shown = [int(number) for number in re.findall(r"<small>number (\d+)</small>", text)]
    assert shown == [i for i in range(NUM_QUERIES) if RIGHT["pixels"] <= i < RIGHT["bigan"]]
    assert text.count("BiGAN: 0, right") == 1 and text.count("Raw pixels: 3, wrong") == 1  # number 30, labelled 0
    nearest = [tuple(measured.answers[name].neighbours[shown].tolist()) for name in ("bigan", "pixels")]
    trio = disagreements._trio(data_sha256(), "mnist", "test", tuple(shown), *nearest)
    for name, images in (("bigan", trio.first), ("pixels", trio.second)):
        assert images[:, 0, 0, 0].tolist() == measured.answers[name].neighbours[shown].tolist()
    assert trio.queries[:, 0, 0, 0].tolist() == [NUM_TRAINING + i for i in shown]


@pytest.mark.parametrize("which", disagreements.WHICH)
def test_the_three_kinds_of_disagreement_are_those_of_a_naive_count(
    which: disagreements.Which, measured: Table1
) -> None:
    own, first, second = measured.labels, measured.answers["ae-l2"].predicted, measured.answers["pixels"].predicted
    naive = {
        "first": [i for i in range(NUM_QUERIES) if first[i] == own[i] != second[i]],
        "second": [i for i in range(NUM_QUERIES) if second[i] == own[i] != first[i]],
        "neither": [i for i in range(NUM_QUERIES) if own[i] not in (first[i], second[i]) and first[i] != second[i]],
    }
    assert disagreements.positions(measured, "ae-l2", "pixels", which).tolist() == naive[which]


@pytest.mark.usefixtures("results")
def test_without_the_data_set_the_counts_stand_and_a_sentence_says_what_is_missing() -> None:
    text = written(open_page(first="BiGAN", second="Raw pixels"))
    assert "MNIST is not on this machine" in text and "Their numbers in the test set: 30, 31, 32" in text
    assert "BiGAN on 6, Raw pixels on 0" in text


@pytest.mark.usefixtures("results", "mnist")
def test_another_data_set_of_that_name_is_not_shown(here: Path) -> None:
    file = here / "data" / "train-images-idx3-ubyte.gz"
    images = bytearray(gzip.decompress(file.read_bytes()))
    images[-1] ^= 255  # the same labels, and one pixel of one image another
    file.write_bytes(gzip.compress(bytes(images)))
    text = written(open_page(first="BiGAN", second="AE (l2)"))
    assert "The MNIST on this machine is not the one that was measured." in text and "Their numbers" in text


@pytest.mark.usefixtures("results", "mnist")
def test_a_test_set_with_other_labels_is_not_shown(here: Path) -> None:
    changed = struct.pack(">4Bi", 0, 0, 8, 1, NUM_QUERIES) + labels(NUM_QUERIES)[::-1].tobytes()
    (here / "data" / "t10k-labels-idx1-ubyte").write_bytes(changed)
    assert "is not the one that was measured" in written(open_page(first="BiGAN", second="AE (l2)"))


def test_without_the_data_set_the_gallery_stands_in_for_it_with_the_neighbours_of_a_naive_search(
    results: Path, here: Path, measured: Table1, mapped_checkpoint: Path
) -> None:
    shutil.copytree(mapped_checkpoint, here / "places" / "mnist")
    model = checkpoint.load(mapped_checkpoint)
    own = measured.facts["bigan"] | {"weights_sha256": weights_sha256(model)}
    save_table(replace(measured, facts={**measured.facts, "bigan": own}), results / "table1.json")
    gallery = load_gallery(mapped_checkpoint)
    assert gallery is not None
    x = gallery.images.double().flatten(1) / 255  # (60, P)
    features = {"bigan": model.features(gallery.images.float() / 255, "penultimate").double(), "pixels": x}
    right, nearest = {}, {}
    for name, points in features.items():
        distances = (points[:, None] - points[None]).square().sum(-1)  # (60, 60)
        nearest[name] = distances.fill_diagonal_(torch.inf).argmin(1)
        right[name] = gallery.labels[nearest[name]] == gallery.labels
    for which, chosen in (("first", right["bigan"] & ~right["pixels"]), ("second", right["pixels"] & ~right["bigan"])):
        app = open_page(first="BiGAN", second="Raw pixels", which=disagreements.WHICH[which])
        text = written(app)
        assert "Here the 60 digits of the gallery stand in for it" in text and "Their numbers" not in text
        shown = re.findall(r"<small>(square-\d+)</small>", text)
        assert shown == [gallery.ids[i] for i in chosen.nonzero().flatten().tolist()][: disagreements.SHOWN]
    found = disagreements.ask(load(results), {"bigan": "BiGAN", "pixels": "Raw pixels"}).found
    for name, expected in nearest.items():
        assert found.answers[name].neighbours.tolist() == expected.tolist()
    assert "there is no checkpoint here for the row AE (l2)" in written(open_page(first="BiGAN", second="AE (l2)"))


@pytest.mark.usefixtures("results")
def test_the_gallery_is_asked_of_a_further_seed_where_its_checkpoint_is(
    here: Path, measured: Table1, mapped_checkpoint: Path
) -> None:
    for name in ("mnist", "mnist-seed-43"):
        shutil.copytree(mapped_checkpoint, here / "places" / name)
    found = facts("bigan") | {"weights_sha256": weights_sha256(checkpoint.load(mapped_checkpoint))}
    table = measured.with_row("bigan", found, measured.answers["bigan"])
    table = table.with_row("bigan-seed-43", found | {"seed": 43}, measured.answers["bigan"])
    titles = {"bigan": "BiGAN", "bigan-seed-43": "BiGAN (seed 43)"}
    assert disagreements.ask(table, titles).is_shown
    shutil.rmtree(here / "places" / "mnist-seed-43")
    assert "no checkpoint here for the row BiGAN (seed 43)" in disagreements.ask(table, titles).words


def load(results: Path) -> Table1:
    found = load_table(results / "table1.json")
    assert found is not None
    return found


@pytest.mark.usefixtures("results")
def test_a_row_beside_itself_and_rows_that_agree_are_said_in_words() -> None:
    assert "A row agrees with itself" in written(open_page(first="BiGAN", second="BiGAN"))
    app = open_page(first="BiGAN", second="Raw pixels", which="only the second is right")
    assert "There is no such digit. Choose “only the first is right” (6) or “both are wrong" in written(app)


@pytest.mark.usefixtures("results")
def test_the_page_of_digits_is_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disagreements, "SHOWN", 2)  # three pages of six digits
    app = open_page(first="BiGAN", second="Raw pixels", part="3")
    assert app.number_input(key="part").value == 3 and "in the test set: 34, 35." in written(app)
    app.selectbox(key="second").set_value("ae-l2").run()
    assert app.number_input(key="part").value == 2 and "in the test set: 35." in written(app)
    app.number_input(key="part").set_value(1).run()
    assert "in the test set: 33, 34." in written(app)
    app = open_page(first="BiGAN", second="Raw pixels", part="4")
    assert app.number_input(key="part").value == 1
    assert "part “4” (shown instead: 1)" in app.warning[0].value.replace("\\", "")


TRIED = {
    "plain": {"why": "neither term", "command": "train a",
              "metrics": {"NNC_e-": 89.736, "NNC_e": 83.84, "EGr/EGr_b": 0.9996, "NND": 16.1076, "JD": 0.0375}},
    "both": {"why": "<b>both</b>", "command": "train b",
             "metrics": {"NNC_e-": 98.43, "NNC_e": 97.79, "EGr/EGr_b": 0.2867, "NND": 4.5564, "JD": 0.2746}},
}  # fmt: skip


@pytest.mark.usefixtures("results")
def test_what_was_tried_beyond_the_table_is_read_from_its_file_and_absent_without(results: Path) -> None:
    assert "Beyond the table" not in [header.value for header in open_page().header]
    (results / "attempts.json").write_text(json.dumps(TRIED))
    app = open_page()
    assert "Beyond the table" in [header.value for header in app.header]
    text = written(app)
    assert (
        "Best of 2 attempts in both, classifying and bringing back: <b>both</b> (NNC_e- 98.43 %, EGr/EGr_b 0.287)."
        in text
    )
    figures = ("89.74 %", "83.84 %", "1.000", "16.11", "0.037")
    row = "".join(f"<td>{figure}</td>" for figure in figures)
    assert f'<th scope="row">neither term</th>{row}' in text and "python -m scripts.attempts RUNS" in text
    (results / "attempts.json").write_text('{"plain": {"why": "neither term"}}')
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    app.switch_page("pages/benchmarks.py").run()
    assert not app.exception and len(app.error) == 1 and "is broken" in app.error[0].value


def test_the_best_of_each_kind_is_named_and_the_shipped_file_is_understood() -> None:
    plain, both = (attempts.Attempt(**one) for one in TRIED.values())  # type: ignore[arg-type]
    apart = replace(plain, metrics=plain.metrics | {"EGr/EGr_b": 0.1})
    assert attempts.finding([apart, both]) == (
        "Of 2 attempts, the best at classifying is: <b>both</b> (NNC_e- 98.43 %); the best at bringing images back: "
        "neither term (EGr/EGr_b 0.100)."
    )
    shipped = attempts.attempts()
    raw = json.loads((Path("results") / attempts.FILE).read_text(encoding="utf-8"))
    assert [one.metrics for one in shipped] == [one["metrics"] for one in raw.values()]
    assert [attempts.cells(one)[1] for one in shipped] == [f"{one['metrics']['NNC_e-']:.2f} %" for one in raw.values()]


def test_curves_are_read_from_the_checkpoints_and_histories_that_are_here(
    here: Path, measured: Table1, tiny_model: BiGAN
) -> None:
    for name, history in (
        ("mnist", "epoch,NNC_e-,EGr\n0,96.3,13\n1,,\n2,91.5,9\n"),
        ("mnist-gan", "epoch,NNC_d\n0,90\n4,97\n"),
    ):
        checkpoint.save(tiny_model, here / "places" / name)
        (here / "places" / name / "history.csv").write_text(history)
    for name in ("mnist-seed-43", "mnist-lr-after"):
        (here / "results" / "histories" / name).mkdir(parents=True)
        (here / "results" / "histories" / name / "history.csv").write_text("epoch,NNC_e-\n2,95.5\n")
    own = labels(NUM_QUERIES)
    more = measured.with_row("bigan-seed-43", facts("bigan-seed-43"), Answers(own.astype(np.int32), own))
    found = benchmarks.curves(benchmarks.lines(more))
    assert found.epochs == [0, 2, 4]
    assert found.series == {
        "BiGAN": [96.3, 91.5, None],
        "D": [90.0, None, 97.0],
        "LR (after)": [None, 95.5, None],
        "BiGAN (seed 43)": [None, 95.5, None],
    }
    assert found.missing == ("LR", "JLR", "AE (l2)", "AE (l1)", "With labels", "Extended BiGAN")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4196, "0.42"),
        (1.0, "1"),
        (0.0534, "0.053"),
        (4.77e-6, "5 × 10⁻⁶"),  # noqa: RUF001
        (2.08e-116, "2 × 10⁻¹¹⁶"),  # noqa: RUF001
        (0.0, "below 10⁻³⁰⁷"),
    ],
)
def test_a_probability_is_short_and_never_zero(value: float, text: str) -> None:
    assert benchmarks.probability(value) == text


def test_further_seeds_stand_last_and_their_spread_is_said(here: Path, measured: Table1) -> None:
    own = labels(NUM_QUERIES)
    more = measured.with_row("bigan-seed-43", facts("bigan-seed-43"), Answers(own.astype(np.int32), own))
    (here / "results").mkdir()
    save_table(more, here / "results" / "table1.json")
    app = open_page()
    text = written(app)
    assert [one.value for one in app.code] == ["python -m bigan reproduce table1 --data DIR --seeds 2"]
    assert "BiGAN (seed 43)" in text and "Over 2 seeds the BiGAN has 95.00 % on average" in text
