"""Two gloo processes on this machine, started by torchrun: equal weights, and the same training as in one process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bigan.config import ModelConfig, Recipe, TrainConfig
from bigan.data import Dataset
from bigan.training import TrainingState, launch, train

TESTS = Path(__file__).parent
NUM_IMAGES, BATCH_SIZE, NUM_EPOCHS = 56, 16, 3
NUM_STEPS = {"simultaneous": 4, "alternating": 2}  # of an epoch: 56 images are 3.5 batches, and 1.2 times 3
NUM_BATCHES = {"simultaneous": 1, "alternating": 3}  # of a step
CASES: list[tuple[Literal["simultaneous", "alternating"], bool]] = [
    ("simultaneous", True),
    ("simultaneous", False),
    ("alternating", True),
    ("alternating", False),
]

Results = dict[str, Tensor]


def numbered_images() -> Dataset:
    """Images whose first pixel is their number."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (NUM_IMAGES, 1, 5, 4), generator=generator, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(NUM_IMAGES)
    return Dataset("toy", images, torch.zeros(NUM_IMAGES, dtype=torch.int64), ("image",))


def train_and_write(
    folder: Path, schedule: Literal["simultaneous", "alternating"], batch_norm: bool, num_processes: int
) -> None:
    """Train for some epochs, and write the state, the numbers of the images and the latents that this process saw."""
    model = ModelConfig(image_shape=(1, 5, 4), latent_dim=3, hidden_dim=8, batch_norm=batch_norm)
    config = TrainConfig(
        epochs=NUM_EPOCHS, decay_epochs=0, batch_size=BATCH_SIZE, learning_rate=0.01, adam_eps=1e-4, precision="fp32",
        schedule=schedule, discriminator_steps=NUM_BATCHES[schedule] - 1 or 1,
    )  # fmt: skip
    fabric = launch(config, accelerator="cpu")  # under torchrun its processes are used
    assert fabric.world_size == num_processes
    state = TrainingState(Recipe(model, config))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # a fresh D is zero at its output and would pass no gradients on
        for weight in state.model.parameters():
            weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
    numbers: list[Tensor] = []
    latents: list[Tensor] = []
    state.model.encoder.hidden[0].register_forward_pre_hook(
        lambda _, inputs: numbers.append((inputs[0][:, 0] * 255).round().long())
    )
    state.model.generator.register_forward_pre_hook(lambda _, inputs: latents.append(inputs[0].clone()))
    steps = list(train(state, numbered_images(), fabric))
    assert {step.num_images for step in steps} == {BATCH_SIZE * NUM_BATCHES[schedule]}
    seen = {"seen.numbers": torch.stack(numbers), "seen.latents": torch.stack(latents)}  # (batches, B), (batches, B, Z)
    name = f"{schedule}-{batch_norm}-{fabric.global_rank}-of-{num_processes}.safetensors"
    save_file(state.tensors() | seen, folder / name)


def results(folder: Path, schedule: str, batch_norm: bool) -> tuple[Results, Results]:
    """What the two processes wrote."""
    first, second = (folder / f"{schedule}-{batch_norm}-{rank}-of-2.safetensors" for rank in (0, 1))
    return load_file(first), load_file(second)


def learnt(result: Results) -> Results:
    """Weights and moments alone."""
    return {name: tensor for name, tensor in result.items() if not name.startswith("seen.")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All cases, trained by two processes."""
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "worker.py").write_text(
        "import warnings\n"
        "warnings.simplefilter('error')\n"
        "from pathlib import Path\n"
        "from test_distributed import CASES, train_and_write\n"
        "for schedule, batch_norm in CASES:\n"
        f"    train_and_write(Path({str(folder)!r}), schedule, batch_norm, 2)\n"
        "from bigan.training import leave\n"
        "leave()\n"
    )
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = subprocess.run(
        [*torchrun, str(folder / "worker.py")],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.parametrize(("schedule", "batch_norm"), CASES)
def test_two_processes_end_with_bit_identical_weights_and_moments(
    schedule: str, batch_norm: bool, folder: Path
) -> None:
    first, second = map(learnt, results(folder, schedule, batch_norm))
    assert first.keys() == second.keys() and len(first) == 4 * 11  # 11 matrices, each with two moments and a count
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.mark.parametrize(("schedule", "batch_norm"), CASES)
def test_the_processes_share_every_batch_without_a_common_image_or_latent(
    schedule: Literal["simultaneous", "alternating"], batch_norm: bool, folder: Path
) -> None:
    first, second = results(folder, schedule, batch_norm)
    num_batches = NUM_EPOCHS * NUM_STEPS[schedule] * NUM_BATCHES[schedule]
    assert first["seen.numbers"].shape == second["seen.numbers"].shape == (num_batches, BATCH_SIZE // 2)
    together = torch.cat([first["seen.numbers"], second["seen.numbers"]], 1)  # (batches, B)
    assert all(len(batch.unique()) == BATCH_SIZE for batch in together)
    assert len(torch.cat([first["seen.latents"], second["seen.latents"]]).flatten(0, 1).unique(dim=0)) == (
        num_batches * BATCH_SIZE
    )
    for epoch in together.chunk(NUM_EPOCHS):
        assert set(epoch.flatten().tolist()) == set(range(NUM_IMAGES))


@pytest.mark.parametrize("schedule", ["simultaneous", "alternating"])
def test_without_batch_norm_two_processes_agree_with_one(
    schedule: Literal["simultaneous", "alternating"], folder: Path, tmp_path: Path
) -> None:
    train_and_write(tmp_path, schedule, batch_norm=False, num_processes=1)
    alone = load_file(tmp_path / f"{schedule}-False-0-of-1.safetensors")
    first, second = results(folder, schedule, batch_norm=False)
    for name in ("seen.numbers", "seen.latents"):
        whole = torch.stack([first[name], second[name]], 2).flatten(1, 2)  # one image in two to each process
        assert torch.equal(whole, alone[name]), name
    for name, tensor in learnt(alone).items():
        torch.testing.assert_close(first[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


def test_with_batch_norm_each_process_normalises_by_its_own_half(folder: Path, tmp_path: Path) -> None:
    train_and_write(tmp_path, "simultaneous", batch_norm=True, num_processes=1)
    alone = load_file(tmp_path / "simultaneous-True-0-of-1.safetensors")
    first, _ = results(folder, "simultaneous", batch_norm=True)
    name = "model.encoder.hidden.1.linear.weight"
    assert not torch.allclose(first[name], alone[name], rtol=1e-2)
