"""What a person takes home from a page: pictures that carry the recipe of the view, arrays, tables, and code."""

import base64
import csv
import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin

import numpy as np
import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan.pictures import png_bytes, to_image
from bigan.sources import Edit, Source, Upload, innermost, needs_selections
from bigan.ui import selections, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved, resolve_source
from bigan.view_code import python_code
from bigan.view_recipe import CARRIED, ViewRecipe, embed, latents_sha256, link, versions

Label = Literal["PNG", "WebP", "GIF", "NPZ", "CSV"]
MIME_TYPES: dict[Label, str] = {
    "PNG": "image/png",
    "WebP": "image/webp",
    "GIF": "image/gif",
    "NPZ": "application/octet-stream",
    "CSV": "text/csv",
}
Values = Tensor | Sequence[float | None] | Sequence[str] | float | int | str


@dataclass(frozen=True)
class File:
    """Something to download, made when it is asked for."""

    label: Label
    content: Callable[[], bytes]
    help: str


def recipe(
    chosen: OpenCheckpoint,
    page: state.PageInfo,
    latents: Float[Tensor, "B Z"],
    sources: Sequence[Resolved],
    **settings: object,
) -> ViewRecipe:
    """The recipe of what a page shows.

    Args:
        chosen: the checkpoint.
        page: the page.
        latents: what was shown, or what it was made of.
        sources: where the images come from; of a person's own picture, what the model sees of it goes along.
        settings: all values that the page has in the address, as its widgets write them there.
    """
    begun = [
        one if isinstance(one.source, Upload) else resolve_source(innermost(one.source), chosen)
        for one in sources
        if isinstance(innermost(one.source), Upload)
    ]
    own = {str(one.source): png_bytes(to_image(one.x)) for one in begun}
    carried = selections.settings(chosen) if any(needs_selections(one.source) for one in sources) else {}
    return ViewRecipe(
        page=page.url,
        query=state.texts(**settings) | carried,
        checkpoint=chosen.name,
        weights_sha256=chosen.weights_sha256,
        latents_sha256=latents_sha256(latents),
        versions=versions(),
        pictures={source: base64.b64encode(content).decode() for source, content in own.items()},
    )


def show(made_by: ViewRecipe, name: str, files: Sequence[File]) -> None:
    """Buttons for the files, and the lines of Python that make the page's PNG.

    Args:
        made_by: goes into every picture.
        name: of the files, without their ending.
        files: at most one of each kind.
    """
    columns = st.columns(2)
    for i, file in enumerate(files):
        with columns[i % 2]:
            _button(made_by, name, file, file.label, "stretch")
    with st.popover("Copy as code or link", icon=":material/code:", width="stretch"):
        st.markdown("This picture, made by the library:")
        st.code(python_code(made_by), language="python", wrap_lines=True)
        st.markdown("This view, for whoever has the app and the model:")
        st.code(urljoin(st.context.url or "", link(made_by)[1:]), language=None, wrap_lines=True)
        if made_by.pictures or any(key in made_by.query for key in CARRIED):
            st.markdown(_staying_here(made_by, files))
        st.caption("Every PNG, WebP and GIF from here carries its recipe: “Open a saved view” brings it back.")


def beside(made_by: ViewRecipe, called: str, name: str, files: Sequence[File]) -> None:
    """Buttons for what a page shows beside its own picture, in one row.

    Args:
        made_by: goes into every picture; see `with_latents`.
        called: what is taken home, as the label begins: "The means as".
        name: of the files, without their ending.
        files: at most one of each kind.
    """
    with st.container(horizontal=True):
        for file in files:
            _button(made_by, name, file, f"{called} {file.label}", "content")


def _button(made_by: ViewRecipe, name: str, file: File, label: str, width: Literal["stretch", "content"]) -> None:
    st.download_button(
        label,
        lambda: _carrying(file, made_by),
        f"{name}.{file.label.lower()}",
        MIME_TYPES[file.label],
        key=f"download-{label}",
        icon=":material/download:",
        on_click="ignore",
        help=file.help,
        width=width,
    )


def with_latents(made_by: ViewRecipe, latents: Float[Tensor, "B Z"]) -> ViewRecipe:
    """The recipe of the same view for a picture of other latents in it."""
    return dataclasses.replace(made_by, latents_sha256=latents_sha256(latents))


def file_name(chosen: OpenCheckpoint, source: Source) -> str:
    """What files about an image are called, without their ending."""
    return f"{chosen.name}-{'edit' if isinstance(source, Edit) else str(source).replace(':', '-')}"


def _staying_here(made_by: ViewRecipe, files: Sequence[File]) -> str:
    """That what is a person's own is in no link, and how it reaches somebody else."""
    carriers = [file.label for file in files if MIME_TYPES[file.label].startswith("image/")]
    if not made_by.pictures:
        return (
            "**Your selections do not travel in this link**: they stay in your session. To share this view, send the "
            f"{carriers[0]} from here, which carries them inside."
        )
    way = f"send the {carriers[0]} from here, which carries your picture and this view inside, or " if carriers else ""
    return (
        "**Your own picture does not travel in this link**: it stays in your session, and who opens the link is asked "
        f"for it. To share this view, {way}send your file along with the link."
    )


def _carrying(file: File, made_by: ViewRecipe) -> bytes:
    content = file.content()
    return embed(content, made_by) if MIME_TYPES[file.label].startswith("image/") else content


def npz_bytes(made_by: ViewRecipe, **values: Values) -> bytes:
    """A compressed NumPy archive: tensors and lists as arrays, numbers and texts as arrays without a dimension.

    With them go the checkpoint, the hash of its weights, and the whole recipe as JSON.
    """
    facts = {"checkpoint": made_by.checkpoint, "weights_sha256": made_by.weights_sha256, "recipe": made_by.to_json()}
    arrays = {
        name: value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.array(value)
        for name, value in (values | facts).items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def csv_bytes(columns: Mapping[str, Sequence[object]]) -> bytes:
    """A table as CSV (RFC 4180) in UTF-8; what is not known stays empty."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()
