"""How a model's samples are spread: D's opinions of them, and which real images they are nearest to."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bigan.explore.sampling import Coverage, coverage
from bigan.ui import charts, theme
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

NUM_COVERED = 1000
BINS_HEIGHT_PX, NUM_BINS = 240, 30


def opinions(chosen: OpenCheckpoint, logits: list[float]) -> None:
    """How D's opinions are spread, over these samples and over the gallery's encoder pairs."""
    c = theme.colours()
    spread = {"samples: D(G(z), z)": (logits, c.generated)}
    if chosen.index is not None and chosen.index.encoder_pair_logits is not None:
        spread["gallery: D(x, E(x))"] = (chosen.index.encoder_pair_logits.tolist(), c.real)
    ends = [value for values, _ in spread.values() for value in values]
    edges = np.linspace(min(ends), max(ends) + 1e-6, NUM_BINS + 1)
    figure, table = go.Figure(), {"logit, from": edges[:-1].round(2).tolist()}
    for pattern, (name, (values, colour)) in zip(("", "/"), spread.items(), strict=False):
        shares = (np.histogram(values, edges)[0] / len(values)).tolist()
        table[name] = shares
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=shares, name=name,
            marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate="logit %{x:.1f}: %{y:.0%}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": c.ink, "width": 1, "dash": "dot"}, annotation_text="undecided")
    figure.update_layout(barmode="group")
    figure.update_xaxes(title="D's logit: to the right, an encoder pair", showgrid=False)
    figure.update_yaxes(title="share", gridcolor=c.faint, tickformat=".0%")
    passed = {name: sum(value > 0 for value in values) / len(values) for name, (values, _) in spread.items()}
    said = "; ".join(f"{name}: {100 * share:.0f} % taken for encoder pairs" for name, share in passed.items())
    charts.draw(figure, alt=f"How D's logits are spread. {said}.", key="opinions", height_px=BINS_HEIGHT_PX)
    st.markdown(
        f"{said}. Were E and G each other's inverse, the two would look the same and lie around 0. The gallery was not "
        "trained on: where even its real pairs lie to the left, D is stricter with what it has not seen before."
    )
    charts.table_twin(lambda: table, "The spread as a table")


def covered(chosen: OpenCheckpoint, seed: int) -> None:
    """Which real images the first samples of a seed are nearest to, by label."""
    if chosen.index is None:
        st.markdown(
            "This checkpoint ships no gallery to compare its samples with. Choose another model in the sidebar to see "
            "what its samples cover; the other questions here need none."
        )
        return
    found = _coverage((str(chosen.path), chosen.weights_sha256), seed, chosen)
    c, plural = theme.colours(), chosen.info.noun_plural
    figure = go.Figure()
    for name, shares, colour, pattern in (
        (f"{found.num_samples:,} samples", found.shares_of_samples, c.generated, ""),
        ("the gallery", found.shares_of_gallery, c.real, "/"),
    ):
        figure.add_bar(
            x=list(found.class_names), y=shares, name=name, marker={"color": colour, "pattern": {"shape": pattern}},
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="label of the nearest real image, in E's eyes", showgrid=False, type="category")
    figure.update_yaxes(title="share", gridcolor=c.faint, tickformat=".0%")
    ranked = sorted(zip(found.shares_of_samples, found.class_names, strict=True))
    least, most = ranked[0], ranked[-1]
    alt = f"Shares of labels among samples and gallery: from {least[1]} ({least[0]:.1%}) to {most[1]} ({most[0]:.1%})."
    charts.draw(figure, alt=alt, key="cover", height_px=BINS_HEIGHT_PX)
    st.markdown(
        f"Each of {found.num_samples:,} samples is given the label of the real {chosen.info.noun} nearest to it. A "
        f"generator that forgot a kind of image shows here: the rarest is “{least[1]}” ({100 * least[0]:.1f} %), the "
        f"commonest “{most[1]}” ({100 * most[0]:.1f} %). {found.num_distinct:,} different {plural} are nearest to some "
        f"sample. Near-duplicates of an earlier sample: {found.num_duplicates:,}, which lie no farther from it than "
        f"{found.duplicate_distance:.1f} in pixels, which one in a hundred of as many real {plural} is from another."
    )
    charts.table_twin(
        lambda: {
            "label": found.class_names, "samples": found.shares_of_samples, "gallery": found.shares_of_gallery,
        },
        "What they cover as a table",
    )  # fmt: skip


@st.cache_resource(max_entries=8 * MAX_CHECKPOINTS, show_spinner="Drawing 1,000 samples")
def _coverage(key: tuple[str, str], seed: int, _chosen: OpenCheckpoint) -> Coverage:  # noqa: ARG001
    assert _chosen.index is not None
    return coverage(_chosen.model, _chosen.index, NUM_COVERED, seed)
