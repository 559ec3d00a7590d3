"""Nearest neighbours against brute force in float64, and the intervals of accuracies."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import Tensor

from bigan.evaluation import nearest_neighbour
from bigan.evaluation.nearest_neighbour import (
    Accuracy,
    nearest_neighbour_accuracy,
    nearest_neighbours,
    wilson_interval,
)

SMALL_BLOCKS = {
    "GROUP_SIZE": 4,
    "BLOCK_QUERIES": 7,
    "BLOCK_REFERENCES": 12,
    "RERANK_QUERIES": 3,
    "RERANK_VALUES": 50,
    "MAX_MINIMA_BYTES": 240,
}


@pytest.fixture(params=[torch.float32, torch.bfloat16], ids=["float32", "bfloat16"], autouse=True)
def product_dtype(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.dtype:
    """Every test with products of either kind, whatever this processor likes better and however few the features."""
    monkeypatch.setattr(nearest_neighbour, "quick_product_dtype", lambda _: request.param)
    monkeypatch.setattr(nearest_neighbour, "MIN_FEATURES", 1)
    dtype: torch.dtype = request.param
    return dtype


def brute_force(queries: Tensor, references: Tensor, num_neighbours: int) -> tuple[Tensor, Tensor]:
    """Distances from differences in float64, ties to the lowest index."""
    distances = (queries.double()[:, None] - references.double()).square().sum(2).sqrt()  # (Q, R)
    ordered, indices = distances.sort(dim=1, stable=True)
    return ordered[:, :num_neighbours].float(), indices[:, :num_neighbours]


def assert_brute_force(queries: Tensor, references: Tensor, num_neighbours: int = 1) -> None:
    """As they come, and from the first product alone, however many groups it leaves in question."""
    expected_distances, expected_indices = brute_force(queries, references, num_neighbours)
    for share in (nearest_neighbour.COARSE_SHARE, 1.0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nearest_neighbour, "COARSE_SHARE", share)
            distances, indices = nearest_neighbours(queries, references, num_neighbours)
        assert torch.equal(indices, expected_indices)
        torch.testing.assert_close(distances, expected_distances, rtol=1e-6, atol=0)


def random_points(num_points: int, num_features: int, seed: int) -> Tensor:
    return torch.randn(num_points, num_features, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_ties_and_duplicates_go_to_the_lowest_index_across_every_block_boundary(data: st.DataObject) -> None:
    num_queries, num_references = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 70))
    num_features = data.draw(st.integers(1, 6))
    num_neighbours = data.draw(st.integers(1, num_references))
    largest = data.draw(st.integers(0, 3))  # whole numbers, few of them: most distances are exact ties
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 2**31)))
    points = torch.randint(-largest, largest + 1, (num_queries + num_references, num_features), generator=generator)
    queries, references = points.float().split([num_queries, num_references])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL_BLOCKS.items():
            patch.setattr(nearest_neighbour, name, value)
        assert_brute_force(queries, references, num_neighbours)


@settings(deadline=None, max_examples=40)
@given(
    num_queries=st.integers(1, 40),
    num_references=st.integers(5, 90),
    num_features=st.integers(1, 40),
    num_neighbours=st.integers(1, 5),
    offset=st.sampled_from([0.0, 1.0, 1e3, 1e6]),
    scale=st.sampled_from([1e-15, 1e-3, 1.0, 1e12]),
    seed=st.integers(0, 2**31),
)
def test_neighbours_are_exact_whatever_the_offset_and_scale_of_the_features(
    num_queries: int,
    num_references: int,
    num_features: int,
    num_neighbours: int,
    offset: float,
    scale: float,
    seed: int,
) -> None:
    points = (random_points(num_queries + num_references, num_features, seed) + offset) * scale
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL_BLOCKS.items():
            patch.setattr(nearest_neighbour, name, value)
        assert_brute_force(points[:num_queries], points[num_queries:], num_neighbours)


@pytest.mark.parametrize("num_references", [4095, 4096, 4097, 8200])
@pytest.mark.parametrize("num_neighbours", [1, 3])
def test_blocks_of_full_size_agree_with_brute_force(num_references: int, num_neighbours: int) -> None:
    assert_brute_force(random_points(70, 9, seed=1), random_points(num_references, 9, seed=2), num_neighbours)


@pytest.mark.parametrize("num_queries", [1023, 1024, 1025, 2050])
def test_queries_of_full_blocks_agree_with_brute_force(num_queries: int) -> None:
    assert_brute_force(random_points(num_queries, 5, seed=3), random_points(100, 5, seed=4))


def test_labels_equal_those_of_scikit_learn() -> None:
    queries, references = random_points(400, 64, seed=5), random_points(5000, 64, seed=6)
    references[2500:2600] = references[100:200]  # duplicates with other labels
    queries[:50] = references[2500:2550]  # and queries that lie on them
    labels = torch.arange(5000) % 10
    brute = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(references.numpy())
    expected_distances, expected = brute.kneighbors(queries.numpy())
    distances, indices = nearest_neighbours(queries, references)
    unique = torch.arange(400) >= 50  # scikit-learn promises no order among exact ties
    assert np.array_equal(indices.numpy()[unique], expected[unique])
    assert indices[:50, 0].tolist() == list(range(100, 150))
    np.testing.assert_allclose(distances.numpy()[unique], expected_distances[unique], rtol=1e-5)
    classifier = KNeighborsClassifier(1, algorithm="brute").fit(references.numpy(), labels.numpy())
    query_labels = labels[:400].flip(0)
    accuracy = nearest_neighbour_accuracy(queries[50:], query_labels[50:], references, labels)
    assert accuracy == Accuracy(int((classifier.predict(queries[50:].numpy()) == query_labels[50:].numpy()).sum()), 350)


def test_scikit_learn_finds_the_same_distances_for_several_neighbours() -> None:
    queries, references = random_points(100, 32, seed=7), random_points(3000, 32, seed=8)
    expected_distances, expected = (
        NearestNeighbors(n_neighbors=15, algorithm="brute").fit(references).kneighbors(queries)
    )
    distances, indices = nearest_neighbours(queries, references, 15)
    assert np.array_equal(indices.numpy(), expected)
    np.testing.assert_allclose(distances.numpy(), expected_distances, rtol=1e-5)


def test_near_ties_that_float32_products_confuse_are_put_in_order() -> None:
    query = random_points(1, 200, seed=9) * 100
    direction = random_points(500, 200, seed=10)
    direction /= direction.norm(dim=1, keepdim=True)
    references = query + direction * torch.linspace(1.0, 1.0001, 500).flip(0)[:, None]
    naive = (references.square().sum(1) - 2 * (references @ query[0])).argsort()[:20]
    assert not torch.equal(naive, brute_force(query, references, 20)[1][0])
    assert_brute_force(query, references, 20)


def test_one_far_reference_does_not_spoil_the_others() -> None:
    references = random_points(300, 10, seed=11)
    references[137] = 1e9
    assert_brute_force(random_points(50, 10, seed=12), references, 2)


@settings(deadline=None, max_examples=100)
@given(
    dtype=st.sampled_from([torch.float32, torch.bfloat16]),
    num_references=st.integers(1, 60),
    num_features=st.one_of(st.integers(1, 40), st.sampled_from([255, 1023, 1024])),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    query_scale=st.sampled_from([1e-20, 1e-15, 1e-3, 1.0, 1e6, 1e12]),
    reference_scale=st.sampled_from([1e-20, 1e-15, 1e-3, 1.0, 1e6, 1e12]),
    seed=st.integers(0, 2**31),
)
def test_every_minimum_is_within_its_margin(
    dtype: torch.dtype,
    num_references: int,
    num_features: int,
    offset: float,
    query_scale: float,
    reference_scale: float,
    seed: int,
) -> None:
    queries = query_scale * (random_points(9, num_features, seed) + offset)
    references = reference_scale * (random_points(num_references, num_features, seed + 1) + offset)
    references[0] *= 10  # a long one among the others
    centre = references.mean(0)
    minima, margin = nearest_neighbour._bounds(queries, references, centre, dtype)
    r, q = references.double() - centre.double(), queries.double() - centre.double()
    values = r.square().sum(1) - 2 * q @ r.T  # (9, R)
    expected = torch.stack([group.amin(1) for group in values.split(nearest_neighbour.GROUP_SIZE, dim=1)], 1)
    bound = margin.of(slice(0, 9), minima.float())
    assert minima.dtype == dtype
    assert ((minima.double() - expected).abs() <= bound).all()


def test_margins_are_narrow(product_dtype: torch.dtype) -> None:
    queries, references = random_points(50, 1024, seed=18), random_points(400, 1024, seed=19)
    minima, margin = nearest_neighbour._bounds(queries, references, references.mean(0), product_dtype)
    share = margin.of(slice(0, 50), minima.float()).max() / 4096  # of (|q| + |r|)^2
    assert share < {torch.float32: 3e-4, torch.bfloat16: 4e-3}[product_dtype]


@pytest.mark.parametrize("num_features", [1, 2, 50, 1024])
@pytest.mark.parametrize("num_neighbours", [1, 7])
def test_near_ties_below_the_rounding_of_the_products_are_put_in_order(num_features: int, num_neighbours: int) -> None:
    queries = 100 * random_points(5, num_features, seed=20)
    directions = random_points(200, num_features, seed=21)
    directions /= directions.norm(dim=1, keepdim=True)
    references = queries[:1] + directions * torch.linspace(1.0, 1.001, 200).flip(0)[:, None]
    references[100:110] = references[60:70]
    assert_brute_force(queries, references, num_neighbours)


def test_queries_that_coarse_products_leave_open_are_settled_by_finer_ones() -> None:
    # the first half lies in one of two narrow clusters far apart, which centring cannot bring together
    far = 100 * random_points(1, 200, seed=22)
    references = torch.cat([far, -far]).repeat_interleave(400, 0) + 1e-2 * random_points(800, 200, seed=23)
    queries = torch.cat([far + 1e-2 * random_points(70, 200, seed=24), 300 * random_points(70, 200, seed=25)])
    settled = nearest_neighbour._search(queries, references, 3, torch.bfloat16)[2]
    assert not settled[:70].any()
    assert nearest_neighbour._search(queries, references, 3, torch.float32)[2].all()
    assert_brute_force(queries, references, 3)


def test_coarse_products_settle_spread_out_points_alone() -> None:
    queries, references = random_points(100, 512, seed=26), random_points(20_000, 512, seed=27)
    settled = nearest_neighbour._search(queries, references, 1, torch.bfloat16)[2]
    assert settled.all()


def test_few_features_are_multiplied_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    dtypes = []
    search = nearest_neighbour._search

    def note(queries: Tensor, references: Tensor, num_neighbours: int, dtype: torch.dtype) -> object:
        dtypes.append(dtype)
        return search(queries, references, num_neighbours, dtype)

    monkeypatch.setattr(nearest_neighbour, "quick_product_dtype", lambda _: torch.bfloat16)
    monkeypatch.setattr(nearest_neighbour, "MIN_FEATURES", 20)
    monkeypatch.setattr(nearest_neighbour, "COARSE_SHARE", 1.0)
    monkeypatch.setattr(nearest_neighbour, "_search", note)
    for num_features in (19, 20):
        nearest_neighbours(random_points(2, num_features, seed=28), random_points(9, num_features, seed=29))
    assert dtypes == [torch.float32, torch.bfloat16]


def test_distance_to_oneself_is_exactly_zero() -> None:
    points = random_points(200, 30, seed=13) + 1000
    distances, indices = nearest_neighbours(points, points)
    assert torch.equal(distances, torch.zeros(200, 1))
    assert torch.equal(indices[:, 0], torch.arange(200))


def test_no_queries_have_no_neighbours() -> None:
    distances, indices = nearest_neighbours(torch.zeros(0, 3), torch.zeros(5, 3), 2)
    assert distances.shape == indices.shape == (0, 2)


def test_inputs_are_left_as_they_were() -> None:
    queries, references = random_points(20, 4, seed=14), random_points(50, 4, seed=15)
    copies = queries.clone(), references.clone()
    nearest_neighbours(queries, references, 3)
    assert torch.equal(queries, copies[0]) and torch.equal(references, copies[1])


@pytest.mark.parametrize("num_neighbours", [0, 6])
def test_a_number_of_neighbours_that_cannot_be_is_named(num_neighbours: int) -> None:
    with pytest.raises(ValueError, match=f"num_neighbours is {num_neighbours}; it must be 1 to 5"):
        nearest_neighbours(torch.zeros(2, 3), torch.zeros(5, 3), num_neighbours)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e30])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    points, broken = random_points(20, 3, seed=16), random_points(20, 3, seed=17)
    broken[5, 1] = bad
    with pytest.raises(ValueError, match="Some queries are not finite"):
        nearest_neighbours(broken, points)
    with pytest.raises(ValueError, match="are not finite"):
        nearest_neighbours(points, broken)


def test_features_of_different_sizes_are_refused() -> None:
    # both sizes carry the same name in the annotation, so with checked shapes the annotation speaks first
    unchecked = nearest_neighbours
    while hasattr(unchecked, "__wrapped__"):
        unchecked = unchecked.__wrapped__
    with pytest.raises(ValueError, match="queries have 3 features and references 4"):
        unchecked(torch.zeros(2, 3), torch.zeros(5, 4))


def test_wilson_interval_has_its_known_values() -> None:
    # Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3
    for num_correct, num_total, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson_interval(num_correct, num_total) == pytest.approx((low, high), abs=5e-5)


@given(num_total=st.integers(1, 10**6), share=st.floats(0, 1), z=st.floats(0.01, 5))
def test_wilson_interval_solves_its_equation_holds_the_share_and_mirrors(
    num_total: int, share: float, z: float
) -> None:
    num_correct = round(share * num_total)
    p = num_correct / num_total
    low, high = wilson_interval(num_correct, num_total, z)
    assert 0 <= low <= p <= high <= 1
    for end in (low, high):  # |p - end| = z sqrt(end (1 - end) / n)
        assert (p - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / num_total, rel=1e-6, abs=1e-12)
    mirrored = wilson_interval(num_total - num_correct, num_total, z)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_interval_narrows_with_more_trials() -> None:
    widths = [high - low for low, high in (wilson_interval(97 * n, 100 * n) for n in (1, 10, 100))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(("num_correct", "num_total"), [(1, 0), (-1, 5), (6, 5)])
def test_wilson_interval_refuses_what_is_no_share(num_correct: int, num_total: int) -> None:
    with pytest.raises(ValueError, match=f"{num_correct} correct of {num_total}"):
        wilson_interval(num_correct, num_total)


def test_accuracy_is_given_in_percent() -> None:
    accuracy = Accuracy(9739, 10_000)
    assert accuracy.percent == pytest.approx(97.39)
    assert accuracy.interval == pytest.approx((97.06, 97.68), abs=0.01)
