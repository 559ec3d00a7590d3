"""How long a checkpoint's evaluation takes, and how many images a second each objective trains with."""

import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from bigan import checkpoint, data
from bigan.benchmark import Row, at_most, take_turns
from bigan.benchmark.training import NUM_IMAGES, our_steps, random_images
from bigan.config import RECIPES, Recipe
from bigan.models.bigan import BiGAN

CHECKPOINT = "mnist"
MAX_EVALUATE = 180.0
NUM_ROUNDS, NUM_STEPS = 3, 20
OBJECTIVES = {name: recipe for name, recipe in RECIPES.items() if name.startswith("mnist")}


def evaluate(name: str = CHECKPOINT) -> Row:
    """Seconds of `python -m bigan evaluate NAME --protocol test`, once, from start to end.

    Raises:
        RuntimeError: the command fails.
    """
    words = ["evaluate", name, "--protocol", "test", "--json"]
    try:
        data.load("mnist", "test")
    except data.DataError as error:
        return Row("evaluate", None, "s", f"<= {MAX_EVALUATE:g}", note=str(error))
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "bigan", *words], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return at_most("evaluate", time.perf_counter() - started, "s", MAX_EVALUATE, f"python -m bigan {' '.join(words)}")


def objectives(
    recipes: Mapping[str, Recipe] = OBJECTIVES,
    num_images: int = NUM_IMAGES,
    num_rounds: int = NUM_ROUNDS,
    num_steps: int = NUM_STEPS,
) -> Row:
    """Images a second of the slowest of these trainings, on random images; the note has all of them."""
    rates = {}
    for name, recipe in recipes.items():
        with tempfile.TemporaryDirectory() as folder:
            running = our_steps(_ready(recipe, Path(folder)), random_images(recipe.model, num_images))
            (seconds,) = take_turns(num_rounds, lambda running=running: list(islice(running, num_steps)))  # type: ignore[misc]
        rates[name] = num_steps * recipe.train.batch_size / statistics.median(seconds)
    note = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    return Row("objectives", min(rates.values()), "images/s", note=note)


def _ready(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe, with untrained networks in the folder in place of the trained ones that it may start from."""
    if recipe.train.start is None:
        return recipe
    checkpoint.save(BiGAN(recipe.model).initialise(recipe.train.seed), folder / "start")
    return dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, start=str(folder / "start")))
