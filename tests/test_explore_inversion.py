"""Descent on |x - G(z)|: what it finds, what it never touches, and what it refuses."""

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from bigan.config import ModelConfig, Prior
from bigan.explore.inversion import EncoderGap, encoder_gap, invert, starts
from bigan.latent import prior_limit
from bigan.models.bigan import BiGAN

PRIORS: list[Prior] = ["uniform", "normal"]


def small_model(prior: Prior) -> BiGAN:
    config = ModelConfig(image_shape=(1, 6, 6), latent_dim=4, hidden_dim=32, prior=prior)
    model = BiGAN(config).initialise(3).eval().requires_grad_(False)
    for weight in model.generator.parameters():
        weight.mul_(15)  # of a fresh model they are so small that all images are alike
    return model


@pytest.mark.parametrize("prior", PRIORS)
def test_the_latent_of_a_generated_image_is_found(prior: Prior) -> None:
    model = small_model(prior)
    z = model.sample_latents(1, seed=0)
    x = model.generate(z)
    begin = torch.cat([z + 0.3, model.sample_latents(4, seed=1)]).clamp(-1, 1)
    *_, last = invert(model, x, begin, num_steps=300)
    assert last.distances.min() < 0.02 * (x - model.generate(begin)).flatten(1).norm(dim=1).max()
    torch.testing.assert_close(last.best_latent, z[0], atol=0.05, rtol=0)


@pytest.mark.parametrize("prior", PRIORS)
def test_each_step_is_that_of_adam_in_the_angles(prior: Prior) -> None:
    model, limit = small_model(prior), prior_limit(prior)
    x = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    begin = model.sample_latents(3, seed=2)
    found = list(invert(model, x, begin, num_steps=20))
    angles = torch.asin(begin / limit).requires_grad_()
    adam = torch.optim.Adam([angles], lr=0.1)
    best = torch.full((3,), math.inf)
    for step in found:
        squares = (model.generator(limit * angles.sin()) - x).square().flatten(1).sum(1)
        best = torch.minimum(best, squares.detach().sqrt())
        torch.testing.assert_close(step.distances, best, atol=1e-3, rtol=1e-3)
        adam.zero_grad()
        squares.sum().backward()
        adam.step()
    assert [step.step for step in found] == list(range(21))
    assert (found[-1].distances < found[0].distances).all()


@pytest.mark.parametrize("prior", PRIORS)
def test_what_is_shown_belongs_together_and_stays_inside_the_prior(prior: Prior) -> None:
    model = small_model(prior)
    x = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    begin = starts(model, x, seed=5)
    assert begin.shape == (9, 4)
    assert torch.equal(begin, torch.cat([model.encode(x), model.sample_latents(8, seed=5)]))
    before = None
    for step in invert(model, x, begin, num_steps=60):
        assert step.best_latent.abs().max() <= prior_limit(prior)
        torch.testing.assert_close(step.best_image, model.generate(step.best_latent[None])[0], atol=1e-5, rtol=0)
        assert (x[0] - step.best_image).norm().item() == pytest.approx(step.distances.min().item(), rel=1e-4)
        assert before is None or (step.distances <= before).all()
        before = step.distances
    first = next(invert(model, x, begin))
    expected = (x - model.generate(begin)).flatten(1).norm(dim=1)
    torch.testing.assert_close(first.distances, expected, atol=1e-4, rtol=1e-4)


def test_starts_at_the_end_of_the_prior_and_beyond_it_get_away_but_not_farther() -> None:
    model = small_model("uniform")
    x = model.generate(torch.tensor([[0.5, -0.5, 0.2, 0.1]]))
    begin = torch.tensor([[1.0, -1.0, 1.0, 1.0], [1.5, -0.5, 0.2, 0.1]])
    steps = list(invert(model, x, begin, num_steps=100))
    assert (steps[-1].distances < 0.5 * steps[0].distances).all()
    assert steps[0].best_latent.abs().max() <= 1.5
    torch.testing.assert_close(
        steps[0].distances, (x - model.generate(begin)).flatten(1).norm(dim=1), atol=1e-3, rtol=1e-3
    )


