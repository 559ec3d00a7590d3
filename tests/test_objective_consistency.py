"""Consistency and information of blind classifiers: closed forms, naive float64, what they move and what not."""

import itertools
import math
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor
from toys import after_one_step, lively, naive_norm, snapshot, toy_batch, toy_recipe

from bigan.data import Dataset
from bigan.models.mlp import Encoder
from bigan.objectives import consistency
from bigan.objectives.bigan import BiGANObjective
from bigan.objectives.consistency import (
    NUM_CLASSES,
    NUM_CLASSIFIERS,
    REACH,
    answers,
    blind_loss,
    consistency_loss,
    divergence,
    information_loss,
)
from bigan.training import TrainingState, epoch_batches, train_epoch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

BIGAN = toy_recipe("mnist")


def random_answers(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, NUM_CLASSIFIERS, NUM_CLASSES, generator=generator).log_softmax(-1)


def toy_encoder() -> Encoder:
    return lively(TrainingState(BIGAN)).model.encoder


def features_of(encoder: Encoder, x: Tensor) -> Tensor:
    *_, features, _ = encoder.activations(x)
    return features


def moved_by(encoder: Encoder, x: Tensor, step: Tensor) -> float:
    """How far a step changes the answers."""
    return divergence(answers(features_of(encoder, x)), answers(features_of(encoder, x + step))).item()


def test_no_answer_that_differs_is_no_divergence_and_any_other_is_some() -> None:
    log_p = random_answers()
    assert divergence(log_p, log_p).item() == 0.0
    assert divergence(log_p, random_answers(1)) > 0


def test_the_divergence_equals_a_naive_float64_reference() -> None:
    log_p, log_q = random_answers(0), random_answers(1)
    p, q = log_p.double().exp(), log_q.double().exp()
    naive = sum(float(a * math.log(a / b)) for a, b in zip(p.flatten(), q.flatten(), strict=True))
    assert divergence(log_p, log_q).item() == pytest.approx(naive / (6 * NUM_CLASSIFIERS), rel=1e-4)


def test_sure_and_evenly_spread_answers_have_the_lowest_information_loss() -> None:
    one_each = torch.full((NUM_CLASSES, NUM_CLASSIFIERS, NUM_CLASSES), -1e4)
    one_each[torch.arange(NUM_CLASSES), :, torch.arange(NUM_CLASSES)] = 0.0
    assert information_loss(one_each.log_softmax(-1)).item() == pytest.approx(-4 * math.log(NUM_CLASSES), rel=1e-6)


def test_answers_that_know_nothing_and_answers_that_are_always_the_same_are_worse() -> None:
    nothing = torch.zeros(4, NUM_CLASSIFIERS, NUM_CLASSES).log_softmax(-1)
    assert information_loss(nothing).item() == pytest.approx(-3 * math.log(NUM_CLASSES), rel=1e-6)
    same = torch.full((4, NUM_CLASSIFIERS, NUM_CLASSES), -1e4)
    same[..., 0] = 0.0
    assert information_loss(same.log_softmax(-1)).item() == pytest.approx(0.0, abs=1e-4)


def test_the_information_loss_equals_a_naive_float64_reference() -> None:
    log_p = random_answers()
    p = log_p.double().exp()  # (B, A, K)
    unsure = -sum(float(a * math.log(a)) for a in p.flatten()) / (len(p) * NUM_CLASSIFIERS)
    spread = -sum(float(a * math.log(a)) for a in p.mean(0).flatten()) / NUM_CLASSIFIERS
    assert information_loss(log_p).item() == pytest.approx(unsure - 4 * spread, rel=1e-5)


