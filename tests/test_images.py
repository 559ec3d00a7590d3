"""A person's file becomes a model's input, or one clear sentence."""

import inspect
import io
import os
import re
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from bigan.images import (
    MAX_BYTES,
    MAX_PIXELS,
    Crop,
    ImageError,
    Preparation,
    open_image,
    parse_preparation,
    prepare,
    usual_preparation,
)

MNIST = (1, 28, 28)
KINDS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def noise(height: int = 28, width: int = 28, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, *channels), dtype=np.uint8)


PHOTO = Image.fromarray(noise(40, 30, 3))
VALID = {kind: saved(PHOTO, kind) for kind in KINDS}


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_file(width: int, height: int, pixels: bytes = b"", bits: int = 8, colour: int = 0) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(pixels)) + png_chunk(b"IEND", b"")


def patched(kind: str, at: int, layout: str, *values: int) -> bytes:
    content = bytearray(VALID[kind])
    struct.pack_into(layout, content, at, *values)
    return bytes(content)


def jpeg_sized(height: int, width: int) -> bytes:
    return patched("JPEG", VALID["JPEG"].index(b"\xff\xc0") + 5, ">HH", height, width)


def tiff_tagged(tag: int, value: int) -> bytes:
    """The valid TIFF with the value of one tag of its first directory replaced (a 4-byte number)."""
    content = bytearray(VALID["TIFF"])
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for i in range(count):
        at = start + 2 + 12 * i
        if struct.unpack_from("<H", content, at) == (tag,):
            struct.pack_into("<HHII", content, at, tag, 4, 1, value)
    return bytes(content)


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("digit.png", VALID["PNG"])
    return file.getvalue()


def array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, noise())
    return file.getvalue()


def float_tiff(value: float) -> bytes:
    return saved(Image.fromarray(np.full((4, 4), value, np.float32)), "TIFF")


CUT = {
    f"{kind} cut to {share:.0%}": VALID[kind][: int(len(VALID[kind]) * share)] for kind in KINDS for share in (0.3, 0.9)
}
BROKEN = {
    "nothing": b"",
    "one byte": b"\x89",
    "one line break": b"\n",
    "text": b"this is not a picture",
    "text named PNG": b"PNG digit.png 28x28",
    "text that begins like a bitmap": b"BMW is a maker of cars, and this is a letter about one",
    "long text": b"all work and no play " * 5000,
    "text with accents": "Ceci n'est pas une image, c'est de la prose accentuée. ".encode() * 30,
    "UTF-16 text": "not a picture".encode("utf-16"),
    "JSON": b'{"image": [[0, 255], [255, 0]]}',
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>',
    "SVG with XML head": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "HTML": b"<!DOCTYPE html><html><body><svg/></body></html>",
    "HTML without a head": b"<html><script>alert(1)</script></html>",
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "zip": zip_file(),
    "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + bytes(20),
    "pickle": b"\x80\x04\x95\x0f\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "numpy array": array_file(),
    "ELF program": b"\x7fELF\x02\x01\x01" + bytes(100),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "MP4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
    "AVIF, which is valid": saved(PHOTO, "AVIF"),
    "PPM, which is valid": saved(PHOTO, "PPM"),
    "TGA, which is valid": saved(PHOTO, "TGA"),
    "ICO, which is valid": saved(PHOTO, "ICO"),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(28),
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "random bytes": noise(64, 64).tobytes(),
    "base64 of a PNG": b"iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAA",
    "data address": b"data:image/png;base64,iVBORw0KGgoAAAANSUhEUg",
    "line break before a PNG": b"\n" + VALID["PNG"],
    "PNG with line ends converted": VALID["PNG"].replace(b"\r\n", b"\n"),
    "too many bytes": VALID["PNG"] + bytes(MAX_BYTES),
    "PNG signature alone": VALID["PNG"][:8],
    "PNG header alone": VALID["PNG"][:33],
    "PNG with a damaged header": VALID["PNG"][:20] + b"\xff" + VALID["PNG"][21:],
    "PNG without pixels": png_file(28, 28)[:33] + png_chunk(b"IEND", b""),
    "PNG with pixels cut short": png_file(28, 28)[:33] + png_chunk(b"IDAT", zlib.compress(noise().tobytes())[:400]),
    "PNG with garbage for pixels": png_file(28, 28)[:33] + png_chunk(b"IDAT", b"garbage") + png_chunk(b"IEND", b""),
    "PNG of width zero": png_file(0, 28, bytes(28)),
    "PNG of unknown depth": png_file(28, 28, bytes(29 * 28), bits=7),
    "PNG of unknown colours": png_file(28, 28, bytes(29 * 28), colour=5),
    "PNG of huge size": png_file(2**31 - 1, 2**31 - 1),
    "PNG just too large": png_file(MAX_PIXELS + 1, 1),
    "PNG that is a decompression bomb": png_file(6000, 6000, bytes(6001 * 6000), bits=8),
    "PNG between Pillow's own limits": png_file(10_000, 12_000),
    "JPEG start alone": b"\xff\xd8\xff",
    "JPEG header alone": VALID["JPEG"][:20],
    "JPEG without a frame": VALID["JPEG"].replace(b"\xff\xc0", b"\xff\xfe"),
    "JPEG of huge size": jpeg_sized(65_000, 65_000),
    "JPEG of height zero": jpeg_sized(0, 30),
    "JPEG cut and taller than its pixels": jpeg_sized(4000, 30)[:-2],
    "GIF header alone": b"GIF89a",
    "GIF without a frame": VALID["GIF"][:13] + b"\x3b",
    "GIF of huge size": patched("GIF", 6, "<HH", 65_535, 65_535),
    "BMP start alone": b"BM",
    "BMP header alone": VALID["BMP"][:54],
    "BMP of huge size": patched("BMP", 18, "<ii", 2**31 - 1, 2**31 - 1),
    "BMP of negative width": patched("BMP", 18, "<i", -30),
    "BMP of unknown depth": patched("BMP", 28, "<H", 5),
    "BMP of unknown compression": patched("BMP", 30, "<I", 77),
    "TIFF start alone": b"II*\0",
    "TIFF that points outside": b"II*\0\xff\xff\xff\x7f" + bytes(50),
    "TIFF of huge width": tiff_tagged(256, 2**31),
    "TIFF of width zero": tiff_tagged(256, 0),
    "TIFF of unknown compression": tiff_tagged(259, 9999),
    "TIFF of values that are not numbers": float_tiff(float("nan")),
    "TIFF of infinite values": float_tiff(float("inf")),
    "WebP start alone": b"RIFF\x24\0\0\0WEBP",
    "WebP of zeros": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40),
    "WebP of huge size": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xfe\xff\xff" * 2,
    **CUT,
}


