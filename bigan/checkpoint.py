"""Save and load a checkpoint folder in the Hugging Face layout: config.json, model.safetensors and what goes with them.

A folder is checked before anything is allocated and never unpickled. Batch norm's count of batches is not kept: a
loaded model is for use, and training re-estimates its statistics.
"""

import contextlib
import functools
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bigan.config import ModelConfig
from bigan.files import (
    CARD_FILE,
    GALLERY_FILE,
    PROJECTION_FILE,
    CheckpointError,
    checked_file,
    sync_folder,
    write_file,
)
from bigan.models.bigan import BiGAN
from bigan.records import (
    CONFIG_FILE,
    HISTORY_FILE,
    METRICS_FILE,
    REPLAY_FILE,
    TRAIN_FILE,
    config_values,
    read_config,
    shorten,
)

__all__ = [
    "CheckpointError", "CheckpointSummary", "download", "find", "list_checkpoints", "load", "read_model", "save",
    "skeleton", "summarise_checkpoints",
]  # fmt: skip

DEFAULT_NAME = "mnist"
WEIGHTS_FILE = "model.safetensors"
OTHER_FILES = (METRICS_FILE, HISTORY_FILE, TRAIN_FILE, REPLAY_FILE, CARD_FILE, GALLERY_FILE, PROJECTION_FILE)

MAX_HEADER_BYTES = 2**20  # of the weights: some 10,000 tensors
MAX_SHAPES = 64  # configs whose tensors are remembered: every page of the app checks every checkpoint
MAX_DOWNLOAD_BYTES = 2**31  # of one file of the Hub: the largest model allowed, in float32

WEIGHT_DTYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
STATISTICS = ("running_mean", "running_var")  # of batch norm, always float32
COUNT = "num_batches_tracked"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_HUB_ID = re.compile(rf"{_NAME.pattern}/{_NAME.pattern}")


@dataclass(frozen=True)
class CheckpointSummary:
    """What a list shows of a checkpoint: its config, or the problem that keeps it from being used."""

    name: str
    path: Path
    config: ModelConfig | None
    problem: str | None


def load(name: str | Path, device: str = "cpu") -> BiGAN:
    """A trained model for use: eval mode, frozen, float32, safe to share between threads.

    Args:
        name: a name in a checkpoints folder, a folder, or a Hugging Face Hub id "owner/name" (see `find`).
        device: where its weights go.

    Raises:
        CheckpointError: a ValueError that says what was wrong with the checkpoint.
        ValueError: no such device.
    """
    return read_model(find(name), device)


def find(name: str | Path) -> Path:
    """The folder of a checkpoint.

    A name is looked for in $BIGAN_CHECKPOINTS, ./checkpoints and the source tree's checkpoints, in this order; what
    is not found there is taken as a folder, and then as an id on the Hugging Face Hub, which is downloaded.

    Raises:
        CheckpointError: there is none.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        for place in _places():
            if os.path.isdir(place / name):
                return place / name
    # os.path.isdir and not Path.is_dir: it also answers for names that no file could have
    if str(name) and os.path.isdir(name):
        return Path(name)
    if isinstance(name, str) and _HUB_ID.fullmatch(name):
        return download(name)
    known = ", ".join(list_checkpoints()) or "none found"
    shown = shorten(repr(str(name)))
    raise CheckpointError(
        f"There is no checkpoint {shown}; give a folder, a Hub id (owner/name) or one of the names here: {known}."
    )


def download(hub_id: str, **options: Any) -> Path:
    """The local folder of a model on the Hugging Face Hub, with only the files that we read.

    Args:
        hub_id: "owner/name".
        options: revision, token, cache_dir, force_download, local_files_only of `huggingface_hub.snapshot_download`.

    Raises:
        CheckpointError: it cannot be had, or a file is too large.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import DryRunError

    options |= {"allow_patterns": [CONFIG_FILE, WEIGHTS_FILE, *OTHER_FILES]}
    try:
        try:
            for file in snapshot_download(hub_id, dry_run=True, **options):
                if (file.file_size or 0) > MAX_DOWNLOAD_BYTES:
                    raise CheckpointError(
                        f"On the Hugging Face Hub, {file.filename} of '{hub_id}' has {file.file_size} bytes; at most "
                        f"{MAX_DOWNLOAD_BYTES} are fetched."
                    )
        except DryRunError:  # the Hub is out of reach: an earlier download will do
            options |= {"local_files_only": True, "force_download": False}
        return Path(snapshot_download(hub_id, **options))
    except CheckpointError:
        raise
    except Exception as error:  # the client passes on whatever its transport raises
        raise CheckpointError(
            f"'{hub_id}' is no folder here and could not be fetched from the Hugging Face Hub; check the name and "
            "the network, or give the folder of a checkpoint."
        ) from error


