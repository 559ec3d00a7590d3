"""The images on which two rows of Table 1 disagree, with the neighbour that each chose.

Shapes: Q queries, K shown, C H W image.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import streamlit as st
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bigan import checkpoint, data, machine
from bigan.config import Split
from bigan.data import Dataset, fingerprint
from bigan.evaluation.representation import Answers, answers_within
from bigan.evaluation.rows import ROWS, Row
from bigan.evaluation.significance import mcnemar
from bigan.evaluation.table1 import Table1, name_parts, run_name
from bigan.explore.gallery import Gallery
from bigan.pictures import mosaic
from bigan.ui import benchmarks, lanes, pictures, state
from bigan.ui.loaders import OpenCheckpoint

Which = Literal["first", "second", "neither"]
WHICH: dict[Which, str] = {
    "first": "only the first is right",
    "second": "only the second is right",
    "neither": "both are wrong, each in its own way",
}
SHOWN, SCALE, WIDTH_REM = 12, 2, 12.0
MAX_PAGES = 32  # of pictures kept for all sessions; one takes 30 kB
RECHECK_SECONDS = 60  # a data set that is put into its place, or replaced, is seen after so long
MAX_ROWS = 16  # whose answers to a gallery are kept; one takes 25 kB


def positions(found: Table1, first: str, second: str, which: Which) -> Int64[np.ndarray, " n"]:
    """The queries on which two rows disagree so."""
    right, other = found.correct(first), found.correct(second)
    chosen = {
        "first": right & ~other,
        "second": other & ~right,
        "neither": ~right & ~other & (found.answers[first].predicted != found.answers[second].predicted),
    }
    return np.flatnonzero(chosen[which])


def verdict(found: Table1, first: str, second: str, titles: Sequence[str]) -> str:
    """What McNemar's test says of two rows."""
    test = mcnemar(found.correct(first), found.correct(second))
    both = int((found.correct(first) & found.correct(second)).sum())
    total = test.only_first + test.only_second
    chance = benchmarks.probability(test.p_value)
    return (
        f"Both are right on {both:,} of {len(found.labels):,}. On {total:,} just one is: {titles[0]} on "
        f"{test.only_first:,}, {titles[1]} on {test.only_second:,}. Were both equally good, a split at least as uneven "
        f"would come about with probability {chance} (McNemar's test)."
    )


@dataclass(frozen=True)
class Trio:
    """Some queries, and the training images that either row found nearest to them."""

    queries: UInt8[Tensor, "K C H W"]
    first: UInt8[Tensor, "K C H W"]
    second: UInt8[Tensor, "K C H W"]
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The images that two rows answered, and from where they can be shown."""

    found: Table1
    gallery: Gallery | None = None
    """Where the images are those of a gallery, each asked among all others; else they are the data set's."""
    words: str = ""
    """Why they are not those that were measured."""
    is_shown: bool = True
    """False where only their numbers are known."""


def ask(found: Table1, titles: Mapping[str, str]) -> Asked:
    """The measured images where their data set is on this machine, else a gallery's, where both rows can answer it.

    Args:
        found: the table.
        titles: of the two rows, by name.
    """
    absence = _absence(found)
    if not absence:
        return Asked(found)
    owner = next((one for one in _checkpoints(found) if one.gallery is not None), None)
    if owner is None or owner.gallery is None:
        return Asked(found, words=absence, is_shown=False)
    table = Table1(found.settings, owner.gallery.labels.to(torch.uint8).numpy())
    for name, title in titles.items():
        answers = _within_gallery(found, name, owner)
        if answers is None:
            words = f"{absence} The gallery cannot stand in for it: there is no checkpoint here for the row {title}."
            return Asked(found, words=words, is_shown=False)
        table = table.with_row(name, {}, answers)
    count, noun = len(owner.gallery), owner.info.noun_plural
    words = (
        f"{absence} Here the {count:,} {noun} of the gallery stand in for it, each asked among all the others. They "
        "are no test set: models may have been trained on them, or on what they are copies of."
    )
    return Asked(table, owner.gallery, words)


def show(one: Asked, first: str, second: str, titles: Sequence[str], which: Which, page: int) -> None:
    """One page of the images, three pictures each, or their numbers where there are no pictures."""
    rows = positions(one.found, first, second, which)[(page - 1) * SHOWN : page * SHOWN]
    if not one.is_shown:
        held_out = "test set" if one.found.settings["protocol"] == "test" else "held-out digits"
        st.caption(state.as_text(f"Their numbers in the {held_out}: {', '.join(map(str, rows.tolist()))}."))
        return
    answers = one.found.answers[first], one.found.answers[second]
    if one.gallery is None:
        settings, nearest = one.found.settings, [tuple(answer.neighbours[rows].tolist()) for answer in answers]
        digest, name, protocol = (str(settings[key]) for key in ("data_sha256", "dataset", "protocol"))
        trio = _trio(digest, name, cast(Split, protocol), tuple(rows.tolist()), *nearest)
    else:
        images, nearest = one.gallery.images, [answer.neighbours[rows].astype(np.int64) for answer in answers]
        trio = Trio(images[rows], images[nearest[0]], images[nearest[1]], one.gallery.class_names)
    cards = [_card(one, int(row), trio, i, (first, second), titles) for i, row in enumerate(rows)]
    lanes.show(cards, WIDTH_REM)
    kind = "training image" if one.gallery is None else "other image of the gallery"
    st.caption(f"In each frame: the image, the {kind} nearest to it by {titles[0]}, and by {titles[1]}.")


