"""Whether the protocol explains a checkpoint's accuracy: its weights under other references, distances, statistics.

python -m scripts.protocol_variants [CHECKPOINT] [DATA_DIR] [test | validation]

"validation" asks for the last 10,000 training images among the first 50,000, and so leaves the test set alone; a
checkpoint that was trained on all of them has seen both.
"""

import copy
import dataclasses
import sys
from pathlib import Path
from typing import cast, get_args

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

import bigan
from bigan.config import Split
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
    protocol = cast(Split, [*sys.argv[3:], "test"][0])
    if protocol not in get_args(Split):
        raise ValueError(f"The protocol is {protocol!r}; it must be one of {', '.join(get_args(Split))}.")
    model = bigan.load(name)
    training, held_out = load_protocol(model.config.dataset, protocol, data_dir)

    def measure(words: str, model: BiGAN, layer: str = "penultimate", *, unit: bool = False, few: bool = False) -> None:
        references = Dataset(name, training.images[:FEWER_REFERENCES], training.labels[:FEWER_REFERENCES], ())
        pool = references if few else training
        q, r = (_features(model, data, layer, unit) for data in (held_out, pool))
        print(f"{words:44s} {nearest_neighbour_accuracy(q, held_out.labels, r, pool.labels).percent:.2f} %", flush=True)

    measure("as in metrics.json" if protocol == "test" else "as it ships", model)
    if len(training) > FEWER_REFERENCES:
        measure(f"{FEWER_REFERENCES:,} references", model, few=True)
    measure("cosine distance", model, unit=True)
    measure("first hidden layer", model, "hidden1")
    for seed in SEEDS:
        other = copy.deepcopy(model)
        estimate_batch_norm(other, training.images, seed=seed)
        measure(f"batch-norm statistics of other batches, seed {seed}", other)
    if model.config.discriminator_sees == "image":
        measure("batch-norm statistics of real images alone", _judging_real_images(model, training))


def _judging_real_images(model: BiGAN, training: Dataset) -> BiGAN:
    """A GAN's D that has never met an image of its G when its statistics are averaged."""
    alone = BiGAN(dataclasses.replace(model.config, networks=("discriminator",)))
    alone.discriminator.load_state_dict(model.discriminator.state_dict())
    estimate_batch_norm(alone, training.images)
    return alone


def _features(model: BiGAN, data: Dataset, layer: str, unit: bool) -> Float[Tensor, "N F"]:
    features = encoder_features(model, data.images, layer)  # (N, F)
    return normalize(features) if unit else features


if __name__ == "__main__":
    main()
