"""Images side by side, on a page and as a file.

Shapes: N images, C H W image.
"""

import html
from collections.abc import Sequence

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor


def stack(images: Sequence[Float[Tensor, "1 C H W"]]) -> Float[Tensor, "N C H W"]:
    """Single images as one batch."""
    return torch.cat(list(images))


def honesty(sentence: str) -> None:
    """A sentence that owns up to a limit of the model, marked as such; plain text."""
    st.html(f'<p class="bg-off_prior" style="line-height: 1.45">{html.escape(sentence)}</p>')
