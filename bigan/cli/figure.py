"""`python -m bigan figure`: the paper's picture of a model, G(z) above x above G(E(x))."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bigan.cli.command import (
    ENLARGEMENT,
    Answer,
    FolderOption,
    ModelCommand,
    OutFile,
    check_kind,
    check_range,
    table,
)
from bigan.cli.data import read_parts
from bigan.config import MAX_SEED

if TYPE_CHECKING:
    from jaxtyping import Int64
    from torch import Tensor

    from bigan.data import Dataset
    from bigan.models.bigan import BiGAN

MAX_COLUMNS = 100


@dataclass(frozen=True, kw_only=True)
class Figure(ModelCommand):
    """Draw the paper's figure into a PNG: a row of samples G(z), one of real images x, and one of G(E(x)) below them.

    The real images are drawn from the seed, as many of each class, in the order of the classes.
    """

    data: FolderOption = None
    """Where its data set lies, whose held-out images are x (also: $BIGAN_DATA, ~/.cache/bigan/data), or a gallery.npz;
    the checkpoint's own where there is neither."""
    columns: int = 20
    """How many of each."""
    seed: int = 0
    """Of the latents and of the choice of images."""
    out: OutFile = Path("figure.png")
    """The picture to write."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_kind(self.out, ".png")
        check_range("columns", self.columns, 1, MAX_COLUMNS)
        check_range("seed", self.seed, 0, MAX_SEED)

    def run(self) -> Answer:
        """Draw and write."""
        import torch

        from bigan.data import scale
        from bigan.files import write_file
        from bigan.pictures import mosaic, png_bytes

        folder, model = self.load()
        images = self._images(folder, model)
        chosen = balanced_choice(images.labels, self.columns, self.seed)  # (B,)
        x = scale(images.images[chosen])  # (B, C, H, W)
        generated = model.generate(model.sample_latents(len(x), self.seed)).cpu()  # (B, C, H, W)
        x_hat = model.reconstruct(x).cpu()  # (B, C, H, W)
        content = png_bytes(mosaic(torch.cat([generated, x, x_hat]), len(x), ENLARGEMENT))
        write_file(self.out, lambda file: file.write(content))
        distances = torch.linalg.vector_norm((x_hat - x).flatten(1), dim=1)  # (B,)
        document = {
            "checkpoint": self.name,
            "out": str(self.out),
            "seed": self.seed,
            "rows": ["G(z)", "x", "G(E(x))"],
            "dataset": images.name,
            "indices": chosen.tolist(),
            "labels": [images.class_names[label] for label in images.labels[chosen].tolist()],
            "distances": distances.tolist(),
        }
        facts = [
            ["images of each row", str(len(x))],
            ["x is drawn from", images.name],
            ["mean distance from x to G(E(x))", f"{distances.mean():.2f}"],
        ]
        text = f"{table((f'seed {self.seed}', ''), facts)}\n\nWritten to {self.out}: G(z), x, G(E(x))."
        return Answer(document, text)

    def _images(self, folder: Path, model: "BiGAN") -> "Dataset":
        """The real images to choose from."""
        from bigan.data import DataError, Dataset
        from bigan.explore.gallery import load_gallery

        try:
            _, held_out = read_parts(model.config, "test", self.data)
        except DataError:
            gallery = load_gallery(folder)
            if self.data is not None:
                raise
            if gallery is None:
                raise DataError(
                    f"The checkpoint '{folder}' has no gallery; say where real images lie with --data."
                ) from None
            return Dataset(f"gallery of {model.config.dataset}", gallery.images, gallery.labels, gallery.class_names)
        if (shape := tuple(held_out.images.shape[1:])) != model.config.image_shape:
            raise DataError(f"The images of {held_out.name} are {shape}; this model needs {model.config.image_shape}.")
        return held_out


def balanced_choice(labels: "Int64[Tensor, ' N']", count: int, seed: int) -> "Int64[Tensor, ' B']":
    """Indices of so many images, or of all: the classes in turns at random, then sorted by class."""
    import torch

    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))  # (N,)
    shuffled = labels[order]  # (N,)
    turns = torch.empty_like(shuffled)  # how many of its class come before each
    for label in shuffled.unique():
        turns[shuffled == label] = torch.arange(int((shuffled == label).sum()))
    chosen = order[turns.argsort(stable=True)[:count]]  # (B,)
    return chosen[labels[chosen].argsort(stable=True)]
