"""Frames that answer the hand at once: a film under a slider, or a sheet under a pointer.

All frames travel once, as one picture, and are shown from it in the browser; the server hears only where one came to
rest. Offline and without any library: scrubber.js and scrubber.css lie beside this file.

Shapes: L films beside each other, T frames, S rows and columns of a sheet, C H W image.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.ui import assets, grid

NEVER = 0  # when nobody has moved anything yet, in milliseconds since 1970


def film(
    films: Sequence[Float[Tensor, "T C H W"]],
    *,
    names: Sequence[str],
    words: Sequence[str],
    frame: int,
    key: str,
    on_frame: Callable[[int], None],
    plays: bool = False,
    beside: Sequence[str] = (),
    scale: int,
    smooth: bool,
) -> None:
    """Films beside each other that move as one: a slider, play and stop, how fast, and once or for ever.

    Args:
        films: what G made, of equally many frames.
        names: what stands under each film; empty if nothing does.
        words: of each frame, said under the films.
        frame: the one to show, from 0.
        key: unlike any other widget's on the page.
        on_frame: called with the frame at which one came to rest, before the page is drawn anew.
        plays: whether new films play by themselves, there and back once; never for those who asked for less motion.
        beside: keys of a grid of the same frames and of a chart over them, whose first line stands at the frame shown:
            both go along.
        scale: how many times a frame is enlarged where there is room.
        smooth: enlarge smoothly (photographs) rather than by square pixels.
    """
    frames = torch.cat(list(films))  # (L T, C, H, W)
    data = {"films": tuple(names), "alt": "Frame", "plays": plays, "beside": tuple(beside), "scale": scale}
    _mount(frames, len(films[0]), data, words=words, at=frame, key=key, on_rest=on_frame, smooth=smooth)


def pad(
    sheet: Float[Tensor, "S S C H W"],
    *,
    corners: tuple[tuple[str, ...], tuple[str, ...]],
    alt: str,
    words: Sequence[str],
    cell: int,
    key: str,
    on_cell: Callable[[int], None],
    scale: int,
    sheet_scale: int,
    smooth: bool,
) -> None:
    """A sheet to move over by pointer, finger or arrow keys; the frame there is shown large beside it.

    Args:
        sheet: what G made.
        corners: what stands above and below the sheet.
        alt: what the sheet shows.
        words: of each frame, row by row, said under the large one.
        cell: the frame to show, from 0, row by row.
        key: unlike any other widget's on the page.
        on_cell: called with the frame that was chosen, before the page is drawn anew.
        scale: how many times the frame is enlarged where there is room.
        sheet_scale: the same of the sheet.
        smooth: enlarge smoothly.
    """
    data = {"films": ("",), "corners": corners, "alt": alt, "scale": scale, "sheetScale": sheet_scale}
    _mount(sheet.flatten(0, 1), len(sheet), data, words=words, at=cell, key=key, on_rest=on_cell, smooth=smooth)


def _mount(
    frames: Float[Tensor, "N C H W"],
    columns: int,
    data: dict[str, Any],
    *,
    words: Sequence[str],
    at: int,
    key: str,
    on_rest: Callable[[int], None],
    smooth: bool,
) -> None:
    memory = f"{key}-stamp"

    def rest() -> None:
        sent = _sent(st.session_state[key].at, len(words))
        if sent is not None:
            st.session_state[memory] = sent[1]
            on_rest(sent[0])

    *_, height, width = frames.shape
    common = {  # no lists: in those Streamlit looks for tables, and loads pandas (80 MB) to know one
        "sheet": grid.sheet(frames, columns),
        "tile": (width, height),
        "words": tuple(words),
        "at": at,
        "stamp": st.session_state.get(memory, NEVER),
        "smooth": smooth,
    }
    assets.mount("scrubber", common | data, key=key, on_at_change=rest)


def _sent(value: Any, count: int) -> tuple[int, int] | None:
    """The frame and when it was chosen, as the browser sends them; None if it cannot have sent them."""
    if not isinstance(value, dict):
        return None
    at, stamp = value.get("at"), value.get("stamp")
    if type(at) is not int or type(stamp) is not int or not 0 <= at < count:
        return None
    return at, stamp
