"""What one can ask beyond a grid of samples: more like one, the mean of several, D's opinion of all, what they cover.

Shapes: B samples, Z latent components, C H W image.
"""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.sampling import Coverage, around, coverage, mean_latent
from bigan.sources import Sample
from bigan.ui import charts, downloads, favourites, grid, pictures, state, theme
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint
from bigan.ui.samples import Samples
from bigan.ui.sources import resolve_source

ASK, RADIUS = "ask", "radius"
LIKE, MEAN, OPINION, COVER, KEPT = (
    "More like this one", "The mean of several", "D's opinion of all", "What they cover", "Favourites",
)  # fmt: skip
NUM_LIKE, LIKE_COLUMNS, LIKE_SCALE = 36, 12, 2
NUM_COVERED = 1000
BINS_HEIGHT_PX, NUM_BINS = 240, 30
LARGE_SCALE = 5


def show(chosen: OpenCheckpoint, drawn: Samples, source: Sample, numbers: list[int]) -> None:
    """The choice of questions, and the answer to the chosen one.

    Args:
        chosen: the checkpoint.
        drawn: the samples of the grid.
        source: the one that is looked at.
        numbers: of all chosen ones, from 1.
    """
    st.header("Ask more", anchor=False)
    questions = [LIKE, MEAN, *[OPINION] * (drawn.logits is not None), COVER, KEPT]
    asked = st.segmented_control(
        "Ask more", questions, default=LIKE, required=True, key=ASK, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if asked == MEAN:
        _mean(chosen, drawn, numbers)
    elif asked == OPINION and drawn.logits is not None:
        _opinion(chosen, drawn.logits)
    elif asked == COVER:
        _cover(chosen, drawn.seed)
    elif asked == KEPT:
        _kept(chosen)
    else:
        _like(chosen, source)


def _like(chosen: OpenCheckpoint, source: Sample) -> None:
    radius = st.slider(
        "How far around it", 0.05, 1.5, 0.3, 0.05, key=RADIUS, bind="query-params",
        help="In standard deviations of the prior for each number of z: at 1 the ball is as wide as the prior itself.",
    )  # fmt: skip
    z = around(chosen.model, resolve_source(source, chosen).z[0], NUM_LIKE, radius, source.seed)  # (B, Z)
    x = chosen.model.generate(z)  # (B, C, H, W)
    logits = chosen.opinions(x, z)
    passed = "" if logits is None else f" D takes {sum(logit > 0 for logit in logits)} of them for encoder pairs."
    pictures.grid(
        x,
        columns=LIKE_COLUMNS,
        kind="generated",
        alt=f"{NUM_LIKE} images G(z) with z around that of sample number {source.index + 1}",
        caption=f"{NUM_LIKE} latents drawn evenly from a ball around number {source.index + 1}, inside the "
        f"prior.{passed}",
        scale=LIKE_SCALE,
        smooth=chosen.smooth,
    )
    _take(chosen, z, x, f"around-{source.seed}-{source.index}-{radius:g}", source)


def _mean(chosen: OpenCheckpoint, drawn: Samples, numbers: list[int]) -> None:
    if len(numbers) < 2:
        st.markdown("Choose two samples or more in the grid: hold Shift or Ctrl and click, or press Space on each.")
        return
    rows = [number - 1 for number in sorted(numbers)]
    mean = mean_latent(drawn.z[rows], chosen.config.prior)[None]  # (1, Z)
    plain = drawn.z[rows].mean(0, keepdim=True)  # (1, Z)
    x = chosen.model.generate(torch.cat([mean, plain]))  # (2, C, H, W)
    named = ", ".join(str(row + 1) for row in rows)
    norms = [float(torch.linalg.vector_norm(z)) for z in (mean, plain, drawn.z[rows[0]])]
    left, right = st.columns(2)
    for column, image, caption in (
        (left, x[:1], f"G of the mean that respects the prior (length {norms[0]:.1f})"),
        (right, x[1:], f"G of the plain mean (length {norms[1]:.1f})"),
    ):
        with column:
            pictures.image(
                image, kind="generated", alt=f"{caption}, of the samples {named}", caption=caption, scale=LARGE_SCALE,
                smooth=chosen.smooth,
            )  # fmt: skip
    st.markdown(
        f"Of the samples {named}. A plain mean of latents shrinks towards the centre of the prior, where G has hardly "
        f"ever been asked for anything; the other one keeps the length that samples have (number {rows[0] + 1}: "
        f"{norms[2]:.1f})."
    )


def _opinion(chosen: OpenCheckpoint, logits: list[float]) -> None:
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


def _cover(chosen: OpenCheckpoint, seed: int) -> None:
    if chosen.index is None:
        st.markdown("This checkpoint ships no gallery to compare its samples with.")
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


def _kept(chosen: OpenCheckpoint) -> None:
    sources = favourites.kept(chosen.name)
    if not sources:
        st.markdown(
            "No favourites yet: press “Keep as a favourite” beside a sample. They last as long as this session."
        )
        return
    resolved = [resolve_source(source, chosen) for source in sources]
    z = torch.cat([one.z for one in resolved])  # (B, Z)
    x = torch.cat([one.x for one in resolved])  # (B, C, H, W)
    picked = grid.show(
        x,
        [grid.Cell(one.words) for one in resolved],
        columns=LIKE_COLUMNS,
        kind="generated",
        alt=f"{len(sources)} favourites",
        key="favourites",
        scale=LIKE_SCALE,
        smooth=chosen.smooth,
        caption="Press one to choose it.",
    )
    if picked:
        one = sources[picked[0]]
        with st.container(horizontal=True):
            state.link(state.RECONSTRUCT, "Reconstruct it", source=one)
            state.link(state.INTERPOLATE, "Walk from here", a=one)
            st.button(
                "Forget it",
                icon=":material/close:",
                on_click=favourites.forget,
                args=(chosen.name, str(one)),
                key="drop",
            )
    recipe = downloads.recipe(chosen, state.SAMPLE, z, [])
    st.download_button(
        "Favourites as NPZ",
        lambda: downloads.npz_bytes(recipe, z=z, x=x, ids=[str(source) for source in sources]),
        f"{chosen.name}-favourites.npz",
        key="download-favourites",
        icon=":material/download:",
        on_click="ignore",
    )


def _take(
    chosen: OpenCheckpoint, z: Float[Tensor, "B Z"], x: Float[Tensor, "B C H W"], name: str, centre: Sample
) -> None:
    recipe = downloads.recipe(chosen, state.SAMPLE, z, [])
    st.download_button(
        "These as NPZ",
        lambda: downloads.npz_bytes(recipe, z=z, x=x, centre=str(centre)),
        f"{chosen.name}-{name}.npz",
        key="download-like",
        icon=":material/download:",
        on_click="ignore",
        help="z and x as NumPy arrays, with the sample they lie around.",
    )
