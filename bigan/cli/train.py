"""`python -m bigan train`: a recipe, trained or continued, and written as a checkpoint."""

import dataclasses
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from bigan.cli.command import Answer, Command, FileOption, FolderOption, table
from bigan.cli.data import is_gallery, open_gallery, read_parts
from bigan.config import RECIPES, ModelConfig, Recipe, TrainConfig
from bigan.files import GALLERY_FILE

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from bigan.explore.gallery import Gallery
    from bigan.run import Run
    from bigan.training import StepMetrics

RUNS = Path("runs")
SHIPPED_GALLERY = Path(__file__).parents[2] / "checkpoints" / "mnist" / GALLERY_FILE
DESCRIPTIONS = {
    "mnist": "The paper's permutation-invariant MNIST model: 400 epochs.",
    "fashion-mnist": "The same networks and training on Fashion-MNIST.",
    "mnist-gan": "The paper's rival D: a standard GAN, whose discriminator gives the features.",
    "mnist-lr": "The rival LR as the official code has it: beside a GAN, E learns z from G(z).",
    "mnist-lr-after": "The rival LR as the paper's text has it: after a GAN, from its checkpoint.",
    "mnist-jlr": "The rival JLR: as LR, and G helps E with a weight of 0.25.",
    "mnist-ae-l2": "The rival AE (l2): x to E to G to x, by squared error.",
    "mnist-ae-l1": "The rival AE (l1): the same by absolute error.",
    "mnist-supervised": "The encoder's network trained with labels, to hold the others against.",
    "mnist-best": "A BiGAN of ours: a cycle term, and an E whose features ignore small changes of an image.",
    "tiny": "A small model that one core trains in under a minute, for trying things out.",
}
TERMINAL_SECONDS, LOG_SECONDS = 0.2, 60.0  # between two updates of the bar, on a terminal and in a log file


@dataclass(frozen=True)
class ChosenRecipe:
    """A recipe by name, with whatever was changed in it."""

    name: tyro.conf.Suppress[str]
    model: ModelConfig
    train: TrainConfig


if TYPE_CHECKING:
    AnyRecipe = ChosenRecipe
else:  # a subcommand for each, so that help shows a recipe's own values
    AnyRecipe = tyro.extras.subcommand_type_from_defaults(
        {name: ChosenRecipe(name, recipe.model, recipe.train) for name, recipe in RECIPES.items()}, DESCRIPTIONS
    )


