"""A pad to draw on, white on black, as a component: pen, eraser, undo and redo, by mouse, pen, finger or arrow keys.

The drawing is sent when a stroke ends, and the session keeps it: it is there again after another page was looked at.
Offline and without any library: drawing_pad.js and drawing_pad.css lie beside this file.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

import streamlit as st

from bigan.images import ImageError, open_image
from bigan.pictures import png_bytes
from bigan.ui import assets

SIDE_PX = 280
MAX_CHARACTERS = 400_000  # of a drawing as it is sent; a page full of scribble takes 20,000
NOTHING: tuple[bytes | None, int] = (None, 0)


def show(*, alt: str, key: str, on_drawing: Callable[[bytes | None], None]) -> None:
    """The pad, with what was drawn on it before.

    Args:
        alt: what is to be drawn.
        key: unlike any other widget's on the page.
        on_drawing: called at the end of each stroke, before the page is drawn anew, with the drawing as a greyscale PNG
            of SIDE_PX by SIDE_PX; None if nothing is left of it.
    """
    memory = _memory(key)
    drawn, stamp = st.session_state.get(memory, NOTHING)

    def receive() -> None:
        sent = _sent(st.session_state[key].drawn)
        if sent is not None:
            st.session_state[memory] = sent
            on_drawing(sent[0])

    data = {
        "pad": key,
        "side": SIDE_PX,
        "alt": alt,
        "picture": "" if drawn is None else "data:image/png;base64," + base64.b64encode(drawn).decode(),
        "stamp": stamp,
    }
    assets.mount("drawing_pad", data, key=key, on_drawn_change=receive)


def drawing(key: str) -> bytes | None:
    """What was last drawn on a pad in this session, as `show` gives it."""
    drawn: bytes | None = st.session_state.get(_memory(key), NOTHING)[0]
    return drawn


def _memory(key: str) -> str:
    return f"{key}-drawing"


def _sent(value: Any) -> tuple[bytes | None, int] | None:
    """A drawing and when it was made, as the browser sends them; None if it cannot have sent them."""
    if not isinstance(value, dict):
        return None
    text, stamp = value.get("picture"), value.get("stamp")
    if not isinstance(text, str) or not isinstance(stamp, int) or len(text) > MAX_CHARACTERS:
        return None
    try:
        picture = open_image(base64.b64decode(text, validate=True)).convert("L")
    except (binascii.Error, ImageError):
        return None
    if picture.size != (SIDE_PX, SIDE_PX):
        return None
    return (None if picture.getextrema() == (0, 0) else png_bytes(picture)), stamp