def list_checkpoints() -> list[str]:
    """The names that `load` finds without a path and whose files look whole, the default first."""
    return [summary.name for summary in summarise_checkpoints() if summary.problem is None]


def summarise_checkpoints() -> list[CheckpointSummary]:
    """Every checkpoint in the places where names are looked for, the default first; broken ones with their problem.

    Reads configs and headers, no weights: a weight that is not a number is found by `load` alone. Never raises.
    """
    folders: dict[str, Path] = {}
    for place in _places():
        with contextlib.suppress(OSError):
            for folder in place.iterdir():
                if not folder.name.startswith(".") and os.path.isdir(folder):
                    folders.setdefault(folder.name, folder)
    names = sorted(folders, key=lambda name: (name != DEFAULT_NAME, name))
    return [_summarise(name, folders[name]) for name in names]


def read_model(folder: Path, device: str = "cpu") -> BiGAN:
    """The model of a checkpoint folder, as `load` returns it.

    Raises:
        CheckpointError: the folder is broken, or not a checkpoint of ours.
        ValueError: no such device.
    """
    target = _checked_device(device)
    config = read_config(folder)
    model = skeleton(config)
    tensors: dict[str, Tensor] = {}
    with _open_weights(folder, config) as file:
        for name in _shapes(config):
            tensors[name] = file.get_tensor(name).to(target, torch.float32, copy=True)
            if problem := _problem_of(name, tensors[name]):
                raise CheckpointError(f"In the checkpoint '{folder}', {WEIGHTS_FILE} is unusable: {problem}.")
    counts = {name: torch.zeros((), dtype=torch.int64, device=target) for name in model.state_dict() if COUNT in name}
    model.load_state_dict(tensors | counts, assign=True)
    return model.eval().requires_grad_(False)


def save(model: BiGAN, folder: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write config.json and model.safetensors. The folder's other files stay, and equal weights give equal bytes.

    A new folder appears complete. In an existing one each file is written beside and renamed, so that whoever reads
    it, even after a crash, finds the old checkpoint or the new one, or (where the config changed too) one without
    weights, but never a mixture.

    Args:
        model: what to save.
        folder: where to.
        dtype: of the weights in the file; batch-norm statistics stay float32.

    Raises:
        ValueError: a weight is not finite in that dtype, or the dtype is not a float of 16 or 32 bits.
    """
    folder, content = Path(folder), safetensors.torch.save(_stored_tensors(model, dtype), {"format": "pt"})
    config = (json.dumps(config_values(model.config), indent=2) + "\n").encode()
    if folder.exists():
        path = folder / CONFIG_FILE
        if not path.is_file() or path.read_bytes() != config:
            (folder / WEIGHTS_FILE).unlink(missing_ok=True)
            write_file(path, lambda file: file.write(config))
        write_file(folder / WEIGHTS_FILE, lambda file: file.write(content))
        return
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".tmp", dir=parent) as beside:
        fresh = Path(beside) / folder.name
        write_file(fresh / CONFIG_FILE, lambda file: file.write(config))
        write_file(fresh / WEIGHTS_FILE, lambda file: file.write(content))
        fresh.rename(folder)
    sync_folder(parent)


def _places() -> list[Path]:
    """Folders in which checkpoints are looked up by name, first things first."""
    named = os.environ.get("BIGAN_CHECKPOINTS")
    places = [Path(named)] if named else []
    places += [Path("checkpoints"), Path(__file__).parents[1] / "checkpoints"]
    return list({place.absolute(): place for place in places})


def _summarise(name: str, folder: Path) -> CheckpointSummary:
    try:
        if not _NAME.fullmatch(name):
            raise CheckpointError(
                f"The checkpoint '{folder}' must be renamed to letters, digits, dots, dashes and underscores."
            )
        config = read_config(folder)
        with _open_weights(folder, config):
            return CheckpointSummary(name, folder, config, None)
    except (ValueError, OSError) as error:
        return CheckpointSummary(name, folder, None, str(error))


def skeleton(config: ModelConfig) -> BiGAN:
    """A model of this config that takes no memory: names and shapes only."""
    with torch.device("meta"):
        return BiGAN(config)


@functools.lru_cache(MAX_SHAPES)
def _shapes(config: ModelConfig) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of the tensors that a checkpoint of such a model holds."""
    tensors = skeleton(config).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in tensors.items() if COUNT not in name}


