"""What was tried for the recipe mnist-best, each measured on `validation`: the test set plays no part.

python -m scripts.attempts RUNS [NAME ...]     RUNS is a folder for the runs; all attempts if none is named

Writes results/attempts.json and results/attempts.md; what the first holds already is not trained again.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from bigan.data import IDX_FILES, Part, load

RESULTS = Path("results/attempts.json")
SHORT = "--epochs 10 --decay-epochs 10"
LONG = "--epochs 30 --decay-epochs 30"
METRICS = ("NNC_e-", "NNC_e", "EGr/EGr_b", "NND", "JD")
ATTEMPTS = {  # name: (options, all that set one attempt apart from another; what for)
    "plain": (
        f"{SHORT} --cycle-weight 0 --blind-weight 0",
        "neither term: a BiGAN at this recipe's learning rate, five times the paper's",
    ),
    "cycle": (f"{SHORT} --cycle-weight 0.05 --blind-weight 0", "the cycle term alone (weight 0.05)"),
    "blind": (f"{SHORT} --cycle-weight 0 --blind-weight 10", "the blind classifiers alone (weight 10)"),
    "short": (f"{SHORT} --cycle-weight 0.05 --blind-weight 10", "both terms (0.05 and 10)"),
    "cycle-0.2": (
        f"{SHORT} --cycle-weight 0.2 --blind-weight 10",
        "a heavier cycle term (0.2 and 10): the weights that were chosen",
    ),
    "cycle-1": (f"{SHORT} --cycle-weight 1 --blind-weight 10", "a cycle term heavier still (1 and 10)"),
    "blind-30": (f"{SHORT} --cycle-weight 0.2 --blind-weight 30", "heavier blind classifiers (0.2 and 30)"),
    "long": (f"{LONG} --cycle-weight 0.2 --blind-weight 10", "the chosen weights, trained for 60 epochs and not 20"),
    "permuted": (
        f"{SHORT} --cycle-weight 0.2 --blind-weight 10",
        "the chosen weights, the pixels of all images in another fixed order",
    ),
}


def main() -> None:
    """Train, measure and write one attempt after the other."""
    runs, chosen = Path(sys.argv[1]), sys.argv[2:] or list(ATTEMPTS)
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in chosen:
        options, why = ATTEMPTS[name]
        if name in found:
            found[name]["why"] = why
            _write(found)
            continue
        data = ["--data", str(_permuted_digits(runs / "permuted-digits"))] if name == "permuted" else []
        start = time.monotonic()
        command = ["train", "mnist-best", "--split", "validation", *options.split()]
        _bigan(*command, *data, "--out", str(runs / name))
        minutes = (time.monotonic() - start) / 60
        measure = ["evaluate", str(runs / name / "checkpoint"), "--protocol", "validation", "--json"]
        report = json.loads(_bigan(*measure, *data))
        found[name] = {
            "why": why,
            "command": f"python -m bigan {' '.join(command)}{' --data PERMUTED' if data else ''}",
            "minutes": round(minutes, 1),
            "metrics": {metric: report["metrics"][metric]["value"] for metric in METRICS},
        }
        _write(found)


def _write(found: dict[str, Any]) -> None:
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    RESULTS.with_suffix(".md").write_text(_table(found))


def _permuted_digits(folder: Path) -> Path:
    """Write MNIST with the pixels of all images in one random order."""
    order = torch.randperm(28 * 28, generator=torch.Generator().manual_seed(0))
    folder.mkdir(parents=True, exist_ok=True)
    for part in get_args(Part):
        digits, stem = load("mnist", part), IDX_FILES[part]
        _write_idx(folder / f"{stem}-images-idx3-ubyte", digits.images.flatten(1)[:, order].view(-1, 28, 28).numpy())
        _write_idx(folder / f"{stem}-labels-idx1-ubyte", digits.labels.to(torch.uint8).numpy())
    return folder


def _write_idx(path: Path, values: np.ndarray) -> None:
    """An array of bytes in LeCun's idx format."""
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
    path.write_bytes(header + values.tobytes())


def _bigan(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "bigan", *words], check=True, capture_output=True, text=True).stdout


def _table(found: dict[str, Any]) -> str:
    head = (
        "# What was tried for `mnist-best`\n\n"
        "Measured on `validation` (the last 10,000 training digits among the first 50,000), seed 42, one run of 20\n"
        "epochs each where nothing else is said. The blind classifiers are random ones, never trained, that read E's\n"
        "features (bigan/objectives/consistency.py); a weight of 0 leaves a term out.\n"
        "PERMUTED is MNIST with the pixels of all images in another fixed order, which scripts/attempts.py writes.\n"
    )
    rows = [head, f"| what | {' | '.join(METRICS)} | command |", "| --- " * (len(METRICS) + 2) + "|"]
    for attempt in found.values():
        figures = " | ".join(f"{attempt['metrics'][metric]:.4g}" for metric in METRICS)
        rows.append(f"| {attempt['why']} | {figures} | `{attempt['command']}` |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
