"""A run in its folder: killed at any moment and continued bit for bit, and every refusal in one sentence."""

import csv
import gzip
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from bigan import checkpoint, records, run
from bigan.config import RECIPES, ModelConfig, Recipe, TrainConfig
from bigan.data import Dataset
from bigan.explore.gallery import Gallery, load_gallery
from bigan.replay import kept_epochs
from bigan.run import STATE_FILE, Run, RunError
from bigan.training import DivergedError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

ROOT = Path(__file__).parents[1]
MODEL = ModelConfig(image_shape=(1, 6, 5), latent_dim=3, hidden_dim=8)
TRAIN = TrainConfig(epochs=2, decay_epochs=2, batch_size=16, precision="fp32")
RECIPE = Recipe(MODEL, TRAIN)


def random_dataset(num_images: int, seed: int, shape: tuple[int, int, int] = MODEL.image_shape) -> Dataset:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (num_images, *shape), generator=generator, dtype=torch.uint8)
    return Dataset("toy", images, torch.arange(num_images) % 3, ("a", "b", "c"))


TRAINING, HELD_OUT = random_dataset(40, seed=0), random_dataset(12, seed=1)
GALLERY = Gallery(HELD_OUT.images, HELD_OUT.labels, tuple(f"id-{i}" for i in range(12)), ("a", "b", "c"), "made up")


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save after every epoch, and average over few batches along the way."""
    monkeypatch.setattr(run, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr(run, "MONITOR_BATCHES", 4)


def begin(folder: Path, fabric: "Fabric", recipe: Recipe = RECIPE, gallery: Gallery | None = GALLERY) -> Run:
    return Run(folder, recipe, TRAINING, HELD_OUT, fabric, gallery)


def contents(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a state on disk, and its facts without what the clock decided."""
    with safe_open(folder / STATE_FILE, "pt") as file:
        facts = json.loads(file.metadata()["progress"])
    del facts["seconds"]
    for row in facts["history"]:
        assert row.pop("seconds") >= 0 and row.pop("images_per_second", 1) > 0
    return load_file(folder / STATE_FILE), facts


def assert_same_run(first: Path, second: Path) -> None:
    (tensors, facts), (other_tensors, other_facts) = contents(first), contents(second)
    assert facts == other_facts
    assert tensors.keys() == other_tensors.keys()
    different = [name for name in tensors if not torch.equal(tensors[name], other_tensors[name])]
    assert different == []


# --- Killed and continued ---

# A run in a process of its own: digits from idx files, a state saved after every epoch, a line for every step. With
# "torn" as its third argument it kills itself while the state of that epoch is half written, with "renamed" when the
# state is written and the history is not; with "wait" it goes no further than into that epoch, to be killed by then.
DRIVER = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
import torch
from bigan import data, run
from bigan.config import RECIPES, Recipe
from bigan.explore.gallery import gallery_from_dataset
from bigan.training import launch

