"""What to build and how to train it: frozen dataclasses, JSON in and out, and the named recipes."""

import dataclasses
import itertools
import math
import reprlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args, no_type_check

Prior = Literal["uniform", "normal"]
ObjectiveName = Literal[
    "label-swapped",
    "minimax",
    "gan",
    "latent-regressor",
    "latent-regressor-after",
    "joint-latent-regressor",
    "autoencoder-l2",
    "autoencoder-l1",
    "supervised",
]
Network = Literal["generator", "encoder", "discriminator"]
Sight = Literal["pair", "image"]
Verb = Literal["generate", "encode", "score"]
Schedule = Literal["simultaneous", "alternating"]
Precision = Literal["bf16", "fp32"]
Split = Literal["test", "validation"]

NETWORKS: tuple[Network, ...] = get_args(Network)
VERBS: dict[Verb, Network] = {"generate": "generator", "encode": "encoder", "score": "discriminator"}

# Loading a checkpoint allocates what its config asks for, so the sizes are bounded. The limits are ours: some
# ten times the largest model of the paper.
MAX_LATENT_DIM = 4096
MAX_HIDDEN_DIM = 16384
MAX_HIDDEN_LAYERS = 16
MAX_PIXELS = 3 * 256 * 256
MAX_PARAMETERS = 500_000_000
MAX_SEED = 2**32 - 1  # the largest that numpy and scikit-learn take too


def _check(condition: bool, name: str, value: object, allowed: str) -> None:
    if not condition:
        raise ValueError(f"{name} is {reprlib.repr(value)}; it must be {allowed}.")


def _check_whole(name: str, value: object, low: int, high: int | None = None) -> None:
    allowed = f"a whole number, {low} or more" if high is None else f"a whole number from {low} to {high}"
    _check(type(value) is int and low <= value and (high is None or value <= high), name, value, allowed)


def _check_number(name: str, value: object, condition: Callable[[float], bool], allowed: str) -> None:
    """A finite number that meets the condition; neither a string nor a truth value from someone's JSON."""
    number = type(value) in (int, float) and abs(value) <= sys.float_info.max  # type: ignore[arg-type]
    _check(number and condition(value), name, value, allowed)  # type: ignore[arg-type]


def _subsets(names: tuple[Network, ...]) -> list[tuple[Network, ...]]:
    """All choices of one or more of the names, each in their order."""
    return [chosen for count in range(1, len(names) + 1) for chosen in itertools.combinations(names, count)]


# Not typing.Self: the shape checker of the tests decorates methods one by one and cannot resolve it.
_Config = TypeVar("_Config", bound="_Json")


class _Json:
    """Dictionaries of plain JSON values, to and from a frozen dataclass."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values (tuples become lists)."""
        fields = dataclasses.asdict(self)  # type: ignore[call-overload]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}

    @classmethod
    def from_dict(cls: type[_Config], values: dict[str, Any]) -> _Config:
        """The dataclass these values describe; unknown names raise ValueError."""
        known = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if unknown := sorted(set(values) - known):
            raise ValueError(f"Unknown setting {unknown[0]!r}; {cls.__name__} has {', '.join(sorted(known))}.")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


