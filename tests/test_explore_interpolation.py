"""Walks through the latent space."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats  # type: ignore[import-untyped]

from bigan.explore.interpolation import analogy, compare_paths, retime, sheet, through, walk
from bigan.latent import PATHS, Path, interpolate, off_prior_share
from bigan.models.bigan import BiGAN


@pytest.mark.parametrize("path", PATHS)
def test_a_walk_is_what_the_model_makes_of_the_path(tiny_model: BiGAN, path: Path) -> None:
    start, end = tiny_model.sample_latents(2, seed=0)
    result = walk(tiny_model, start, end, 9, path)
    assert torch.equal(result.latents, interpolate(start, end, 9, path, "uniform"))
    assert torch.equal(result.images, tiny_model.generate(result.latents))
    assert torch.equal(result.logits, tiny_model.score(result.images, result.latents))
    assert torch.equal(result.off_prior_shares, off_prior_share(result.latents, "uniform"))
    images = result.images.double().numpy()
    steps = [np.sqrt(((images[t + 1] - images[t]) ** 2).sum()) for t in range(8)]
    np.testing.assert_allclose(result.pixel_steps, steps, rtol=1e-5)
    assert result.unevenness == pytest.approx(np.std(steps) / np.mean(steps), rel=1e-4)


def test_a_walk_begins_and_ends_bit_for_bit(tiny_model: BiGAN) -> None:
    start, end = tiny_model.sample_latents(2, seed=1)
    result = walk(tiny_model, start, end, 2, "prior")
    assert torch.equal(result.latents, torch.stack([start, end]))
    assert result.pixel_steps.shape == (1,)
    assert result.unevenness == 0


def test_steps_of_one_length_are_even(tiny_model: BiGAN) -> None:
    start, end = tiny_model.sample_latents(2, seed=2)
    result = walk(tiny_model, start, end, 4, "line")
    assert replace(result, pixel_steps=torch.tensor([2.0, 2.0, 2.0])).unevenness == 0
    assert replace(result, pixel_steps=torch.tensor([1.0, 2.0, 3.0])).unevenness == pytest.approx((2 / 3) ** 0.5 / 2)


def test_a_walk_on_the_spot_is_even(tiny_model: BiGAN) -> None:
    z = tiny_model.sample_latents(1, seed=3)[0]
    result = walk(tiny_model, z, z, 4, "line")
    assert result.pixel_steps.tolist() == [0, 0, 0]
    assert result.unevenness == 0


def test_ends_of_another_size_are_refused(tiny_model: BiGAN) -> None:
    latent_dim = tiny_model.config.latent_dim
    with pytest.raises(ValueError, match=f"5 components; this model's latents have {latent_dim}"):
        walk(tiny_model, torch.zeros(5), torch.zeros(5), 3, "prior")
    with pytest.raises(ValueError, match="num_steps is 1"):
        walk(tiny_model, torch.zeros(latent_dim), torch.zeros(latent_dim), 1, "prior")


# Through several ends


@pytest.mark.parametrize("num_ends", [2, 3, 4])
@pytest.mark.parametrize("path", PATHS)
def test_a_walk_through_ends_is_the_walks_between_them(either_model: BiGAN, path: Path, num_ends: int) -> None:
    ends = either_model.sample_latents(num_ends, seed=4)
    result = through(either_model, ends, 6 * (num_ends - 1) + 1, path)
    pieces = [walk(either_model, ends[i], ends[i + 1], 7, path) for i in range(num_ends - 1)]
    for i, piece in enumerate(pieces):
        assert torch.equal(result.latents[6 * i : 6 * i + 7], piece.latents)
    torch.testing.assert_close(result.pixel_steps, torch.cat([piece.pixel_steps for piece in pieces]))
    assert torch.equal(result.off_prior_shares, off_prior_share(result.latents, either_model.config.prior))
    assert torch.equal(result.logits, either_model.score(result.images, result.latents))


@pytest.mark.parametrize(("num_ends", "num_steps"), [(3, 3), (3, 4), (3, 10), (4, 4), (4, 5), (4, 6), (4, 60)])
def test_every_end_is_a_frame_whatever_the_count(tiny_model: BiGAN, num_ends: int, num_steps: int) -> None:
    ends = tiny_model.sample_latents(num_ends, seed=5)
    latents = through(tiny_model, ends, num_steps, "prior").latents
    assert latents.shape == (num_steps, tiny_model.config.latent_dim)
    frames = [int((latents == end).all(1).nonzero()) for end in ends]
    assert (frames[0], frames[-1]) == (0, num_steps - 1)
    lengths = [after - before for before, after in pairwise(frames)]
    assert min(lengths) >= 1 and max(lengths) - min(lengths) <= 1


def test_too_many_ends_and_too_few_steps_are_refused(tiny_model: BiGAN) -> None:
    z = tiny_model.sample_latents(5, seed=0)
    with pytest.raises(ValueError, match="There are 5 ends; a walk has 2 to 4"):
        through(tiny_model, z, 9, "line")
    with pytest.raises(ValueError, match="There are 1 ends"):
        through(tiny_model, z[:1], 9, "line")
    with pytest.raises(ValueError, match="num_steps is 3; it must be at least 4, one for each end"):
        through(tiny_model, z[:4], 3, "line")
    with pytest.raises(ValueError, match="3 components"):
        through(tiny_model, z[:3, :3], 9, "line")


# The paths compared


def test_the_paths_compared_are_the_walks_and_tell_the_prior_from_the_rest(either_model: BiGAN) -> None:
    start, end = either_model.sample_latents(2, seed=6)
    found = compare_paths(either_model, start, end, 11)
    assert tuple(found) == PATHS
    for path, made in found.items():
        assert made.path == path
        assert torch.equal(made.latents, interpolate(start, end, 11, path, either_model.config.prior))
        assert torch.equal(made.off_prior_shares, off_prior_share(made.latents, either_model.config.prior))


def test_only_a_slerp_leaves_a_uniform_prior(tiny_model: BiGAN) -> None:
    corner = torch.full((tiny_model.config.latent_dim,), 0.99)
    other = torch.where(torch.arange(len(corner)) % 2 == 0, corner, -corner)
    found = compare_paths(tiny_model, corner, other, 9)
    assert found["slerp"].off_prior_shares.max() > 0
    assert found["line"].off_prior_shares.max() == found["prior"].off_prior_shares.max() == 0


# Timed anew


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("num_steps", [7, 40])
def test_retiming_evens_the_steps_and_keeps_ends_and_path(either_model: BiGAN, path: Path, num_steps: int) -> None:
    prior = either_model.config.prior
    start, end = either_model.sample_latents(2, seed=7)
    made = walk(either_model, start, 0.2 * end, 12, path)
    uneven = through(either_model, made.latents[[0, 2, 9, 11]], 4, path)
    for given in (made, uneven):
        even = retime(either_model, given, num_steps)
        assert even.latents.shape == (num_steps, len(start))
        assert torch.equal(even.latents[[0, -1]], made.latents[[0, -1]])
        images = either_model.generate(even.latents).double().numpy()
        steps = np.sqrt((np.diff(images.reshape(num_steps, -1), axis=0) ** 2).sum(1))
        assert np.std(steps) / np.mean(steps) < 0.02
        assert even.unevenness == pytest.approx(np.std(steps) / np.mean(steps), abs=1e-3)
        assert torch.equal(even.off_prior_shares, off_prior_share(even.latents, prior))
        # every frame lies on the path, of which these are close points
        dense = interpolate(start, 0.2 * end, 4001, path, prior)
        distances, where = torch.cdist(even.latents.double(), dense.double()).min(1)
        assert distances.max() < 0.01 * (end - start).norm()
        assert (where.diff() > 0).all()


def test_retiming_an_even_walk_changes_little(tiny_model: BiGAN) -> None:
    start, end = tiny_model.sample_latents(2, seed=8)
    even = retime(tiny_model, walk(tiny_model, start, end, 30, "prior"), 30)
    again = retime(tiny_model, even, 30)
    assert (again.latents - even.latents).abs().max() < 0.02
    assert again.unevenness <= 0.02


def test_retiming_stands_still_where_nothing_moves_and_skips_pauses(tiny_model: BiGAN) -> None:
    a, b = tiny_model.sample_latents(2, seed=9)
    still = retime(tiny_model, walk(tiny_model, a, a, 5, "line"), 9)
    assert still.pixel_steps.max() < 1e-4  # of rounding
    torch.testing.assert_close(still.latents, a.expand(9, -1))
    paused = retime(tiny_model, through(tiny_model, torch.stack([a, a, b, b]), 16, "line"), 12)
    assert paused.unevenness < 0.02
    assert torch.equal(paused.latents[[0, -1]], torch.stack([a, b]))


def test_retiming_refuses_a_single_frame_and_walks_of_another_model(tiny_model: BiGAN) -> None:
    start, end = tiny_model.sample_latents(2, seed=0)
    made = walk(tiny_model, start, end, 4, "line")
    with pytest.raises(ValueError, match="num_steps is 1; it must be at least 2"):
        retime(tiny_model, made, 1)
    with pytest.raises(ValueError, match="4 components"):
        retime(tiny_model, replace(made, latents=torch.zeros(4, 4)), 9)
    assert torch.equal(retime(tiny_model, made, 2).latents, made.latents[[0, -1]])


# Sheets


@pytest.mark.parametrize("path", PATHS)
def test_a_sheet_has_exact_corners_and_paths_for_edges(either_model: BiGAN, path: Path) -> None:
    prior = either_model.config.prior
    corners = either_model.sample_latents(4, seed=10)
    found = sheet(either_model, corners, 5, path)
    z = found.latents
    assert z.shape == (5, 5, either_model.config.latent_dim)
    assert torch.equal(torch.stack([z[0, 0], z[0, 4], z[4, 0], z[4, 4]]), corners)
    edges = ((z[0], 0, 1), (z[4], 2, 3), (z[:, 0], 0, 2), (z[:, 4], 1, 3))
    for edge, start, end in edges:
        assert torch.equal(edge, interpolate(corners[start], corners[end], 5, path, prior))
    for row in z:
        assert torch.equal(row, interpolate(row[0], row[4], 5, path, prior))
    flat = z.flatten(0, 1)
    assert torch.equal(found.images.flatten(0, 1), either_model.generate(flat))
    assert torch.equal(found.off_prior_shares.flatten(), off_prior_share(flat, prior))


def test_a_sheet_of_lines_is_bilinear(tiny_model: BiGAN) -> None:
    corners = tiny_model.sample_latents(4, seed=11)
    z = sheet(tiny_model, corners, 4, "line").latents.double().numpy()
    a, b, c, d = corners.double().numpy()
    for i in range(4):
        for j in range(4):
            v, u = i / 3, j / 3
            expected = (1 - v) * (1 - u) * a + (1 - v) * u * b + v * (1 - u) * c + v * u * d
            np.testing.assert_allclose(z[i, j], expected, atol=1e-6)


@pytest.mark.parametrize("path", PATHS)
def test_three_corners_make_a_triangle_whose_tip_is_the_upper_edge(either_model: BiGAN, path: Path) -> None:
    tip, left, right = either_model.sample_latents(3, seed=12)
    z = sheet(either_model, torch.stack([tip, left, right]), 6, path).latents
    assert torch.equal(z[0, 0], tip) and torch.equal(z[5, 0], left) and torch.equal(z[5, 5], right)
    torch.testing.assert_close(z[0], tip.expand(6, -1), rtol=0, atol=1e-6)
    assert torch.equal(z[:, 0], interpolate(tip, left, 6, path, either_model.config.prior))
    assert torch.equal(z[:, 5], interpolate(tip, right, 6, path, either_model.config.prior))


def test_impossible_sheets_are_refused(tiny_model: BiGAN) -> None:
    z = tiny_model.sample_latents(5, seed=0)
    with pytest.raises(ValueError, match="There are 5 corners; a sheet has 3 or 4"):
        sheet(tiny_model, z, 4, "line")
    with pytest.raises(ValueError, match="size is 1; it must be at least 2"):
        sheet(tiny_model, z[:4], 1, "line")
    with pytest.raises(ValueError, match="7 components"):
        sheet(tiny_model, z[:4, :7], 4, "line")


# Analogies


def test_an_analogy_is_the_sum_in_the_normal_view(either_model: BiGAN) -> None:
    a, b, c = either_model.sample_latents(3, seed=13)
    d = analogy(either_model, a, b, c)
    x, y, z = (latent.double().numpy() for latent in (a, b, c))
    if either_model.config.prior == "normal":
        expected = z + y - x
    else:
        normal = [stats.norm.ppf((1 + latent) / 2) for latent in (x, y, z)]
        expected = 2 * stats.norm.cdf(normal[2] + normal[1] - normal[0]) - 1
        assert off_prior_share(d[None], "uniform") == 0
    np.testing.assert_allclose(d, expected, rtol=1e-5, atol=1e-6)


def test_an_analogy_of_equals_is_an_equal_and_undoes_itself(either_model: BiGAN) -> None:
    a, b, c = either_model.sample_latents(3, seed=14)
    assert torch.equal(analogy(either_model, a, a, c), c)
    assert torch.equal(analogy(either_model, a, b, a), b)
    d = analogy(either_model, a, b, c)
    torch.testing.assert_close(analogy(either_model, b, a, d), c, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(analogy(either_model, a, c, b), d)


def test_an_analogy_of_the_priors_ends_is_finite_and_of_other_sizes_refused(tiny_model: BiGAN) -> None:
    one = torch.ones(tiny_model.config.latent_dim)
    far = analogy(tiny_model, -one, one, 0.5 * one)
    assert far.isfinite().all() and far.abs().max() <= 1
    with pytest.raises(ValueError, match="2 components"):
        analogy(tiny_model, one[:2], one[:2], one[:2])
