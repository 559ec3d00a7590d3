"""What a row of Table 1 compares, of references and queries, and each query's nearest reference.

Shapes: N training images or images among themselves, M held-out images, C H W image, F features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int32, Int64, UInt8
from torch import Tensor

from bigan.config import Recipe
from bigan.data import Dataset, scale
from bigan.evaluation.features import encoder_features
from bigan.evaluation.nearest_neighbour import nearest_neighbours
from bigan.evaluation.rows import NUM_COMPONENTS, Features
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm


@dataclass(frozen=True)
class Answers:
    """What 1-nearest neighbour says to every query."""

    neighbours: Int32[np.ndarray, " M"]
    """Index of the nearest reference."""
    predicted: UInt8[np.ndarray, " M"]
    """Its class."""


def answers(features: Features, model: BiGAN | None, training: Dataset, held_out: Dataset) -> Answers:
    """Each held-out image's nearest training image by these features, in Euclidean distance.

    Args:
        features: see `rows.Row`.
        model: in eval mode; only pixels and their principal components need none.
        training: the references.
        held_out: the queries.
    """
    queries, references = _represented(features, model, training.images, held_out.images)
    _, indices = nearest_neighbours(queries, references)  # (M, 1)
    return _answers(indices[:, 0], training)


def answers_within(features: Features, model: BiGAN | None, images: Dataset) -> Answers:
    """The same where every image is asked among all others: at least two of them."""
    points, _ = _represented(features, model, images.images, images.images)
    _, indices = nearest_neighbours(points, points, 2)  # (N, 2): itself is one of them, unless others are equal to it
    own = torch.arange(len(points), device=indices.device)
    return _answers(torch.where(indices[:, 0] == own, indices[:, 1], indices[:, 0]), images)


def _answers(nearest: Int64[Tensor, " M"], references: Dataset) -> Answers:
    nearest = nearest.cpu()
    return Answers(nearest.int().numpy(), references.labels[nearest].to(torch.uint8).numpy())


def untrained_model(recipe: Recipe, training_images: UInt8[Tensor, "N C H W"]) -> BiGAN:
    """The recipe's freshly drawn weights, ready for use as a trained model is."""
    model = BiGAN(recipe.model).initialise(recipe.train.seed)
    estimate_batch_norm(model, training_images)
    return model.requires_grad_(False)


def _represented(
    features: Features,
    model: BiGAN | None,
    training_images: UInt8[Tensor, "N C H W"],
    held_out_images: UInt8[Tensor, "M C H W"],
) -> tuple[Float[Tensor, "M F"], Float[Tensor, "N F"]]:
    if model is not None:
        return encoder_features(model, held_out_images, features), encoder_features(model, training_images, features)
    queries, references = scale(held_out_images).flatten(1), scale(training_images).flatten(1)
    return _principal(queries, references) if features == "principal" else (queries, references)


def _principal(
    queries: Float[Tensor, "M P"], references: Float[Tensor, "N P"]
) -> tuple[Float[Tensor, "M F"], Float[Tensor, "N F"]]:
    """Both projected onto the references' first principal components, not whitened."""
    from sklearn.decomposition import PCA

    pca = PCA(NUM_COMPONENTS, svd_solver="covariance_eigh").fit(references.numpy())  # exact, without a random start
    first, second = (torch.from_numpy(pca.transform(points.numpy())).float() for points in (queries, references))
    return first, second
