"""Exact nearest neighbours by blocked matrix products, and the 1-NN accuracies NNC_e and NNC_e-.

The search has two steps. The first computes |r|^2 - 2 q.r, which is |q - r|^2 less a constant of the query, as float32
matrix products of cache-sized blocks, and keeps only the least value of every GROUP_SIZE references. The second
computes the distances to those few groups that rounding errors leave in question directly, in float64. The bound on
the rounding errors is rigorous, so the neighbours are those of a brute-force search in float64.

Shapes: Q queries, R references, F features, k neighbours, G groups of references, S references of a group.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor
from torch.nn.functional import pad

GROUP_SIZE = 16  # S: larger groups make fewer minima to keep, but more distances to compute again
BLOCK_QUERIES = 1024  # rows of one matrix product: large enough for its full speed
BLOCK_REFERENCES = 4096  # columns of one matrix product: the product (16 MB) stays in cache until it is reduced
BLOCK_VALUES = 2**22  # most values of a block of references (16 MB)
MAX_MINIMA = 2**26  # most group minima in memory (256 MB); more queries are taken in turns
MAX_QUERY_VALUES = 2**25  # most values of the centred queries in memory (128 MB)
RERANK_QUERIES = 64  # queries whose candidates are settled together
RERANK_VALUES = 2**21  # most float64 differences in memory (16 MB)
FLOAT32_ROUNDOFF = 2.0**-24
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
    num_queries, num_features = queries.shape
    if references.shape[1] != num_features or num_features == 0:
        raise ValueError(
            f"queries have {num_features} features and references {references.shape[1]}; both must have the same, "
            "1 or more."
        )
    if not 1 <= num_neighbours <= len(references):
        raise ValueError(f"num_neighbours is {num_neighbours}; it must be 1 to {len(references)}, the references.")
    queries, references = queries.float(), references.float()
    num_groups = math.ceil(len(references) / GROUP_SIZE)
    step = max(1, min(MAX_MINIMA // num_groups, MAX_QUERY_VALUES // num_features))
    # distances do not change when both are centred, but rounding errors shrink
    centre = references.mean(0)  # (F,)
    distances = queries.new_empty(num_queries, num_neighbours)
    indices = torch.empty(num_queries, num_neighbours, dtype=torch.int64, device=queries.device)
    for start in range(0, num_queries, step):
        part = slice(start, start + step)
        minima, margin = _bounds(queries[part], references, centre)
        _settle(queries[part], references, minima, margin, distances[part], indices[part])
    return distances, indices


class _Margin:
    """How far a group's minimum may be from its true value, for a block of queries at a time."""

    def __init__(self, query_norms: Float32[Tensor, " Q"], radii: Float32[Tensor, " G"], num_features: int) -> None:
        # |error| <= (F + 8) u (|q| + |r|)^2 to first order: F u for the sums of |r|^2 and q.r, the rest for centring
        # and adding. Twice that covers the higher orders and the rounding of the bound itself; tiny covers underflow.
        self.factor = 2 * (num_features + 8) * FLOAT32_ROUNDOFF
        self.tiny = 4 * num_features * torch.finfo(torch.float32).tiny
        self.query_norms = query_norms
        self.radii = radii

    def of(self, rows: slice) -> Float32[Tensor, "q G"]:
        """The bound for these queries and every group."""
        return (self.query_norms[rows, None] + self.radii).square_().mul_(self.factor).add_(self.tiny)


