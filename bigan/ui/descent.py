"""How good could it be? Gradient descent from E(x) and from random latents, in short slices that a person can stop.

Each slice is one short run of this part of the page alone. Its end is what the browser answers by asking for the next
(pulse.js), so there is never more than one under way, and whatever else is pressed has its turn between two of them.

Shapes: C H W image.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.inversion import NUM_RANDOM, NUM_STEPS, EncoderGap, InversionStep, encoder_gap, invert, starts
from bigan.panels import panels
from bigan.pictures import mosaic, png_bytes
from bigan.ui import assets, charts, downloads, page, pictures, state, theme
from bigan.ui.downloads import File, csv_bytes
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.view_code import RECONSTRUCTION_SCALE
from bigan.view_recipe import ViewRecipe

SEED = 0  # of the random starts
SLICE_SECONDS, SLICE_STEPS = 0.25, 10  # whichever comes first: the page answers, and shows how far it is
SCALE = 5
MAX_DESCENTS = 20  # remembered in one session, the oldest forgotten first
_DESCENTS_KEY = "descents"


@dataclass
class Descent:
    """A descent as far as it has come."""

    steps: Iterator[InversionStep]
    running: bool = True
    first: InversionStep = field(init=False)
    last: InversionStep = field(init=False)
    from_encoder: list[float] = field(default_factory=list)
    """The best distance from E(x)'s start, at each step."""
    from_random: list[float] = field(default_factory=list)
    """The best of all random starts."""

    def __post_init__(self) -> None:
        """Take the starts themselves."""
        self._take(next(self.steps))
        self.first = self.last

    def advance(self, seconds: float) -> None:
        """Go on for this long, by a step at least and SLICE_STEPS at most; it is done after NUM_STEPS."""
        until, last = time.monotonic() + seconds, self.last.step + SLICE_STEPS
        for step in self.steps:
            self._take(step)
            if time.monotonic() > until or step.step == last:
                return
        self.running = False

    def _take(self, step: InversionStep) -> None:
        self.last = step
        self.from_encoder.append(step.distances[0].item())
        self.from_random.append(step.distances[1:].min().item())

    @property
    def is_done(self) -> bool:
        """It has made all its steps."""
        return self.last.step == NUM_STEPS

    @property
    def gap(self) -> EncoderGap:
        """What it found beyond E(x) so far."""
        return encoder_gap(self.first, self.last)


