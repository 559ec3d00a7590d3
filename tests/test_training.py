"""The steps and schedules against naive re-implementations, the order of the data, precision, and what stops a run."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from toys import (
    MODEL,
    TRAIN,
    Weights,
    lively,
    moved,
    naive_discriminator,
    naive_encoder,
    naive_generator,
    snapshot,
)

from bigan.config import RECIPES, Recipe, TrainConfig
from bigan.data import Dataset
from bigan.models.bigan import BiGAN
from bigan.models.mlp import Discriminator, Encoder, Generator
from bigan.training import DivergedError, StepMetrics, TrainingState, launch, train, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

ALTERNATING = replace(TRAIN, schedule="alternating", discriminator_steps=2)


class Recorder:
    """The batches that go through a model, and its weights at each pass through E."""

    def __init__(self, model: BiGAN) -> None:
        self.model = model
        self.xs: list[Tensor] = []
        self.zs: list[Tensor] = []
        self.weights: list[Weights] = []
        model.encoder.hidden[0].register_forward_pre_hook(self._see_image)
        model.generator.register_forward_pre_hook(lambda _, inputs: self.zs.append(inputs[0].clone()))

    def _see_image(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.xs.append(inputs[0].clone().unflatten(1, self.model.config.image_shape))
        self.weights.append(snapshot(self.model))

    def indices(self, images: Tensor) -> list[list[int]]:
        """Which training images each batch held."""
        known = {image.numpy().tobytes(): index for index, image in enumerate(images)}
        batches = [(x * 255).round().to(torch.uint8) for x in self.xs]
        return [[known[image.numpy().tobytes()] for image in batch] for batch in batches]


# --- The naive reference: float64, the paper's formulas written out, Adam by hand. ---


def naive_losses(w: Weights, x: Tensor, z: Tensor, objective: str) -> tuple[Tensor, Tensor]:
    """The loss of D, and that of G and E."""
    real = naive_discriminator(w, x, naive_encoder(w, x))
    fake = naive_discriminator(w, naive_generator(w, z), z)
    value = torch.log(real).mean() + torch.log(1 - fake).mean()  # V of equation 3
    swapped = torch.log(1 - real).mean() + torch.log(fake).mean()
    return -value / 2, value / 2 if objective == "minimax" else -swapped / 2


class NaiveTraining:
    """Plain descent of both losses, each by its own forward pass and backward pass."""

    def __init__(self, weights: Weights, config: TrainConfig) -> None:
        self.weights = {name: weight.double() for name, weight in weights.items()}
        self.config = config
        self.moments = {name: (torch.zeros_like(w), torch.zeros_like(w)) for name, w in self.weights.items()}
        self.num_updates = dict.fromkeys(self.weights, 0)

    def loss_and_gradients(self, which: int, x: Tensor, z: Tensor) -> tuple[float, Weights]:
        """Loss 0 is D's, loss 1 that of G and E; the gradients are of those networks' weights only."""
        own = {name: name.startswith("discriminator") == (which == 0) for name in self.weights}
        leaves = {name: weight.clone().requires_grad_(own[name]) for name, weight in self.weights.items()}
        loss = naive_losses(leaves, x.double(), z.double(), self.config.objective)[which]
        loss.backward()
        return loss.item(), {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}

    def descend(self, gradients: Weights, learning_rate: float) -> None:
        """Adam (Kingma and Ba 2015, algorithm 1) on the gradient plus the L2 penalty's."""
        (b1, b2), eps = self.config.adam_betas, self.config.adam_eps
        for name, gradient in gradients.items():
            weight, (m, v) = self.weights[name], self.moments[name]
            g = gradient + self.config.weight_decay * weight
            self.num_updates[name] = t = self.num_updates[name] + 1
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
            self.moments[name] = m, v
            m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
            self.weights[name] = weight - learning_rate * m_hat / (torch.sqrt(v_hat) + eps)

    def step(self, batches: Iterator[tuple[Tensor, Tensor]], learning_rate: float) -> tuple[float, float]:
        if self.config.schedule == "simultaneous":
            x, z = next(batches)
            d_loss, d_gradients = self.loss_and_gradients(0, x, z)
            ge_loss, ge_gradients = self.loss_and_gradients(1, x, z)  # D is still the old one
            self.descend(d_gradients | ge_gradients, learning_rate)
            return d_loss, ge_loss
        for _ in range(self.config.discriminator_steps):
            d_loss, gradients = self.loss_and_gradients(0, *next(batches))
            self.descend(gradients, learning_rate)
        ge_loss, gradients = self.loss_and_gradients(1, *next(batches))
        self.descend(gradients, learning_rate)
        return d_loss, ge_loss


