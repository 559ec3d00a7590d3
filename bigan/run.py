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
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

import bigan
from bigan import checkpoint
from bigan.arrays import write_arrays
from bigan.config import ModelConfig, Recipe, TrainConfig
from bigan.data import Dataset, fingerprint
from bigan.evaluation.report import quick_metrics, weights_sha256
from bigan.explore.gallery import Gallery, save_gallery
from bigan.files import write_text
from bigan.machine import processor_name
from bigan.models.statistics import estimate_batch_norm
from bigan.records import HISTORY_FILE, REPLAY_FILE, TRAIN_FILE
from bigan.replay import PREFIX, Recorder, kept_epochs
from bigan.training import DivergedError, StepMetrics, TrainingState, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STATE_FILE = "state.safetensors"
SAVE_SECONDS = 60.0  # saved at the end of the first epoch after so long: that and one epoch more is lost at most
MONITOR_BATCHES = 200  # batches that the statistics of an evaluation along the way are averaged over


class RunError(ValueError):
    """A run folder that does not fit what was asked of it."""


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
        self.data = training.to(fabric.device)
        self._origin = self._find_origin()
        self.state = TrainingState(recipe, fabric.device)
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0
        inverts = {"generator", "encoder"} <= set(recipe.model.networks)
        self.recorder = Recorder(gallery) if gallery is not None and inverts else None
        if (folder / STATE_FILE).exists():
            self._resume()
        if fabric.world_size > 1:
            epochs = cast(Tensor, fabric.all_gather(torch.tensor(self.state.epoch, device=fabric.device)))
            if epochs.min() != epochs.max():
                raise RunError(
                    f"The processes found states of different epochs in {folder}; all machines must share that folder."
                )

    def steps(self, on_evaluation: Callable[[dict[str, float]], None] = lambda _: None) -> Iterator[StepMetrics]:
        """Train to the end, saving, evaluating and keeping on the way.

        Args:
            on_evaluation: receives each new row of the history.

        Raises:
            DivergedError: a loss was not finite; the message names the step, the config and the last good save.
        """
        total = self.recipe.train.total_epochs
        kept, last_save = set(kept_epochs(total)), time.monotonic()
        if not self.history:
            self._end_of_epoch([], 0.0, keep=True)
            on_evaluation(self.history[-1])
        while self.state.epoch < total:
            started, losses = time.monotonic(), []
            try:
                for metrics in train_epoch(self.state, self.data, self.fabric):
                    losses.append(metrics)
                    yield metrics
            except DivergedError as error:
                raise self._diverged(f"{error} It was step {len(losses) + 1} of the epoch.") from error
            if not all(weight.isfinite().all() for weight in self.state.model.parameters()):
                last = f"step {len(losses)} of epoch {self.state.epoch}"
                raise self._diverged(
                    f"A weight was not finite after {last}, the last, with {json.dumps(self.recipe.train.to_dict())}."
                )
            keep = self.state.epoch in kept
            self._end_of_epoch(losses, time.monotonic() - started, keep)
            on_evaluation(self.history[-1])
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
        estimate_batch_norm(self.state.model, self.data.images, decodes=self.state.objective.decodes)
        checkpoint.save(self.state.model.with_networks(self.state.objective.ships), folder)
        config, epochs = self.recipe.train, self.state.epoch
        facts = {
            "recipe": recipe_name,
            "dataset": self.training.name,
            "train": config.to_dict(),
            "command": command,
            "num_images": len(self.training),
            "device": str(self.fabric.device),
            "processes": self.fabric.world_size,
            "threads": torch.get_num_threads(),
            "processor": processor_name(self.fabric.device),
            "hours": round(self.seconds / 3600, 3),
            "epochs_done": epochs,
            "versions": {
                "bigan": bigan.__version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        }
        write_text(folder / TRAIN_FILE, json.dumps(facts, indent=2) + "\n")
        write_text(folder / HISTORY_FILE, history_csv(self.history))
        if self.gallery is not None:
            save_gallery(self.gallery, folder)
        if self.recorder is not None:
            write_arrays(folder / REPLAY_FILE, **self.recorder.arrays())

    def _diverged(self, what: str) -> DivergedError:
        saved = self.saved_epoch()
        place = f"The last good save, after epoch {saved}, is {self.folder / STATE_FILE}."
        return DivergedError(f"{what} {place if saved else 'Nothing had been saved yet.'}")

    def _end_of_epoch(self, losses: list[StepMetrics], seconds: float, keep: bool) -> None:
        # The losses are means over the epoch's moving weights; the report's JD is measured at fixed ones.
        row: dict[str, float] = {
            "epoch": float(self.state.epoch),
            "learning_rate": self.recipe.train.learning_rate_at(max(0, self.state.epoch - 1)),
        }
        self.seconds += seconds
        row["seconds"] = round(self.seconds, 1)
        if losses:
            row["images_per_second"] = float(round(sum(step.num_images for step in losses) / seconds))
            row |= {name: sum(step.losses[name] for step in losses) / len(losses) for name in losses[0].losses}
        if keep and self.fabric.global_rank == 0:
            row |= self._look()
        self.history.append(row)

    def _look(self) -> dict[str, float]:
        """Evaluate, and keep pictures for the replay. Draws on no random state of the training."""
        model = self.state.model
        estimate_batch_norm(model, self.data.images, MONITOR_BATCHES, decodes=self.state.objective.decodes)
        metrics = quick_metrics(
            model, self.training.images, self.training.labels, self.held_out.images, self.held_out.labels
        )
        if self.recorder is not None:
            self.recorder.record(model, self.state.epoch)
        model.train()
        return metrics

    def _save(self) -> None:
        if self.fabric.global_rank:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = self.recorder.tensors() if self.recorder is not None else {}
        facts = {
            "epoch": self.state.epoch,
            "model": self.recipe.model.to_dict(),
            "train": self.recipe.train.to_dict(),
            "data": self._origin,
            "history": self.history,
            "epochs": self.recorder.epochs if self.recorder is not None else [],
            "seconds": self.seconds,
        }
        beside = self.folder / (STATE_FILE + ".tmp")
        save_file(self.state.tensors() | kept, beside, {"progress": json.dumps(facts)})
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(self.folder / STATE_FILE)
        write_text(self.folder / HISTORY_FILE, history_csv(self.history))

    def _find_origin(self) -> dict[str, str]:
        """What a run must go on with: fingerprints of its images, its gallery, and the weights it began with."""
        gallery = fingerprint(self.gallery.images) if self.gallery is not None else "none"
        found = {"images": fingerprint(self.training.images, self.training.labels), "gallery": gallery}
        start = self.recipe.train.start
        return found if start is None else found | {"start_weights": weights_sha256(checkpoint.load(start))[:16]}

    def _check_same(self, saved: Recipe, origin: dict[str, str]) -> None:
        """Refuse to go on with another recipe or other data; the weights it began with may lie elsewhere by now."""
        asked = self.recipe.model.to_dict() | self.recipe.train.to_dict() | self._origin
        found = saved.model.to_dict() | saved.train.to_dict() | origin
        different = differences(found | {"start": asked["start"]}, asked)
        if different:
            raise RunError(f"{self.folder} holds a run with {different}; choose another folder, or the same again.")

    def _resume(self) -> None:
        path = self.folder / STATE_FILE
        try:
            with safe_open(path, "pt") as file:
                facts = json.loads(file.metadata()["progress"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            saved = Recipe(ModelConfig.from_dict(facts["model"]), TrainConfig.from_dict(facts["train"]))
            kept = {name: tensors.pop(name) for name in list(tensors) if name.startswith(PREFIX)}
            self._check_same(saved, facts["data"])
            self.state.restore(tensors, facts["epoch"])
            self.history, self.seconds = facts["history"], facts["seconds"]
            if self.recorder is not None:
                self.recorder.restore(kept, facts["epochs"])
        except RunError:
            raise
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} is damaged; delete it to begin again.") from error


def differences(saved: dict[str, Any], asked: dict[str, Any]) -> str:
    """What differs between two sets of settings, such as "seed 42, not 7"; empty where nothing does."""
    names = [name for name in asked if saved.get(name) != asked[name]]
    return ", ".join(f"{name} {saved.get(name)}, not {asked[name]}" for name in names)


def history_csv(rows: list[dict[str, float]]) -> str:
    """The rows as CSV, empty where a row has no such value."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)
    return text.getvalue()
