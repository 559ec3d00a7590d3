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
