"""`python -m bigan sample`: G(z) of latents from the prior, as one picture or as arrays."""

import math
from dataclasses import dataclass
from pathlib import Path

from bigan.cli.command import (
    ENLARGEMENT,
    Answer,
    ModelCommand,
    OutFile,
    check_kind,
    check_range,
    table,
)
from bigan.config import MAX_SEED

MAX_COUNT = 10_000


@dataclass(frozen=True, kw_only=True)
class Sample(ModelCommand):
    """Draw images G(z) into a PNG, or with their latents into an NPZ file."""

    seed: int = 0
    """The same seed draws the same latents, whatever the count."""
    count: int = 64
    """How many."""
    truncation: float = 1.0
    """1 is the prior itself; less draws closer to its centre."""
    out: OutFile = Path("samples.png")
    """The file to write, .png or .npz."""

    def __post_init__(self) -> None:
        """Refuse what cannot be written or drawn."""
        check_kind(self.out, ".png", ".npz")
        check_range("count", self.count, 1, MAX_COUNT)
        check_range("seed", self.seed, 0, MAX_SEED)
        if not 0 < self.truncation <= 1:
            raise ValueError(f"truncation is {self.truncation}; it must be above 0 and at most 1.")

    def run(self) -> Answer:
        """Draw and write."""
        import numpy as np

        from bigan.arrays import write_arrays
        from bigan.files import write_file
        from bigan.pictures import mosaic, png_bytes

        _, model = self.load()
        z = model.sample_latents(self.count, self.seed, self.truncation)  # (B, Z)
        x = model.generate(z)  # (B, C, H, W)
        judged = model.config.shortcoming("score") is None
        logits = {"logits": model.score(x, z).cpu()} if judged else {}  # (B,)
        if self.out.suffix.lower() == ".png":
            content = png_bytes(mosaic(x, math.ceil(math.sqrt(self.count)), ENLARGEMENT))
            write_file(self.out, lambda file: file.write(content))
        else:
            arrays = {name: tensor.cpu().numpy() for name, tensor in ({"z": z, "x": x} | logits).items()}
            facts = {"seed": np.int64(self.seed), "truncation": np.float64(self.truncation)}
            write_arrays(self.out, **arrays, **{name: np.asarray(value) for name, value in facts.items()})
        document = {
            "checkpoint": self.name,
            "out": str(self.out),
            "seed": self.seed,
            "count": self.count,
            "truncation": self.truncation,
            **{name: tensor.tolist() for name, tensor in logits.items()},
        }
        rows = [["images", str(self.count)]]
        for tensor in logits.values():
            rows += [
                ["taken by D for pairs of a real image with its code", str(int((tensor > 0).sum()))],
                ["mean logit of D", f"{tensor.mean().item():.3f}"],
            ]
        return Answer(document, f"{table((f'seed {self.seed}', ''), rows)}\n\nWritten to {self.out}.")
