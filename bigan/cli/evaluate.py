"""`python -m bigan evaluate`: a checkpoint's figures by the paper's protocol, the published ones beside them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bigan.cli.command import Answer, FolderOption, ModelCommand, check_range, table, tell
from bigan.cli.data import is_gallery, read_parts
from bigan.config import MAX_SEED, Split

if TYPE_CHECKING:
    from bigan.evaluation.report import EvaluationReport, Measurement
    from bigan.kinds import Kind


@dataclass(frozen=True, kw_only=True)
class Evaluate(ModelCommand):
    """Measure a checkpoint: the official code's metrics under its names, with the published figures."""

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

    def __post_init__(self) -> None:
        """Refuse a seed that not all random generators take."""
        check_range("seed", self.seed, 0, MAX_SEED)

    def run(self) -> Answer:
        """Measure, and save if asked."""
        from bigan.card import write_card
        from bigan.evaluation.report import evaluate
        from bigan.files import write_text
        from bigan.kinds import kind_of
        from bigan.records import METRICS_FILE, read_train

        if self.save and is_gallery(self.data):
            raise ValueError(f"--save keeps figures of the real data set only, and {self.data} is a gallery.")
        folder, model = self.load()
        self._check_held_out(folder)
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
            write_text(folder / METRICS_FILE, json.dumps(document, indent=2, allow_nan=False) + "\n")
            write_card(folder)
        return Answer(document, _text(report, kind_of(model.config, read_train(folder))))

    def _check_held_out(self, folder: Path) -> None:
        """Refuse to measure by images that the weights have seen, as far as train.json tells."""
        from bigan.records import read_train

        settings = (read_train(folder) or {}).get("train")
        if self.protocol == "validation" and isinstance(settings, dict) and settings.get("split") == "test":
            raise ValueError(
                "These weights were trained on the images that `validation` holds out; use --protocol test."
            )


def _text(report: "EvaluationReport", kind: "Kind") -> str:
    """The figures as a table, beside them what others published of such a model."""
    from bigan.evaluation.paper import published

    rows = []
    sources: list[str] = []
    for name, metric in report.metrics.items():
        other = published(report.dataset, kind.row, name, report.protocol)
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
