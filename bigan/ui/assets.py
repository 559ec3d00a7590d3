"""The components of our own: their scripts and style sheets lie beside this file, plain, and without any library.

Streamlit sends a component's script with everything that it is given, at every change. So each is mounted twice: once
as its code, which never changes and is therefore sent once, and once with its data, which waits for the code.
"""

import functools
import hashlib
from pathlib import Path
from typing import Any

import streamlit as st

DIGITS = 12  # of the hash by which data finds its code
_SLOT = """
const slots = (globalThis.biganSlots ??= new Map());
if (!slots.has("$KEY")) {
  let give;
  slots.set("$KEY", { code: new Promise((done) => (give = done)), give });
}
const slot = slots.get("$KEY");
"""
_WAITING = "export default async (component) => (await slot.code)(component);"
_GIVING = "export default () => slot.give(draw);"


@functools.cache
def _scripts(name: str) -> tuple[str, str]:
    """The script of the code, whose `draw` is given away, and that of the data, which waits for it."""
    code = _text(f"{name}.js")
    slot = _SLOT.replace("$KEY", hashlib.sha256(code.encode()).hexdigest()[:DIGITS])
    return slot + code + _GIVING, slot + _WAITING


@functools.cache
def _text(name: str) -> str:
    """The text of a file beside this one, empty where there is none."""
    path = Path(__file__).parent / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def mount(name: str, data: dict[str, Any], *, key: str, **on_changes: Any) -> None:
    """Put a component on the page.

    Args:
        name: of its files, name.js and, where it has a look, name.css. The script holds a function `draw`, which gets
            Streamlit's component.
        data: what it is given.
        key: unlike any other widget's on the page.
        on_changes: as `on_VALUE_change`, called when the component sends this value.
    """
    code, waiting = _scripts(name)
    mount_code = st.components.v2.component(
        f"bigan.{name}.code", js=code, css=_text(f"{name}.css"), isolate_styles=False
    )
    mount_data = st.components.v2.component(f"bigan.{name}", js=waiting, isolate_styles=False)
    with st.container(gap=None):
        mount_code(key=f"{key}-code")
        mount_data(data=data, key=key, **on_changes)
