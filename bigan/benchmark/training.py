"""Speed of training: against a plain PyTorch loop, and against the step's own matrix products.

Shapes: N images, B batch, C H W image, P = C H W pixels, H hidden units, Z latent components.
"""

import statistics
import time
from collections.abc import Iterator
from itertools import islice

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from bigan.benchmark import Row, at_least, at_most, take_turns
from bigan.config import RECIPES, ModelConfig, Recipe
from bigan.data import Dataset
from bigan.machine import processor_flags
from bigan.models.bigan import BiGAN
from bigan.training import StepMetrics, TrainingState, launch, train

NUM_IMAGES, NUM_ROUNDS, NUM_STEPS, PRODUCT_SIZE = 60_000, 7, 40, 4096
PRODUCT_REPEATS = 3  # products of that size in each round
HOLDS = {"amx_bf16": 3.0, "avx512_bf16": 2.0}  # processor flag -> times the plain loop's images a second
MAX_OVER_PRODUCTS = 1.5
# What a step is taken apart into: PyTorch's operations by the beginnings of their names
PARTS = {
    "products": ("aten::mm", "aten::addmm", "aten::bmm"),
    "casts": ("aten::copy_",),
    "Adam": ("aten::_fused_adam", "Optimizer.step"),
}


class PlainLoop:
    """Training as one would write it without thinking of speed: stock PyTorch, everything in float32.

    D steps on detached pairs, then E and G step with a second forward pass, one Adam for D and one for both. The
    networks, the losses' values and Adam's settings are ours; the data is indexed from memory as ours is, so that no
    data loader is to blame.
    """

    def __init__(self, recipe: Recipe, images: UInt8[Tensor, "N C H W"]) -> None:
        self.images, self.recipe = images, recipe
        self.model = BiGAN(recipe.model).initialise(recipe.train.seed).train()
        both = [*self.model.generator.parameters(), *self.model.encoder.parameters()]
        self.adam_d, self.adam_ge = self._adam(list(self.model.discriminator.parameters())), self._adam(both)
        self.loss = nn.BCEWithLogitsLoss()
        self.generator = torch.Generator().manual_seed(recipe.train.seed)

    def _adam(self, weights: list[nn.Parameter]) -> torch.optim.Adam:
        config = self.recipe.train
        return torch.optim.Adam(
            weights,
            lr=config.learning_rate,
            betas=config.adam_betas,
            eps=config.adam_eps,
            weight_decay=config.weight_decay,
        )

    def step(self) -> tuple[float, float]:
        """One step of D, then one of E and G; returns both losses."""
        model, size = self.model, self.recipe.train.batch_size
        x = self.images[torch.randint(len(self.images), (size,), generator=self.generator)].float() / 255
        z = torch.rand(size, self.recipe.model.latent_dim, generator=self.generator) * 2 - 1
        real, fake = torch.ones(size), torch.zeros(size)
        with torch.no_grad():
            z_hat, x_fake = model.encoder(x), model.generator(z)
        d_loss = (self.loss(model.discriminator(x, z_hat), real) + self.loss(model.discriminator(x_fake, z), fake)) / 2
        self.adam_d.zero_grad()
        d_loss.backward()
        self.adam_d.step()

        encoder_logits = model.discriminator(x, model.encoder(x))
        generator_logits = model.discriminator(model.generator(z), z)
        ge_loss = (self.loss(encoder_logits, fake) + self.loss(generator_logits, real)) / 2
        self.adam_ge.zero_grad()
        ge_loss.backward()
        self.adam_ge.step()
        return d_loss.item(), ge_loss.item()


def our_steps(recipe: Recipe, images: UInt8[Tensor, "N C H W"]) -> Iterator[StepMetrics]:
    """The steps of `bigan.training` on the CPU, without end for as long as a benchmark runs."""
    fabric = launch(recipe.train, devices=1, accelerator="cpu")
    labels = torch.zeros(len(images), dtype=torch.int64)
    data = Dataset(recipe.model.dataset, images, labels, class_names=("none",))
    return train(TrainingState(recipe), data, fabric)


def training(
    recipe: Recipe = RECIPES["mnist"],
    num_images: int = NUM_IMAGES,
    num_rounds: int = NUM_ROUNDS,
    num_steps: int = NUM_STEPS,
) -> Row:
    """Images a second of our loop over those of the plain loop, on random images, taking turns."""
    images = random_images(recipe.model, num_images)
    ours, plain = our_steps(recipe, images), PlainLoop(recipe, images)

    def our_turn() -> None:
        assert len(list(islice(ours, num_steps))) == num_steps

    def plain_turn() -> None:
        for _ in range(num_steps):
            plain.step()

    our_seconds, plain_seconds = take_turns(num_rounds, our_turn, plain_turn)
    ratio = statistics.median(b / a for a, b in zip(our_seconds, plain_seconds, strict=True))
    num_used = num_steps * recipe.train.batch_size
    rates = [num_used / statistics.median(seconds) for seconds in (our_seconds, plain_seconds)]
    note = f"{rates[0]:,.0f} against {rates[1]:,.0f} images/s, {torch.get_num_threads()} threads"
    flag = next((flag for flag in HOLDS if flag in processor_flags()), None)
    if flag is None:
        return Row("training", ratio, "times", note=f"{note}; this processor has no bfloat16 products, nothing to hold")
    return at_least("training", ratio, "times", HOLDS[flag], f"{note}, {flag}")


