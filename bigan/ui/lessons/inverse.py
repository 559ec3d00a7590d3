"""Lesson 2: why E must invert G, on three images and three latents."""

import base64
import html
import math
from collections.abc import Sequence

import streamlit as st

from bigan.explore.finite_game import FiniteGame, count_best, lowest_criterion, play
from bigan.explore.neighbours import pair_distances
from bigan.pictures import mosaic, png_bytes
from bigan.ui import charts, page, theme, words
from bigan.ui.lessons import drawings
from bigan.ui.lessons.lesson import Lesson, Screen, answer, predict
from bigan.ui.loaders import OpenCheckpoint

NUM = 3
START_E, START_G = (0, 0, 1), (0, 1, 2)
Z_NAMES = ("z₁", "z₂", "z₃")
X_NAMES = ("x₁", "x₂", "x₃")
WIDTH_PX, HEIGHT_PX, TILE_PX = 420, 300, 64
NUM_LATENTS, SEED = 1000, 0

WHY = r"""
For deterministic $E$ and $G$, with $C(E, G) = \max_D V(D, E, G)$:

- **Proposition 1.** The best $D$ is $D^* = dP_{EX} / d(P_{EX} + P_{GZ})$.
- **Proposition 2.** $C(E, G) = 2\,\mathrm{JSD}(P_{EX}, P_{GZ}) - \log 4$.
- **Theorem 1.** $C$ is least, $-\log 4$, if and only if $P_{EX} = P_{GZ}$.
- **Theorem 2.** Then $E$ and $G$ are inverses almost everywhere: $G(E(x)) = x$ for $P_X$-almost every $x$, and
  $E(G(z)) = z$ for $P_Z$-almost every $z$.

**Here**, with three equally likely points on each side, each kind of pair consists of three pairs with probability
1/3. If $k$ pairs are of both kinds, $\mathrm{JSD} = (1 - k/3) \log 2$ and so $C = -\tfrac{k}{3} \log 4$: only shared
pairs
count, and a pair is shared exactly where the way there and back ends where it began. That is Theorem 3 in small: the
game is an autoencoder with an $\ell_0$ loss, which counts exact returns and gives nothing for near ones. The minimum
asks
for $k = 3$: a bijection and its inverse, of which there are $3! = 6$.

**In practice** $E$, $G$ and $D$ are networks of limited size, trained on samples by gradient steps; the theorems
speak of
the optimum over all functions. The authors: "they are rarely exact inverses" (section 3.2).

Donahue et al. 2017, sections 3.1 to 3.3.
"""


def shared(chosen: OpenCheckpoint) -> bool:
    """Why a pair of both kinds comes back to itself."""
    st.markdown(
        "Imagine a world of three pictures, x₁, x₂, x₃, and three numbers, z₁, z₂, z₃, all equally likely. The "
        "encoder E sends each picture to a number; the generator G sends each number to a picture. D is fooled when "
        "both lists of pairs are the same: every pair (x, E(x)) must also be a pair (G(z), z), and just as often."
    )
    guess = predict(
        chosen, "shared",
        "E sends x₁ to z₂, so (x₁, z₂) is an encoder pair. What must G do for it to be a generator pair too?",
        ["G must send z₁ to x₂", "G must send z₂ to x₁", "Nothing special: D never sees E and G together"],
    )  # fmt: skip
    if guess is None:
        return False
    answer(
        guess, "G must send z₂ to x₁",
        "The only generator pair with z₂ in it is (G(z₂), z₂). If that is to be (x₁, z₂), G must undo what E did.",
    )  # fmt: skip
    st.markdown(
        "That is the whole idea. No loss ever compares x with G(E(x)); a D that looks at pairs is enough, because a "
        "number can belong to only one picture that G makes."
    )
    return True


