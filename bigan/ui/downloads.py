"""What a person takes home from a page, as the bytes of a file."""

import io

import numpy as np
import torch
from torch import Tensor


def npz_bytes(**values: Tensor | list[float] | float | int | str) -> bytes:
    """A compressed NumPy archive: tensors and lists as arrays, numbers and texts as arrays without a dimension."""
    buffer = io.BytesIO()
    arrays = {
        name: value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.array(value)
        for name, value in values.items()
    }
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