torch.set_num_threads(1)
folder, data_dir, moment, epoch = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
run.SAVE_SECONDS, run.MONITOR_BATCHES = 0.0, 10
whole_save, whole_text = run.save_file, run.write_text

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def save_file(tensors, path, metadata):
    whole_save(tensors, path, metadata)
    if moment == "torn" and one.state.epoch == epoch:
        os.truncate(path, os.path.getsize(path) // 2)
        die()

def write_text(path, text):
    if moment == "renamed" and one.state.epoch == epoch:
        die()
    whole_text(path, text)

run.save_file, run.write_text = save_file, write_text
tiny, named = RECIPES["tiny"], RECIPES[sys.argv[5]]
model = replace(named.model, latent_dim=tiny.model.latent_dim, hidden_dim=24)
train = replace(tiny.train, batch_size=20, epochs=4, decay_epochs=4, objective=named.train.objective)
recipe = Recipe(model, train)
training, held_out = data.load_protocol("mnist", "test", data_dir)
gallery = gallery_from_dataset(held_out, 40)
one = run.Run(folder / "run", recipe, training, held_out, launch(recipe.train, devices=1, accelerator="cpu"), gallery)
print("begins at", one.state.epoch, flush=True)
for step in one.steps():
    print(step.epoch, step.step, flush=True)
    if moment == "wait" and step.epoch == epoch:
        signal.pause()
moment = "done"
one.export(folder / "checkpoint", sys.argv[5], "python -m bigan train " + sys.argv[5])
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gzipped idx files of random digits: 200 to train on, 60 to test on."""
    folder = tmp_path_factory.mktemp("digits")
    generator = np.random.default_rng(0)
    for begin_of_name, count in [("train", 200), ("t10k", 60)]:
        shades = generator.integers(0, 256, (count, 28, 28))
        columns = {"images-idx3-ubyte": shades * (shades > 180), "labels-idx1-ubyte": np.arange(count) % 10}
        for ending, values in columns.items():
            header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
            content = gzip.compress(header + values.astype(np.uint8).tobytes())
            (folder / f"{begin_of_name}-{ending}.gz").write_bytes(content)
    return folder


def start(
    folder: Path, digits: Path, moment: str = "never", epoch: int = -1, recipe: str = "tiny"
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", DRIVER, str(folder), str(digits), moment, str(epoch), recipe],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> list[str]:
    """The lines of a run that nobody stops."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.splitlines()


def kill_in_the_middle(process: "subprocess.Popen[str]", num_lines: int) -> None:
    """Kill a run some time after it has printed so many lines."""
    assert process.stdout is not None
    for _ in range(num_lines):
        assert process.stdout.readline()
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def uninterrupted(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    lines = finish(start(folder, digits))
    assert lines == ["begins at 0"] + [f"{epoch} {step}" for epoch in range(1, 9) for step in range(1, 11)]
    return folder


def test_a_run_killed_again_and_again_ends_bit_identical(uninterrupted: Path, digits: Path, tmp_path: Path) -> None:
    chance = random.Random()
    first, later = chance.randint(1, 31), chance.randint(1, 21)
    print(f"killed after {first} and {later} lines")  # shown where this test fails
    state = tmp_path / "run" / STATE_FILE

    kill_in_the_middle(start(tmp_path, digits, "wait", epoch=4), first)
    torn = start(tmp_path, digits, "torn", epoch=4)
    torn.communicate(timeout=120)
    assert torn.returncode == -signal.SIGKILL
    assert contents(tmp_path / "run")[1]["epoch"] == 3, "the state that was being written is not the state"
    assert state.with_name(STATE_FILE + ".tmp").exists()

    renamed = start(tmp_path, digits, "renamed", epoch=5)
    assert renamed.stdout is not None and renamed.stdout.readline() == "begins at 3\n"
    renamed.communicate(timeout=120)
    assert renamed.returncode == -signal.SIGKILL
    assert contents(tmp_path / "run")[1]["epoch"] == 5

    kill_in_the_middle(start(tmp_path, digits, "wait", epoch=8), later)
    lines = finish(start(tmp_path, digits))
    assert lines[0] in ("begins at 5", "begins at 6", "begins at 7") and lines[-1] == "8 10"
    assert_same_run(tmp_path / "run", uninterrupted / "run")
    for name in ("model.safetensors", "replay.npz", "gallery.npz", "config.json"):
        ours, theirs = tmp_path / "checkpoint" / name, uninterrupted / "checkpoint" / name
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_a_killed_run_of_a_rival_ends_bit_identical_too(digits: Path, tmp_path: Path) -> None:
    finish(start(tmp_path / "whole", digits, recipe="mnist-jlr"))
    torn = start(tmp_path / "killed", digits, "torn", epoch=5, recipe="mnist-jlr")
    torn.communicate(timeout=120)
    assert torn.returncode == -signal.SIGKILL
    assert finish(start(tmp_path / "killed", digits, recipe="mnist-jlr"))[0] == "begins at 4"
    assert_same_run(tmp_path / "whole" / "run", tmp_path / "killed" / "run")
    tensors, facts = contents(tmp_path / "whole" / "run")
    assert {name.split(".")[1] for name in tensors if name.startswith("adam.")} == {"D", "G", "E"}
    assert {"D", "G", "E", "EGr", "NNC_e-"} <= facts["history"][-1].keys()
    for name in ("model.safetensors", "replay.npz", "config.json"):
        ours, theirs = (tmp_path / which / "checkpoint" / name for which in ("killed", "whole"))
        assert ours.read_bytes() == theirs.read_bytes(), name
    assert checkpoint.load(tmp_path / "whole" / "checkpoint").config.networks == ("generator", "encoder")


def test_the_exported_checkpoint_can_be_loaded_and_tells_its_training(uninterrupted: Path) -> None:
    folder = uninterrupted / "checkpoint"
    model = checkpoint.load(folder)
    assert model.config.hidden_dim == 24
    tensors = load_file(uninterrupted / "run" / STATE_FILE)
    for name, weight in model.named_parameters():
        assert torch.equal(weight, tensors[f"model.{name}"].half().float())
    replay = records.read_replay(folder)
    assert replay is not None
    assert replay.epochs.tolist() == kept_epochs(8) == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert replay.generated.shape == (9, 36, 1, 28, 28) and len(replay.ids) == 40
    gallery = load_gallery(folder)
    assert gallery is not None and replay.ids == gallery.ids
    told = records.read_train(folder)
    assert told is not None
    assert (told["recipe"], told["num_images"], told["epochs_done"], told["processes"]) == ("tiny", 200, 8, 1)
    assert TrainConfig.from_dict(told["train"]) == replace(
        RECIPES["tiny"].train, batch_size=20, epochs=4, decay_epochs=4
    )
    rows = records.read_history(folder)
    assert [row["epoch"] for row in rows] == list(range(9))
    assert {"learning_rate", "seconds", "EGr", "EGr_b", "NNC_e-"} == rows[0].keys() - {"epoch"}
    assert {"images_per_second", "JD", "EG"} == rows[8].keys() - rows[0].keys()


# --- In this process ---


def test_a_run_that_is_left_in_mid_epoch_continues_bit_for_bit(tmp_path: Path, fabric: "Fabric") -> None:
    whole = begin(tmp_path / "whole", fabric)
    list(whole.steps())
    for num_steps in (1, 4, 2, 3):
        steps = begin(tmp_path / "parts", fabric).steps()
        assert len([step for _, step in zip(range(num_steps), steps, strict=False)]) == num_steps
    list(begin(tmp_path / "parts", fabric).steps())
    assert_same_run(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("name", ["mnist-gan", "mnist-supervised"])
def test_a_run_of_what_cannot_reconstruct_goes_on_and_is_exported_without_a_replay(
    name: str, tmp_path: Path, fabric: "Fabric"
) -> None:
    recipe = RECIPES[name]
    recipe = Recipe(
        replace(recipe.model, image_shape=MODEL.image_shape, latent_dim=3, hidden_dim=8),
        replace(TRAIN, objective=recipe.train.objective),
    )
    list(begin(tmp_path / "whole", fabric, recipe).steps())
    for num_steps in (4, 3):
        list(islice(begin(tmp_path / "parts", fabric, recipe).steps(), num_steps))
    last = begin(tmp_path / "parts", fabric, recipe)
    list(last.steps())
    assert_same_run(tmp_path / "whole", tmp_path / "parts")
    measured = {"mnist-gan": "NNC_d", "mnist-supervised": "NNC_e-"}[name]
    assert last.history[-1].keys() & {"EGr", "EGr_b", "NNC_e-", "NNC_d"} == {measured}
    last.export(tmp_path / "checkpoint", name, f"python -m bigan train {name}")
    assert records.read_replay(tmp_path / "checkpoint") is None
    assert checkpoint.load(tmp_path / "checkpoint").config == recipe.model
    assert load_gallery(tmp_path / "checkpoint") is not None


@pytest.mark.parametrize("name", ["mnist-ae-l2", "mnist-ae-l1"])
def test_an_autoencoder_for_use_normalises_codes_as_it_did_in_training(
    name: str, tmp_path: Path, fabric: "Fabric"
) -> None:
    trained = RECIPES[name]
    recipe = Recipe(replace(MODEL, networks=trained.model.networks), replace(TRAIN, objective=trained.train.objective))
    running = begin(tmp_path, fabric, recipe)
    list(running.steps())
    running.export(tmp_path / "checkpoint", name, f"python -m bigan train {name}")
    model = checkpoint.load(tmp_path / "checkpoint")
    norm = model.generator.hidden[0].norm
    codes = model.encode(TRAINING.images / 255)  # (N, Z)
    seen = model.generator.hidden[0].linear(codes)  # (N, hidden units), what the batch norm normalises
    torch.testing.assert_close(norm.running_var, seen.var(0), rtol=0.15, atol=0)
    random = model.generator.hidden[0].linear(model.sample_latents(1000, 0))
    assert (random.var(0) / norm.running_var).median() > 2  # as the prior's latents would have it


def test_a_finished_run_does_nothing_more(tmp_path: Path, fabric: "Fabric") -> None:
    list(begin(tmp_path, fabric).steps())
    before = (tmp_path / STATE_FILE).read_bytes()
    rows: list[dict[str, float]] = []
    again = begin(tmp_path, fabric)
    assert list(again.steps(rows.append)) == [] and rows == []
    assert again.state.epoch == again.saved_epoch() == 4
    assert (tmp_path / STATE_FILE).read_bytes() == before


def test_the_evaluations_along_the_way_do_not_touch_the_training(
    tmp_path: Path, fabric: "Fabric", monkeypatch: pytest.MonkeyPatch
) -> None:
    list(begin(tmp_path / "watched", fabric).steps())
    monkeypatch.setattr(run, "kept_epochs", lambda total: [0, total])
    list(begin(tmp_path / "unwatched", fabric, gallery=None).steps())
    watched, unwatched = (contents(tmp_path / name)[0] for name in ("watched", "unwatched"))
    assert all(torch.equal(watched[name], tensor) for name, tensor in unwatched.items())


def test_a_run_does_not_use_the_global_generators(tmp_path: Path, fabric: "Fabric") -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    list(begin(tmp_path, fabric).steps())
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index]


def test_the_history_has_a_row_for_every_epoch_and_each_is_told(tmp_path: Path, fabric: "Fabric") -> None:
    rows: list[dict[str, float]] = []
    steps = list(begin(tmp_path, fabric).steps(rows.append))
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["learning_rate"] for row in rows[1:]] == [TRAIN.learning_rate_at(epoch) for epoch in range(4)]
    for row in rows[1:]:
        losses = [step.losses["JD"] for step in steps if step.epoch == row["epoch"]]
        assert len(losses) == 3 and row["JD"] == pytest.approx(sum(losses) / 3)
    with (tmp_path / "history.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert set(written[0]) == set().union(*rows) and next(iter(written[0])) == "epoch"
    assert written[0]["JD"] == "" and float(written[4]["JD"]) == pytest.approx(rows[4]["JD"], rel=1e-5)


@pytest.mark.parametrize("total", [0, 1, 2, 8, 20, 400, 1000])
def test_the_kept_epochs_are_about_sixteen_from_the_first_to_the_last(total: int) -> None:
    kept = kept_epochs(total)
    assert kept == sorted(set(kept)) and kept[0] == 0 and kept[-1] == total
    assert len(kept) <= 16 and (total < 400 or len(kept) >= 14)


# --- Refusals ---


@pytest.fixture
def begun(tmp_path: Path, fabric: "Fabric") -> Path:
    """The folder of a run with one epoch done."""
    for step in begin(tmp_path / "begun", fabric).steps():
        if step.epoch == 2:
            break
    return tmp_path / "begun"


def refusal(folder: Path, fabric: "Fabric", recipe: Recipe = RECIPE) -> str:
    with pytest.raises(RunError) as refused:
        begin(folder, fabric, recipe)
    message = str(refused.value)
    assert re.fullmatch(r"[^\n]*[^\n.]\.", message) and str(folder) in message
    return message


def without_facts(path: Path) -> None:
    save_file(load_file(path), path)


def with_facts(path: Path, **changes: Any) -> None:
    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()["progress"])
    facts = {key: value for key, value in (facts | changes).items() if value is not None}
    save_file(load_file(path), path, {"progress": json.dumps(facts)})


def with_tensors(path: Path, **changes: Tensor | None) -> None:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path) | {name.replace("__", "."): tensor for name, tensor in changes.items()}
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path, metadata)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "header cut off": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "zeros": lambda path: path.write_bytes(bytes(4096)),
    "text": lambda path: path.write_text("not a state"),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "no facts": without_facts,
    "a fact missing": lambda path: with_facts(path, epoch=None),
    "a fact of another kind": lambda path: with_facts(path, train=3),
    "a weight missing": lambda path: with_tensors(path, model__encoder__output__weight=None),
    "a weight of another shape": lambda path: with_tensors(path, model__encoder__output__weight=torch.ones(2, 2)),
    "a moment missing": lambda path: with_tensors(path, adam__JD__0__exp_avg=None),
    "a weight too many": lambda path: with_tensors(path, model__encoder__more__weight=torch.ones(2)),
    "no word of its data": lambda path: with_facts(path, data=None),
    "an impossible config": lambda path: with_facts(path, model={"latent_dim": -1}),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_is_refused_with_the_way_out(begun: Path, fabric: "Fabric", damage: Any) -> None:
    damage(begun / STATE_FILE)
    assert "is damaged; delete it to begin again" in refusal(begun, fabric)