def assert_one_sentence(error: ImageError) -> None:
    message = str(error)
    assert message.endswith("."), message
    assert not re.search(r"[.!?]\s|\n", message), message
    assert message[0].isupper() or message[0] in "'\"", message
    assert len(message) < 300


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ImageError) as caught:
        prepare(BROKEN[name], MNIST)
    assert_one_sentence(caught.value)
    assert "/" not in str(caught.value) and "0x" not in str(caught.value)


def test_there_are_more_than_fifty_kinds_of_broken_picture() -> None:
    assert len(set(BROKEN.values())) == len(BROKEN) > 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "is empty"),
        ("text named PNG", "is text and not a picture"),
        ("text that begins like a bitmap", "is text and not a picture"),
        ("SVG", "is an SVG drawing"),
        ("HTML", "is a web page"),
        ("PDF", "is a PDF document"),
        ("zip", "is a zip archive"),
        ("HEIC", "is a HEIC, AVIF or video file"),
        ("random bytes", "is of an unknown kind"),
        ("too many bytes", "is larger than 8 MB"),
        ("PNG just too large", "has 20000001 x 1 pixels, more than 20 megapixels"),
        ("PNG of huge size", "has far more than 20 megapixels"),
        ("PNG cut to 90%", "is damaged or cut off"),
        ("PNG with a damaged header", "is damaged"),
        ("TIFF of infinite values", "not finite numbers"),
    ],
)
def test_the_sentence_says_what_was_wrong(name: str, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        open_image(BROKEN[name])


def unchecked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a person without the tests' own type checker has it."""
    return inspect.unwrap(function)


def test_a_path_that_is_no_file_is_refused_with_its_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "broken.png").write_bytes(b"no")
    for path, words in [
        (tmp_path / "missing.png", "There is no file at"),
        (str(tmp_path), "is not a file"),
        (tmp_path / "pipe.png", "is not a file"),
        (tmp_path / "broken.png", "is text"),
        (tmp_path / ("x" * 5000), "cannot be read|There is no file"),
        ("digit\0.png", "no file|not a possible path"),
        ("\ud800.png", "no file|not a possible path"),
        ("", "is not a file"),
    ]:
        with pytest.raises(ImageError, match=words):
            open_image(path)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 3, 2.5, ["digit.png"], bytearray(VALID["PNG"]), noise(), torch.zeros(28, 28)])
def test_a_wrong_type_is_refused_in_one_sentence(source: object) -> None:
    plain = unchecked(open_image)
    with pytest.raises(ImageError, match=f"not as {type(source).__name__};") as caught:
        plain(source)
    assert_one_sentence(caught.value)