def test_the_answers_are_probabilities_and_the_same_in_every_run() -> None:
    features = torch.randn(7, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(answers(features).exp().sum(-1), torch.ones(7, NUM_CLASSIFIERS))
    before = answers(features)
    consistency._classifiers.cache_clear()
    assert torch.equal(answers(features), before)


def test_an_encoder_that_ignores_its_image_is_perfectly_consistent() -> None:
    encoder, x = Encoder(BIGAN.model), toy_batch().x  # weights of zero
    assert consistency_loss(encoder, x, answers(features_of(encoder, x)), seed=0).item() == 0.0


def test_the_step_it_finds_changes_the_answers_more_than_random_steps_of_its_length() -> None:
    encoder, x = toy_encoder(), toy_batch().x
    distances = torch.cdist(x.flatten(1), x.flatten(1)) + 1e9 * torch.eye(len(x))
    reach = REACH * distances.amin(1)
    worst = consistency_loss(encoder, x, answers(features_of(encoder, x)), seed=0).item()
    for seed in range(10):
        direction = torch.randn(x.flatten(1).shape, generator=torch.Generator().manual_seed(100 + seed))
        step = direction / direction.norm(dim=1, keepdim=True) * reach[:, None]
        assert moved_by(encoder, x, step.view_as(x)) < worst


def test_the_consistency_equals_a_naive_float64_reference() -> None:
    encoder, x = toy_encoder(), toy_batch().x
    found = consistency_loss(encoder, x, answers(features_of(encoder, x)), seed=3)

    first, second = (layer.linear.weight.double() for layer in encoder.hidden)  # type: ignore[union-attr, operator]
    identity = torch.eye(BIGAN.model.hidden_dim)  # answers are linear in the features, up to the softmax
    rows = answers(identity).double() - answers(torch.zeros(1, BIGAN.model.hidden_dim)).double()

    def log_p(flat: Tensor) -> Tensor:
        h = torch.nn.functional.leaky_relu(flat @ first.T, 0.2)
        h = torch.nn.functional.leaky_relu(naive_norm(h @ second.T), 0.2)
        return torch.einsum("bf,fak->bak", h, rows).log_softmax(-1)  # a shift of a classifier's logits is no matter

    flat = x.double().flatten(1)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(3)).double().flatten(1)
    probe = (10 * noise / noise.norm(dim=1, keepdim=True)).requires_grad_()
    fixed = log_p(flat).detach()
    (worst,) = torch.autograd.grad((fixed.exp() * (fixed - log_p(flat + probe))).sum(-1).mean(), probe)
    reach = REACH * (torch.cdist(flat, flat) + 1e9 * torch.eye(len(flat))).amin(1, keepdim=True)
    there = log_p(flat + worst / worst.norm(dim=1, keepdim=True) * reach)
    assert found.item() == pytest.approx((fixed.exp() * (fixed - there)).sum(-1).mean().item(), rel=1e-3)


def test_the_same_seed_seeks_in_the_same_directions_and_another_in_others() -> None:
    encoder, x = toy_encoder(), toy_batch().x
    losses = [blind_loss(encoder, x, features_of(encoder, x), seed).item() for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_the_answers_nearby_follow_those_at_the_image_and_not_the_other_way_round() -> None:
    encoder, x = toy_encoder(), toy_batch().x
    log_p = answers(features_of(encoder, x)).detach().requires_grad_()
    loss = consistency_loss(encoder, x, log_p, seed=0)
    assert torch.autograd.grad(loss, log_p, allow_unused=True) == (None,)


def test_both_terms_are_blind_to_the_order_of_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, x = toy_encoder(), toy_batch().x
    order = torch.randperm(x[0].numel(), generator=torch.Generator().manual_seed(3))

    def shuffled(images: Tensor) -> Tensor:
        return images.flatten(1)[:, order].view_as(images)

    other = deepcopy(encoder)
    with torch.no_grad():
        first = other.get_parameter("hidden.0.linear.weight")
        first.copy_(first[:, order])
    expected = blind_loss(encoder, x, features_of(encoder, x), seed=1).item()
    assert blind_loss(encoder, shuffled(x), features_of(encoder, shuffled(x)), seed=1).item() != expected
    randn = torch.randn  # the random directions go with their pixels
    monkeypatch.setattr(torch, "randn", lambda *size, **options: shuffled(randn(*size, **options)))
    found = blind_loss(other, shuffled(x), features_of(other, shuffled(x)), seed=1).item()
    assert found == pytest.approx(expected, rel=1e-4)


def test_each_batch_brings_a_seed_of_its_own_and_the_same_one_every_time(data: Dataset, fabric: "Fabric") -> None:
    state = TrainingState(BIGAN)
    runs = [[batch.seed for batch in itertools.islice(epoch_batches(state, data, fabric), 4)] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 4


@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_the_blind_terms_are_added_to_the_loss_of_e_and_g_alone(weight: float) -> None:
    model, batch = lively(TrainingState(BIGAN)).model, toy_batch()
    plain, blind = (BiGANObjective(blind_weight=w).losses(model, batch) for w in (0.0, weight))
    assert torch.equal(plain["JD"], blind["JD"])
    expected = weight * blind_loss(model.encoder, batch.x, features_of(model.encoder, batch.x), batch.seed).item()
    assert blind["EG"].item() - plain["EG"].item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_the_blind_terms_move_nothing_but_e(data: Dataset, fabric: "Fabric") -> None:
    recipes = [replace(BIGAN, train=replace(BIGAN.train, blind_weight=weight)) for weight in (0.0, 1.0)]
    ends = [after_one_step(recipe, data, fabric) for recipe in recipes]
    differing = {name for name, weight in ends[0].items() if not torch.equal(weight, ends[1][name])}
    # E's output follows the adversary alone in the first step, from features that are the same in both
    assert differing == {name for name in ends[0] if name.startswith("encoder.hidden")}


def test_the_noise_of_a_step_depends_on_seed_and_epoch_alone(data: Dataset, fabric: "Fabric") -> None:
    recipe = replace(BIGAN, train=replace(BIGAN.train, blind_weight=1.0))
    ends = []
    for _ in range(2):
        state = TrainingState(recipe)
        list(train_epoch(state, data, fabric))
        ends.append(snapshot(state.model))
    assert all(torch.equal(weight, ends[1][name]) for name, weight in ends[0].items())