def matrix_products(
    recipe: Recipe = RECIPES["mnist"],
    num_images: int = NUM_IMAGES,
    num_rounds: int = NUM_ROUNDS,
    num_steps: int = NUM_STEPS,
    product_size: int = PRODUCT_SIZE,
) -> Row:
    """Time of our step over that of its matrix products at the speed measured for one large product, taking turns.

    The note says what the step consists of, by PyTorch's profiler, which itself takes some of the time.
    """
    ours = our_steps(recipe, random_images(recipe.model, num_images))
    dtype = torch.bfloat16 if recipe.train.precision == "bf16" else torch.float32
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(product_size, product_size, generator=generator).to(dtype) for _ in range(2))
    product = torch.empty_like(left)
    peaks = []

    def our_turn() -> None:
        assert len(list(islice(ours, num_steps))) == num_steps

    def peak_turn() -> None:
        for _ in range(PRODUCT_REPEATS):
            started = time.perf_counter()
            torch.mm(left, right, out=product)
            peaks.append(2 * product_size**3 / (time.perf_counter() - started))

    our_seconds, _ = take_turns(num_rounds, our_turn, peak_turn)
    step_seconds, peak = statistics.median(our_seconds) / num_steps, max(peaks)
    work = step_flops(recipe.model, recipe.train.batch_size)
    note = f"{1e3 * step_seconds:.1f} ms a step for {work / 1e9:.2f} GFLOP at {peak / 1e9:.0f} GFLOP/s"
    note += f"; profiled: {_parts(ours, num_steps)}"
    return at_most("matrix-products", step_seconds * peak / work, "times", MAX_OVER_PRODUCTS, note)


def _parts(steps: Iterator[StepMetrics], num_steps: int) -> str:
    """Milliseconds of a step that each of `PARTS` takes, and all else."""
    with profile(activities=[ProfilerActivity.CPU]) as found:
        assert len(list(islice(steps, num_steps))) == num_steps
    events = [(one.key, one.self_cpu_time_total / 1e3 / num_steps) for one in found.key_averages()]
    spent = {part: sum(ms for key, ms in events if key.startswith(keys)) for part, keys in PARTS.items()}
    spent["the rest"] = sum(ms for _, ms in events) - sum(spent.values())
    return ", ".join(f"{part} {ms:.1f} ms" for part, ms in spent.items())


def step_flops(config: ModelConfig, batch_size: int) -> int:
    """Operations of exactly those matrix products that a simultaneous step needs, two for each weight and image.

    With L hidden layers, the matrices of the networks are
        E: P H, L - 1 of H H, H Z          G: Z H, L - 1 of (H H + Z H), H P          D: P H, L - 1 of (H H + Z H), H.
    Forward: E and G once, D twice (encoder pairs, generator pairs).
    D's loss, for both kinds of pair: gradients of all D's matrices; through its output and its L - 1 products H H.
    Loss of E and G, through D: for encoder pairs down to z = E(x) (output, L - 1 of Z H, L - 2 of H H: the first
    hidden layer sees only x); for generator pairs down to x = G(z) (output, L - 1 of H H, P H). Batch norm ties the
    images of a batch together, so D's own backward pass cannot be used again.
    E and G: gradients of all their matrices, and through all but their first layers (in G without those of z).
    """
    pixels, hidden, latent, more = config.num_pixels, config.hidden_dim, config.latent_dim, config.num_hidden_layers - 1
    square, inject = hidden * hidden, latent * hidden
    encoder = pixels * hidden + more * square + hidden * latent
    generator = inject + more * (square + inject) + hidden * pixels
    discriminator = pixels * hidden + more * (square + inject) + hidden
    forward = encoder + generator + 2 * discriminator
    through_d = more * square + hidden
    backward_d = 2 * (discriminator + through_d)
    to_latent = hidden + more * inject + (more - 1) * square
    to_image = through_d + pixels * hidden
    backward_e = encoder + hidden * latent + more * square
    backward_g = generator + hidden * pixels + more * square
    return 2 * batch_size * (forward + backward_d + to_latent + to_image + backward_e + backward_g)


def random_images(config: ModelConfig, num_images: int) -> UInt8[Tensor, "N C H W"]:
    """Pixels that are all equally likely, of the model's shape."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (num_images, *config.image_shape), dtype=torch.uint8, generator=generator)
