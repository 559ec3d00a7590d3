"""What is found out about the processor."""

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
