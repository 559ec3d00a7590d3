"""A BiGAN as a person uses it: generator, encoder and discriminator with one set of verbs.

Shapes: B batch, C H W image, Z latent components, F features.
"""

import dataclasses
import os
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import PyTorchModelHubMixin
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from bigan import latent, preparation
from bigan.config import NETWORKS, VERBS, ModelConfig, Network, Verb
from bigan.models.mlp import Discriminator, Encoder, Generator, initialise

MODEL_CARD = """---
{{ card_data }}
---

# A BiGAN, or a rival that has some of its networks: generator, encoder, discriminator

Load it with `bigan.load`, given this folder or its id on the Hub (library: bigan).
The method: Donahue, Krähenbühl, Darrell, [Adversarial Feature Learning]({{ paper_url }}), ICLR 2017.
"""


class CapabilityError(ValueError, AttributeError):
    """A model was asked for what it has no network for; the message names what it lacks."""


class BiGAN(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="bigan",
    license="mit",
    tags=["bigan", "ali", "gan", "image-generation", "representation-learning"],
    pipeline_tag="unconditional-image-generation",
    paper_url="https://arxiv.org/abs/1605.09782",
    model_card_template=MODEL_CARD,
):
    """G, E and D of one model. From `bigan.load` it is frozen, in eval mode and safe to share between threads.

    Images are float32 in [0, 1], shape (B, C, H, W); latents float32, shape (B, Z). The rivals of the paper's Table 1
    are of this class too, with some of its networks; what needs another one raises CapabilityError, a ValueError.

    Source: Donahue et al. 2017, section 3.
    """

    generator: Generator
    encoder: Encoder
    discriminator: Discriminator

    def __init__(self, config: ModelConfig) -> None:
        """Build the networks with all weights zero: call `initialise` or load weights."""
        super().__init__()
        self.config = config
        for name, network in zip(NETWORKS, (Generator, Encoder, Discriminator), strict=True):
            if name in config.networks:
                self.add_module(name, network(config))

    def __getattr__(self, name: str) -> Any:
        """What `nn.Module` keeps elsewhere: its networks."""
        for verb, network in VERBS.items():
            if name == network and name not in self._modules:
                self.check_can(verb)
        return super().__getattr__(name)

    def check_can(self, *verbs: Verb) -> None:
        """Refuse what it has no network for.

        Raises:
            CapabilityError: a ValueError that names what it lacks.
        """
        if problem := self.config.shortcoming(*verbs):
            raise CapabilityError(problem)

    def initialise(self, seed: int) -> "BiGAN":
        """Draw fresh weights for all its networks from one seed."""
        generator = torch.Generator().manual_seed(seed)
        for name in self.config.networks:
            initialise(getattr(self, name), generator)
        return self

    def with_networks(self, names: tuple[Network, ...]) -> "BiGAN":
        """A model that shares those of this one's networks, and has no others."""
        kept = tuple(name for name in self.config.networks if name in names)
        model = BiGAN(dataclasses.replace(self.config, networks=kept))
        for name in kept:
            model.add_module(name, getattr(self, name))
        return model

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path, *, device: str = "cpu", **options: Any
    ) -> "BiGAN":
        """The model of a checkpoint folder or of the Hub, checked and for use as from `bigan.load`.

        Args:
            pretrained_model_name_or_path: a folder, or an id "owner/name" on the Hub.
            device: where its weights go.
            options: of a download from the Hub (see `checkpoint.download`).

        Raises:
            bigan.CheckpointError: a ValueError that says what was wrong with the checkpoint.
        """
        from bigan import checkpoint  # which imports this module

        name = pretrained_model_name_or_path
        folder = Path(name) if os.path.isdir(name) else checkpoint.download(str(name), **options)
        return checkpoint.read_model(folder, device)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Hook of `save_pretrained`: the weights exactly as they are, in float32."""
        from bigan import checkpoint  # which imports this module

        checkpoint.save(self, save_directory, dtype=torch.float32)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def feature_layers(self) -> tuple[str, ...]:
        """What `features` can return, from pixels' side to the latent: hidden1, ..., penultimate, output, latent.

        A GAN, which has no encoder, has its discriminator's hidden layers only.
        """
        hidden = (*(f"hidden{i}" for i in range(1, self.config.num_hidden_layers)), "penultimate")
        if "encoder" in self.config.networks:
            return (*hidden, "output", "latent")
        return hidden if self._judges_images else ()

    @property
    def _judges_images(self) -> bool:
        return "discriminator" in self.config.networks and self.config.discriminator_sees == "image"

    def sample_latents(self, num_samples: int, seed: int, truncation: float = 1.0) -> Float[Tensor, "B Z"]:
        """Latents from the prior; the same seed gives the same latents, and the first k do not depend on the count.

        Args:
            num_samples: how many, B.
            seed: of this call's own random generator.
            truncation: 1 is the prior itself; t < 1 samples the prior shrunk to its centre (see `latent.sample`).
        """
        shape = (num_samples, self.config.latent_dim)
        return latent.sample(self.config.prior, shape, seed, truncation).to(self.device)

    @torch.inference_mode()
    def generate(self, z: Float[Tensor, "B Z"]) -> Float[Tensor, "B C H W"]:
        """G(z), in [0, 1]."""
        return self.generator(z.to(self.device))

    @torch.inference_mode()
    def encode(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B Z"]:
        """E(x), inside the prior's support."""
        return self.encoder(x.to(self.device))

    @torch.inference_mode()
    def reconstruct(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """G(E(x)), in [0, 1]."""
        return self.generate(self.encode(x))

    @torch.inference_mode()
    def score(self, x: Float[Tensor, "B C H W"], z: Float[Tensor, "B Z"]) -> Float[Tensor, " B"]:
        """D's logit for each pair: positive means "encoder pair" (x, E(x)), negative "generator pair" (G(z), z).

        Raises:
            CapabilityError: it has no discriminator, or one that sees images alone.
        """
        self.check_can("score")
        return self.discriminator(x.to(self.device), z.to(self.device))

    @torch.inference_mode()
    def features(self, x: Float[Tensor, "B C H W"], layer: str = "penultimate") -> Float[Tensor, "B F"]:
        """Encoder activations of one of `feature_layers`; without an encoder, the discriminator's.

        "penultimate" is the last hidden layer (the paper's code: e-, or d for a GAN's D), "output" the raw output
        before the squash (e), "latent" E(x) itself.

        Raises:
            ValueError: no such layer.
            CapabilityError: no network that sees an image alone.
        """
        if not self.feature_layers:
            self.check_can("encode")
        if layer in ("output", "latent"):
            self.check_can("encode")
        if layer not in self.feature_layers:
            raise ValueError(f"No feature layer is called {layer!r}; this model has {', '.join(self.feature_layers)}.")
        network = self.encoder if "encoder" in self.config.networks else self.discriminator
        *hidden, output = network.activations(x.to(self.device))
        named = dict(zip(self.feature_layers, (*hidden, output), strict=False))
        return self.encoder.squash(output) if layer == "latent" else named[layer]

    def prepare(
        self, source: bytes | str | Path | Image.Image, mode: preparation.Preparation | str = "plain"
    ) -> Float[Tensor, "1 C H W"]:
        """A person's picture as this model's input, shape (1, C, H, W), float32 in [0, 1].

        Args:
            source: a file's bytes, its path, or a PIL image.
            mode: "plain" fits and centres the picture; "digit" also prepares it as MNIST was. Both take more settings,
                for example "digit-invert-crop.40.60.50" (see `preparation.Preparation`).

        Raises:
            bigan.ImageError: a ValueError that says what was wrong with the picture.
        """
        return preparation.prepare(source, self.config.image_shape, mode).to(self.device)
