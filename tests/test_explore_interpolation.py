"""Walks through the latent space."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bigan.explore.interpolation import walk
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
    with pytest.raises(ValueError, match=f"5 and 5 components; this model's latents have {latent_dim}"):
        walk(tiny_model, torch.zeros(5), torch.zeros(5), 3, "prior")
    with pytest.raises(ValueError, match="num_steps is 1"):
        walk(tiny_model, torch.zeros(latent_dim), torch.zeros(latent_dim), 1, "prior")