@pytest.mark.parametrize("objective", ["label-swapped", "minimax"])
@pytest.mark.parametrize("config", [TRAIN, ALTERNATING], ids=["simultaneous", "alternating"])
def test_training_equals_a_naive_float64_training(
    config: TrainConfig, objective: Any, data: Dataset, fabric: "Fabric"
) -> None:
    config = replace(config, objective=objective)
    state = lively(TrainingState(Recipe(MODEL, config)))
    naive, recorder = NaiveTraining(snapshot(state.model), config), Recorder(state.model)
    metrics = list(train(state, data, fabric, num_epochs=3))
    batches = zip(recorder.xs, recorder.zs, strict=True)
    losses = [naive.step(batches, config.learning_rate_at(step.epoch - 1)) for step in metrics]
    assert next(batches, None) is None, "every batch was used, each once"
    assert {step.epoch for step in metrics} == {1, 2, 3}
    found = [(step.losses["JD"], step.losses["EG"]) for step in metrics]
    np.testing.assert_allclose(found, losses, rtol=1e-4)
    for name, weight in state.model.named_parameters():
        np.testing.assert_allclose(weight.detach().numpy(), naive.weights[name].numpy(), atol=2e-5, err_msg=name)


def test_a_simultaneous_step_takes_one_batch_and_moves_all_three_networks(data: Dataset, fabric: "Fabric") -> None:
    state = lively(TrainingState(Recipe(MODEL, TRAIN)))
    before, recorder = snapshot(state.model), Recorder(state.model)
    next(train_epoch(state, data, fabric))
    assert len(recorder.xs) == len(recorder.zs) == 1
    assert moved(before, snapshot(state.model)) == ({"discriminator", "generator", "encoder"}, set())


@pytest.mark.parametrize("discriminator_steps", [1, 3])
def test_alternating_moves_only_the_discriminator_and_then_only_the_others_each_on_a_fresh_batch(
    discriminator_steps: int, data: Dataset, fabric: "Fabric"
) -> None:
    config = replace(ALTERNATING, discriminator_steps=discriminator_steps, batch_size=8)
    state = lively(TrainingState(Recipe(MODEL, config)))
    recorder = Recorder(state.model)
    next(train_epoch(state, data, fabric))
    seen = [*recorder.weights, snapshot(state.model)]  # before each update, and after the last
    updates = [moved(before, after) for before, after in pairwise(seen)]
    assert updates[:-1] == [({"discriminator"}, {"generator", "encoder"})] * discriminator_steps
    assert updates[-1] == ({"generator", "encoder"}, {"discriminator"})
    drawn = [index for batch in recorder.indices(data.images) for index in batch]
    assert len(set(drawn)) == len(drawn) == 8 * (discriminator_steps + 1)
    assert len(torch.cat(recorder.zs).unique(dim=0)) == 8 * (discriminator_steps + 1)


def test_the_weight_decay_is_coupled(data: Dataset, fabric: "Fabric") -> None:
    # A fresh D is undecided and its output layer zero, so the gradients of G and E are exactly zero: what is left in
    # Adam's gradient is the penalty, and Adam's first step along it is the learning rate in every weight.
    state = TrainingState(Recipe(MODEL, replace(TRAIN, weight_decay=1.0, adam_eps=1e-8)))
    before = snapshot(state.model)
    next(train_epoch(state, data, fabric))
    for name, weight in state.model.named_parameters():
        if not name.startswith("discriminator"):
            large = before[name].abs() > 1e-4
            step = (before[name] - weight.detach())[large]
            torch.testing.assert_close(step, TRAIN.learning_rate * before[name][large].sign(), rtol=1e-3, atol=0.0)


def test_the_learning_rate_of_each_epoch_is_the_schedules(data: Dataset, fabric: "Fabric") -> None:
    state = TrainingState(Recipe(MODEL, TRAIN))
    for epoch in range(TRAIN.total_epochs):
        rates = {step.learning_rate for step in train_epoch(state, data, fabric)}
        groups = [group for adam in state.adams.values() for group in adam.param_groups]
        assert rates == {group["lr"] for group in groups} == {TRAIN.learning_rate_at(epoch)}
    assert TRAIN.learning_rate_at(3) == pytest.approx(0.01 * TRAIN.learning_rate), "the decay was part of this"


def test_training_ends_after_all_epochs_and_every_step_is_told(data: Dataset, fabric: "Fabric") -> None:
    state = TrainingState(Recipe(MODEL, TRAIN))
    first = list(train(state, data, fabric, num_epochs=1))
    assert state.epoch == 1
    rest = list(train(state, data, fabric))
    assert state.epoch == 4 and list(train(state, data, fabric)) == []
    assert [(step.epoch, step.step) for step in first + rest] == [(e, s) for e in (1, 2, 3, 4) for s in (1, 2, 3, 4)]
    assert {(step.num_steps, step.num_images) for step in first + rest} == {(4, 16)}  # 50 images, 16 a batch
    assert first[0].losses["JD"] == pytest.approx(math.log(2)), "a fresh D is undecided"


