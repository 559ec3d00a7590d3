"""The objective: closed forms, identities, a naive float64 reference, known gradients."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from bigan.objectives.bigan import discriminator_loss, label_swapped_loss, minimax_loss

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES = [discriminator_loss, label_swapped_loss, minimax_loss]


def random_logits(num_pairs: int = 7, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    encoder_logits, generator_logits = 4 * torch.randn(2, num_pairs, generator=generator)
    return encoder_logits, generator_logits


def gradients(loss: Loss, encoder_logits: Tensor, generator_logits: Tensor) -> tuple[Tensor, ...]:
    leaves = encoder_logits.clone().requires_grad_(), generator_logits.clone().requires_grad_()
    return torch.autograd.grad(loss(*leaves), leaves)


@pytest.mark.parametrize("loss", [discriminator_loss, label_swapped_loss])
def test_a_loss_is_log_two_when_d_is_undecided(loss: Loss) -> None:
    assert loss(torch.zeros(5), torch.zeros(5)).item() == pytest.approx(math.log(2), rel=1e-6)


def test_the_minimax_loss_is_minus_log_two_when_d_is_undecided() -> None:
    assert minimax_loss(torch.zeros(5), torch.zeros(5)).item() == pytest.approx(-math.log(2), rel=1e-6)


@pytest.mark.parametrize("logit", [-3.0, -0.5, 0.0, 2.0])
def test_the_loss_of_constant_logits_is_a_closed_form(logit: float) -> None:
    right, wrong = math.log1p(math.exp(-logit)), math.log1p(math.exp(logit))
    constant = torch.full((3,), logit)
    assert discriminator_loss(constant, -constant).item() == pytest.approx(right, rel=1e-6)
    assert label_swapped_loss(constant, -constant).item() == pytest.approx(wrong, rel=1e-6)
    assert minimax_loss(constant, -constant).item() == pytest.approx(-right, rel=1e-6)


def test_d_is_right_with_high_logits_for_encoder_pairs() -> None:
    sure = torch.full((3,), 5.0)
    assert discriminator_loss(sure, -sure) < math.log(2) < discriminator_loss(-sure, sure)


@pytest.mark.parametrize("seed", range(5))
def test_swapping_the_labels_swaps_the_arguments_or_the_signs(seed: int) -> None:
    encoder_logits, generator_logits = random_logits(seed=seed)
    swapped = label_swapped_loss(encoder_logits, generator_logits)
    assert torch.equal(swapped, discriminator_loss(generator_logits, encoder_logits))
    torch.testing.assert_close(swapped, discriminator_loss(-encoder_logits, -generator_logits))


@pytest.mark.parametrize("seed", range(5))
def test_the_two_labellings_differ_by_the_mean_logits(seed: int) -> None:
    # softplus(a) - softplus(-a) = a
    encoder_logits, generator_logits = random_logits(seed=seed)
    difference = label_swapped_loss(encoder_logits, generator_logits) - discriminator_loss(
        encoder_logits, generator_logits
    )
    torch.testing.assert_close(difference, (encoder_logits.mean() - generator_logits.mean()) / 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_losses_equal_a_naive_float64_reference(seed: int) -> None:
    encoder_logits, generator_logits = random_logits(num_pairs=64, seed=seed)
    d_encoder = 1 / (1 + np.exp(-encoder_logits.double().numpy()))  # D(x, E(x))
    d_generator = 1 / (1 + np.exp(-generator_logits.double().numpy()))  # D(G(z), z)
    half_value = (np.log(d_encoder).mean() + np.log(1 - d_generator).mean()) / 2
    swapped = -(np.log(1 - d_encoder).mean() + np.log(d_generator).mean()) / 2
    assert discriminator_loss(encoder_logits, generator_logits).item() == pytest.approx(-half_value, rel=1e-5)
    assert minimax_loss(encoder_logits, generator_logits).item() == pytest.approx(half_value, rel=1e-5)
    assert label_swapped_loss(encoder_logits, generator_logits).item() == pytest.approx(swapped, rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_a_mean_so_repeating_the_batch_changes_nothing(loss: Loss) -> None:
    encoder_logits, generator_logits = random_logits()
    torch.testing.assert_close(
        loss(encoder_logits.repeat(3), generator_logits.repeat(3)), loss(encoder_logits, generator_logits)
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("encoder_logit", "generator_logit"), [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4), (-1e4, -1e4)])
def test_huge_logits_do_not_overflow(loss: Loss, encoder_logit: float, generator_logit: float) -> None:
    logits = torch.full((4,), encoder_logit), torch.full((4,), generator_logit)
    assert torch.isfinite(loss(*logits))
    assert all(torch.isfinite(gradient).all() for gradient in gradients(loss, *logits))


def test_the_loss_of_a_d_that_is_sure_and_wrong_is_its_logit() -> None:
    wrong = torch.full((4,), -1e4)
    assert discriminator_loss(wrong, -wrong).item() == 1e4
    assert label_swapped_loss(-wrong, wrong).item() == 1e4


def test_the_gradients_are_the_known_ones() -> None:
    a, b = random_logits()
    half_mean = 1 / (2 * len(a))
    known = {
        discriminator_loss: (-torch.sigmoid(-a) * half_mean, torch.sigmoid(b) * half_mean),
        label_swapped_loss: (torch.sigmoid(a) * half_mean, -torch.sigmoid(-b) * half_mean),
        minimax_loss: (torch.sigmoid(-a) * half_mean, -torch.sigmoid(b) * half_mean),
    }
    for loss, expected in known.items():
        for gradient, formula in zip(gradients(loss, a, b), expected, strict=True):
            torch.testing.assert_close(gradient, formula)


def test_where_d_is_sure_the_minimax_gradient_vanishes_and_the_label_swapped_one_does_not() -> None:
    sure = torch.full((4,), 20.0)
    for vanishing, strong in zip(
        gradients(minimax_loss, sure, -sure), gradients(label_swapped_loss, sure, -sure), strict=True
    ):
        assert vanishing.abs().max() < 1e-8
        assert strong.abs().min() == pytest.approx(1 / (2 * len(sure)))


def test_where_d_is_undecided_both_objectives_of_e_and_g_pull_the_same_way() -> None:
    undecided = torch.zeros(4)
    for plain, swapped in zip(
        gradients(minimax_loss, undecided, undecided), gradients(label_swapped_loss, undecided, undecided), strict=True
    ):
        assert torch.equal(plain, swapped)


@pytest.mark.parametrize("loss", LOSSES)
def test_logits_with_a_spare_axis_are_refused(loss: Loss) -> None:
    # (B, 1) against (B,) would broadcast somewhere and still give a plausible number
    with pytest.raises(TypeCheckError):
        loss(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(TypeCheckError):
        loss(torch.zeros(4, 1), torch.zeros(4, 1))


@pytest.mark.parametrize("loss", LOSSES)
def test_whole_numbers_are_refused(loss: Loss) -> None:
    with pytest.raises(TypeCheckError):
        loss(torch.zeros(4, dtype=torch.int64), torch.zeros(4, dtype=torch.int64))
