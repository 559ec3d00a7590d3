"""The paper's theory by brute force: every deterministic encoder and generator between small finite spaces.

A space of n points is 0..n-1 with a vector of probabilities; an encoder is the vector of E(x), a generator that of
G(z). Joint distributions are matrices over (x, z). Everything is float64, in nats, with 0 log 0 = 0.

Source: Donahue et al. 2017, section 3: propositions 1 and 2, theorems 1 to 3.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from math import lcm, log

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bigan.objectives.bigan import discriminator_loss

Vector = NDArray[np.float64]
Map = tuple[int, ...]

HALF, THIRD, SIXTH = Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)
UNIFORM = (THIRD, THIRD, THIRD)
UNEVEN = (HALF, THIRD, SIXTH)
TWO_EQUAL = (HALF, Fraction(1, 4), Fraction(1, 4))
WITH_A_HOLE = (HALF, HALF, Fraction(0))  # a point outside the support
PAIRS_OF_PRIORS = [
    (UNIFORM, UNIFORM),
    (UNEVEN, UNEVEN),
    (UNEVEN, (SIXTH, HALF, THIRD)),
    (TWO_EQUAL, TWO_EQUAL),
    (UNEVEN, UNIFORM),
    (WITH_A_HOLE, WITH_A_HOLE),
    (UNEVEN, WITH_A_HOLE),
    (WITH_A_HOLE, (HALF, HALF)),
    (UNEVEN, (HALF, HALF)),
    ((HALF, HALF), UNEVEN),
]
Prior = tuple[Fraction, ...]


def maps(size_from: int, size_to: int) -> Iterator[Map]:
    return product(range(size_to), repeat=size_from)


def joints(p_x: Prior, p_z: Prior, encoder: Map, generator: Map) -> tuple[Vector, Vector]:
    """P_EX and P_GZ as matrices over (x, z)."""
    p_ex, p_gz = np.zeros((2, len(p_x), len(p_z)))
    for x, z in enumerate(encoder):
        p_ex[x, z] += float(p_x[x])
    for z, x in enumerate(generator):
        p_gz[x, z] += float(p_z[z])
    return p_ex, p_gz


def expected_log(p: Vector, q: Vector) -> float:
    """The sum of p log q."""
    return float(p[p > 0] @ np.log(q[p > 0]))


def value(discriminator: Vector, p_ex: Vector, p_gz: Vector) -> float:
    """V(D, E, G), equation 2."""
    return expected_log(p_ex, discriminator) + expected_log(p_gz, 1 - discriminator)


def optimal_discriminator(p_ex: Vector, p_gz: Vector) -> Vector:
    """Proposition 1: dP_EX / d(P_EX + P_GZ); 1/2 where neither has mass."""
    total = p_ex + p_gz
    return np.divide(p_ex, total, out=np.full_like(total, 0.5), where=total > 0)


def criterion(p_ex: Vector, p_gz: Vector) -> float:
    """C(E, G) = max_D V."""
    return value(optimal_discriminator(p_ex, p_gz), p_ex, p_gz)


def jensen_shannon(p: Vector, q: Vector) -> float:
    middle = (p + q) / 2
    from_p, from_q = (expected_log(r, r) - expected_log(r, middle) for r in (p, q))  # Kullback-Leibler to the middle
    return (from_p + from_q) / 2


def games(p_x: Prior, p_z: Prior) -> Iterator[tuple[Map, Map, Vector, Vector]]:
    """Every (E, G) between the two spaces, with P_EX and P_GZ."""
    for encoder, generator in product(maps(len(p_x), len(p_z)), maps(len(p_z), len(p_x))):
        yield encoder, generator, *joints(p_x, p_z, encoder, generator)


def batch(prior: Prior) -> list[int]:
    """The points of a space in exactly the proportions of its probabilities."""
    size = lcm(*(p.denominator for p in prior))
    return [point for point, p in enumerate(prior) for _ in range(int(p * size))]


def our_loss(logits: torch.Tensor, p_x: Prior, p_z: Prior, encoder: Map, generator: Map) -> torch.Tensor:
    """`discriminator_loss` in expectation, D being the table of its logits."""
    xs, zs = torch.tensor(batch(p_x)), torch.tensor(batch(p_z))
    encoder_logits = logits[xs, torch.tensor(encoder)[xs]]
    generator_logits = logits[torch.tensor(generator)[zs], zs]
    common = lcm(len(xs), len(zs))  # the loss asks for as many pairs of one kind as of the other
    return discriminator_loss(encoder_logits.repeat(common // len(xs)), generator_logits.repeat(common // len(zs)))


def is_inverse(p_x: Prior, p_z: Prior, encoder: Map, generator: Map) -> bool:
    """G(E(x)) = x for P_X-almost every x, and E(G(z)) = z for P_Z-almost every z."""
    return all(generator[encoder[x]] == x for x, p in enumerate(p_x) if p) and all(
        encoder[generator[z]] == z for z, p in enumerate(p_z) if p
    )


def carries(p_from: Prior, p_to: Prior, mapping: Map) -> bool:
    """The image of one distribution under a map is the other."""
    image = [
        sum((p for p, target in zip(p_from, mapping, strict=True) if target == y), Fraction(0))
        for y in range(len(p_to))
    ]
    return tuple(image) == p_to


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_our_discriminator_loss_is_minus_half_the_value(p_x: Prior, p_z: Prior) -> None:
    random = np.random.default_rng(0)
    for encoder, generator, p_ex, p_gz in games(p_x, p_z):
        logits = random.normal(0, 3, p_ex.shape)
        loss = our_loss(torch.tensor(logits), p_x, p_z, encoder, generator)
        assert -2 * loss.item() == pytest.approx(value(1 / (1 + np.exp(-logits)), p_ex, p_gz), abs=1e-12)


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_proposition_1_every_other_discriminator_has_a_lower_value(p_x: Prior, p_z: Prior) -> None:
    random = np.random.default_rng(1)
    for _, _, p_ex, p_gz in games(p_x, p_z):
        best = optimal_discriminator(p_ex, p_gz)
        highest = value(best, p_ex, p_gz)
        for scale in (0.01, 1.0):
            other = np.clip(best + random.uniform(-scale, scale, best.shape), 1e-6, 1 - 1e-6)
            assert value(other, p_ex, p_gz) < highest
        elsewhere = np.where(p_ex + p_gz > 0, best, random.uniform(size=best.shape))
        assert value(elsewhere, p_ex, p_gz) == highest, "where no pair can be, D is free"


@pytest.mark.parametrize(
    ("p_x", "p_z", "encoder", "generator"),
    [
        (UNEVEN, UNIFORM, (0, 1, 2), (0, 1, 2)),  # the same pairs, other weights: D* strictly between 0 and 1
        (UNEVEN, UNIFORM, (0, 1, 2), (0, 1, 1)),  # two of three pairs in common
        (UNEVEN, (HALF, HALF), (0, 1, 1), (0, 2)),  # spaces of different size
        (UNIFORM, UNIFORM, (1, 2, 0), (0, 1, 2)),  # nothing in common: D* is 1 or 0, V approaches 0
    ],
)
def test_proposition_1_descending_our_loss_finds_the_optimal_discriminator(
    p_x: Prior, p_z: Prior, encoder: Map, generator: Map
) -> None:
    p_ex, p_gz = joints(p_x, p_z, encoder, generator)
    logits = torch.zeros(p_ex.shape, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.3)
    for _ in range(600):
        optimiser.zero_grad()
        our_loss(logits, p_x, p_z, encoder, generator).backward()
        optimiser.step()
    found = torch.sigmoid(logits.detach()).numpy()
    np.testing.assert_allclose(found, optimal_discriminator(p_ex, p_gz), atol=1e-3)
    assert value(found, p_ex, p_gz) == pytest.approx(criterion(p_ex, p_gz), abs=2e-3)


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_proposition_2_the_criterion_is_twice_the_jensen_shannon_divergence_minus_log_four(
    p_x: Prior, p_z: Prior
) -> None:
    for _, _, p_ex, p_gz in games(p_x, p_z):
        assert criterion(p_ex, p_gz) == pytest.approx(2 * jensen_shannon(p_ex, p_gz) - log(4), abs=1e-12)


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_any_discriminators_loss_bounds_the_jensen_shannon_divergence_from_below(p_x: Prior, p_z: Prior) -> None:
    random = np.random.default_rng(2)
    for encoder, generator, p_ex, p_gz in games(p_x, p_z):
        loss = our_loss(torch.tensor(random.normal(size=p_ex.shape)), p_x, p_z, encoder, generator)
        assert jensen_shannon(p_ex, p_gz) >= log(2) - loss.item() - 1e-12


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_theorem_1_the_minimum_is_minus_log_four_exactly_where_the_joints_agree(p_x: Prior, p_z: Prior) -> None:
    for _, _, p_ex, p_gz in games(p_x, p_z):
        if np.allclose(p_ex, p_gz, rtol=0, atol=1e-12):
            assert criterion(p_ex, p_gz) == pytest.approx(-log(4), abs=1e-12)
            np.testing.assert_allclose(optimal_discriminator(p_ex, p_gz), 0.5)
        else:
            assert criterion(p_ex, p_gz) > -log(4) + 1e-3


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_theorem_2_the_minimum_is_reached_exactly_by_inverses_that_carry_px_to_pz(p_x: Prior, p_z: Prior) -> None:
    for encoder, generator, p_ex, p_gz in games(p_x, p_z):
        at_minimum = criterion(p_ex, p_gz) < -log(4) + 1e-9
        expected = (
            is_inverse(p_x, p_z, encoder, generator) and carries(p_x, p_z, encoder) and carries(p_z, p_x, generator)
        )
        assert at_minimum == expected


@pytest.mark.parametrize(
    ("p_x", "p_z", "bijections"),
    [
        (UNIFORM, UNIFORM, list(permutations(range(3)))),
        (UNEVEN, UNEVEN, [(0, 1, 2)]),
        (UNEVEN, (SIXTH, HALF, THIRD), [(1, 2, 0)]),
        (TWO_EQUAL, TWO_EQUAL, [(0, 1, 2), (0, 2, 1)]),
        (UNEVEN, UNIFORM, []),  # no map carries one to the other
        (UNEVEN, (HALF, HALF), []),  # too few latents
        (UNIFORM, (HALF, HALF), []),
        ((HALF, HALF), UNEVEN, []),  # too many
    ],
)
def test_theorem_2_the_best_encoders_are_these_bijections_and_the_generators_their_inverses(
    p_x: Prior, p_z: Prior, bijections: list[Map]
) -> None:
    best = [(e, g) for e, g, p_ex, p_gz in games(p_x, p_z) if criterion(p_ex, p_gz) < -log(4) + 1e-9]
    assert sorted(best) == sorted((e, tuple(int(x) for x in np.argsort(e))) for e in bijections)


def test_theorem_2_outside_the_support_the_best_maps_are_free() -> None:
    best = [(e, g) for e, g, p_ex, p_gz in games(WITH_A_HOLE, (HALF, HALF)) if criterion(p_ex, p_gz) < -log(4) + 1e-9]
    assert sorted(best) == [((0, 1, 0), (0, 1)), ((0, 1, 1), (0, 1)), ((1, 0, 0), (1, 0)), ((1, 0, 1), (1, 0))]


@pytest.mark.parametrize(("p_x", "p_z"), PAIRS_OF_PRIORS)
def test_theorem_3_the_criterion_is_an_l0_autoencoder_loss_term_by_term(p_x: Prior, p_z: Prior) -> None:
    for encoder, generator, p_ex, p_gz in games(p_x, p_z):
        f = optimal_discriminator(p_ex, p_gz)
        total = 0.0
        for x, p in enumerate(p_x):
            if p == 0:
                continue
            z = encoder[x]
            comes_back = p_z[z] > 0 and generator[z] == x
            # log f(x, E(x)) is a finite penalty where the reconstruction is exact, and nothing where it is not
            assert (-np.inf < log(f[x, z]) < 0) if comes_back else (f[x, z] == 1)
            total += float(p) * comes_back * log(f[x, z])
        for z, p in enumerate(p_z):
            if p == 0:
                continue
            x = generator[z]
            comes_back = p_x[x] > 0 and encoder[x] == z
            assert (-np.inf < log(1 - f[x, z]) < 0) if comes_back else (f[x, z] == 0)
            total += float(p) * comes_back * log(1 - f[x, z])
        assert total == pytest.approx(criterion(p_ex, p_gz), abs=1e-12)
