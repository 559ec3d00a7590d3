"""Two images by two latents: the four pairings of one picture, what D says of each, and what the training wants.

Shapes: C H W image, Z latent components.
"""

import base64
import html
import random
from collections.abc import Sequence

import streamlit as st
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from bigan.config import MAX_SEED, Prior
from bigan.explore.pairs import Pair, PairTable, pair_table
from bigan.panels import panels
from bigan.pictures import mosaic, png_bytes
from bigan.ui import charts, downloads, page, pictures, state, theme
from bigan.ui.charts import probability
from bigan.ui.downloads import File, csv_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.view_code import RECONSTRUCTION_SCALE
from bigan.view_recipe import ViewRecipe

SEED_KEY = "z-seed"
SCALE = 4
STRIP_WIDTH_PX, STRIP_HEIGHT_PX = 200, 56
RANDOM_SEEDS = 10_000
NOTICED = 0.1  # D's probabilities that differ by less count as the same

TITLES = {
    "(x, E(x))": "x with its own code E(x)",
    "(x, z)": "x with a random z",
    "(G(E(x)), E(x))": "What G makes of E(x), with E(x)",
    "(G(z), z)": "What G makes of that z, with z",
}
MEANINGS = {
    "(x, E(x))": "An encoder pair of the training. D learns to move the needle to the right; E learns to fool D, and "
    "moves it to the left.",
    "(x, z)": "No pair of the training: what D says here it has to infer. If it judged the image alone, this needle "
    "would stand where the one for (x, E(x)) stands.",
    "(G(E(x)), E(x))": "A generator pair with the same code as the first: only the image differs. D learns to move the "
    "needle to the left; G learns to fool D, and moves it to the right.",
    "(G(z), z)": "A generator pair of the training. D learns to move the needle to the left; G learns to fool D, and "
    "moves it to the right.",
}


