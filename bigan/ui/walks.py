"""A walk, a sheet or an analogy on a page: made once, and told in words.

Several walks of equally many frames stand beside each other as "lanes", by name. Shapes: T frames, S rows and columns
of a sheet, Z latent components.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import streamlit as st
import torch
from jaxtyping import Float
from torch import Tensor

from bigan import view_code
from bigan.config import Prior
from bigan.explore import interpolation
from bigan.explore.interpolation import Sheet, Walk
from bigan.latent import PATHS, Path, typical_norm, usual_norms
from bigan.ui import charts, grid, words
from bigan.ui.loaders import FileStates, OpenCheckpoint

PATH_NAMES = view_code.PATH_NAMES
PATH_WORDS: dict[Path, str] = {
    "prior": "Every latent on the way is about as typical of the prior as its two ends are.",
    "slerp": "Turns at an even pace and keeps the length of z; some numbers may leave the prior.",
    "line": "Mixes the two latents number by number; the middle lies nearer the centre than random draws do.",
}
MAX_MADE = 64  # held in memory at once, some 200 kB each
EVEN, ROUGH = 0.25, 0.6  # ours: unevenness below the first is called even, above the second rough
STILL = 1e-6  # pixel distance of a step that moves nothing
Latent = Float[Tensor, "1 Z"]
Made = TypeVar("Made")


def make(chosen: OpenCheckpoint, ends: Sequence[Latent], num_steps: int, path: Path, even: bool = False) -> Walk:
    """The walk over two to four latents; the same one is made only once.

    Args:
        chosen: the model.
        ends: in their order.
        num_steps: frames.
        path: between each end and the next.
        even: timed anew, so that the pixel steps are alike.
    """

    def made() -> Walk:
        found = interpolation.through(chosen.model, torch.cat(list(ends)), num_steps, path)
        return interpolation.retime(chosen.model, found, num_steps) if even else found

    return _once(chosen, ends, ("walk", num_steps, path, even), made)


def compare(chosen: OpenCheckpoint, start: Latent, end: Latent, num_steps: int) -> dict[str, Walk]:
    """The walk between two latents on every path, by the path's name."""

    def made() -> dict[str, Walk]:
        found = interpolation.compare_paths(chosen.model, start[0], end[0], num_steps)
        return {PATH_NAMES[path]: one for path, one in found.items()}

    return _once(chosen, (start, end), ("compare", num_steps), made)


def sheet(chosen: OpenCheckpoint, corners: Sequence[Latent], size: int, path: Path) -> Sheet:
    """The sheet between three or four latents."""
    return _once(
        chosen,
        corners,
        ("sheet", size, path),
        lambda: interpolation.sheet(chosen.model, torch.cat(list(corners)), size, path),
    )


def answer(chosen: OpenCheckpoint, a: Latent, b: Latent, c: Latent) -> Latent:
    """What is to c as b is to a."""
    return interpolation.analogy(chosen.model, a[0], b[0], c[0])[None]


def _once(chosen: OpenCheckpoint, ends: Sequence[Latent], asked: tuple[object, ...], make: Callable[[], Made]) -> Made:
    latents = tuple(tuple(z[0].tolist()) for z in ends)
    return cast(Made, _made(chosen.index_key, latents, asked, make))


@st.cache_resource(max_entries=MAX_MADE, show_spinner=False)
def _made(
    key: tuple[str, FileStates],  # noqa: ARG001
    latents: tuple[tuple[float, ...], ...],  # noqa: ARG001
    asked: tuple[object, ...],  # noqa: ARG001
    _make: Callable[[], object],
) -> object:
    return _make()


# Words


def num_off_prior(made: Walk | Sheet) -> list[int]:
    """How many numbers of each frame's latent lie outside the prior."""
    return words.num_outside(made.off_prior_shares.flatten(), made.latents.shape[-1])


def frame_words(made: Walk) -> list[str]:
    """Each frame in a line: where it is, what leaves the prior, and D's opinion."""
    num_frames, latent_dim = made.latents.shape
    return [
        f"Frame {i + 1} of {num_frames}. {outside} of {latent_dim} numbers outside the prior."
        + ("" if logit is None else f" D: {charts.opinion_words(logit)}.")
        for i, (outside, logit) in enumerate(zip(num_off_prior(made), logits(made), strict=True))
    ]


