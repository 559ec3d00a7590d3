"""Tensors -> pictures, and pictures -> the bytes of a file.

Images are enlarged by whole factors with sharp edges, never smoothed.

Shapes: N images, C H W image (C is 1 or 3).
"""

import io
import struct
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from bigan import data
from bigan.containers import gif_header, pieces, riff_chunk

NEGATIVE = (0x1F, 0x5F, 0xA8)  # blue, as the real image: x is brighter
POSITIVE = (0xB4, 0x54, 0x0A)  # orange, as what G made: G(E(x)) is brighter
PAPER = (0xFB, 0xFA, 0xF7)  # behind the gaps where a file cannot be half transparent
INK = (0x1B, 0x20, 0x26)
# Of classes: Paul Tol's muted scheme, and ink.
CLASS_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499", "#1B2026",
)  # fmt: skip
# Of values, from low to high: Cividis (Nunez, Anderton and Renslow 2018), the same to all kinds of colour vision.
RAMP = (
    "#00224E", "#0A326F", "#2C426E", "#43526D", "#575D6D", "#6A6D6F", "#7D7C78", "#918D78", "#A69D75", "#BCAF6F",
    "#D3C164", "#EBD457", "#FDEA45",
)  # fmt: skip
FRAME_SECONDS = (0.02, 60.0)  # browsers slow faster animations down to 0.1 s a frame


