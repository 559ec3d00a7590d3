"""How much re-estimating batch-norm statistics matters: the measurement behind `bigan.models.statistics`.

Trains a checkpoint's weights on for 500 steps at the recipe's first learning rate while a moving average (momentum
0.1, PyTorch's default) follows each batch-norm layer, then measures the same weights three times: with the moving
averages, and with statistics averaged over 100 and 1,000 training batches.

    python -m scripts.batch_norm_statistics [CHECKPOINT] [DATA_DIR]
"""

import dataclasses
import sys
from itertools import islice
from pathlib import Path

from torch import nn

import bigan
from bigan.config import Recipe, TrainConfig
from bigan.data import load_protocol
from bigan.evaluation.report import quick_metrics
from bigan.models.statistics import estimate_batch_norm
from bigan.training import TrainingState, launch, train

NUM_STEPS = 500
MOMENTUM = 0.1


def main() -> None:
    """Print the three measurements."""
    name, data_dir = [*sys.argv[1:], "mnist"][0], Path(sys.argv[2]) if len(sys.argv) > 2 else None
    weights = bigan.load(name)
    training, held_out = load_protocol(weights.config.dataset, "test", data_dir)
    config = dataclasses.replace(TrainConfig(), precision="fp32")
    state = TrainingState(Recipe(weights.config, config))
    state.model.load_state_dict(weights.state_dict())
    norms = [layer for layer in state.model.modules() if isinstance(layer, nn.BatchNorm1d)]
    for norm in norms:
        norm.momentum = MOMENTUM
    list(islice(train(state, training, launch(config, devices=1, accelerator="cpu")), NUM_STEPS))
    state.model.eval()

    def measure(words: str) -> None:
        found = quick_metrics(state.model, training.images, training.labels, held_out.images, held_out.labels)
        figures = (
            f"EGr {found['EGr']:.3f}  EGr/EGr_b {found['EGr'] / found['EGr_b']:.4f}  NNC_e- {found['NNC_e-']:.2f} %"
        )
        print(f"{words:32s} {figures}", flush=True)

    measure(f"moving average, momentum {MOMENTUM}")
    for norm in norms:
        norm.momentum = None
    for num_batches in (100, 1000):
        estimate_batch_norm(state.model, training.images, num_batches)
        measure(f"averaged over {num_batches} batches")


if __name__ == "__main__":
    main()
