"""Training: the steps, the two schedules and the loop that yields what happened.

Randomness comes from (seed, epoch) alone, so an epoch is the same whether or not the run was interrupted before it.
Shapes: N training images, B batch, Z latent components.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from bigan import checkpoint
from bigan.config import Recipe, TrainConfig
from bigan.data import Dataset, scale
from bigan.machine import keep_freed_memory
from bigan.models.bigan import BiGAN
from bigan.objectives import Batch, Objective, objective_of

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class DivergedError(RuntimeError):
    """A loss that is not finite."""


@dataclass(frozen=True)
class StepMetrics:
    """One update of every player."""

    epoch: int
    """Counted from 1."""
    step: int
    """Within the epoch, counted from 1."""
    num_steps: int
    """Steps of this epoch."""
    num_images: int
    """Images used by this step, over all processes."""
    learning_rate: float
    losses: dict[str, float]
    """The loss of each player of the objective, over this process's share of the batch, such as JD and EG."""


class TrainingState:
    """What a run is at the end of an epoch: networks, an Adam for each player, and the number of epochs done."""

    def __init__(self, recipe: Recipe, device: torch.device | str = "cpu", objective: Objective | None = None) -> None:
        """A fresh state, its weights drawn from the recipe's seed or taken from the checkpoint to start with.

        Args:
            recipe: the networks, and how to train them.
            device: where the weights go.
            objective: one of your own, in place of the recipe's.

        Raises:
            ValueError: the objective does not fit the model, or the checkpoint to start with is not there or does not.
        """
        self.config = recipe.train
        self.objective = objective or objective_of(recipe.train)
        self.objective.check_fits(recipe.model, recipe.train)
        self.model = BiGAN(recipe.model).initialise(recipe.train.seed)
        self.objective.begin(self.model)
        if recipe.train.start is not None:
            self._take_networks(recipe.train.start)
        self.model.to(device).train()
        self.adams = {
            player: _adam([w for name in names for w in getattr(self.model, name).parameters()], recipe.train)
            for player, names in self.objective.players.items()
        }
        self.epoch = 0

    def tensors(self) -> dict[str, Tensor]:
        """Weights and Adam's moments by name: all that the next epoch depends on, besides `epoch`."""
        named = {f"model.{name}": weight.detach() for name, weight in self.model.named_parameters()}
        for player, adam in self.adams.items():
            for index, moments in adam.state_dict()["state"].items():
                named |= {f"adam.{player}.{index}.{key}": value for key, value in moments.items()}
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
        for player, adam in self.adams.items():
            prefix, state = f"adam.{player}.", cast(dict[int, dict[str, Tensor]], {})
            for name in (name for name in tensors if name.startswith(prefix)):
                index, key = name.removeprefix(prefix).split(".")
                state.setdefault(int(index), {})[key] = tensors[name]
            adam.load_state_dict({"state": state, "param_groups": adam.state_dict()["param_groups"]})
        self.epoch = epoch

    def _take_networks(self, name: str) -> None:
        """Begin with the networks of a checkpoint, as far as it has them."""
        source = checkpoint.load(name)
        trained = {network for networks in self.objective.players.values() for network in networks}
        for network in self.model.config.networks:
            if network in source.config.networks:
                weights = dict(getattr(source, network).named_parameters())  # the statistics are re-estimated
                try:
                    getattr(self.model, network).load_state_dict(weights, strict=False)
                except RuntimeError as error:
                    raise ValueError(f"start is {name!r}, whose {network} is not of the recipe's sizes.") from error
            elif network not in trained:
                raise ValueError(f"start is {name!r}, which has no {network}, and the objective does not train one.")

    def _expected_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = {f"model.{name}": tuple(weight.shape) for name, weight in self.model.named_parameters()}
        for player, adam in self.adams.items():
            for index, weight in enumerate(_weights(adam)):
                prefix = f"adam.{player}.{index}"
                shapes[f"{prefix}.step"] = ()
                shapes |= {f"{prefix}.{key}": tuple(weight.shape) for key in ("exp_avg", "exp_avg_sq")}
        return shapes


