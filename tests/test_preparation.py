"""A picture becomes a model's input: plain or as a digit, and with what a person changes of it."""

import io
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from bigan.images import MAX_PIXELS, ImageError
from bigan.preparation import Crop, Preparation, parse_preparation, prepare, usual_preparation

MNIST = (1, 28, 28)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height: int = 28, width: int = 28, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


# Plain


def test_one_pixel_fills_the_whole_field() -> None:
    assert prepare(saved(Image.new("L", (1, 1), 51)), MNIST).unique().tolist() == pytest.approx([0.2])
    x = prepare(saved(Image.new("RGB", (1, 1), (0, 51, 255))), (3, 5, 7))
    assert x.amax((0, 2, 3)).tolist() == x.amin((0, 2, 3)).tolist() == pytest.approx([0, 0.2, 1])


def test_a_wide_picture_keeps_its_aspect_centred_on_its_borders_median() -> None:
    image = Image.new("RGB", (200, 100), (10, 200, 30))
    ImageDraw.Draw(image).rectangle((50, 25, 149, 74), fill=(255, 0, 255))  # the inner half, each way
    x = prepare(image, (3, 28, 28)).mul(255).round().int()
    assert x[0, :, 0, 0].tolist() == x[0, :, 10, 3].tolist() == [10, 200, 30]
    inner = (x[0, 0] > 128).nonzero()
    assert inner.amin(0).tolist() == [10, 7] and inner.amax(0).tolist() == [17, 20]


def test_reducing_is_antialiased() -> None:
    stripes = np.zeros((280, 280), np.uint8)
    stripes[:, ::2] = 255
    x = prepare(Image.fromarray(stripes), MNIST)
    assert (x[..., 2:-2] - 0.5).abs().max() < 0.02


@pytest.mark.parametrize("size", [(1, 5000), (MAX_PIXELS, 1), (4000, 5000)])
def test_extreme_sizes_within_the_limit_fit(size: tuple[int, int]) -> None:
    x = prepare(Image.new("L", size, 102), MNIST)
    assert x.unique().tolist() == pytest.approx([0.4], abs=1 / 255)  # Pillow's averages of 238,095 pixels are coarse


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 3]), st.integers(1, 40), st.integers(1, 40), st.data()
)
def test_any_size_fits_any_model(h: int, w: int, channels: int, height: int, width: int, data: st.DataObject) -> None:
    modes: list[Literal["plain", "digit"]] = ["plain", "digit"] if channels == 1 else ["plain"]
    mode = data.draw(st.sampled_from(modes))
    try:
        x = prepare(Image.fromarray(noise(h, w, 3)), (channels, height, width), mode)
    except ImageError as error:
        assert "blank" in str(error)
        return
    assert x.shape == (1, channels, height, width) and x.min() >= 0 and x.max() <= 1
    assert torch.equal((x * 255).round() / 255, x)


# Digit

SEVEN = [(0.0, 0.0), (0.7, 0.0), (0.35, 1.0)]
ZED = [(0.0, 0.0), (0.8, 0.1), (0.05, 0.9), (0.8, 1.0)]


def drawing(
    points: list[tuple[float, float]], side: int, size: int, x: int, y: int, ink: int = 0, paper: int = 255
) -> Image.Image:
    """A polyline in the unit square, drawn `size` pixels tall at (x, y) on a square sheet."""
    image = Image.new("L", (side, side), paper)
    pen = max(1, round(size * 0.12))
    places = [(x + px * size, y + py * size) for px, py in points]
    draw = ImageDraw.Draw(image)
    draw.line(places, fill=ink, width=pen, joint="curve")
    for px, py in places:
        draw.ellipse((px - pen / 2, py - pen / 2, px + pen / 2, py + pen / 2), fill=ink)
    return image


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Mean absolute difference, up to one pixel of shift: where a centre of mass lies between two, either is right."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return min(float((a.roll(shift, (2, 3)) - b).abs().mean()) for shift in shifts)


