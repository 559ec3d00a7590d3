"""The rows of the paper's Table 1 and those beside it: which features of which model are compared.

Nothing here imports torch: the command line and the pages name rows before anything is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

RowName = Literal[
    "bigan", "d", "lr", "jlr", "ae-l2", "ae-l1",
    "pixels", "pca-50", "untrained", "bigan-output", "lr-after", "supervised", "best",
]  # fmt: skip
Features = Literal["pixels", "principal", "penultimate", "output"]

REFERENCE: RowName = "bigan"  # what every other row is compared with
NUM_COMPONENTS = 50  # of PCA: as many as z has


@dataclass(frozen=True)
class Row:
    """What is compared in one row, all by 1-nearest neighbour in Euclidean distance."""

    title: str
    what: str
    """The features, in words."""
    features: Features
    """"pixels" themselves, their "principal" components, or a layer of a model's (see `BiGAN.features`)."""
    recipe: str | None = None
    """Of the model, where there is one."""
    is_trained: bool = True
    """False for the recipe's freshly drawn weights."""


ROWS: Mapping[RowName, Row] = {
    "bigan": Row("BiGAN", "E's last hidden layer", "penultimate", "mnist"),
    "d": Row("D", "last hidden layer of a GAN's discriminator", "penultimate", "mnist-gan"),
    "lr": Row("LR", "E's last hidden layer, trained beside a GAN", "penultimate", "mnist-lr"),
    "jlr": Row("JLR", "E's last hidden layer, trained jointly with a GAN", "penultimate", "mnist-jlr"),
    "ae-l2": Row("AE (l2)", "last hidden layer of the encoder", "penultimate", "mnist-ae-l2"),
    "ae-l1": Row("AE (l1)", "last hidden layer of the encoder", "penultimate", "mnist-ae-l1"),
    "pixels": Row("Raw pixels", "784 pixels", "pixels"),
    "pca-50": Row("PCA", f"{NUM_COMPONENTS} principal components of the pixels", "principal"),
    "untrained": Row("Untrained E", "last hidden layer of a random E", "penultimate", "mnist", False),
    "bigan-output": Row("BiGAN (output)", "E's raw output, 50 numbers (NNC_e)", "output", "mnist"),
    "lr-after": Row("LR (after)", "E's last hidden layer, trained after D's GAN", "penultimate", "mnist-lr-after"),
    "supervised": Row("With labels", "last hidden layer of E, trained with labels", "penultimate", "mnist-supervised"),
    "best": Row("Extended BiGAN", "E's last hidden layer, with terms beyond the paper", "penultimate", "mnist-best"),
}
"""The paper's six rows, and then those beside them."""
