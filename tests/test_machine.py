"""What is found out about the processor, and what its allocator keeps."""

import platform
import subprocess
import sys

import pytest
import torch

from bigan import machine


@pytest.mark.parametrize(
    ("flag", "dtype"), [("avx512_bf16", torch.bfloat16), ("amx_bf16", torch.bfloat16), ("avx2", torch.float32)]
)
def test_bfloat16_products_are_quick_where_the_processor_has_them(
    flag: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "processor_flags", lambda: frozenset({"fpu", flag}))
    assert machine.quick_product_dtype() == dtype
    assert machine.quick_product_dtype("cuda") == torch.float32


# Freeing a large block makes malloc keep the next ones; one that is not at the end of the heap stays.
FREE_A_BLOCK = """
import os
from bigan import machine
from bigan.benchmark.app import resident_megabytes
first = b"1" * 20_000_000
del first
before = resident_megabytes(os.getpid())
second = b"1" * 16_000_000
above = [b"1" * 2000 for _ in range(500)]
del second
{call}
print(resident_megabytes(os.getpid()) - before)
"""


def megabytes_kept(call: str) -> float:
    code = FREE_A_BLOCK.format(call=call)
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_freed_memory_leaves_a_process_that_gives_it_back() -> None:
    assert megabytes_kept("machine.give_back_freed_memory()") < 8 < megabytes_kept("")


COUNT_ARENAS = """
import ctypes, threading
from bigan import machine
{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(6)
def work():
    together.wait()
    blocks = [libc.malloc(100) for _ in range(2000)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(file))
libc.fclose(ctypes.c_void_p(file))
"""


def num_arenas(call: str) -> int:
    code = COUNT_ARENAS.format(call=call)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.count(
        "<heap"
    )


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks glibc")
def test_threads_share_what_they_free() -> None:
    assert num_arenas("machine.share_freed_memory()") <= machine.MAX_ARENAS < num_arenas("")


def test_what_is_alive_is_not_looked_through_again_and_later_garbage_is_collected() -> None:
    code = """
import gc, weakref
from bigan import machine
class Thing: pass
machine.exempt_from_garbage_collection()
assert gc.get_freeze_count() > 10_000 and len(gc.get_objects()) < 1000
thing = Thing()
thing.itself = thing
gone = weakref.ref(thing)
del thing
gc.collect()
assert gone() is None
old = Thing()
old.itself = old
gone = weakref.ref(old)
machine.exempt_from_garbage_collection()
del old
machine.exempt_from_garbage_collection()
assert gone() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)