def test_a_pillow_image_that_cannot_be_read_is_refused() -> None:
    closed = Image.open(io.BytesIO(VALID["PNG"]))
    closed.close()
    cut = Image.open(io.BytesIO(BROKEN["PNG cut to 30%"]))
    sizes = Image.new("L", (0, 5)), Image.new("1", (MAX_PIXELS // 1000 + 1, 1000))
    for image in (closed, cut, *sizes):
        with pytest.raises(ImageError) as caught:
            open_image(image)
        assert_one_sentence(caught.value)


def test_a_models_shape_that_no_picture_has_is_a_plain_value_error() -> None:
    for shape, mode in [((2, 8, 8), "plain"), ((3, 28, 28), "digit")]:
        with pytest.raises(ValueError, match="image_shape is") as caught:
            prepare(PHOTO, shape, mode)
        assert not isinstance(caught.value, ImageError)
    with pytest.raises(ValueError, match="'ascii' is no preparation"):
        unchecked(prepare)(PHOTO, MNIST, "ascii")


def test_pillow_keeps_its_settings_and_its_warnings_stay_inside() -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for content in (*BROKEN.values(), *VALID.values()):
            try:
                open_image(content)
            except ImageError:
                continue
    assert not caught
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before


# Good files


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_grey_picture_of_the_right_size_passes_bit_for_bit(kind: str, tmp_path: Path) -> None:
    pixels = noise()
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(Image.fromarray(pixels), kind, **options)
    path = tmp_path / "misnamed.pdf"
    path.write_bytes(content)
    expected = torch.from_numpy(pixels).float()[None, None] / 255
    for source in (content, path, str(path), Image.open(io.BytesIO(content)), Image.fromarray(pixels)):
        x = prepare(source, MNIST)
        assert torch.equal(x, expected) and x.dtype == torch.float32 and x.is_contiguous()


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_a_colour_picture_of_the_right_size_passes_bit_for_bit(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    x = prepare(saved(PHOTO, kind, **options), (3, 40, 30))
    assert torch.equal(x[0], torch.from_numpy(np.array(PHOTO)).permute(2, 0, 1).float() / 255)


def test_a_jpeg_comes_close_to_its_pixels() -> None:
    smooth = Image.linear_gradient("L").resize((64, 64))
    x = prepare(saved(smooth, "JPEG", quality=95), (1, 64, 64))
    assert np.abs(x[0, 0].numpy() - np.asarray(smooth) / 255).max() < 0.03


def flat(mode: str, colour: object, **info: object) -> Image.Image:
    image = Image.new(mode, (4, 4), colour)  # type: ignore[arg-type]
    image.info.update(info)
    return image


def palette_with_transparency() -> bytes:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 0, 0, 0])
    image.putpixel((1, 0), 1)
    return saved(image, "PNG", transparency=1)


@pytest.mark.parametrize(
    ("source", "mode", "pixel"),
    [
        (saved(flat("1", 1)), "L", 255),
        (saved(flat("1", 1), "TIFF"), "L", 255),
        (saved(flat("L", 77)), "L", 77),
        (saved(flat("LA", (77, 255))), "L", 77),
        (saved(flat("LA", (100, 0))), "L", 255),
        (saved(flat("RGBA", (10, 20, 30, 255))), "RGB", (10, 20, 30)),
        (saved(flat("RGBA", (10, 20, 30, 0))), "RGB", (255, 255, 255)),
        (saved(flat("RGBA", (0, 0, 0, 51))), "RGB", (204, 204, 204)),
        (saved(flat("RGBA", (250, 250, 250, 51))), "RGB", (50, 50, 50)),
        (saved(flat("P", 0)), "RGB", (0, 0, 0)),
        (palette_with_transparency(), "RGB", (10, 20, 30)),
        (saved(flat("L", 60), transparency=60), "L", 255),
        (saved(flat("RGB", (1, 2, 3)), transparency=(1, 2, 3)), "RGB", (255, 255, 255)),
        (saved(flat("CMYK", (0, 255, 255, 0)), "TIFF"), "RGB", (255, 0, 0)),
        (saved(flat("CMYK", (0, 0, 0, 255)), "JPEG"), "RGB", (0, 0, 0)),
        (saved(flat("I;16", 65535)), "L", 255),
        (saved(flat("I;16", 32896)), "L", 128),
        (saved(flat("I;16", 32896), "TIFF"), "L", 128),
        (flat("I", 128), "L", 128),
        (saved(flat("I", 128), "TIFF"), "L", 128),
        (flat("I", 65535), "L", 255),
        (saved(flat("F", 0.5), "TIFF"), "L", 128),
        (saved(flat("F", 128.0), "TIFF"), "L", 128),
        (saved(flat("F", -3.0), "TIFF"), "L", 0),
        (flat("YCbCr", (77, 128, 128)), "RGB", (77, 77, 77)),
        (flat("HSV", (0, 0, 77)), "RGB", (77, 77, 77)),
        (flat("RGBa", (10, 20, 30, 255)), "RGB", (10, 20, 30)),
        (flat("La", (77, 255)), "L", 77),
        (flat("PA", (0, 255)), "RGB", (0, 0, 0)),
        (flat("RGBX", (10, 20, 30, 0)), "RGB", (10, 20, 30)),
        (saved(flat("RGB", (10, 20, 30)), "TIFF", compression="tiff_lzw"), "RGB", (10, 20, 30)),
        (png_file(1, 1, b"\0\x12\x34\x56\x78\x9a\xbc", bits=16, colour=2), "RGB", (0x12, 0x56, 0x9A)),
    ],
)
def test_every_kind_of_pixel_becomes_grey_or_colour(source: bytes | Image.Image, mode: str, pixel: object) -> None:
    image = open_image(source)
    assert (image.mode, image.getpixel((0, 0))) == (mode, pixel)


def test_values_beyond_every_white_are_stretched_from_lowest_to_highest() -> None:
    values = np.array([[-10.0, 0.0, 30.0]], np.float32)
    assert np.asarray(open_image(saved(Image.fromarray(values), "TIFF"))).tolist() == [[0, 64, 255]]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("L", (6, 4), value) for value in (40, 120, 200)]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert prepare(content, (1, 4, 6)).mul(255).unique().tolist() == [40]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_whatever_its_exif_says(kind: str, orientation: int) -> None:
    upright = np.zeros((16, 32), np.uint8)
    upright[:8, :8] = 255  # a white corner at the top left tells all eight apart, with the 2:1 shape
    upright[:8, 8:16] = 128
    undo = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud}
    undo |= {5: np.transpose, 6: lambda a: np.rot90(a), 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1)}
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, dict[str, object]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    x = prepare(saved(stored, kind, exif=exif, **options.get(kind, {})), (1, 16, 32))
    assert np.abs(x[0, 0].numpy() * 255 - upright).max() < 6


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    content = saved(PHOTO, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert open_image(content).size == PHOTO.size


def test_a_white_drawing_on_transparency_does_not_vanish() -> None:
    for ink, ground in (("white", 0), ("black", 255), ("#ffee55", 0)):
        image = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
        ImageDraw.Draw(image).line([(30, 10), (30, 50)], fill=ink, width=6)
        pixels = np.asarray(open_image(saved(image)).convert("L")).astype(int)
        assert pixels[0, 0] == ground and abs(pixels[30, 30] - ground) > 200
        assert prepare(saved(image), MNIST, "digit").max() == 1


def test_a_black_digit_on_a_white_label_keeps_its_label() -> None:
    image = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((5, 5, 54, 54), fill="white")
    draw.rectangle((25, 15, 35, 45), fill="black")
    assert open_image(saved(image)).getpixel((0, 0)) == (255, 255, 255)


def test_a_persons_pillow_image_is_left_as_it_was() -> None:
    for image in (Image.fromarray(noise()), Image.fromarray(noise(9, 9, 4)), Image.open(io.BytesIO(VALID["GIF"]))):
        image.load()
        before = image.mode, image.size, dict(image.info), image.tobytes()
        prepare(image, MNIST)
        prepare(image, MNIST, "digit")
        assert (image.mode, image.size, dict(image.info), image.tobytes()) == before


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
    with pytest.raises(ImageError, match="The picture is blank") as caught:
        prepare(saved(image), MNIST, "digit")
    assert_one_sentence(caught.value)


# Hostile bytes


def image_or_error(content: bytes) -> None:
    try:
        image = open_image(content)
    except ImageError as error:
        assert_one_sentence(error)
        return
    assert image.mode in ("L", "RGB") and min(image.size) >= 1


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([b"", *(content[:12] for content in VALID.values())]))
def test_random_bytes_never_crash(content: bytes, start: bytes) -> None:
    image_or_error(start + content)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_damaged_files_give_a_picture_or_one_sentence(kind: str, data: st.DataObject) -> None:
    content = bytearray(VALID[kind])
    near = st.integers(0, min(200, len(content) - 1)) | st.integers(0, len(content) - 1)  # headers more than pixels
    for at, value in data.draw(st.lists(st.tuples(near, st.integers(0, 255)), max_size=6)):
        content[at] = value
    image_or_error(bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))]))


def test_many_threads_at_once_get_the_same_pictures() -> None:
    expected = [open_image(VALID[kind]).tobytes() for kind in KINDS]
    wrong: list[str] = []

    def work() -> None:
        for kind, pixels in zip(KINDS * 5, expected * 5, strict=True):
            if open_image(VALID[kind]).tobytes() != pixels:
                wrong.append(kind)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


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
