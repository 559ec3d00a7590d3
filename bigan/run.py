"""A training run in a folder: resumable state, history, replay, and the checkpoint it ends as.

The state is one file, written beside and renamed, so a run killed at any moment continues from its last save and ends
bit-identical to an uninterrupted one on the same machine.
Shapes: N images, C H W image, Z latent components, T kept epochs.
"""

import csv
import io
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from bigan import checkpoint
from bigan.arrays import write_arrays
from bigan.config import ModelConfig, Recipe, TrainConfig
from bigan.data import Dataset, scale
from bigan.evaluation.report import quick_metrics
from bigan.explore.gallery import Gallery, save_gallery
from bigan.files import write_text
from bigan.machine import processor_name
from bigan.models.statistics import estimate_batch_norm
from bigan.pictures import to_uint8
from bigan.training import DivergedError, StepMetrics, TrainingState, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STATE_FILE = "state.safetensors"
SAVE_SECONDS = 60.0  # at most this much work is lost, or one epoch if that is longer
NUM_KEPT_EPOCHS = 16  # evaluated and kept for the replay, spaced logarithmically
NUM_REPLAY_IMAGES = 36
NUM_REPLAY_LATENTS = 1000
REPLAY_SEED = 0
MONITOR_BATCHES = 200  # batches that the statistics of an evaluation along the way are averaged over


class RunError(ValueError):
    """A run folder that does not fit what was asked of it."""


@dataclass
class Progress:
    """What a run has gathered so far, besides weights: saved with them."""

    history: list[dict[str, float]] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    generated: list[UInt8[Tensor, "K C H W"]] = field(default_factory=list)
    reconstructed: list[UInt8[Tensor, "K C H W"]] = field(default_factory=list)
    latents: list[Float[Tensor, "M Z"]] = field(default_factory=list)
    seconds: float = 0.0


def kept_epochs(total_epochs: int) -> list[int]:
    """About 16 epochs from 0 to the last, spaced logarithmically: those that are evaluated and replayed."""
    spaced = np.geomspace(1, max(1, total_epochs), NUM_KEPT_EPOCHS - 1).round().astype(int).tolist()
    return sorted({0, *(epoch for epoch in spaced if epoch <= total_epochs)})


