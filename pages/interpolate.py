"""Walk: from one image to another through the latent space, frame by frame."""

import re
from typing import Literal

import streamlit as st

from bigan.explore.interpolation import Walk
from bigan.latent import PATHS, Path
from bigan.pictures import animation_bytes, mosaic, png_bytes
from bigan.ui import charts, downloads, grid, page, picker, pictures, scrubber, state, uploads, walks
from bigan.ui.downloads import File
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved, Upload
from bigan.view_code import WALK_SCALE

COUNTS = (8, 12, 16, 24, 32, 48, 64)
DEFAULT_COUNT = 16
START_POSITION, END_POSITION = 3, 7  # of the two default ends, see `sources.default_source`
SHOWN_KEY = "shown-ends"
END_SCALE, LARGE_SCALE, STRIP_SCALE, DOWNLOAD_SCALE = 5, 9, 2, 8
FRAME_SECONDS = 0.1
STRIP_COLUMNS = {8: 8, 12: 12, 16: 16, 24: 12, 32: 16, 48: 16, 64: 16}

WHY = r"""
**Why walk.** If $G$ had learned its training images by heart, the pictures between two latents would jump or dissolve
into each other like a double exposure. Where they stay plausible all the way, $G$ has learned something about the kind
of image, and nearby latents mean alike images.

**Three paths.** A straight line between two latents of a uniform or normal prior passes nearer the centre than random
draws ever lie: in 50 dimensions its middle has norm 2.9 where a draw has 4.1. A great arc (slerp; White 2016,
*Sampling Generative Networks*, section 2.1) keeps the norm, but about 8 % of its numbers leave the paper's
uniform prior. The path within the prior maps each number to a normal one (by the probit), takes the arc there, and maps
it back: the norm stays, and nothing leaves.

**Real ends.** A walk between real images starts at $G(E(x))$ and not at $x$: only what $G$ can make can be walked
through.

**Evenness.** All three paths are even in their own space of latents. Whether the *pictures* change evenly is another
question; the step lengths in pixels answer it.
"""


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    path, num_steps, frame, start_text, end_text = _controls()
    start, end = picker.named(chosen, start_text, START_POSITION), picker.named(chosen, end_text, END_POSITION)
    st.session_state[SHOWN_KEY] = str(start.source), str(end.source)
    made = walks.make(chosen, start.z, end.z, num_steps, path)
    left, middle, right = st.columns([1.1, 2, 1.1], gap="large")
    with left:
        _end(chosen, "a", start)
    with right:
        _end(chosen, "b", end)
    with middle:
        scrubber.show(
            made.images,
            words=walks.frame_words(made),
            frame=frame,
            key="film",
            on_frame=_keep_frame,
            scale=LARGE_SCALE,
            smooth=chosen.smooth,
        )
    grid.show(
        made.images,
        walks.frame_cells(made),
        columns=STRIP_COLUMNS[num_steps],
        kind="generated",
        alt=f"The {num_steps} frames of the walk from {start.words} to {end.words}",
        key="strip",
        chosen=[frame],
        on_choice=lambda frames: _keep_frame(frames[0]),
        caption="All frames, from A to B; press one to see it large.",
        scale=STRIP_SCALE,
        smooth=chosen.smooth,
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        walks.chart(made, frame, "step-chart")
    with right:
        page.finding(walks.evenness(made))
        st.markdown(state.as_text(f"{walks.honesty(made)} {walks.length(made, chosen.config.prior)}"))
        st.markdown(state.as_text(walks.opinion(made)))
        _downloads(chosen, made, start, end, path, frame)
    charts.table_twin(
        lambda: walks.comparison({one: walks.make(chosen, start.z, end.z, num_steps, one) for one in PATHS}),
        "The three paths between the same ends",
        icon=":material/alt_route:",
    )


def _controls() -> tuple[Path, int, int, str, str]:
    """The path, the number of frames, the frame shown large and the two ends, as the address bar has them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {walks.PATH_NAMES[path]: path for path in PATHS}
        name = st.segmented_control(
            "Path",
            list(names),
            default=walks.PATH_NAMES[PATHS[0]],
            required=True,
            key="path",
            bind="query-params",
            help=" ".join(f"**{walks.PATH_NAMES[path].capitalize()}**: {walks.PATH_WORDS[path]}" for path in PATHS),
        )
        num_steps = st.selectbox(
            "Frames", COUNTS, COUNTS.index(DEFAULT_COUNT), key="steps", bind="query-params", width=110
        )
        st.button(
            "Swap A and B",
            icon=":material/swap_horiz:",
            key="swap",
            on_click=_swap,
            help="Walk the other way round.",
        )
        frame, start, end = (state.kept(key, "") for key in ("frame", "a", "b"))
    path = names[str(name)]
    st.caption(walks.PATH_WORDS[path])
    return path, int(num_steps), _position(frame, int(num_steps)), start, end


def _swap() -> None:
    """Exchange the ends that are shown, be they kept or defaults."""
    st.session_state["b"], st.session_state["a"] = st.session_state[SHOWN_KEY]


def _end(chosen: OpenCheckpoint, key: str, shown: Resolved) -> None:
    """One end of the walk: what it is, another one, and where else it may come from."""
    name, real = key.upper(), shown.kind == "real"
    begins = "The walk begins with" if key == "a" else "The walk ends with"
    pictures.image(
        shown.x,
        kind=shown.kind,
        alt=f"End {name}: {shown.words}",
        caption=f"{name}: {shown.words}. " + (f"{begins} G(E(x)), what comes back of it." if real else f"{begins} it."),
        scale=END_SCALE,
        smooth=chosen.smooth,
    )
    with st.container(horizontal=True):
        picker.another(chosen, key, shown.source, "Another one of the same kind at random")
        with st.popover("Choose", icon=":material/tune:", help=f"Where {name} comes from"):
            _choice(chosen, key, shown)
    if isinstance(shown.source, Upload):
        st.caption("Your picture stays in this session: a link to this walk works here only.")


def _choice(chosen: OpenCheckpoint, key: str, shown: Resolved) -> None:
    real, made, own = st.tabs([f"A real {chosen.info.noun}", "A sample", "Your own"])
    with real:
        picker.gallery(chosen, key, shown.source)
    with made:
        picker.sample(key, shown.source)
    with own:
        place = st.container()
        mode = uploads.preparation(chosen, key, shown.source)
        with place:
            uploads.uploader(chosen, key, mode)
        if found := uploads.answers(chosen, mode):
            uploads.choice(chosen, key, found, shown.source, "The pictures of this session; press one.")


def _position(text: str, num_steps: int) -> int:
    """The frame that the address asks for, from 0; the middle one if it asks for none."""
    asked = int(text) if re.fullmatch("[0-9]{1,6}", text) else 0
    return min(asked, num_steps) - 1 if asked else num_steps // 2


def _keep_frame(frame: int) -> None:
    state.keep("frame", str(frame + 1))


def _downloads(chosen: OpenCheckpoint, made: Walk, start: Resolved, end: Resolved, path: Path, frame: int) -> None:
    a, b, num_steps = str(start.source), str(end.source), len(made.images)
    settings = {"path": walks.PATH_NAMES[path], "steps": num_steps, "frame": frame + 1, "a": a, "b": b}
    recipe = downloads.recipe(chosen, state.INTERPOLATE, made.latents, [start, end], **settings)

    def animation(kind: Literal["gif", "webp"]) -> bytes:
        frames = [mosaic(image[None], 1, DOWNLOAD_SCALE) for image in made.images]
        return animation_bytes(frames, kind, FRAME_SECONDS)

    def arrays() -> bytes:
        measured = {"pixel_steps": made.pixel_steps, "off_prior_shares": made.off_prior_shares, "logits": made.logits}
        return downloads.npz_bytes(recipe, z=made.latents, x=made.images, a=a, b=b, path=path, **measured)

    def table() -> bytes:
        columns = {
            "frame": range(1, num_steps + 1),
            "pixel distance to the next": [*made.pixel_steps.tolist(), ""],
            "share outside the prior": made.off_prior_shares.tolist(),
            "D(G(z), z)": made.logits.tolist(),
        }
        return downloads.csv_bytes(columns)

    downloads.show(
        recipe,
        f"{chosen.name}-walk-{a.replace(':', '-')}-to-{b.replace(':', '-')}-{path}",
        [
            File("GIF", lambda: animation("gif"), "The walk as an animation, for anywhere."),
            File("WebP", lambda: animation("webp"), "The walk as an animation, smaller and exact."),
            File("PNG", lambda: png_bytes(mosaic(made.images, num_steps, WALK_SCALE)), "All frames in one row."),
            File("NPZ", arrays, "Latents, frames, steps and D's logits as NumPy arrays."),
            File("CSV", table, "Steps, shares outside the prior and D's logits as a table."),
        ],
    )


page.show(
    draw,
    title="Walk",
    sentence="From image A to image B through the numbers between them: every frame is made by the generator G, "
    "and what changes on the way shows how G has ordered its images.",
    lit=("z", "G", "x_hat", "generator pair"),
    why=WHY,
)
