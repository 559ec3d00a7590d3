"""What the Sample page draws at once.

Shapes: B samples, Z latent components, C H W image.
"""

import re
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from bigan.ui.loaders import OpenCheckpoint


@dataclass(frozen=True)
class Samples:
    """Latents drawn from the prior, what G makes of them, and what D says of each pair."""

    seed: int
    truncation: float
    z: Float[Tensor, "B Z"]
    x: Float[Tensor, "B C H W"]
    logits: list[float] | None
    """D(G(z), z); None of a model that has no D of pairs."""

    def __len__(self) -> int:
        """How many."""
        return len(self.z)


def draw(chosen: OpenCheckpoint, count: int, seed: int, truncation: float) -> Samples:
    """The first `count` samples of a seed."""
    z = chosen.model.sample_latents(count, seed, truncation)  # (B, Z)
    x = chosen.model.generate(z)  # (B, C, H, W)
    return Samples(seed, truncation, z, x, chosen.opinions(x, z))


def to_text(numbers: list[int]) -> str:
    """Numbers of samples as in a link."""
    return "-".join(map(str, numbers))


def from_text(text: str, count: int) -> list[int]:
    """The numbers, from 1 to count, that a link names, each once and in its order."""
    numbers = [int(number) for number in re.findall(r"\d{1,6}", text)]
    return [number for number in dict.fromkeys(numbers) if 1 <= number <= count]
