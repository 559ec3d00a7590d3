"""Exact nearest neighbours by blocked matrix products, and the 1-NN accuracies NNC_e and NNC_e-.

The search has two steps. The first computes |r|^2 - 2 q.r, which is |q - r|^2 less a constant of the query, as matrix
products of cache-sized blocks, and keeps only the least value of every GROUP_SIZE references. The second computes the
distances to those few groups that rounding errors leave in question directly, in float64. The bound on the rounding
errors is rigorous, so the neighbours are those of a brute-force search in float64.

The products are bfloat16 where that is quick, and float32 for the queries that this leaves with too many groups.

Shapes: Q queries, R references, F features, k neighbours, G groups of references, S references of a group.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from torch import Tensor

from bigan.machine import quick_product_dtype

GROUP_SIZE = 16  # S: larger groups make fewer minima to keep, but more distances to compute again
BLOCK_QUERIES = 1024  # rows of one matrix product: large enough for its full speed
BLOCK_REFERENCES = 2048  # columns of one matrix product: the product stays in cache until it is reduced
BLOCK_VALUES = 2**22  # most values of a block of references (16 MB)
MAX_MINIMA_BYTES = 80 * 2**20  # most memory of group minima; more queries are taken in turns
MAX_QUERY_VALUES = 2**25  # most values of the centred queries in memory (128 MB)
RERANK_QUERIES = 64  # queries whose candidates are settled together
RERANK_VALUES = 2**17  # most float64 differences in memory (1 MB: they stay in cache)
MIN_FEATURES = 128  # of a coarse product: with fewer, the products are not what takes the time
COARSE_SHARE = 1 / 64  # of all groups: settling more than this takes longer than a float32 product does
SQUARE_PIECES = 3  # columns for |r|^2: three bfloat16 numbers hold the 24 bits of a float32 one
COLUMN_MULTIPLE = 32  # of a product's inner size: aligned rows are read faster
FLOAT32_ROUNDOFF = 2.0**-24
FLOAT32_TINY = 2.0**-126  # the least normal number; matrix products may take less for 0
Z_95 = 1.959963984540054  # two-sided 95 % quantile of the standard normal distribution


@dataclass(frozen=True)
class Accuracy:
    """How many of a number of images were classified correctly."""

    num_correct: int
    num_total: int

    @property
    def percent(self) -> float:
        """The share of correct ones, in percent."""
        return 100 * self.num_correct / self.num_total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval, in percent."""
        low, high = wilson_interval(self.num_correct, self.num_total)
        return 100 * low, 100 * high


