"""Training objectives, one a file, and the one that a config asks for."""

from bigan.config import TrainConfig
from bigan.objectives.autoencoder import AutoencoderObjective, l1_error, l2_error
from bigan.objectives.bigan import BiGANObjective, label_swapped_loss, minimax_loss
from bigan.objectives.gan import GANObjective
from bigan.objectives.latent_regressor import LatentRegressorAfterObjective, LatentRegressorObjective
from bigan.objectives.objective import Batch, Objective
from bigan.objectives.supervised import SupervisedObjective

__all__ = ["Batch", "Objective", "objective_of"]

JOINT_WEIGHT = 0.25  # of the regression loss in G's: official README (--encode_gen_weight)


def objective_of(train: TrainConfig) -> Objective:
    """The objective that a config names."""
    match train.objective:
        case "label-swapped":
            return BiGANObjective(label_swapped_loss, train.cycle_weight, train.blind_weight)
        case "minimax":
            return BiGANObjective(minimax_loss, train.cycle_weight, train.blind_weight)
        case "gan":
            return GANObjective()
        case "latent-regressor":
            return LatentRegressorObjective()
        case "joint-latent-regressor":
            return LatentRegressorObjective(JOINT_WEIGHT)
        case "latent-regressor-after":
            return LatentRegressorAfterObjective()
        case "autoencoder-l2":
            return AutoencoderObjective(l2_error)
        case "autoencoder-l1":
            return AutoencoderObjective(l1_error)
        case "supervised":
            return SupervisedObjective()