def _bounds(
    queries: Float32[Tensor, "Q F"], references: Float32[Tensor, "R F"], centre: Float32[Tensor, " F"]
) -> tuple[Float32[Tensor, "Q G"], _Margin]:
    """The least |r|^2 - 2 q.r of every group, in float32, and its margin of error."""
    queries = queries - centre  # (Q, F)
    num_queries, num_features = queries.shape
    num_groups = math.ceil(len(references) / GROUP_SIZE)
    step = max(1, min(BLOCK_REFERENCES, BLOCK_VALUES // num_features) // GROUP_SIZE)  # groups of a block
    minima = queries.new_empty(num_queries, num_groups)
    radii = queries.new_empty(num_groups)
    buffer = queries.new_empty(min(BLOCK_QUERIES, num_queries) * min(step, num_groups) * GROUP_SIZE)
    for first in range(0, num_groups, step):
        block = references[first * GROUP_SIZE : (first + step) * GROUP_SIZE] - centre  # (B, F)
        size = math.ceil(len(block) / GROUP_SIZE)  # groups in this block, the last one filled up
        squares = block.square().sum(1)  # (B,)
        filling = size * GROUP_SIZE - len(block)
        # members of a group lie `size` columns apart: a minimum over the outer axis is the quick one
        block = pad(block, (0, 0, 0, filling)).view(size, GROUP_SIZE, -1).transpose(0, 1).flatten(0, 1)  # (S size, F)
        addend = pad(squares, (0, filling), value=math.inf).view(size, GROUP_SIZE).T.flatten()  # (S size,)
        groups = slice(first, first + size)
        radii[groups] = pad(squares, (0, filling)).view(size, GROUP_SIZE).amax(1).sqrt()
        for start in range(0, num_queries, BLOCK_QUERIES):
            rows = queries[start : start + BLOCK_QUERIES]  # (q, F)
            product = buffer[: len(rows) * len(block)].view(len(rows), len(block))  # (q, S size)
            torch.addmm(addend, rows, block.T, alpha=-2, out=product)
            least = minima[start : start + BLOCK_QUERIES, groups]  # (q, size)
            torch.amin(product.view(len(rows), GROUP_SIZE, size), 1, out=least)
    query_norms = queries.square().sum(1).sqrt()  # (Q,)
    for name, norms in (("queries", query_norms), ("references", radii)):
        if not norms.isfinite().all():
            raise ValueError(f"Some {name} are not finite, or too large to square; every value must be finite.")
    return minima, _Margin(query_norms, radii, num_features)


def _settle(
    queries: Float32[Tensor, "Q F"],
    references: Float32[Tensor, "R F"],
    minima: Float32[Tensor, "Q G"],
    margin: _Margin,
    distances: Float32[Tensor, "Q k"],
    indices: Int64[Tensor, "Q k"],
) -> None:
    """Fill in distances and indices from the groups that may hold a neighbour."""
    num_neighbours = distances.shape[1]
    for start in range(0, len(queries), RERANK_QUERIES):
        rows = slice(start, start + RERANK_QUERIES)
        least, error = minima[rows], margin.of(rows)  # (q, G)
        # k groups hold at least k references, so the k-th neighbour is no farther than the k-th of these (q, 1)
        if num_neighbours == 1:
            limit = (least + error).amin(1, keepdim=True)
        elif num_neighbours <= least.shape[1]:
            limit = (least + error).kthvalue(num_neighbours, dim=1, keepdim=True).values
        else:
            limit = least.new_full((len(least), 1), math.inf)
        owners, groups = (least - error <= limit).nonzero(as_tuple=True)  # (p,), by query and then by group
        members = groups[:, None] * GROUP_SIZE + torch.arange(GROUP_SIZE, device=groups.device)  # (p, S)
        exact = _exact_distances(queries[rows], references, owners, members).flatten()  # (p S,)
        # both sorts are stable, and members come in rising order: ties stay with the lowest index
        order = exact.argsort(stable=True)
        order = order[owners.repeat_interleave(GROUP_SIZE)[order].argsort(stable=True)]
        counts = torch.bincount(owners, minlength=len(least)) * GROUP_SIZE  # (q,)
        firsts = counts.cumsum(0) - counts  # (q,)
        chosen = order[firsts[:, None] + torch.arange(num_neighbours, device=order.device)]  # (q, k)
        distances[rows] = exact[chosen].float()
        indices[rows] = members.flatten()[chosen]


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