def centre_of_mass(x: torch.Tensor) -> tuple[float, float]:
    mass, axis = x[0, 0].double(), torch.arange(x.shape[-1]).double()
    return float(mass.sum(1) @ axis / mass.sum()), float(mass.sum(0) @ axis / mass.sum())


@settings(deadline=None, max_examples=60)
@given(st.sampled_from([SEVEN, ZED]), st.integers(60, 250), st.data())
def test_a_digit_comes_out_the_same_at_any_place_scale_and_polarity(
    points: list[tuple[float, float]], size: int, data: st.DataObject
) -> None:
    x, y = (data.draw(st.integers(20, 330 - size)) for _ in range(2))
    dark, bright = data.draw(st.integers(0, 80)), data.draw(st.integers(160, 255))
    ink, paper = data.draw(st.sampled_from([(dark, bright), (bright, dark)]))
    prepared = prepare(saved(drawing(points, 350, size, x, y, ink, paper)), MNIST, "digit")
    reference = prepare(drawing(points, 350, 200, 60, 60), MNIST, "digit")
    assert distance(prepared, reference) < 0.035


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6), st.integers(60, 300))
def test_the_centre_of_mass_is_the_middle_pixel_and_the_box_is_20_px(
    points: list[tuple[float, float]], size: int
) -> None:
    x = prepare(drawing(points, 400, size, 50, 50), MNIST, "digit")
    has_ink = x[0, 0] > 0.3
    rows, columns = has_ink.any(1).nonzero().flatten(), has_ink.any(0).nonzero().flatten()
    sides = sorted([int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1])
    assert sides[0] <= 21 and 17 <= sides[1] <= 21
    for centre, places in zip(centre_of_mass(x), (rows, columns), strict=True):
        # a lopsided drawing stops at the field's edge instead of being cut off
        at_edge = places[0] <= 1 or places[-1] >= 26
        assert at_edge or abs(centre - 14) <= 0.55


def mnist_like(seed: int) -> np.ndarray:
    """A digit as MNIST holds them: soft, 20 px tall, its centre of mass within half a pixel of (14, 14)."""
    generator = np.random.default_rng(seed)
    points = [(float(x), float(y)) for x, y in generator.uniform((0.1, 0), (0.7, 1), (5, 2))]
    points[0], points[-1] = (points[0][0], 0.0), (points[-1][0], 1.0)
    large = drawing(points, 280, 178, 50, 51, ink=255, paper=0)
    large = large.crop(large.getbbox())
    small = large.resize((max(1, round(large.width * 20 / large.height)), 20), Image.Resampling.BOX)
    mass = np.asarray(small, dtype=np.float64)
    top, left = (
        int(np.floor(14.5 - (mass.sum(1 - axis) @ np.arange(mass.shape[axis])) / mass.sum())) for axis in (0, 1)
    )
    field = np.zeros((28, 28), np.uint8)
    field[top : top + 20, left : left + mass.shape[1]] = np.asarray(small)
    return field


@pytest.mark.parametrize("seed", range(10))
def test_what_mnist_made_passes_nearly_unchanged(seed: int) -> None:
    field = mnist_like(seed)
    for pixels in (field, 255 - field):
        x = prepare(saved(Image.fromarray(pixels)), MNIST, "digit")
        assert np.abs(x[0, 0].numpy() * 255 - field).max() <= 3


def test_preparing_a_digit_twice_changes_nothing_more() -> None:
    once = prepare(drawing(SEVEN, 350, 200, 60, 60), MNIST, "digit")
    again = prepare(Image.fromarray((once[0, 0] * 255).round().byte().numpy()), MNIST, "digit")
    assert (once - again).abs().max() < 0.02


def distance_within_a_pixel(x: torch.Tensor, y: torch.Tensor) -> float:
    """The distance at the best of the nine places within a pixel: centring rounds to whole pixels."""
    return min(distance(x.roll((i, j), (2, 3)), y) for i in (-1, 0, 1) for j in (-1, 0, 1))


