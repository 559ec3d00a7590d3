"""`python -m bigan reproduce table1`: the paper's table, trained where it has to be, measured, and set side by side."""

import dataclasses
import platform
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from bigan.cli.command import Answer, Command, FileOption, FolderOption, check_kind, check_range, table, tell
from bigan.cli.data import is_gallery, read_parts
from bigan.cli.train import RUNS, ChosenRecipe, Train, option_words, portable
from bigan.config import RECIPES, Recipe, Split, TrainConfig
from bigan.evaluation.paper import OFFICIAL_LOG, TABLE_1
from bigan.evaluation.rows import REFERENCE, ROWS, Row, RowName
from bigan.files import GALLERY_FILE

if TYPE_CHECKING:
    from bigan.data import Dataset
    from bigan.evaluation.table1 import Table1
    from bigan.models.bigan import BiGAN

RESULTS = Path("results")
PAPER_EPOCHS = RECIPES["mnist"].train.total_epochs
MAX_EPOCHS, MAX_SEEDS = 100_000, 100


@dataclass(frozen=True)
class Made:
    """The model of a row, and how it came about."""

    model: "BiGAN"
    seed: int
    epochs: int
    training: dict[str, Any] | None
    """What train.json says of it; None where nothing was trained."""


@dataclass(frozen=True, kw_only=True)
class Reproduce(Command):
    """Measure the paper's Table 1 and the rows beside it; train what is missing; print paper and ours side by side.

    A checkpoint of a recipe's name, or a finished run, is used where it was trained as asked; an interrupted run is
    continued. Rows that OUT holds already stay as they are while their weights do.
    """

    what: tyro.conf.Positional[Literal["table1"]]
    """The paper's Table 1: 1-nearest-neighbour accuracy on permutation-invariant MNIST."""
    data: FolderOption = None
    """Where MNIST lies (also: $BIGAN_DATA, ~/.cache/bigan/data), or a gallery.npz in its place."""
    download: bool = False
    """Fetch MNIST when it is not there."""
    epochs: int = PAPER_EPOCHS
    """Epochs of every training, the second half of them with a decaying learning rate; a recipe made for fewer than
    the paper's 400 stays below its own."""
    rows: tuple[RowName, ...] = ()
    """Which rows to measure; all if none is named."""
    seeds: int = 1
    """BiGANs to train, from seeds 42, 43 and so on; two or more give the spread."""
    split: Split = "test"
    """"test" is the paper's (60,000 against 10,000), "validation" leaves the test set alone (50,000 against 10,000)."""
    size: Literal["paper", "tiny"] = "paper"
    """"tiny" has hidden layers as the recipe of that name, to try the command out in seconds."""
    runs: Annotated[Path, tyro.conf.arg(metavar="DIR")] = RUNS
    """Where trainings keep their state, each in a folder of its own."""
    out: FileOption = None
    """The .json file to write, with a .npz file beside it; results/table1.json if not given."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """What to train on. Rows are measured on the CPU."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained or written."""
        check_range("epochs", self.epochs, 1, MAX_EPOCHS)
        check_range("seeds", self.seeds, 1, MAX_SEEDS)
        if self.seeds > 1 and self.rows and REFERENCE not in self.rows:
            raise ValueError(f"seeds is {self.seeds}, but rows does not name {REFERENCE}, the one that has several.")
        check_kind(self.file, ".json")

    @property
    def file(self) -> Path:
        """Where the figures go: figures that are not those of the paper's table never into its file."""
        return self.out or RESULTS / f"{self._named('table1')}.json"

    def run(self) -> Answer:
        """Train and measure one row after the other, keeping each as soon as it is there."""
        from bigan.evaluation.table1 import save_table

        parts = read_parts(RECIPES["mnist"].model, self.split, self.data, self.download)
        measured = self._read(*parts)
        for name, row, seed in self._asked():
            made = self._make(row, seed, parts[0])
            measured = self._read(*parts)  # again: while this row was trained, another process may have added its own
            measured = self._measure(measured, name, row, made, *parts)
            save_table(measured, self.file)
        return Answer(measured.to_dict(), _text(measured, self.file))

    def _read(self, training: "Dataset", held_out: "Dataset") -> "Table1":
        """The table in the file, or an empty one."""
        import torch

        from bigan.data import fingerprint
        from bigan.evaluation.table1 import Table1, load_table
        from bigan.run import differences

        settings = {
            "dataset": training.name,
            "protocol": self.split,
            "data_sha256": fingerprint(training.images, training.labels, held_out.images, held_out.labels),
            "num_references": len(training),
            "num_queries": len(held_out),
            "epochs": self.epochs,
            "size": self.size,
        }
        found = load_table(self.file)
        if found is None:
            return Table1(settings, held_out.labels.to(torch.uint8).numpy())
        if different := differences(dict(found.settings), settings):
            raise ValueError(f"{self.file} holds another table ({different}); give another file with --out.")
        return found

    def _asked(self) -> list[tuple[str, Row, int]]:
        """Name, row and seed of all there is to measure."""
        from bigan.evaluation.table1 import seeded

        first = RECIPES["mnist"].train.seed
        asked: list[tuple[str, Row, int]] = [(name, ROWS[name], first) for name in self.rows or ROWS]
        if not self.rows or REFERENCE in self.rows:
            others = range(first + 1, first + self.seeds)
            asked += [(seeded(REFERENCE, seed), ROWS[REFERENCE], seed) for seed in others]
        return asked

    def _recipe(self, name: str, seed: int) -> Recipe:
        """A recipe as it is asked for; what it begins with is trained first where that is missing."""
        usual = RECIPES[name]
        model = usual.model
        if self.size == "tiny":
            model = dataclasses.replace(model, hidden_dim=RECIPES["tiny"].model.hidden_dim)
        own = usual.train.total_epochs
        epochs = self.epochs if own == PAPER_EPOCHS else min(self.epochs, own)
        decay_epochs = epochs // 2
        train = dataclasses.replace(
            usual.train, epochs=epochs - decay_epochs, decay_epochs=decay_epochs, split=self.split, seed=seed
        )
        if train.start is not None:
            train = dataclasses.replace(train, start=self._trained(train.start, self._recipe(train.start, seed)))
        return Recipe(model, train)

    def _named(self, name: str, seed: int | None = None) -> str:
        """The name with all that is not as in the paper: "mnist", "mnist-seed-43", "mnist-validation-2-epochs"."""
        from bigan.evaluation.table1 import run_name

        words = [run_name(name, None if seed == RECIPES["mnist"].train.seed else seed)]
        words += ["gallery"] * is_gallery(self.data) + ["validation"] * (self.split == "validation")
        words += [f"{self.epochs}-epochs"] * (self.epochs != PAPER_EPOCHS) + ["tiny"] * (self.size == "tiny")
        return "-".join(words)

    def _make(self, row: Row, seed: int, training: "Dataset") -> Made | None:
        """The model that a row needs, trained first where it is missing."""
        from bigan import checkpoint
        from bigan.evaluation.representation import untrained_model
        from bigan.records import read_train

        if row.recipe is None:
            return None
        recipe = self._recipe(row.recipe, seed)
        if not row.is_trained:
            return Made(untrained_model(recipe, training.images), recipe.train.seed, 0, None)
        folder = checkpoint.find(self._trained(row.recipe, recipe))
        facts = read_train(folder) or {}
        said = {key: facts.get(key) for key in ("command", "device", "processor", "processes", "threads", "versions")}
        said["seconds"] = round(3600 * facts.get("hours", 0))
        return Made(checkpoint.load(folder), seed, recipe.train.total_epochs, said)

    def _trained(self, recipe_name: str, recipe: Recipe) -> str:
        """A checkpoint of this recipe as asked for, by its name or its folder, trained first where there is none."""
        from bigan import checkpoint

        name = self._named(recipe_name, recipe.train.seed)
        made = str(self.runs / name / "checkpoint")
        for place in (name, made):
            try:
                folder = checkpoint.find(place)
            except checkpoint.CheckpointError:
                continue
            different = self._differences(folder, recipe)
            if not different:
                return place
            tell(f"{folder} is not what is asked for: {different}.")
        tell(f"Training {name}.")
        train = Train(
            recipe=ChosenRecipe(recipe_name, recipe.model, recipe.train),
            data=self.data,
            download=self.download,
            out=self.runs / name,
            accelerator=self.accelerator,
        )
        train.run()
        return made

    def _differences(self, folder: Path, recipe: Recipe) -> str:
        """What of a checkpoint's model, data and training is not as in the recipe; empty where all is."""
        from bigan.records import read_config, read_train
        from bigan.run import differences

        facts = read_train(folder) or {}
        try:
            train = TrainConfig.from_dict(facts["train"])
            # a checkpoint keeps those networks that are of use, and may have begun with the same one in another place
            config = dataclasses.replace(read_config(folder), networks=recipe.model.networks)
            train = dataclasses.replace(train, start=recipe.train.start)
        except (KeyError, TypeError, ValueError):
            return "it does not say how it was trained"
        found = config.to_dict() | train.to_dict() | {key: facts.get(key) for key in ("dataset", "epochs_done")}
        if recipe.train.start is not None and not _same_generator(folder, recipe.train.start):
            return "its G is another one than that of the GAN it should begin with"
        dataset = f"gallery of {config.dataset}" if is_gallery(self.data) else config.dataset
        asked = recipe.model.to_dict() | recipe.train.to_dict()
        return differences(found, asked | {"dataset": dataset, "epochs_done": recipe.train.total_epochs})

    def _measure(
        self, measured: "Table1", name: str, row: Row, made: Made | None, training: "Dataset", held_out: "Dataset"
    ) -> "Table1":
        """The table with this row, measured unless it holds it already."""
        import sklearn
        import torch

        import bigan
        from bigan.evaluation.report import weights_sha256
        from bigan.evaluation.representation import answers
        from bigan.machine import processor_name

        digest = weights_sha256(made.model) if made else None
        if name in measured.answers and measured.facts[name]["weights_sha256"] == digest:
            tell(f"{name} is measured already.")
            return measured
        tell(f"Measuring {name} on {len(held_out):,} images against {len(training):,} ({self.split}).")
        start = time.perf_counter()
        found = answers(row.features, made.model if made else None, training, held_out)
        libraries = {"bigan": bigan.__version__, "torch": torch.__version__, "scikit-learn": sklearn.__version__}
        evaluation = {
            "command": self.command_line(name),
            "device": "cpu",
            "processor": processor_name(),
            "threads": torch.get_num_threads(),
            "versions": {**libraries, "python": platform.python_version()},
            "seconds": round(time.perf_counter() - start, 1),
        }
        facts = {
            "seed": made.seed if made else None,
            "epochs": made.epochs if made else None,
            "weights_sha256": digest,
            "training": made.training if made else None,
            "evaluation": evaluation,
        }
        return measured.with_row(name, facts, found)

    def command_line(self, name: str) -> str:
        """The command that measures one row anywhere, and for another seed's those before it.

        DIR stands for a place outside this folder.
        """
        from bigan.evaluation.table1 import name_parts

        base, seed = name_parts(name)
        words = ["python", "-m", "bigan", "reproduce", self.what, "--rows", base]
        if seed is not None:
            words += ["--seeds", str(seed - RECIPES["mnist"].train.seed + 1)]
        if self.data is not None:
            words += ["--data", portable(self.data, f"DIR/{GALLERY_FILE}" if is_gallery(self.data) else "DIR")]
        for field in dataclasses.fields(self):
            if field.name in ("epochs", "split", "size") and getattr(self, field.name) != field.default:
                words += option_words(field.name, getattr(self, field.name))
        return shlex.join(words)