class Run:
    """One training run. Iterate over `steps()` to train; everything it keeps lies in its folder."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        training: Dataset,
        held_out: Dataset,
        fabric: "Fabric",
        gallery: Gallery | None = None,
    ) -> None:
        """Begin in the folder, or continue what is there.

        Raises:
            RunError: the folder holds a run of another recipe, or a damaged one.
            ValueError: the images do not have the shape of the model.
        """
        for dataset in (training, held_out):
            if tuple(dataset.images.shape[1:]) != recipe.model.image_shape:
                raise ValueError(
                    f"The images of {dataset.name} are {tuple(dataset.images.shape[1:])}, the model's are "
                    f"{recipe.model.image_shape}; both must be the same (channels, height, width)."
                )
        self.folder, self.recipe, self.fabric = folder, recipe, fabric
        self.training, self.held_out, self.gallery = training, held_out, gallery
        self.images = training.images.to(fabric.device)
        self.state = TrainingState(recipe, fabric.device)
        self.progress = Progress()
        if (folder / STATE_FILE).exists():
            self._resume()

    def steps(self, on_evaluation: Callable[[dict[str, float]], None] = lambda _: None) -> Iterator[StepMetrics]:
        """Train to the end, saving, evaluating and keeping on the way.

        Args:
            on_evaluation: receives each new row of the history.

        Raises:
            DivergedError: a loss was not finite; the message names the step, the config and the last good save.
        """
        total = self.recipe.train.total_epochs
        kept, last_save = set(kept_epochs(total)), time.monotonic()
        if not self.progress.history:
            self._end_of_epoch([], 0.0, keep=True)
            on_evaluation(self.progress.history[-1])
        while self.state.epoch < total:
            started, losses = time.monotonic(), []
            try:
                for metrics in train_epoch(self.state, self.images, self.fabric):
                    losses.append(metrics)
                    yield metrics
            except DivergedError as error:
                raise self._diverged(f"{error} It was step {len(losses) + 1} of the epoch.") from error
            if not all(weight.isfinite().all() for weight in self.state.model.parameters()):
                last = f"step {len(losses)} of epoch {self.state.epoch}"
                raise self._diverged(f"A weight was not finite after {last}, the last, with {self.recipe.train}.")
            keep = self.state.epoch in kept
            self._end_of_epoch(losses, time.monotonic() - started, keep)
            on_evaluation(self.progress.history[-1])
            if keep or self.state.epoch == total or time.monotonic() - last_save > SAVE_SECONDS:
                self._save()
                last_save = time.monotonic()

    def saved_epoch(self) -> int:
        """Epochs done in the state on disk; 0 where there is none."""
        path = self.folder / STATE_FILE
        if not path.exists():
            return 0
        with safe_open(path, "pt") as file:
            return int(json.loads(file.metadata()["progress"])["epoch"])

    def export(self, folder: Path, recipe_name: str, command: str) -> None:
        """Write the checkpoint: weights in float16, history, replay, gallery and how it was trained."""
        if self.fabric.global_rank:
            return
        estimate_batch_norm(self.state.model, self.images)
        checkpoint.save(self.state.model, folder)
        config, epochs = self.recipe.train, self.state.epoch
        facts = {
            "recipe": recipe_name,
            "train": config.to_dict(),
            "command": command,
            "num_images": len(self.training),
            "device": str(self.fabric.device),
            "processes": self.fabric.world_size,
            "threads": torch.get_num_threads(),
            "processor": processor_name(),
            "hours": round(self.progress.seconds / 3600, 3),
            "epochs_done": epochs,
            "versions": {"torch": torch.__version__, "python": platform.python_version()},
        }
        write_text(folder / "train.json", json.dumps(facts, indent=2) + "\n")
        write_text(folder / "history.csv", history_csv(self.progress.history))
        if self.gallery is not None:
            save_gallery(self.gallery, folder)
            write_arrays(folder / "replay.npz", **self._replay(self.gallery))

    def _diverged(self, what: str) -> DivergedError:
        saved = self.saved_epoch()
        place = f"The last good save, after epoch {saved}, is {self.folder / STATE_FILE}."
        return DivergedError(f"{what} {place if saved else 'Nothing had been saved yet.'}")

    def _end_of_epoch(self, losses: list[StepMetrics], seconds: float, keep: bool) -> None:
        row: dict[str, float] = {
            "epoch": float(self.state.epoch),
            "learning_rate": self.recipe.train.learning_rate_at(max(0, self.state.epoch - 1)),
        }
        self.progress.seconds += seconds
        row["seconds"] = round(self.progress.seconds, 1)
        if losses:
            row["images_per_second"] = float(round(sum(step.num_images for step in losses) / seconds))
            row["JD"] = sum(step.discriminator_loss for step in losses) / len(losses)
            row["EG"] = sum(step.generator_encoder_loss for step in losses) / len(losses)
        if keep and self.fabric.global_rank == 0:
            row |= self._look()
        self.progress.history.append(row)

    def _look(self) -> dict[str, float]:
        """Evaluate, and keep pictures for the replay. Draws on no random state of the training."""
        model = self.state.model
        estimate_batch_norm(model, self.images, MONITOR_BATCHES)
        metrics = quick_metrics(
            model, self.training.images, self.training.labels, self.held_out.images, self.held_out.labels
        )
        if self.gallery is not None:
            pictures, thousand = replay_indices(len(self.gallery.images))
            x = scale(self.gallery.images[pictures])  # (36, C, H, W)
            z = model.sample_latents(NUM_REPLAY_IMAGES, REPLAY_SEED)  # (36, Z)
            self.progress.epochs.append(self.state.epoch)
            self.progress.generated.append(torch.from_numpy(to_uint8(model.generate(z))))
            self.progress.reconstructed.append(torch.from_numpy(to_uint8(model.reconstruct(x))))
            self.progress.latents.append(model.encode(scale(self.gallery.images[thousand])).half().cpu())
        model.train()
        return metrics

    def _replay(self, gallery: Gallery) -> dict[str, np.ndarray]:
        pictures, thousand = replay_indices(len(gallery.images))
        return {
            "epochs": np.array(self.progress.epochs, np.int64),
            "generated": torch.stack(self.progress.generated).numpy(),
            "originals": gallery.images[pictures].numpy(),
            "reconstructed": torch.stack(self.progress.reconstructed).numpy(),
            "latents": torch.stack(self.progress.latents).numpy(),
            "ids": np.array([gallery.ids[i] for i in thousand.tolist()]),
        }

    def _save(self) -> None:
        if self.fabric.global_rank:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {}
        if self.progress.generated:
            kept = {
                "progress.generated": torch.stack(self.progress.generated),
                "progress.reconstructed": torch.stack(self.progress.reconstructed),
                "progress.latents": torch.stack(self.progress.latents),
            }
        facts = {
            "epoch": self.state.epoch,
            "model": self.recipe.model.to_dict(),
            "train": self.recipe.train.to_dict(),
            "history": self.progress.history,
            "epochs": self.progress.epochs,
            "seconds": self.progress.seconds,
        }
        beside = self.folder / (STATE_FILE + ".tmp")
        save_file(self.state.tensors() | kept, beside, {"progress": json.dumps(facts)})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(self.folder / STATE_FILE)
        write_text(self.folder / "history.csv", history_csv(self.progress.history))

    def _resume(self) -> None:
        path = self.folder / STATE_FILE
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()["progress"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            saved = Recipe(ModelConfig.from_dict(facts["model"]), TrainConfig.from_dict(facts["train"]))
            progress = Progress(facts["history"], facts["epochs"], seconds=facts["seconds"])
            epoch = facts["epoch"]
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path} is damaged; delete it to begin again.") from error
        if saved != self.recipe:
            raise RunError(f"{self.folder} holds a run of {saved}, not of {self.recipe}; choose another folder.")
        kept = {name: tensors.pop(name) for name in list(tensors) if name.startswith("progress.")}
        self.state.restore(tensors, epoch)
        self.progress = progress
        if kept:
            self.progress.generated = list(kept["progress.generated"])
            self.progress.reconstructed = list(kept["progress.reconstructed"])
            self.progress.latents = list(kept["progress.latents"])


def replay_indices(num_images: int) -> tuple[Tensor, Tensor]:
    """Gallery rows of the replay: 36 pictures and 1,000 latents, evenly spaced."""
    pictures = torch.linspace(0, num_images - 1, min(NUM_REPLAY_IMAGES, num_images)).round().long()
    return pictures, torch.linspace(0, num_images - 1, min(NUM_REPLAY_LATENTS, num_images)).round().long()


def history_csv(rows: list[dict[str, float]]) -> str:
    """The rows as CSV, empty where a row has no such value."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)
    return text.getvalue()
