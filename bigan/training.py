"""Training: the steps, the two schedules and the loop that yields what happened.

Randomness comes from (seed, epoch) alone, so an epoch is the same whether or not the run was interrupted before it.
Shapes: N training images, B batch, C H W image, Z latent components.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from bigan.config import Recipe, TrainConfig
from bigan.data import scale
from bigan.machine import keep_freed_memory
from bigan.models.bigan import BiGAN
from bigan.objectives.bigan import discriminator_loss, label_swapped_loss, minimax_loss

if TYPE_CHECKING:
    from lightning_fabric import Fabric

GENERATOR_ENCODER_LOSSES = {"label-swapped": label_swapped_loss, "minimax": minimax_loss}


class DivergedError(RuntimeError):
    """A loss that is not finite."""


@dataclass(frozen=True)
class StepMetrics:
    """One update of D and one of G and E."""

    epoch: int
    """Counted from 1."""
    step: int
    """Within the epoch, counted from 1."""
    num_steps: int
    """Steps of this epoch."""
    num_images: int
    """Images used by this step, over all processes."""
    learning_rate: float
    discriminator_loss: float
    """JD in nats over this process's share of the batch; log 2 when D is undecided."""
    generator_encoder_loss: float
    """The loss of G and E in nats, over the same share."""


class TrainingState:
    """What a run is at the end of an epoch: networks, their two Adams, and the number of epochs done."""

    def __init__(self, recipe: Recipe, device: torch.device | str = "cpu") -> None:
        """A fresh state, its weights drawn from the recipe's seed."""
        self.config = recipe.train
        self.model = BiGAN(recipe.model).initialise(recipe.train.seed).to(device).train()
        self.discriminator_adam = _adam(self.model.discriminator.parameters(), recipe.train)
        both = [*self.model.generator.parameters(), *self.model.encoder.parameters()]
        self.generator_encoder_adam = _adam(both, recipe.train)
        self.epoch = 0

    def tensors(self) -> dict[str, Tensor]:
        """Weights and Adam's moments by name: all that the next epoch depends on, besides `epoch`."""
        named = {f"model.{name}": weight.detach() for name, weight in self.model.named_parameters()}
        for prefix, adam in self._adams().items():
            for index, moments in adam.state_dict()["state"].items():
                named |= {f"{prefix}.{index}.{key}": value for key, value in moments.items()}
        return named

    def restore(self, tensors: dict[str, Tensor], epoch: int) -> None:
        """Continue from what `tensors` returned after that many epochs, at least one.

        Raises:
            ValueError: a tensor is missing, is one too many, or has another shape.
        """
        expected = self._expected_shapes()
        if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != expected:
            raise ValueError(f"The state must hold exactly the {len(expected)} tensors of this recipe.")
        weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        self.model.load_state_dict(weights, strict=False)  # batch-norm statistics are re-estimated, not kept
        for prefix, adam in self._adams().items():
            state: dict[int, dict[str, Tensor]] = {}
            for name in (name for name in tensors if name.startswith(prefix + ".")):
                index, key = name.removeprefix(prefix + ".").split(".")
                state.setdefault(int(index), {})[key] = tensors[name]
            adam.load_state_dict({"state": state, "param_groups": adam.state_dict()["param_groups"]})
        self.epoch = epoch

    def _expected_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = {f"model.{name}": tuple(weight.shape) for name, weight in self.model.named_parameters()}
        for prefix, adam in self._adams().items():
            for index, weight in enumerate(_weights(adam)):
                shapes[f"{prefix}.{index}.step"] = ()
                shapes |= {f"{prefix}.{index}.{key}": tuple(weight.shape) for key in ("exp_avg", "exp_avg_sq")}
        return shapes

    def _adams(self) -> dict[str, torch.optim.Adam]:
        return {"discriminator_adam": self.discriminator_adam, "generator_encoder_adam": self.generator_encoder_adam}


