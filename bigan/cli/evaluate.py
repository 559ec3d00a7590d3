"""`python -m bigan evaluate`: a checkpoint's figures by the paper's protocol, the published ones beside them."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigan.cli.command import Answer, CheckpointName, Command, FolderOption, table, tell
from bigan.cli.data import is_gallery, read_parts
from bigan.config import Split

if TYPE_CHECKING:
    from bigan.evaluation.report import EvaluationReport, Measurement

METRICS_FILE = "metrics.json"


@dataclass(frozen=True, kw_only=True)
class Evaluate(Command):
    """Measure a checkpoint: the official code's metrics under its names, with the published figures."""

    name: CheckpointName
    """A checkpoint's name, its folder, or its id on the Hugging Face Hub."""
    protocol: Split = "test"
    """"test" holds the test set against all training images (the paper's Table 1), "validation" leaves it alone."""
    data: FolderOption = None
    """Where its data set lies (also: $BIGAN_DATA, ~/.cache/bigan/data), or a gallery.npz in its place."""
    download: bool = False
    """Fetch the data set when it is not there."""
    seed: int = 0
    """Of every random choice."""
    save: bool = False
    """Write metrics.json and the model card into the checkpoint."""

    def run(self) -> Answer:
        """Measure, and save if asked."""
        from bigan import checkpoint
        from bigan.card import write_card
        from bigan.evaluation.report import evaluate
        from bigan.files import write_file

        if self.save and is_gallery(self.data):
            raise ValueError(f"--save keeps figures of the real data set only, and {self.data} is a gallery.")
        folder = checkpoint.find(self.name)
        model = checkpoint.load(folder)
        training, held_out = read_parts(model.config, self.protocol, self.data, self.download)
        report = evaluate(
            model,
            training,
            held_out,
            protocol=self.protocol,
            seed=self.seed,
            progress=lambda metric: tell(f"Measuring {metric}."),
        )
        document = report.to_dict()
        if self.save:
            content = json.dumps(document, indent=2, allow_nan=False) + "\n"
            write_file(folder / METRICS_FILE, lambda file: file.write(content.encode()))
            write_card(folder)
        return Answer(document, _text(report))


def _text(report: "EvaluationReport") -> str:
    from bigan.evaluation.paper import published

    rows = []
    sources: list[str] = []
    for name, metric in report.metrics.items():
        other = published(report.dataset, name, report.protocol)
        theirs = ""
        if other is not None:
            note = f"{other.source} ({other.protocol} protocol)"
            sources += [note] * (note not in sources)
            theirs = f"{_figure(other.value)} [{sources.index(note) + 1}]"
        low_high = "{:.2f} to {:.2f}".format(*metric.interval) if metric.interval else ""
        rows.append([name, _figure(metric.value), metric.unit, low_high, _sizes(metric), theirs])
    head = f"{report.dataset}, protocol {report.protocol}, seed {report.seed}, {report.seconds:.0f} s"
    body = table(("metric", "value", "unit", "95 % interval", "measured on", "published"), rows)
    return "\n".join([head, "", body, *(f"[{i}] {source}" for i, source in enumerate(sources, 1))])


def _figure(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 2 else f"{value:.4f}"


def _sizes(metric: "Measurement") -> str:
    if metric.num_queries is not None:
        return f"{metric.num_queries:,} against {metric.num_references:,}"
    return f"{metric.num_samples:,}" if metric.num_samples is not None else ""