def _card(one: Asked, row: int, trio: Trio, i: int, names: Sequence[str], titles: Sequence[str]) -> str:
    found = one.found
    own = trio.class_names[found.labels[row]]
    said = [trio.class_names[found.answers[name].predicted[row]] for name in names]
    words = [
        f"{title}: {label}, {'right' if label == own else 'wrong'}" for title, label in zip(titles, said, strict=True)
    ]
    number = f"number {row}" if one.gallery is None else one.gallery.ids[row]
    figure = pictures.figure(
        mosaic(torch.stack([trio.queries[i], trio.first[i], trio.second[i]]), 3, gap_px=2),
        alt=f"Image {number}, labelled {own}, and the nearest image by {titles[0]}, labelled {said[0]}, and by "
        f"{titles[1]}, labelled {said[1]}",
        kind="real",
        scale=SCALE,
    )
    lines = [lanes.line(text) for text in words]
    return lanes.card(f"Labelled {own}", number, [figure, *lines], colour="real")


def _absence(found: Table1) -> str:
    """Why the measured images cannot be shown; nothing where they can."""
    name = str(found.settings["dataset"])
    title = data.DATASETS[name].title if name in data.DATASETS else name
    try:
        is_same = _is_measured(str(found.settings["data_sha256"]), name, found.settings["protocol"])
    except data.DataError:
        return (
            f"Which they are is known, but not what they look like: {title} is not on this machine, and its images are "
            "no part of this project. Put it where `$BIGAN_DATA` points to, or into `~/.cache/bigan/data`."
        )
    return "" if is_same else f"The {title} on this machine is not the one that was measured."


@st.cache_resource(max_entries=2, ttl=RECHECK_SECONDS, show_spinner="Reading the data set")
def _is_measured(digest: str, name: str, protocol: Split) -> bool:
    training, held_out = data.load_protocol(name, protocol)
    found = fingerprint(training.images, training.labels, held_out.images, held_out.labels)
    del training, held_out
    machine.give_back_freed_memory()
    return found == digest


@st.cache_resource(max_entries=MAX_PAGES, show_spinner="Looking the images up")
def _trio(
    digest: str,  # noqa: ARG001
    name: str,
    protocol: Split,
    rows: tuple[int, ...],
    first: tuple[int, ...],
    second: tuple[int, ...],
) -> Trio:
    """The images, read from the data set and let go again: all of MNIST would take 55 MB."""
    training, held_out = data.load_protocol(name, protocol)
    images = training.images
    trio = Trio(held_out.images[list(rows)], images[list(first)], images[list(second)], training.class_names)
    del training, held_out, images
    machine.give_back_freed_memory()
    return trio


def _checkpoints(found: Table1) -> Iterator[OpenCheckpoint]:
    """Those of the table's data set that are here."""
    for summary in checkpoint.summarise_checkpoints():
        if summary.config is not None and summary.config.dataset == found.settings["dataset"]:
            yield OpenCheckpoint(summary.name, summary.path, summary.config)


def _within_gallery(found: Table1, name: str, owner: OpenCheckpoint) -> Answers | None:
    """What a row says to each image of a gallery among all others; None where what was measured for it is not here."""
    base, seed = name_parts(name)
    row, digest = ROWS[base], found.facts[name]["weights_sha256"]
    if row.recipe is None:
        return _within(row, digest, owner.gallery_key, None, owner)
    place = run_name(row.recipe, seed)
    one = next((one for one in _checkpoints(found) if one.name == place and one.weights_sha256 == digest), None)
    return _within(row, digest, owner.gallery_key, one, owner) if one is not None and row.is_trained else None


@st.cache_resource(max_entries=MAX_ROWS, show_spinner="Asking the gallery")
def _within(
    row: Row,
    weights_sha256: str | None,  # noqa: ARG001
    gallery_key: object,  # noqa: ARG001
    _one: OpenCheckpoint | None,
    _owner: OpenCheckpoint,
) -> Answers:
    gallery = _owner.gallery
    assert gallery is not None
    images = Dataset(_owner.config.dataset, gallery.images, gallery.labels, gallery.class_names)
    found = answers_within(row.features, _one.model if _one else None, images)
    machine.give_back_freed_memory()
    return found