def toy(chosen: OpenCheckpoint) -> bool:
    """Choosing E and G oneself."""
    st.markdown(
        "Now be E and G yourself. D plays its best against you at once, and **C** is what it wins: 0 when it always "
        f"knows, {_signed(lowest_criterion())} (that is, {charts.MINUS}log 4) when it knows nothing. Make C as small "
        "as you can."
    )
    guess = predict(
        chosen, "toy",
        "E and G can be chosen in 27 times 27 = 729 ways. How many of them leave the best D knowing nothing?",
        ["1", "6", "27", "All in which E never sends two pictures to one number"],
    )  # fmt: skip
    left, middle, right = st.columns([2, 2, 5], gap="medium")
    with left:
        encoder = [_choice(f"E({x}) =", f"e{i + 1}", Z_NAMES, START_E[i]) for i, x in enumerate(X_NAMES)]
    with middle:
        generator = [_choice(f"G({z}) =", f"g{i + 1}", X_NAMES, START_G[i]) for i, z in enumerate(Z_NAMES)]
    game = play(encoder, generator)
    with right:
        _arrows(chosen, encoder, generator)
        page.finding(_finding(game))
    charts.table_twin(lambda: _table(game), "Every pair, how often it comes, and what the best D says of it")
    if guess is None:
        return False
    best, total = drawings.once(chosen, ("count",), lambda: count_best(NUM, NUM))
    answer(
        guess, str(best),
        f"All {total} were just played: {best} reach the minimum. Each is one of the 6 ways to match the pictures "
        "with the numbers one to one, with G as its exact way back. An E without collisions is not enough: G must "
        "fit it.",
    )  # fmt: skip
    return True


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", charts.MINUS)


def _choice(label: str, key: str, names: Sequence[str], start: int) -> int:
    found = st.segmented_control(label, names, default=names[start], required=True, key=key, bind="query-params")
    return names.index(str(found)) if found in names else start


def _finding(game: FiniteGame) -> str:
    num = sum(game.images_return)
    end = (
        "D is undecided about every pair: E and G are inverses." if game.is_at_minimum
        else f"Smallest possible: {_signed(lowest_criterion())}."
    )  # fmt: skip
    return (
        f"{num} of 3 pictures come back to themselves, G(E(x)) = x. C = 2 · {game.divergence:.2f} {charts.MINUS} log "
        f"4 = {_signed(game.criterion)}. {end}"
    )


def _table(game: FiniteGame) -> dict[str, list[str]]:
    cells = [(x, z) for x in range(NUM) for z in range(NUM)]
    total = game.encoder_pairs + game.generator_pairs
    return {
        "pair": [f"({X_NAMES[x]}, {Z_NAMES[z]})" for x, z in cells],
        "as encoder pair": [f"{game.encoder_pairs[cell]:.2f}" for cell in cells],
        "as generator pair": [f"{game.generator_pairs[cell]:.2f}" for cell in cells],
        "best D: encoder pair": [
            f"{100 * game.best_discriminator[cell]:.0f} %" if total[cell] else "never comes" for cell in cells
        ],
    }


def _arrows(chosen: OpenCheckpoint, encoder: Sequence[int], generator: Sequence[int]) -> None:
    """Three pictures on the left, three latents on the right, E's arrows above G's, as one SVG."""
    gallery = chosen.gallery
    ys = [50 + 100 * i for i in range(NUM)]
    parts = []
    for i, y in enumerate(ys):
        if gallery is not None:
            row = int(
                (gallery.labels == int(gallery.labels.unique()[i % len(gallery.labels.unique())])).nonzero()[0, 0]
            )
            data = base64.b64encode(png_bytes(mosaic(gallery.images[row : row + 1], 1, gap_px=0))).decode()
            parts.append(
                f'<image href="data:image/png;base64,{data}" x="30" y="{y - TILE_PX / 2}" width="{TILE_PX}" '
                f'height="{TILE_PX}" style="image-rendering:pixelated"/>'
            )
        parts.append(f'<rect class="x" x="30" y="{y - TILE_PX / 2}" width="{TILE_PX}" height="{TILE_PX}"/>')
        parts.append(f'<text x="4" y="{y + 5}">{X_NAMES[i]}</text>')
        parts.append(f'<circle class="z" cx="350" cy="{y}" r="20"/><text x="341" y="{y + 5}">{Z_NAMES[i]}</text>')
    for x, z in enumerate(encoder):
        parts.append(f'<path class="e" d="M100 {ys[x] - 9} L322 {ys[z] - 9}" marker-end="url(#e)"/>')
    for z, x in enumerate(generator):
        parts.append(f'<path class="g" d="M330 {ys[z] + 9} L106 {ys[x] + 9}" marker-end="url(#g)"/>')
    real, made, teal, ink = (theme.css_colour(name) for name in ("real", "generated", "latent", "ink"))
    tips = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" markerHeight="5" '
        f'orient="auto-start-reverse"><path fill="{colour}" d="M0 0 L10 5 L0 10 z"/></marker>'
        for name, colour in (("e", teal), ("g", made))
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"><style>'
        f":root{{color-scheme:light dark}} text{{font:16px Georgia,serif;fill:{ink}}} "
        f".x{{fill:none;stroke:{real};stroke-width:2}} "
        f".z{{fill:none;stroke:{teal};stroke-width:2}} .e{{stroke:{teal};stroke-width:3}} "
        f".g{{stroke:{made};stroke-width:3;stroke-dasharray:7 5}}</style><defs>{tips}</defs>{''.join(parts)}</svg>"
    )
    to = [f"{X_NAMES[x]} to {Z_NAMES[z]}" for x, z in enumerate(encoder)]
    back = [f"{Z_NAMES[z]} to {X_NAMES[x]}" for z, x in enumerate(generator)]
    alt = f"E sends {', '.join(to)}. G sends {', '.join(back)}."
    data = base64.b64encode(svg.encode()).decode()
    st.html(
        f'<img class="bg-svg" style="max-width: {WIDTH_PX}px" alt="{html.escape(alt)}" '
        f'src="data:image/svg+xml;base64,{data}">'
    )
    st.caption("Solid arrows: E, from pictures to numbers. Dashed arrows: G, back.")