def train(
    state: TrainingState, images: UInt8[Tensor, "N C H W"], fabric: Fabric, num_epochs: int | None = None
) -> Iterator[StepMetrics]:
    """Train until all epochs of the state's config are done, yielding after every step.

    Args:
        state: where to begin; it is advanced in place.
        images: the training images, on the device of the state.
        fabric: devices, processes and precision, from `launch`.
        num_epochs: stop after that many more epochs.

    Raises:
        DivergedError: a loss was not finite; that loss has moved no weight.
    """
    last = state.config.total_epochs if num_epochs is None else state.epoch + num_epochs
    while state.epoch < min(last, state.config.total_epochs):
        yield from train_epoch(state, images, fabric)


def train_epoch(state: TrainingState, images: UInt8[Tensor, "N C H W"], fabric: Fabric) -> Iterator[StepMetrics]:
    """One epoch. `state.epoch` counts it once the last step has been yielded."""
    config = state.config
    learning_rate = config.learning_rate_at(state.epoch)
    for adam in (state.discriminator_adam, state.generator_encoder_adam):
        adam.param_groups[0]["lr"] = learning_rate
    state.model.train()
    step_function = simultaneous_step if config.schedule == "simultaneous" else alternating_step
    batches_per_step = 1 if config.schedule == "simultaneous" else config.discriminator_steps + 1
    batches = epoch_batches(state, images, fabric)
    num_steps = math.ceil(len(images) / config.batch_size / batches_per_step)
    for step in range(1, num_steps + 1):
        d_loss, ge_loss = step_function(state, batches, fabric)
        yield StepMetrics(
            epoch=state.epoch + 1,
            step=step,
            num_steps=num_steps,
            num_images=batches_per_step * config.batch_size,
            learning_rate=learning_rate,
            discriminator_loss=d_loss,
            generator_encoder_loss=ge_loss,
        )
    state.epoch += 1


Batch = tuple[Float[Tensor, "B C H W"], Float[Tensor, "B Z"]]


def epoch_batches(state: TrainingState, images: UInt8[Tensor, "N C H W"], fabric: Fabric) -> Iterator[Batch]:
    """This process's share of each batch (x, z) of an epoch, endless: the order wraps around.

    Every process draws the whole batch and keeps every world_size-th image of it, so one process and many see the
    same global batches.
    """
    config, device = state.config, images.device
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + state.epoch)
    order = torch.randperm(len(images), generator=generator)  # (N,)
    position, mine = 0, slice(fabric.global_rank, None, fabric.world_size)
    while True:
        index = torch.arange(position, position + config.batch_size) % len(images)
        position += config.batch_size
        seed = int(torch.randint(2**31, (), generator=generator))
        z = state.model.sample_latents(config.batch_size, seed)  # (B, Z)
        yield scale(images[order[index[mine]].to(device)]), z[mine]


def simultaneous_step(state: TrainingState, batches: Iterator[Batch], fabric: Fabric) -> tuple[float, float]:
    """D, and G with E, from one batch and one forward pass, all gradients at the old weights.

    Source: official code, train_gan.py:527-533 (update_both).
    """
    x, z = next(batches)
    with fabric.autocast():
        d_loss, ge_loss = _losses(state, x, z)
    _check_finite(state, JD=d_loss, EG=ge_loss)
    # Two backward passes through one graph; each visits only what its own weights need.
    d_gradients = torch.autograd.grad(d_loss, _weights(state.discriminator_adam), retain_graph=True)
    ge_gradients = torch.autograd.grad(ge_loss, _weights(state.generator_encoder_adam))
    _descend(state.discriminator_adam, d_gradients, fabric)
    _descend(state.generator_encoder_adam, ge_gradients, fabric)
    return d_loss.item(), ge_loss.item()


def alternating_step(state: TrainingState, batches: Iterator[Batch], fabric: Fabric) -> tuple[float, float]:
    """One or more steps of D, then one of G with E against the new D, each on a fresh batch.

    Source: Donahue et al. 2017, section 3.4.
    """
    for _ in range(state.config.discriminator_steps):
        x, z = next(batches)
        with fabric.autocast():
            d_loss, _ = _losses(state, x, z)
        _check_finite(state, JD=d_loss)
        gradients = torch.autograd.grad(d_loss, _weights(state.discriminator_adam))
        _descend(state.discriminator_adam, gradients, fabric)
    x, z = next(batches)
    with fabric.autocast():
        _, ge_loss = _losses(state, x, z)
    _check_finite(state, EG=ge_loss)
    gradients = torch.autograd.grad(ge_loss, _weights(state.generator_encoder_adam))
    _descend(state.generator_encoder_adam, gradients, fabric)
    return d_loss.item(), ge_loss.item()


