"""Edits of a latent with a checkpoint: the directions of its gallery, found once and remembered.

Shapes: Z latent components, K strengths, B latents.
"""

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.directions import Direction, sensitivities
from bigan.explore.editing import edited, find_direction
from bigan.explore.reconstruction import GalleryIndex
from bigan.latent import prior_limit
from bigan.models.bigan import BiGAN
from bigan.sources import BETWEEN_SELECTIONS, Edit
from bigan.ui import selections
from bigan.ui.loaders import OpenCheckpoint

MAX_DIRECTIONS, MAX_EFFECTS = 200, 200  # held in memory at once, of all checkpoints
BEYOND = 1.5  # how far a slider goes where one may leave the prior, in limits of the prior
Stamp = tuple[str, tuple[int, ...]]


def direction(chosen: OpenCheckpoint, name: str) -> Direction:
    """The direction with a short name, see `bigan.explore.editing`.

    Raises:
        ValueError: there is none, or the session has not kept the two selections that it leads between.
    """
    if chosen.index is None:
        raise ValueError(f"{chosen.name} comes without a gallery of real images, in which directions are found.")
    held = selections.kept(chosen.name) if name == BETWEEN_SELECTIONS else {}
    if name == BETWEEN_SELECTIONS and len(held) < len(selections.NAMES):
        raise ValueError("This direction leads between two selections, A and B, kept on the Map in this session.")
    return _found(_stamp(chosen), name, held.get("A", ()), held.get("B", ()), chosen.index)


@st.cache_resource(max_entries=MAX_DIRECTIONS, show_spinner=False)
def _found(
    stamp: Stamp,  # noqa: ARG001
    name: str,
    ids_a: tuple[str, ...],
    ids_b: tuple[str, ...],
    _index: GalleryIndex,
) -> Direction:
    return find_direction(name, _index, ids_a, ids_b)


def effects(chosen: OpenCheckpoint, z: Float[Tensor, " Z"]) -> Float[Tensor, " Z"]:
    """How much each number changes the image here, see `bigan.explore.directions.sensitivities`."""
    return _effects(_stamp(chosen), tuple(z.tolist()), chosen.model, z)


@st.cache_resource(max_entries=MAX_EFFECTS, show_spinner=False)
def _effects(
    stamp: Stamp,  # noqa: ARG001
    values: tuple[float, ...],  # noqa: ARG001
    _model: BiGAN,
    _z: Float[Tensor, " Z"],
) -> Float[Tensor, " Z"]:
    return sensitivities(_model, _z)


def _stamp(chosen: OpenCheckpoint) -> Stamp:
    """What changes when the files do."""
    files = (chosen.path / name for name in ("model.safetensors", "gallery.npz"))
    return str(chosen.path), tuple(file.stat().st_mtime_ns for file in files if file.exists())


def latent(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit) -> Float[Tensor, " Z"]:
    """Where an edit leads from the latent of its start.

    Raises:
        ValueError: the edit names a number or a direction that there is not.
    """
    found = direction(chosen, edit.direction) if edit.direction else None
    return edited(z, dict(edit.changes), found, edit.strength, chosen.config.prior, edit.inside)


def along(
    chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit, strengths: tuple[float, ...]
) -> Float[Tensor, "K Z"]:
    """The same edit with each of some strengths."""
    found, changes = direction(chosen, edit.direction), dict(edit.changes)
    moved = [edited(z, changes, found, one, chosen.config.prior, edit.inside) for one in strengths]
    return torch.stack(moved)  # (K, Z)


def at_ends(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit, components: list[int]) -> Float[Tensor, "B Z"]:
    """The same edit with each of some components at its low and at its high end, the two after each other."""
    found, changes = direction(chosen, edit.direction) if edit.direction else None, dict(edit.changes)
    end = reach(chosen, edit.inside)
    moved = [
        edited(z, changes | {i: value}, found, edit.strength, chosen.config.prior, edit.inside)
        for i in components
        for value in (-end, end)
    ]
    return torch.stack(moved)  # (B, Z)


def reach(chosen: OpenCheckpoint, inside: bool) -> float:
    """How far from 0 a number may be set."""
    return prior_limit(chosen.config.prior) * (1.0 if inside else BEYOND)
