"""A person's pictures as a table, best reconstructed first: a row opens its picture, and all go home as CSV.

Shapes: C H W image.
"""

from collections.abc import Sequence

import streamlit as st
import torch

from bigan.explore.uploads import COLUMNS, Outcome
from bigan.ui import assets, charts, grid, state, words
from bigan.ui.downloads import csv_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.ui.sources import Source

SCALE = 2
UNKNOWN = "\N{EN DASH}"


def show(
    chosen: OpenCheckpoint, key: str, found: Sequence[Answer], unusable: Sequence[tuple[str, str]], source: Source
) -> None:
    """The table, and the button for the CSV.

    Args:
        chosen: the model.
        key: of the kept source, which a press on a row changes.
        found: what the model makes of each usable picture, in the order of the rows.
        unusable: names of files that cannot be used, with their sentences, for the CSV.
        source: what is shown now.
    """
    sources = [str(one.resolved.source) for one in found]

    def open_row() -> None:
        row = st.session_state[f"{key}-table"].opened
        if isinstance(row, int) and 0 <= row < len(sources):
            state.keep(key, sources[row])

    *_, height, width = found[0].resolved.x.shape
    data = {  # no lists, as for the grid
        # x and G(E(x)) of a picture beside each other
        "sheet": grid.sheet(torch.cat([image for one in found for image in (one.resolved.x, one.x_hat)]), columns=2),
        "tile": (width, height),
        "scale": SCALE,
        "smooth": chosen.smooth,
        "caption": f"{words.counted(len(found), 'picture')}, best reconstructed first; press one to look closer.",
        "columns": ("picture", "x", "G(E(x))", *_titles(chosen)),
        "rows": tuple({"name": one.resolved.words, "numbers": tuple(_numbers(chosen, one))} for one in found),
        "chosen": sources.index(str(source)) if str(source) in sources else -1,
    }
    assets.mount("upload_table", data, key=f"{key}-table", on_opened_change=open_row)
    st.download_button(
        "Table as CSV",
        lambda: csv_bytes(columns(found, unusable)),
        f"{chosen.name}-pictures.csv",
        "text/csv",
        key=f"{key}-csv",
        icon=":material/download:",
        on_click="ignore",
        help="All numbers of each picture, with the nearest real one's id; files that cannot be used with the reason.",
    )


def _titles(chosen: OpenCheckpoint) -> list[str]:
    titles = ["distance"]
    if chosen.index is not None:
        titles += ["ratio (1 is chance)", f"closer than, of random {chosen.info.noun_plural}", "off-prior"]
    if not chosen.config.shortcoming("score"):
        titles.append("D: encoder pair")
    return [*titles, "like anything seen"] if chosen.index is not None else titles


def _numbers(chosen: OpenCheckpoint, one: Answer) -> list[str]:
    numbers, report = [f"{one.distance:.2f}"], one.report
    if report is not None:
        outside = f"{report.num_off_prior} of {chosen.config.latent_dim}"
        numbers += [f"{report.ratio:.2f}", words.percent(report.percentile), outside]
    if not chosen.config.shortcoming("score"):
        logit = one.encoder_pair_logit
        numbers.append(UNKNOWN if logit is None else f"{100 * charts.probability(logit):.0f} %")
    if report is not None:
        numbers.append("no" if report.is_far else "yes")
    return numbers


def columns(found: Sequence[Answer], unusable: Sequence[tuple[str, str]]) -> dict[str, list[object]]:
    """The columns of the CSV: the report's own names, with ids; None where there is nothing."""
    rows: list[dict[str, object]] = []
    for one in found:
        nearest = one.report.neighbours[0] if one.report is not None else None
        rows.append({
            **Outcome(one.resolved.words, one.report).row,
            "source": str(one.resolved.source),
            "distance": one.distance,
            "encoder_pair_logit": one.encoder_pair_logit,
            "reconstruction_pair_logit": one.reconstruction_pair_logit,
            "nearest_id": None if nearest is None else nearest.id,
        })  # fmt: skip
    rows += [{**Outcome(name, None, sentence).row} for name, sentence in unusable]
    return {name: [row.get(name) for row in rows] for name in ("name", "source", *COLUMNS, "nearest_id", "problem")}
