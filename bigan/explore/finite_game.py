"""The paper's game between a few images and a few latents, all equally likely, where everything can be counted.

Shapes: X images, Z latents.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class FiniteGame:
    """What an encoder and a generator come to when D plays its best."""

    encoder_pairs: Float64[np.ndarray, "X Z"]
    """Probabilities of the pairs (x, E(x))."""
    generator_pairs: Float64[np.ndarray, "X Z"]
    """Probabilities of the pairs (G(z), z)."""
    best_discriminator: Float64[np.ndarray, "X Z"]
    """D*: how likely each pair is an encoder pair; 1/2 where no pair ever is. Source: proposition 1."""
    criterion: float
    """C(E, G) = max_D V(D, E, G) in nats, from -log 4 to 0."""
    divergence: float
    """Jensen-Shannon divergence of the two kinds of pair in nats, 0 to log 2. Source: proposition 2."""
    images_return: tuple[bool, ...]
    """G(E(x)) = x, for each x."""
    latents_return: tuple[bool, ...]
    """E(G(z)) = z, for each z."""

    @property
    def is_at_minimum(self) -> bool:
        """Both kinds of pair are equally likely everywhere, so that D* cannot tell them apart. Source: theorem 1."""
        return np.array_equal(self.encoder_pairs, self.generator_pairs)


def play(encoder: Sequence[int], generator: Sequence[int]) -> FiniteGame:
    """The game of one encoder and one generator.

    Args:
        encoder: the number of E(x), for each x.
        generator: the number of G(z), for each z.

    Raises:
        ValueError: no images, no latents, or a number that there is none of.

    Source: Donahue et al. 2017, equation 3 and section 3.2.
    """
    _check("encoder", encoder, len(generator))
    _check("generator", generator, len(encoder))
    p_ex, p_gz = np.zeros((2, len(encoder), len(generator)))
    p_ex[np.arange(len(encoder)), list(encoder)] = 1 / len(encoder)
    p_gz[list(generator), np.arange(len(generator))] = 1 / len(generator)
    total = p_ex + p_gz  # (X, Z)
    # D* = P_EX / (P_EX + P_GZ)
    best = np.divide(p_ex, total, out=np.full_like(total, 0.5), where=total > 0)
    # V(D*) = E_x log D*(x, E(x)) + E_z log(1 - D*(G(z), z))
    criterion = _expected_log(p_ex, best) + _expected_log(p_gz, 1 - best)
    # JSD = (KL(P_EX | M) + KL(P_GZ | M)) / 2 with M = (P_EX + P_GZ) / 2
    divergence = sum(_expected_log(p, p) - _expected_log(p, total / 2) for p in (p_ex, p_gz)) / 2
    return FiniteGame(
        encoder_pairs=p_ex,
        generator_pairs=p_gz,
        best_discriminator=best,
        criterion=criterion,
        divergence=divergence,
        images_return=tuple(generator[z] == x for x, z in enumerate(encoder)),
        latents_return=tuple(encoder[x] == z for z, x in enumerate(generator)),
    )


def count_best(num_images: int, num_latents: int) -> tuple[int, int]:
    """How many choices of E and G reach the minimum, and how many there are, by playing all of them."""
    encoders = product(range(num_latents), repeat=num_images)
    generators = list(product(range(num_images), repeat=num_latents))
    games = [play(encoder, generator) for encoder in encoders for generator in generators]
    return sum(game.is_at_minimum for game in games), len(games)


def lowest_criterion() -> float:
    """-log 4, where D is undecided everywhere."""
    return -math.log(4)


def _expected_log(p: Float64[np.ndarray, "X Z"], q: Float64[np.ndarray, "X Z"]) -> float:
    """The sum of p log q, with 0 log 0 = 0."""
    return float(p[p > 0] @ np.log(q[p > 0]))


def _check(name: str, mapping: Sequence[int], num_targets: int) -> None:
    if not mapping or not all(0 <= target < num_targets for target in mapping):
        raise ValueError(f"The {name} is {tuple(mapping)}; it must name one of {num_targets} targets for each point.")
