"""A person's own pictures: where they are brought, how they are prepared, and what is wrong with the unusable ones."""

from dataclasses import dataclass
from typing import cast

import streamlit as st
import torch
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bigan import view_recipe
from bigan.images import MAX_BYTES, ImageError, Preparation, open_image
from bigan.ui import assets, grid, restore, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer, answer
from bigan.ui.sources import MAX_UPLOADS, Source, SourceError, Upload, keep_upload, upload_names
from bigan.view_recipe import ViewRecipe

PREPARATIONS: dict[Preparation, str] = {"digit": "as a digit was made for MNIST", "plain": "as it is"}
KINDS = (
    f"PNG, JPEG, WebP, BMP, TIFF or GIF, at most {MAX_BYTES >> 20} MB each, chosen, dropped or pasted (Ctrl+V). "
    "They stay in this session."
)
PREPARATION_HELP = (
    "As a digit was made for MNIST: ink bright on black, 20 of 28 pixels large, centred by its mass. "
    "As it is: fitted into the model's size and made grey, nothing else."
)
GRID_COLUMNS, GRID_SCALE = 10, 2
_LOOKS_KEY = "looks"


def preparation(chosen: OpenCheckpoint, key: str, source: Source) -> Preparation:
    """The control for how uploads become inputs, and its value. Changing it prepares the shown upload anew.

    Args:
        chosen: the model; only one of one channel has a choice.
        key: of the kept source.
        source: what is shown now.
    """
    channels, height, width = chosen.config.image_shape
    if channels != 1:
        st.caption(f"Prepared as it is: fitted into {width} by {height} pixels.")
        return "plain"
    widget = preparation_key(key)
    if isinstance(source, Upload):
        st.session_state[widget] = source.preparation
    elif st.session_state.get(widget) not in PREPARATIONS:
        st.session_state[widget] = usual_preparation(chosen)

    def prepare_anew() -> None:
        if isinstance(source, Upload):
            state.keep(key, str(Upload(source.digest, st.session_state[widget])))

    mode = st.segmented_control(
        "Preparation",
        list(PREPARATIONS),
        format_func=lambda mode: PREPARATIONS[mode],
        required=True,
        key=widget,
        on_change=prepare_anew,
        help=PREPARATION_HELP,
    )
    return cast(Preparation, mode)


def preparation_key(key: str) -> str:
    """The key of the control for how uploads of a kept source become inputs."""
    return f"{key}-preparation"


def usual_preparation(chosen: OpenCheckpoint) -> Preparation:
    """How uploads become inputs of a model unless one chooses otherwise."""
    return "digit" if chosen.info.noun == "digit" and chosen.config.image_shape[0] == 1 else "plain"


def uploader(chosen: OpenCheckpoint, key: str, mode: Preparation, label: str = "Your own pictures") -> None:
    """The place for files. The first usable new one becomes the kept source; each unusable one gets its sentence.

    Args:
        chosen: the model they must fit.
        key: of the kept source.
        mode: how they are prepared.
        label: of the widget.
    """
    widget, seen = f"{key}-files", f"{key}-seen"

    def receive() -> None:
        files = cast(list[UploadedFile], st.session_state[widget])
        known = st.session_state.get(seen, set())
        st.session_state[seen] = {file.file_id for file in files}
        brought = [_look(file).digest for file in files if file.file_id not in known]
        usable = [digest for digest in brought if digest and not problem(Upload(digest, mode), chosen)]
        if usable:
            state.keep(key, str(Upload(usable[0], mode)))

    with st.container(gap=None):
        files = st.file_uploader(label, accept_multiple_files=True, key=widget, on_change=receive, help=KINDS)
        assets.mount("paste", {"uploader": widget}, key=f"{key}-paste")
    for file in files:
        look = _look(file)
        if look.recipe is not None:
            restore.offer(look.recipe, file.name)
            continue
        known = look.digest in upload_names()
        sentence = problem(Upload(look.digest, mode), chosen) if look.digest and known else look.problem
        if look.note:
            st.caption(state.as_text(f"{file.name}: {look.note}"))
        if sentence:
            st.warning(state.as_text(f"{file.name}: {sentence}"), icon=":material/broken_image:")
    if len(files) > MAX_UPLOADS:
        st.caption(f"The session remembers the {MAX_UPLOADS} pictures that came last.")


@dataclass(frozen=True)
class _Look:
    """A file that was looked at once: the hash it is remembered by, or why it is no picture."""

    digest: str | None
    problem: str = ""
    recipe: ViewRecipe | None = None
    """Of the view that it was made in, if it is a picture of this app."""
    note: str = ""
    """Why such a recipe cannot be read."""


def _look(file: UploadedFile) -> _Look:
    """Look at a file, and remember it as one of the session's pictures if it is a picture of a person's own."""
    looks: dict[str, _Look] = st.session_state.setdefault(_LOOKS_KEY, {})  # by the id that each upload has
    if file.file_id not in looks:
        looks[file.file_id] = _first_look(file.name, file.getvalue())
    return looks[file.file_id]


def _first_look(name: str, content: bytes) -> _Look:
    note = ""
    try:
        if (recipe := view_recipe.read(content)) is not None:
            return _Look(None, recipe=recipe)
    except ValueError as error:
        note = str(error)
    try:
        open_image(content)
    except ImageError as error:
        return _Look(None, str(error))
    return _Look(keep_upload(name, content).digest, note=note)


def problem(source: Upload, chosen: OpenCheckpoint) -> str:
    """Why a picture of the session cannot be used so, or nothing."""
    try:
        answer(source, chosen)
    except (ImageError, SourceError) as error:
        return str(error)
    return ""


def answers(chosen: OpenCheckpoint, mode: Preparation) -> list[Answer]:
    """What the model makes of each usable picture of the session, best reconstructed first."""
    usable = [digest for digest in upload_names() if not problem(Upload(digest, mode), chosen)]
    found = [answer(Upload(digest, mode), chosen) for digest in usable]
    return sorted(found, key=lambda one: one.distance)


def choice(chosen: OpenCheckpoint, key: str, found: list[Answer], source: Source, caption: str = "") -> None:
    """The session's pictures as buttons; the one pressed becomes the kept source."""
    cells = [
        grid.Cell(one.resolved.words, f"distance to G(E(x)) {one.distance:.1f}", one.encoder_pair_logit)
        for one in found
    ]
    shown = [str(one.resolved.source) for one in found]
    grid.show(
        torch.cat([one.resolved.x for one in found]),
        cells,
        columns=min(GRID_COLUMNS, len(found)),
        kind="real",
        alt=f"{len(found)} pictures of your own",
        key=f"{key}-uploads",
        chosen=[shown.index(str(source))] if str(source) in shown else [],
        on_choice=lambda cells: state.keep(key, shown[cells[0]]),
        caption=caption,
        scale=GRID_SCALE,
        smooth=chosen.smooth,
    )
