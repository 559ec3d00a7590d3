"""Whether two ways to classify differ by more than chance, from their answers to the same questions.

Shapes: Q queries.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True)
class McNemar:
    """Two classifiers on the same queries: those that only one of them got right, and how likely by chance."""

    only_first: int
    only_second: int
    p_value: float
    """Probability of a split at least as uneven, were each of these queries as likely to fall to either."""


def mcnemar(first: Bool[np.ndarray, " Q"], second: Bool[np.ndarray, " Q"]) -> McNemar:
    """McNemar's exact test, two-sided, of two classifiers by which of the same queries each got right.

    Source: McNemar 1947, Note on the sampling error of the difference between correlated proportions.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return McNemar(only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second))


def _two_sided(least: int, total: int) -> float:
    """Probability that one side of `total` throws of a fair coin comes up `least` times or fewer, for least <= half."""
    # 2 sum_{i <= least} C(total, i) / 2^total, in whole numbers: exact up to the one division
    term = ways = 1
    for i in range(1, least + 1):
        term = term * (total - i + 1) // i  # C(total, i)
        ways += term
    return min(1.0, 2 * ways / 2**total)  # an even split is counted on both sides
