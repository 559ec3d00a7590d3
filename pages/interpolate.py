"""Walk: between images through the latent space: along a way, over a sheet, by analogy, and on three paths at once."""

import re
from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bigan.config import Prior
from bigan.explore.interpolation import Walk
from bigan.latent import PATHS, Path
from bigan.ui import charts, ends, grid, neighbours, page, scrubber, state, walk_chart, walk_files, walks
from bigan.ui.loaders import OpenCheckpoint

COUNTS = (8, 12, 16, 24, 32, 48, 64)
SIZES = (4, 6, 8, 10, 12)
DEFAULT_COUNT, DEFAULT_SIZE = 16, 8
STRIP_COLUMNS = {8: 8, 12: 12, 16: 16, 24: 12, 32: 16, 48: 16, 64: 16}
LARGE_SCALE, SHEET_SCALE, STRIP_SCALE = 9, 3, 2
REAL = "A real image takes part as G(E(x)), what comes back of it: only what G can make can be walked through."
EVENNESS = (
    "A walk is even when every frame differs from the next by the same amount, counted over all pixels (Euclidean "
    "distance). All paths take even steps between latents; where the picture changes faster all the same, G is steeper."
)
LINE = walks.PATH_NAMES["line"]
Kept = Mapping[str, str]  # what the address holds that no single widget does

WHY = r"""
**Why walk.** If $G$ had learned its training images by heart, the pictures between two latents would jump or dissolve
into each other like a double exposure. Where they stay plausible all the way, $G$ has learned something about the kind
of image, and nearby latents mean alike images.

**Why a straight line leaves the prior.** A latent has many numbers (50 in the models here), and the mean of two
independent draws is shorter than either: the chances that two numbers pull the same way and opposite ways are equal, so
the middle has norm 2.9 where nineteen of twenty draws have 3.5 to 4.6. $G$ was trained on draws, so on almost nothing
as short as that, though no single number is outside. A great arc (slerp; White 2016, *Sampling Generative Networks*,
section 2.1) keeps the norm, but about 8 % of its numbers leave the paper's uniform prior. The path within the prior
maps each number to a normal one (by the probit), takes the arc there, and maps it back: the norm stays, and nothing
leaves.

**Evenness** is the standard deviation of the pixel steps over their mean: 0 % when every frame is as far from the next.
*Even pixel steps* keeps the way and moves the frames along it until their steps agree; where $G$ jumps, no timing
helps. With more than two ends, those between may then come to lie between two frames.

**A sheet** follows the path down its left and its right edge, and then across from one to the other. With three
corners the first is the whole upper edge.

**An analogy** takes what leads from $a$ to $b$ and adds it to $c$: $d = c + (b - a)$ (Mikolov et al. 2013 for words;
Radford et al. 2016, section 6.3.2, for the images of a GAN). For the uniform prior that is done in its normal view, so
that $d$ stays inside. It answers well only where the same step means the same everywhere in the latent space, which
nobody trained for; so judge by the picture.
"""


