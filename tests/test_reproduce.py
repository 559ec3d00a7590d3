"""`reproduce table1`: every row trained and measured on the shipped digits, kept, continued, refused."""

import contextlib
import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn.decomposition import PCA

import bigan
from bigan import run
from bigan.__main__ import main, parse
from bigan.cli.data import read_parts
from bigan.cli.reproduce import Made, Reproduce
from bigan.config import RECIPES, ModelConfig
from bigan.data import Dataset
from bigan.evaluation import representation
from bigan.evaluation.features import encoder_features
from bigan.evaluation.nearest_neighbour import nearest_neighbour_accuracy
from bigan.evaluation.report import weights_sha256
from bigan.evaluation.rows import ROWS
from bigan.evaluation.table1 import load_table, save_table
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm
from bigan.training import train_epoch

GALLERY = Path(__file__).parents[1] / "checkpoints" / "mnist" / "gallery.npz"
WORDS = ("reproduce", "table1", "--epochs", "2", "--size", "tiny", "--data", str(GALLERY), "--accelerator", "cpu")
NAME = "{}-gallery-2-epochs-tiny"


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Average the batch-norm statistics over few batches; the rest is as it is."""

    def few(model: BiGAN, images: torch.Tensor, num_batches: int = 5, *, decodes: bool = False) -> None:
        estimate_batch_norm(model, images, min(num_batches, 5), decodes=decodes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "estimate_batch_norm", few)
        patch.setattr(representation, "estimate_batch_norm", few)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole table was made, with two seeds. Shared by all tests: copy it to change it."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        reproduce("--seeds", "2")
    return folder


@pytest.fixture
def copy(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, as the current one."""
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def reproduce(*words: str) -> dict[str, Any]:
    command = parse([*WORDS, *words])
    assert isinstance(command, Reproduce)
    return command.run().document


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "results" / f"{NAME.format('table1')}.json").read_text())


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in document(folder)["rows"]}


@pytest.fixture(scope="module")
def parts() -> tuple[Dataset, Dataset]:
    return read_parts(ModelConfig(), "test", GALLERY)


# The whole table


def test_the_table_has_every_row_and_the_spread_of_the_seeds(made: Path) -> None:
    found = document(made)
    assert [row["name"] for row in found["rows"]] == [*ROWS, "bigan-seed-43"]
    assert (found["dataset"], found["protocol"], found["epochs"]) == ("gallery of mnist", "test", 2)
    assert (found["num_references"], found["num_queries"]) == (4000, 1000)
    values = [rows(made)[name]["accuracy"] for name in ("bigan", "bigan-seed-43")]
    assert found["spread"]["mean"] == pytest.approx(np.mean(values))
    assert found["spread"]["standard_deviation"] == pytest.approx(np.std(values, ddof=1))