def lane_words(lanes: Mapping[str, Walk]) -> list[str]:
    """Each frame of walks side by side in a line: what leaves the prior on each, and D's opinion."""
    num_frames, latent_dim = next(iter(lanes.values())).latents.shape
    lines = []
    for i in range(num_frames):
        each = (
            f"{name[:1].upper()}{name[1:]}: {num_off_prior(made)[i]} of {latent_dim} outside"
            + ("" if logit is None else f", D {100 * charts.probability(logit):.0f} %")
            for name, made in lanes.items()
            for logit in logits(made)[i : i + 1]
        )
        lines.append(f"Frame {i + 1} of {num_frames}. {'; '.join(each)}.")
    return lines


def cell_words(made: Sheet) -> list[str]:
    """Each image of a sheet in a line: where it is, and what leaves the prior."""
    size, _, latent_dim = made.latents.shape
    return [
        f"Row {i // size + 1}, column {i % size + 1} of {size}. {outside} of {latent_dim} numbers outside the prior."
        for i, outside in enumerate(num_off_prior(made))
    ]


def frame_cells(made: Walk) -> list[grid.Cell]:
    """Each frame as a cell of a grid."""
    latent_dim = made.latents.shape[1]
    return [
        grid.Cell(f"frame {i + 1}", f"{outside} of {latent_dim} numbers outside the prior", logit)
        for i, (outside, logit) in enumerate(zip(num_off_prior(made), logits(made), strict=True))
    ]


def evenness(made: Walk) -> str:
    """Whether the picture changes at an even pace."""
    steps = made.pixel_steps.tolist()
    longest, shortest = max(steps), min(steps)
    if longest < STILL:
        return "All ends are the same picture: nothing moves."
    verdict = "even" if made.unevenness < EVEN else "rough" if made.unevenness > ROUGH else "somewhat uneven"
    place = steps.index(longest) + 1
    times = f"{longest / shortest:.1f} times the shortest" if shortest > STILL else "while the shortest does not move"
    return (
        f"The walk is {verdict}: the longest step, from frame {place} to {place + 1}, is {times} "
        f"(steps vary by {_unevenness(made)} of their mean; 0 % is a perfectly even walk)."
    )


def _unevenness(made: Walk) -> str:
    return f"{100 * made.unevenness:.0f} %"


def honesty(made: Walk | Sheet) -> str:
    """What of the walk or the sheet lies outside the prior, where G was never asked to make anything."""
    total = made.latents.shape[-1]
    outside = num_off_prior(made)
    frames = sum(count > 0 for count in outside)
    if not frames:
        return f"No single number leaves the prior's range: in every frame, 0 of {total} lie outside."
    worst = outside.index(max(outside))
    place = f"frame {worst + 1}"
    if isinstance(made, Sheet):
        place = f"row {worst // len(made.images) + 1}, column {worst % len(made.images) + 1}"
    verb = "leaves" if frames == 1 else "leave"
    return (
        f"{frames} of {len(outside)} frames {verb} the prior, {place} the most, with {outside[worst]} of {total} "
        f"numbers outside. G was never asked to make anything of such latents."
    )