def _same_generator(folder: Path, start: str) -> bool:
    """Whether two checkpoints have one G, as they must where it was not trained on; its statistics may differ."""
    import torch

    from bigan import checkpoint

    pairs = zip(*(checkpoint.load(place).generator.parameters() for place in (folder, start)), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def _text(measured: "Table1", file: Path) -> str:
    document = measured.to_dict()
    header = ["row", "compared", "paper", "log", "ours", "95 % interval", "to BiGAN", "McNemar's p", "trained"]
    head = (
        f"{document['dataset']}, {document['num_queries']:,} images against {document['num_references']:,} "
        f"({document['protocol']} protocol), {document['epochs']} epochs: 1-nearest-neighbour accuracy in %"
    )
    lines = [head, "", table(header, [_cells(row) for row in document["rows"]]), ""]
    if spread := document["spread"]:
        lines.append(
            f"BiGAN over {len(spread['seeds'])} seeds: {spread['mean']:.2f} %, standard deviation "
            f"{spread['standard_deviation']:.2f} points."
        )
    if any(row["published"] for row in document["rows"]):
        lines.append(f"paper: {TABLE_1}; log: {OFFICIAL_LOG} (of an untrained E, epoch 0), on 10,000 held-out images.")
    return "\n".join([*lines, f"Written to {file}, and every single answer to {file.with_suffix('.npz')}."])


def _cells(row: dict[str, Any]) -> list[str]:
    published = {figure["source"] == TABLE_1: f"{figure['value']:.2f}" for figure in row["published"]}
    difference = row["to_bigan"]
    return [
        row["title"],
        row["what"],
        published.get(True, "-"),
        published.get(False, "-"),
        f"{row['accuracy']:.2f}",
        "{:.2f} to {:.2f}".format(*row["interval"]),
        f"{difference['points']:+.2f}" if difference else "-",
        f"{difference['p_value']:.2g}" if difference else "-",
        f"{row['training']['seconds'] / 60:.1f} min" if row["training"] else "-",
    ]
