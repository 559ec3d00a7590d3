"""Speed of the exact nearest-neighbour search against scikit-learn's brute force.

Shapes: Q queries, R references, F features.
"""

import multiprocessing
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bigan.benchmark import Row, at_least, take_turns
from bigan.evaluation import nearest_neighbour

NUM_REFERENCES, NUM_QUERIES, NUM_FEATURES, NUM_CLASSES, NUM_ROUNDS = 60_000, 10_000, 1024, 10, 3
CENTRE_SCALE = (
    0.1  # of the classes' centres; the noise has 1, so that the classes overlap and neighbours are close calls
)
BLOCK_QUERIES = 1000  # of the bare product, so that it needs no more memory than 240 MB
MIN_TIMES = 5.0
MAX_OVER_PRODUCT, MAX_MEGABYTES = 1.5, 1000.0  # of the bare product's time; beyond the references and the queries
TOLERANCE = 1e-5  # of a distance, relative: scikit-learn may take either of two that differ by float32 rounding


def nearest_neighbours(
    num_references: int = NUM_REFERENCES,
    num_queries: int = NUM_QUERIES,
    num_features: int = NUM_FEATURES,
    num_rounds: int = NUM_ROUNDS,
) -> Row:
    """Times as fast as scikit-learn, on ten overlapping clusters; holds only if both find neighbours equally near.

    Taking turns with them, the bare float32 product of that size shows what the processor can do; holds only if the
    search takes at most 1.5 times as long, and less than 1 GB.
    """
    from sklearn.neighbors import NearestNeighbors

    references, queries = _points(num_references, num_queries, num_features)
    product = torch.empty(BLOCK_QUERIES, num_references)
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(references.numpy())
    found: dict[str, tuple[Float[Tensor, "Q 1"], Int64[Tensor, "Q 1"]]] = {}

    def our_turn() -> None:
        found["ours"] = nearest_neighbour.nearest_neighbours(queries, references)

    def their_turn() -> None:
        distances, indices = search.kneighbors(queries.numpy())
        found["theirs"] = torch.from_numpy(distances), torch.from_numpy(indices)

    def bare_turn() -> None:
        for block in queries.split(BLOCK_QUERIES):
            torch.mm(block, references.T, out=product[: len(block)])

    our_seconds, their_seconds, bare_seconds = take_turns(num_rounds, our_turn, their_turn, bare_turn)
    ratio = statistics.median(b / a for a, b in zip(our_seconds, their_seconds, strict=True))
    over = statistics.median(a / b for a, b in zip(our_seconds, bare_seconds, strict=True))
    ours, theirs, bare = map(statistics.median, (our_seconds, their_seconds, bare_seconds))
    (distances, indices), (_, their_indices) = found["ours"], found["theirs"]
    nearest = _distances(queries, references[their_indices[:, 0]])  # (Q,)
    same = _equal(_distances(queries, references[indices[:, 0]]), nearest) and _equal(distances[:, 0], nearest)
    megabytes = search_megabytes(num_references, num_queries, num_features)
    note = (
        f"{ours:.2f} s against {theirs:.2f} s, {'same' if same else 'OTHER'} neighbours, {num_rounds} rounds; "
        f"{over:.2f} times the bare float32 product's {bare:.2f} s (<= {MAX_OVER_PRODUCT:g}), "
        f"{megabytes:.0f} MB beyond its input (<= {MAX_MEGABYTES:g})"
    )
    return at_least(
        "nearest-neighbours",
        ratio,
        "times",
        MIN_TIMES,
        note,
        also=same and over <= MAX_OVER_PRODUCT and megabytes <= MAX_MEGABYTES,
    )


def _points(
    num_references: int, num_queries: int, num_features: int
) -> tuple[Float[Tensor, "R F"], Float[Tensor, "Q F"]]:
    """References and queries, of ten overlapping clusters."""
    generator = torch.Generator().manual_seed(0)
    centres = CENTRE_SCALE * torch.randn(NUM_CLASSES, num_features, generator=generator)  # (10, F)
    points = []
    for count in (num_references, num_queries):
        labels = torch.randint(NUM_CLASSES, (count,), generator=generator)
        points.append(centres[labels] + torch.randn(count, num_features, generator=generator))
    references, queries = points
    return references, queries


def search_megabytes(num_references: int, num_queries: int, num_features: int) -> float:
    """Most memory of a first search beyond its input, in a process that keeps nothing of an earlier one."""
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        return fresh.apply(_first_search, (num_references, num_queries, num_features))


def _first_search(num_references: int, num_queries: int, num_features: int) -> float:
    references, queries = _points(num_references, num_queries, num_features)
    return peak_megabytes(lambda: nearest_neighbour.nearest_neighbours(queries, references))


def peak_megabytes(turn: Callable[[], object]) -> float:
    """Most memory in 10^6 bytes that a turn needs beyond what this process has (Linux: VmHWM)."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _kibibytes("VmRSS")
    turn()
    return max(0, _kibibytes("VmHWM") - before) * 1024 / 1e6


def _kibibytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _distances(a: Float[Tensor, "Q F"], b: Float[Tensor, "Q F"]) -> Float[Tensor, " Q"]:
    return torch.linalg.vector_norm(a.double() - b.double(), dim=1)


def _equal(a: Float[Tensor, " Q"], b: Float[Tensor, " Q"]) -> bool:
    return torch.allclose(a.double(), b.double(), rtol=TOLERANCE, atol=0)
