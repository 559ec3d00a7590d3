"""What D says of pairs beside those it was trained on, and what remains of an image sent round again and again.

Shapes: C H W image, Z latent components, T rounds, N = T + 1 images.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from bigan.models.bigan import BiGAN

NUM_STEPS = 12
MAX_STEPS = 1000
INVISIBLE = 0.5 / 255  # root mean square over pixels; rounding to 8 bits hides what is less

Wish = Literal["higher", "lower"]

# D's loss raises encoder pairs and lowers generator pairs; that of E and G has the labels swapped: (D, others) each
WISHES: Final[tuple[tuple[Wish | None, Wish | None], ...]] = (
    ("higher", "lower"),
    (None, None),
    ("lower", "higher"),
    ("lower", "higher"),
)


@dataclass(frozen=True)
class Pair:
    """An image with a latent, and D's opinion of them."""

    name: str
    image: Float[Tensor, "C H W"]
    latent: Float[Tensor, " Z"]
    logit: float
    """Positive where D takes it for an encoder pair."""
    discriminator_wants: Wish | None
    """Where the training moves D's logit by D's weights; None where its losses have no such pair."""
    others_want: Wish | None
    """Where it moves the same logit by the weights of E and G."""


@dataclass(frozen=True)
class PairTable:
    """The four pairings that explain the training."""

    encoder_pair: Pair
    """(x, E(x))."""
    random_pair: Pair
    """(x, z): an image with a latent that is not its own. No loss has it: what D says of it, it inferred."""
    generator_pair: Pair
    """(G(z), z)."""
    reconstruction_pair: Pair
    """(G(E(x)), E(x)): a generator pair at z = E(x), as likely a one to train on as the prior makes such a z."""

    def __iter__(self) -> Iterator[Pair]:
        """The four in this order."""
        return iter((self.encoder_pair, self.random_pair, self.generator_pair, self.reconstruction_pair))


def pair_table(model: BiGAN, x: Float[Tensor, "1 C H W"], seed: int) -> PairTable:
    """D's logits of the four pairings of one image and one latent drawn from the prior, on the CPU.

    Args:
        model: of all three networks.
        x: float32 in [0, 1].
        seed: of z, as `model.sample_latents`.

    Raises:
        ValueError: an image that is not of the model's shape.
        bigan.CapabilityError: a model without one of the networks, or with a D that sees images alone.
    """
    _check_one(model, x)
    z = model.sample_latents(1, seed)  # (1, Z)
    e_x = model.encode(x)  # (1, Z)
    g_z, g_e_x = model.generate(torch.cat([z, e_x])).split(1)  # (1, C, H, W) each
    images = torch.cat([x.to(g_z), x.to(g_z), g_z, g_e_x])  # (4, C, H, W)
    latents = torch.cat([e_x, z, z, e_x])  # (4, Z)
    logits = model.score(images, latents).tolist()  # (4,)
    names = ("(x, E(x))", "(x, z)", "(G(z), z)", "(G(E(x)), E(x))")
    return PairTable(
        *(
            Pair(name, image, latent, logit, discriminator_wants=wish, others_want=others)
            for name, image, latent, logit, (wish, others) in zip(
                names, images.cpu(), latents.cpu(), logits, WISHES, strict=True
            )
        )
    )


@dataclass(frozen=True)
class Repeated:
    """An image, what comes back of it, what comes back of that, and so on; on the CPU."""

    images: Float[Tensor, "N C H W"]
    """x first."""
    latents: Float[Tensor, "T Z"]
    """E of each image but the last, which G made the next one of."""
    distances: Float[Tensor, " N"]
    """|x - image|, 0 first."""
    steps: Float[Tensor, " T"]
    """Distance of each image from the next."""

    @property
    def settled_at(self) -> int | None:
        """The first image after which no step can be seen (INVISIBLE), if the last one cannot."""
        limit = INVISIBLE * math.sqrt(self.images[0].numel())
        moving = (self.steps > limit).nonzero()  # (n, 1)
        found = int(moving[-1, 0]) + 1 if len(moving) else 0
        return found if found < len(self.steps) else None


def repeat(model: BiGAN, x: Float[Tensor, "1 C H W"], num_steps: int = NUM_STEPS) -> Repeated:
    """x, G(E(x)), G(E(G(E(x)))), ...: does it settle?

    Args:
        model: with G and E.
        x: float32 in [0, 1].
        num_steps: T, 1 to MAX_STEPS.

    Raises:
        ValueError: an image that is not of the model's shape, or a number out of range.
    """
    _check_one(model, x)
    if not 1 <= num_steps <= MAX_STEPS:
        raise ValueError(f"num_steps is {num_steps}; it must be 1 to {MAX_STEPS:,}.")
    images, latents = [x.to(model.device)], []
    for _ in range(num_steps):
        latents.append(model.encode(images[-1]))  # (1, Z)
        images.append(model.generate(latents[-1]))  # (1, C, H, W)
    found = torch.cat(images).cpu()  # (T + 1, C, H, W)
    flat = found.flatten(1)  # (T + 1, P)
    return Repeated(
        images=found,
        latents=torch.cat(latents).cpu(),
        distances=torch.linalg.vector_norm(flat - flat[0], dim=1),
        steps=torch.linalg.vector_norm(flat.diff(dim=0), dim=1),
    )


def _check_one(model: BiGAN, x: Float[Tensor, "1 C H W"]) -> None:
    if x.shape != (1, *model.config.image_shape):
        raise ValueError(f"The image has the shape {tuple(x.shape)}; it must be {(1, *model.config.image_shape)}.")
