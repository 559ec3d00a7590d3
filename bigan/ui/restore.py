"""A picture that carries the recipe of a view, brought back: the way to that view, or why there is none."""

from collections.abc import Mapping

import streamlit as st

from bigan import checkpoint
from bigan.sources import Upload, parse_source
from bigan.ui import links, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import keep_upload, upload_names
from bigan.view_code import SPACE_NAMES
from bigan.view_recipe import ViewRecipe, picture_of


def offer(recipe: ViewRecipe, name: str) -> None:
    """The way to the view, which becomes possible with what the picture carries.

    Args:
        recipe: what a file of a person's carried, checked in itself only.
        name: of the file.
    """
    page = next((page for page in state.PAGES if page.url == recipe.page), None)
    problem = _problem(recipe) if page is not None else "It shows a page that this version of the app does not have."
    if page is None or problem:
        st.warning(state.as_text(f"{name}: {problem}"), icon=":material/link_off:")
        return
    query = {"checkpoint": recipe.checkpoint} | _query(recipe, name)
    st.markdown(state.as_text(f"{name} was made on the page {page.title} with the model {recipe.checkpoint}."))
    label = "Open the view it was made in"
    if state.here() is not page:
        st.page_link(page.path, label=label, icon=page.icon, query_params=links.marked(query))
        return
    for space, word in SPACE_NAMES.items():  # an address has the map's word for it, its widget the library's
        if query.get("space") == word:
            query["space"] = space
    key = f"restore-{name}-{recipe.latents_sha256[:8]}"
    if st.button(label, key=key, icon=page.icon, type="primary", on_click=state.put, args=(query,)):
        st.rerun()  # of all the page, where only a part of it was drawn anew


def _problem(recipe: ViewRecipe) -> str:
    """Why the view cannot be had here, or nothing."""
    found = next((one for one in checkpoint.summarise_checkpoints() if one.name == recipe.checkpoint), None)
    if found is None:
        return f"It was made with the model {recipe.checkpoint}, which is not here."
    if found.config is None:
        return f"It was made with the model {recipe.checkpoint}, which cannot be opened: {found.problem}"
    try:
        here = OpenCheckpoint(found.name, found.path, found.config).weights_sha256
    except checkpoint.CheckpointError as error:
        return str(error)
    if here != recipe.weights_sha256:
        return (
            f"It was made with other weights than the model {recipe.checkpoint} has here "
            f"(SHA-256 {recipe.weights_sha256[:8]}..., here {here[:8]}...)."
        )
    return ""


def _query(recipe: ViewRecipe, name: str) -> dict[str, str]:
    """The settings, with a person's own pictures put back into the session where it has them no longer."""
    again: dict[str, str] = {}
    for text in recipe.pictures:
        source = parse_source(text)
        if isinstance(source, Upload) and source.digest not in upload_names():
            # prepared already: as it is, it passes bit for bit
            again[text] = str(keep_upload(name, picture_of(recipe, text)))
    return {key: _rewritten(value, again) for key, value in recipe.query.items()}


def _rewritten(value: str, again: Mapping[str, str]) -> str:
    """A setting in which the picture that it names, or that its edits began with, goes by its new name."""
    for text, new in again.items():
        if value == text or value.endswith(f":{text}"):
            return value.removesuffix(text) + new
    return value
