"""Toys that tests of training share: a small model, fifty images, and the paper's networks written out in float64."""

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bigan.config import RECIPES, ModelConfig, Recipe, TrainConfig
from bigan.data import Dataset
from bigan.objectives import Batch
from bigan.training import TrainingState, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Weights = dict[str, Tensor]

MODEL = ModelConfig(image_shape=(1, 5, 4), latent_dim=3, hidden_dim=8)
# Rates, penalty and epsilon large enough for float32 to show every one of them.
TRAIN = TrainConfig(
    epochs=2, decay_epochs=2, batch_size=16, learning_rate=0.01, weight_decay=0.1, adam_eps=1e-4, precision="fp32"
)


def toy_data() -> Dataset:
    """Fifty images that all differ from each other, of three classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (50, *MODEL.image_shape), generator=generator, dtype=torch.uint8)
    return Dataset("toy", images, torch.arange(50) % 3, ("a", "b", "c"))


def toy_recipe(name: str) -> Recipe:
    """A recipe of ours with networks and training of this size."""
    recipe = RECIPES[name]
    sizes = {"image_shape": MODEL.image_shape, "latent_dim": MODEL.latent_dim, "hidden_dim": MODEL.hidden_dim}
    terms = {name: getattr(recipe.train, name) for name in ("objective", "cycle_weight", "blind_weight")}
    return Recipe(replace(recipe.model, **sizes), replace(TRAIN, **terms))


def toy_batch(num_images: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(5)
    x = torch.rand(num_images, *MODEL.image_shape, generator=generator)
    z = torch.rand(num_images, MODEL.latent_dim, generator=generator) * 2 - 1
    return Batch(x, z, torch.arange(num_images) % 3)


def double(batch: Batch) -> tuple[Tensor, Tensor]:
    """Images and latents for a naive reference."""
    return batch.x.double(), batch.z.double()


def lively(state: TrainingState) -> TrainingState:
    """Weights of a size at which every network has gradients: a fresh D is zero at its output and passes none on."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in state.model.parameters():
            weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
    return state


def snapshot(model: nn.Module) -> Weights:
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def after_one_step(recipe: Recipe, data: Dataset, fabric: "Fabric") -> Weights:
    """The weights after the first step of a lively model."""
    state = lively(TrainingState(recipe))
    next(train_epoch(state, data, fabric))
    return snapshot(state.model)


def float64(model: nn.Module) -> Weights:
    """Weights for a naive reference."""
    return {name: weight.double() for name, weight in snapshot(model).items()}


def moved(before: Weights, after: Weights) -> tuple[set[str], set[str]]:
    """The networks of which every weight matrix changed, and those of which no bit did."""
    networks = {name.split(".")[0] for name in before}
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    every = {n for n in networks if all(name in changed for name in before if name.startswith(n))}
    return every, {n for n in networks if not any(name.startswith(n) for name in changed)}


# The paper's networks: batch norm by the batch, no biases


def naive_norm(a: Tensor) -> Tensor:
    return (a - a.mean(0)) / torch.sqrt(((a - a.mean(0)) ** 2).mean(0) + 1e-8)


def naive_leaky(a: Tensor) -> Tensor:
    return torch.where(a > 0, a, 0.2 * a)


def naive_output(w: Weights, x: Tensor) -> Tensor:
    """The encoder's raw output."""
    h = naive_leaky(x.flatten(1) @ w["encoder.hidden.0.linear.weight"].T)
    h = naive_leaky(naive_norm(h @ w["encoder.hidden.1.linear.weight"].T))
    return h @ w["encoder.output.weight"].T


def naive_encoder(w: Weights, x: Tensor) -> Tensor:
    return 2 / (1 + torch.exp(-naive_output(w, x))) - 1


def naive_generator(w: Weights, z: Tensor) -> Tensor:
    h = naive_norm(z @ w["generator.hidden.0.linear.weight"].T).clamp(min=0)
    a = h @ w["generator.hidden.1.linear.weight"].T + z @ w["generator.hidden.1.inject.weight"].T
    h = naive_norm(a).clamp(min=0)
    return 1 / (1 + torch.exp(-h @ w["generator.output.weight"].T))


def naive_discriminator(w: Weights, x: Tensor, z: Tensor | None = None) -> Tensor:
    """The probability of an encoder pair, or of a real image."""
    h = naive_leaky(x.flatten(1) @ w["discriminator.hidden.0.linear.weight"].T)
    a = h @ w["discriminator.hidden.1.linear.weight"].T
    if z is not None:
        a = a + z @ w["discriminator.hidden.1.inject.weight"].T
    return 1 / (1 + torch.exp(-naive_leaky(naive_norm(a)) @ w["discriminator.output.weight"].T))[:, 0]
