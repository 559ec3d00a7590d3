"""The machine this runs on: its name for a report, what its processor can do, and what its allocator keeps."""

import ctypes
import gc
import platform
import sys
from pathlib import Path

import torch

# glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 1 << 30
MAX_ARENAS = 2

BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")  # as Linux names the instructions for bfloat16 products


def processor_name(device: torch.device | str = "cpu") -> str:
    """The name of the processor, or of the GPU that the device is."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    names = [line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """The processor's abilities as Linux names them; none elsewhere."""
    return frozenset(next((line for line in _cpuinfo() if line.startswith("flags")), "").split())


def _cpuinfo() -> list[str]:
    """What Linux says of the processor; nothing elsewhere."""
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def quick_product_dtype(device: torch.device | str = "cpu") -> torch.dtype:
    """The quickest dtype of matrix products that add up in float32: bfloat16 where the CPU has them, else float32.

    On a GPU, PyTorch may add up bfloat16 products in bfloat16.
    """
    quick = torch.device(device).type == "cpu" and not processor_flags().isdisjoint(BFLOAT16_FLAGS)
    return torch.bfloat16 if quick else torch.float32


def _has_glibc() -> bool:
    return sys.platform == "linux" and platform.libc_ver()[0] == "glibc"


def keep_freed_memory() -> None:
    """Let this process keep up to 1 GiB that it frees, where the C library is glibc.

    A training step frees and takes some 100 MB of activations and gradients. Handed back to the system each time,
    every page of them is faulted in and zeroed again: 6,300 to 7,200 page faults and 43 to 48 ms of CPU time a step,
    against 2 and 30 ms with this (100 steps of the mnist recipe after 20, seed 42, bf16, one thread, AVX512-BF16;
    getrusage and process_time around the steps).
    """
    if _has_glibc():
        libc = ctypes.CDLL(None)
        if libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES):  # refused, a lone trim threshold would make things worse
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back_freed_memory() -> None:
    """Give the system back what this process has freed so far, where the C library is glibc.

    By itself glibc keeps freed blocks of up to 32 MiB, in pieces and for each thread: over 100 MB after a server has
    looked at two galleries of 5,000 digits. It still keeps what is freed later, so that no answer waits for memory.
    """
    if _has_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def share_freed_memory() -> None:
    """Let all threads of this process take from two stores of freed memory, where the C library is glibc.

    By itself glibc makes a store for each thread, up to eight for each processor, and what one thread has freed helps
    no other: with twenty sessions the app's process grew by 70 to 200 MB in half a minute, and by 50 to 70 with this
    (`python -m bigan benchmark sessions`, three and four times).
    """
    if _has_glibc():
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, MAX_ARENAS)


def exempt_from_garbage_collection() -> None:
    """Collect garbage, and never again look through what is alive now: torch's own objects and what was loaded.

    A full collection holds all threads; with torch's objects it takes 110 ms, without them a few. With twenty sessions
    that press once a second, one answer in twenty took 270 to 1,500 ms, and 90 to 230 with this
    (`python -m bigan benchmark sessions`, three times each).
    """
    gc.unfreeze()  # what has become garbage since the last time
    gc.collect()
    gc.freeze()