@contextlib.contextmanager
def _open_weights(folder: Path, config: ModelConfig) -> Iterator[Any]:
    """The weights file of a folder, opened once its header is known to be that of a model of this config."""
    where, path, expected = f"In the checkpoint '{folder}', {WEIGHTS_FILE}", folder / WEIGHTS_FILE, _shapes(config)
    size = sum(math.prod(shape) for shape in expected.values())
    checked_file(path, size * torch.float32.itemsize + MAX_HEADER_BYTES)
    try:
        with path.open("rb") as raw:
            if int.from_bytes(raw.read(8), "little") > MAX_HEADER_BYTES:  # a file begins with its header's length
                raise CheckpointError(f"{where} is not a safetensors file, or its header is too long.")
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            if different := sorted(expected.keys() ^ found.keys()):
                name, has = different[0], "lacks" if different[0] in expected else "has the foreign"
                raise CheckpointError(f"{where} {has} tensor {shorten(repr(name))}; it does not fit {CONFIG_FILE}.")
            for name, shape in expected.items():
                if (seen := tuple(found[name].get_shape())) != shape:
                    raise CheckpointError(f"{where} has '{name}' of shape {seen}; {CONFIG_FILE} asks for {shape}.")
                if found[name].get_dtype() not in WEIGHT_DTYPES.values():
                    allowed = ", ".join(WEIGHT_DTYPES.values())
                    raise CheckpointError(f"{where} has '{name}' as {found[name].get_dtype()}; allowed are {allowed}.")
            yield file
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{where} is damaged or not a safetensors file.") from error


def _stored_tensors(model: BiGAN, dtype: torch.dtype) -> dict[str, Tensor]:
    if dtype not in WEIGHT_DTYPES:
        allowed = ", ".join(str(allowed) for allowed in WEIGHT_DTYPES)
        raise ValueError(f"The dtype of a checkpoint is {dtype}; it must be one of {allowed}.")
    tensors = {}
    for name, tensor in model.state_dict().items():
        if COUNT not in name:
            stored = torch.float32 if name.endswith(STATISTICS) else dtype
            tensors[name] = tensor.detach().to("cpu", stored).contiguous()
            if problem := _problem_of(name, tensors[name]):
                raise ValueError(f"The model cannot be saved as {dtype}: {problem}.")
    return tensors


def _problem_of(name: str, tensor: Tensor) -> str | None:
    if not tensor.isfinite().all():
        return f"'{name}' holds values that are not finite"
    if name.endswith("running_var") and not (tensor > 0).all():
        return f"'{name}' holds variances that are not positive"
    return None


def _checked_device(device: str) -> torch.device:
    try:
        torch.zeros(1, device=device).item()  # which a device without memory ("meta") cannot answer either
        return torch.device(device)
    except (RuntimeError, AssertionError, ImportError) as error:  # the last two: a PyTorch built without that device
        raise ValueError(f"device is {device!r}; it must be one that PyTorch has here, such as 'cpu'.") from error