def test_alternating_epochs_use_as_many_images(data: Dataset, fabric: "Fabric") -> None:
    steps = list(train_epoch(TrainingState(Recipe(MODEL, ALTERNATING)), data, fabric))
    assert {(step.num_steps, step.num_images) for step in steps} == {(2, 48)} and len(steps) == 2


# --- Data ---


def batches_of_epoch(seed: int, epoch: int, data: Dataset, fabric: "Fabric") -> tuple[list[int], Tensor]:
    """Indices and latents of one epoch, by a state that never trained before."""
    state = TrainingState(Recipe(MODEL, replace(TRAIN, seed=seed)))
    state.epoch = epoch
    recorder = Recorder(state.model)
    list(train_epoch(state, data, fabric))
    return [index for batch in recorder.indices(data.images) for index in batch], torch.cat(recorder.zs)


def test_every_image_comes_once_an_epoch_and_the_last_batch_is_filled_from_the_start(
    data: Dataset, fabric: "Fabric"
) -> None:
    order, z = batches_of_epoch(0, 0, data, fabric)
    assert len(order) == len(z) == 64
    assert sorted(order[:50]) == list(range(50)) and order[50:] == order[:14]
    assert len(z.unique(dim=0)) == 64 and z.abs().max() <= 1
    assert order[:50] != sorted(order[:50])


def test_more_in_a_batch_than_images_wraps_around(data: Dataset, fabric: "Fabric") -> None:
    order, _ = batches_of_epoch(0, 0, data.subset(torch.arange(50) < 7), fabric)
    assert len(order) == 16 and order[7:14] == order[:7] and order[14:] == order[:2]


def test_order_and_latents_depend_on_seed_and_epoch_alone(data: Dataset, fabric: "Fabric") -> None:
    state = TrainingState(Recipe(MODEL, replace(TRAIN, seed=3)))
    recorder = Recorder(state.model)
    list(train(state, data, fabric, num_epochs=3))
    third_order = [index for batch in recorder.indices(data.images)[8:] for index in batch]
    third_z = torch.cat(recorder.zs[8:])
    order, z = batches_of_epoch(3, 2, data, fabric)
    assert order == third_order and torch.equal(z, third_z)
    for seed, epoch in [(3, 0), (3, 1), (4, 2)]:
        other_order, other_z = batches_of_epoch(seed, epoch, data, fabric)
        assert other_order != order and not torch.equal(other_z, z)


def test_the_same_seed_gives_the_same_weights_and_the_global_generators_are_left_alone(
    data: Dataset, fabric: "Fabric"
) -> None:
    ends = []
    for _ in range(2):
        before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
        state = TrainingState(Recipe(MODEL, TRAIN))
        list(train(state, data, fabric))
        after = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
        assert torch.equal(before[0], after[0]) and before[1] == after[1]
        ends.append(state.tensors())
        torch.rand(3)  # what others draw is of no consequence
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


@pytest.mark.parametrize("config", [TRAIN, ALTERNATING], ids=["simultaneous", "alternating"])
def test_a_state_continues_from_its_tensors_bit_for_bit(config: TrainConfig, data: Dataset, fabric: "Fabric") -> None:
    whole = TrainingState(Recipe(MODEL, config))
    list(train(whole, data, fabric, num_epochs=1))
    kept = {name: tensor.clone() for name, tensor in whole.tensors().items()}
    continued = TrainingState(Recipe(MODEL, replace(config)))
    continued.restore(kept, epoch=1)
    for state in (whole, continued):
        list(train(state, data, fabric))
    assert continued.tensors().keys() == whole.tensors().keys()
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, continued.tensors()[name]), name


# --- Precision ---


class MatrixProducts(TorchDispatchMode):
    """The dtypes that matrix products are computed in, forwards and backwards."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtypes: list[torch.dtype] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Note the dtype of a product's factors, and let it happen."""
        if function.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm):
            self.dtypes.append(args[-1].dtype)
        return function(*args, **kwargs or {})


