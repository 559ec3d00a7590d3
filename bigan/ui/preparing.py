"""How a person's own picture becomes an input: before and after side by side, and what of it can be changed.

What is changed belongs to the picture: it is part of its source, so it stands in the address, and is remembered for
when one returns to the picture.
"""

from dataclasses import replace
from typing import cast

import streamlit as st

from bigan.images import ImageError
from bigan.pictures import mosaic
from bigan.preparation import WHOLE, Crop, Mode, Preparation, usual_preparation
from bigan.ui import pictures, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import ORIGINAL_PX, Answer, answer
from bigan.ui.sources import Source, SourceError, Upload, upload_names

SMALLEST_CROP = 10  # per cent
MODES: dict[Mode, str] = {"digit": "as a digit was made for MNIST", "plain": "as it is"}
MODE_HELP = (
    "As a digit was made for MNIST: ink bright on black, 20 of 28 pixels large, centred by its mass. "
    "As it is: fitted into the model's size and made grey, nothing else."
)
NOTHING_TO_MOVE = "The whole picture is taken: make the crop smaller, and it can be moved."
_ADJUSTED_KEY = "adjusted"


def problem(source: Upload, chosen: OpenCheckpoint) -> str:
    """Why a picture of the session cannot be used so, or nothing."""
    try:
        answer(source, chosen)
    except (ImageError, SourceError) as error:
        return str(error)
    return ""


def adjusted(digest: str, preparation: Preparation) -> Upload:
    """A picture of the session, prepared in this mode as it was last, or else in the usual way.

    Args:
        digest: the picture.
        preparation: the usual way.
    """
    found = _adjusted().get(digest, preparation)
    return Upload(digest, found if found.mode == preparation.mode else replace(preparation, crop=found.crop))


def _adjusted() -> dict[str, Preparation]:
    """The session's pictures of which something was changed."""
    found: dict[str, Preparation] = st.session_state.setdefault(_ADJUSTED_KEY, {})
    for gone in found.keys() - upload_names().keys():
        del found[gone]
    return found


def next_drawing(shown: Source, usual: Preparation) -> Preparation:
    """How the next drawing becomes an input: as the one that is shown, or else in the usual way."""
    return shown.preparation if isinstance(shown, Upload) and shown.digest not in upload_names() else usual


def mode(chosen: OpenCheckpoint, key: str, source: Upload | None) -> Mode:
    """The control for the mode, and its value. Changing it prepares the shown picture anew.

    Args:
        chosen: the model, of one channel.
        key: of the kept source.
        source: what is shown now, if it is a picture of a person's own.
    """
    widget = f"{key}-preparation"
    if source is not None:
        st.session_state[widget] = source.preparation.mode
    else:
        st.session_state[widget] = last_mode(chosen, key)

    def prepare_anew() -> None:
        if source is not None:
            usual = usual_preparation(last_mode(chosen, key), source.preparation.crop)
            _keep(chosen, key, Upload(source.digest, usual))

    st.segmented_control(
        "Preparation",
        list(MODES),
        format_func=lambda mode: MODES[mode],
        required=True,
        key=widget,
        on_change=prepare_anew,
        help=MODE_HELP,
    )
    return last_mode(chosen, key)


def last_mode(chosen: OpenCheckpoint, key: str) -> Mode:
    """How the last picture of a kept source was prepared; to begin with, what suits the model."""
    found = st.session_state.get(f"{key}-preparation")
    if chosen.config.image_shape[0] == 1 and found in MODES:
        return cast(Mode, found)
    return "digit" if chosen.info.noun == "digit" and chosen.config.image_shape[0] == 1 else "plain"


