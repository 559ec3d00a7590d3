"""Priors, truncation, and the paths between latents."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]
from torch import Tensor

from bigan.config import Prior
from bigan.latent import (
    PATHS,
    Path,
    from_normal,
    interpolate,
    off_prior_share,
    sample,
    to_normal,
    typical_norm,
    usual_norms,
)

PRIORS: tuple[Prior, ...] = ("uniform", "normal")
both_priors = pytest.mark.parametrize("prior", PRIORS)
every_path = pytest.mark.parametrize("path", PATHS)


def pair(prior: Prior, latent_dim: int, seed: int) -> tuple[Tensor, Tensor]:
    start, end = sample(prior, (2, latent_dim), seed)
    return start, end


@both_priors
@pytest.mark.parametrize("latent_dim", [1, 2, 3, 7, 8, 16, 50, 65])
def test_the_first_latents_do_not_depend_on_the_count(prior: Prior, latent_dim: int) -> None:
    many = sample(prior, (300, latent_dim), seed=5)
    for count in (*range(40), 63, 64, 65, 255, 256, 257):
        assert torch.equal(sample(prior, (count, latent_dim), seed=5), many[:count])


@both_priors
def test_a_seed_gives_its_own_latents_and_leaves_the_global_generator_alone(prior: Prior) -> None:
    before = torch.get_rng_state()
    first, again, other = (sample(prior, (4, 50), seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.dtype == torch.float32


@pytest.mark.parametrize("truncation", [1.0, 0.6, 0.05])
def test_samples_follow_the_truncated_prior(truncation: float) -> None:
    uniform = sample("uniform", (2000, 10), 3, truncation).flatten().double().numpy()
    normal = sample("normal", (2000, 10), 3, truncation).flatten().double().numpy()
    limit = stats.norm.ppf((1 + truncation) / 2)  # infinite where nothing is truncated
    assert stats.kstest(uniform, stats.uniform(-truncation, 2 * truncation).cdf).pvalue > 0.01
    assert stats.kstest(normal, stats.truncnorm(-limit, limit).cdf).pvalue > 0.01
    assert abs(uniform).max() <= truncation
    assert abs(normal).max() <= limit * (1 + 1e-6)


@both_priors
def test_truncation_moves_every_component_towards_the_centre_and_keeps_its_sign(prior: Prior) -> None:
    whole, half, little = (sample(prior, (20, 50), 0, truncation) for truncation in (1.0, 0.5, 0.01))
    assert (whole.abs() > half.abs()).all()
    assert (half.abs() > little.abs()).all()
    assert torch.equal(whole.sign(), little.sign())


@pytest.mark.parametrize("truncation", [0.0, -0.1, 1.01, math.inf, math.nan])
def test_truncation_outside_its_range_is_refused(truncation: float) -> None:
    with pytest.raises(ValueError, match=f"truncation is {truncation}; it must be above 0 and at most 1"):
        sample("uniform", (1, 2), 0, truncation)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_outside_its_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=f"seed is {seed}; it must be 0 to"):
        sample("uniform", (1, 2), seed)


def test_the_prior_path_alone_keeps_the_uniform_prior() -> None:
    # DESIGN 5, at d = 50: the figures that make "prior" the default
    ends = sample("uniform", (1000, 50), 1)
    middles: dict[Path, Tensor] = {
        path: torch.stack(
            [interpolate(a, b, 3, path, "uniform")[1] for a, b in zip(ends[::2], ends[1::2], strict=True)]
        )
        for path in PATHS
    }
    norms = {path: z.norm(dim=1).mean().item() for path, z in middles.items()}
    outside = {path: off_prior_share(z, "uniform").mean().item() for path, z in middles.items()}
    assert ends.norm(dim=1).mean().item() == pytest.approx(4.07, abs=0.02)
    assert norms["line"] == pytest.approx(2.88, abs=0.03)
    assert norms["slerp"] == pytest.approx(4.07, abs=0.03)
    assert norms["prior"] == pytest.approx(4.09, abs=0.03)
    assert outside["slerp"] == pytest.approx(0.08, abs=0.01)
    assert outside["line"] == outside["prior"] == 0
    assert (off_prior_share(middles["slerp"], "uniform") > 0).float().mean() > 0.98  # nearly every midpoint


@both_priors
@every_path
def test_a_path_begins_and_ends_bit_for_bit(path: Path, prior: Prior) -> None:
    start, end = pair(prior, 50, 2)
    before = start.clone(), end.clone()
    z = interpolate(start, end, 7, path, prior)
    assert z.shape == (7, 50)
    assert torch.equal(z[0], start)
    assert torch.equal(z[-1], end)
    z.zero_()
    assert torch.equal(start, before[0])
    assert torch.equal(end, before[1])


@both_priors
@every_path
def test_the_way_back_is_the_way_there(path: Path, prior: Prior) -> None:
    start, end = pair(prior, 50, 3)
    for a, b in [(start, end), (start, -start), (start, -2 * start), (start, 2 * start), (start, 0 * start)]:
        there, back = interpolate(a, b, 9, path, prior), interpolate(b, a, 9, path, prior)
        torch.testing.assert_close(back.flip(0), there)


def test_slerp_turns_at_constant_speed_and_changes_the_norm_linearly() -> None:
    start, end = pair("normal", 50, 4)
    z = interpolate(start, 3 * end, 11, "slerp", "normal").double()
    norms = z.norm(dim=1)
    angles = torch.arccos((z[1:] * z[:-1]).sum(1) / (norms[1:] * norms[:-1]))
    whole = torch.arccos((z[0] @ z[-1]) / (norms[0] * norms[-1]))
    torch.testing.assert_close(angles, (whole / 10).expand(10), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(norms, torch.linspace(norms[0].item(), norms[-1].item(), 11).double(), rtol=1e-6, atol=0)


def test_slerp_between_vectors_of_one_length_is_the_formula_of_the_paper() -> None:
    start, end = (4 * v / v.norm() for v in pair("normal", 50, 5))
    omega = math.acos((start.double() @ end.double()).item() / 16)
    z = interpolate(start, end, 6, "slerp", "normal")
    for step in range(6):
        t = step / 5
        expected = (math.sin((1 - t) * omega) * start + math.sin(t * omega) * end) / math.sin(omega)
        torch.testing.assert_close(z[step], expected, rtol=1e-5, atol=1e-5)


def test_the_prior_path_is_a_slerp_between_probits() -> None:
    start, end = pair("uniform", 50, 6)
    a, b = (torch.from_numpy(stats.norm.ppf((1 + v.double().numpy()) / 2)) for v in (start, end))
    gaussian = interpolate(a.float(), b.float(), 8, "slerp", "normal").double().numpy()
    z = interpolate(start, end, 8, "prior", "uniform")
    torch.testing.assert_close(z.double(), torch.from_numpy(2 * stats.norm.cdf(gaussian) - 1), rtol=0, atol=1e-6)


def test_the_prior_path_of_a_normal_prior_is_the_slerp() -> None:
    start, end = pair("normal", 50, 7)
    assert torch.equal(interpolate(start, end, 8, "prior", "normal"), interpolate(start, end, 8, "slerp", "normal"))


def test_a_path_between_opposite_vectors_keeps_its_norm() -> None:
    start = sample("normal", (1, 50), 8)[0]
    z = interpolate(start, -start, 21, "slerp", "normal")
    torch.testing.assert_close(z.norm(dim=1), start.norm().expand(21))
    steps = z.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, steps[0].expand(20))


@pytest.mark.parametrize("path", ["slerp", "prior"])
def test_parallel_and_zero_ends_give_the_line(path: Path) -> None:
    start = sample("normal", (1, 50), 9)[0]
    for a, b in [(start, 2 * start), (start, start), (start, 0 * start), (0 * start, start), (0 * start, 0 * start)]:
        torch.testing.assert_close(interpolate(a, b, 5, path, "normal"), interpolate(a, b, 5, "line", "normal"))


def test_one_component_alone_has_only_the_line() -> None:
    z = interpolate(torch.tensor([1.0]), torch.tensor([-1.0]), 3, "slerp", "normal")
    assert z.flatten().tolist() == [1.0, 0.0, -1.0]


def test_the_ends_of_the_uniform_prior_have_finite_paths() -> None:
    start = torch.tensor([1.0, -1.0, 1.0, 0.25, 1.5])
    end = torch.tensor([-1.0, -1.0, 0.5, 1.0, -1.5])
    z = interpolate(start, end, 9, "prior", "uniform")
    assert z.isfinite().all()
    assert (z[1:-1].abs() <= 1).all()
    assert torch.equal(z[[0, -1]], torch.stack([start, end]))


@settings(deadline=None, max_examples=100)
@given(
    ends=st.integers(1, 6).flatmap(
        lambda n: st.tuples(*[st.lists(st.floats(-1, 1, width=32), min_size=n, max_size=n)] * 2)
    ),
    num_steps=st.integers(2, 9),
    prior=st.sampled_from(PRIORS),
)
def test_every_path_is_finite_and_as_far_out_as_it_should_be(
    ends: tuple[list[float], list[float]], num_steps: int, prior: Prior
) -> None:
    start, end = (torch.tensor(numbers) for numbers in ends)
    for path in PATHS:
        z = interpolate(start, end, num_steps, path, prior)
        assert z.isfinite().all()
        if path == "line" or (path == "prior" and prior == "uniform"):
            assert (z.abs() <= 1).all()
        else:  # a slerp never goes farther out than its farther end
            assert (z.norm(dim=1) <= max(start.norm(), end.norm()) * (1 + 1e-5) + 1e-6).all()


def test_impossible_paths_are_refused() -> None:
    z = torch.zeros(3)
    with pytest.raises(ValueError, match="num_steps is 1; it must be at least 2"):
        interpolate(z, z, 1, "line", "uniform")
    with pytest.raises(ValueError, match="finite"):
        interpolate(z, z / 0, 3, "line", "uniform")


def test_off_prior_share_counts_components_beyond_the_limit() -> None:
    z = torch.tensor([[0.0, 1.0, -1.0, 0.5], [1.001, -1.5, 3.0, -3.0], [3.1, -4.0, 0.0, 1.0]])
    assert off_prior_share(z, "uniform").tolist() == [0.0, 1.0, 0.5]
    assert off_prior_share(z, "normal").tolist() == [0.0, 0.0, 0.5]


@both_priors
def test_typical_norm_is_that_of_samples(prior: Prior) -> None:
    z = sample(prior, (4000, 50), 10)
    assert z.square().sum(1).mean().sqrt().item() == pytest.approx(typical_norm(prior, 50), rel=0.01)


@both_priors
def test_usual_norms_hold_nineteen_of_twenty_samples(prior: Prior) -> None:
    low, high = usual_norms(prior, 50)
    norms = sample(prior, (20_000, 50), seed=5).norm(dim=1)
    assert ((norms > low) & (norms < high)).float().mean().item() == pytest.approx(0.95, abs=0.01)
    assert (norms < low).any() and (norms > high).any()


def test_one_number_may_have_any_length_down_to_zero() -> None:
    assert usual_norms("normal", 1)[0] == 0


def test_the_normal_view_of_a_uniform_prior_is_the_probit_and_leads_back() -> None:
    z = torch.linspace(-0.999, 0.999, 101, dtype=torch.float64).view(1, 101)
    g = to_normal(z, "uniform")
    torch.testing.assert_close(g, torch.from_numpy(stats.norm.ppf((1 + z.numpy()) / 2)), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(from_normal(g, "uniform"), z, rtol=0, atol=1e-12)
    ends = to_normal(torch.tensor([-3.0, -1, 1, 3], dtype=torch.float64), "uniform")
    assert ends.isfinite().all() and torch.equal(ends, -ends.flip(0))
    assert from_normal(10 * ends, "uniform").abs().max() <= 1
    assert torch.equal(to_normal(5 * g, "normal"), from_normal(5 * g, "normal"))
    assert torch.equal(to_normal(g, "normal"), g)
