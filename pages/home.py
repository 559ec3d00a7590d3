"""Home: what a BiGAN is, which model is chosen, how good it is beside the paper's, and three ways in."""

import math
from urllib.parse import urlencode

import streamlit as st

from bigan.kinds import EXTENDED
from bigan.ui import charts, diagram, page, pictures, results, state, theme
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint

STRIP_COLUMNS, STRIP_SEED = 16, 1
LOG_2 = math.log(2)  # D's loss when it is undecided
# Colour -> losses of the networks that it stands for (see bigan.objectives)
LOSSES = {"opinion": ("JD", "D"), "generated": ("EG", "G", "R"), "latent": ("E", "C")}

WHY = r"""
Three networks play one game:
$$\min_{G, E} \max_D\; \mathbb{E}_{x \sim p_X}\left[\log D(x, E(x))\right]
+ \mathbb{E}_{z \sim p_Z}\left[\log\left(1 - D(G(z), z)\right)\right]$$

$D$ sees pairs and never learns which image belongs to which latent. Still, at the optimum, $E$ and $G$ undo each other:
$G(E(x)) = x$ and $E(G(z)) = z$ (Theorem 2). In practice they are approximate inverses, and the pages here show how far.

Donahue, Krähenbühl and Darrell, *Adversarial Feature Learning*, ICLR 2017, sections 3 and 3.2
([arXiv 1605.09782](https://arxiv.org/abs/1605.09782)); the same idea at the same time: Dumoulin et al.,
*Adversarially Learned Inference* ([arXiv 1606.00704](https://arxiv.org/abs/1606.00704)).
"""


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    _diagram()
    _doors(chosen)
    left, right = st.columns(2, gap="large")
    with left:
        _card(chosen)
    with right:
        _curves(chosen)


def _diagram() -> None:
    def address(info: state.PageInfo) -> str:
        return f"{info.url}?{urlencode(state.parameters())}".rstrip("?")

    st.html(
        diagram.with_links(
            {
                "G": (address(state.SAMPLE), "Sample: what G makes"),
                "G(z)": (address(state.EDIT), "Edit: what each number of z does to G(z)"),
                "z": (address(state.INTERPOLATE), "Walk: from one latent to another"),
                "E": (address(state.RECONSTRUCT), "Reconstruct: through E and back"),
                "E(x)": (address(state.MAP), "Map: what E learned"),
                "D": (address(state.SAMPLE), "Sample: what D says of each pair"),
            }
        )
    )


def _doors(chosen: OpenCheckpoint) -> None:
    doors = (
        (state.SAMPLE, "See what it imagines", f"Draw {chosen.info.noun_plural} that nobody has ever made."),
        (state.RECONSTRUCT, "Give it your own image", "Through E into numbers, and back through G."),
        (state.MAP, "Walk the map", f"Thousands of real {chosen.info.noun_plural}, placed by what E sees in them."),
    )
    for column, (target, label, sentence) in zip(st.columns(3), doors, strict=True):
        with column, st.container(border=True, height="stretch"):
            state.link(target, f"**{label}**")
            st.markdown(sentence)
    state.link(state.LEARN, "New to this? Five short lessons", "Each on one idea, with something to predict")


def _card(chosen: OpenCheckpoint) -> None:
    config, info = chosen.config, chosen.info
    st.header(f"The model: {chosen.name}", anchor=False)
    st.markdown(
        f"{chosen.kind.title}, trained on {info.title}: {config.image_shape[1]} by {config.image_shape[2]} pixels, "
        f"{config.latent_dim} numbers in z ({config.prior} prior). Networks: {', '.join(config.networks)}, each with "
        f"{config.num_hidden_layers} hidden layers of {config.hidden_dim}.",
        help=explain("prior"),
    )
    if config.shortcoming("generate") is None:
        z = chosen.model.sample_latents(2 * STRIP_COLUMNS, STRIP_SEED)
        pictures.grid(
            chosen.model.generate(z),
            columns=STRIP_COLUMNS,
            kind="generated",
            alt=f"{2 * STRIP_COLUMNS} {info.noun_plural} made by G",
            caption=f"{info.noun_plural.capitalize()} made by G; none of them exists.",
            scale=2,
            smooth=chosen.smooth,
        )
    if chosen.metrics is None:
        st.caption(f"It has not been measured yet: `python -m bigan evaluate {chosen.name}` does that.")
        return
    page.cards(results.cards(chosen.metrics, chosen))
    st.caption(results.protocol_words(chosen.metrics), help=explain(*results.card_terms(chosen.metrics)))
    metrics = chosen.metrics
    charts.table_twin(lambda: results.table(metrics, chosen), "All its numbers")


def _curves(chosen: OpenCheckpoint) -> None:
    st.header("How it learned", anchor=False, help=explain("nats", "EGr", "EGr_b"))
    rows = chosen.history
    if not rows:
        st.markdown(
            "This checkpoint comes without the record of its training. Choose another model in the sidebar to see one, "
            "or train your own, which brings it: `python -m bigan train mnist`."
        )
        return
    c = theme.colours()
    epochs = [row["epoch"] for row in rows]
    colours = {
        name: getattr(c, colour)
        for colour, names in LOSSES.items()
        for name in names
        if any(name in row for row in rows)
    }
    charts.curves(
        epochs,
        {name: [row.get(name) for row in rows] for name in colours},
        colours,
        x_title="epoch",
        y_title="loss" if "R" in colours or chosen.kind is EXTENDED else "loss, nats",
        alt=f"The losses {', '.join(colours)} over {len(rows)} epochs; D undecided would be 0.69 nats.",
        key="losses",
        references={"undecided, log 2": LOG_2} if colours.keys() & set(LOSSES["opinion"]) else {},
    )
    ratios = {"EGr / EGr_b": [results.reconstruction_ratio(row) for row in rows]}
    if chosen.config.shortcoming("generate", "encode"):
        return
    charts.curves(
        epochs,
        ratios,
        {"EGr / EGr_b": c.latent},
        x_title="epoch",
        y_title="EGr / EGr_b",
        alt="How far G(E(x)) is from x, over its distance from another image, per epoch; lower is better.",
        key="quality",
    )


page.show(
    draw,
    title="What is a BiGAN?",
    sentence="G turns numbers into images, E turns images into numbers, and D tries to tell their pairs apart. "
    "To fool it, E and G must undo each other, though nobody ever shows E which numbers belong to which image.",
    lit=page.EVERYTHING,
    why=WHY,
)
