"""What leaves the Walk page: walks as animations and strips, sheets as pictures, all with their numbers.

Shapes: L walks beside each other, T frames, S rows and columns of a sheet, Z latent components, C H W image.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.explore.interpolation import Sheet, Walk
from bigan.pictures import animation_bytes, mosaic, png_bytes
from bigan.ui import downloads, state
from bigan.ui.downloads import File
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved
from bigan.view_code import WALK_SCALE

ANIMATION_SCALE = 8
FRAME_SECONDS = 0.1
LOGITS = ", and D's logits,"


def walks(
    chosen: OpenCheckpoint,
    kind: str,
    lanes: Mapping[str, Walk],
    ends: Mapping[str, Resolved],
    settings: Mapping[str, object],
) -> None:
    """Buttons for walks of equally many frames, side by side where there are several.

    Args:
        chosen: the model.
        kind: of view, for the files' names.
        lanes: the walks by name.
        ends: by the letters of the address.
        settings: all others that the address holds.
    """
    made = list(lanes.values())
    x = torch.stack([one.images for one in made])  # (L, T, C, H, W)
    z = torch.stack([one.latents for one in made])  # (L, T, Z)
    num_steps, has_opinion = x.shape[1], made[0].logits is not None
    sources = {letter: str(end.source) for letter, end in ends.items()}
    recipe = downloads.recipe(chosen, state.INTERPOLATE, z.flatten(0, 1), list(ends.values()), **settings, **sources)

    def animation(file: Literal["gif", "webp"]) -> bytes:
        frames = [mosaic(x[:, t], len(made), ANIMATION_SCALE) for t in range(num_steps)]
        return animation_bytes(frames, file, FRAME_SECONDS)

    def arrays() -> bytes:
        measured = {
            name: _one_or_all([getattr(one, name) for one in made])
            for name in ("pixel_steps", "off_prior_shares", *["logits"] * has_opinion)
        }
        return downloads.npz_bytes(
            recipe,
            z=_one_or_all(list(z)),
            x=_one_or_all(list(x)),
            names=list(lanes),
            path=[one.path for one in made],
            **measured,
            **sources,
        )

    def table() -> bytes:
        opinions = [logit for one in made if one.logits is not None for logit in one.logits.tolist()]
        return downloads.csv_bytes(
            {
                "walk": [name for name in lanes for _ in range(num_steps)],
                "frame": [t + 1 for _ in made for t in range(num_steps)],
                "pixel distance to the next": [step for one in made for step in (*one.pixel_steps.tolist(), "")],
                "length of z": z.norm(dim=-1).flatten().tolist(),
                "share outside the prior": [share for one in made for share in one.off_prior_shares.tolist()],
            }
            | ({"D(G(z), z)": opinions} if has_opinion else {})
        )

    beside = ", side by side" if len(made) > 1 else ""
    rows = "All frames in one row" + (" for each." if len(made) > 1 else ".")
    downloads.show(
        recipe,
        _name(chosen, kind, sources),
        [
            File("GIF", lambda: animation("gif"), f"An animation{beside}, for anywhere."),
            File("WebP", lambda: animation("webp"), f"An animation{beside}, smaller and exact."),
            File("PNG", lambda: png_bytes(mosaic(x.flatten(0, 1), num_steps, WALK_SCALE)), rows),
            File("NPZ", arrays, f"Latents, frames and steps{LOGITS * has_opinion} as NumPy arrays."),
            File("CSV", table, f"Steps, lengths and shares outside the prior{LOGITS * has_opinion} as a table."),
        ],
    )


def sheet(chosen: OpenCheckpoint, made: Sheet, ends: Mapping[str, Resolved], settings: Mapping[str, object]) -> None:
    """Buttons for a sheet.

    Args:
        chosen: the model.
        made: the sheet.
        ends: by the letters of the address.
        settings: all others that the address holds.
    """
    size = len(made.images)
    sources = {letter: str(end.source) for letter, end in ends.items()}
    latents = made.latents.flatten(0, 1)  # (S S, Z)
    recipe = downloads.recipe(chosen, state.INTERPOLATE, latents, list(ends.values()), **settings, **sources)

    def arrays() -> bytes:
        return downloads.npz_bytes(
            recipe, z=made.latents, x=made.images, off_prior_shares=made.off_prior_shares, **sources
        )

    downloads.show(
        recipe,
        _name(chosen, "sheet", sources),
        [
            File("PNG", lambda: png_bytes(mosaic(made.images.flatten(0, 1), size, WALK_SCALE)), "The sheet."),
            File("NPZ", arrays, "Latents, images and shares outside the prior as NumPy arrays."),
        ],
    )


def _one_or_all(values: list[Float[Tensor, "*shape"]]) -> Float[Tensor, "*more"]:
    return values[0] if len(values) == 1 else torch.stack(values)


def _name(chosen: OpenCheckpoint, kind: str, sources: Mapping[str, str]) -> str:
    return "-".join([chosen.name, kind, *(source.replace(":", "-") for source in sources.values())])
