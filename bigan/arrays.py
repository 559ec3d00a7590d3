"""The array files (.npz) of a checkpoint folder: written whole and alike each time, read without trusting them."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from bigan.files import CheckpointError, checked_file, write_file

MAX_BYTES = 512 * 2**20  # of one file, unpacked: ten times what the largest of ours needs
MAX_ARRAYS = 64
MAX_STRINGS = 2**20  # of one array: each becomes an object, many times larger than it is in the file
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
KINDS = {"str": "U", "integer": "iu", "floating": "f"}  # words for many dtypes -> numpy's letters for their kinds


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays as a compressed .npz, beside and renamed; the same arrays give the same bytes.

    Raises:
        ValueError: an array of Python objects.
    """
    if objects := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise ValueError(f"The array {objects[0]!r} holds Python objects; it must hold numbers or strings.")
    write_file(path, lambda file: np.savez_compressed(file, **arrays))  # type: ignore[arg-type]


def read_arrays(path: Path, expected: Mapping[str, tuple[str, int]]) -> dict[str, NDArray[Any]]:
    """The named arrays of an .npz file. Sizes are checked before anything is unpacked, and nothing is unpickled.

    Args:
        path: the file, in a checkpoint folder.
        expected: name -> (dtype, number of dimensions). The dtype is numpy's name for it ("uint8", "float16"), or
            "str", "integer" or "floating" for any of that kind. Other arrays of the file are left alone.

    Raises:
        CheckpointError: the file is missing, broken or too large, or an array is not as expected or not finite.
    """
    checked_file(path, MAX_BYTES)
    where = f"In the checkpoint '{path.parent}', {path.name}"
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if len(members) != len(archive.infolist()) or len(members) > MAX_ARRAYS:
                raise CheckpointError(f"{where} must hold at most {MAX_ARRAYS} arrays, each once.")
            if missing := [name for name in expected if f"{name}.npy" not in members]:
                raise CheckpointError(f"{where} lacks the array '{missing[0]}'.")
            if sum(members[f"{name}.npy"].file_size for name in expected) > MAX_BYTES:
                raise CheckpointError(f"{where} unpacks to more than the {MAX_BYTES} bytes allowed.")
            if any(members[f"{name}.npy"].compress_type not in COMPRESSIONS for name in expected):
                raise CheckpointError(f"{where} must be compressed as numpy does it.")
            return {
                name: _read_array(archive, members[f"{name}.npy"], dtype, num_dims, f"{where}: the array '{name}'")
                for name, (dtype, num_dims) in expected.items()
            }
    except CheckpointError:
        raise
    except Exception as error:  # hostile bytes make zipfile, zlib and numpy raise nearly anything
        raise CheckpointError(f"{where} is damaged or not an .npz file of numbers and strings.") from error


def _read_array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, dtype: str, num_dims: int, where: str
) -> NDArray[Any]:
    shape, found, header_bytes = _read_header(archive, member)
    if not (found.kind in KINDS[dtype] if dtype in KINDS else found.name == dtype):
        raise CheckpointError(f"{where} holds {found.name}; it must hold {dtype}.")
    if not found.isnative:
        raise CheckpointError(f"{where} is not in this machine's byte order.")
    if len(shape) != num_dims:
        raise CheckpointError(f"{where} has the shape {shape}; it must have {num_dims} dimensions.")
    if min(shape, default=0) < 0 or math.prod(shape) * found.itemsize != member.file_size - header_bytes:
        raise CheckpointError(f"{where} does not have the size that its header claims.")
    if found.itemsize == 0 or (found.kind == "U" and math.prod(shape) > MAX_STRINGS):
        # of strings without room for a character, any number takes no place in the file
        raise CheckpointError(f"{where} must hold at most {MAX_STRINGS} strings, each with room for a character.")
    with archive.open(member) as stream:
        array = npy.read_array(stream, allow_pickle=False)
    if found.kind == "f" and not np.isfinite(array).all():
        raise CheckpointError(f"{where} holds values that are not finite.")
    if found.kind == "U":
        "".join(array.ravel().tolist()).encode()  # ValueError where a string holds what is no character
    return np.ascontiguousarray(array)


def _read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape and dtype that a member claims to hold, and where the values begin."""
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"unknown version {version}")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
        return shape, dtype, stream.tell()