def real_model(chosen: OpenCheckpoint) -> bool:
    """How near the chosen model is to an inverse."""
    if problem := chosen.config.shortcoming("generate", "encode"):
        st.info(problem)
        return True
    index = chosen.index
    if index is None:
        st.info("This checkpoint comes without a gallery of real images to send there and back.")
        return True
    plural = chosen.info.noun_plural
    st.markdown(
        "A real model has no table of three pictures. It has networks of limited size, and it was trained for a "
        f"limited time. Here {len(index.gallery):,} real {plural} went through E and back through G."
    )
    options = [
        "Exact: x comes back",
        "Clearly nearer to x than to another picture, but not exact",
        "No nearer to x than to any other",
    ]
    guess = predict(chosen, "real", "How good an inverse is this model?", options)
    if guess is None:
        return False
    ratio, latent_gap = drawings.once(chosen, ("inverse",), lambda: _gaps(chosen))
    right = options[0 if ratio < 0.05 else 1 if ratio < 0.9 else 2]
    answer(guess, right, f"On average x and G(E(x)) are {ratio:.2f} times as far apart as G(E(x)) and another picture.")
    random_gap = words.RANDOM_GAP[chosen.config.prior]
    st.markdown(
        f"The other way round, E(G(z)) misses z by {latent_gap:.2f} per number; two random latents are "
        f"{random_gap:.2f} apart. 0 in both would be the optimum of Theorem 2. Theorem 2 says where the game ends, "
        "not that training gets there."
    )
    rows = drawings.some(len(index.gallery), 12)
    drawings.strip(chosen, index.gallery.images[rows], "real", f"Twelve real {plural}, x")
    drawings.strip(chosen, index.reconstructions[rows], "generated", "What comes back of each, G(E(x))")
    return True


def _gaps(chosen: OpenCheckpoint) -> tuple[float, float]:
    """Mean |x - G(E(x))| over that to another image, and the mean |z - E(G(z))| per component."""
    index = chosen.index
    assert index is not None
    order = drawings.some(len(index.gallery), len(index.gallery))
    x, x_hat = index.pixels[order].float() / 255, index.reconstructions[order].flatten(1).float() / 255
    z = chosen.model.sample_latents(NUM_LATENTS, SEED)
    gap = (chosen.model.encode(chosen.model.generate(z)).cpu() - z).abs().mean().item()
    other = pair_distances(x.roll(1, 0), x_hat).mean().item()
    return index.distances.mean().item() / max(other, math.ulp(1.0)), gap


LESSON = Lesson(
    name="why-e-inverts-g",
    short="Why E inverts G",
    title="Why E must invert G",
    screens=(
        Screen("A pair of both kinds", shared),
        Screen("Three pictures, three numbers", toy),
        Screen("And this model?", real_model),
    ),
    why=WHY,
)
