"""The place, on every page, where a file from this app is brought back and opens the view it was made in."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bigan import view_recipe
from bigan.containers import ZIP_SIGNATURE
from bigan.images import open_image
from bigan.ui import restore, state

KEY = "saved-view"
_AT_KEY = f"{KEY}-at"  # the page where it was opened


def show() -> None:
    """A button that opens the place for the file; on another page than where it was opened, it is closed again."""
    if st.session_state.get(_AT_KEY) != state.here().url:
        st.session_state[KEY] = False
    st.session_state[_AT_KEY] = state.here().url
    place = st.popover(
        "Open a saved view", icon=":material/restore_page:", key=KEY, on_change="rerun", width="stretch",
        help="Every picture and every NPZ downloaded here knows how it was made. Bring one back to see its view again.",
    )  # fmt: skip
    if place.open:
        with place:
            _file()


def _file() -> None:
    answer = st.container(gap=None)  # above the file, where it is seen at once
    file = st.file_uploader(
        "A picture or an NPZ that was downloaded here",
        key=f"{KEY}-file",
        help="PNG, WebP, GIF or NPZ, chosen or dropped.",
    )
    if file is not None:
        with answer:
            _answer(file)


def _answer(file: UploadedFile) -> None:
    """The way to the view, or why there is none."""
    content = file.getvalue()
    try:
        recipe = view_recipe.read(content)
        if recipe is None and not content.startswith(ZIP_SIGNATURE):
            open_image(content)
    except ValueError as error:  # ImageError is one
        st.warning(state.as_text(f"{file.name}: {error}"), icon=":material/broken_image:")
        return
    if recipe is not None:
        restore.offer(recipe, file.name)
        return
    st.markdown(
        state.as_text(
            f"{file.name} does not say how it was made: it is not from this app, or another program has saved it since."
        )
    )
    state.link(state.RECONSTRUCT, "Give a picture of yours to the model", way="Upload")
