"""Edits of a latent with a checkpoint: the directions of its gallery, found once and remembered.

Shapes: Z latent components, K strengths, B latents.
"""

from collections.abc import Sequence

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
from bigan.ui.loaders import FileStates, OpenCheckpoint

MAX_DIRECTIONS, MAX_EFFECTS = 200, 200  # held in memory at once, of all checkpoints
BEYOND = 1.5  # how far a slider goes where one may leave the prior, in limits of the prior


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
    return _found(chosen.index_key, name, held.get("A", ()), held.get("B", ()), chosen.index)


@st.cache_resource(max_entries=MAX_DIRECTIONS, show_spinner=False)
def _found(
    key: tuple[str, FileStates],  # noqa: ARG001
    name: str,
    ids_a: tuple[str, ...],
    ids_b: tuple[str, ...],
    _index: GalleryIndex,
) -> Direction:
    return find_direction(name, _index, ids_a, ids_b)


def effects(chosen: OpenCheckpoint, z: Float[Tensor, " Z"]) -> Float[Tensor, " Z"]:
    """How much each number changes the image here, see `bigan.explore.directions.sensitivities`."""
    return _effects(chosen.index_key, tuple(z.tolist()), chosen.model, z)


@st.cache_resource(max_entries=MAX_EFFECTS, show_spinner=False)
def _effects(
    key: tuple[str, FileStates],  # noqa: ARG001
    values: tuple[float, ...],  # noqa: ARG001
    _model: BiGAN,
    _z: Float[Tensor, " Z"],
) -> Float[Tensor, " Z"]:
    return sensitivities(_model, _z)


def latent(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit) -> Float[Tensor, " Z"]:
    """Where an edit leads from the latent of its start.

    Raises:
        ValueError: the edit names a number or a direction that there is not.
    """
    return _moved(chosen, z, edit, [(edit.strength, {})])[0]


def along(
    chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit, strengths: tuple[float, ...]
) -> Float[Tensor, "K Z"]:
    """The same edit with each of some strengths.

    Raises:
        ValueError: as `latent`.
    """
    return _moved(chosen, z, edit, [(strength, {}) for strength in strengths])


def at_ends(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit, components: list[int]) -> Float[Tensor, "B Z"]:
    """The same edit with each of some components at its low and at its high end, the two after each other.

    Raises:
        ValueError: as `latent`.
    """
    end = reach(chosen, edit.inside)
    return _moved(chosen, z, edit, [(edit.strength, {i: value}) for i in components for value in (-end, end)])


def _moved(
    chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: Edit, variants: Sequence[tuple[float, dict[int, float]]]
) -> Float[Tensor, "B Z"]:
    """The same edit with other strengths, and with further changes of numbers."""
    found, changes = direction(chosen, edit.direction) if edit.direction else None, dict(edit.changes)
    moved = [
        edited(z, changes | more, found, strength, chosen.config.prior, edit.inside) for strength, more in variants
    ]
    return torch.stack(moved)  # (B, Z)


def reach(chosen: OpenCheckpoint, inside: bool) -> float:
    """How far from 0 a number may be set."""
    return prior_limit(chosen.config.prior) * (1.0 if inside else BEYOND)
