"""Whether the protocol explains a checkpoint's NNC_e-: its weights under other references, distances, statistics.

python -m scripts.protocol_variants [CHECKPOINT] [DATA_DIR]
"""

import copy
import sys
from pathlib import Path

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

import bigan
from bigan.data import Dataset, load_protocol
from bigan.evaluation.features import encoder_features
from bigan.evaluation.nearest_neighbour import nearest_neighbour_accuracy
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm

FEWER_REFERENCES = 50_000  # the official code's pool, also with its --use_test_set
SEEDS = (1, 2)  # of other batches for the batch-norm statistics


def main() -> None:
    """Print one accuracy a line."""
    name, data_dir = [*sys.argv[1:], "mnist"][0], Path(sys.argv[2]) if len(sys.argv) > 2 else None
    model = bigan.load(name)
    training, held_out = load_protocol(model.config.dataset, "test", data_dir)

    def measure(words: str, model: BiGAN, layer: str = "penultimate", *, unit: bool = False, few: bool = False) -> None:
        references = Dataset(name, training.images[:FEWER_REFERENCES], training.labels[:FEWER_REFERENCES], ())
        pool = references if few else training
        q, r = (_features(model, data, layer, unit) for data in (held_out, pool))
        print(f"{words:44s} {nearest_neighbour_accuracy(q, held_out.labels, r, pool.labels).percent:.2f} %", flush=True)

    measure("NNC_e- as in metrics.json", model)
    measure(f"{FEWER_REFERENCES:,} references", model, few=True)
    measure("cosine distance", model, unit=True)
    measure("first hidden layer", model, "hidden1")
    for seed in SEEDS:
        other = copy.deepcopy(model)
        estimate_batch_norm(other, training.images, seed=seed)
        measure(f"batch-norm statistics of other batches, seed {seed}", other)


def _features(model: BiGAN, data: Dataset, layer: str, unit: bool) -> Float[Tensor, "N F"]:
    features = encoder_features(model, data.images, layer)  # (N, F)
    return normalize(features) if unit else features


if __name__ == "__main__":
    main()
