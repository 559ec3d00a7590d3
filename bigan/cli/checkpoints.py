"""`python -m bigan checkpoints`: what there is to load, and what is wrong with the rest."""

from dataclasses import dataclass
from pathlib import Path

from bigan.cli.command import Answer, Command, table


@dataclass(frozen=True, kw_only=True)
class Checkpoints(Command):
    """List the checkpoints that can be named, the default first; broken ones with what is wrong with them."""

    def run(self) -> Answer:
        """Read configs and headers, no weights."""
        from bigan.checkpoint import summarise_checkpoints

        summaries = summarise_checkpoints()
        sizes = [_size(summary.path) for summary in summaries]
        document = [
            {
                "name": summary.name,
                "path": str(summary.path),
                "config": summary.config.to_dict() if summary.config else None,
                "num_parameters": summary.config.num_parameters if summary.config else None,
                "num_bytes": size,
                "problem": summary.problem,
            }
            for summary, size in zip(summaries, sizes, strict=True)
        ]
        rows = [
            [
                summary.name,
                summary.config.dataset if summary.config else "-",
                ", ".join(summary.config.networks) if summary.config else "-",
                f"{summary.config.num_parameters:,}" if summary.config else "-",
                f"{size / 1e6:.1f} MB",
                summary.problem or "ready",
            ]
            for summary, size in zip(summaries, sizes, strict=True)
        ]
        nothing = "There is no checkpoint here; `python -m bigan train mnist` makes one."
        header = ("name", "data", "networks", "weights", "size", "state")
        return Answer(document, table(header, rows) if rows else nothing)


def _size(folder: Path) -> int:
    """Bytes of the folder's own files."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
