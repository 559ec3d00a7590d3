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
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from bigan.images import MAX_BYTES, MAX_PIXELS, ImageError, open_image
from bigan.preparation import prepare

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
