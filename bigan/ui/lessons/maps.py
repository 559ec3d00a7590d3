"""Lesson 5: what a UMAP map tells, and what it does not.

Shapes: N gallery images, F features.
"""

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.data import scale
from bigan.explore.map_picture import ON_PAPER, Palette, map_picture
from bigan.explore.projection import NUM_NEIGHBOURS, SPACES, SpaceMap, local_quality
from bigan.explore.survey import ClassDistances, class_distances
from bigan.ui import charts, pictures, state, theme
from bigan.ui.lessons import drawings
from bigan.ui.lessons.lesson import Lesson, Screen, answer, predict
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.map_places import SPACE_WORDS

MAP_PX, SPACE = 440, "penultimate"
KEPT_FEW, KEPT_MANY = 0.4, 0.8  # shares between the options of a prediction
SAME = 0.005  # label accuracies that differ by less count as the same

WHY = r"""
**UMAP** (McInnes, Healy and Melville 2018) joins every point with its nearest neighbours (here 15) by edges whose
weights
depend on each point's own scale, and lays out a graph in the plane whose edges agree by cross-entropy. It sees no
labels.
Because the scale is each point's own, dense and sparse regions come out alike in size; and because far points only
repel
each other on samples, distances between clusters, their sizes and the gaps mean little.

**Trustworthiness** (Venna and Kaski 2001), with $k = 15$, $r(i, j)$ the rank of $j$ among the neighbours of $i$ in
the space, and $U_i$ those
that are among the $k$ nearest on the map but not in the space:
$$T = 1 - \frac{2}{n k (2n - 3k - 1)} \sum_i \sum_{j \in U_i} \left(r(i, j) - k\right).$$
It punishes false neighbours by how false they are, so it can be near 1 although many neighbours changed.

**Neighbours kept** is the plain share of a point's $k$ true neighbours that are among its $k$ nearest on the map.

**Label accuracy** is the share of points whose label is the commonest of its $k$ nearest others: in the space, a
property of the
representation; on the map, of the representation and the map together. The paper judges representations by nearest
neighbours in the
space itself (Donahue et al. 2017, section 4.2, Table 1, with one neighbour), and shows no map.
"""


def _features(chosen: OpenCheckpoint, space: str) -> Float[Tensor, "N F"]:
    index = chosen.index
    assert index is not None
    return {"pixels": scale(index.pixels), "latent": index.latents, "penultimate": index.features}[space]


def _maps(chosen: OpenCheckpoint) -> dict[str, SpaceMap]:
    assert chosen.projection is not None
    return chosen.projection.maps


def _picture(chosen: OpenCheckpoint, space: str, caption: str = "") -> None:
    gallery = chosen.gallery
    assert gallery is not None
    dark = theme.is_dark()
    palette = Palette(theme.DARK.paper, theme.DARK.ink, theme.DARK.classes) if dark else ON_PAPER
    picture = drawings.once(
        chosen,
        ("map", space, dark),
        lambda: map_picture(gallery, _maps(chosen)[space], size_px=MAP_PX, palette=palette),
    )
    alt = f"The map of {SPACE_WORDS[space]}: {len(gallery):,} points coloured by class, each class named in its place"
    pictures.show(picture, alt=alt, caption=caption, smooth=True)


def three(chosen: OpenCheckpoint) -> bool:
    """The same images on three maps."""
    gallery = chosen.gallery
    assert gallery is not None
    st.markdown(
        f"Each point is one of {len(gallery):,} real {chosen.info.noun_plural}. All three maps show the same ones; "
        "what differs is what they were compared by: their pixels, the few numbers E(x), or the thousand values of "
        "the layer of E before that. A program called UMAP put alike ones near each other. It never saw a label; the "
        "colours were added afterwards."
    )
    for column, space in zip(st.columns(3, gap="medium"), SPACES, strict=True):
        with column:
            _picture(chosen, space, f"Compared by {SPACE_WORDS[space]}")
    names = {SPACE_WORDS[space]: _maps(chosen)[space] for space in SPACES}
    guess = predict(chosen, "three", "On which map do the 15 nearest points name a point's class best?", list(names))
    if guess is None:
        return False
    best = max(names, key=lambda name: names[name].label_accuracy_map)
    answer(
        guess,
        best,
        f"There, {100 * names[best].label_accuracy_map:.1f} % of points have the commonest label around them.",
    )
    drawings.shares(
        {name[:1].upper() + name[1:]: one.label_accuracy_map for name, one in names.items()}, "latent",
        axis="named rightly by the 15 nearest on the map, %", key="on-map",
    )  # fmt: skip
    st.caption("A map shows a comparison, not the images themselves: change what is compared, and the map changes.")
    return True


