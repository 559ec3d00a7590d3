"""The training to look at: how E(x) of the same images moved, and what came back of some, epoch by epoch.

Shapes: T kept epochs, C H W image.
"""

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from bigan.explore.epochs import EpochMaps, map_epochs
from bigan.explore.gallery import Gallery
from bigan.explore.map_picture import map_picture
from bigan.explore.projection import SpaceMap
from bigan.pictures import mosaic
from bigan.records import Replay, read_replay
from bigan.ui import charts, scrubber, state, theme
from bigan.ui.loaders import MAX_CHECKPOINTS, OpenCheckpoint

OPEN, FRAME = "epochs", "epoch-frame"
SIZE_PX = 360
MAP_NAME, PICTURES_NAME = "E(x) of 1,000 images", "G(E(x)) of 36 images"


def show(chosen: OpenCheckpoint, gallery: Gallery, text: str) -> None:
    """The films under one slider, and what the numbers say of each epoch.

    Args:
        chosen: the checkpoint.
        gallery: its own.
        text: the frame that the address asks for; the last one where it names none.
    """
    replay = read_replay(chosen.path)
    if replay is None:
        st.markdown("This checkpoint did not keep its training.")
        return
    maps, films = _films((str(chosen.path), chosen.weights_sha256), replay, gallery, chosen)
    last = len(maps.epochs) - 1
    frame = min(int(text), last) if text.isdecimal() else last
    said = [
        f"After {epoch} epochs: the view shows {100 * shown:.0f} % of what varies in E(x); E(x) is "
        f"{length:.2f} times as long as draws from the prior"
        for epoch, shown, length in zip(maps.epochs, maps.explained.tolist(), maps.relative_norms.tolist(), strict=True)
    ]
    scrubber.film(
        films,
        names=(MAP_NAME, PICTURES_NAME),
        words=said,
        frame=frame,
        key="epoch-film",
        on_frame=lambda at: state.keep(FRAME, at),
        scale=1,
        smooth=True,
    )
    first, best = maps.label_accuracies[0].item(), maps.label_accuracies.max().item()
    st.markdown(
        "Each map is a flat view of E(x) along the two directions in which it varies most, turned to lie close to the "
        "next epoch's. Watch its size: an untrained E gives short latents, and the curve below shows how their length "
        f"moves. The classes need not come apart more: an untrained E already puts {100 * first:.0f} % of images among "
        f"15 neighbours that mostly share their label, and the best epoch {100 * best:.0f} %."
    )
    charts.curves(
        maps.epochs,
        {
            "15-NN label accuracy in E(x)": maps.label_accuracies.tolist(),
            "|E(x)| relative to the prior": maps.relative_norms.tolist(),
        },
        {"|E(x)| relative to the prior": theme.colours().latent},
        x_title="epoch",
        y_title="share, or times the prior's norm",
        alt="How the labels of neighbours agree in E(x), and how long E(x) is, at each kept epoch.",
        key="epoch-curves",
    )


@st.cache_resource(max_entries=MAX_CHECKPOINTS, show_spinner="Laying out the epochs")
def _films(
    key: tuple[str, str],  # noqa: ARG001
    _replay: Replay,
    _gallery: Gallery,
    _chosen: OpenCheckpoint,
) -> tuple[EpochMaps, list[Float[Tensor, "T 3 S S"]]]:
    maps = map_epochs(_replay, _gallery, _chosen.config.prior)
    rows = _gallery.indices_of(maps.ids)
    few = Gallery(_gallery.images[rows], _gallery.labels[rows], maps.ids, _gallery.class_names, _gallery.source)
    span = 2 * float(maps.coordinates.abs().amax())  # one scale for all epochs
    drawn = [
        map_picture(few, SpaceMap("latent", view, {}, 0.0, 0.0, 0.0), size_px=SIZE_PX, span=span)
        for view in maps.coordinates
    ]
    columns = max(1, round(len(_replay.originals) ** 0.5))
    back = [mosaic(torch.from_numpy(images), columns, gap_px=1) for images in _replay.reconstructed]
    return maps, [_frames(drawn), _frames(back)]


def _frames(pictures: list[Image.Image]) -> Float[Tensor, "T 3 S S"]:
    """Pictures as frames of one size."""
    frames = [picture.convert("RGB").resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX) for picture in pictures]
    return torch.from_numpy(np.stack([np.asarray(frame) for frame in frames])).permute(0, 3, 1, 2) / 255
