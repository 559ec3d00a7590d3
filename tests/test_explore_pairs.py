"""The four pairings, and an image sent round again and again."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

import bigan
from bigan.config import ModelConfig, Prior
from bigan.explore.pairs import pair_table, repeat
from bigan.models.bigan import BiGAN
from bigan.objectives.bigan import discriminator_loss, label_swapped_loss

PRIORS: list[Prior] = ["uniform", "normal"]


@pytest.fixture(scope="module")
def x() -> Tensor:
    return torch.rand(1, 1, 28, 28, generator=torch.Generator().manual_seed(1))


def model_of(prior: Prior) -> BiGAN:
    """Weights of a size with which D has something to say."""
    model = BiGAN(ModelConfig(latent_dim=5, hidden_dim=16, prior=prior)).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(4)
    for weight in model.parameters():
        weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
    return model


@pytest.mark.parametrize("prior", PRIORS)
def test_the_four_logits_are_those_of_each_pair_alone(prior: Prior, x: Tensor) -> None:
    model = model_of(prior)
    z, e_x = model.sample_latents(1, seed=6), model.encode(x)
    g_z, g_e_x = model.generate(z), model.generate(e_x)
    table = pair_table(model, x, seed=6)
    expected = {"(x, E(x))": (x, e_x), "(x, z)": (x, z), "(G(z), z)": (g_z, z), "(G(E(x)), E(x))": (g_e_x, e_x)}
    assert [pair.name for pair in table] == list(expected)
    for pair in table:
        image, latent = expected[pair.name]
        torch.testing.assert_close(pair.image, image[0])
        torch.testing.assert_close(pair.latent, latent[0])
        assert pair.logit == pytest.approx(model.score(image, latent).item(), abs=1e-5)
    assert len({round(pair.logit, 3) for pair in table}) == 4
    assert pair_table(model, x, seed=7).random_pair.logit != table.random_pair.logit
    assert pair_table(model, x, seed=7).encoder_pair.logit == pytest.approx(table.encoder_pair.logit, abs=1e-5)


def test_what_the_training_wants_is_where_its_losses_fall(x: Tensor) -> None:
    table = pair_table(model_of("uniform"), x, seed=0)
    logits = torch.zeros(2, requires_grad=True)  # of an encoder pair and a generator pair
    for loss, wishes in (
        (discriminator_loss, [table.encoder_pair.discriminator_wants, table.generator_pair.discriminator_wants]),
        (label_swapped_loss, [table.encoder_pair.others_want, table.generator_pair.others_want]),
    ):
        (slope,) = torch.autograd.grad(loss(logits[:1], logits[1:]), logits)
        assert wishes == ["higher" if s < 0 else "lower" for s in slope.tolist()]
    assert table.random_pair.discriminator_wants is None and table.random_pair.others_want is None
    assert table.reconstruction_pair.discriminator_wants == table.generator_pair.discriminator_wants


@pytest.mark.parametrize("prior", PRIORS)
def test_an_image_goes_round_as_often_as_asked(prior: Prior, x: Tensor) -> None:
    model = model_of(prior)
    found = repeat(model, x, num_steps=4)
    image = x
    assert torch.equal(found.images[0], x[0])
    for t in range(4):
        torch.testing.assert_close(found.latents[t], model.encode(image)[0])
        previous, image = image, model.reconstruct(image)
        torch.testing.assert_close(found.images[t + 1], image[0])
        assert found.steps[t].item() == pytest.approx((image.double() - previous.double()).norm().item(), abs=1e-5)
        assert found.distances[t + 1].item() == pytest.approx((image.double() - x.double()).norm().item(), rel=1e-5)
    assert found.distances[0] == 0
    assert len(repeat(model, x).steps) == 12


def test_it_has_settled_when_no_later_step_can_be_seen(x: Tensor) -> None:
    found = repeat(model_of("uniform"), x, num_steps=4)
    limit = 0.5 / 255 * 28
    for steps, at in (
        ([9.0, 1.0, limit * 0.9, 0.0], 2),
        ([9.0, limit * 0.9, limit * 1.1, 0.0], 3),
        ([0.0, 0.0, 0.0, 0.0], 0),
        ([0.0, 0.0, 0.0, limit * 1.1], None),
    ):
        assert replace(found, steps=torch.tensor(steps)).settled_at == at


def test_what_has_no_pairs_is_refused(tiny_model: BiGAN, x: Tensor) -> None:
    for ask in (lambda image: pair_table(tiny_model, image, 0), lambda image: repeat(tiny_model, image)):
        with pytest.raises(ValueError, match=r"\(1, 1, 14, 28\); it must be \(1, 1, 28, 28\)"):
            ask(x[:, :, :14])
    for num_steps in (0, 1001):
        with pytest.raises(ValueError, match=f"num_steps is {num_steps}; it must be 1 to 1,000"):
            repeat(tiny_model, x, num_steps)
    autoencoder = tiny_model.with_networks(("generator", "encoder"))
    with pytest.raises(bigan.CapabilityError, match="no discriminator"):
        pair_table(autoencoder, x, 0)
    torch.testing.assert_close(repeat(autoencoder, x, 2).images, repeat(tiny_model, x, 2).images)