@dataclass(frozen=True, kw_only=True)
class Train(Command):
    """Train a recipe, or continue where it was interrupted, and write its checkpoint.

    Every setting of the recipe can be changed: `train mnist --help` lists them with their values.
    """

    recipe: AnyRecipe
    data: FolderOption = None
    """Where its data set lies (also: $BIGAN_DATA, ~/.cache/bigan/data), or a gallery.npz to train on."""
    download: bool = False
    """Fetch the data set when it is not there."""
    gallery: FileOption = None
    """Real images to ship with the checkpoint: a gallery.npz or OpenCV's sheet of digits (digits.png)."""
    out: FolderOption = None
    """The run's folder, to continue from; runs/RECIPE if not given."""
    checkpoint: FolderOption = None
    """Where the finished checkpoint goes; OUT/checkpoint if not given."""
    devices: int = 1
    """Processes on this machine, one a device. Each normalises its own share of a batch."""
    num_nodes: int = 1
    """Machines, when started by torchrun on each."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """What to train on."""

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.out or RUNS / self.recipe.name

    def run(self) -> Answer | None:
        """Train to the end and export."""
        from bigan.objectives import objective_of

        # checked and read before the processes start, so that a mistake is said once and at once
        objective_of(self.recipe.train).check_fits(self.recipe.model, self.recipe.train)
        parts = read_parts(self.recipe.model, self.recipe.train.split, self.data, self.download)
        gallery = self._gallery()
        from bigan.card import write_card
        from bigan.run import Run
        from bigan.training import DivergedError, launch, leave

        fabric = launch(self.recipe.train, self.devices, self.num_nodes, self.accelerator)
        run = Run(self.folder, Recipe(self.recipe.model, self.recipe.train), *parts, fabric, gallery)
        try:
            self._follow(run, fabric)
        except DivergedError as error:
            raise ValueError(str(error)) from error
        except KeyboardInterrupt as error:
            epoch = run.saved_epoch()
            words = f"; the same command continues after epoch {epoch}, from {self.folder}."
            begin = " before the first epoch was done; the same command begins again."
            raise ValueError(f"Stopped{words if epoch else begin}") from error
        target = self.checkpoint or self.folder / "checkpoint"
        run.export(target, self.recipe.name, self.command_line())
        leave()
        if fabric.global_rank:
            return None
        write_card(target)
        return self._answer(run, target)

    def command_line(self) -> str:
        """The command that trains the same model anywhere; DIR and FILE stand for places outside this folder."""
        words = ["python", "-m", "bigan", "train", self.recipe.name]
        usual = RECIPES[self.recipe.name]
        words += _changes(self.recipe.model, usual.model) + _changes(self.recipe.train, usual.train)
        if self.data is not None:
            words += ["--data", portable(self.data, f"DIR/{GALLERY_FILE}" if is_gallery(self.data) else "DIR")]
        if self.gallery is not None:
            words += ["--gallery", portable(self.gallery, "FILE")]
        for field in dataclasses.fields(self):
            if field.name in ("devices", "num_nodes", "accelerator") and getattr(self, field.name) != field.default:
                words += option_words(field.name, getattr(self, field.name))
        return shlex.join(words)

    def _gallery(self) -> "Gallery | None":
        """The real images to ship: those named, or those of the data where they may be shipped, or none."""
        from bigan.data import DataError, load
        from bigan.explore.gallery import gallery_from_dataset, gallery_from_digit_sheet

        config = self.recipe.model
        if self.gallery is not None:
            named = self.gallery
            gallery = open_gallery(named) if is_gallery(named) else gallery_from_digit_sheet(named)
        elif self.data is not None and is_gallery(self.data):
            gallery = open_gallery(self.data)
        elif config.dataset == "fashion-mnist":
            gallery = gallery_from_dataset(load(config.dataset, "test", self.data, self.download))
        elif config.dataset == "mnist" and SHIPPED_GALLERY.exists():
            gallery = open_gallery(SHIPPED_GALLERY)
        else:
            return None
        if (shape := tuple(gallery.images.shape[1:])) != config.image_shape:
            raise DataError(f"The gallery's images are {shape}, the model's {config.image_shape}; give another one.")
        return gallery

    def _follow(self, run: "Run", fabric: "Fabric") -> None:
        """Train to the end behind a progress bar."""
        from tqdm import tqdm

        with tqdm(
            desc=self.recipe.name,
            unit=" images",
            unit_scale=True,
            mininterval=TERMINAL_SECONDS if sys.stderr.isatty() else LOG_SECONDS,
            dynamic_ncols=True,
            disable=fabric.global_rank > 0,
        ) as bar:

            def note(row: dict[str, float]) -> None:
                if row.keys() & {"NNC_e-", "NNC_d"}:  # an epoch that was evaluated
                    bar.write(_evaluated(row), file=sys.stderr)

            for metrics in run.steps(note):
                done = (metrics.epoch - 1) * metrics.num_steps + metrics.step
                if bar.total is None:  # the first step says how long an epoch is, and where the run continues
                    bar.total = self.recipe.train.total_epochs * metrics.num_steps * metrics.num_images
                    bar.initial = bar.n = bar.last_print_n = (done - 1) * metrics.num_images
                bar.set_postfix(_postfix(metrics), refresh=False)
                bar.update(metrics.num_images)

    def _answer(self, run: "Run", target: Path) -> Answer:
        last = run.history[-1]
        document = {
            "recipe": self.recipe.name,
            "out": str(self.folder),
            "checkpoint": str(target),
            "command": self.command_line(),
            "hours": round(run.seconds / 3600, 3),
            "last": last,
        }
        rows = [[name, f"{value:.6g}"] for name, value in last.items()]
        return Answer(document, f"{table(('last epoch', ''), rows)}\n\nThe checkpoint is in {target}.")


def _changes(chosen: ModelConfig | TrainConfig, usual: ModelConfig | TrainConfig) -> list[str]:
    """Options for the settings that differ from the recipe's."""
    words: list[str] = []
    for field in dataclasses.fields(chosen):
        value = getattr(chosen, field.name)
        if value != getattr(usual, field.name):
            words += option_words(field.name, value)
    return words


def option_words(name: str, value: Any) -> list[str]:
    """The words that set an option on the command line."""
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    return [f"--{option}", *map(str, value if isinstance(value, tuple) else (value,))]


def portable(path: Path, placeholder: str) -> str:
    """A path that means the same to everybody: one below this folder, or the placeholder."""
    outside = path.is_absolute() or ".." in path.parts or str(path).startswith("~")
    return placeholder if outside else path.as_posix()


def _postfix(metrics: "StepMetrics") -> dict[str, str]:
    return {
        "epoch": str(metrics.epoch),
        **{name: f"{loss:.3f}" for name, loss in metrics.losses.items()},
    }


def _evaluated(row: dict[str, float]) -> str:
    """One line on an evaluated epoch."""
    known = {"epoch", "learning_rate", "seconds", "images_per_second", "EGr", "EGr_b", "NNC_e-", "NNC_d"}
    facts = [f"{name} {value:.3f}" for name, value in row.items() if name not in known]  # the losses
    if "EGr" in row:
        facts.append(f"EGr / EGr_b {row['EGr'] / row['EGr_b']:.3f}")
    facts += [f"{name} {row[name]:.2f} %" for name in ("NNC_e-", "NNC_d") if name in row]
    return f"epoch {row['epoch']:.0f}:  " + "  ".join(facts)