def test_a_shorter_descent_is_the_beginning_of_a_longer_one_and_can_be_left() -> None:
    model = small_model("uniform")
    x, begin = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(2)), model.sample_latents(2, seed=0)
    short = list(invert(model, x, begin, num_steps=5))
    for one, other in zip(short, itertools.islice(invert(model, x, begin, num_steps=9), 6), strict=True):
        assert torch.equal(one.distances, other.distances)
        assert torch.equal(one.best_latent, other.best_latent)


def test_a_model_in_use_is_never_changed(tiny_model: BiGAN) -> None:
    state = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    x, random_state = tiny_model.generate(tiny_model.sample_latents(1, seed=1)), torch.get_rng_state()

    def run(seed: int) -> float:
        *_, last = invert(tiny_model, x, starts(tiny_model, x, seed), num_steps=10)
        return last.distances.min().item()

    alone = [run(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == alone
    assert all(torch.equal(value, state[name]) for name, value in tiny_model.state_dict().items())
    assert not tiny_model.training
    assert all(weight.grad is None and not weight.requires_grad for weight in tiny_model.parameters())
    assert torch.equal(torch.get_rng_state(), random_state)


def test_weights_that_could_keep_a_gradient_keep_none() -> None:
    model = small_model("normal").requires_grad_(True)
    list(invert(model, torch.zeros(1, 1, 6, 6), torch.ones(1, 4), num_steps=2))
    assert all(weight.grad is None for weight in model.parameters())


def test_the_grad_mode_of_who_asks_is_left_alone() -> None:
    model, x = small_model("uniform"), torch.zeros(1, 1, 6, 6)
    expected = [step.distances for step in invert(model, x, model.sample_latents(2, seed=0), num_steps=3)]
    for mode in (torch.inference_mode, torch.no_grad):
        with mode():
            inside = model.sample_latents(2, seed=0) * 1, x * 1
            for step, distances in zip(invert(model, inside[1], inside[0], num_steps=3), expected, strict=True):
                assert torch.equal(step.distances, distances)
                assert not torch.is_grad_enabled()
    for step in invert(model, x, model.sample_latents(2, seed=0), num_steps=2):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        assert not step.best_latent.requires_grad and not step.best_image.requires_grad


def test_the_gap_is_how_far_the_best_is_below_the_encoder() -> None:
    model = small_model("uniform")
    z = model.sample_latents(1, seed=0)
    x = model.generate(z)
    steps = list(invert(model, x, torch.cat([model.encode(x), z]), num_steps=3))
    gap = encoder_gap(steps[0], steps[-1])
    assert gap.encoder_distance == pytest.approx((x - model.reconstruct(x)).norm().item(), rel=1e-3)
    assert gap.best_distance == pytest.approx(0, abs=1e-4)
    assert gap.best_from == "random"
    only = list(invert(model, x, model.encode(x), num_steps=20))
    again = encoder_gap(only[0], only[-1])
    assert again.best_from == "E(x)"
    assert again.ratio == pytest.approx(again.encoder_distance / again.best_distance) and again.ratio > 1
    assert encoder_gap(only[0], only[0]).ratio == 1
    assert EncoderGap(2.0, 0.0, "random").ratio == math.inf
    assert EncoderGap(0.0, 0.0, "E(x)").ratio == 1
    with pytest.raises(ValueError, match="got step 3"):
        encoder_gap(only[3], only[-1])


def test_what_cannot_be_inverted_is_refused_at_once(tiny_model: BiGAN) -> None:
    x, z = torch.zeros(1, 1, 28, 28), torch.zeros(2, tiny_model.config.latent_dim)
    with pytest.raises(ValueError, match=r"\(1, 1, 28, 28\); this one is \(1, 1, 14, 28\)"):
        invert(tiny_model, torch.zeros(1, 1, 14, 28), z)
    with pytest.raises(ValueError, match="must be finite"):
        invert(tiny_model, x / 0, z)
    with pytest.raises(ValueError, match=r"these are \(2, 3\)"):
        invert(tiny_model, x, z[:, :3])
    with pytest.raises(ValueError, match="must be finite"):
        invert(tiny_model, x, z / 0)
    with pytest.raises(ValueError, match="There are 0 starts; there must be 1 to 256"):
        invert(tiny_model, x, z[:0])
    with pytest.raises(ValueError, match="num_steps is 0; it must be 1 to 10,000"):
        invert(tiny_model, x, z, num_steps=0)
    with pytest.raises(ValueError, match="training mode"):
        invert(BiGAN(tiny_model.config), x, z)
