"""`python -m bigan interpolate`: a walk between two images through the latent space."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from bigan.cli.command import (
    ENLARGEMENT,
    Answer,
    ModelCommand,
    OutFile,
    PreparationOption,
    check_kind,
    check_range,
    table,
)
from bigan.config import MAX_SEED

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bigan.explore.interpolation import Walk
    from bigan.models.bigan import BiGAN

PathOption = Literal["prior", "slerp", "line"]  # latent.Path, without importing torch
End = Annotated[str, tyro.conf.arg(metavar="sample:SEED:INDEX[:TRUNCATION]|gallery:ID|FILE")]
FRAME_SECONDS = 0.1
MAX_STEPS = 1000
SAMPLE_KINDS = ("sample:", "seed:")  # as in the app's links, and a shorter word for the same
SAMPLE_PATTERN = re.compile(r"(?:sample|seed):(\d{1,10}):(\d{1,4})(?::(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, kw_only=True)
class Interpolate(ModelCommand):
    """Walk from one image to another: GIF or WebP (animated), PNG (strip) or NPZ (latents and images)."""

    start: End = "sample:0:0"
    """A sample by its seed, its index and perhaps its truncation, as in the app's links ("seed:" does as well as
    "sample:"); a gallery image by its id; or a picture's file."""
    end: End = "sample:0:1"
    """The same for the other end."""
    path: PathOption = "prior"
    """"prior" keeps to the prior's own distribution, "slerp" to the sphere, "line" is straight."""
    num_steps: int = 16
    """Images, both ends included."""
    mode: PreparationOption = "plain"
    """How files are prepared; "digit" as MNIST's were."""
    out: OutFile = Path("walk.gif")
    """The file to write: .gif, .webp, .png or .npz."""

    def __post_init__(self) -> None:
        """Refuse what cannot be written, and samples that cannot be drawn."""
        check_kind(self.out, ".gif", ".webp", ".png", ".npz")
        check_range("num_steps", self.num_steps, 2, MAX_STEPS)
        for text in (self.start, self.end):
            if text.startswith(SAMPLE_KINDS):
                _read_sample(text)

    def run(self) -> Answer:
        """Walk and write."""
        from bigan.explore.interpolation import walk

        folder, model = self.load()
        ends = [self._latent(model, folder, text) for text in (self.start, self.end)]  # (Z,) each
        found = walk(model, ends[0], ends[1], self.num_steps, self.path)
        self._write(found)
        document = {
            "checkpoint": self.name,
            "out": str(self.out),
            "start": self.start,
            "end": self.end,
            "path": self.path,
            "num_steps": self.num_steps,
            "off_prior_shares": found.off_prior_shares.tolist(),
            "pixel_steps": found.pixel_steps.tolist(),
            "logits": None if found.logits is None else found.logits.tolist(),
            "unevenness": found.unevenness,
        }
        return Answer(document, _text(found, self.out))

    def _latent(self, model: "BiGAN", folder: Path, text: str) -> "Float[Tensor, ' Z']":
        """The latent that an end stands for."""
        if text.startswith(SAMPLE_KINDS):
            seed, index, truncation = _read_sample(text)
            return model.sample_latents(index + 1, seed, truncation)[index]
        if not text.startswith("gallery:"):
            return model.encode(model.prepare(text, self.mode))[0]
        from bigan.explore.gallery import load_gallery

        gallery = load_gallery(folder)
        if gallery is None:
            raise ValueError(
                f"The checkpoint {self.name} has no gallery; begin and end with sample:SEED:INDEX or a file."
            )
        return model.encode(gallery.image(text.removeprefix("gallery:")))[0]

    def _write(self, found: "Walk") -> None:
        from bigan.arrays import write_arrays
        from bigan.files import write_file
        from bigan.pictures import animation_bytes, mosaic, png_bytes

        kind = self.out.suffix.lower()
        if kind == ".npz":
            arrays = {
                "z": found.latents,
                "x": found.images,
                "off_prior_shares": found.off_prior_shares,
                "pixel_steps": found.pixel_steps,
                "logits": found.logits,
            }
            write_arrays(self.out, **{name: one.numpy() for name, one in arrays.items() if one is not None})
            return
        if kind == ".png":
            content = png_bytes(mosaic(found.images, len(found.images), ENLARGEMENT))
        else:
            frames = [mosaic(image[None], 1, ENLARGEMENT) for image in found.images]
            content = animation_bytes(frames, "webp" if kind == ".webp" else "gif", FRAME_SECONDS)
        write_file(self.out, lambda file: file.write(content))


def _read_sample(text: str) -> tuple[int, int, float]:
    """Seed, index and truncation of a sample."""
    match = SAMPLE_PATTERN.fullmatch(text)
    seed, index, truncation = (int(match[1]), int(match[2]), float(match[3] or 1)) if match else (0, 0, 0.0)
    if seed > MAX_SEED or not 0 < truncation <= 1:
        raise ValueError(
            f"{text!r} is no sample; it must read sample:SEED:INDEX or sample:SEED:INDEX:TRUNCATION, with a seed up to "
            f"{MAX_SEED}, an index up to 9999 and a truncation above 0 and at most 1."
        )
    return seed, index, truncation


def _text(found: "Walk", out: Path) -> str:
    steps = ["", *(f"{step:.2f}" for step in found.pixel_steps.tolist())]
    shares = found.off_prior_shares.tolist()
    logits = ["-"] * len(shares) if found.logits is None else [f"{logit:.2f}" for logit in found.logits.tolist()]
    rows = [[str(i + 1), steps[i], f"{100 * shares[i]:.0f} %", logits[i]] for i in range(len(found.images))]
    body = table(("image", "pixel step", "outside the prior", "D(G(z), z)"), rows)
    return f"{body}\n\nWritten to {out}; steps vary by {100 * found.unevenness:.0f} % of their mean."
