"""Table 1 on a page: what the paper, its authors' log and this project measured, row by row, read from the files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from bigan import checkpoint
from bigan.evaluation.paper import TABLE_1, TABLE_1_ACCURACY
from bigan.evaluation.rows import REFERENCE, ROWS, Row
from bigan.evaluation.table1 import Table1, load_table, name_parts, run_name
from bigan.records import read_history
from bigan.ui import charts, theme
from bigan.ui.loaders import OpenCheckpoint

# As checkpoints: where one is, and then the source tree's.
PLACES = (Path("results"), Path(__file__).parents[2] / "results")
FILE = "table1.json"
HISTORIES = "histories"  # beside it, of trainings whose checkpoints do not ship
NOT_YET = "not measured yet"
FAR_POINTS = 2.0  # a row so far below the BiGAN stands at the edge of the plot, or the others could not be told apart
MARGIN_POINTS = 0.3  # between the edge and the lowest mark
ROW_PX, FRAME_PX = 34, 96
MARK_PX, LINE_PX, NOTE_PX = 10, 2, 13
HALF_ROW = 0.6  # in rows: beyond the first and the last, a little more than half of one


@dataclass(frozen=True)
class Line:
    """A row of the table as far as it is known."""

    name: str
    title: str
    what: str
    paper: float | None
    log: float | None
    measured: dict[str, Any] | None
    """As in the JSON file; None where it is not measured yet."""

    @property
    def accuracy(self) -> float | None:
        """In per cent."""
        return None if self.measured is None else float(self.measured["accuracy"])


def command(found: Table1 | None) -> str:
    """What measures the table, with as many seeds as it has."""
    spread = found.to_dict()["spread"] if found else None
    return "python -m bigan reproduce table1 --data DIR" + (f" --seeds {len(spread['seeds'])}" if spread else "")


def table() -> Table1 | None:
    """The table as measured, or None where there is none.

    Raises:
        bigan.CheckpointError: a file is broken.
    """
    for place in PLACES:
        files = (place / FILE, (place / FILE).with_suffix(".npz"))
        if all(file.is_file() for file in files):
            stats = tuple((stat.st_mtime_ns, stat.st_size) for stat in map(Path.stat, files))
            return _table(str(files[0].absolute()), stats)
    return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _table(path: str, stats: object) -> Table1 | None:  # noqa: ARG001
    return load_table(Path(path))


def lines(found: Table1 | None) -> list[Line]:
    """All rows in the table's order, measured or not; further seeds last."""
    rows = {row["name"]: row for row in (found.to_dict()["rows"] if found else ())}
    further = [name for name in rows if name not in ROWS]
    return [_line(name, ROWS.get(name), rows.get(name)) for name in (*ROWS, *further)]


def _line(name: str, row: Row | None, measured: dict[str, Any] | None) -> Line:
    published = {figure.source == TABLE_1: figure.value for figure in TABLE_1_ACCURACY.get(name, ())}
    title, what = (row.title, row.what) if row else ((measured or {})["title"], (measured or {})["what"])
    return Line(name, title, what, published.get(True), published.get(False), measured)


def plot(shown: Sequence[Line], *, key: str) -> None:
    """Every row's accuracy: a dot with its interval here, a diamond in the paper, a cross in the authors' log."""
    c = theme.colours()
    low = _edge(shown)
    figure = go.Figure()
    marks = (
        ("here, with 95 % interval", "circle", c.latent, [line.accuracy for line in shown]),
        ("the paper", "diamond-open", c.ink, [line.paper for line in shown]),
        ("the authors' log", "x-thin-open", c.opinion, [line.log for line in shown]),
    )
    for name, symbol, colour, values in marks:
        at = [i for i, value in enumerate(values) if value is not None and value >= low]
        trace: dict[str, Any] = {
            "x": [values[i] for i in at],
            "y": [shown[i].title for i in at],
            "name": name,
            "mode": "markers",
            "marker": {"symbol": symbol, "size": MARK_PX, "color": colour, "line": {"width": LINE_PX, "color": colour}},
            "hovertemplate": "%{y}: %{x:.2f} %<extra>" + name + "</extra>",
        }
        if symbol == "circle":
            trace["error_x"] = _intervals([shown[i].measured or {} for i in at]) | {
                "color": colour,
                "thickness": LINE_PX,
            }
        figure.add_scatter(**trace)
    words = {
        "showarrow": False,
        "xref": "paper",
        "x": 0.01,
        "xanchor": "left",
        "font": {"size": NOTE_PX, "color": c.ink},
    }
    figure.update_layout(
        xaxis={
            "title": "1-nearest-neighbour accuracy, %",
            "range": [low, None],
            "gridcolor": c.faint,
            "zeroline": False,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": [line.title for line in reversed(shown)],
            "range": [-HALF_ROW, len(shown) - 1 + HALF_ROW],
            "gridcolor": c.faint,
        },
        annotations=[words | {"y": line.title, "text": text} for line in shown if (text := _beside(line, low))],
    )
    charts.draw(figure, alt=alt(shown), key=key, height_px=FRAME_PX + ROW_PX * len(shown))


def _edge(shown: Sequence[Line]) -> float:
    """Where the plot's axis begins."""
    values = [value for line in shown for value in _values(line)]
    reference = next((value for line in shown if line.name == REFERENCE for value in _values(line)), max(values))
    return min(value for value in values if value > reference - FAR_POINTS) - MARGIN_POINTS


