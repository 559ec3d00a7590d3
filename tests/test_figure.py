"""The paper's figure: three rows of one model, and a fair choice of real images."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import bigan
from bigan import checkpoint, data
from bigan.__main__ import main
from bigan.cli.command import ENLARGEMENT
from bigan.cli.figure import balanced_choice
from bigan.explore.gallery import load_gallery

PITCH = 28 * ENLARGEMENT + 2


@pytest.fixture(autouse=True)
def nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data set on this machine, whatever lies on it."""
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    monkeypatch.delenv("BIGAN_DATA", raising=False)


def cell(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    """One image of the picture, at its own size again."""
    top, left = row * PITCH, column * PITCH
    return picture[top : top + 28 * ENLARGEMENT : ENLARGEMENT, left : left + 28 * ENLARGEMENT : ENLARGEMENT, 0]


@pytest.mark.parametrize("from_data", [False, True], ids=["own gallery", "--data"])
def test_the_rows_are_samples_images_and_their_reconstructions(
    from_data: bool, mapped_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, given = tmp_path / "figure.png", ["--data", str(mapped_checkpoint / "gallery.npz")] if from_data else []
    words = ["figure", str(mapped_checkpoint), "--columns", "7", "--seed", "5", "--out", str(out), *given]
    assert main([*words, "--json"]) == 0
    document, model = json.loads(capsys.readouterr().out), bigan.load(mapped_checkpoint)
    picture = np.asarray(Image.open(out))
    assert picture.shape == (3 * PITCH - 2, 7 * PITCH - 2, 2) and document["rows"] == ["G(z)", "x", "G(E(x))"]
    gallery = load_gallery(mapped_checkpoint)
    assert gallery is not None
    # of a gallery in place of the data set, every fifth image is held out
    places = [5 * i + 4 for i in document["indices"]] if from_data else document["indices"]
    x = gallery.images[places].float() / 255  # (B, 1, H, W)
    rows = [model.generate(model.sample_latents(7, 5)), x, model.reconstruct(x)]
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            assert np.array_equal(cell(picture, row, column), (image[0] * 255).round().byte().numpy())
    assert document["labels"] == [gallery.class_names[label] for label in gallery.labels[places].tolist()]
    assert document["distances"] == pytest.approx((rows[2] - x).flatten(1).norm(dim=1).tolist(), rel=1e-5)


def test_where_the_data_set_lies_its_test_images_are_drawn_from_before_the_gallery(
    mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = torch.randint(0, 256, (20, 1, 28, 28), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    for stem, part in (("train", images[:12]), ("t10k", images[12:])):
        header = struct.pack(">4B3i", 0, 0, 8, 3, len(part), 28, 28)
        (tmp_path / f"{stem}-images-idx3-ubyte").write_bytes(header + part.numpy().tobytes())
        header = struct.pack(">4Bi", 0, 0, 8, 1, len(part))
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(header + bytes(i % 10 for i in range(len(part))))
    monkeypatch.setenv("BIGAN_DATA", str(tmp_path))
    out = tmp_path / "figure.png"
    assert main(["figure", str(mapped_checkpoint), "--columns", "3", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dataset"] == "mnist"
    for column, index in enumerate(document["indices"]):
        assert np.array_equal(cell(np.asarray(Image.open(out)), 1, column), images[12 + index, 0].numpy())


def test_each_class_comes_as_often_as_the_next_and_in_order() -> None:
    labels = torch.tensor([2] * 50 + [0] * 8 + [1] * 3)
    chosen = balanced_choice(labels, 12, seed=1)
    counts = torch.bincount(labels[chosen]).tolist()
    assert counts in ([5, 3, 4], [4, 3, 5]) and torch.equal(labels[chosen], labels[chosen].sort().values)
    assert len(chosen.unique()) == 12
    assert torch.equal(chosen, balanced_choice(labels, 12, seed=1))
    assert not torch.equal(chosen, balanced_choice(labels, 12, seed=2))
    assert sorted(balanced_choice(labels, 100, seed=1).tolist()) == list(range(61))


def test_without_any_real_images_there_is_no_figure(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figure.png"
    assert main(["figure", str(tiny_checkpoint), "--out", str(out)]) == 1
    assert "has no gallery; say where real images lie with --data." in capsys.readouterr().err and not out.exists()


def test_a_model_without_an_encoder_is_one_sentence(
    mapped_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "blind"
    checkpoint.save(bigan.load(mapped_checkpoint).with_networks(("generator",)), folder)
    shutil.copy(mapped_checkpoint / "gallery.npz", folder)
    assert main(["figure", str(folder), "--out", str(tmp_path / "figure.png")]) == 1
    written = capsys.readouterr().err
    assert "no encoder" in written and written.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"), [("--columns 0", "columns is 0"), ("--out f.gif", "f.gif"), ("--seed -1", "seed is -1")]
)
def test_wrong_usage_of_figure_ends_with_two(words: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["figure", "mnist", *words.split()])
    assert left.value.code == 2 and named in " ".join(capsys.readouterr().err.split())