@pytest.mark.parametrize(
    "other",
    [
        Recipe(replace(MODEL, latent_dim=4), TRAIN),
        Recipe(MODEL, replace(TRAIN, seed=1)),
        Recipe(MODEL, replace(TRAIN, epochs=3)),
    ],
    ids=["model", "seed", "epochs"],
)
def test_the_folder_of_another_recipe_is_refused_and_left_alone(begun: Path, fabric: "Fabric", other: Recipe) -> None:
    before = (begun / STATE_FILE).read_bytes()
    message = refusal(begun, fabric, other)
    assert "choose another folder" in message and message.count(", not ") == 1, "it names what differs, alone"
    assert (begun / STATE_FILE).read_bytes() == before


def test_a_leftover_of_a_torn_save_does_no_harm(begun: Path, fabric: "Fabric") -> None:
    (begun / (STATE_FILE + ".tmp")).write_bytes(b"half a sta")
    resumed = begin(begun, fabric)
    assert resumed.state.epoch == 1
    list(resumed.steps())
    assert not (begun / (STATE_FILE + ".tmp")).exists()


def test_a_run_does_not_go_on_with_other_images_or_another_gallery(begun: Path, fabric: "Fabric") -> None:
    changed = replace(TRAINING, labels=TRAINING.labels.flip(0))
    for training, gallery, name in [(changed, GALLERY, "images"), (TRAINING, None, "gallery")]:
        with pytest.raises(RunError, match=rf"holds a run with {name} \w+, not \w+; choose another folder"):
            Run(begun, RECIPE, training, HELD_OUT, fabric, gallery)


