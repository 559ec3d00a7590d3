"""`python -m bigan project`: the maps of a checkpoint's gallery, made by UMAP and stored for the app."""

from dataclasses import dataclass

from bigan.cli.command import Answer, CheckpointName, Command, table, tell


@dataclass(frozen=True, kw_only=True)
class Project(Command):
    """Map the gallery in pixels, E(x) and E's last hidden layer, and write projection.npz into the checkpoint."""

    name: CheckpointName
    """A checkpoint's name or its folder."""
    seed: int = 42
    """Of UMAP."""

    def run(self) -> Answer:
        """Map, write, and say how far each map can be trusted."""
        from bigan import checkpoint
        from bigan.card import write_card
        from bigan.explore.gallery import load_gallery
        from bigan.explore.projection import project, save_projection

        folder = checkpoint.find(self.name)
        gallery = load_gallery(folder)
        if gallery is None:
            raise ValueError(f"The checkpoint {self.name} has no gallery to map; `python -m bigan gallery` makes one.")
        projection = project(checkpoint.load(folder), gallery, self.seed, tell)
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
        return Answer(document, f"{table(header, rows)}\n\nWritten to {folder / 'projection.npz'}.")
