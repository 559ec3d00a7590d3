"""Array files are written alike each time, and read without trusting them."""

import os
import pickle
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from bigan import arrays
from bigan.arrays import read_arrays, write_arrays
from bigan.files import CheckpointError

Refused = Callable[[str], AbstractContextManager[pytest.ExceptionInfo[CheckpointError]]]


def npz(path: Path, header: bytes, content: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content)


def npy_header(descr: str, shape: str) -> bytes:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n".encode()


def pickled(path: Path) -> None:
    np.savez(path, x=np.array([os.system], dtype=object), allow_pickle=True)


def twice(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.npy", b"")


def truncated(path: Path) -> None:
    np.savez(path, x=np.zeros(999))
    path.write_bytes(path.read_bytes()[:500])


def flipped(path: Path) -> None:
    np.savez(path, x=np.ones(99, np.float32))
    path.write_bytes(path.read_bytes().replace(b"\x80\x3f", b"\x81\x3f", 1))


BROKEN_ARRAYS: dict[str, Callable[[Path], object]] = {
    "not there": lambda _: None,
    "empty": lambda path: path.write_bytes(b""),
    "a pickle": lambda path: path.write_bytes(pickle.dumps([1.0])),
    "an array of pickled objects": pickled,
    "truncated": truncated,
    "a bit flipped": flipped,
    "lacking the array": lambda path: np.savez(path, y=np.zeros(3)),
    "holding an array twice": twice,
    "holding too many arrays": lambda path: write_arrays(path, **{f"y{i}": np.zeros(1) for i in range(99)}),
    "claiming more than it holds": lambda path: npz(path, npy_header("<f4", "(1000000000,)"), b"0000"),
    "claiming less than it holds": lambda path: npz(path, npy_header("<f4", "(1,)"), b"00000000"),
    "claiming a negative size": lambda path: npz(path, npy_header("<f4", "(-1,)"), b"0000"),
    "claiming an endless empty shape": lambda path: npz(path, npy_header("<f4", f"(0, {10**30})"), b""),
    "calling functions in its header": lambda path: npz(path, b"__import__('os').system('true')\n", b""),
    "of the other byte order": lambda path: npz(path, npy_header(">f4", "(1,)"), b"0000"),
    "not finite": lambda path: np.savez(path, x=np.array([np.inf], np.float32)),
    "of another type": lambda path: np.savez(path, x=np.zeros(3, np.int8)),
    "of other dimensions": lambda path: np.savez(path, x=np.zeros((3, 1), np.float32)),
    "a folder": Path.mkdir,
    "a link out": lambda path: path.symlink_to("/etc/hostname"),
}


@pytest.mark.parametrize("kind", BROKEN_ARRAYS)
def test_broken_array_file_is_one_sentence(kind: str, tmp_path: Path, refused: Refused) -> None:
    BROKEN_ARRAYS[kind](tmp_path / "arrays.npz")
    with refused(str(tmp_path)):
        read_arrays(tmp_path / "arrays.npz", {"x": ("floating", 1)})


def test_file_that_unpacks_to_too_much_is_refused_before_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    write_arrays(tmp_path / "arrays.npz", x=np.zeros(2**20))
    monkeypatch.setattr(arrays, "MAX_BYTES", 2**20)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with refused("unpacks to more than the 1048576 bytes allowed"):
        read_arrays(tmp_path / "arrays.npz", {"x": ("floating", 1)})


def test_strings_that_are_no_text_are_refused(tmp_path: Path) -> None:
    npz(tmp_path / "arrays.npz", npy_header("<U1", "(1,)"), b"\xff\xff\xff\x7f")
    with pytest.raises(CheckpointError):
        read_arrays(tmp_path / "arrays.npz", {"x": ("str", 1)})


@pytest.mark.parametrize(("descr", "shape", "content"), [("<U0", "(10000000000,)", b""), ("<U1", "(9,)", bytes(36))])
def test_more_strings_than_memory_bears_are_refused_before_one_is_made(
    descr: str, shape: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    monkeypatch.setattr(arrays, "MAX_STRINGS", 8)
    monkeypatch.setattr("numpy.lib.format.read_array", None)
    npz(tmp_path / "arrays.npz", npy_header(descr, shape), content)
    with refused("at most 8 strings"):
        read_arrays(tmp_path / "arrays.npz", {"x": ("str", 1)})


def test_arrays_give_the_same_bytes_twice_and_never_hold_objects(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_arrays(tmp_path / name, x=np.arange(6).reshape(2, 3), ids=np.array(["a", "b"]))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with pytest.raises(ValueError, match="'x' holds Python objects"):
        write_arrays(tmp_path / "one.npz", x=np.array([{}]))
    assert read_arrays(tmp_path / "one.npz", {"ids": ("str", 1)})["ids"].tolist() == ["a", "b"]
