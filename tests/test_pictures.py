"""Tensors become pictures, and pictures the bytes of a file."""

import io
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from bigan.pictures import (
    NEGATIVE,
    PAPER,
    POSITIVE,
    animation_bytes,
    comparison,
    difference_picture,
    mosaic,
    png_bytes,
    to_image,
    to_uint8,
)
from bigan.preparation import prepare


def random_images(count: int, *shape: int) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def frames_of(content: bytes) -> Iterator[tuple[float, Image.Image]]:
    """Each frame's seconds and picture."""
    with Image.open(io.BytesIO(content)) as image:
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            image.load()
            yield image.info["duration"] / 1000, image.convert("RGBA")


def test_every_pixel_survives_the_way_to_float_and_back() -> None:
    pixels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert np.array_equal(to_uint8(pixels.float() / 255), pixels.numpy())


def test_values_outside_are_clamped_and_others_rounded() -> None:
    x = torch.tensor([-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 7.0, float("inf")])
    assert to_uint8(x).tolist() == [0, 0, 0, 1, 255, 255, 255]
    with pytest.raises(ValueError, match="not numbers"):
        to_uint8(torch.tensor([float("nan")]))


@pytest.mark.parametrize(("channels", "mode"), [(1, "LA"), (3, "RGBA")])
def test_each_image_lies_in_its_cell_and_the_rest_is_transparent(channels: int, mode: str) -> None:
    images, scale, gap = random_images(7, channels, 5, 4), 3, 2
    picture = mosaic(images, columns=3, scale=scale, gap_px=gap)
    assert picture.mode == mode and picture.size == (3 * 12 + 2 * 2, 3 * 15 + 2 * 2)
    pixels = np.asarray(picture)
    seen = np.zeros(pixels.shape[:2], bool)
    for i, image in enumerate(images):
        y, x = i // 3 * (5 * scale + gap), i % 3 * (4 * scale + gap)
        cell = pixels[y : y + 5 * scale, x : x + 4 * scale]
        enlarged = np.kron(image.permute(1, 2, 0).numpy(), np.ones((scale, scale, 1), np.uint8))
        assert np.array_equal(cell[..., :-1], enlarged) and (cell[..., -1] == 255).all()
        seen[y : y + 5 * scale, x : x + 4 * scale] = True
    assert not pixels[~seen].any()


def test_floats_bytes_and_arrays_give_the_same_mosaic() -> None:
    images = random_images(4, 1, 6, 6)
    pictures = [mosaic(kind, 2, gap_px=0).tobytes() for kind in (images, images.float() / 255, images.numpy())]
    assert pictures[0] == pictures[1] == pictures[2]


def test_a_mosaic_of_nothing_or_of_impossible_sizes_is_refused() -> None:
    images = random_images(2, 1, 3, 3)
    for columns, scale, gap_px in [(0, 1, 2), (2, 0, 2), (2, 1, -1)]:
        with pytest.raises(ValueError, match="must be a whole number from"):
            mosaic(images, columns, scale, gap_px)
    for wrong in (images[:0], random_images(1, 2, 3, 3)):
        with pytest.raises(ValueError, match="at least one image of 1 or 3 channels"):
            mosaic(wrong, 2)


def test_differences_run_from_blue_through_white_to_orange() -> None:
    picture = difference_picture(torch.tensor([[[-1.0, 0.0, 1.0, -9.0, 0.5]]]), scale=2)
    assert picture.size == (10, 2) and picture.mode == "RGB"
    colours = [tuple(pixel) for pixel in np.asarray(picture)[1, 1::2].tolist()]
    half = tuple(round(255 + (c - 255) / 2) for c in POSITIVE)
    assert colours[:4] == [NEGATIVE, (255, 255, 255), POSITIVE, NEGATIVE]
    assert np.abs(np.subtract(colours[4], half)).max() <= 1


def test_opposite_differences_of_channels_do_not_cancel() -> None:
    picture = difference_picture(torch.tensor([0.9, -1.0, 0.0]).view(3, 1, 1), scale=1)
    assert picture.getpixel((0, 0)) == NEGATIVE