@dataclass(frozen=True)
class ModelConfig(_Json):
    """Enough to rebuild the networks. The defaults are the paper's permutation-invariant MNIST model (section 4.2)."""

    dataset: str = "mnist"
    """Name of the data it was trained on (see bigan.data), for class names and words."""
    image_shape: tuple[int, int, int] = (1, 28, 28)
    """(channels, height, width) of x."""
    latent_dim: int = 50
    """Number of components of z."""
    prior: Prior = "uniform"
    """pZ: "uniform" is U(-1, 1)^d, "normal" is N(0, I)."""
    architecture: Literal["mlp"] = "mlp"
    """Family of networks (bigan.models)."""
    hidden_dim: int = 1024
    """Units of each hidden layer."""
    num_hidden_layers: int = 2
    """Hidden layers of each network; at least 2, since D sees z from the second on."""
    batch_norm: bool = True
    """Batch normalisation where the paper has it; off, an update depends on its batch only through a mean."""
    networks: tuple[Network, ...] = NETWORKS
    """Which of the three there are: a GAN has no encoder, an autoencoder no discriminator."""
    discriminator_sees: Sight = "pair"
    """What D judges: (x, z), or x alone as in a GAN."""

    def __post_init__(self) -> None:
        """Check every field, so that nothing is allocated for an impossible config."""
        shape = self.image_shape
        _check(isinstance(self.dataset, str) and self.dataset != "", "dataset", self.dataset, "a name")
        sizes = isinstance(shape, tuple) and len(shape) == 3 and all(type(n) is int and n >= 1 for n in shape)
        _check(sizes, "image_shape", shape, "(channels, height, width), three positive whole numbers")
        _check(math.prod(shape) <= MAX_PIXELS, "image_shape", shape, f"at most {MAX_PIXELS} values in all")
        _check_whole("latent_dim", self.latent_dim, 1, MAX_LATENT_DIM)
        _check(self.prior in ("uniform", "normal"), "prior", self.prior, "'uniform' or 'normal'")
        _check(self.architecture == "mlp", "architecture", self.architecture, "'mlp'")
        _check_whole("hidden_dim", self.hidden_dim, 1, MAX_HIDDEN_DIM)
        _check_whole("num_hidden_layers", self.num_hidden_layers, 2, MAX_HIDDEN_LAYERS)
        _check(isinstance(self.batch_norm, bool), "batch_norm", self.batch_norm, "true or false")
        order = isinstance(self.networks, tuple) and self.networks in _subsets(NETWORKS)
        _check(order, "networks", self.networks, f"one or more of {', '.join(NETWORKS)}, in this order")
        sight = self.discriminator_sees
        _check(sight in get_args(Sight), "discriminator_sees", sight, "'pair' or 'image'")
        total = self.num_parameters
        _check(total <= MAX_PARAMETERS, "the number of weights", total, f"at most {MAX_PARAMETERS}")

    @property
    def num_pixels(self) -> int:
        """Values of one image: channels x height x width."""
        return math.prod(self.image_shape)

    @property
    def num_parameters(self) -> int:
        """Weights of its networks together."""
        n, z_dim, more = self.hidden_dim, self.latent_dim, self.num_hidden_layers - 1
        common = n * self.num_pixels + more * n * n
        # z comes out of E and into G, and is injected into every later hidden layer of G and of a D of pairs
        own = {
            "generator": n * z_dim * (1 + more),
            "encoder": n * z_dim,
            "discriminator": n + n * z_dim * more * (self.discriminator_sees == "pair"),
        }
        return sum(common + own[name] for name in self.networks)

    @property
    def is_bigan(self) -> bool:
        """Whether it has all three networks and a D of pairs; a rival of the paper's Table 1 has not."""
        return self.shortcoming(*VERBS) is None

    def shortcoming(self, *verbs: Verb) -> str | None:
        """Why a model of this config cannot do all of these, in one sentence; None where it can."""
        if missing := [VERBS[verb] for verb in verbs if VERBS[verb] not in self.networks]:
            there = [f"{'an' if name == 'encoder' else 'a'} {name}" for name in self.networks]
            return f"This model has no {' and no '.join(missing)}; it has {' and '.join(there)}."
        if "score" in verbs and self.discriminator_sees == "image":
            return "This model's discriminator sees images alone; it has no opinion of pairs."
        return None


