"""A latent under one's hands: the controls of the Edit page, and what they make of it.

Shapes: Z latent components, K pictures of a strip, C H W image.
"""

import streamlit as st
from jaxtyping import Float
from torch import Tensor, cat, linalg, linspace, stack

from bigan.explore.directions import sensitivities
from bigan.latent import off_prior_share, prior_limit
from bigan.pictures import comparison, png_bytes
from bigan.ui import charts, difference, downloads, edits, page, pictures, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.view_recipe import embed

CHANGED, DIRECTION, STRENGTH, INSIDE, MORE = "changed", "direction", "strength", "inside", "more"
NO_DIRECTION = "none"
NUM_SLIDERS, MORE_SLIDERS = 8, 24
MAX_STRENGTH = 4.0
STRIP = 9  # pictures along the direction
SCALE, END_SCALE, STRIP_SCALE = 6, 2, 2
DIRECTION_HELP = (
    "Between means of E(x), or where the gallery varies most. Keep two selections on the Map as A and B to have the "
    "direction between them here."
)


@page.part
def show(chosen: OpenCheckpoint, z: Float[Tensor, " Z"]) -> None:
    """The controls and what they make of z.

    Args:
        chosen: the checkpoint.
        z: where the edit starts.
    """
    with st.container(gap=None):
        text = state.kept(CHANGED, "")
    changes = edits.from_text(text, chosen.config.latent_dim)
    edit = _direction(chosen, changes)
    edited = edit.of(z, chosen.config.prior)
    _result(chosen, z, edited)
    if edit.direction is not None:
        _strip(chosen, z, edit)
    _components(chosen, z, changes)


def _direction(chosen: OpenCheckpoint, changes: dict[int, float]) -> edits.Edit:
    """The controls of direction, strength and clamp."""
    known = edits.directions(chosen)
    left, middle, right = st.columns([3, 3, 1.6], vertical_alignment="bottom")
    name = left.selectbox(
        "Direction", (NO_DIRECTION, *known), min(1, len(known)), key=DIRECTION, bind="query-params",
        help=DIRECTION_HELP,
    )  # fmt: skip
    strength = middle.slider(
        "Strength, in standard deviations", -MAX_STRENGTH, MAX_STRENGTH, 1.0, 0.1, key=STRENGTH, bind="query-params",
        disabled=name == NO_DIRECTION,
        help="Choose a direction first." if name == NO_DIRECTION else "1 is a usual difference between two images.",
    )  # fmt: skip
    inside = right.toggle(
        "Inside the prior", True, key=INSIDE, bind="query-params", help="Bring back what would leave the prior."
    )
    return edits.Edit(changes, known.get(str(name)), float(strength), bool(inside))


def _result(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edited: Float[Tensor, " Z"]) -> None:
    """Before, after and the difference, with what the change costs."""
    both = stack([z, edited])  # (2, Z)
    x = chosen.model.generate(both)  # (2, C, H, W)
    columns = st.columns(3)
    for column, image, caption in ((columns[0], x[:1], "G(z), before"), (columns[1], x[1:], "G(z), after")):
        with column:
            pictures.image(
                image, kind="generated", alt=f"{caption} the edit", caption=caption, scale=SCALE, smooth=chosen.smooth
            )
    with columns[2]:
        difference.show(x[1] - x[0], scale=SCALE, smooth=chosen.smooth, names=("before", "after"))
    share = off_prior_share(both, chosen.config.prior).tolist()
    count = round(share[1] * len(z))
    lengths = linalg.vector_norm(both, dim=1).tolist()
    st.markdown(
        f"**{count} of {len(z)} numbers lie outside the prior.** z is {lengths[1]:.1f} long (before {lengths[0]:.1f}), "
        f"and the image moved by {float(linalg.vector_norm(x[1] - x[0])):.1f} in pixels."
    )
    if chosen.config.shortcoming("score") is None:
        before, after = chosen.model.score(x, both).tolist()
        charts.needle([("D(G(z), z) before", before), ("D(G(z), z) after", after)])
    _downloads(chosen, both, x)