@pytest.mark.parametrize("channels", [1, 3])
def test_a_comparison_is_x_what_came_back_and_their_difference_in_a_row_each(channels: int) -> None:
    x, x_hat = (images.float() / 255 for images in random_images(4, channels, 6, 5).split(2))
    x_hat[0, :, 0, 0] = x[0, :, 0, 0]
    picture = np.asarray(comparison(x, x_hat, scale=3))
    for i in range(2):
        difference = np.asarray(difference_picture(x_hat[i] - x[i], 3))
        wanted = [*(np.kron(colour(one[i]), np.ones((3, 3, 1), np.uint8)) for one in (x, x_hat)), difference]
        for column, cell in enumerate(wanted):
            top, left = i * (18 + 2), column * (15 + 2)
            assert np.array_equal(picture[top : top + 18, left : left + 15, :3], cell)
    assert (picture[:3, 2 * 17 : 2 * 17 + 3, :3] == 255).all()  # nothing differs in the first pixel


def colour(image: torch.Tensor) -> np.ndarray:
    return (image.expand(3, -1, -1) * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_one_image_gives_it_back_bit_for_bit(channels: int) -> None:
    x = random_images(1, channels, 28, 28).float() / 255
    assert torch.equal(prepare(png_bytes(to_image(x)), (channels, 28, 28)), x)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA"])
def test_a_png_gives_its_picture_back(mode: str) -> None:
    picture = mosaic(random_images(4, 3, 5, 5), 2).convert(mode)
    again = Image.open(io.BytesIO(png_bytes(picture)))
    assert again.mode == mode and again.tobytes() == picture.tobytes()


KINDS: tuple[Literal["gif", "webp"], ...] = ("gif", "webp")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seconds", [0.02, 0.07, 0.1, 1.5])
def test_every_frame_is_kept_with_its_time_even_equal_neighbours(kind: Literal["gif", "webp"], seconds: float) -> None:
    values = [0, 0, 0, 255, 255, 3, 3]
    content = animation_bytes([Image.new("L", (9, 7), v) for v in values], kind, seconds)
    frames = list(frames_of(content))
    assert [time for time, _ in frames] == pytest.approx([seconds] * 7)
    assert [frame.getpixel((4, 3)) for _, frame in frames] == [(v, v, v, 255) for v in values]
    assert Image.open(io.BytesIO(content)).info["loop"] == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
@pytest.mark.parametrize("count", [1, 5])
def test_webp_is_lossless(mode: str, count: int) -> None:
    pictures = [Image.fromarray(a).convert(mode) for a in random_images(count, 11, 8, 4).numpy()]
    frames = [frame for _, frame in frames_of(animation_bytes(pictures, "webp", 0.04))]
    assert [f.tobytes() for f in frames] == [p.convert("RGBA").tobytes() for p in pictures]


@pytest.mark.parametrize("count", [1, 5])
def test_gif_keeps_grey_frames_exactly(count: int) -> None:
    pictures = [Image.fromarray(a) for a in random_images(count, 28, 28).numpy()]
    frames = [frame for _, frame in frames_of(animation_bytes(pictures, "gif", 0.1))]
    assert [f.convert("L").tobytes() for f in frames] == [p.tobytes() for p in pictures]


def test_gif_keeps_few_colours_exactly_and_lays_gaps_on_paper() -> None:
    pictures = [mosaic((random_images(4, 3, 2, 2) // 128 + i) * 60, 2, scale=4) for i in range(3)]
    frames = [frame for _, frame in frames_of(animation_bytes(pictures, "gif", 0.1))]
    for frame, picture in zip(frames, pictures, strict=True):
        expected = Image.composite(
            picture.convert("RGB"), Image.new("RGB", picture.size, PAPER), picture.getchannel("A")
        )
        assert frame.convert("RGB").tobytes() == expected.tobytes()


def test_an_animation_without_sense_is_refused() -> None:
    frame = Image.new("L", (4, 4))
    with pytest.raises(ValueError, match="0 frames"):
        animation_bytes([], "gif", 0.1)
    with pytest.raises(ValueError, match="2 sizes"):
        animation_bytes([frame, Image.new("L", (5, 4))], "webp", 0.1)
    for seconds in (0.0, 0.001, -1.0, 61.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="frame_seconds"):
            animation_bytes([frame], "webp", seconds)