def _values(line: Line) -> Iterator[float]:
    own = () if line.measured is None else (line.measured["accuracy"], line.measured["interval"][0])
    yield from (value for value in (*own, line.paper, line.log) if value is not None)


def _intervals(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [row["interval"][1] - row["accuracy"] for row in rows],
        "arrayminus": [row["accuracy"] - row["interval"][0] for row in rows],
    }


def _beside(line: Line, low: float) -> str:
    """What is said at the left edge of a row: that it lies beyond it, or that it is not measured."""
    if line.measured is None:
        return NOT_YET
    if line.measured["accuracy"] >= low:
        return ""
    log = f", log {line.log:.2f}" if line.log is not None and line.log < low else ""
    return f"\N{LEFTWARDS ARROW} {line.measured['accuracy']:.2f} here{log}"


def alt(shown: Sequence[Line]) -> str:
    """What the plot shows."""
    measured = [f"{line.title} {line.measured['accuracy']:.2f}" for line in shown if line.measured]
    paper = [f"{line.title} {line.paper:.2f}" for line in shown if line.paper is not None]
    return f"Accuracy in per cent. Here: {', '.join(measured) or 'none yet'}. In the paper: {', '.join(paper)}."


def cells(line: Line) -> list[str]:
    """The row as text, in the order of `HEADER`."""
    published = [NOT_PUBLISHED if value is None else f"{value:.2f}" for value in (line.paper, line.log)]
    if line.measured is None:
        return [line.title, line.what, *published, NOT_YET, "", "", "", ""]
    row = line.measured
    difference, training = row["to_bigan"], row["training"]
    return [
        line.title,
        line.what,
        *published,
        f"{row['accuracy']:.2f}",
        "{:.2f} to {:.2f}".format(*row["interval"]),
        f"{difference['points']:+.2f}".replace("-", charts.MINUS) if difference else "",
        probability(difference["p_value"]) if difference else "",
        f"{training['seconds'] / 60:,.0f} min" if training else "none",
    ]


NOT_PUBLISHED, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
HEADER = ("row", "what is compared", "paper", "log", "here, %", "95 % interval", "to BiGAN", "McNemar's p", "training")


def probability(value: float) -> str:
    """A p-value as short as it can honestly be."""
    if value < sys.float_info.min:  # 2e-308: what is less is rounded, down to 0
        return f"below 10{'-307'.translate(RAISED)}"
    if value >= 0.0001:
        return f"{value:.2g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa} {TIMES} 10{str(int(exponent)).translate(RAISED)}"


def finding(shown: Sequence[Line]) -> str:
    """How far the table has come, and where the BiGAN stands."""
    measured = [line for line in shown if line.measured is not None]
    reference = next((line for line in measured if line.name == REFERENCE), None)
    beginning = f"{len(measured)} of {len(shown)} rows are measured."
    if reference is None or reference.measured is None:
        return f"{beginning} The BiGAN's is not among them yet."
    interval = "{:.2f} to {:.2f}".format(*reference.measured["interval"])
    return (
        f"BiGAN: {reference.measured['accuracy']:.2f} % here ({interval}), {reference.paper:.2f} % in the paper. "
        f"{beginning}"
    )


def cost(measured: Sequence[Line]) -> str:
    """How long the trainings behind the measured rows took, each counted once; nothing without any."""
    rows = [line.measured for line in measured if line.measured is not None and line.measured["training"]]
    trainings = {row["weights_sha256"]: row["training"] for row in rows}.values()
    if not trainings:
        return ""
    minutes = sum(training["seconds"] for training in trainings) / 60
    machines = sorted({str(training.get("processor")) for training in trainings})
    models = "the model" if len(trainings) == 1 else f"the {len(trainings)} models"
    return (
        f"Training {models} measured so far took {minutes:,.0f} minutes ({', '.join(machines)}): what it cost, and no "
        "measure of speed, since a training waits for what else its machine does."
    )


@dataclass(frozen=True)
class Curves:
    """Accuracy over the epochs of the trainings that have left a record here."""

    epochs: list[int]
    series: dict[str, list[float | None]]
    """Title of the row -> its accuracy at each epoch, None where it was not measured."""
    missing: tuple[str, ...]
    """Titles of rows without a record of their training here."""


def curves(shown: Sequence[Line]) -> Curves:
    """What the history.csv of each row's training says: its checkpoint's, or one beside the table where none ships."""
    places = {summary.name: summary for summary in checkpoint.summarise_checkpoints() if summary.config is not None}
    found: dict[str, dict[int, float]] = {}
    missing = []
    for line in shown:
        base, seed = name_parts(line.name)
        row = ROWS[base]
        if row.recipe is None or not row.is_trained or row.features != "penultimate":
            continue
        name = run_name(row.recipe, seed)
        summary = places.get(name)
        if summary is not None and summary.config is not None:
            history = OpenCheckpoint(summary.name, summary.path, summary.config).history
        else:
            history = next(filter(None, (read_history(place / HISTORIES / name) for place in PLACES)), [])
        values = {int(one["epoch"]): value for one in history if (value := one.get("NNC_e-", one.get("NNC_d")))}
        if values:
            found[line.title] = values
        else:
            missing.append(line.title)
    epochs = sorted({epoch for values in found.values() for epoch in values})
    return Curves(
        epochs, {title: [values.get(epoch) for epoch in epochs] for title, values in found.items()}, tuple(missing)
    )
