"""A person's own pictures: where they are brought, how they are prepared, and what is wrong with the unusable ones."""

from dataclasses import dataclass
from typing import cast

import streamlit as st
import torch
from streamlit.runtime.uploaded_file_manager import UploadedFile

from bigan import view_recipe
from bigan.images import MAX_BYTES, ImageError, open_image
from bigan.preparation import Preparation, usual_preparation
from bigan.ui import assets, grid, preparing, restore, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.reports import Answer
from bigan.ui.reports import answers as answers_to
from bigan.ui.sources import MAX_UPLOADS, Source, Upload, is_remembered, keep_upload, upload_names
from bigan.ui.words import counted
from bigan.view_recipe import ViewRecipe

KINDS = (
    f"PNG, JPEG, WebP, BMP, TIFF or GIF, at most {MAX_BYTES >> 20} MB each, chosen, dropped or pasted (Ctrl+V). "
    "They stay in this session."
)
GRID_COLUMNS, GRID_SCALE = 10, 2
_LOOKS_KEY = "looks"


def preparation(chosen: OpenCheckpoint, key: str, source: Source) -> Preparation:
    """The controls for how pictures become inputs, and how the next one will.

    Args:
        chosen: the model; only one of one channel has a choice of modes.
        key: of the kept source.
        source: what is shown now.
    """
    channels, height, width = chosen.config.image_shape
    own = source if isinstance(source, Upload) else None
    if channels == 1:
        preparing.mode(chosen, key, own)
    else:
        st.caption(f"Prepared as it is: fitted into {width} by {height} pixels.")
    if own is not None and is_remembered(own):
        preparing.adjust(chosen, key, own)
    return last_preparation(chosen, key)


def last_preparation(chosen: OpenCheckpoint, key: str) -> Preparation:
    """The usual preparation in the mode of the last picture of a kept source."""
    return usual_preparation(preparing.last_mode(chosen, key))


def has_pictures(key: str) -> bool:
    """Whether any of the files given for a kept source is a picture."""
    return any(_look(file).digest in upload_names() for file in st.session_state.get(f"{key}-files") or ())


def uploader(chosen: OpenCheckpoint, key: str, usual: Preparation, label: str = "Your own pictures") -> None:
    """The place for files. The first usable new one becomes the kept source; each unusable one gets its sentence.

    Args:
        chosen: the model they must fit.
        key: of the kept source.
        usual: how they are prepared unless something was changed.
        label: of the widget.
    """
    widget, seen = f"{key}-files", f"{key}-seen"

    def receive() -> None:
        files = cast(list[UploadedFile], st.session_state[widget])
        known = st.session_state.get(seen, set())
        st.session_state[seen] = {file.file_id for file in files}
        brought = [digest for file in files if file.file_id not in known and (digest := _look(file).digest)]
        remembered = [preparing.adjusted(digest, usual) for digest in brought if digest in upload_names()]
        usable = [one for one in answers_to(remembered, chosen) if isinstance(one, Answer)]
        if usable:
            state.keep(key, str(usable[0].resolved.source))

    with st.container(gap=None):
        files = st.file_uploader(label, accept_multiple_files=True, key=widget, on_change=receive, help=KINDS)
        assets.mount("paste", {"uploader": widget}, key=f"{key}-paste")
    for file in files:
        look = _look(file)
        if look.recipe is not None:
            restore.offer(look.recipe, file.name)
        elif look.note:
            st.caption(state.as_text(f"{file.name}: {look.note}"))
    _say(unusable(chosen, key, usual), len(files))
    if len(files) > MAX_UPLOADS:
        st.caption(f"The session remembers the {MAX_UPLOADS} pictures that came last.")


def unusable(chosen: OpenCheckpoint, key: str, usual: Preparation) -> list[tuple[str, str]]:
    """The files in the uploader that cannot be used, each with its sentence."""
    files = cast(list[UploadedFile], st.session_state.get(f"{key}-files") or [])
    looks = [(file.name, look) for file in files if (look := _look(file)).recipe is None]
    digests = [look.digest for _, look in looks if look.digest in upload_names()]
    found = answers_to([preparing.adjusted(digest, usual) for digest in digests], chosen)
    problems = {digest: str(one) for digest, one in zip(digests, found, strict=True) if isinstance(one, ImageError)}
    said = [(name, look.problem or problems.get(look.digest, "")) for name, look in looks]
    return [(name, sentence) for name, sentence in said if sentence]


def _say(problems: list[tuple[str, str]], num_files: int) -> None:
    lines = [state.as_text(f"{name}: {sentence}") for name, sentence in problems]
    if len(lines) > 1:
        lines = [f"{len(lines)} of {num_files} files cannot be used:", *(f"- {line}" for line in lines)]
    if lines:
        st.warning("\n".join(lines), icon=":material/broken_image:")


@dataclass(frozen=True)
class _Look:
    """A file that was looked at once."""

    digest: str
    """By which it is remembered; empty if it is no picture of a person's own."""
    problem: str = ""
    """Why it is no picture."""
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
            return _Look("", recipe=recipe)
    except ValueError as error:
        note = str(error)
    try:
        open_image(content)
    except ImageError as error:
        return _Look("", str(error))
    return _Look(keep_upload(name, content).digest, note=note)


def answers(chosen: OpenCheckpoint, usual: Preparation) -> list[Answer]:
    """What the model makes of each usable picture of the session, best reconstructed first."""
    found = answers_to([preparing.adjusted(digest, usual) for digest in upload_names()], chosen)
    return sorted((one for one in found if isinstance(one, Answer)), key=lambda one: one.distance)


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
        alt=f"{counted(len(found), 'picture')} of your own",
        key=f"{key}-uploads",
        chosen=[shown.index(str(source))] if str(source) in shown else [],
        on_choice=lambda cells: state.keep(key, shown[cells[0]]),
        caption=caption,
        scale=GRID_SCALE,
        smooth=chosen.smooth,
    )