@dataclass(frozen=True)
class TrainConfig(_Json):
    """How to train. The defaults are the official code's train_mnist.sh."""

    split: Split = "test"
    """"test" trains on the whole training set, "validation" leaves its last sixth (10,000 of 60,000) out."""
    epochs: int = 200
    """Epochs at the constant learning rate."""
    decay_epochs: int = 200
    """Epochs after those, in which the learning rate decays exponentially."""
    batch_size: int = 128
    """Images per step, over all processes."""
    learning_rate: float = 2e-4
    """Adam's step size."""
    final_learning_rate_factor: float = 0.01
    """The learning rate of the last epoch, relative to the first."""
    adam_betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay rates."""
    adam_eps: float = 1e-8
    """Adam's epsilon."""
    weight_decay: float = 2.5e-5
    """L2 penalty, added to the gradient of every weight (coupled, as in Adam without the W)."""
    objective: ObjectiveName = "label-swapped"
    """What each network descends (see `bigan.objectives`): for a BiGAN D's loss with the labels swapped, as the
    authors do, or the value of equation 3; or a rival of the paper's Table 1."""
    cycle_weight: float = 0.0
    """Weight of |x - G(E(x))|^2 in the loss of a BiGAN's G and E."""
    blind_weight: float = 0.0
    """Weight of a BiGAN's consistency and information terms in the loss of its E (`bigan.objectives.consistency`)."""
    start: str | None = None
    """A checkpoint whose networks to begin with, in place of fresh ones."""
    schedule: Schedule = "simultaneous"
    """All networks from one batch at the old weights, or D first and then the others, on fresh batches."""
    discriminator_steps: int = 1
    """Steps of D before each step of the others; more than one only in the alternating schedule."""
    precision: Precision = "bf16"
    """Matrix products in bfloat16 or float32. Everything else is float32 in both."""
    seed: int = 42
    """Seed of the initial weights, the order of the images and the latents."""

    def __post_init__(self) -> None:
        """Check every field."""
        _check(self.split in ("test", "validation"), "split", self.split, "'test' or 'validation'")
        _check_whole("epochs", self.epochs, 0)
        _check_whole("decay_epochs", self.decay_epochs, 0)
        _check_whole("batch_size", self.batch_size, 2)  # batch norm needs two
        _check_number("learning_rate", self.learning_rate, lambda rate: rate > 0, "a positive number")
        factor = self.final_learning_rate_factor
        _check_number("final_learning_rate_factor", factor, lambda f: 0 < f <= 1, "a number above 0 and at most 1")
        pair = isinstance(self.adam_betas, tuple) and len(self.adam_betas) == 2
        _check(pair, "adam_betas", self.adam_betas, "two numbers")
        for beta in self.adam_betas:
            _check_number("adam_betas", beta, lambda b: 0 <= b < 1, "numbers from 0 to below 1")
        _check_number("adam_eps", self.adam_eps, lambda eps: eps > 0, "a positive number")
        _check_number("weight_decay", self.weight_decay, lambda decay: decay >= 0, "a number, 0 or more")
        objectives = get_args(ObjectiveName)
        _check(self.objective in objectives, "objective", self.objective, f"one of {', '.join(objectives)}")
        for name in ("cycle_weight", "blind_weight"):
            weight = getattr(self, name)
            _check_number(name, weight, lambda weight: weight >= 0, "a number, 0 or more")
            of_pairs = weight == 0 or self.objective in ("label-swapped", "minimax")
            _check(of_pairs, name, weight, f"0 for the objective {self.objective!r}")
        _check(self.start is None or isinstance(self.start, str), "start", self.start, "the name of a checkpoint")
        schedules = ("simultaneous", "alternating")
        _check(self.schedule in schedules, "schedule", self.schedule, "'simultaneous' or 'alternating'")
        _check_whole("discriminator_steps", self.discriminator_steps, 1)
        one = self.schedule == "alternating" or self.discriminator_steps == 1
        _check(one, "discriminator_steps", self.discriminator_steps, "1 in the simultaneous schedule")
        _check(self.precision in ("bf16", "fp32"), "precision", self.precision, "'bf16' or 'fp32'")
        _check_whole("seed", self.seed, 0, MAX_SEED)

    @property
    def total_epochs(self) -> int:
        """Epochs of both phases."""
        return self.epochs + self.decay_epochs

    def learning_rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0.

        Source: official code, train_gan.py:812-831: exp(ln lr + ((epoch - epochs + 1) / decay_epochs) ln factor).
        """
        progress = max(0, epoch - self.epochs + 1) / max(1, self.decay_epochs)
        return self.learning_rate * self.final_learning_rate_factor**progress


# A value of the wrong type is a person's mistake too, and `__post_init__` reports it: the tests' type checker is not
# to answer first.
no_type_check(ModelConfig.__init__)
no_type_check(TrainConfig.__init__)


@dataclass(frozen=True)
class Recipe:
    """A named model: its networks and its training."""

    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


# The rivals of the paper's Table 1: the same networks, as far as they have them, and the same optimiser.
_GAN = ModelConfig(networks=("generator", "discriminator"), discriminator_sees="image")
_REGRESSOR = ModelConfig(discriminator_sees="image")
_AUTOENCODER = ModelConfig(networks=("generator", "encoder"))

RECIPES = {
    "mnist": Recipe(),
    "fashion-mnist": Recipe(ModelConfig(dataset="fashion-mnist")),
    "mnist-gan": Recipe(_GAN, TrainConfig(objective="gan")),
    "mnist-lr": Recipe(_REGRESSOR, TrainConfig(objective="latent-regressor")),
    "mnist-lr-after": Recipe(_AUTOENCODER, TrainConfig(objective="latent-regressor-after", start="mnist-gan")),
    "mnist-jlr": Recipe(_REGRESSOR, TrainConfig(objective="joint-latent-regressor")),
    "mnist-ae-l2": Recipe(_AUTOENCODER, TrainConfig(objective="autoencoder-l2")),
    "mnist-ae-l1": Recipe(_AUTOENCODER, TrainConfig(objective="autoencoder-l1")),
    "mnist-supervised": Recipe(
        ModelConfig(networks=("encoder",), latent_dim=10, prior="normal"), TrainConfig(objective="supervised")
    ),
    # A BiGAN of ours, with what was learnt since; the weights were chosen on `validation` (results/attempts.md).
    "mnist-best": Recipe(
        train=TrainConfig(
            epochs=50, decay_epochs=50, batch_size=256, learning_rate=1e-3, cycle_weight=0.2, blind_weight=10.0
        )
    ),
    # For trying things out: one core trains it on the shipped gallery in under a minute.
    "tiny": Recipe(
        ModelConfig(latent_dim=10, hidden_dim=128),
        TrainConfig(epochs=40, decay_epochs=40, batch_size=100, learning_rate=1e-3),
    ),
}
