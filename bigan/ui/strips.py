"""Images side by side, on a page and as a file.

Shapes: N images, C H W image.
"""

import html
from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bigan.pictures import difference_picture, to_uint8
from bigan.ui.reports import Answer


def stack(images: Sequence[Float[Tensor, "1 C H W"]]) -> Float[Tensor, "N C H W"]:
    """Single images as one batch."""
    return torch.cat(list(images))


def reconstruction(answer: Answer) -> UInt8[np.ndarray, "3 3 H W"]:
    """x, G(E(x)) and their difference in colour, to be put side by side in one file."""
    x, x_hat = (to_uint8(one[0].expand(3, -1, -1)) for one in (answer.resolved.x, answer.x_hat))  # (3, H, W) each
    difference = np.asarray(difference_picture(answer.difference, 1)).transpose(2, 0, 1)  # (3, H, W)
    return np.stack([x, x_hat, difference])


def honesty(sentence: str) -> None:
    """A sentence that owns up to a limit of the model, marked as such; plain text."""
    st.html(f'<p class="bg-off_prior" style="line-height: 1.45">{html.escape(sentence)}</p>')