@pytest.mark.parametrize(("asked", "paper", "own"), [(2, 2, 2), (400, 400, 100), (800, 800, 100)])
def test_a_recipe_made_for_fewer_epochs_than_the_papers_keeps_them(asked: int, paper: int, own: int) -> None:
    command = parse(["reproduce", "table1", "--epochs", str(asked)])
    assert isinstance(command, Reproduce)
    recipes = [command._recipe(name, 42).train for name in ("mnist", "mnist-gan", "mnist-best")]
    assert [recipe.total_epochs for recipe in recipes] == [paper, paper, own]
    assert [recipe.decay_epochs for recipe in recipes] == [paper // 2, paper // 2, own // 2]


def test_every_row_says_how_it_was_made(made: Path) -> None:
    for name, row in rows(made).items():
        assert row["evaluation"]["seconds"] >= 0 and row["evaluation"]["versions"]["torch"] == torch.__version__
        assert row["evaluation"]["device"] == "cpu" and row["evaluation"]["processor"]
        assert (row["seed"], row["epochs"]) == {
            "pixels": (None, None), "pca-50": (None, None), "untrained": (42, 0), "bigan-seed-43": (43, 2),
        }.get(name, (42, 2))  # fmt: skip
        if row["epochs"]:
            assert f"train {row['recipe']} --hidden-dim 128 --epochs 1 --decay-epochs 1" in row["training"]["command"]
            assert row["training"]["device"] == "cpu" and row["training"]["seconds"] >= 0
        assert str(GALLERY) not in json.dumps(row), "a place on this machine"


def test_the_command_of_a_row_asks_for_that_row(made: Path) -> None:
    for name, row in rows(made).items():
        command = parse(shlex.split(row["evaluation"]["command"])[3:])
        assert isinstance(command, Reproduce) and command.file == Path("results") / f"{NAME.format('table1')}.json"
        assert name in [asked for asked, _, _ in command._asked()]


def test_the_rows_of_a_model_are_what_evaluate_measures(made: Path, parts: tuple[Dataset, Dataset]) -> None:
    training, held_out = parts
    for name, layer in {"bigan": "penultimate", "bigan-output": "output", "d": "penultimate"}.items():
        row = rows(made)[name]
        model = bigan.load(made / "runs" / NAME.format(row["recipe"]) / "checkpoint")
        references, queries = (encoder_features(model, part.images, layer) for part in parts)
        accuracy = nearest_neighbour_accuracy(queries, held_out.labels, references, training.labels)
        assert row["num_correct"] == accuracy.num_correct and row["interval"] == list(accuracy.interval)
        assert row["weights_sha256"] == weights_sha256(model)
    assert bigan.load(made / "runs" / NAME.format("mnist-gan") / "checkpoint").config.networks == (
        "generator", "discriminator",
    )  # fmt: skip


def test_pixels_and_their_components_are_those_of_a_brute_force_search(
    made: Path, parts: tuple[Dataset, Dataset]
) -> None:
    found = load_table(made / "results" / f"{NAME.format('table1')}.json")
    assert found is not None
    references, queries = (part.images.flatten(1).double() / 255 for part in parts)
    pca = PCA(50, svd_solver="full").fit(references.numpy())
    projected = [torch.from_numpy(pca.transform(points.numpy())) for points in (queries, references)]
    for name, (x, y) in {"pixels": (queries, references), "pca-50": projected}.items():
        nearest = torch.cdist(x, y).argmin(1)
        assert (found.answers[name].neighbours == nearest.numpy()).mean() > 0.999  # ties, but for rounding
        assert np.array_equal(found.answers[name].predicted, parts[0].labels[found.answers[name].neighbours])
        accuracy = (parts[0].labels[nearest] == parts[1].labels).double().mean().item()
        assert rows(made)[name]["accuracy"] == pytest.approx(100 * accuracy, abs=0.1)


def test_the_untrained_encoder_is_that_with_which_the_bigan_began(made: Path, parts: tuple[Dataset, Dataset]) -> None:
    fresh = BiGAN(ModelConfig(hidden_dim=128)).initialise(RECIPES["mnist"].train.seed)
    representation.estimate_batch_norm(fresh, parts[0].images)
    assert rows(made)["untrained"]["weights_sha256"] == weights_sha256(fresh)


def test_differences_are_tested_on_the_same_queries(made: Path) -> None:
    found = load_table(made / "results" / f"{NAME.format('table1')}.json")
    assert found is not None
    for name, row in rows(made).items():
        if name != "bigan":
            ours, theirs = found.correct(name), found.correct("bigan")
            only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
            expected = binomtest(only_ours, only_ours + only_theirs).pvalue
            assert row["to_bigan"]["p_value"] == pytest.approx(expected, rel=1e-9)
            assert row["to_bigan"]["points"] == pytest.approx(row["accuracy"] - rows(made)["bigan"]["accuracy"])


def test_the_regressor_after_a_gan_keeps_that_gans_generator(made: Path) -> None:
    folders = [made / "runs" / NAME.format(recipe) / "checkpoint" for recipe in ("mnist-gan", "mnist-lr-after")]
    gan, after = (dict(bigan.load(folder).generator.named_parameters()) for folder in folders)
    assert gan.keys() == after.keys() and all(torch.equal(gan[name], after[name]) for name in gan)


def test_a_regressor_of_another_gan_is_not_taken_for_this_ones(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "runs" / NAME.format("mnist-gan") / "checkpoint"
    model = bigan.load(path)
    with torch.no_grad():
        model.generator.output.weight.mul_(-1)
    bigan.checkpoint.save(model, path)
    before = rows(copy)["lr-after"]["weights_sha256"]
    with pytest.raises(run.RunError, match=r"mnist-lr-after.*holds a run with start_weights"):
        reproduce("--rows", "lr-after")
    assert "its G is another one than that of the GAN it should begin with" in capsys.readouterr().err
    shutil.rmtree(copy / "runs" / NAME.format("mnist-lr-after"))
    reproduce("--rows", "lr-after")
    assert rows(copy)["lr-after"]["weights_sha256"] != before


def test_people_get_paper_and_ours_side_by_side(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--rows", "pixels"]) == 0
    written = capsys.readouterr()
    for row in rows(copy).values():
        assert f"{row['title']}  " in written.out and f"{row['accuracy']:.2f}" in written.out
    assert "BiGAN over 2 seeds" in written.out and "McNemar" in written.out
    assert "97.39" not in written.out, "a gallery's figures beside MNIST's"


# Kept, continued, found


def test_a_second_time_nothing_is_trained_or_measured(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(run, "train_epoch")  # whatever trains or searches fails
    monkeypatch.delattr(representation, "nearest_neighbours")
    before = document(copy)
    assert reproduce("--seeds", "2") == before == document(copy)


def test_a_row_with_other_weights_is_measured_again_and_the_others_stay(copy: Path) -> None:
    before = rows(copy)
    path = copy / "runs" / NAME.format("mnist-gan") / "checkpoint"
    model = bigan.load(path)
    with torch.no_grad():
        model.discriminator.hidden[0].linear.weight.mul_(-1)
    bigan.checkpoint.save(model, path)
    reproduce("--rows", "pixels", "d")
    after = rows(copy)
    assert after["d"]["weights_sha256"] == weights_sha256(bigan.load(path)) != before["d"]["weights_sha256"]
    assert {name: row for name, row in after.items() if name != "d"} == {
        name: row for name, row in before.items() if name != "d"
    }


def test_rows_that_another_process_measures_meanwhile_stay(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before = copy / "results" / f"{NAME.format('table1')}.json", rows(copy)
    whole = load_table(path)
    assert whole is not None
    some = {name: found for name, found in whole.answers.items() if name != "d"}
    save_table(replace(whole, answers=some), path)
    make = Reproduce._make

    def make_and_be_overtaken(self: Reproduce, *parts: Any) -> Made | None:
        save_table(whole, path)
        return make(self, *parts)

    monkeypatch.setattr(Reproduce, "_make", make_and_be_overtaken)
    reproduce("--rows", "pixels")
    assert rows(copy) == before


def interrupted_in(epoch: int) -> Callable[..., Iterator[Any]]:
    """The training of an epoch, as it goes where somebody presses Ctrl-C in the one given."""

    def interrupted(state: Any, *others: Any) -> Iterator[Any]:
        for metrics in train_epoch(state, *others):
            if (metrics.epoch, metrics.step) == (epoch, 3):
                raise KeyboardInterrupt
            yield metrics

    return interrupted


def test_a_training_that_was_interrupted_before_there_was_a_state_says_that_it_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "train_epoch", interrupted_in(1))
    assert main([*WORDS, "--rows", "bigan"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "Stopped before the first epoch was done; the same command begins again."


def test_a_training_that_was_interrupted_is_continued_to_the_same_weights(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "--rows", "pixels", "bigan"]
    with monkeypatch.context() as patch:
        patch.setattr(run, "train_epoch", interrupted_in(2))
        assert main(words) == 1
    written = capsys.readouterr()
    last = written.err.splitlines()[-1]
    assert last == f"Stopped; the same command continues after epoch 1, from runs/{NAME.format('mnist')}."
    assert list(rows(tmp_path)) == ["pixels"] and not written.out
    pixels = rows(tmp_path)["pixels"]
    assert main(words) == 0
    assert "epoch 1:" not in capsys.readouterr().err, "the first epoch was not trained again"
    assert rows(tmp_path)["bigan"]["weights_sha256"] == rows(made)["bigan"]["weights_sha256"]
    kept = rows(tmp_path)["pixels"]
    assert kept | {"to_bigan": None} == pixels and kept["to_bigan"] is not None


def test_a_checkpoint_of_the_name_is_used_if_it_was_trained_as_asked(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = copy / "places" / NAME.format("mnist-ae-l1")
    shutil.move(copy / "runs" / place.name / "checkpoint", place)
    shutil.rmtree(copy / "runs")
    shutil.rmtree(copy / "results")
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(place.parent))
    reproduce("--rows", "ae-l1")
    assert not (copy / "runs").exists()

    facts = json.loads((place / "train.json").read_text())
    for change in ({"epochs_done": 1}, {"dataset": "mnist"}, {"train": facts["train"] | {"seed": 7}}, {"train": 3}):
        (place / "train.json").write_text(json.dumps(facts | change))
        with monkeypatch.context() as patch, pytest.raises(NameError, match="train_epoch"):
            patch.delattr(run, "train_epoch")  # it comes to training
            reproduce("--rows", "ae-l1")
        assert f"{place} is not what is asked for: " in capsys.readouterr().err


def test_validation_trains_and_measures_without_the_held_out_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = reproduce("--split", "validation", "--rows", "ae-l2", "--epochs", "1")
    assert (found["protocol"], found["num_references"], found["num_queries"]) == ("validation", 3200, 800)
    name = "mnist-ae-l2-gallery-validation-1-epochs-tiny"
    facts = json.loads((tmp_path / "runs" / name / "checkpoint" / "train.json").read_text())
    assert facts["train"]["split"] == "validation" and facts["num_images"] == 3200
    assert (facts["train"]["epochs"], facts["train"]["decay_epochs"]) == (1, 0)


# Names, and what is refused


def test_only_the_papers_settings_write_the_papers_table() -> None:
    def file(*words: str) -> str:
        command = parse(["reproduce", "table1", *words])
        assert isinstance(command, Reproduce)
        return str(command.file)

    assert file() == file("--data", "somewhere") == file("--seeds", "3", "--epochs", "400") == "results/table1.json"
    assert file("--epochs", "2") == "results/table1-2-epochs.json"
    assert file("--split", "validation", "--size", "tiny") == "results/table1-validation-tiny.json"
    assert file("--out", "a/b.json", "--epochs", "2") == "a/b.json"


def test_a_file_with_another_table_is_left_alone(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy / "results" / f"{NAME.format('table1')}.json"
    before = path.read_bytes()
    assert main([*WORDS, "--epochs", "1", "--out", str(path), "--rows", "pixels"]) == 1
    written = capsys.readouterr()
    assert "holds another table (epochs 2, not 1); give another file with --out." in written.err
    assert written.err.count("\n") == 1 and path.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("table2", "table2"),
        ("table1 --epochs 0", "epochs is 0"),
        ("table1 --seeds 0", "seeds is 0"),
        ("table1 --rows d --seeds 3", "rows does not name bigan"),
        ("table1 --rows bigan vae", "vae"),
        ("table1 --split exam", "exam"),
        ("table1 --size huge", "huge"),
        ("table1 --out table.txt", "table.txt"),
    ],
)
def test_wrong_usage_of_reproduce_ends_with_two(words: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["reproduce", *words.split()])
    assert left.value.code == 2 and named in " ".join(capsys.readouterr().err.split())


def test_data_that_are_not_there_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "table1", "--data", "nowhere"]) == 1
    written = capsys.readouterr()
    assert "nowhere" in written.err and written.err.count("\n") == 1 and not written.out