def fuller(chosen: OpenCheckpoint) -> bool:
    """The map against the space it was made from."""
    shown = _maps(chosen)[SPACE]
    st.markdown(
        f"This map has two dimensions; the space it was made from, {SPACE_WORDS[SPACE]}, has "
        f"{_features(chosen, SPACE).shape[1]:,}. Ask for each point: do the 15 nearest others name its class? Ask it "
        "once on the map, and once in the full space."
    )
    left, beside = st.columns([3, 4], gap="large")
    with left:
        _picture(chosen, SPACE)
    options = ["Better on the map", "Equally well, within half a per cent", "Better in the full space"]
    with beside:
        guess = predict(chosen, "fuller", "Where do the neighbours name the classes better?", options)
    if guess is None:
        return False
    gain = shown.label_accuracy_map - shown.label_accuracy_full
    right = options[1 if abs(gain) < SAME else 0 if gain > 0 else 2]
    answer(
        guess, right,
        f"On the map {100 * shown.label_accuracy_map:.1f} %, in the space {100 * shown.label_accuracy_full:.1f} %.",
    )  # fmt: skip
    maps = _maps(chosen)
    st.markdown(
        "A map can look tidier than what it shows, because pulling neighbours together sweeps stragglers into the "
        "nearest crowd; and it can lose what two dimensions have no room for. So a tidy map is no measure of a good "
        "encoder: the number in the full space is."
    )
    charts.table_twin(
        lambda: {
            "compared by": [SPACE_WORDS[space] for space in SPACES],
            "named rightly on the map, %": [f"{100 * maps[space].label_accuracy_map:.1f}" for space in SPACES],
            "in the space, %": [f"{100 * maps[space].label_accuracy_full:.1f}" for space in SPACES],
            "trustworthiness": [f"{maps[space].trustworthiness:.3f}" for space in SPACES],
        },
        "All three maps as a table",
    )
    return True


def kept(chosen: OpenCheckpoint) -> bool:
    """How many true neighbours stay neighbours."""
    shown = _maps(chosen)[SPACE]
    num = min(NUM_NEIGHBOURS, len(shown.coordinates) - 1)
    st.markdown(
        f"Take a point, and its {num} nearest others in {SPACE_WORDS[SPACE]}. Then take its {num} nearest on the map. "
        "If the map were perfect, they would be the same ones."
    )
    left, beside = st.columns([3, 4], gap="large")
    with left:
        _picture(chosen, SPACE)
    few, many = round(KEPT_FEW * num), round(KEPT_MANY * num)
    options = [f"More than {many} of {num}", f"{few} to {many} of {num}", f"Fewer than {few} of {num}"]
    with beside:
        guess = predict(chosen, "kept", "How many of them are the same, on average?", options)
    if guess is None:
        return False
    quality = drawings.once(
        chosen, ("quality", SPACE), lambda: local_quality(_features(chosen, SPACE), shown.coordinates, num)
    )
    mean = quality.mean().item()
    right = options[0 if num * mean > many else 1 if num * mean >= few else 2]
    lost = ", and for some points none" if quality.min() == 0 else ""
    answer(guess, right, f"On average it is {num * mean:.1f} of {num}{lost}.")
    drawings.histogram(
        num * quality,
        (-0.5, num + 0.5),
        num + 1,
        "latent",
        axis=f"of {num} true neighbours, kept on the map",
        key="quality",
    )
    st.markdown(
        f"Yet the usual figure of merit, trustworthiness, is {shown.trustworthiness:.2f} of 1 for this map: it "
        "forgives a wrong neighbour who is nearly right. Near means alike, then, but not that these are the nearest "
        "ones."
    )
    state.link(state.MAP, "See on the map which points kept theirs", space=SPACE, colour="local_quality")
    return True


def far(chosen: OpenCheckpoint) -> bool:
    """What distances between clusters mean."""
    gallery = chosen.gallery
    assert gallery is not None
    shown = _maps(chosen)[SPACE]
    found: ClassDistances = drawings.once(
        chosen, ("far", SPACE), lambda: class_distances(_features(chosen, SPACE), shown.coordinates, gallery.labels)
    )
    names = [" and ".join(f"“{gallery.class_names[label]}”" for label in pair) for pair in found.pairs]
    widest = int(found.on_map.argmax())
    st.markdown(
        state.as_text(
            f"On this map, of all {len(names)} pairs of classes the centres of {names[widest]} are farthest apart. "
            f"Does that mean that they are the least alike of all in {SPACE_WORDS[SPACE]}, too?"
        )
    )
    left, beside = st.columns([3, 4], gap="large")
    with left:
        _picture(chosen, SPACE)
    third = max(1, len(names) // 3)
    options = [
        "They are the farthest pair there too",
        f"Not the farthest, but among the first {third}",
        "Further down the list",
    ]
    with beside:
        guess = predict(
            chosen,
            "far",
            "Where does this pair stand among all pairs, ordered by their distance in the space?",
            options,
        )
    if guess is None:
        return False
    rank = int((found.in_space > found.in_space[widest]).sum()) + 1
    right = options[0 if rank == 1 else 1 if rank <= third else 2]
    answer(guess, right, f"In the space, that pair is number {rank} of {len(names)}.")
    agreement = found.rank_agreement
    drawings.points(
        found.in_space.tolist(), found.on_map.tolist(), names,
        x_title="distance in the space", y_title="distance on the map", key="far",
        alt=f"Distances of {len(names)} pairs of classes on the map over those in the space; agreement {agreement:.2f}",
    )  # fmt: skip
    st.markdown(
        f"The orders of all pairs agree by {agreement:.2f}".replace("-", charts.MINUS)
        + " (Spearman's rank correlation: 1 would be the same order, 0 no relation). UMAP promises nothing about it: "
        "it keeps neighbours, and puts clusters where there is room. The sizes of clusters and the gaps mean as little."
    )
    return True


LESSON = Lesson(
    name="maps",
    short="Maps",
    title="What a map tells, and what it does not",
    screens=(
        Screen("Three maps of the same pictures", three),
        Screen("The map against the space", fuller),
        Screen("Neighbours kept and lost", kept),
        Screen("Far apart", far),
    ),
    why=WHY,
    terms=("penultimate",),
    needs=("generate", "encode"),
    needs_gallery=True,
    needs_maps=True,
)
