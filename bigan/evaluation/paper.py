"""What the paper and the authors' own training log report, to stand beside what is measured here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TABLE_1 = "Donahue et al. 2017, table 1"
OFFICIAL_LOG = "README of github.com/jeffdonahue/bigan, epoch 400 of its MNIST log"
OFFICIAL_LOG_UNTRAINED = "README of github.com/jeffdonahue/bigan, epoch 0 of its MNIST log"
# Its classifier learns at the networks' rate, which has decayed to 2e-6 by epoch 400 (79.48 %); ours learns at 2e-4.
OFFICIAL_LOG_BEFORE_DECAY = "README of github.com/jeffdonahue/bigan, epoch 200 of its MNIST log, at learning rate 2e-4"


@dataclass(frozen=True)
class Published:
    """A figure somebody else measured, with the protocol it was measured by."""

    value: float
    unit: str
    protocol: Literal["test", "validation"]
    """"test" is MNIST's test set, "validation" 10,000 images held out of the training set."""
    source: str


def _log(value: float, unit: str) -> Published:
    return Published(value, unit, "validation", OFFICIAL_LOG)


def _table(percent: float) -> Published:
    return Published(percent, "%", "test", TABLE_1)


TABLE_1_ACCURACY: Mapping[str, tuple[Published, ...]] = {
    "bigan": (_table(97.39), _log(97.35, "%")),
    "d": (_table(97.30),),
    "lr": (_table(97.44),),
    "lr-after": (_table(97.44),),  # the paper has one LR: its text trains it after the GAN, the official code beside it
    "jlr": (_table(97.13),),
    "ae-l2": (_table(97.58),),
    "ae-l1": (_table(97.63),),
    "untrained": (Published(96.84, "%", "validation", OFFICIAL_LOG_UNTRAINED),),
    "bigan-output": (_log(92.10, "%"),),
}
"""Row of the table (see `bigan.evaluation.rows`) -> what was published of its 1-nearest-neighbour accuracy."""

PUBLISHED: Mapping[str, Mapping[str, tuple[Published, ...]]] = {
    "bigan": {
        "NND/100": (_log(5.41, "pixel L2"),),
        "NND/10": (_log(4.66, "pixel L2"),),
        "NND": (_log(4.14, "pixel L2"),),
        "NNC_e": TABLE_1_ACCURACY["bigan-output"],
        "NNC_e-": TABLE_1_ACCURACY["bigan"],
        "CLS_e-": (Published(92.63, "%", "validation", OFFICIAL_LOG_BEFORE_DECAY),),
        "JD": (_log(0.0545, "nats"),),
        "EGr": (_log(5.95, "pixel L2"),),
        "EGr_b": (_log(9.60, "pixel L2"),),
        "EGr/EGr_b": (_log(5.95 / 9.60, "ratio"),),
        "EGg": (_log(5.20, "pixel L2"),),
        "EGg_b": (_log(9.15, "pixel L2"),),
        "EGg/EGg_b": (_log(5.20 / 9.15, "ratio"),),
    },
    "d": {"NNC_d": TABLE_1_ACCURACY["d"]},
    **{row: {"NNC_e-": TABLE_1_ACCURACY[row]} for row in ("lr", "jlr", "ae-l2", "ae-l1")},
}
"""Row of the table -> metric -> what was published of it on MNIST, the one data set there are figures for."""

MEANINGS: Mapping[str, str] = {
    "NND/100": "distance from a held-out image to the nearest of 1,000 samples; lower is better",
    "NND/10": "distance from a held-out image to the nearest of 10,000 samples; lower is better",
    "NND": "distance from a held-out image to the nearest of 100,000 samples; lower is better",
    "NNC_e": "1-nearest-neighbour accuracy in E's raw output; higher is better",
    "NNC_e-": "1-nearest-neighbour accuracy in E's last hidden layer; higher is better",
    "NNC_d": "1-nearest-neighbour accuracy in the last hidden layer of a GAN's D; higher is better",
    "CLS_e-": "accuracy of a linear classifier on E's last hidden layer; higher is better",
    "JD": "loss of D over both kinds of pair; ln 2 = 0.693 when D is undecided, 0 when it is always right",
    "EGr": "distance from an image x to G(E(x)); lower is better",
    "EGr_b": "distance from an image to the reconstruction of another one: what EGr is to be compared with",
    "EGr/EGr_b": "EGr relative to EGr_b; lower is better, 0 would be an exact inverse",
    "EGg": "distance from a sample G(z) to G(E(G(z))); lower is better",
    "EGg_b": "distance from a sample to the reconstruction of another one: what EGg is to be compared with",
    "EGg/EGg_b": "EGg relative to EGg_b; lower is better, 0 would be an exact inverse",
    "latent_round_trip": "distance from z to E(G(z)); lower is better",
    "latent_round_trip_b": "distance from another z to E(G(z)): what latent_round_trip is to be compared with",
    "prior_distance": "how far the marginals of E(x) are from the prior; 0 would be the prior itself",
}
"""Metric -> what it measures, in words."""


def published(dataset: str, row: str | None, metric: str, protocol: str = "test") -> Published | None:
    """What was published for a metric: by this protocol where there is such a figure, else by the other one.

    Args:
        dataset: the data it was measured on.
        row: of Table 1 (`Kind.row`); None for a model that the table does not have.
        metric: as in MEANINGS.
        protocol: "test" or "validation".
    """
    figures = PUBLISHED.get(row or "", {}).get(metric, ()) if dataset == "mnist" else ()
    return next((figure for figure in figures if figure.protocol == protocol), figures[0] if figures else None)
