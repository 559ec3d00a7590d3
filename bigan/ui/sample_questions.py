"""What one can ask beyond a grid of samples: more like one, the mean of several, D's opinion of all, what they cover.

Shapes: B samples, Z latent components, C H W image.
"""

from collections.abc import Mapping, Sequence

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.sampling import around, mean_latent
from bigan.pictures import mosaic, png_bytes
from bigan.sources import Sample
from bigan.ui import downloads, favourites, grid, pictures, sample_spread, state
from bigan.ui.downloads import File
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.samples import Samples
from bigan.ui.sources import resolve_source
from bigan.ui.words import counted
from bigan.view_code import SAMPLE_SCALE

ASK, RADIUS = "ask", "radius"
LIKE, MEAN, OPINION, COVER, KEPT = (
    "More like this one", "The mean of several", "D's opinion of all", "What they cover", "Favourites",
)  # fmt: skip
NUM_LIKE, LIKE_COLUMNS, LIKE_SCALE = 36, 12, 2
LARGE_SCALE = 5
Settings = Mapping[str, object]


def show(
    chosen: OpenCheckpoint, drawn: Samples, source: Sample, numbers: list[int], settings: Settings
) -> dict[str, object]:
    """The choice of questions, and the answer to the chosen one; all that the address then has.

    Args:
        chosen: the checkpoint.
        drawn: the samples of the grid.
        source: the one that is looked at.
        numbers: of all chosen ones, from 1.
        settings: what the address has of the grid.
    """
    st.header("Ask more", anchor=False)
    questions = [LIKE, MEAN, *[OPINION] * (drawn.logits is not None), COVER, KEPT]
    asked = st.segmented_control(
        "Ask more", questions, default=LIKE, required=True, key=ASK, bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    settings = {**settings, ASK: asked}
    if asked == MEAN:
        _mean(chosen, drawn, numbers, settings)
    elif asked == OPINION and drawn.logits is not None:
        sample_spread.opinions(chosen, drawn.logits)
    elif asked == COVER:
        sample_spread.covered(chosen, drawn.seed)
    elif asked == KEPT:
        _kept(chosen, settings)
    else:
        settings[RADIUS] = _like(chosen, source, settings)
    return settings


def _like(chosen: OpenCheckpoint, source: Sample, settings: Settings) -> float:
    """A ball about a sample, and its radius."""
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
    _files(chosen, {**settings, RADIUS: radius}, "These as", f"around-{source.seed}-{source.index}-{radius:g}", z, x,
           centre=str(source))  # fmt: skip
    return float(radius)


def _mean(chosen: OpenCheckpoint, drawn: Samples, numbers: list[int], settings: Settings) -> None:
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
    ids = [str(Sample(drawn.seed, row, drawn.truncation)) for row in rows]
    _files(chosen, settings, "Both as", f"mean-{drawn.seed}-of-{len(rows)}", torch.cat([mean, plain]), x, ids=ids)


def _kept(chosen: OpenCheckpoint, settings: Settings) -> None:
    sources = favourites.kept(chosen.name)
    if not sources:
        st.markdown(
            "No favourites yet: press “Keep as a favourite” beside a sample. They last as long as this session."
        )
        return
    resolved = [resolve_source(source, chosen) for source in sources]
    z = torch.cat([one.z for one in resolved])  # (B, Z)
    x = torch.cat([one.x for one in resolved])  # (B, C, H, W)
    logits: Sequence[float | None] = chosen.opinions(x, z) or [None] * len(z)
    picked = grid.show(
        x,
        [grid.Cell(one.words, logit=logit) for one, logit in zip(resolved, logits, strict=True)],
        columns=LIKE_COLUMNS,
        kind="generated",
        alt=counted(len(sources), "favourite"),
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
    carried, ids = favourites.settings(chosen.name), [str(source) for source in sources]
    _files(chosen, {**settings, **carried}, "Favourites as", "favourites", z, x, ids=ids)
    if not carried:
        st.caption("There are too many for the PNG to bring back when it is opened here again; the NPZ has them all.")


def _files(
    chosen: OpenCheckpoint, settings: Settings, called: str, name: str, z: Float[Tensor, "B Z"],
    x: Float[Tensor, "B C H W"], **origin: downloads.Values,
) -> None:  # fmt: skip
    """Buttons for the images of an answer, and for their numbers with what they come from."""
    recipe = downloads.recipe(chosen, state.SAMPLE, z, [], **settings)
    columns = min(len(x), LIKE_COLUMNS)
    downloads.beside(
        recipe,
        called,
        f"{chosen.name}-{name}",
        [
            File("PNG", lambda: png_bytes(mosaic(x, columns, SAMPLE_SCALE)), "A picture that brings this view back."),
            File("NPZ", lambda: downloads.npz_bytes(recipe, z=z, x=x, **origin), "z and x as NumPy arrays, and ids."),
        ],
    )