def test_images_of_another_shape_than_the_models_are_refused(tmp_path: Path, fabric: "Fabric") -> None:
    other = random_dataset(40, seed=0, shape=(1, 5, 6))
    for training, held_out in [(other, HELD_OUT), (TRAINING, other)]:
        with pytest.raises(ValueError, match=r"toy are \(1, 5, 6\), the model's are \(1, 6, 5\)"):
            Run(tmp_path, RECIPE, training, held_out, fabric)


def diverge(steps: Iterator[Any]) -> str:
    with pytest.raises(DivergedError) as diverged:
        list(steps)
    return str(diverged.value)


def test_a_run_that_diverges_names_step_config_and_the_last_good_save(tmp_path: Path, fabric: "Fabric") -> None:
    one = begin(tmp_path, fabric)
    steps = one.steps()
    while next(steps).epoch < 3:  # the first step of the third epoch
        pass
    saved = (tmp_path / STATE_FILE).read_bytes()
    with torch.no_grad():
        one.state.model.encoder.output.weight[0, 0] = math.nan
    message = diverge(steps)
    assert "epoch 3" in message and "step 2" in message and json.dumps(TRAIN.to_dict()) in message
    assert f"after epoch 2, is {tmp_path / STATE_FILE}" in message
    assert (tmp_path / STATE_FILE).read_bytes() == saved
    good = begin(tmp_path, fabric)
    assert good.state.epoch == one.saved_epoch() == 2
    assert all(tensor.isfinite().all() for tensor in good.state.tensors().values())
    list(good.steps())
    assert good.state.epoch == 4, "and it goes on from there"


def test_a_run_that_diverges_before_its_first_save_names_no_file(tmp_path: Path, fabric: "Fabric") -> None:
    recipe = Recipe(MODEL, replace(TRAIN, learning_rate=1e30))
    message = diverge(begin(tmp_path, fabric, recipe).steps())
    assert "epoch 1" in message and json.dumps(recipe.train.to_dict()) in message
    assert STATE_FILE not in message and "nothing" in message.lower()


def test_weights_that_overflow_in_the_last_step_of_an_epoch_are_not_saved(tmp_path: Path, fabric: "Fabric") -> None:
    one = begin(tmp_path, fabric)
    steps = one.steps()
    while (step := next(steps)).epoch < 2 or step.step < step.num_steps:
        pass
    saved = (tmp_path / STATE_FILE).read_bytes()
    with torch.no_grad():
        one.state.model.encoder.output.weight[0, 0] = math.inf
    message = diverge(steps)
    assert f"after epoch 1, is {tmp_path / STATE_FILE}" in message
    assert (tmp_path / STATE_FILE).read_bytes() == saved