def show(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    """The table, with what it says in words, and as files."""
    st.subheader("What does D say of x with another z?", anchor=False)
    if problem := chosen.config.shortcoming("generate", "encode", "score"):
        st.caption(state.as_text(problem))
        return
    table = pair_table(chosen.model, answer.resolved.x, _seed())
    page.finding(finding(table))
    kinds = {"(x, E(x))": answer.resolved.kind, "(x, z)": answer.resolved.kind}
    rows = (table.encoder_pair, table.random_pair), (table.reconstruction_pair, table.generator_pair)
    for row in rows:
        for column, pair in zip(st.columns(2, gap="medium"), row, strict=True):
            with column, st.container(border=True):
                _cell(chosen, pair, kinds.get(pair.name, "generated"))
    st.caption(
        "In a row the image stays, or is made of what stands beside it; in a column the latent stays. D is trained to "
        "tell the first cell from the last; E and G are trained until it cannot. They never see x beside G(E(x)): that "
        "these come to look alike follows from the two pairs becoming alike."
    )
    pairs = [pair for row in rows for pair in row]
    x, z = torch.stack([pair.image for pair in pairs]), torch.stack([pair.latent for pair in pairs])
    names, logits = [pair.name for pair in pairs], [pair.logit for pair in pairs]
    recipe = downloads.with_latents(recipe, z)
    chances = [probability(logit) for logit in logits]
    columns: dict[str, list[object]] = {"pair": [*names], "logit": [*logits], "chance of an encoder pair": [*chances]}
    downloads.beside(
        recipe,
        "The four as",
        f"{downloads.file_name(chosen, answer.resolved.source)}-pairs",
        [
            File("PNG", lambda: png_bytes(_sheet(pairs)), "The four images with D's opinion of each pair."),
            File("CSV", lambda: csv_bytes(columns), "D's logit and opinion of each pair."),
            File(
                "NPZ",
                lambda: downloads.npz_bytes(recipe, x=x, z=z, pairs=names, logits=logits),
                "The images, latents and logits as NumPy arrays.",
            ),
        ],
    )


def _sheet(pairs: Sequence[Pair]) -> Image.Image:
    names = [f"D{pair.name}: {100 * probability(pair.logit):.0f} % encoder pair" for pair in pairs]
    return panels([mosaic(pair.image[None], 1, RECONSTRUCTION_SCALE) for pair in pairs], names)


def _seed() -> int:
    """The seed of the random z, in the address."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input(
            "Seed of z", 0, MAX_SEED, 0, step=1, key=SEED_KEY, bind="query-params", width=150,
            help="z is drawn from the prior with it.",
        )  # fmt: skip
        st.button(
            "Another z", icon=":material/casino:", key="another-z",
            on_click=lambda: state.keep(SEED_KEY, random.SystemRandom().randrange(RANDOM_SEEDS)),
        )  # fmt: skip
    return int(seed or 0)


def finding(table: PairTable) -> str:
    """What the four say together; plain text."""
    own, strange, back = (
        probability(pair.logit) for pair in (table.encoder_pair, table.random_pair, table.reconstruction_pair)
    )
    if own - strange > NOTICED:
        first = f"With a random z, x looks less like an encoder pair to D: {_change(own, strange)}."
    elif strange - own > NOTICED:
        first = f"With a random z, x looks more like an encoder pair to D than with E(x): {_change(own, strange)}."
    else:
        first = f"A random z hardly changes what D says of x: {_change(own, strange)}."
    if own - back > NOTICED:
        second = f"With E(x) it still tells x from G(E(x)): {_change(own, back)}."
    elif back - own > NOTICED:
        second = f"With E(x) it takes G(E(x)) for the real image rather than x: {_change(own, back)}."
    else:
        second = f"With E(x) it hardly tells x from G(E(x)): {_change(own, back)}."
    return f"{first} {second}"


def _change(before: float, after: float) -> str:
    return f"{100 * before:.0f} % encoder pair against {100 * after:.0f} %"


def _cell(chosen: OpenCheckpoint, pair: Pair, kind: pictures.Kind) -> None:
    st.markdown(f"**{state.as_text(TITLES[pair.name])}**")
    picture = pictures.figure(
        mosaic(pair.image[None], 1, gap_px=0),
        alt=f"The image of {pair.name}",
        kind=kind,
        scale=SCALE,
        smooth=chosen.smooth,
    )
    bars = latent_strip(pair.latent, chosen.config.prior, f"The latent of {pair.name}")
    st.html(f'<div class="bg-pair"><div style="max-width: 8rem">{picture}</div><div>{bars}</div></div>')
    charts.needle([(f"D{pair.name}", pair.logit)])
    st.caption(state.as_text(MEANINGS[pair.name]))


def latent_strip(z: Float[Tensor, " Z"], prior: Prior, name: str) -> str:
    """A latent as a small picture of bars, as HTML: teal within the prior, magenta and hollow outside.

    Args:
        z: one latent.
        prior: the model's.
        name: for those who cannot see it.
    """
    values = [float(value) for value in z]
    limit = charts.PRIOR_LIMIT[prior]
    top = max(limit, *(abs(value) for value in values))
    half, step = STRIP_HEIGHT_PX / 2, STRIP_WIDTH_PX / len(values)
    bars = ""
    for i, value in enumerate(values):
        height = half * abs(value) / top
        y = half - height if value > 0 else half
        place = f'x="{step * i:.2f}" y="{y:.2f}" width="{0.75 * step:.2f}" height="{height:.2f}"'
        bars += f'<rect class="{"o" if abs(value) > limit else "i"}" {place}/>'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {STRIP_WIDTH_PX} {STRIP_HEIGHT_PX}">'
        f"<style>:root{{color-scheme:light dark}} .i{{fill:{theme.css_colour('latent')}}}"
        f" .o{{fill:none;stroke:{theme.css_colour('off_prior')}}} line{{stroke:{theme.css_colour('ink')};opacity:.45}}"
        f'</style>{bars}<line x1="0" x2="{STRIP_WIDTH_PX}" y1="{half}" y2="{half}"/></svg>'
    )
    outside = sum(abs(value) > limit for value in values)
    alt = f"{name}: {len(values)} numbers from {min(values):.2f} to {max(values):.2f}, {outside} outside the prior"
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<img class="bg-svg" style="max-width: {STRIP_WIDTH_PX}px" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
