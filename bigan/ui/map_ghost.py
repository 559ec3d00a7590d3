"""What a model makes at a place of the map where there is no image."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.areas import CORNER_STEPS, box
from bigan.explore.projection import NUM_NEIGHBOURS, Projection, latent_at
from bigan.latent import off_prior_share
from bigan.pictures import png_bytes, to_image
from bigan.ui import map_component, pictures, state
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint

SPOT = "spot"
SCALE = 5


@dataclass(frozen=True)
class Guess:
    """A latent for a place, and its image."""

    space: str
    place: tuple[float, float]
    z: Float[Tensor, "1 Z"]
    x: Float[Tensor, "1 C H W"]

    @property
    def ghost(self) -> map_component.Ghost:
        """For the map."""
        return map_component.Ghost(self.place, png_bytes(to_image(self.x)))


def guess(chosen: OpenCheckpoint, projection: Projection, text: str) -> Guess | None:
    """What the address asks for as "space:x,y", in thousandths of the map; None for anything else."""
    space, _, numbers = text.partition(":")
    index, parts = chosen.index, numbers.split(",")
    if index is None or space not in projection.maps or len(parts) != 2 or not all(p.isdecimal() for p in parts):
        return None
    place = (min(int(parts[0]) / CORNER_STEPS, 1.0), min(int(parts[1]) / CORNER_STEPS, 1.0))
    coordinates = projection.maps[space].coordinates
    where = box(coordinates.numpy()).outside(np.array([place]))[0]  # (2,)
    z = latent_at(torch.from_numpy(where).float(), coordinates, index.latents, chosen.config.prior)[None]  # (1, Z)
    return Guess(space, place, z, chosen.model.generate(z))


def show(chosen: OpenCheckpoint, found: Guess) -> None:
    """The panel of a guess."""
    st.header("Where there is no image", anchor=False)
    pictures.image(
        found.x,
        kind="generated",
        alt="G of the mean latent around the place that was clicked",
        caption=f"G of the mean E(x) of the {NUM_NEIGHBOURS} nearest points",
        scale=SCALE,
        smooth=chosen.smooth,
    )
    share = 100 * float(off_prior_share(found.z, chosen.config.prior)[0])
    st.markdown(
        "A map has no way back to a latent. This is a guess: the mean E(x) of the points nearest to where you clicked, "
        f"the nearer ones counting more, sent through G. {share:.0f} % of its numbers lie outside the prior.",
        help=explain("prior"),
    )
    st.button("Forget it", icon=":material/close:", on_click=state.keep, args=(SPOT, ""), key="forget-spot")
