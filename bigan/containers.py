"""The pieces of PNG, WebP and GIF files, walked without decoding anything, and one text put among them or read.

A text stands behind its keyword: in a tEXt chunk of a PNG, in a comment of a GIF, and in a WebP as the XMP packet's
description, where other programs show it too. In an NPZ it is an array of that name.

Source: PNG specification (W3C 2003), section 5; WebP container (RFC 9649), section 2; GIF89a, sections 15 to 26;
XMP specification, part 1, section 7; NumPy's numpy.lib.format.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

Kind = Literal["png", "webp", "gif"]

PNG_SIGNATURE, GIF_SIGNATURES = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a")
ZIP_SIGNATURE = b"PK\x03\x04"
NPY_HEADER_BYTES, CHARACTER_BYTES = 1000, 4  # NumPy holds text in UTF-32
GIF_IMAGE, GIF_EXTENSION, GIF_TRAILER = 0x2C, 0x21, 0x3B
# Real files are far below: small pieces without end would cost seconds of whoever looks at them.
MIN_MEAN_BYTES, MIN_PIECES = 64, 10_000
GIF_COMMENT, GIF_APPLICATION = b"\xfe", b"\xff"  # labels of extensions
XMP_FLAG = 0x04  # in the first byte of VP8X
XMP_START = '<rdf:li xml:lang="x-default">'
XMP_END = "</rdf:li>"
ESCAPES = {b"<": b"&lt;", b">": b"&gt;", b"&": b"&amp;"}
XMP_PACKET = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>{start}{text}{end}'
    '</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


class Piece(NamedTuple):
    """A chunk of a PNG or WebP, or an image or extension of a GIF."""

    name: bytes
    """Of a chunk; of a GIF's extension its label, of its image nothing."""
    whole: bytes
    """As it stands in the file."""
    body: bytes
    """What it holds; of a GIF's image nothing."""


def kind_of(content: bytes) -> Kind | None:
    """The container that a file begins like, or None."""
    if content.startswith(PNG_SIGNATURE):
        return "png"
    if content.startswith(GIF_SIGNATURES):
        return "gif"
    return "webp" if content[:4] + content[8:12] == b"RIFFWEBP" else None


def pieces(content: bytes) -> Iterator[Piece]:
    """The pieces in their order; what follows the last one is left out.

    Raises:
        ValueError: it is no such file, or it is cut off or damaged.
    """
    walks = {"png": _png_pieces, "webp": _webp_pieces, "gif": _gif_pieces}
    kind = kind_of(content)
    if kind is None:
        raise ValueError("The file is no PNG, WebP or GIF.")
    try:
        for i, piece in enumerate(walks[kind](content)):
            if i > _most(content):
                raise IndexError("too many")
            yield piece
    except (IndexError, struct.error):
        raise ValueError(f"The {kind} file is cut off or damaged.") from None


def gif_header(content: bytes) -> bytes:
    """What stands before a GIF's first piece: its screen and its table of colours."""
    return content[: 13 + _table_bytes(content[10])]


def text_of(content: bytes, keyword: str) -> str | None:
    """The text that stands in a file behind a keyword; None where there is none, or the file is no such container."""
    kind, start = kind_of(content), keyword.encode("ascii")
    if kind is None:
        return None
    try:
        for piece in pieces(content):
            if (found := _text_in(piece, kind, start)) is not None:
                return found.decode("ascii", errors="replace")
    except ValueError:  # a damaged file has no text to be trusted
        return None
    return None


def array_text(content: bytes, name: str, max_characters: int) -> str | None:
    """The one text that an array of an NPZ is; None where there is no such array, or the file is no sound NPZ.

    Args:
        content: a file.
        name: of the array.
        max_characters: of the text; a longer one is not read.
    """
    if not content.startswith(ZIP_SIGNATURE):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(f"{name}.npy") as file:
            array = file.read(NPY_HEADER_BYTES + CHARACTER_BYTES * max_characters)
    except Exception:  # zipfile and its decompressors raise nearly anything on bytes that are damaged
        return None
    start = io.BytesIO(array)
    try:
        if np.lib.format.read_magic(start) != (1, 0):
            return None
        shape, _, dtype = np.lib.format.read_array_header_1_0(start)
    except Exception:  # so does NumPy's parser of headers
        return None
    values = array[start.tell() :]
    if shape or dtype.kind != "U" or len(values) != dtype.itemsize:  # checked before anything is taken for it
        return None
    return values.decode("utf-32-le" if dtype.str[0] == "<" else "utf-32-be", errors="replace").rstrip("\0")


