"""The command line: every command on a tiny model, its exit codes, its one JSON document, and the README's commands."""

import dataclasses
import gzip
import json
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import bigan
from bigan import checkpoint, records
from bigan.__main__ import main, parse
from bigan.cli.command import table
from bigan.cli.data import read_parts
from bigan.cli.evaluate import Evaluate
from bigan.cli.interpolate import Interpolate
from bigan.cli.reconstruct import Reconstruct
from bigan.cli.sample import Sample
from bigan.cli.train import Train
from bigan.config import RECIPES, ModelConfig
from bigan.evaluation import report, sample_quality
from bigan.explore import projection
from bigan.explore.gallery import Gallery, load_gallery, save_gallery
from bigan.models.bigan import BiGAN

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
COMMANDS = (
    "train", "evaluate", "sample", "reconstruct", "interpolate", "project", "figure", "reproduce", "gallery",
    "checkpoints", "benchmark",
)  # fmt: skip
MAX_HELP_SECONDS = 1.5
SMALL = ("--hidden-dim", "8", "--epochs", "1", "--decay-epochs", "1", "--batch-size", "20", "--accelerator", "cpu")

Answered = Callable[..., Any]


@pytest.fixture
def named_tiny(tiny_model: BiGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint called "tiny" with a gallery of 60 images, in a folder of its own; the current folder is empty."""
    places, here = tmp_path / "places", tmp_path / "here"
    folder = places / "tiny"
    checkpoint.save(tiny_model, folder)
    save_gallery(gallery(), folder)
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(places))
    return folder


def gallery(ids: tuple[str, ...] = ()) -> Gallery:
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(256, (60, 1, 28, 28), generator=generator, dtype=torch.uint8)
    names = (*ids, *(f"made-{index:02d}" for index in range(60)))[:60]
    return Gallery(images, torch.arange(60) // 6, names, tuple("0123456789"), "made up")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 30), np.uint8)).save(path)
    return path


@pytest.fixture
def answered(capsys: pytest.CaptureFixture[str]) -> Answered:
    """The one JSON document that a command prints, its exit code being 0 unless another one is expected."""

    def ask(*words: str | Path, code: int = 0) -> Any:
        capsys.readouterr()
        assert main([*map(str, words), "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return ask


# Help and usage


@pytest.mark.parametrize("words", [("--help",), ("train", "--help"), ("train", "mnist", "--help")], ids=" ".join)
def test_help_answers_at_once(words: tuple[str, ...]) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run = subprocess.run([sys.executable, "-m", "bigan", *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and "usage: python -m bigan" in run.stdout
    # the processor's time, since other work on the machine is not the command's fault
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < MAX_HELP_SECONDS


def test_no_help_imports_torch_or_what_is_slower() -> None:
    script = f"""
import contextlib, io, sys
from bigan.__main__ import main
for command in {COMMANDS}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([command, "--help"])
slow = {{"torch", "numpy", "lightning_fabric", "streamlit", "umap", "numba", "sklearn", "PIL"}}
print(sorted(slow & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse([command, "--help"])
    assert left.value.code == 0
    assert f"python -m bigan {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("", "command"),
        ("dream", "dream"),
        ("train", "mnist"),
        ("train imagenet", "imagenet"),
        ("train mnist --epochs many", "many"),
        ("train mnist --epochs -3", "epochs is -3"),
        ("train mnist --latent-dim 0", "latent_dim is 0"),
        ("train mnist --discriminator-steps 2", "discriminator_steps is 2"),
        ("train mnist --precision fp8", "fp8"),
        ("train mnist --devices some", "some"),
        ("sample", "CHECKPOINT"),
        ("sample tiny --out samples.jpg", "samples.jpg"),
        ("sample tiny --count 0", "count is 0"),
        ("sample tiny --colour red", "--colour"),
        ("sample tiny --seed -1", "seed is -1"),
        ("sample tiny --truncation 2", "truncation is 2.0"),
        ("sample tiny --truncation nan", "truncation is nan"),
        ("project tiny --seed -1", "seed is -1"),
        ("project tiny --seed 4294967296", "seed is 4294967296"),
        ("evaluate tiny --seed -1", "seed is -1"),
        ("interpolate tiny --start sample:0:0:1.2.3", "'sample:0:0:1.2.3' is no sample"),
        ("interpolate tiny --start sample:0:0:0", "'sample:0:0:0' is no sample"),
        ("interpolate tiny --end seed:4294967296:0", "'seed:4294967296:0' is no sample"),
        ("interpolate tiny --end sample:0", "it must read sample:SEED:INDEX"),
        ("reconstruct tiny", "files is empty"),
        ("reconstruct tiny a.png --mode letter", "letter"),
        ("interpolate tiny --out walk.mp4", "walk.mp4"),
        ("interpolate tiny --num-steps 1", "num_steps is 1"),
        ("interpolate tiny --path circle", "circle"),
        ("evaluate mnist --protocol exam", "exam"),
        ("benchmark juggling", "juggling"),
    ],
)
def test_wrong_usage_ends_with_two_and_names_the_mistake(
    words: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words.split())
    assert left.value.code == 2
    written = capsys.readouterr()
    assert named in " ".join(written.err.split()) and not written.out


def test_options_may_stand_before_or_after_the_recipe_and_change_only_what_they_name() -> None:
    before = parse(["train", "--data", "x", "tiny", "--seed", "7", "--json"])
    after = parse(["train", "tiny", "--json", "--seed", "7", "--data", "x"])
    assert before == after and isinstance(after, Train)
    assert after.recipe.model == RECIPES["tiny"].model
    assert after.recipe.train == dataclasses.replace(RECIPES["tiny"].train, seed=7)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_without_options_is_the_recipe(name: str) -> None:
    command = parse(["train", name])
    assert isinstance(command, Train)
    assert (command.recipe.model, command.recipe.train) == (RECIPES[name].model, RECIPES[name].train)
    assert command.command_line() == f"python -m bigan train {name}"


@pytest.mark.parametrize(
    ("words", "recorded"),
    [
        ("mnist --data /home/someone/data", "mnist --data DIR"),
        ("mnist --data ../data", "mnist --data DIR"),
        ("tiny --data checkpoints/mnist/gallery.npz", "tiny --data checkpoints/mnist/gallery.npz"),
        ("tiny --data /else/where/gallery.npz --json", "tiny --data DIR/gallery.npz"),
        ("mnist --gallery /a/digits.png --out /b --checkpoint /c", "mnist --gallery FILE"),
        ("mnist --no-batch-norm --image-shape 3 8 8 --seed 42", "mnist --image-shape 3 8 8 --no-batch-norm"),
        ("mnist --adam-betas 0.5 0.9 --devices 2", "mnist --adam-betas 0.5 0.9 --devices 2"),
        ("mnist --dataset kmnist --schedule alternating", "mnist --dataset kmnist --schedule alternating"),
    ],
)
def test_the_recorded_command_is_portable_and_means_the_same(words: str, recorded: str) -> None:
    command = parse(["train", *words.split()])
    assert isinstance(command, Train)
    assert command.command_line() == f"python -m bigan train {recorded}"
    again = parse(shlex.split(command.command_line())[3:])
    assert isinstance(again, Train) and again.recipe == command.recipe


# Failures: one sentence on standard error, 1, no traceback


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("sample nowhere", "There is no checkpoint 'nowhere'"),
        ("sample tiny --device meta", "device is 'meta'"),
        ("sample tiny --device hpu", "device is 'hpu'"),
        ("sample tiny --out file/samples.png", "file"),
        ("interpolate tiny --start gallery:nobody", "'nobody'"),
        ("interpolate tiny --end nothing.png", "nothing.png"),
        ("evaluate tiny --data nowhere", "nowhere"),
        ("evaluate tiny --data nowhere/gallery.npz", "nowhere/gallery.npz"),
        ("evaluate tiny --data ../places/tiny/gallery.npz --save", "--save"),
        ("train tiny --data nowhere", "nowhere"),
        ("train tiny --dataset flowers --data .", "'flowers'"),
        ("train tiny --data ../places/tiny/gallery.npz --image-shape 3 8 8", "(1, 28, 28)"),
        ("gallery tiny --source picture.png", "picture.png"),
        ("gallery nowhere", "'nowhere'"),
    ],
)
def test_a_failure_ends_with_one_and_one_sentence(
    words: str, named: str, named_tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("not a folder")
    Image.new("L", (9, 9)).save("picture.png")
    for extra in ([], ["--json"]):
        assert main([*words.split(), *extra]) == 1
        written = capsys.readouterr()
        assert not written.out
        assert named in written.err and "Traceback" not in written.err
        assert written.err.count("\n") == 1 and written.err.rstrip().endswith(".")
    assert named_tiny.exists()


def test_the_process_ends_with_the_exit_code_and_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bigan", "sample", str(tmp_path / "none")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1 and not run.stdout
    assert "There is no checkpoint" in run.stderr and "Traceback" not in run.stderr


# Commands


@pytest.mark.usefixtures("named_tiny")
@pytest.mark.parametrize("words", ["evaluate", "sample", "reconstruct PICTURE", "interpolate", "project"])
def test_a_device_that_is_not_here_is_one_sentence(
    words: str, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *rest = words.replace("PICTURE", str(picture)).split()
    assert main([command, "tiny", *rest, "--device", "abacus"]) == 1
    written = capsys.readouterr()
    assert written.err == "device is 'abacus'; it must be one that PyTorch has here, such as 'cpu'.\n"
    assert not written.out


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.usefixtures("hasty", "named_tiny")
def test_every_command_on_a_model_runs_on_a_gpu(
    picture: Path, answered: Answered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "_umap", fake_umap)
    on = ("--device", "cuda")
    assert answered("evaluate", "tiny", "--data", write_idx(tmp_path / "data"), *on)["device"].startswith("cuda")
    answered("sample", "tiny", "--out", "s.npz", *on)
    answered("reconstruct", "tiny", picture, *on)
    answered("interpolate", "tiny", "--end", picture, "--out", "w.npz", *on)
    answered("project", "tiny", *on)
    with np.load("s.npz") as arrays:
        assert np.allclose(arrays["x"], bigan.load("tiny").generate(torch.from_numpy(arrays["z"])), atol=1e-2)


def test_sample_writes_the_same_images_as_the_library(named_tiny: Path, answered: Answered, tmp_path: Path) -> None:
    out = tmp_path / "new" / "samples.npz"
    document = answered("sample", "tiny", "--count", 5, "--seed", 9, "--truncation", 0.5, "--out", out)
    loaded = bigan.load(named_tiny)  # float16 weights, unlike the model in memory
    z = loaded.sample_latents(5, 9, 0.5)
    with np.load(out) as arrays:
        assert np.array_equal(arrays["z"], z.numpy())
        assert np.array_equal(arrays["x"], loaded.generate(z).numpy())
        assert arrays["seed"] == 9 and arrays["truncation"] == 0.5
        assert np.allclose(arrays["logits"], document["logits"])
    assert document["count"] == 5 and document["out"] == str(out)


@pytest.mark.usefixtures("named_tiny")
def test_sample_draws_a_square_grid(answered: Answered) -> None:
    answered("sample", "tiny", "--count", 9)
    with Image.open("samples.png") as image:
        assert image.size == (3 * 112 + 2 * 2, 3 * 112 + 2 * 2)


@pytest.mark.usefixtures("named_tiny")
def test_a_table_for_people_ends_with_the_file_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "tiny", "--count", "2"]) == 0
    assert capsys.readouterr().out.endswith("Written to samples.png.\n")


