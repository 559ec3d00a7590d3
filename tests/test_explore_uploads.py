"""Many files at once."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import GalleryIndex, index_gallery, report
from bigan.explore.uploads import reconstruct_many
from bigan.models.bigan import BiGAN
from bigan.preparation import Mode


@pytest.fixture(scope="module")
def index(tiny_model: BiGAN) -> GalleryIndex:
    images = torch.randint(256, (20, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    gallery = Gallery(images, torch.arange(20) % 2, tuple(f"id-{i}" for i in range(20)), ("a", "b"), "noise")
    return index_gallery(tiny_model, gallery)


def png(seed: int) -> bytes:
    """A grey stroke on white."""
    pixels = np.full((40, 40), 255, np.uint8)
    pixels[5 : 10 + seed, 8 + seed : 15 + seed] = 10 * seed
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["plain", "digit"])
def test_each_file_is_reported_as_it_is_alone(tiny_model: BiGAN, index: GalleryIndex, mode: Mode) -> None:
    files = {f"{seed}.png": png(seed) for seed in range(8)}
    found = reconstruct_many(tiny_model, list(files.items()), index, mode)
    assert {one.name for one in found} == set(files)
    distances = []
    for one in found:
        alone = report(tiny_model, tiny_model.prepare(files[one.name], mode), index)
        assert one.report is not None
        assert torch.equal(one.report.x, alone.x)
        for column in ("distance", "ratio", "percentile", "off_prior_share", "encoder_pair_logit"):
            assert one.row[column] == pytest.approx(getattr(alone, column), abs=1e-5)
        assert one.row["name"] == one.name and one.row["problem"] == "" and one.row["is_far"] == alone.is_far
        distances.append(alone.distance)
    assert distances == pytest.approx(sorted(distances), abs=1e-4)


def test_a_broken_file_does_not_stop_the_others(tiny_model: BiGAN, index: GalleryIndex) -> None:
    files = [("bad.png", b"\x89PNG\r\n\x1a\nno"), ("one.png", png(1)), ("note.txt", b"hello"), ("two.png", png(2))]
    found = reconstruct_many(tiny_model, files, index)
    assert {one.name for one in found[:2]} == {"one.png", "two.png"}
    assert [one.name for one in found[2:]] == ["bad.png", "note.txt"]
    for one in found[2:]:
        assert one.report is None and one.row["distance"] is None and one.row["is_far"] is None
        assert one.row["problem"] == one.problem and one.problem.endswith(".")
    assert reconstruct_many(tiny_model, files[:1], index)[0].problem == found[2].problem
    assert reconstruct_many(tiny_model, [], index) == ()


def test_too_many_files_are_refused(tiny_model: BiGAN, index: GalleryIndex) -> None:
    with pytest.raises(ValueError, match="There are 65 files; at most 64"):
        reconstruct_many(tiny_model, [("a.png", png(1))] * 65, index)
