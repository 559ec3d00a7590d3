"""What was tried for the recipe mnist-best, each measured on `validation`: the test set plays no part.

python -m scripts.attempts RUNS [NAME ...]     RUNS is a folder for the runs; all attempts if none is named

Writes results/attempts.json and results/attempts.md; what the first holds already is not trained again.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RESULTS = Path("results/attempts.json")
SHORT = "--epochs 10 --decay-epochs 10"
METRICS = ("NNC_e-", "NNC_e", "EGr/EGr_b", "NND", "JD")
ATTEMPTS = {  # name: (changes of the recipe, what for)
    "short": (SHORT, "the recipe as it is, 20 epochs"),
    "plain": (f"{SHORT} --cycle-weight 0 --blind-weight 0", "neither term: a BiGAN"),
    "cycle": (f"{SHORT} --blind-weight 0", "the cycle term alone"),
    "blind": (f"{SHORT} --cycle-weight 0", "the blind classifiers alone"),
    "blind-3": (f"{SHORT} --blind-weight 3", "a lighter weight of the blind classifiers"),
    "blind-30": (f"{SHORT} --blind-weight 30", "a heavier weight of the blind classifiers"),
    "cycle-0.2": (f"{SHORT} --cycle-weight 0.2", "a heavier cycle term"),
    "wide": (f"{SHORT} --hidden-dim 2048", "twice as many hidden units"),
    "long": ("", "the recipe as it is, 60 epochs"),
}


def main() -> None:
    """Train, measure and write one attempt after the other."""
    runs, chosen = Path(sys.argv[1]), sys.argv[2:] or list(ATTEMPTS)
    for name in chosen:
        found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        if name in found:
            continue
        options, why = ATTEMPTS[name]
        start = time.monotonic()
        command = ["train", "mnist-best", "--split", "validation", *options.split()]
        _bigan(*command, "--out", str(runs / name))
        minutes = (time.monotonic() - start) / 60
        report = json.loads(_bigan("evaluate", str(runs / name / "checkpoint"), "--protocol", "validation", "--json"))
        found[name] = {
            "why": why,
            "command": f"python -m bigan {' '.join(command)}",
            "minutes": round(minutes, 1),
            "metrics": {metric: report["metrics"][metric]["value"] for metric in METRICS},
        }
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")
        RESULTS.with_suffix(".md").write_text(_table(found))


def _bigan(*words: str) -> str:
    return subprocess.run([sys.executable, "-m", "bigan", *words], check=True, capture_output=True, text=True).stdout


def _table(found: dict[str, Any]) -> str:
    rows = [f"| what | {' | '.join(METRICS)} | minutes | command |", "| --- " * (len(METRICS) + 3) + "|"]
    for attempt in found.values():
        figures = " | ".join(f"{attempt['metrics'][metric]:.4g}" for metric in METRICS)
        rows.append(f"| {attempt['why']} | {figures} | {attempt['minutes']} | `{attempt['command']}` |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