def with_text(content: bytes, keyword: str, text: str) -> bytes:
    """The file with a text behind a keyword, in place of the one that it had.

    Args:
        content: a PNG, a GIF, or a WebP of the extended kind (an animation, for example).
        keyword: letters and dashes.
        text: ASCII, without control characters.

    Raises:
        ValueError: another file, or a damaged one.
    """
    kind, start, line = kind_of(content), keyword.encode("ascii"), text.encode("ascii")
    rest = [piece for piece in pieces(content) if kind is None or _text_in(piece, kind, start) is None]
    if kind == "png":
        added = _png_chunk(b"tEXt", start + b"\0" + line)
        return b"".join([PNG_SIGNATURE, rest[0].whole, added, *(piece.whole for piece in rest[1:])])
    if kind == "gif":
        at = next((i for i, piece in enumerate(rest) if piece.name != GIF_APPLICATION), len(rest))
        added = bytes([GIF_EXTENSION]) + GIF_COMMENT + _sub_blocks(start + b" " + line)
        whole = [piece.whole for piece in rest]
        return b"".join([gif_header(content), *whole[:at], added, *whole[at:], bytes([GIF_TRAILER])])
    first = rest[0]
    if first.name != b"VP8X":
        raise ValueError("The WebP is of the simple kind, which holds nothing but one image; save it as an animation.")
    escaped = start + b" " + line
    for character, name in reversed(ESCAPES.items()):  # the ampersand first
        escaped = escaped.replace(character, name)
    packet = XMP_PACKET.format(start=XMP_START, text=escaped.decode("ascii"), end=XMP_END)
    extended = riff_chunk(b"VP8X", bytes([first.body[0] | XMP_FLAG]) + first.body[1:])
    others = [piece.whole for piece in rest[1:] if piece.name != b"XMP "]
    return riff_chunk(b"RIFF", b"".join([b"WEBP", extended, *others, riff_chunk(b"XMP ", packet.encode())]))


def riff_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a WebP, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _text_in(piece: Piece, kind: Kind, keyword: bytes) -> bytes | None:
    if kind == "png":
        return piece.body[len(keyword) + 1 :] if _begins(piece, b"tEXt", keyword + b"\0") else None
    if kind == "gif":
        return piece.body[len(keyword) + 1 :] if _begins(piece, GIF_COMMENT, keyword + b" ") else None
    if piece.name != b"XMP ":
        return None
    # searched and not parsed: it is one string that we wrote, and a parser would do whatever else the file asks for
    _, _, after = piece.body.partition(f"{XMP_START}{keyword.decode()} ".encode())
    escaped, end, _ = after.partition(XMP_END.encode())
    for character, name in ESCAPES.items():
        escaped = escaped.replace(name, character)
    return escaped if end else None


def _most(content: bytes) -> int:
    """How many pieces, and blocks of pieces, a file of this length may have."""
    return MIN_PIECES + len(content) // MIN_MEAN_BYTES


def _begins(piece: Piece, name: bytes, start: bytes) -> bool:
    return piece.name == name and piece.body.startswith(start)


def _png_pieces(content: bytes) -> Iterator[Piece]:
    at, name = len(PNG_SIGNATURE), b""
    while name != b"IEND":
        size, name = struct.unpack_from(">I4s", content, at)
        whole = _span(content, at, at + 12 + size)
        yield Piece(name, whole, whole[8:-4])
        at += len(whole)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _webp_pieces(content: bytes) -> Iterator[Piece]:
    at, end = 12, 8 + int.from_bytes(content[4:8], "little")
    while at < end:
        name, size = struct.unpack_from("<4sI", content, at)
        whole = _span(content, at, at + 8 + size + size % 2)
        yield Piece(name, whole, whole[8 : 8 + size])
        at += len(whole)


def _gif_pieces(content: bytes) -> Iterator[Piece]:
    at, left = len(gif_header(content)), _most(content)
    while content[at] != GIF_TRAILER:
        if content[at] == GIF_EXTENSION:
            end, blocks = _read_sub_blocks(content, at + 2, left)
            yield Piece(content[at + 1 : at + 2], content[at:end], b"".join(blocks))
        elif content[at] == GIF_IMAGE:
            start = at + 11 + _table_bytes(content[at + 9])  # after the code size
            end, blocks = _read_sub_blocks(content, start, left)
            yield Piece(b"", content[at:end], b"")
        else:
            raise ValueError("The gif file is cut off or damaged.")
        at, left = end, left - len(blocks)


def _table_bytes(flags: int) -> int:
    """The length of the table of colours that the flags announce."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _read_sub_blocks(content: bytes, at: int, most: int) -> tuple[int, list[bytes]]:
    """Where the blocks end, and each of them, if they are not too many."""
    blocks: list[bytes] = []
    while size := content[at]:
        if len(blocks) > most:
            raise IndexError("too many")
        blocks.append(content[at + 1 : at + 1 + size])
        at += 1 + size
    return at + 1, blocks


def _sub_blocks(body: bytes) -> bytes:
    parts = [body[i : i + 255] for i in range(0, len(body), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _span(content: bytes, start: int, end: int) -> bytes:
    if end > len(content):
        raise IndexError("past the end")
    return content[start:end]