@page.part
def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    modes = {"Walk": _walk, "Sheet": _sheet, "Analogy": _analogy, "Compare paths": _compare}
    with st.container(horizontal=True, gap=None):
        mode = st.segmented_control(
            "What to make", list(modes), default="Walk", required=True, key="mode", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        kept = {key: state.kept(key, "") for key in ("frame", "square", *ends.POSITIONS)}
    modes[str(mode)](chosen, kept)
    st.caption(REAL)


def _walk(chosen: OpenCheckpoint, kept: Kept) -> None:
    """Over two to four ends, frame by frame."""
    with _controls():
        letters = _letters("Ends", "ends", (2, 3, 4), 2)
        path, num_steps = _path(), _frames()
        even = st.toggle(
            "Even pixel steps", key="even", bind="query-params",
            help="Keeps the way and moves the frames along it, until each differs as much from the next.",
        )  # fmt: skip
        ends.turn_round(letters)
    found = ends.resolve(chosen, letters, kept)
    st.caption(walks.PATH_WORDS[path])
    roles = {letter: "on the way" for letter in letters} | {letters[0]: "the start", letters[-1]: "the end"}
    ends.show(chosen, found, roles)
    made = walks.make(chosen, [end.z for end in found.values()], num_steps, path, even)
    frame = _film(chosen, {"": made}, walks.frame_words(made), kept["frame"], beside=True)
    grid.show(
        made.images,
        walks.frame_cells(made),
        columns=STRIP_COLUMNS[num_steps],
        kind="generated",
        alt=f"The {num_steps} frames of the walk",
        key="strip",
        chosen=[frame],
        on_choice=lambda frames: _keep_frame(frames[0]),
        caption="All frames, from the first to the last; press one to see it large.",
        scale=STRIP_SCALE,
        smooth=chosen.smooth,
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        page.finding(walks.evenness(made))
        st.markdown(state.as_text(f"{walks.honesty(made)} {walks.length(made, chosen.config.prior)}"))
        _rather_samples(made, letters, chosen.config.prior, "Walk a straight line between samples", path=LINE)
        st.markdown(state.as_text(walks.opinion(made)))
        st.caption(EVENNESS)
    with right:
        settings = {
            "mode": "Walk", "ends": len(letters), "path": walks.PATH_NAMES[path], "steps": num_steps,
            "even": str(even).lower(), "frame": frame + 1,
        }  # fmt: skip
        walk_files.walks(chosen, "walk", {"": made}, found, settings)


def _sheet(chosen: OpenCheckpoint, kept: Kept) -> None:
    """Between three or four corners, in two dimensions."""
    with _controls():
        letters = _letters("Corners", "corners", (3, 4), 4)
        path = _path()
        size = int(st.selectbox("Rows and columns", SIZES, SIZES.index(DEFAULT_SIZE), key="size", bind="query-params",
                                width=150))  # fmt: skip
    found = ends.resolve(chosen, letters, kept)
    st.caption(walks.PATH_WORDS[path])
    places = ("top left", "top right", "bottom left", "bottom right")
    ends.show(chosen, found, dict(zip(letters, places if len(letters) == 4 else ("the top", *places[2:]), strict=True)))
    made = walks.sheet(chosen, [end.z for end in found.values()], size, path)
    cell = _position(kept["square"], size * size, size * (size // 2) + size // 2)
    scrubber.pad(
        made.images,
        corners=(tuple(letters.upper()[:-2]), tuple(letters.upper()[-2:])),
        alt=f"A sheet of {size} by {size} images between {len(letters)} corners",
        words=walks.cell_words(made),
        cell=cell,
        key="pad",
        on_cell=lambda cell: state.keep("square", str(cell + 1)),
        scale=LARGE_SCALE,
        sheet_scale=SHEET_SCALE,
        smooth=chosen.smooth,
    )
    st.caption("Move over the sheet, or use the arrow keys on it: what lies there is shown large.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        page.finding(walks.honesty(made))
    with right:
        settings = {
            "mode": "Sheet", "corners": len(letters), "path": walks.PATH_NAMES[path], "size": size, "square": cell + 1
        }  # fmt: skip
        walk_files.sheet(chosen, made, found, settings)


def _analogy(chosen: OpenCheckpoint, kept: Kept) -> None:
    """A is to B as C is to what?"""
    with _controls():
        path, num_steps = _path(), _frames()
        ends.turn_round("ab")
    found = ends.resolve(chosen, "abc", kept)
    st.caption("A is to B as C is to D: the step that leads from A to B is taken from C.")
    a, b, c = (found[letter].z for letter in "abc")
    d = walks.answer(chosen, a, b, c)
    x_hat = chosen.model.generate(d)  # (1, C, H, W)
    ends.show(
        chosen, found, {"a": "where the step begins", "b": "where it ends", "c": "which takes the same step"}, x_hat
    )
    lanes = {
        "From A to B": walks.make(chosen, [a, b], num_steps, path),
        "From C to D, by the same step": walks.make(chosen, [c, d], num_steps, path),
    }
    frame = _film(chosen, lanes, walks.lane_words(lanes), kept["frame"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        page.finding(walks.change(lanes))
        st.markdown(
            "D is computed, not chosen: the step of the latent from A to B is added to C. Whether it means the same "
            "there as it did at A is for the eye to judge."
        )
        neighbours.show(chosen, x_hat)
    with right:
        settings = {"mode": "Analogy", "path": walks.PATH_NAMES[path], "steps": num_steps, "frame": frame + 1}
        walk_files.walks(chosen, "analogy", lanes, found, settings)


def _compare(chosen: OpenCheckpoint, kept: Kept) -> None:
    """The three paths between the same two ends."""
    prior = chosen.config.prior
    with _controls():
        num_steps = _frames()
        ends.turn_round("ab")
    found = ends.resolve(chosen, "ab", kept)
    ends.show(chosen, found, {"a": "the start", "b": "the end"})
    lanes = walks.compare(chosen, found["a"].z, found["b"].z, num_steps)
    frame = _film(chosen, lanes, walks.lane_words(lanes), kept["frame"])
    page.finding(walks.verdict(lanes, prior))
    _rather_samples(lanes[LINE], "ab", prior, "Compare the paths between two samples")
    page.cards(walks.cards(lanes, prior))
    _chart(chosen, lanes, frame, f"Three paths frame by frame. {walks.verdict(lanes, prior)}")
    left, right = st.columns([3, 2], gap="large")
    with left:
        for path in PATHS:
            st.markdown(state.as_text(f"{walks.PATH_NAMES[path].capitalize()}: {walks.PATH_WORDS[path]}"))
        st.caption(EVENNESS)
        charts.table_twin(lambda: walks.comparison(lanes), "The three paths as a table", icon=":material/alt_route:")
    with right:
        settings = {"mode": "Compare paths", "steps": num_steps, "frame": frame + 1}
        walk_files.walks(chosen, "paths", lanes, found, settings)


def _rather_samples(made: Walk, letters: str, prior: Prior, label: str, **widgets: str) -> None:
    """Where the ends are shorter than draws: what would show how a straight line leaves them, one press away."""

    def take() -> None:
        ends.take_samples(letters)
        for key, value in widgets.items():
            st.session_state[key] = value

    if sentence := walks.short_ends(made, prior):
        st.markdown(state.as_text(sentence))
        st.button(label, icon=":material/casino:", key="samples", on_click=take, help="Puts samples at the ends.")


def _controls() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom")


def _letters(label: str, key: str, counts: tuple[int, ...], default: int) -> str:
    """The letters of so many ends as one asks for."""
    count = st.segmented_control(label, counts, default=default, required=True, key=key, bind="query-params")
    return "abcd"[:count]


def _path() -> Path:
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
    return names[str(name)]


def _frames() -> int:
    return int(st.selectbox("Frames", COUNTS, COUNTS.index(DEFAULT_COUNT), key="steps", bind="query-params", width=110))


def _film(chosen: OpenCheckpoint, lanes: Mapping[str, Walk], words: list[str], text: str, beside: bool = False) -> int:
    """The walks as films that move as one, at the frame that the address asks for, which is returned.

    Args:
        chosen: the model.
        lanes: the walks by name.
        words: of each frame.
        text: the frame in the address.
        beside: whether a single walk's chart stands beside it.
    """
    frame = _position(text, len(words), len(words) // 2)
    left, right = st.columns([2, 3], gap="large") if beside else (st.container(), None)
    with left:
        scrubber.film(
            [made.images for made in lanes.values()],
            names=list(lanes),
            words=words,
            frame=frame,
            key="film",
            on_frame=_keep_frame,
            plays=not text,
            beside=("strip", "step-chart"),
            scale=LARGE_SCALE,
            smooth=chosen.smooth,
        )
    if right is not None:
        made = lanes[""]
        with right:
            _chart(chosen, lanes, frame, f"{walks.evenness(made)} {walks.honesty(made)} {walks.opinion(made)}")
    return frame


def _chart(chosen: OpenCheckpoint, lanes: Mapping[str, Walk], frame: int, alt: str) -> None:
    walk_chart.draw(lanes, frame, chosen.config.prior, alt=alt, key="step-chart")


def _position(text: str, count: int, default: int) -> int:
    """The frame that the address asks for, from 0."""
    asked = int(text) if re.fullmatch("[0-9]{1,6}", text) else 0
    return min(asked, count) - 1 if asked else default


def _keep_frame(frame: int) -> None:
    state.keep("frame", str(frame + 1))


page.show(
    draw,
    title="Walk",
    sentence="From image to image through the numbers between them: every frame is made by the generator G, "
    "and what changes on the way shows how G has ordered its images.",
    lit=("z", "G", "x_hat", "generator pair"),
    why=WHY,
)
