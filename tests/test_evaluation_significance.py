"""McNemar's exact test: by hand, by every outcome of fair coins, and beside scipy's binomial test."""

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from bigan.evaluation.significance import mcnemar


def split(only_first: int, only_second: int, both: int = 3, neither: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Which queries two classifiers got right."""
    counts = (only_first, only_second, both, neither)
    first, second = np.repeat([True, False, True, False], counts), np.repeat([False, True, True, False], counts)
    return first, second


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),  # 2 (1 / 2)
        (0, 6, 2 / 64),
        (1, 9, 2 * (1 + 10) / 2**10),
        (9, 1, 2 * (1 + 10) / 2**10),
        (2, 3, 1.0),  # 2 (1 + 5 + 10) / 32
        (5, 5, 1.0),  # an even split, counted twice
        (0, 1000, 2.0**-999),
        (0, 10_000, 0.0),  # 2^-9999 is less than any float
    ],
)
def test_the_p_value_is_that_computed_by_hand(only_first: int, only_second: int, p_value: float) -> None:
    found = mcnemar(*split(only_first, only_second))
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p_value == p_value


@pytest.mark.parametrize("total", range(1, 11))
def test_the_p_value_is_the_share_of_coin_throws_at_least_as_uneven(total: int) -> None:
    throws = [sum(throw) for throw in itertools.product((0, 1), repeat=total)]
    for heads in range(total + 1):
        uneven = sum(abs(2 * seen - total) >= abs(2 * heads - total) for seen in throws)
        assert mcnemar(*split(heads, total - heads)).p_value == uneven / 2**total


def test_the_p_value_is_scipys() -> None:
    generator = np.random.default_rng(0)
    for size, rate in itertools.product((10, 300, 10_000), (0.5, 0.9, 0.97)):
        first, second = generator.random((2, size)) < rate
        found = mcnemar(first, second)
        disagree = found.only_first + found.only_second
        expected = binomtest(found.only_first, disagree).pvalue if disagree else 1.0
        assert found.p_value == pytest.approx(expected, rel=1e-9)


def test_queries_that_both_get_right_or_wrong_change_nothing() -> None:
    assert mcnemar(*split(3, 8, both=0, neither=0)) == mcnemar(*split(3, 8, both=500, neither=70))