def launch(config: TrainConfig, devices: int = 1, num_nodes: int = 1, accelerator: str = "auto") -> Fabric:
    """Lightning Fabric for this config, launched: one process per device, joined by torch.distributed.

    Under torchrun its processes are used, whatever `devices` and `num_nodes` say.

    Args:
        config: its precision and batch size are used.
        devices: processes on this machine. Each normalises its own share of a batch, so more than one is another
            training than one.
        num_nodes: machines.
        accelerator: "cpu", "cuda", or "auto": a GPU where there is one.

    Raises:
        ValueError: the batch cannot be divided among the processes, or there are no such devices.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    num_gpus = torch.cuda.device_count()
    if accelerator == "auto":
        accelerator = "cuda" if num_gpus else "cpu"
    if TorchElasticEnvironment.detect():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        num_nodes = int(os.environ["WORLD_SIZE"]) // devices
    if devices < 1 or (accelerator == "cuda" and devices > num_gpus):
        available = f"there are {num_gpus} GPUs" if accelerator == "cuda" else "it must be 1 or more"
        raise ValueError(f"devices is {devices} for accelerator {accelerator!r}; {available}.")
    if config.batch_size % (devices * num_nodes):
        raise ValueError(
            f"A batch of {config.batch_size} images cannot be divided among {devices * num_nodes} processes; choose "
            f"a batch_size that is a multiple of {devices * num_nodes}."
        )
    keep_freed_memory()
    precision: Literal["bf16-mixed", "32-true"] = "bf16-mixed" if config.precision == "bf16" else "32-true"
    fabric = Fabric(accelerator=accelerator, devices=devices, num_nodes=num_nodes, precision=precision)
    fabric.launch()
    return fabric


def leave() -> None:
    """Part from the other processes; without it a process may abort when it ends, its network threads still running."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _losses(state: TrainingState, x: Tensor, z: Tensor) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The losses of D and of (G, E). D sees the two kinds of pair in separate passes: batch norm is per source."""
    model = state.model
    encoder_logits = model.discriminator(x, model.encoder(x))  # (B,)
    generator_logits = model.discriminator(model.generator(z), z)  # (B,)
    ge_loss = GENERATOR_ENCODER_LOSSES[state.config.objective]
    return discriminator_loss(encoder_logits, generator_logits), ge_loss(encoder_logits, generator_logits)


def _adam(weights: Iterable[nn.Parameter], config: TrainConfig) -> torch.optim.Adam:
    return torch.optim.Adam(
        weights,
        lr=config.learning_rate,
        betas=config.adam_betas,
        eps=config.adam_eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


def _weights(adam: torch.optim.Adam) -> list[nn.Parameter]:
    weights: list[nn.Parameter] = adam.param_groups[0]["params"]
    return weights


def _descend(adam: torch.optim.Adam, gradients: Sequence[Tensor], fabric: Fabric) -> None:
    """One step of Adam along the mean of all processes' gradients.

    DistributedDataParallel reduces once per backward pass into .grad, but one forward pass here has two backward
    passes with disjoint weights; one collective over the concatenated gradients does it.
    """
    if fabric.world_size > 1:
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        mean = cast(Tensor, fabric.all_reduce(flat, reduce_op="mean"))
        parts = mean.split([gradient.numel() for gradient in gradients])
        gradients = [part.view_as(gradient) for part, gradient in zip(parts, gradients, strict=True)]
    for weight, gradient in zip(_weights(adam), gradients, strict=True):
        weight.grad = gradient
    adam.step()
    adam.zero_grad(set_to_none=True)


def _check_finite(state: TrainingState, **losses: Tensor) -> None:
    for name, loss in losses.items():
        if not math.isfinite(loss.item()):
            settings = json.dumps(state.config.to_dict())
            raise DivergedError(f"{name} became {loss.item()} in epoch {state.epoch + 1}, with {settings}.")
