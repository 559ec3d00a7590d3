"""`python -m bigan reconstruct`: pictures through E and back through G, with the numbers that say how well."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from bigan.cli.command import (
    ENLARGEMENT,
    Answer,
    ModelCommand,
    OutFile,
    PreparationOption,
    check_kind,
    table,
    tell,
)

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from bigan.explore.gallery import Gallery
    from bigan.explore.reconstruction import ReconstructionReport
    from bigan.models.bigan import BiGAN


@dataclass(frozen=True, kw_only=True)
class Reconstruct(ModelCommand):
    """Send pictures through E and G: a PNG with a row x, G(E(x)), difference for each, and a report.

    A picture that cannot be used is named on standard error; the others are done, and the exit code is 1.
    """

    files: tyro.conf.Positional[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE...")]]
    """PNG, JPEG, WebP, BMP, TIFF or GIF files."""
    mode: PreparationOption = "plain"
    """"digit" prepares a picture of a digit as MNIST's were: box, centre of mass, polarity."""
    out: OutFile = Path("reconstruction.png")
    """The picture to write."""

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        check_kind(self.out, ".png")
        if not self.files:
            raise ValueError("files is empty; give one picture or more.")

    def run(self) -> Answer:
        """Reconstruct every picture that can be read."""
        import torch

        from bigan.explore.gallery import load_gallery
        from bigan.files import write_file
        from bigan.images import ImageError

        folder, model = self.load()
        files, prepared = [], []
        problems = []
        for file in self.files:
            try:
                prepared.append(model.prepare(file, self.mode))  # (1, C, H, W)
                files.append(str(file))
            except ImageError as error:
                tell(f"{file}: {error}")
                problems.append({"file": str(file), "problem": str(error)})
        facts: list[dict[str, Any]] = []
        if prepared:
            content, facts = _reconstructed(model, load_gallery(folder), files, torch.cat(prepared))
            write_file(self.out, lambda file: file.write(content))
        written = str(self.out) if prepared else None
        document = {"checkpoint": self.name, "out": written, "images": facts, "problems": problems}
        return Answer(document, _text(facts, written), failed=bool(problems))


def _reconstructed(
    model: "BiGAN", gallery: "Gallery | None", files: list[str], x: "Float[Tensor, 'B C H W']"
) -> tuple[bytes, list[dict[str, Any]]]:
    """The PNG of all rows, and what there is to say of each."""
    from bigan.pictures import comparison, png_bytes

    x = x.cpu()
    x_hat, found = _alone(model, x) if gallery is None else _beside_gallery(model, x, gallery)
    facts = [{"file": file} | fact for file, fact in zip(files, found, strict=True)]
    return png_bytes(comparison(x, x_hat, ENLARGEMENT)), facts


def _alone(model: "BiGAN", x: "Float[Tensor, 'B C H W']") -> "tuple[Float[Tensor, 'B C H W'], list[dict[str, Any]]]":
    """G(E(x)), and what can be said of each image by itself."""
    import torch

    from bigan.latent import off_prior_share

    z = model.encode(x)  # (B, Z)
    x_hat = model.generate(z).cpu()  # (B, C, H, W)
    distances = torch.linalg.vector_norm((x_hat - x).flatten(1), dim=1)  # (B,)
    columns = {"distance": distances, "off_prior_share": off_prior_share(z, model.config.prior)}  # (B,) each
    if model.config.shortcoming("score") is None:
        columns["encoder_pair_logit"] = model.score(x, z)  # (B,)
    columns["latent"] = z
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return x_hat, [dict(zip(columns, row, strict=True)) for row in rows]


def _beside_gallery(
    model: "BiGAN", x: "Float[Tensor, 'B C H W']", gallery: "Gallery"
) -> "tuple[Float[Tensor, 'B C H W'], list[dict[str, Any]]]":
    """The same, and what only a gallery of real images can say."""
    import torch

    from bigan.explore.reconstruction import index_gallery, reports

    found = reports(model, x, index_gallery(model, gallery))
    return torch.stack([report.x_hat for report in found]), [_facts(report, gallery.class_names) for report in found]


def _facts(report: "ReconstructionReport", class_names: tuple[str, ...]) -> dict[str, Any]:
    opinions = {
        "encoder_pair_logit": report.encoder_pair_logit,
        "reconstruction_pair_logit": report.reconstruction_pair_logit,
    }
    return {
        "distance": report.distance,
        "off_prior_share": report.off_prior_share,
        "latent": report.z.tolist(),
        "ratio": report.ratio,
        "percentile": report.percentile,
        **{name: logit for name, logit in opinions.items() if logit is not None},
        "neighbours": [
            {"id": near.id, "label": class_names[near.label], "distance": near.distance} for near in report.neighbours
        ],
    }


def _text(facts: list[dict[str, Any]], written: str | None) -> str:
    if written is None:
        return "None of the pictures could be used."
    header = ["file", "distance", "ratio", "closer than to", "outside the prior", "D(x, E(x))", "nearest"]
    rows = []
    for fact in facts:
        row = [fact["file"], f"{fact['distance']:.2f}"]
        row += [f"{fact['ratio']:.2f}", f"{100 * fact['percentile']:.0f} %"] if "ratio" in fact else ["-", "-"]
        logit = fact.get("encoder_pair_logit")
        row += [f"{100 * fact['off_prior_share']:.0f} %", "-" if logit is None else f"{logit:.2f}"]
        near = fact.get("neighbours")
        rows.append([*row, f"{near[0]['label']} ({near[0]['id']})" if near else "-"])
    note = "ratio: to the mean distance between G(E(x)) and gallery images; closer than to: that share of them"
    return f"{table(header, rows)}\n{note}\n\nWritten to {written}: x, G(E(x)), difference."
