"""`python -m bigan gallery`: real images with labels and ids, to ship beside a checkpoint."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from bigan.cli.command import Answer, Command, FileOption, FolderOption, table
from bigan.config import RECIPES, ModelConfig
from bigan.files import GALLERY_FILE

if TYPE_CHECKING:
    from bigan.explore.gallery import Gallery

NameOption = tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="CHECKPOINT|RECIPE")]]


@dataclass(frozen=True, kw_only=True)
class BuildGallery(Command):
    """Write gallery.npz: 5,000 images of the test set, as many of each class, or OpenCV's sheet of digits."""

    name: NameOption
    """The checkpoint it goes into; or a recipe, with --out."""
    source: FileOption = None
    """OpenCV's sheet of 5,000 digits (digits.png), in place of a test set."""
    data: FolderOption = None
    """Where the data set lies (also: $BIGAN_DATA, ~/.cache/bigan/data)."""
    download: bool = False
    """Fetch the data set when it is not there."""
    out: FolderOption = None
    """The folder to write into; the checkpoint's own if not given."""

    def run(self) -> Answer:
        """Build and write."""
        from bigan import checkpoint
        from bigan.card import write_card
        from bigan.explore.gallery import save_gallery
        from bigan.records import CONFIG_FILE, read_config

        if self.out is not None and self.name in RECIPES:
            folder, config = self.out, RECIPES[self.name].model
        else:
            home = checkpoint.find(self.name)
            folder, config = self.out or home, read_config(home)
        gallery = self._build(config)
        save_gallery(gallery, folder)
        if (folder / CONFIG_FILE).exists():
            write_card(folder)
        counts = gallery.labels.bincount(minlength=len(gallery.class_names)).tolist()
        document = {
            "out": str(folder / GALLERY_FILE),
            "num_images": len(gallery),
            "classes": dict(zip(gallery.class_names, counts, strict=True)),
            "source": gallery.source,
        }
        rows = [[name, str(count)] for name, count in zip(gallery.class_names, counts, strict=True)]
        text = f"{table(('class', 'images'), rows)}\n{gallery.source}\n\nWritten to {folder / GALLERY_FILE}."
        return Answer(document, text)

    def _build(self, config: ModelConfig) -> "Gallery":
        from bigan.data import load
        from bigan.explore.gallery import gallery_from_dataset, gallery_from_digit_sheet

        if self.source is not None:
            return gallery_from_digit_sheet(self.source)
        return gallery_from_dataset(load(config.dataset, "test", self.data, self.download, config.image_shape))
