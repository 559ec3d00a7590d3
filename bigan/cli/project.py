"""`python -m bigan project`: the maps of a checkpoint's gallery, made by UMAP and stored for the app."""

from dataclasses import dataclass

from bigan.cli.command import Answer, ModelCommand, check_range, table, tell
from bigan.config import MAX_SEED
from bigan.files import PROJECTION_FILE


@dataclass(frozen=True, kw_only=True)
class Project(ModelCommand):
    """Map the gallery in pixels, E(x) and E's last hidden layer, and write projection.npz into the checkpoint."""

    seed: int = 42
    """Of UMAP."""

    def __post_init__(self) -> None:
        """Refuse a seed that UMAP does not take."""
        check_range("seed", self.seed, 0, MAX_SEED)

    def run(self) -> Answer:
        """Map, write, and say how far each map can be trusted."""
        from bigan.card import write_card
        from bigan.explore.gallery import load_gallery
        from bigan.explore.projection import project, save_projection

        folder, model = self.load()
        model.check_can("encode")
        gallery = load_gallery(folder)
        if gallery is None:
            raise ValueError(f"The checkpoint {self.name} has no gallery to map; `python -m bigan gallery` makes one.")
        projection = project(model, gallery, self.seed, tell)
        save_projection(projection, folder)
        write_card(folder)
        maps = {
            space: {
                "trustworthiness": found.trustworthiness,
                "label_accuracy_map": found.label_accuracy_map,
                "label_accuracy_full": found.label_accuracy_full,
                "parameters": found.parameters,
            }
            for space, found in projection.maps.items()
        }
        document = {"checkpoint": self.name, "num_images": len(projection.ids), "maps": maps}
        rows = [
            [space, f"{m.trustworthiness:.3f}", f"{m.label_accuracy_map:.3f}", f"{m.label_accuracy_full:.3f}"]
            for space, m in projection.maps.items()
        ]
        header = ("space", "trustworthiness", "15-NN accuracy on the map", "in the full space")
        return Answer(document, f"{table(header, rows)}\n\nWritten to {folder / PROJECTION_FILE}.")