def _downloads(chosen: OpenCheckpoint, both: Float[Tensor, "2 Z"], x: Float[Tensor, "2 C H W"]) -> None:
    settings = {key: text for key, text in st.query_params.items() if key != state.CHECKPOINT_KEY}
    recipe = downloads.recipe(chosen, state.EDIT, both, [], **settings)
    name = f"{chosen.name}-edit"
    with st.container(horizontal=True):
        st.download_button(
            "PNG", lambda: embed(png_bytes(comparison(x[:1], x[1:], SCALE)), recipe), f"{name}.png", "image/png",
            key="download-PNG", icon=":material/download:", on_click="ignore", help="Before, after and difference.",
        )  # fmt: skip
        st.download_button(
            "NPZ", lambda: downloads.npz_bytes(recipe, z=both, x=x), f"{name}.npz", key="download-NPZ",
            icon=":material/download:", on_click="ignore", help="z and G(z), before and after, as NumPy arrays.",
        )  # fmt: skip


def _strip(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], edit: edits.Edit) -> None:
    strengths = linspace(-MAX_STRENGTH, MAX_STRENGTH, STRIP).tolist()
    latents = stack([edit.of(z, chosen.config.prior, strength) for strength in strengths])  # (K, Z)
    assert edit.direction is not None
    explained = edit.direction.explained
    share = f" It holds {100 * explained:.0f} % of what varies in the gallery's E(x)." if explained is not None else ""
    pictures.grid(
        chosen.model.generate(latents), columns=STRIP, kind="generated",
        alt=f"G along the direction {edit.direction.name}, {STRIP} steps to both sides",
        caption=f"{edit.direction.name}: from -{MAX_STRENGTH:g} over 0 to {MAX_STRENGTH:g} standard deviations.{share}",
        scale=STRIP_SCALE, smooth=chosen.smooth,
    )  # fmt: skip


def _components(chosen: OpenCheckpoint, z: Float[Tensor, " Z"], changes: dict[int, float]) -> None:
    """Sliders for the components that change the image most here, with the image at both ends of each."""
    st.header("Number by number", anchor=False)
    effects = sensitivities(chosen.model, z)  # (Z,)
    ranked = effects.argsort(descending=True).tolist()
    more = st.toggle("More of them", key=MORE, bind="query-params")
    shown = ranked[: MORE_SLIDERS if more else NUM_SLIDERS]
    shown += [component for component in changes if component not in shown]
    limit = prior_limit(chosen.config.prior)
    both = chosen.model.generate(edits.ends_of(z, shown, chosen.config.prior))  # (2 K, C, H, W)
    st.markdown("What each number of z does to this image, those that change it most first: its low end, its high end.")
    columns = st.columns(4)
    for place, component in enumerate(shown):
        with columns[place % 4]:
            pictures.grid(
                cat([both[place : place + 1], both[place + len(shown) : place + len(shown) + 1]]), columns=2,
                kind="generated", alt=f"G with number {component + 1} of z at {-limit:g} and at {limit:g}",
                caption=f"number {component + 1}: {-limit:g} and {limit:g} (effect {effects[component]:.2f})",
                scale=END_SCALE, smooth=chosen.smooth,
            )  # fmt: skip
            key = f"component-{component}"
            st.session_state[key] = changes.get(component, round(float(z[component]), 2))
            st.slider(
                f"Number {component + 1}", -limit, limit, step=0.01, key=key, label_visibility="collapsed",
                on_change=_change, args=(changes, component, key),
            )  # fmt: skip
    st.button(
        "Reset the numbers", icon=":material/undo:", on_click=state.keep, args=(CHANGED, ""), disabled=not changes,
        help="Back to the z one started from." if changes else "Nothing was changed by hand.", key="reset",
    )  # fmt: skip


def _change(changes: dict[int, float], component: int, key: str) -> None:
    state.keep(CHANGED, edits.to_text({**changes, component: st.session_state[key]}))
