"""A file that carries the recipe of a view, brought back: the way to that view, or why there is none."""

import contextlib
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from bigan import checkpoint
from bigan.checkpoint import CheckpointError, CheckpointSummary
from bigan.sources import Upload, parse_source
from bigan.ui import favourites, links, selections, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import keep_upload, upload_names
from bigan.view_code import SPACE_NAMES
from bigan.view_recipe import CARRIED, ViewRecipe, picture_of

_TAKEN_KEY = "taken-from-files"


def offer(recipe: ViewRecipe, name: str) -> None:
    """The way to the view, which becomes possible with what the file carries.

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
    carried = {key: query.pop(key) for key in CARRIED if key in query}
    st.markdown(state.as_text(f"{name} was made on the page {page.title} with the model {recipe.checkpoint}."))
    label = "Open the view it was made in"
    key = f"restore-{name}-{recipe.latents_sha256[:8]}"
    if carried:
        _take(_opened(recipe.checkpoint), carried, key)
    if state.here() is not page:
        st.page_link(page.path, label=label, icon=page.icon, query_params=links.marked(query))
        return
    for space, word in SPACE_NAMES.items():  # an address has the map's word for it, its widget the library's
        if query.get("space") == word:
            query["space"] = space
    if st.button(label, key=key, icon=page.icon, type="primary", on_click=_put, args=(query,)):
        st.rerun()  # of all the page, where only a part of it was drawn anew


def _opened(name: str) -> OpenCheckpoint:
    """The model of this name; `_problem` has found that it is here and can be opened."""
    found = next(one for one in checkpoint.summarise_checkpoints() if one.name == name)
    assert found.config is not None
    return OpenCheckpoint(name, found.path, found.config)


def _take(chosen: OpenCheckpoint, carried: Mapping[str, str], key: str) -> None:
    """Put what a file carries of a session into this one, once, and say so: a link on to the view cannot do it."""
    taken: dict[str, bool] = st.session_state.setdefault(_TAKEN_KEY, {})
    if key not in taken:
        taken[key] = selections.take(chosen, carried)
        favourites.take(chosen.name, carried)
    if favourites.SETTING in carried:
        st.markdown("Its favourites are among yours now.")
    if selections.SETTINGS["A"] in carried:
        st.markdown(
            "Its two selections are kept as A and B now, in place of any that you kept on the Map."
            if taken[key]
            else "Its selections are of other images than this model's gallery has, so they are left out."
        )


def _put(query: Mapping[str, str]) -> None:
    """Show on the page that one is at what an address says, and nothing else; only from a callback.

    A link to another page needs no such thing, and a link to the same page changes nothing: widgets read the address
    only when they appear.
    """
    for key in set(st.query_params) - set(query):  # a widget that holds its usual value is in no address
        if key in st.session_state:
            state.keep(key, _usual(key))
        else:
            del st.query_params[key]
    for key, value in query.items():
        before = st.session_state.get(key)
        if before is None:  # not there now: once it appears, it reads the address
            st.query_params[key] = value
            continue
        with contextlib.suppress(ValueError):  # not a number: the widget keeps its own
            if isinstance(before, bool):
                st.session_state[key] = value.lower() == "true"
            else:
                state.keep(key, type(before)(value) if isinstance(before, int | float) else value)


def _usual(key: str) -> Any:
    """What a widget holds where neither a person nor the address says anything.

    Streamlit knows, and has no public name for it. Forgetting the widget's value would do here, but not in the browser.
    """
    context = get_script_run_ctx()
    assert context is not None
    held = context.session_state._state
    return held._new_widget_state.widget_metadata[held._get_widget_id(key)].deserializer(None)


def _problem(recipe: ViewRecipe) -> str:
    """Why the view cannot be had here, or nothing."""
    here = {one.name: one for one in checkpoint.summarise_checkpoints()}
    for name, weights in ({recipe.checkpoint: recipe.weights_sha256} | recipe.others).items():
        if problem := _difference(name, weights, here.get(name)):
            return problem
    return ""


def _difference(name: str, weights: str, found: CheckpointSummary | None) -> str:
    """Why a model of a recipe is not the one of that name here, or nothing."""
    if found is None:
        return f"It was made with the model {name}, which is not here."
    if found.config is None:
        return f"It was made with the model {name}, which cannot be opened: {found.problem}"
    try:
        here = OpenCheckpoint(name, found.path, found.config).weights_sha256
    except CheckpointError as error:
        return str(error)
    if here != weights:
        return (
            f"It was made with other weights than the model {name} has here (SHA-256 {weights[:8]}..., here "
            f"{here[:8]}...)."
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
    query = {key: _rewritten(value, again) for key, value in recipe.query.items()}
    if again and query.get("way") in ("Draw", "Camera"):  # it is a file now: the pad is empty, the camera off
        query["way"] = "Upload"
    return query


def _rewritten(value: str, again: Mapping[str, str]) -> str:
    """A setting in which the picture that it names, or that its edits began with, goes by its new name."""
    for text, new in again.items():
        if value == text or value.endswith(f":{text}"):
            return value.removesuffix(text) + new
    return value