def train(state: TrainingState, data: Dataset, fabric: Fabric, num_epochs: int | None = None) -> Iterator[StepMetrics]:
    """Train until all epochs of the state's config are done, yielding after every step.

    Args:
        state: where to begin; it is advanced in place.
        data: the training images and their labels, on the device of the state.
        fabric: devices, processes and precision, from `launch`.
        num_epochs: stop after that many more epochs.

    Raises:
        DivergedError: a loss was not finite; that loss has moved no weight.
    """
    last = state.config.total_epochs if num_epochs is None else state.epoch + num_epochs
    while state.epoch < min(last, state.config.total_epochs):
        yield from train_epoch(state, data, fabric)


def train_epoch(state: TrainingState, data: Dataset, fabric: Fabric) -> Iterator[StepMetrics]:
    """One epoch. `state.epoch` counts it once the last step has been yielded."""
    config = state.config
    learning_rate = config.learning_rate_at(state.epoch)
    for adam in state.adams.values():
        adam.param_groups[0]["lr"] = learning_rate
    state.model.train()
    step_function = simultaneous_step if config.schedule == "simultaneous" else alternating_step
    batches_per_step = 1 if config.schedule == "simultaneous" else config.discriminator_steps + 1
    batches = epoch_batches(state, data, fabric)
    num_steps = math.ceil(len(data) / config.batch_size / batches_per_step)
    for step in range(1, num_steps + 1):
        losses = step_function(state, batches, fabric)
        yield StepMetrics(
            epoch=state.epoch + 1,
            step=step,
            num_steps=num_steps,
            num_images=batches_per_step * config.batch_size,
            learning_rate=learning_rate,
            losses=losses,
        )
    state.epoch += 1


def epoch_batches(state: TrainingState, data: Dataset, fabric: Fabric) -> Iterator[Batch]:
    """This process's share of each batch of an epoch, endless: the order wraps around.

    Every process draws the whole batch and keeps every world_size-th image of it, so one process and many see the
    same global batches.
    """
    config, device = state.config, data.images.device
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + state.epoch)
    order = torch.randperm(len(data), generator=generator)  # (N,)
    position, mine = 0, slice(fabric.global_rank, None, fabric.world_size)
    while True:
        index = torch.arange(position, position + config.batch_size) % len(data)
        position += config.batch_size
        seed = int(torch.randint(2**31, (), generator=generator))
        z = state.model.sample_latents(config.batch_size, seed)  # (B, Z)
        chosen = order[index[mine]].to(device)
        yield Batch(scale(data.images[chosen]), z[mine], data.labels[chosen], seed)


def simultaneous_step(state: TrainingState, batches: Iterator[Batch], fabric: Fabric) -> dict[str, float]:
    """All players from one batch and one forward pass, all gradients at the old weights.

    Source: official code, train_gan.py:527-533 (update_both).
    """
    return _step(state, next(batches), fabric, list(state.adams))


def alternating_step(state: TrainingState, batches: Iterator[Batch], fabric: Fabric) -> dict[str, float]:
    """One or more steps of D, then one of all other players against the new D, each on a fresh batch.

    Source: Donahue et al. 2017, section 3.4.
    """
    first, *others = state.adams
    for _ in range(state.config.discriminator_steps):
        losses = _step(state, next(batches), fabric, [first])
    return losses | _step(state, next(batches), fabric, others)


def _step(state: TrainingState, batch: Batch, fabric: Fabric, players: list[str]) -> dict[str, float]:
    """Move these players along their own losses of one batch, after all gradients are taken."""
    with fabric.autocast():
        all_losses = state.objective.losses(state.model, batch)
    losses = {player: all_losses[player] for player in players}
    _check_finite(state, losses)
    # Several backward passes through one graph; each visits only what its own weights need.
    gradients = {
        player: torch.autograd.grad(loss, _weights(state.adams[player]), retain_graph=player != players[-1])
        for player, loss in losses.items()
    }
    for player in players:
        _descend(state.adams[player], gradients[player], fabric)
    return {player: loss.item() for player, loss in losses.items()}


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

    DistributedDataParallel reduces once per backward pass into .grad, but one forward pass here has several backward
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


def _check_finite(state: TrainingState, losses: dict[str, Tensor]) -> None:
    for name, loss in losses.items():
        if not math.isfinite(loss.item()):
            settings = json.dumps(state.config.to_dict())
            raise DivergedError(f"{name} became {loss.item()} in epoch {state.epoch + 1}, with {settings}.")
