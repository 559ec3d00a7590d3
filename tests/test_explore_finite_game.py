"""The game between three images and three latents, against its closed form."""

from itertools import permutations, product
from math import log

import numpy as np
import pytest

from bigan.explore.finite_game import count_best, lowest_criterion, play

MAPS = list(product(range(3), repeat=3))


def test_the_criterion_counts_the_pairs_that_both_kinds_share() -> None:
    for encoder, generator in product(MAPS, MAPS):
        game = play(encoder, generator)
        shared = len({(x, z) for x, z in enumerate(encoder)} & {(x, z) for z, x in enumerate(generator)})
        assert game.criterion == pytest.approx(-shared / 3 * log(4), abs=1e-12)
        assert game.divergence == pytest.approx((1 - shared / 3) * log(2), abs=1e-12)
        assert sum(game.images_return) == sum(game.latents_return) == shared


def test_the_criterion_is_twice_the_divergence_minus_log_four_between_spaces_of_unequal_size() -> None:
    for encoder, generator in product(product(range(2), repeat=3), product(range(3), repeat=2)):
        game = play(encoder, generator)
        assert game.criterion == pytest.approx(2 * game.divergence - log(4), abs=1e-12)
        assert not game.is_at_minimum


def test_no_other_discriminator_wins_more() -> None:
    random = np.random.default_rng(0)
    for encoder, generator in ((0, 0, 1), (0, 1, 2)), ((1, 2, 0), (2, 0, 1)), ((0, 0, 0), (1, 1, 1)):
        game = play(encoder, generator)
        other = random.uniform(0.01, 0.99, (1000, 3, 3))
        values = (game.encoder_pairs * np.log(other) + game.generator_pairs * np.log(1 - other)).sum((1, 2))
        assert values.max() < game.criterion + 1e-12


def test_only_bijections_with_their_inverses_reach_the_minimum() -> None:
    best = {(e, g) for e, g in product(MAPS, MAPS) if play(e, g).is_at_minimum}
    assert best == {(e, tuple(int(x) for x in np.argsort(e))) for e in permutations(range(3))}
    assert count_best(3, 3) == (6, 729)
    game = play((1, 2, 0), (2, 0, 1))
    assert game.criterion == pytest.approx(lowest_criterion())
    np.testing.assert_array_equal(game.best_discriminator, np.full((3, 3), 0.5))


@pytest.mark.parametrize(("encoder", "generator"), [((0, 3, 1), (0, 1, 2)), ((0, 1, 2), (0, -1, 2)), ((), (0,))])
def test_a_target_that_does_not_exist_is_refused(encoder: tuple[int, ...], generator: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must name one of"):
        play(encoder, generator)
