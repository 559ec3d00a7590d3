"""Speed of the exact nearest-neighbour search against scikit-learn's brute force.

Shapes: Q queries, R references, F features.
"""

import time

import torch

from bigan.benchmark import Row, at_least
from bigan.evaluation import nearest_neighbour

NUM_REFERENCES, NUM_QUERIES, NUM_FEATURES, NUM_CLASSES = 60_000, 10_000, 1024, 10
MIN_TIMES = 5.0


def nearest_neighbours(
    num_references: int = NUM_REFERENCES, num_queries: int = NUM_QUERIES, num_features: int = NUM_FEATURES
) -> Row:
    """Times as fast as scikit-learn, on ten noisy clusters; holds only if both find the same labels."""
    from sklearn.neighbors import NearestNeighbors

    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(NUM_CLASSES, num_features, generator=generator)  # (10, F)
    labels = torch.randint(NUM_CLASSES, (num_references,), generator=generator)  # (R,)
    references = centres[labels] + torch.randn(num_references, num_features, generator=generator)  # (R, F)
    kinds = torch.randint(NUM_CLASSES, (num_queries,), generator=generator)
    queries = centres[kinds] + torch.randn(num_queries, num_features, generator=generator)  # (Q, F)

    nearest_neighbour.nearest_neighbours(queries[:256], references[:4096])  # start threads, load kernels
    started = time.perf_counter()
    _, indices = nearest_neighbour.nearest_neighbours(queries, references)  # (Q, 1)
    our_seconds = time.perf_counter() - started
    search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(references.numpy())
    started = time.perf_counter()
    _, theirs = search.kneighbors(queries.numpy())  # (Q, 1)
    their_seconds = time.perf_counter() - started

    same = bool((labels[indices[:, 0]] == labels[torch.from_numpy(theirs)[:, 0]]).all())
    note = f"{our_seconds:.2f} s against {their_seconds:.2f} s, {'same labels' if same else 'OTHER LABELS'}"
    return at_least("nearest-neighbours", their_seconds / our_seconds, "times", MIN_TIMES, note, also=same)
