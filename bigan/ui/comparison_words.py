"""What is found where models stand side by side, in sentences; plain text.

Every number comes with what to compare it with.
"""

from collections.abc import Sequence

from bigan.explore.comparison import Drawing, Reading
from bigan.ui import words
from bigan.ui.loaders import OpenCheckpoint


def nearest(found: Sequence[Reading]) -> int | None:
    """Which model's G(E(x)) comes nearest to the one image; None where fewer than two have one."""
    distances = {i: one.distances.item() for i, one in enumerate(found) if one.distances is not None}
    return min(distances, key=lambda i: distances[i]) if len(distances) > 1 else None


def verdict(members: Sequence[OpenCheckpoint], found: Sequence[Reading]) -> str:
    """Who comes nearest to the image, and who stays farthest from it."""
    known = [(one.ratios.item(), one.distances.item(), member.name) for member, one in zip(members, found, strict=True)
             if one.ratios is not None and one.distances is not None]  # fmt: skip
    if not known:
        return "None of these models can bring an image back."
    ordered = sorted(known, key=lambda values: values[1])
    if len(ordered) == 1:
        ratio, distance, name = ordered[0]
        return f"Only {name} brings x back: {distance:.1f} from it (ratio {ratio:.2f}; 1 is no better than chance)."
    (ratio, distance, name), (other_ratio, other_distance, other) = ordered[0], ordered[-1]
    last = "farthest" if len(ordered) > 2 else "then"
    return (
        f"Nearest to x comes {name}: {distance:.1f} (ratio {ratio:.2f}); {last} {other}: {other_distance:.1f} "
        f"(ratio {other_ratio:.2f}; 1 is no better than chance)."
    )


def each(members: Sequence[OpenCheckpoint], found: Sequence[Reading], position: int) -> str:
    """How far one of several images comes back from itself, by model."""
    return ", ".join(
        f"{member.name} {one.distances[position]:.1f}"
        for member, one in zip(members, found, strict=True)
        if one.distances is not None
    )


def returned(one: OpenCheckpoint, found: Reading) -> str:
    """How far several images come back from themselves."""
    assert found.distances is not None and found.ratios is not None
    return (
        f"{one.name}: {found.distances.mean():.1f} from x on average, ratio {found.ratios.mean():.2f} "
        "(0 is exact, 1 no better than chance)."
    )


def count(pair: Sequence[OpenCheckpoint], found: Sequence[Reading]) -> str:
    """In how many of several images the first model comes nearer than the second, or nothing."""
    first, second = (one.distances for one in found)
    if first is None or second is None:
        return ""
    nearer = int((first < second).sum())
    return f"{pair[0].name} comes nearer to x in {nearer} of {len(first)}, {pair[1].name} in {len(first) - nearer}."


def seed(pair: Sequence[OpenCheckpoint]) -> str:
    """What the same seed has in common in both models."""
    a, b = (one.config for one in pair)
    if (a.prior, a.latent_dim) == (b.prior, b.latent_dim):
        return (
            f"Both are given the same z, {a.latent_dim} numbers of the {a.prior} prior. The images need have nothing "
            "to do with each other: each G gave the numbers a meaning of its own."
        )
    return (
        f"Only the seed is the same: {pair[0].name} takes {a.latent_dim} numbers of a {a.prior} prior, {pair[1].name} "
        f"{b.latent_dim} of a {b.prior} one."
    )


def drawing(one: OpenCheckpoint, made: Drawing) -> list[str]:
    """What D says of samples, and how well E finds their z again."""
    lines = list(made.shortcomings)
    if made.logits is not None:
        passed = int((made.logits > 0).sum())
        lines.append(f"D takes {passed} of {len(made.logits)} for pairs of a real image with its code.")
    if made.latents_back is not None:
        lines.append(f"{round_trip(one, made)} A perfect E would miss nothing.")
    return lines


def round_trip(one: OpenCheckpoint, made: Drawing) -> str:
    """How far E(G(z)) is from z, a number."""
    assert made.latents_back is not None
    gap = (made.latents - made.latents_back).abs().mean().item()
    blind, apart = words.CENTRE_GAP[one.config.prior], words.RANDOM_GAP[one.config.prior]
    return (
        f"E(G(z)) misses z by {gap:.2f} per number on average; always answering 0 would miss it by {blind:.2f}, "
        f"another random z by {apart:.2f}."
    )
