"""The images on which two rows of Table 1 disagree, with the neighbour that each chose.

Shapes: Q queries, K shown, C H W image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bigan import data, machine
from bigan.evaluation.significance import mcnemar
from bigan.evaluation.table1 import Table1
from bigan.pictures import mosaic
from bigan.ui import benchmarks, lanes, pictures, state

Which = Literal["first", "second", "neither"]
WHICH: dict[Which, str] = {
    "first": "only the first is right",
    "second": "only the second is right",
    "neither": "both are wrong, each in its own way",
}
SHOWN, SCALE, WIDTH_REM = 12, 2, 12.0
MAX_PAGES = 32  # of pictures kept for all sessions; one takes 30 kB


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


def show(found: Table1, first: str, second: str, titles: Sequence[str], which: Which, page: int) -> None:
    """One page of the images, three pictures each; a sentence where the data set is not on this machine."""
    rows = positions(found, first, second, which)[(page - 1) * SHOWN : page * SHOWN]
    try:
        trio = _trio(str(found.settings["data_sha256"]), first, second, tuple(rows.tolist()), found)
    except data.DataError:
        name = str(found.settings["dataset"])
        title = data.DATASETS[name].title if name in data.DATASETS else name
        st.markdown(
            f"Which they are is known, but not what they look like: {title} is not on this machine, and its images are "
            "no part of this project. Put it where `$BIGAN_DATA` points to, or into `~/.cache/bigan/data`."
        )
        st.caption(state.as_text(f"Their numbers in the test set: {', '.join(map(str, rows.tolist()))}."))
        return
    cards = [_card(found, int(row), trio, i, (first, second), titles) for i, row in enumerate(rows)]
    lanes.show(cards, WIDTH_REM)
    st.caption(f"In each frame: the image, the training image nearest to it by {titles[0]}, and by {titles[1]}.")


def _card(found: Table1, row: int, trio: Trio, i: int, names: Sequence[str], titles: Sequence[str]) -> str:
    own = trio.class_names[found.labels[row]]
    said = [trio.class_names[found.answers[name].predicted[row]] for name in names]
    words = [
        f"{title}: {label}, {'right' if label == own else 'wrong'}" for title, label in zip(titles, said, strict=True)
    ]
    figure = pictures.figure(
        mosaic(torch.stack([trio.queries[i], trio.first[i], trio.second[i]]), 3, gap_px=2),
        alt=f"Number {row}, labelled {own}, and the nearest training image by {titles[0]}, labelled {said[0]}, and by "
        f"{titles[1]}, labelled {said[1]}",
        kind="real",
        scale=SCALE,
    )
    lines = [lanes.line(text) for text in words]
    return lanes.card(f"Labelled {own}", f"number {row}", [figure, *lines], colour="real")


@st.cache_resource(max_entries=MAX_PAGES, show_spinner="Looking the images up")
def _trio(digest: str, first: str, second: str, rows: tuple[int, ...], _found: Table1) -> Trio:  # noqa: ARG001
    """The images, read from the data set and let go again: all of MNIST would take 55 MB."""
    name, protocol = str(_found.settings["dataset"]), _found.settings["protocol"]
    training, held_out = data.load_protocol(name, protocol)
    is_same = (
        np.array_equal(held_out.labels.numpy(), _found.labels) and len(training) == _found.settings["num_references"]
    )
    if not is_same:
        raise data.DataError(f"The {name} on this machine is not what was measured.")
    at = list(rows)
    nearest = [torch.from_numpy(_found.answers[row].neighbours[at].astype(np.int64)) for row in (first, second)]
    trio = Trio(held_out.images[at], training.images[nearest[0]], training.images[nearest[1]], training.class_names)
    del training, held_out
    machine.give_back_freed_memory()
    return trio
