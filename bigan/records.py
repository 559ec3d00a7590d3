"""What lies beside the weights of a checkpoint: its config, how it was trained, its metrics, history and replay.

Shapes: T kept epochs, K pictures, M latents, C H W image, Z latent components.
"""

import csv
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float16, Int64, UInt8

from bigan import __version__
from bigan.arrays import read_arrays
from bigan.config import ModelConfig
from bigan.files import CheckpointError, read_bytes

CONFIG_FILE, TRAIN_FILE, METRICS_FILE = "config.json", "train.json", "metrics.json"
HISTORY_FILE, REPLAY_FILE = "history.csv", "replay.npz"

MAX_TEXT_BYTES = 2**20  # of a JSON file
MAX_HISTORY_BYTES = 2**24  # some 100,000 epochs
MAX_SHOWN_CHARACTERS = 300  # of a file's words in a message

# What has to be said for the networks to be known; later settings have defaults that mean what was before.
NEEDED_SETTINGS = ("architecture", "dataset", "hidden_dim", "image_shape", "latent_dim", "num_hidden_layers", "prior")


@dataclass(frozen=True)
class Replay:
    """A training to look at afterwards: fixed z and fixed x at some of its epochs."""

    epochs: Int64[np.ndarray, " T"]
    generated: UInt8[np.ndarray, "T K1 C H W"]
    """G(z) of fixed z."""
    originals: UInt8[np.ndarray, "K2 C H W"]
    reconstructed: UInt8[np.ndarray, "T K2 C H W"]
    """G(E(x)) of the originals."""
    latents: Float16[np.ndarray, "T M Z"]
    """E(x) of gallery images."""
    ids: tuple[str, ...]
    """Of those gallery images."""


def read_config(folder: Path) -> ModelConfig:
    """The config of a checkpoint folder.

    Raises:
        CheckpointError: it is missing, or does not describe one of our models.
    """
    where = f"In the checkpoint '{folder}', {CONFIG_FILE}"
    values = read_json(folder, CONFIG_FILE)
    if values is None:
        raise CheckpointError(
            f"The checkpoint '{folder}' has no {CONFIG_FILE}; it must hold {CONFIG_FILE} and model.safetensors."
        )
    if missing := [name for name in NEEDED_SETTINGS if name not in values]:
        raise CheckpointError(f"{where} lacks '{missing[0]}'; it is not of a BiGAN that this library saved.")
    architecture, known = values["architecture"], ModelConfig().architecture
    if architecture != known:
        raise CheckpointError(
            f"{where} has the architecture {shorten(repr(architecture))}, which bigan {__version__} does not know; it "
            f"knows '{known}', so a newer version must have saved it."
        )
    try:
        config = ModelConfig.from_dict(values)
    except (ValueError, TypeError) as error:
        reason = shorten(str(error)).rstrip(".")
        raise CheckpointError(f"{where} describes no model that bigan {__version__} knows: {reason}.") from error
    if not (config.dataset.isprintable() and 0 < len(config.dataset) <= MAX_SHOWN_CHARACTERS):
        raise CheckpointError(f"{where} has a dataset that is not a name.")
    return config


def config_values(config: ModelConfig) -> dict[str, Any]:
    """What config.json says of a model: later settings only where they do not mean what was before.

    So an older version reads every model that it can build.
    """
    usual = ModelConfig().to_dict()
    return {name: value for name, value in config.to_dict().items() if name in NEEDED_SETTINGS or value != usual[name]}


def read_metrics(folder: Path) -> dict[str, Any] | None:
    """What metrics.json holds, or None where there is none.

    Raises:
        CheckpointError: it is not what `evaluate` writes.
    """
    values = read_json(folder, METRICS_FILE)
    if values is None:
        return None
    metrics = values.get("metrics")
    if not isinstance(metrics, dict) or not all(_is_measurement(value) for value in metrics.values()):
        raise CheckpointError(f"In the checkpoint '{folder}', {METRICS_FILE} must hold metrics, each with its value.")
    return values


def read_train(folder: Path) -> dict[str, Any] | None:
    """What train.json says of the training: recipe, settings, command, device, hours; None where there is none.

    Raises:
        CheckpointError: it is not a JSON object.
    """
    return read_json(folder, TRAIN_FILE)


def read_history(folder: Path) -> list[dict[str, float]]:
    """The rows of history.csv, without their empty cells; no rows where there is no such file.

    Raises:
        CheckpointError: it is not a table of finite numbers.
    """
    if not os.path.lexists(folder / HISTORY_FILE):
        return []
    content = read_bytes(folder / HISTORY_FILE, MAX_HISTORY_BYTES)
    try:
        header, *lines = csv.reader(content.decode().splitlines(), strict=True)
        rows = [{k: float(v) for k, v in zip(header, line, strict=True) if v} for line in lines]
        if not all(math.isfinite(value) for row in rows for value in row.values()):
            raise ValueError("a value is not finite")
    except (ValueError, csv.Error) as error:
        raise CheckpointError(f"In the checkpoint '{folder}', {HISTORY_FILE} must be a table of numbers.") from error
    return rows


def read_replay(folder: Path) -> Replay | None:
    """The replay of the training, or None where there is none.

    Raises:
        CheckpointError: it is broken, or does not fit the model.
    """
    path = folder / REPLAY_FILE
    if not os.path.lexists(path):
        return None
    config, images = read_config(folder), ("uint8", 5)
    expected = {"epochs": ("int64", 1), "generated": images, "originals": ("uint8", 4), "reconstructed": images}
    arrays = read_arrays(path, expected | {"latents": ("float16", 3), "ids": ("str", 1)})
    num_epochs, num_images, num_ids = (len(arrays[name]) for name in ("epochs", "originals", "ids"))
    shapes = {
        "generated": (num_epochs, arrays["generated"].shape[1], *config.image_shape),
        "originals": (num_images, *config.image_shape),
        "reconstructed": (num_epochs, num_images, *config.image_shape),
        "latents": (num_epochs, num_ids, config.latent_dim),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"In the checkpoint '{folder}', {REPLAY_FILE} has '{name}' of shape {arrays[name].shape}; it must "
                f"have {shape}."
            )
    ids: list[str] = arrays.pop("ids").tolist()
    return Replay(**arrays, ids=tuple(ids))


def read_json(folder: Path, name: str) -> dict[str, Any] | None:
    """The JSON object in a file, None where there is no such file."""
    if not os.path.lexists(folder / name):
        return None
    content = read_bytes(folder / name, MAX_TEXT_BYTES)
    try:
        values = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"In the checkpoint '{folder}', {name} is not JSON.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"In the checkpoint '{folder}', {name} must be a JSON object.")
    return values


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_measurement(entry: object) -> bool:
    """A value, and if there is an interval its two ends, all finite numbers."""
    if not isinstance(entry, dict):
        return False
    interval = entry.get("interval", [0, 0])
    if not (isinstance(interval, list) and len(interval) == 2):
        return False
    return all(map(is_finite_number, [entry.get("value"), *interval]))


def is_finite_number(value: object) -> bool:
    """Whether a value of someone's JSON is a number that a float can hold; true and false are none."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number of more than 308 digits
        return False


def shorten(text: str) -> str:
    """A file's words, short enough for a message."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "..."
