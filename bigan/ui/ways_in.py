"""The ways by which a real image comes in: from the gallery, as files, drawn here, or from the camera."""

from collections.abc import Callable
from typing import Literal, cast

import streamlit as st

from bigan.preparation import AS_IT_IS, Preparation
from bigan.ui import address, drawing_pad, picker, preparing, state, uploads
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Source, Upload, keep_drawing, keep_upload, resolve_source

Way = Literal["Gallery", "Upload", "Draw", "Camera"]
WAYS: tuple[Way, ...] = ("Gallery", "Upload", "Draw", "Camera")
KEY = "way"
NOT_YET = {"Upload": "you choose a picture of yours", "Draw": "you draw", "Camera": "you take a photograph"}
COLUMNS = (3, 2)
PHOTOGRAPH = "your photograph"
CAMERA_HELP = "Dark ink on light paper, filling the middle of the picture. It stays in this session."


def show(
    chosen: OpenCheckpoint, key: str, source: Source, beside_gallery: Callable[[], None]
) -> tuple[Way, Preparation]:
    """The choice of ways and the chosen one's controls; what comes in becomes the kept source.

    Args:
        chosen: the model.
        key: of the kept source.
        source: what is shown now.
        beside_gallery: draws more controls beside those of the gallery.
    """
    usual: Way = "Upload" if isinstance(source, Upload) else "Gallery"
    if KEY not in st.query_params and (address.is_arriving() or KEY not in st.session_state):
        st.session_state[KEY] = st.session_state.pop(KEY, None) or usual  # taken out, or the address would name it
    way = st.segmented_control(
        "An image from",
        WAYS,
        required=True,
        key=KEY,
        bind="query-params",
        on_change=_return_to_drawing,
        args=(chosen, key),
    )
    way = way or usual  # none after a step back to an address that names none
    if way == "Gallery":
        picker.gallery(chosen, key, source, beside_gallery)
        return way, AS_IT_IS
    left, right = st.columns(COLUMNS, gap="large")
    with right:
        mode = uploads.preparation(chosen, key, source)
    with left:
        if way == "Upload":
            uploads.uploader(chosen, key, mode)
        elif way == "Draw":
            _pad(chosen, key, preparing.next_drawing(source, mode))
        else:
            _camera(chosen, key, mode)
        _say_what_is_shown(chosen, key, source, way)
    return cast(Way, way), mode


def _say_what_is_shown(chosen: OpenCheckpoint, key: str, source: Source, way: str) -> None:
    """What the page shows as long as nothing has come in by this way."""
    is_empty = way == "Draw" and drawing_pad.drawing(_pad_key(key)) is None
    if is_empty or not isinstance(source, Upload):
        words = resolve_source(source, chosen).words
        not_yet = (
            "you press one of your pictures below" if way == "Upload" and uploads.has_pictures(key) else NOT_YET[way]
        )
        st.markdown(state.as_text(f"Until {not_yet}, everything below is still about {words}."))


def _pad_key(key: str) -> str:
    return f"{key}-pad"


def _pad(chosen: OpenCheckpoint, key: str, mode: Preparation) -> None:
    def draw(drawn: bytes | None) -> None:
        if drawn is not None:
            state.keep(key, str(keep_drawing(drawn, mode)))

    drawing_pad.show(alt=f"Draw a {chosen.info.noun} here", key=_pad_key(key), on_drawing=draw)


def _return_to_drawing(chosen: OpenCheckpoint, key: str) -> None:
    """Show the drawing that waits on the pad when one comes back to it."""
    drawn = drawing_pad.drawing(_pad_key(key))
    if st.session_state[KEY] == "Draw" and drawn is not None:
        again = keep_drawing(drawn, uploads.last_preparation(chosen, key))
        if not state.newest(key).startswith(f"upload:{again.digest}:"):  # it is shown already, maybe otherwise prepared
            state.keep(key, str(again))


def _camera(chosen: OpenCheckpoint, key: str, mode: Preparation) -> None:
    widget = f"{key}-camera"

    def receive() -> None:
        photograph = st.session_state[widget]
        if photograph is not None:
            taken = keep_upload(PHOTOGRAPH, photograph.getvalue(), mode)
            if not preparing.problem(taken, chosen):
                state.keep(key, str(taken))

    label = f"A photograph of a {chosen.info.noun}"
    photograph = st.camera_input(label, key=widget, on_change=receive, help=CAMERA_HELP)
    if photograph is not None:
        sentence = preparing.problem(keep_upload(PHOTOGRAPH, photograph.getvalue(), mode), chosen)
        if sentence:
            st.warning(state.as_text(sentence), icon=":material/broken_image:")