def show(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    """The question, and what is known of its answer."""
    st.subheader("How good could it be?", anchor=False)
    if problem := chosen.config.shortcoming("generate", "encode"):
        st.caption(state.as_text(problem))
        return
    page.part(_section)(chosen, answer, recipe)


def _descents() -> dict[tuple[str, str, str], Descent]:
    found: dict[tuple[str, str, str], Descent] = st.session_state.setdefault(_DESCENTS_KEY, {})
    return found


def _section(chosen: OpenCheckpoint, answer: Answer, recipe: ViewRecipe) -> None:
    key = str(chosen.path), chosen.weights_sha256, str(answer.resolved.source)
    descent = _descents().get(key)

    def start() -> None:
        x = answer.resolved.x
        _descents()[key] = Descent(invert(chosen.model, x, starts(chosen.model, x, SEED)))
        for oldest in list(_descents())[:-MAX_DESCENTS]:
            del _descents()[oldest]

    if descent is None:
        st.markdown(
            "E answers at once, by one pass through its network. Is there a z that G turns into something nearer to x? "
            f"Gradient descent looks for it, from E(x) and from {NUM_RANDOM} random latents, {NUM_STEPS} steps each."
        )
        st.button("Look for a better z", key="descend", type="primary", icon=":material/search:", on_click=start)
        return
    if descent.running:
        descent.advance(SLICE_SECONDS)
    with st.container(horizontal=True, vertical_alignment="center"):
        _button(descent)
        if not descent.is_done:
            st.progress(descent.last.step / NUM_STEPS, f"Step {descent.last.step} of {NUM_STEPS}")
    page.finding(finding(descent))
    _pictures(chosen, answer, descent)
    if descent.running:
        assets.mount("pulse", {"step": descent.last.step}, key="pulse", on_next_change=lambda: None)
    else:
        _chart(descent)
        st.caption(
            "This is the honest measure of E for one picture: the best z found shows how near G could have "
            "come. E was never trained to find the nearest picture, but a z that D takes for x's own."
        )
        _files(chosen, answer, descent, recipe)


def _button(descent: Descent) -> None:
    def turn(running: bool) -> None:
        descent.running = running

    if descent.running:
        st.button("Cancel", key="cancel", icon=":material/stop:", on_click=turn, args=(False,))
    elif not descent.is_done:
        st.button("Go on", key="go-on", icon=":material/play_arrow:", on_click=turn, args=(True,))


def finding(descent: Descent) -> str:
    """How far E's guess is from the best z found; plain text."""
    gap = descent.gap
    so_far = "" if descent.is_done else f" in {descent.last.step} steps"
    if gap.ratio == 1:
        return f"Nothing nearer to x than G(E(x)) was found{so_far}: it is {gap.encoder_distance:.2f} away."
    origin = "E(x)" if gap.best_from == "E(x)" else "a random z"
    return (
        f"G(E(x)) is {gap.encoder_distance:.2f} from x; the best z found{so_far} comes to {gap.best_distance:.2f}, "
        f"descending from {origin}. So E's guess is {gap.ratio:.2f} times as far as it could be."
    )


def _pictures(chosen: OpenCheckpoint, answer: Answer, descent: Descent) -> None:
    gap = descent.gap
    best = descent.last.best_image[None]  # (1, C, H, W)
    shown: tuple[tuple[pictures.Kind, Float[Tensor, "1 C H W"], str], ...] = (
        (answer.resolved.kind, answer.resolved.x, "x"),
        ("generated", answer.x_hat, f"G(E(x)), {gap.encoder_distance:.2f} from x"),
        ("generated", best, f"G of the best z found, {gap.best_distance:.2f} from x"),
    )
    figures = [
        pictures.figure(
            mosaic(image, 1, gap_px=0), alt=said, kind=kind, caption=said, scale=SCALE, smooth=chosen.smooth
        )
        for kind, image, said in shown
    ]
    st.html(f'<div class="bg-pair"><div>{"</div><div>".join(figures)}</div></div>')


def _chart(descent: Descent) -> None:
    c = theme.colours()
    names = "from E(x)", f"best of {NUM_RANDOM} random z"
    charts.curves(
        range(len(descent.from_encoder)),
        dict(zip(names, (descent.from_encoder, descent.from_random), strict=True)),
        dict(zip(names, (c.latent, c.ink), strict=True)),
        x_title="step of the descent",
        y_title="best distance from x",
        alt=f"From E(x) the distance falls from {descent.from_encoder[0]:.2f} to {descent.from_encoder[-1]:.2f}, "
        f"from the random latents from {descent.from_random[0]:.2f} to {descent.from_random[-1]:.2f}.",
        key="descent",
        references={"G(E(x))": descent.gap.encoder_distance},
    )


def _files(chosen: OpenCheckpoint, answer: Answer, descent: Descent, recipe: ViewRecipe) -> None:
    """What was found so far, to take home."""
    gap = descent.gap
    z = torch.cat([answer.z.cpu(), descent.last.best_latent[None]])  # (2, Z)
    x = torch.cat([answer.resolved.x.cpu(), answer.x_hat.cpu(), descent.last.best_image[None]])  # (3, C, H, W)
    recipe = downloads.with_latents(recipe, z)
    images = [mosaic(one[None], 1, RECONSTRUCTION_SCALE) for one in x]
    names = ["x", f"G(E(x)), {gap.encoder_distance:.2f} from x", f"best G(z) found, {gap.best_distance:.2f} from x"]
    from_encoder, from_random = list(descent.from_encoder), list(descent.from_random)

    def table() -> bytes:
        steps = range(len(from_encoder))
        return csv_bytes({"step": steps, "best from E(x)": from_encoder, "best from random z": from_random})

    def arrays() -> bytes:
        return downloads.npz_bytes(recipe, x=x, z=z, from_encoder=from_encoder, from_random=from_random)

    downloads.beside(
        recipe,
        "The best z as",
        f"{downloads.file_name(chosen, answer.resolved.source)}-best",
        [
            File(
                "PNG", lambda: png_bytes(panels(images, names)), "x, G(E(x)) and G of the best z found, side by side."
            ),
            File("CSV", table, "The best distance from x after each step."),
            File("NPZ", arrays, "E(x) and the best z found, the three images, and the distances as NumPy arrays."),
        ],
    )