def wilson_interval(num_correct: int, num_total: int, z: float = Z_95) -> tuple[float, float]:
    """Confidence interval of a share, within [0, 1].

    Args:
        num_correct: successes.
        num_total: trials, at least 1.
        z: quantile of the standard normal distribution; the default gives 95 %.

    Raises:
        ValueError: the counts are not those of a share.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if not (num_total >= 1 and 0 <= num_correct <= num_total):
        raise ValueError(f"{num_correct} correct of {num_total}; it must be 0 to num_total correct of at least 1.")
    share = num_correct / num_total
    # (p + z^2 / 2n  +-  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
    centre = share + z**2 / (2 * num_total)
    half = z * math.sqrt(share * (1 - share) / num_total + z**2 / (4 * num_total**2))
    scale = 1 + z**2 / num_total
    # rounding must not push an end past the share itself where all or none are correct
    return max(0.0, min(share, (centre - half) / scale)), min(1.0, max(share, (centre + half) / scale))


def nearest_neighbour_accuracy(
    queries: Float[Tensor, "Q F"],
    query_labels: Int64[Tensor, " Q"],
    references: Float[Tensor, "R F"],
    reference_labels: Int64[Tensor, " R"],
) -> Accuracy:
    """How often a query's nearest reference carries its label (NNC, by the features given).

    Source: official code, lib/metrics.py (nnc_score).
    """
    _, indices = nearest_neighbours(queries, references)  # (Q, 1)
    predicted = reference_labels.to(indices.device)[indices[:, 0]]  # (Q,)
    return Accuracy(int((predicted == query_labels.to(indices.device)).sum()), len(queries))


@torch.no_grad()
def nearest_neighbours(
    queries: Float[Tensor, "Q F"], references: Float[Tensor, "R F"], num_neighbours: int = 1
) -> tuple[Float32[Tensor, "Q k"], Int64[Tensor, "Q k"]]:
    """Euclidean distances and indices of each query's nearest references, nearest first.

    Exact for float32 features, with ties to the lowest index; never holds the whole matrix of distances. Slow only
    where a great many references are exact ties.

    Args:
        queries: any number of them.
        references: at least num_neighbours of them.
        num_neighbours: k.

    Returns:
        Distances, float32, and indices into references, both of shape (Q, k).

    Raises:
        ValueError: sizes that do not fit, or values that are not finite.
    """
    num_features = queries.shape[1]
    if references.shape[1] != num_features or num_features == 0:
        raise ValueError(
            f"queries have {num_features} features and references {references.shape[1]}; both must have the same, "
            "1 or more."
        )
    if not 1 <= num_neighbours <= len(references):
        raise ValueError(f"num_neighbours is {num_neighbours}; it must be 1 to {len(references)}, the references.")
    queries, references = queries.float(), references.float()
    dtype = quick_product_dtype(queries.device) if num_features >= MIN_FEATURES else torch.float32
    distances, indices, settled = _search(queries, references, num_neighbours, dtype)
    if not settled.all():
        rest = ~settled
        distances[rest], indices[rest], _ = _search(queries[rest], references, num_neighbours, torch.float32)
    return distances, indices


def _search(
    queries: Float32[Tensor, "Q F"], references: Float32[Tensor, "R F"], num_neighbours: int, dtype: torch.dtype
) -> tuple[Float32[Tensor, "Q k"], Int64[Tensor, "Q k"], Bool[Tensor, " Q"]]:
    """Distances, indices, and which queries have them: with products in float32 all, else those with few candidates."""
    num_queries, num_features = queries.shape
    num_groups = math.ceil(len(references) / GROUP_SIZE)
    step = max(1, min(MAX_MINIMA_BYTES // (num_groups * dtype.itemsize), MAX_QUERY_VALUES // num_features))
    # distances do not change when both are centred, but rounding errors shrink
    centre = references.mean(0)  # (F,)
    distances = queries.new_empty(num_queries, num_neighbours)
    indices = torch.empty(num_queries, num_neighbours, dtype=torch.int64, device=queries.device)
    settled = torch.empty(num_queries, dtype=torch.bool, device=queries.device)
    for start in range(0, num_queries, step):
        part = slice(start, start + step)
        minima, margin = _bounds(queries[part], references, centre, dtype)
        settled[part] = _settle(queries[part], references, minima, margin, distances[part], indices[part])
    return distances, indices, settled


class _Margin:
    """How far a group's minimum may be from its true value, for a block of queries at a time.

    With rounded q~ and r~, and centring to the float32 q and r (roundoff u = 2^-24), to first order
        2 |q.r - q~.r~|  <=  2 (|q - q~| |r~| + |q| |r - r~|)     from rounding the factors, by their actual norms
        |error|          <=  (2 F + 16) u (|q| + |r|)^2           from sums (|r|^2 and the product) and centring
        |error|          <=  roundoff of the dtype * |minimum|    from rounding the minimum itself.
    A tenth more of the second covers higher orders and the rounding of the bound. What is less than FLOAT32_TINY may be
    lost wherever it occurs: in the squares of a norm, and in a product at most 4 F times, times 1, |q| or |r|.
    """

    def __init__(
        self,
        query_norms: Float32[Tensor, " Q"],
        query_errors: Float32[Tensor, " Q"],
        radii: Float32[Tensor, " G"],
        radius_errors: Float32[Tensor, " G"],
        num_features: int,
        dtype: torch.dtype,
    ) -> None:
        sums = 1.1 * (2 * num_features + 16) * FLOAT32_ROUNDOFF
        tiny = 4 * num_features * FLOAT32_TINY
        lost = math.sqrt(num_features * FLOAT32_TINY)
        query_norms, query_errors, radii, radius_errors = (
            norms + lost for norms in (query_norms, query_errors, radii, radius_errors)
        )
        factor = 2 * (1 + sums)
        self.roundoff = torch.finfo(dtype).eps / 2
        one, each = torch.ones_like(query_norms), torch.ones_like(radii)
        # the sum of all the bounds but the last is a product of four terms of the query and four of the group
        by_query = [query_errors, query_norms, query_norms * (sums * query_norms + tiny), one]
        by_group = [
            factor * (radii + radius_errors),
            factor * radius_errors + 2 * sums * radii,
            each,
            radii * (sums * radii + tiny) + tiny,
        ]
        self.by_query, self.by_group = torch.stack(by_query, 1), torch.stack(by_group)  # (Q, 4), (4, G)

    def of(self, rows: slice, minima: Float32[Tensor, "q G"]) -> Float32[Tensor, "q G"]:
        """The bound for these queries and every group."""
        return torch.addmm(minima.abs(), self.by_query[rows], self.by_group, beta=self.roundoff)


def _bounds(
    queries: Float32[Tensor, "Q F"],
    references: Float32[Tensor, "R F"],
    centre: Float32[Tensor, " F"],
    dtype: torch.dtype,
) -> tuple[Float[Tensor, "Q G"], _Margin]:
    """The least |r|^2 - 2 q.r of every group, computed in a dtype, and its margin of error."""
    num_queries, num_features = queries.shape
    num_groups = math.ceil(len(references) / GROUP_SIZE)
    num_columns = math.ceil((num_features + SQUARE_PIECES) / COLUMN_MULTIPLE) * COLUMN_MULTIPLE
    # rows (-2 q, 1, 1, 1, 0...) and (r, the pieces of |r|^2, 0...), so that one product does everything
    left = queries.new_zeros(num_queries, num_columns, dtype=dtype)
    query_norms, query_errors = _round_into(left[:, :num_features], queries - centre)  # (Q,)
    _check_finite("queries", query_norms)
    left[:, :num_features] *= -2
    left[:, num_features : num_features + SQUARE_PIECES] = 1

    step = max(1, min(BLOCK_REFERENCES, BLOCK_VALUES // num_columns) // GROUP_SIZE)  # groups of a block
    minima = queries.new_empty(num_queries, num_groups, dtype=dtype)
    radii, radius_errors = queries.new_empty(2, num_groups)
    right = left.new_zeros(min(step, num_groups) * GROUP_SIZE, num_columns)
    buffer = left.new_empty(min(BLOCK_QUERIES, num_queries) * len(right))
    for first in range(0, num_groups, step):
        block = references[first * GROUP_SIZE : (first + step) * GROUP_SIZE] - centre  # (B, F)
        size = math.ceil(len(block) / GROUP_SIZE)  # groups in this block, the last one filled up with its last member
        block = torch.cat([block, block[-1:].expand(size * GROUP_SIZE - len(block), -1)])  # (size S, F)
        # members of a group lie `size` columns apart: a minimum over the outer axis is the quick one
        block = block.view(size, GROUP_SIZE, num_features).transpose(0, 1)  # (S, size, F)
        columns = right[: size * GROUP_SIZE]
        norms, errors = _round_into(columns.view(GROUP_SIZE, size, -1)[..., :num_features], block)  # (S, size)
        columns[:, num_features : num_features + SQUARE_PIECES] = _pieces(norms.square().flatten(), dtype)
        groups = slice(first, first + size)
        radii[groups], radius_errors[groups] = norms.amax(0), errors.amax(0)
        for start in range(0, num_queries, BLOCK_QUERIES):
            rows = left[start : start + BLOCK_QUERIES]  # (q, columns)
            product = buffer[: len(rows) * len(columns)].view(len(rows), len(columns))  # (q, S size)
            torch.mm(rows, columns.T, out=product)
            least = minima[start : start + BLOCK_QUERIES, groups]  # (q, size)
            torch.amin(product.view(len(rows), GROUP_SIZE, size), 1, out=least)
    _check_finite("references", radii)
    return minima, _Margin(query_norms, query_errors, radii, radius_errors, num_features, dtype)


def _round_into(
    target: Float[Tensor, "*n F"], points: Float32[Tensor, "*n F"]
) -> tuple[Float32[Tensor, "*n"], Float32[Tensor, "*n"]]:
    """Write points into a target of some dtype; returns their norms and those of the rounding errors."""
    target.copy_(points)
    return torch.linalg.vector_norm(points, dim=-1), torch.linalg.vector_norm(points - target, dim=-1)


def _pieces(values: Float32[Tensor, " n"], dtype: torch.dtype) -> Float[Tensor, "n 3"]:
    """Numbers of a dtype that add up to each value."""
    pieces = values.new_empty(len(values), SQUARE_PIECES, dtype=dtype)
    for i in range(SQUARE_PIECES):
        pieces[:, i] = values
        values = values - pieces[:, i]  # exact
    return pieces


def _check_finite(name: str, norms: Float32[Tensor, " n"]) -> None:
    if not (2 * norms).square().isfinite().all():
        raise ValueError(f"Some {name} are not finite, or too large to square; every value must be finite.")


def _settle(
    queries: Float32[Tensor, "Q F"],
    references: Float32[Tensor, "R F"],
    minima: Float[Tensor, "Q G"],
    margin: _Margin,
    distances: Float32[Tensor, "Q k"],
    indices: Int64[Tensor, "Q k"],
) -> Bool[Tensor, " Q"]:
    """Fill in distances and indices from the groups that may hold a neighbour; returns for which queries.

    Minima coarser than float32 leave out those with very many such groups.
    """
    num_groups, num_neighbours = minima.shape[1], distances.shape[1]
    limit_groups = num_groups if minima.dtype == torch.float32 else num_neighbours + int(COARSE_SHARE * num_groups)
    settled = torch.ones(len(queries), dtype=torch.bool, device=queries.device)
    for start in range(0, len(queries), RERANK_QUERIES):
        rows = slice(start, start + RERANK_QUERIES)
        least = minima[rows].float()  # (q, G)
        error = margin.of(rows, least)  # (q, G)
        # k groups hold at least k references, so the k-th neighbour is no farther than the k-th of these (q, 1)
        if num_neighbours == 1:
            limit = (least + error).amin(1, keepdim=True)
        elif num_neighbours <= num_groups:
            limit = (least + error).kthvalue(num_neighbours, dim=1, keepdim=True).values
        else:
            limit = least.new_full((len(least), 1), math.inf)
        near = least.sub_(error) <= limit  # (q, G)
        settled[rows] = near.sum(1) <= limit_groups
        here = start + settled[rows].nonzero()[:, 0]  # (s,)
        owners, groups = near[here - start].nonzero(as_tuple=True)  # (p,), by query and then by group
        members = groups[:, None] * GROUP_SIZE + torch.arange(GROUP_SIZE, device=groups.device)  # (p, S)
        exact = _exact_distances(queries[here], references, owners, members).flatten()  # (p S,)
        # both sorts are stable, and members come in rising order: ties stay with the lowest index
        order = exact.argsort(stable=True)
        order = order[owners.repeat_interleave(GROUP_SIZE)[order].argsort(stable=True)]
        counts = torch.bincount(owners, minlength=len(here)) * GROUP_SIZE  # (s,)
        firsts = counts.cumsum(0) - counts  # (s,)
        chosen = order[firsts[:, None] + torch.arange(num_neighbours, device=order.device)]  # (s, k)
        distances[here] = exact[chosen].float()
        indices[here] = members.flatten()[chosen]
    return settled


def _exact_distances(
    queries: Float32[Tensor, "q F"],
    references: Float32[Tensor, "R F"],
    owners: Int64[Tensor, " p"],
    members: Int64[Tensor, "p S"],
) -> Float64[Tensor, "p S"]:
    """Distances of members from their owners, from their differences; infinite beyond the last reference."""
    step = max(1, RERANK_VALUES // (GROUP_SIZE * queries.shape[1]))
    exact = torch.empty(members.shape, dtype=torch.float64, device=members.device)
    for start in range(0, len(members), step):
        part = slice(start, start + step)
        points = references[members[part].clamp(max=len(references) - 1)].double()  # (p, S, F)
        points -= queries[owners[part], None].double()
        exact[part] = torch.linalg.vector_norm(points, dim=2)
    return exact.masked_fill_(members >= len(references), math.inf)