def adjust(chosen: OpenCheckpoint, key: str, source: Upload) -> None:
    """The shown picture before and after, and the controls between them."""
    if refused := st.session_state.pop(f"{key}-refused", ""):
        st.warning(state.as_text(f"{refused} It stays as it was."), icon=":material/broken_image:")
    if source.preparation == usual_preparation(source.preparation.mode):
        _adjusted().pop(source.digest, None)
    elif source.digest in upload_names():
        _adjusted()[source.digest] = source.preparation
    _before_and_after(chosen, answer(source, chosen), source.preparation.crop)
    name = adjusting(key)
    with st.expander("Crop, invert, centre", icon=":material/crop:", key=name, on_change="rerun") as controls:
        if controls.open:  # what is drawn answers each stroke, and does not wait for what nobody looks at
            _controls(chosen, key, source)


def adjusting(key: str) -> str:
    """The key of the expander that holds the controls for a kept source."""
    return f"{key}-adjusting"


def _before_and_after(chosen: OpenCheckpoint, found: Answer, crop: Crop) -> None:
    assert found.original is not None
    overlay = ""
    if crop != WHOLE:
        width, height = found.original.size
        left, top, right, bottom = crop.box(width, height)
        place = (
            f"left: {100 * left / width:.1f}%; top: {100 * top / height:.1f}%; "
            f"width: {100 * (right - left) / width:.1f}%; height: {100 * (bottom - top) / height:.1f}%"
        )
        overlay = f'<div class="bg-crop"><i style="{place}"></i></div>'
    name, side = found.resolved.words, chosen.config.image_shape[-1]
    before = pictures.figure(found.original, alt=f"{name} before preparation", kind="real", caption="before",
                             smooth=True, overlay=overlay)  # fmt: skip
    after = pictures.figure(mosaic(found.resolved.x, 1, gap_px=0), alt=f"{name} after preparation", kind="real",
                            caption="after", scale=max(1, ORIGINAL_PX // side), smooth=chosen.smooth)  # fmt: skip
    st.html(f'<div class="bg-pair"><div>{before}</div><div>{after}</div></div>')


def _controls(chosen: OpenCheckpoint, key: str, source: Upload) -> None:
    preparation = source.preparation
    names = {name: f"{key}-{name}" for name in ("size", "x", "y", "invert", "by-mass")}
    crop = preparation.crop
    shown = (max(crop.size, SMALLEST_CROP), crop.x, crop.y, preparation.invert, preparation.by_mass)
    st.session_state.update(zip(names.values(), shown, strict=True))

    def apply() -> None:
        size, x, y, invert, by_mass = (st.session_state[name] for name in names.values())
        crop = Crop(x, y, size) if size < WHOLE.size else WHOLE
        _keep(chosen, key, Upload(source.digest, Preparation(preparation.mode, crop, invert, by_mass)))

    def slider(name: str, label: str, least: int, help: str, disabled: bool = False) -> None:
        st.slider(
            label, least, 100, key=names[name], format="%d %%", on_change=apply, disabled=disabled,
            help=NOTHING_TO_MOVE if disabled else help,
        )  # fmt: skip

    slider("size", "Size of the crop", SMALLEST_CROP, "The side of a square, of the longer side of the picture.")
    slider("x", "Its middle, across", 0, "From left to right.", crop == WHOLE)
    slider("y", "Its middle, down", 0, "From top to bottom.", crop == WHOLE)
    with st.container(horizontal=True):
        st.toggle("Invert", key=names["invert"], on_change=apply, help=_INVERT_HELP[preparation.mode])
        st.toggle(
            "Centre by mass", key=names["by-mass"], on_change=apply,
            help="What differs from the background is moved until its centre of mass is in the middle, as MNIST's "
            "digits are; otherwise its frame is in the middle.",
        )  # fmt: skip


_INVERT_HELP: dict[Mode, str] = {
    "digit": "Whether ink is dark or bright is found out; this takes the other for ink.",
    "plain": "Dark and bright are exchanged.",
}


def _keep(chosen: OpenCheckpoint, key: str, source: Upload) -> None:
    """Show the picture so prepared, unless it cannot be used so; only from a callback."""
    if refused := problem(source, chosen):
        st.session_state[f"{key}-refused"] = refused
    else:
        state.keep(key, str(source))