def length(made: Walk, prior: Prior) -> str:
    """How long z is in the middle of the walk, against random draws."""
    middle = made.latents[len(made.latents) // 2]
    norm, (low, high) = middle.norm().item(), usual_norms(prior, len(middle))
    typical = f"{typical_norm(prior, len(middle)):.1f} long on average, and 19 of 20 are {low:.1f} to {high:.1f}"
    rare = "shorter" if norm < low else "longer" if norm > high else ""
    verdict = f", {rare} than nearly every draw: as a whole it has left where the prior's latents lie" if rare else ""
    return f"Halfway, z is {norm:.1f} long{verdict}. Draws from the prior are {typical}."


def short_ends(made: Walk, prior: Prior) -> str:
    """That an end is shorter already than draws are, and what does show how a straight line leaves them; or nothing."""
    ends = made.latents[0].norm().item(), made.latents[-1].norm().item()
    low, high = usual_norms(prior, made.latents.shape[1])
    if min(ends) >= low:
        return ""
    return (
        f"At these ends |z| is {ends[0]:.1f} and {ends[1]:.1f} already, where 19 of 20 draws have {low:.1f} to "
        f"{high:.1f}: to see a straight line leave that range, walk between samples."
    )


def opinion(made: Walk) -> str:
    """How many frames D takes for pairs of a real image with its code."""
    if made.logits is None:
        return "This model has no discriminator of pairs, and so no opinion of them."
    return f"D takes {_passed(made.logits)} frames for pairs of a real image with its code."


def logits(made: Walk) -> list[float] | list[None]:
    """D's logit of each frame, or None for each of a model that has no D of pairs."""
    return [None] * len(made.latents) if made.logits is None else made.logits.tolist()


def _passed(logits: Float[Tensor, " T"]) -> str:
    return f"{int((logits > 0).sum())} of {len(logits)}"


def change(lanes: Mapping[str, Walk]) -> str:
    """How far each of two walks moves the picture from its first frame to its last."""
    moved = [(made.images[-1] - made.images[0]).norm().item() for made in lanes.values()]
    return (
        f"From A to B the picture changes by {moved[0]:.1f} (pixel distance); the same step of the latent changes C "
        f"by {moved[1]:.1f}."
    )


def cards(lanes: Mapping[str, Walk], prior: Prior) -> list[tuple[str, str, str]]:
    """Each path's evenness as a number, with what it does to z and what D says."""
    found = []
    for name, made in lanes.items():
        norms = made.latents.norm(dim=1)  # (T,)
        low, high = usual_norms(prior, made.latents.shape[1])
        most = max(num_off_prior(made))
        outside = f"{f'up to {most}' if most else 'none'} of {made.latents.shape[1]} numbers outside the prior"
        lengths = f"|z| {norms.min().item():.1f} to {norms.max().item():.1f} (19 of 20 draws: {low:.1f} to {high:.1f})"
        passed = [] if made.logits is None else [f"D takes {_passed(made.logits)} frames for encoder pairs"]
        found.append((_unevenness(made), f"unevenness, {name}", "; ".join([outside, lengths, *passed])))
    return found


def verdict(lanes: Mapping[str, Walk], prior: Prior) -> str:
    """What the three paths have shown, in a sentence."""
    sentence = f"Between these two, {_evenest(lanes)}."
    line, arc = lanes[PATH_NAMES["line"]], max(num_off_prior(lanes[PATH_NAMES["slerp"]]))
    norms = line.latents.norm(dim=1)  # (T,)
    shortest, (low, high) = norms.min().item(), usual_norms(prior, line.latents.shape[1])
    if shortest < min(low, norms[0].item(), norms[-1].item()):
        sentence += (
            f" The straight line shortens z: |z| falls to {shortest:.1f}, below both ends, where 19 of 20 draws have "
            f"{low:.1f} to {high:.1f}."
        )
    if arc:
        sentence += f" The great arc takes up to {arc} of {line.latents.shape[1]} numbers out of the prior."
    return sentence


def _evenest(lanes: Mapping[str, Walk]) -> str:
    """On which path the picture changes most evenly; those of the same printed number tie."""
    least = _unevenness(min(lanes.values(), key=lambda made: made.unevenness))
    first = [name for name, made in lanes.items() if _unevenness(made) == least]
    if len(first) == 1:
        return f"the picture changes most evenly on the path “{first[0]}”"
    if len(first) == len(lanes):
        return f"the paths tie: on each, the steps vary by {least} of their mean"
    names = " and ".join(f"“{name}”" for name in first)
    return f"the paths {names} tie as the most even: on each, the steps vary by {least} of their mean"


def comparison(lanes: Mapping[str, Walk]) -> dict[str, list[str]]:
    """Walks beside each other, as columns of a table."""
    made = list(lanes.values())
    passed = [_passed(one.logits) for one in made if one.logits is not None]
    return {
        "path": list(lanes),
        "steps vary by": [f"{_unevenness(one)} of their mean" for one in made],
        "length in pixels": [f"{one.pixel_steps.sum().item():.1f}" for one in made],
        "shortest z": [f"{one.latents.norm(dim=1).min().item():.2f}" for one in made],
        "most numbers outside the prior": [f"{max(num_off_prior(one))} of {one.latents.shape[1]}" for one in made],
        **({"encoder pairs in D's eyes": passed} if passed else {}),
        "in words": [PATH_WORDS[path] for path in PATHS],
    }