def to_uint8(x: Float[Tensor, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    """Values in [0, 1] as pixels 0 to 255, rounded; what lies outside is clamped.

    Raises:
        ValueError: a value is not a number.
    """
    if torch.isnan(x).any():
        raise ValueError("The image holds values that are not numbers; every value must be in [0, 1].")
    return data.to_uint8(x.detach().float().clamp(0, 1)).cpu().numpy()


def mosaic(
    images: Float[Tensor, "N C H W"] | UInt8[Tensor, "N C H W"] | UInt8[np.ndarray, "N C H W"],
    columns: int,
    scale: int = 1,
    gap_px: int = 2,
) -> Image.Image:
    """Images in rows of one composed picture, mode "LA" or "RGBA"; gaps and missing cells are transparent.

    Image i lies at column i % columns, row i // columns; its top left pixel is at column (W scale + gap_px), row
    (H scale + gap_px). The picture is always `columns` cells wide, without a gap around it.

    Args:
        images: float in [0, 1] or uint8.
        columns: images in a row.
        scale: enlargement, a whole factor.
        gap_px: pixels between neighbours, not enlarged.
    """
    _check_whole("columns", columns, 1)
    _check_whole("scale", scale, 1)
    _check_whole("gap_px", gap_px, 0)
    if isinstance(images, Tensor):
        pixels = to_uint8(images) if images.is_floating_point() else images.cpu().numpy()
    else:
        pixels = images
    count, channels, height, width = pixels.shape
    if count < 1 or channels not in (1, 3):
        raise ValueError(f"images has shape {pixels.shape}; it must be at least one image of 1 or 3 channels.")
    opaque = np.full((count, 1, height, width), 255, np.uint8)
    cells = np.concatenate([pixels, opaque], axis=1).transpose(0, 2, 3, 1)  # (N, H, W, C + 1)
    cells = cells.repeat(scale, axis=1).repeat(scale, axis=2)
    pitch_y, pitch_x = height * scale + gap_px, width * scale + gap_px
    rows = -(-count // columns)
    canvas = np.zeros((rows * pitch_y - gap_px, columns * pitch_x - gap_px, channels + 1), np.uint8)
    for i, cell in enumerate(cells):
        y, x = i // columns * pitch_y, i % columns * pitch_x
        canvas[y : y + height * scale, x : x + width * scale] = cell
    return Image.fromarray(canvas)


def difference_picture(difference: Float[Tensor, "C H W"], scale: int) -> Image.Image:
    """x_hat - x from blue (-1) through white (0) to orange (+1), mode "RGB".

    Of several channels the largest difference is shown, with its sign, so that opposite ones do not cancel.

    Args:
        difference: in [-1, 1]; what lies outside is clamped.
        scale: enlargement, a whole factor.
    """
    _check_whole("scale", scale, 1)
    if torch.isnan(difference).any():
        raise ValueError("The difference holds values that are not numbers; every value must be in [-1, 1].")
    strongest = difference.abs().argmax(dim=0, keepdim=True)  # (1, H, W)
    signed = difference.gather(0, strongest)[0].detach().float().clamp(-1, 1).cpu().numpy()[..., None]  # (H, W, 1)
    end = np.where(signed < 0, np.array(NEGATIVE), np.array(POSITIVE))  # (H, W, 3)
    # white + |d| (end - white)
    colours = np.rint(255 + np.abs(signed) * (end - 255.0)).astype(np.uint8)  # (H, W, 3)
    return Image.fromarray(colours.repeat(scale, axis=0).repeat(scale, axis=1))


def comparison(x: Float[Tensor, "B C H W"], x_hat: Float[Tensor, "B C H W"], scale: int = 1) -> Image.Image:
    """A row for each image: x, G(E(x)) and their difference in colour, mode "RGBA".

    Args:
        x: in [0, 1].
        x_hat: what came back of each.
        scale: enlargement, a whole factor.
    """
    cells = []
    for image, image_hat in zip(x.cpu(), x_hat.cpu(), strict=True):
        difference = np.asarray(difference_picture(image_hat - image, scale=1)).transpose(2, 0, 1)  # (3, H, W)
        cells += [*to_uint8(torch.stack([image, image_hat]).expand(-1, 3, -1, -1)), difference]
    return mosaic(np.stack(cells), columns=3, scale=scale)


def to_image(x: Float[Tensor, "1 C H W"]) -> Image.Image:
    """One image at its own size, mode "L" or "RGB"; a model's input comes back from it bit for bit."""
    pixels = to_uint8(x[0]).transpose(1, 2, 0)  # (H, W, C)
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def png_bytes(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    return _saved(image, "PNG")


def animation_bytes(frames: Sequence[Image.Image], kind: Literal["gif", "webp"], frame_seconds: float) -> bytes:
    """The frames as an animation that loops for ever, each shown for frame_seconds.

    WebP is lossless and counts milliseconds. GIF counts hundredths of a second and has no half transparency: it is
    laid on paper colour, keeps grey frames exactly and reduces colour frames to 256 colours each.

    We write the containers: Pillow and libwebp merge equal neighbours, so frames would go missing.

    Raises:
        ValueError: no frames, unequal sizes, an unknown kind or a time outside FRAME_SECONDS.
    """
    if not frames or len({frame.size for frame in frames}) > 1:
        raise ValueError(
            f"The {len(frames)} frames have {len({f.size for f in frames})} sizes; give one or more of one."
        )
    low, high = FRAME_SECONDS
    if not low <= frame_seconds <= high:
        raise ValueError(f"frame_seconds is {frame_seconds}; it must be {low} to {high}.")
    if kind == "gif":
        return _gif(frames, round(frame_seconds * 100))
    if kind == "webp":
        return _webp(frames, round(frame_seconds * 1000))
    raise ValueError(f"kind is {kind!r}; it must be 'gif' or 'webp'.")


def _check_whole(name: str, value: int, lowest: int) -> None:
    if value < lowest:
        raise ValueError(f"{name} is {value}; it must be a whole number from {lowest}.")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _on_paper(frame: Image.Image) -> Image.Image:
    """An opaque frame: "L" where it was grey, else "RGB"."""
    mode = "L" if frame.mode in ("1", "L", "LA") else "RGB"
    if not frame.has_transparency_data:
        return frame.convert(mode)
    alpha = frame.convert("RGBA").getchannel("A")
    return Image.composite(frame.convert(mode), Image.new("RGB", frame.size, PAPER).convert(mode), alpha)


def _gif(frames: Sequence[Image.Image], hundredths: int) -> bytes:
    """Every frame with its own table of colours, since each was reduced on its own.

    Source: CompuServe, Graphics Interchange Format version 89a, sections 17 to 26.
    """
    width, height = frames[0].size
    parts = [b"GIF89a", struct.pack("<HHBBB", width, height, 0, 0, 0)]
    parts.append(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")  # 0: loop for ever
    for frame in frames:
        opaque = _on_paper(frame)
        single = _saved(opaque if opaque.mode == "L" else opaque.quantize(256), "GIF", optimize=False)
        header = gif_header(single)
        image = next(piece.whole for piece in pieces(single) if not piece.name)
        descriptor = bytearray(image[:10])
        descriptor[9] = descriptor[9] & 0x40 | 0x80 | header[10] & 7  # keep interlacing, state the local table
        control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0x04, hundredths, 0, 0)  # disposal: leave in place
        parts += [control, bytes(descriptor), header[13:], image[10:]]
    return b"".join([*parts, b"\x3b"])


def _webp(frames: Sequence[Image.Image], milliseconds: int) -> bytes:
    """Every frame lossless and whole, replacing the one before.

    Source: WebP container specification (RFC 9649), section 2.7.
    """
    width, height = frames[0].size
    size = _uint24(width - 1) + _uint24(height - 1)
    has_alpha = any(frame.has_transparency_data for frame in frames)
    chunks = riff_chunk(b"VP8X", bytes([0x02 | 0x10 * has_alpha, 0, 0, 0]) + size)
    chunks += riff_chunk(b"ANIM", bytes(6))  # transparent background; 0: loop for ever
    for frame in frames:
        plain = frame.convert("RGBA" if frame.has_transparency_data else "RGB")
        single = _saved(plain, "WEBP", lossless=True, exact=True)
        bitstream = next(piece.whole for piece in pieces(single) if piece.name == b"VP8L")
        # frame at (0, 0), not blended with the one before
        header = _uint24(0) * 2 + size + _uint24(milliseconds) + b"\x02"
        chunks += riff_chunk(b"ANMF", header + bitstream)
    return riff_chunk(b"RIFF", b"WEBP" + chunks)


def _uint24(value: int) -> bytes:
    return value.to_bytes(3, "little")