def test_a_photo_of_paper_with_shading_and_noise_shows_only_its_ink() -> None:
    sheet = np.asarray(drawing(ZED, 350, 180, 80, 90, ink=40, paper=190), dtype=np.float64)
    shading = np.linspace(-25, 25, 350)[None] + np.random.default_rng(0).normal(0, 4, (350, 350))
    photo = Image.fromarray((sheet + shading).clip(0, 255).astype(np.uint8))
    x = prepare(saved(photo, "JPEG", quality=70), MNIST, "digit")
    clean = prepare(drawing(ZED, 350, 180, 80, 90), MNIST, "digit")
    assert distance_within_a_pixel(x, clean) < 0.04


@pytest.mark.parametrize("ink", [40, 250], ids=["pen", "chalk"])
@pytest.mark.parametrize("falloff", [60, 110])
def test_a_photo_in_bad_light_is_prepared_as_in_good_light(ink: int, falloff: int) -> None:
    paper = 205 if ink < 128 else 130
    sheet = np.asarray(drawing(SEVEN, 350, 150, 110, 90, ink=ink, paper=paper), dtype=np.float64)
    across = np.linspace(0, 1, 350)
    shading = -falloff * (across[None] + 0.6 * across[:, None]) * paper / 205  # one corner in deep shadow
    shading = shading + np.random.default_rng(0).normal(0, 4, (350, 350))
    photo = Image.fromarray((sheet + shading).clip(0, 255).astype(np.uint8))
    x = prepare(saved(photo, "JPEG", quality=80), MNIST, "digit")
    clean = prepare(drawing(SEVEN, 350, 150, 110, 90), MNIST, "digit")
    assert distance_within_a_pixel(x, clean) < 0.03


@pytest.mark.parametrize(
    "image", [Image.new("L", (28, 28), 0), Image.new("RGB", (300, 90), "white"), Image.new("L", (1, 1))]
)
def test_a_blank_picture_is_no_digit(image: Image.Image) -> None:
    with pytest.raises(ImageError, match=r"^The picture is blank; a digit needs ink[^.]*\.$"):
        prepare(saved(image), MNIST, "digit")


# Preparation

CROPS = st.builds(Crop, st.integers(0, 100), st.integers(0, 100), st.integers(1, 100))
PREPARATIONS = st.builds(Preparation, st.sampled_from(["plain", "digit"]), CROPS, st.booleans(), st.booleans())


@settings(deadline=None)
@given(PREPARATIONS)
def test_a_preparation_survives_being_written_as_text(preparation: Preparation) -> None:
    assert parse_preparation(str(preparation)) == preparation
    assert len(str(preparation)) <= 40


def test_the_usual_preparations_are_written_by_their_mode_alone() -> None:
    assert [str(usual_preparation(mode)) for mode in ("plain", "digit")] == ["plain", "digit"]
    assert str(Preparation("digit", Crop(40, 60, 50), invert=True)) == "digit-invert-frame-crop.40.60.50"


@pytest.mark.parametrize("text", ["", "Digit", "digit-", "digit-crop.1.2", "plain-mass-invert", "plain-crop.1.2.3.4"])
def test_what_is_no_preparation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no preparation; it must read 'plain' or 'digit'"):
        parse_preparation(text)


@pytest.mark.parametrize("numbers", [(-1, 0, 50), (0, 101, 50), (0, 0, 0), (0, 0, 101)])
def test_a_crop_out_of_range_is_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"The crop's (x|y|size) is -?\d+ %; it must be"):
        Crop(*numbers)