@pytest.mark.usefixtures("named_tiny")
def test_reconstruct_reports_each_picture_and_names_the_bad_ones(
    picture: Path, answered: Answered, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.png").write_text("no picture")
    document = answered("reconstruct", "tiny", picture, "bad.png", picture, code=1)
    model = bigan.load("tiny")
    x = model.prepare(picture)
    assert [fact["file"] for fact in document["images"]] == [str(picture)] * 2
    first = document["images"][0]
    assert first["distance"] == pytest.approx(float((model.reconstruct(x) - x).norm()), rel=1e-5)
    assert first["latent"] == pytest.approx(model.encode(x)[0].tolist(), abs=1e-6)
    assert len(first["neighbours"]) == 5 and 0 <= first["percentile"] <= 1
    assert [problem["file"] for problem in document["problems"]] == ["bad.png"]
    with Image.open("reconstruction.png") as image:
        assert image.size == (3 * 112 + 2 * 2, 2 * 112 + 2)
    assert main(["reconstruct", "tiny", "bad.png"]) == 1
    written = capsys.readouterr()
    assert written.err.startswith("bad.png: ") and "None of the pictures" in written.out


@pytest.mark.usefixtures("named_tiny")
def test_reconstruct_sends_each_picture_through_the_networks_once(
    picture: Path, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"encoder": 0, "generator": 0}
    load = checkpoint.load

    def counted(*words: Any) -> BiGAN:
        model = load(*words)
        for name in counts:  # by the first layer, as E may be asked for its activations
            model.get_submodule(f"{name}.hidden.0").register_forward_pre_hook(partial(count, name))
        return model

    def count(name: str, _: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        counts[name] += len(inputs[0])

    monkeypatch.setattr(checkpoint, "load", counted)
    answered("reconstruct", "tiny", picture, picture)
    assert counts == {"encoder": 62, "generator": 62}  # with the gallery's 60


def test_reconstruct_works_without_a_gallery(
    tiny_checkpoint: Path, picture: Path, answered: Answered, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("reconstruct", tiny_checkpoint, picture, "--out", tmp_path / "r.png")
    found, model = answered(*words)["images"][0], bigan.load(tiny_checkpoint)
    x = model.prepare(picture)
    assert found["distance"] == pytest.approx(float((model.reconstruct(x) - x).norm()), rel=1e-5)
    assert found["latent"] == pytest.approx(model.encode(x)[0].tolist(), abs=1e-6) and "ratio" not in found
    assert main([*map(str, words)]) == 0
    assert str(picture) in capsys.readouterr().out


@pytest.mark.usefixtures("named_tiny")
@pytest.mark.parametrize("kind", ["gif", "webp", "png", "npz"])
def test_interpolate_walks_between_any_two_ends(kind: str, picture: Path, answered: Answered) -> None:
    out = Path(f"walk.{kind}")
    ends = ("--start", "gallery:made-07", "--end", picture)
    document = answered("interpolate", "tiny", *ends, "--num-steps", 5, "--path", "slerp", "--out", out)
    assert len(document["logits"]) == len(document["off_prior_shares"]) == 5 and len(document["pixel_steps"]) == 4
    if kind == "npz":
        model, images = bigan.load("tiny"), gallery().images
        with np.load(out) as arrays:
            assert np.allclose(arrays["z"][0], model.encode(images[7:8].float() / 255)[0], atol=1e-6)
            assert np.allclose(arrays["z"][-1], model.encode(model.prepare(picture))[0], atol=1e-6)
    else:
        with Image.open(out) as image:
            assert getattr(image, "n_frames", 1) == (1 if kind == "png" else 5)


@pytest.mark.usefixtures("named_tiny")
def test_a_sample_is_named_by_seed_and_index(answered: Answered) -> None:
    answered("interpolate", "tiny", "--start", "seed:4:2", "--end", "sample:4:3:0.5", "--out", "w.npz")
    model = bigan.load("tiny")
    with np.load("w.npz") as arrays:
        assert np.array_equal(arrays["z"][0], model.sample_latents(3, 4)[2].numpy())
        assert np.array_equal(arrays["z"][-1], model.sample_latents(4, 4, 0.5)[3].numpy())


def fake_umap(features: torch.Tensor, seed: int, settings: dict[str, Any]) -> torch.Tensor:
    del settings
    return torch.randn(len(features), 2, generator=torch.Generator().manual_seed(seed))


def test_project_maps_the_gallery_into_the_checkpoint(
    named_tiny: Path, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "_umap", fake_umap)  # UMAP itself takes seconds to compile and has its own test
    document = answered("project", "tiny")
    found = projection.load_projection(named_tiny)
    assert found is not None and found.ids == gallery().ids
    for space, space_map in found.maps.items():
        assert document["maps"][space]["trustworthiness"] == space_map.trustworthiness
    assert (named_tiny / "README.md").exists()


def test_project_needs_a_gallery(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["project", str(tiny_checkpoint)]) == 1
    assert "no gallery" in capsys.readouterr().err


def test_checkpoints_lists_the_usable_and_says_what_is_wrong_with_the_rest(
    named_tiny: Path, answered: Answered, capsys: pytest.CaptureFixture[str]
) -> None:
    (named_tiny.parent / "broken").mkdir()
    entries = {entry["name"]: entry for entry in answered("checkpoints")}
    assert entries["tiny"]["num_parameters"] == RECIPES["tiny"].model.num_parameters
    assert entries["tiny"]["num_bytes"] == sum(path.stat().st_size for path in named_tiny.iterdir())
    assert entries["tiny"]["problem"] is None and "config.json" in entries["broken"]["problem"]
    assert main(["checkpoints"]) == 0
    assert "ready" in capsys.readouterr().out


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluate on few samples; the names stay."""
    monkeypatch.setattr(report, "NUM_GENERATED", 1000)
    monkeypatch.setattr(report, "NND_NAMES", {10: "NND/100", 100: "NND/10", 1000: "NND"})
    monkeypatch.setattr(sample_quality, "joint_loss", partial(sample_quality.joint_loss, num_batches=10))


def write_idx(folder: Path, num_training: int = 60, num_test: int = 40) -> Path:
    """A small data set in MNIST's own files."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    for stem, count in (("train", num_training), ("t10k", num_test)):
        images = generator.integers(0, 256, (count, 28, 28), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (folder / f"{stem}-{name}.gz").write_bytes(gzip.compress(head + array.tobytes()))
    return folder


def test_gallery_takes_test_images_and_goes_into_the_checkpoint(
    named_tiny: Path, answered: Answered, tmp_path: Path
) -> None:
    data = write_idx(tmp_path / "data")
    document = answered("gallery", "tiny", "--data", data)
    found = load_gallery(named_tiny)
    assert found is not None and document["num_images"] == len(found) == 40
    assert found.ids[3] == "mnist-test-00003" and document["classes"]["7"] == 4
    answered("gallery", "mnist", "--data", data, "--out", tmp_path / "alone")
    assert [path.name for path in (tmp_path / "alone").iterdir()] == ["gallery.npz"]


@pytest.mark.usefixtures("hasty")
def test_evaluate_saves_what_it_prints(named_tiny: Path, answered: Answered, tmp_path: Path) -> None:
    data = write_idx(tmp_path / "data")
    document = answered("evaluate", "tiny", "--data", data, "--save")
    assert document["protocol"] == "test" and document["metrics"]["NNC_e-"]["num_references"] == 60
    assert json.loads((named_tiny / "metrics.json").read_text()) == document == records.read_metrics(named_tiny)
    assert "NNC_e-" in (named_tiny / "README.md").read_text()


def test_evaluate_refuses_to_hold_out_what_the_weights_were_trained_on(
    named_tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "_stages", lambda *_: ())
    words = ["evaluate", "tiny", "--data", str(named_tiny / "gallery.npz"), "--protocol"]
    for split, protocol, code in [("test", "validation", 1), ("test", "test", 0), ("validation", "validation", 0)]:
        (named_tiny / "train.json").write_text(json.dumps({"train": {"split": split}}))
        assert main([*words, protocol]) == code
        refused = "trained on the images that `validation` holds out; use --protocol test." in capsys.readouterr().err
        assert refused == bool(code)


@pytest.mark.usefixtures("hasty")
def test_evaluate_puts_published_figures_beside_those_of_the_data_set_alone(
    named_tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_idx(tmp_path / "data")
    assert main(["evaluate", "tiny", "--data", str(data)]) == 0
    assert "97.39" in capsys.readouterr().out
    assert main(["evaluate", "tiny", "--data", str(named_tiny / "gallery.npz"), "--protocol", "validation"]) == 0
    table_of_gallery = capsys.readouterr().out
    assert "gallery of mnist" in table_of_gallery and "97.39" not in table_of_gallery


def test_a_gallery_of_another_known_data_set_is_refused() -> None:
    with pytest.raises(ValueError, match="has the classes of mnist; give a gallery of fashion-mnist"):
        read_parts(ModelConfig(dataset="fashion-mnist"), "test", ROOT / "checkpoints" / "mnist" / "gallery.npz")


def test_a_gallery_splits_into_parts_that_share_no_image_and_keep_every_class(named_tiny: Path) -> None:
    path, config = named_tiny / "gallery.npz", ModelConfig()
    training, test = read_parts(config, "test", path)
    smaller, validation = read_parts(config, "validation", path)
    assert (len(training), len(test), len(smaller), len(validation)) == (48, 12, 39, 9)
    kinds = [{image.numpy().tobytes() for image in part.images} for part in (test, smaller, validation)]
    assert sum(map(len, kinds)) == len(set().union(*kinds)) == 60
    assert set(test.labels.tolist()) == set(range(10))


def test_train_goes_on_where_it_was_and_exports_a_checkpoint_with_its_command(
    named_tiny: Path, answered: Answered, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigan.run.MONITOR_BATCHES", 5)
    words = ("train", "tiny", *SMALL, "--data", named_tiny / "gallery.npz", "--checkpoint", "made")
    document = answered(*words)
    assert document["last"]["epoch"] == 2 and document["checkpoint"] == "made"
    assert bigan.load(Path("made")).config.hidden_dim == 8
    facts = json.loads(Path("made/train.json").read_text())
    assert facts["command"] == document["command"]
    assert "--hidden-dim 8" in facts["command"] and str(named_tiny) not in facts["command"]
    assert "python -m bigan train tiny" in Path("made/README.md").read_text()
    found = load_gallery(Path("made"))
    assert found is not None and found.ids == gallery().ids
    weights = Path("made/model.safetensors").read_bytes()
    assert answered(*words)["last"] == document["last"]  # nothing left to do
    assert Path("made/model.safetensors").read_bytes() == weights
    assert main([*map(str, words), "--seed", "1"]) == 1
    assert "runs/tiny" in capsys.readouterr().err  # holds a run of another recipe


def test_training_tells_losses_images_a_second_and_each_evaluation(
    named_tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigan.run.MONITOR_BATCHES", 5)
    assert main(["train", "tiny", *SMALL, "--data", str(named_tiny / "gallery.npz")]) == 0
    told = capsys.readouterr().err
    for epoch in (1, 2):
        assert re.search(rf"\repoch {epoch}:  JD \d.*EGr / EGr_b \d\.\d{{3}}  NNC_e- \d+\.\d\d %\n", told)
    assert re.search(r"tiny: 100%.*\[\d\d:\d\d<.*images/s.*epoch=2, JD=\d", told), "elapsed < left, speed and losses"


@pytest.mark.parametrize("recipe", ["mnist-gan", "mnist-lr", "mnist-ae-l1", "mnist-supervised"])
def test_a_rival_is_trained_as_a_bigan_is_and_shipped_with_its_card(
    recipe: str, named_tiny: Path, answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigan.run.MONITOR_BATCHES", 5)
    answered("train", recipe, *SMALL, "--data", named_tiny / "gallery.npz", "--checkpoint", "made")
    kept = bigan.load(Path("made")).config.networks
    assert kept == (("generator", "encoder") if recipe == "mnist-lr" else RECIPES[recipe].model.networks)
    assert f"python -m bigan train {recipe}" in Path("made/README.md").read_text()
    assert Path("made/replay.npz").exists() == ({"generator", "encoder"} <= set(kept))


def test_an_encoder_is_trained_after_the_gan_that_is_named(
    named_tiny: Path, answered: Answered, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigan.run.MONITOR_BATCHES", 5)
    data = ("--data", named_tiny / "gallery.npz")
    answered("train", "mnist-gan", *SMALL, *data, "--checkpoint", named_tiny.parent / "first")
    answered("train", "mnist-lr-after", *SMALL, *data, "--start", "first", "--checkpoint", "after")
    before, after = bigan.load("first"), bigan.load(Path("after"))
    for name, weight in after.generator.named_parameters():
        assert torch.equal(weight, before.generator.get_parameter(name)), name
    assert "--start first" in Path("after/README.md").read_text()
    (named_tiny.parent / "first").rename(named_tiny.parent / "moved")
    answered("train", "mnist-lr-after", *SMALL, *data, "--start", "moved", "--checkpoint", "again")
    same = dict(bigan.load(Path("again")).encoder.named_parameters())
    assert all(torch.equal(weight, same[name]) for name, weight in after.encoder.named_parameters()), "the run goes on"
    words = ["train", "mnist-lr-after", *SMALL, "--data", str(named_tiny / "gallery.npz"), "--out", "other"]
    for start, said in (("second", "There is no checkpoint 'second'"), ("tiny", "not of the recipe's sizes")):
        assert main([*words, "--start", start]) == 1
        assert said in capsys.readouterr().err.splitlines()[-1]
    assert main(["train", "mnist-gan", "--objective", "supervised"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "networks is generator, discriminator; the objective 'supervised' also trains the encoder."
    )


def test_a_table_aligns_numbers_to_the_right() -> None:
    assert table(("name", "size"), [("a", "9"), ("long", "10")]) == ("name  size\n----  ----\na        9\nlong    10")


# The README


def fenced_commands(text: str) -> list[str]:
    """The commands in fenced blocks of Markdown: lines of `python -m bigan` and `make`, continuations joined."""
    commands = []
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
            words = line.strip().removeprefix("$ ")
            if match := re.match(r"(?:\w+=\S+ )*((?:\.venv/bin/)?python -m bigan|make)\b", words):
                commands.append(words[match.start(1) :])
    return commands


def inline_commands(text: str) -> list[str]:
    """The commands of Python in running text and in tables, between single backticks."""
    without_fences = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(words.split()) for words in re.findall(r"`(python -m [^`]+)`", without_fences)]


def readme_commands() -> list[str]:
    return fenced_commands(README.read_text(encoding="utf-8")) if README.exists() else []


def parsed(command: str) -> Any:
    words = shlex.split(command, comments=True)
    return parse(words[words.index("bigan") + 1 :])


def test_the_reader_of_the_readme_finds_commands_in_fences_and_in_text() -> None:
    text = "`make no`, `python -m bigan\n train mnist`\n```sh\n$ make app  # go\npip install .\n```\n\n"
    text += "```\nPORT=1 python -m bigan sample x \\\n  --seed 3\n```\n"
    assert fenced_commands(text) == ["make app  # go", "python -m bigan sample x --seed 3"]
    assert parsed(fenced_commands(text)[1]) == Sample(name="x", seed=3)
    assert inline_commands(text) == ["python -m bigan train mnist"]


@pytest.mark.parametrize("command", dict.fromkeys(inline_commands(README.read_text(encoding="utf-8"))))
def test_every_command_in_the_text_of_the_readme_is_one(command: str) -> None:
    module = command.split()[2]
    if module == "bigan":
        parsed(command)
    else:
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("command", [c for c in readme_commands() if not c.startswith("make")])
def test_every_command_of_the_readme_is_one(command: str) -> None:
    parsed(command)


@pytest.mark.parametrize("command", [c for c in readme_commands() if c.startswith("make")])
def test_every_make_target_of_the_readme_exists(command: str) -> None:
    words = shlex.split(command, comments=True)
    run = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.fixture
def for_the_readme(tiny_model: BiGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model, with the gallery images that the README speaks of; the current folder is empty."""
    ids = tuple(dict.fromkeys(re.findall(r"gallery:([\w.-]+)", " ".join(readme_commands()))))
    folder = tmp_path / "tiny"
    checkpoint.save(tiny_model, folder)
    save_gallery(gallery(ids), folder)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(projection, "_umap", fake_umap)
    monkeypatch.setattr("bigan.run.MONITOR_BATCHES", 5)
    return folder


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("command", [c for c in readme_commands() if not c.startswith("make")])
def test_every_command_of_the_readme_runs_on_a_tiny_model(command: str, for_the_readme: Path, picture: Path) -> None:
    asked = parsed(command)
    data = for_the_readme / "gallery.npz"
    changes: dict[str, Any] = {"name": str(for_the_readme)} if hasattr(asked, "name") else {}
    if isinstance(asked, Train):
        small = parse(["train", "tiny", *SMALL])
        assert isinstance(small, Train)
        changes = {"recipe": small.recipe, "data": data, "gallery": None, "devices": 1, "num_nodes": 1}
        changes |= {"download": False, "out": Path("run"), "checkpoint": None, "accelerator": "cpu"}
    elif isinstance(asked, Evaluate):
        changes |= {"data": data, "save": False, "download": False}
    elif isinstance(asked, Reconstruct):
        changes |= {"files": (picture,), "mode": "plain"}
    elif isinstance(asked, Interpolate):
        for end in ("start", "end"):
            if not getattr(asked, end).startswith(("seed:", "sample:", "gallery:")):
                changes[end] = str(picture)
    if type(asked).__name__ in ("Benchmark", "BuildGallery"):
        pytest.skip("measures the machine, or needs a data set; that it parses was tested")
    answer = dataclasses.replace(asked, **changes).run()
    assert answer is not None and answer.text and not answer.failed
    json.dumps(answer.document, allow_nan=False)
