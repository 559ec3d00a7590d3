"""The linear probe against autograd in float64."""

import copy

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bigan.config import RECIPES
from bigan.data import scale
from bigan.evaluation.linear_probe import LEARNING_RATE, linear_probe_accuracy, train_linear_probe
from bigan.evaluation.nearest_neighbour import Accuracy
from bigan.evaluation.paper import published
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm


def bars(num_images: int, seed: int) -> tuple[Tensor, Tensor]:
    """Noisy images whose class is where a bright bar lies; hard enough that a probe errs."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (num_images,), generator=generator)
    images = torch.randint(0, 256, (num_images, 1, 28, 28), generator=generator)
    for image, label in zip(images, labels.tolist(), strict=True):
        image[:, 7 * label : 7 * label + 3] += 60
    return images.clamp(max=255).to(torch.uint8), labels


@pytest.fixture(scope="module")
def model() -> BiGAN:
    model = BiGAN(RECIPES["tiny"].model).initialise(3)
    estimate_batch_norm(model, bars(300, seed=1)[0], num_batches=20)
    return model


def naive_weights(model: BiGAN, images: Tensor, labels: Tensor, num_batches: int) -> Tensor:
    """Plain Adam with coupled L2, written out, on gradients by autograd in float64."""
    encoder = copy.deepcopy(model.encoder).train()
    generator = torch.Generator().manual_seed(5)
    weight = torch.zeros(model.config.hidden_dim, 4, dtype=torch.float64, requires_grad=True)
    mean = square = torch.zeros(model.config.hidden_dim, 4, dtype=torch.float64)
    for step in range(1, num_batches + 1):
        chosen = torch.randint(len(images), (128,), generator=generator)
        with torch.no_grad():
            h = list(encoder.activations(scale(images[chosen])))[-2].double()
        (gradient,) = torch.autograd.grad(cross_entropy(h @ weight, labels[chosen]), weight)
        gradient = gradient + 2.5e-5 * weight.detach()
        mean = 0.5 * mean + 0.5 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        update = (mean / (1 - 0.5**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
        weight = (weight.detach() - 1e-2 * update).requires_grad_()
    return weight.detach()


def test_probe_weights_agree_with_autograd_and_a_plain_adam(model: BiGAN) -> None:
    images, labels = bars(300, seed=1)
    weights = train_linear_probe(model, images, labels, 4, num_batches=40, learning_rate=1e-2, seed=5)
    torch.testing.assert_close(weights.double(), naive_weights(model, images, labels, 40), rtol=0, atol=2e-6)


def test_probe_is_tested_on_averaged_statistics(model: BiGAN) -> None:
    training, held_out = bars(300, seed=1), bars(200, seed=2)
    accuracy = linear_probe_accuracy(model, *training, *held_out, num_batches=40, learning_rate=1e-2, seed=5)
    features = model.features(scale(held_out[0]), "penultimate").double()
    predicted = (features @ naive_weights(model, *training, 40)).argmax(1)
    assert accuracy == Accuracy(int((predicted == held_out[1]).sum()), 200)
    assert 25 < accuracy.percent < 100


def test_probe_without_a_step_says_the_first_class(model: BiGAN) -> None:
    training, held_out = bars(300, seed=1), bars(200, seed=2)
    accuracy = linear_probe_accuracy(model, *training, *held_out, num_batches=0)
    assert accuracy.num_correct == int((held_out[1] == 0).sum())


def test_probe_suffers_from_a_decayed_learning_rate(model: BiGAN) -> None:
    training, held_out = bars(300, seed=1), bars(200, seed=2)
    rates = [
        linear_probe_accuracy(model, *training, *held_out, num_batches=60, learning_rate=rate).num_correct
        for rate in (2e-6, 2e-3)
    ]
    assert rates[0] < rates[1]


def test_the_published_figure_was_measured_at_the_rate_of_this_probe() -> None:
    figure = published("mnist", "bigan", "CLS_e-")
    assert figure is not None and figure.value == 92.63
    assert "epoch 200" in figure.source and float(figure.source.rpartition("rate ")[2]) == LEARNING_RATE


def test_probe_leaves_the_model_bit_identical_and_repeats_itself(model: BiGAN) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training, held_out = bars(300, seed=1), bars(200, seed=2)
    first, second = (linear_probe_accuracy(model, *training, *held_out, num_batches=10, seed=7) for _ in range(2))
    assert first == second
    assert not model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