@given(CROPS, st.integers(1, 3000), st.integers(1, 3000))
def test_a_crop_lies_within_the_picture_and_is_as_large_as_it_says(crop: Crop, width: int, height: int) -> None:
    left, top, right, bottom = crop.box(width, height)
    assert 0 <= left < right <= width and 0 <= top < bottom <= height
    side = crop.size / 100 * max(width, height)
    assert right - left == pytest.approx(min(side, width), abs=1)
    assert bottom - top == pytest.approx(min(side, height), abs=1)
    for first, last, middle, field in ((left, right, crop.x, width), (top, bottom, crop.y, height)):
        wanted = middle / 100 * field  # in the middle, unless an edge is nearer than half its length
        reach = (last - first) / 2
        assert (first + last) / 2 == pytest.approx(min(max(wanted, reach), field - reach), abs=1)


def test_a_crop_is_prepared_as_the_cut_out_picture_is() -> None:
    image = Image.fromarray(noise(60, 80, 3))
    cut = image.crop((16, 12, 56, 52))  # 40 px, half of 80, about (36, 32)
    x = prepare(image, MNIST, "plain-crop.45.53.50")
    assert torch.equal(x, prepare(cut, MNIST))
    assert torch.equal(prepare(image, MNIST, Preparation(crop=Crop(45, 53, 50))), x)


def test_inverting_exchanges_dark_and_bright_in_a_plain_picture() -> None:
    image = Image.fromarray(noise(28, 28))
    assert torch.equal(prepare(image, MNIST, "plain-invert"), prepare(Image.fromarray(255 - noise(28, 28)), MNIST))
    assert torch.allclose(prepare(image, MNIST, "plain-invert"), 1 - prepare(image, MNIST))


def test_inverting_a_digit_takes_what_differs_to_the_other_side_for_ink() -> None:
    both = drawing(SEVEN, 200, 140, 20, 30, ink=0, paper=128)  # much that is dark, and a little that is bright
    ImageDraw.Draw(both).rectangle((150, 150, 160, 170), fill=255)
    dark, bright = prepare(both, MNIST, "digit"), prepare(both, MNIST, "digit-invert")
    assert distance(dark, prepare(drawing(SEVEN, 200, 140, 20, 30), MNIST, "digit")) < 0.02
    rows, columns = (bright[0, 0] > 0.5).nonzero().unbind(1)
    assert [int(places.max() - places.min()) + 1 for places in (rows, columns)] == [20, 10]  # the bar of 21 by 11
    assert (bright[0, 0] > 0.5).sum() == 200


@pytest.mark.parametrize(("ink", "paper", "side"), [(0, 255, "brighter"), (255, 0, "darker")])
def test_a_digit_with_nothing_on_the_other_side_cannot_be_inverted(ink: int, paper: int, side: str) -> None:
    with pytest.raises(ImageError, match=f"clearly {side} than its background"):
        prepare(drawing(SEVEN, 200, 140, 20, 30, ink, paper), MNIST, "digit-invert")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_plain_picture_is_centred_by_mass_on_request(channels: int) -> None:
    pixels = np.full((28, 28), 200, np.uint8)
    pixels[3:9, 15:19] = 40
    image = Image.fromarray(pixels)
    x = prepare(image, (channels, 28, 28), "plain-mass")
    moved = (x != x[0, 0, 0, 0]).nonzero()[:, 2:]
    assert moved.amin(0).tolist() == [12, 13] and moved.amax(0).tolist() == [17, 16]
    assert x.unique().tolist() == pytest.approx([40 / 255, 200 / 255])
    flat = Image.new("L", (28, 28), 7)
    assert torch.equal(prepare(flat, MNIST, "plain-mass"), prepare(flat, MNIST))


def test_a_digit_is_centred_by_its_frame_on_request() -> None:
    x = prepare(drawing(SEVEN, 200, 140, 20, 30), MNIST, "digit-frame")[0, 0]
    rows, columns = ((x > 0.3).any(1).nonzero()[:, 0], (x > 0.3).any(0).nonzero()[:, 0])
    for places in (rows, columns):
        assert float(places[0] + places[-1]) / 2 == pytest.approx(13.5, abs=1)
    assert centre_of_mass(x[None, None])[0] < 12.5  # a seven's mass lies high