def dtype_hook(seen: set[tuple[torch.dtype, torch.dtype]]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    return lambda _, inputs, output: seen.add((inputs[0].dtype, output.dtype))


@pytest.mark.parametrize(("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_only_matrix_products_are_in_bfloat16(precision: Any, dtype: torch.dtype, data: Dataset) -> None:
    config = replace(TRAIN, precision=precision)
    state = lively(TrainingState(Recipe(MODEL, config)))
    seen: set[tuple[torch.dtype, torch.dtype]] = set()
    for module in state.model.modules():
        if isinstance(module, nn.BatchNorm1d | Encoder | Generator | Discriminator):
            module.register_forward_hook(dtype_hook(seen))
    with MatrixProducts() as products:
        next(train_epoch(state, data, launch(config, devices=1, accelerator="cpu")))
    assert seen == {(torch.float32, torch.float32)}
    assert set(products.dtypes) == {dtype}
    assert len(products.dtypes) > 14, "forwards 3 matrices of E, 4 of G, 2 x 4 of D, and backwards"
    assert {tensor.dtype for tensor in state.tensors().values()} == {torch.float32}


def strokes(num_images: int, seed: int) -> Tensor:
    """Digit-like pictures: ten strokes of one class each, moved a little, black ground and white ink."""
    generator = np.random.default_rng(seed)
    turns = np.random.default_rng(0).normal(0, 1.2, (10, 12)).cumsum(1)  # the ten paths are the same for all seeds
    paths = np.stack([np.cos(turns), np.sin(turns)], 2).cumsum(1)  # (10, 12, 2)
    paths = (paths - paths.mean(1, keepdims=True)) / np.abs(paths).max((1, 2), keepdims=True) * 8 + 13.5
    chosen = paths[generator.integers(10, size=num_images)] + generator.normal(0, 1, (num_images, 1, 2))
    grid = np.mgrid[0:28, 0:28].transpose(1, 2, 0)  # (28, 28, 2)
    squares = ((chosen[:, :, None, None] - grid) ** 2).sum(-1).min(1)  # (N, 28, 28), to the nearest point of the path
    ink = np.clip(2 - np.sqrt(squares) / 1.5, 0, 1) * 255
    return torch.from_numpy(ink.round().astype(np.uint8)).unsqueeze(1)  # (N, 1, 28, 28)


def test_a_bfloat16_training_stays_with_the_float32_training() -> None:
    model, ends = replace(RECIPES["tiny"].model, hidden_dim=128), []
    data = Dataset("strokes", strokes(2000, seed=0), torch.zeros(2000, dtype=torch.int64), ("stroke",))
    for precision in ("bf16", "fp32"):
        config = replace(RECIPES["tiny"].train, epochs=10, decay_epochs=0, learning_rate=1e-3)
        config = replace(config, precision=precision)
        state = TrainingState(Recipe(model, config))
        steps = list(train(state, data, launch(config, devices=1, accelerator="cpu")))
        losses = np.array([(step.losses["JD"], step.losses["EG"]) for step in steps])
        ends.append(losses.reshape(10, 20, 2).mean(1))  # (epochs, 2)
    np.testing.assert_allclose(ends[0], ends[1], rtol=0.15)
    assert 0.2 < ends[0][-1, 0] < 0.6, "D has neither won nor learnt nothing"


# --- What stops a run ---


def run_until_it_diverges(steps: Iterator[StepMetrics]) -> tuple[list[StepMetrics], str]:
    seen = []
    with pytest.raises(DivergedError) as diverged:
        for step in steps:
            seen.append(step)
    return seen, str(diverged.value)


@pytest.mark.parametrize("config", [TRAIN, ALTERNATING], ids=["simultaneous", "alternating"])
def test_an_absurd_learning_rate_stops_with_the_config_and_the_weights_still_finite(
    config: TrainConfig, data: Dataset, fabric: "Fabric"
) -> None:
    config = replace(config, learning_rate=1e30)
    state = TrainingState(Recipe(MODEL, config))
    seen, message = run_until_it_diverges(train(state, data, fabric))
    assert len(seen) < 4 and all(math.isfinite(step.losses["JD"]) for step in seen)
    assert json.dumps(config.to_dict()) in message and "epoch 1" in message
    assert all(tensor.isfinite().all() for tensor in state.tensors().values())


@pytest.mark.parametrize("network", ["discriminator", "generator", "encoder"])
def test_a_weight_that_is_not_a_number_stops_before_any_weight_moves(
    network: str, data: Dataset, fabric: "Fabric"
) -> None:
    state = lively(TrainingState(Recipe(MODEL, TRAIN)))
    list(train(state, data, fabric, num_epochs=1))
    with torch.no_grad():
        state.model.get_submodule(network).hidden[1].linear.weight[0, 0] = torch.nan  # type: ignore[index, union-attr]
    before = {name: tensor.clone() for name, tensor in state.tensors().items()}
    seen, message = run_until_it_diverges(train(state, data, fabric))
    assert seen == [] and state.epoch == 1 and "epoch 2" in message
    for name, tensor in state.tensors().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0, equal_nan=True)


def test_a_batch_that_cannot_be_divided_among_the_processes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^A batch of 33 images cannot be divided among 2 processes; .* of 2\.$"):
        launch(replace(TRAIN, batch_size=33), devices=2, accelerator="cpu")
