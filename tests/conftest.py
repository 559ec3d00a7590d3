"""Fixtures that many tests share: one tiny model, its checkpoint, and a machine without a network."""

import contextlib
import dataclasses
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from toys import TRAIN, toy_data

from bigan import checkpoint
from bigan.benchmark.browser import find_chromium
from bigan.config import RECIPES
from bigan.data import Dataset
from bigan.evaluation.report import weights_sha256
from bigan.explore.gallery import Gallery, save_gallery
from bigan.explore.projection import SPACES, Projection, SpaceMap, save_projection
from bigan.models.bigan import BiGAN
from bigan.training import launch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

NUM_BATCHES, BATCH_SIZE = 8, 64  # that the batch-norm statistics of the tiny model are averaged over


@pytest.fixture(scope="session")
def tiny_model() -> BiGAN:
    """An untrained model of the "tiny" recipe, in eval mode and frozen. Shared by all tests: never change it."""
    config = RECIPES["tiny"].model
    model = BiGAN(config)
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():  # unlike a fresh model, one whose D and E have something to say
            weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
        model.train()
        for _ in range(NUM_BATCHES):
            x = torch.rand(BATCH_SIZE, *config.image_shape, generator=generator)
            z = torch.rand(BATCH_SIZE, config.latent_dim, generator=generator) * 2 - 1
            model.discriminator(x, model.encoder(x))
            model.discriminator(model.generator(z), z)
    return model.eval().requires_grad_(False)


@pytest.fixture(params=["uniform", "normal"])
def either_model(tiny_model: BiGAN, request: pytest.FixtureRequest) -> BiGAN:
    """The tiny model, and one with its weights and a normal prior."""
    model = BiGAN(dataclasses.replace(tiny_model.config, prior=request.param))
    model.load_state_dict(tiny_model.state_dict())
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_model: BiGAN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model, as a checkpoint called "tiny". Shared by all tests: copy it to change it."""
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    checkpoint.save(tiny_model, folder)
    return folder


@pytest.fixture(scope="session")
def mapped_checkpoint(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with a gallery of 60 images, "square-00" to "square-59", and maps of it that UMAP never saw.

    An image of class k is a bright square in one of ten places with some noise, and its class is one cluster on every
    map. Shared by all tests: copy it to change it.
    """
    folder = tmp_path_factory.mktemp("mapped") / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(60) % 10
    images = torch.randint(0, 60, (60, 1, 28, 28), generator=generator, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        top, left = 2 + 12 * (label // 5), 1 + 5 * (label % 5)
        image[0, top : top + 10, left : left + 5] = 255
    gallery = Gallery(images, labels, tuple(f"square-{i:02d}" for i in range(60)), tuple("0123456789"), "squares")
    save_gallery(gallery, folder)
    angles = labels * 2 * torch.pi / 10
    centres = torch.stack([4 * angles.cos() + 7, 2 * angles.sin() - 3], dim=1)  # (60, 2)
    maps: dict[str, SpaceMap] = {}
    for space in SPACES:
        coordinates = centres + 0.2 * torch.randn(60, 2, generator=generator)
        maps[space] = SpaceMap(space, coordinates, {"method": "none"}, 0.9, 0.8, 0.95)
    save_projection(Projection(gallery.ids, maps, weights_sha256(checkpoint.load(folder))), folder)
    return folder


@pytest.fixture(scope="session")
def fabric() -> "Fabric":
    """One process on the CPU, everything in float32."""
    return launch(TRAIN, devices=1, accelerator="cpu")


@pytest.fixture(scope="session")
def data() -> Dataset:
    """Fifty images of three classes."""
    return toy_data()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium or Chrome; the tests that need one are skipped, and say so loudly, where there is none."""
    path = find_chromium()
    if path is None:
        message = "NO CHROMIUM OR CHROME WAS FOUND: the browser tests do not run (Debian: apt install chromium)."
        print(f"\n{message}", file=sys.__stderr__)
        pytest.skip(message)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take the network away, this machine's own addresses excepted. Holds the hosts that were asked for."""
    asked: list[str] = []

    def refuse(host: object) -> None:
        if str(host) not in ("127.0.0.1", "localhost", "::1"):
            asked.append(str(host))
            raise OSError(f"No network in this test: {host} cannot be reached.")

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        refuse(host)
        return look_up(host, *arguments, **options)

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0])
        connect_socket(self, address)

    look_up, connect_socket = socket.getaddrinfo, socket.socket.connect
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return asked


Refused = Callable[[str], AbstractContextManager[pytest.ExceptionInfo[checkpoint.CheckpointError]]]


@pytest.fixture
def refused() -> Refused:
    """A context in which a CheckpointError must be raised, one sentence that names the given thing."""

    @contextlib.contextmanager
    def context(name: str) -> Iterator[pytest.ExceptionInfo[checkpoint.CheckpointError]]:
        with pytest.raises(checkpoint.CheckpointError) as caught:
            yield caught
        message = str(caught.value)
        assert name in message
        assert message.endswith(".") and ". " not in message and "\n" not in message, message
        assert len(message) < 900

    return context
