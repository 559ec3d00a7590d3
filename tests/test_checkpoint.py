"""A checkpoint folder comes back as the model it was, and nothing else passes for one."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import bigan
from bigan import checkpoint
from bigan.checkpoint import CheckpointError
from bigan.config import RECIPES, ModelConfig
from bigan.models.bigan import BiGAN
from bigan.records import NEEDED_SETTINGS

Refused = Callable[[str], AbstractContextManager[pytest.ExceptionInfo[CheckpointError]]]
CONFIG = RECIPES["tiny"].model
VARIANCE = "generator.hidden.0.norm.running_var"
WEIGHT = "generator.output.weight"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, to be changed."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "places" / "copy"))


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in which alone names are looked for."""
    (tmp_path / "places").mkdir(exist_ok=True)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path / "places"])
    return tmp_path / "places"


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


# Round trips


def assert_same_model(one: BiGAN, other: BiGAN) -> None:
    z = one.sample_latents(5, seed=1)
    x = one.generate(z)
    assert torch.equal(x, other.generate(z))
    assert torch.equal(one.encode(x), other.encode(x))
    assert torch.equal(one.score(x, z), other.score(x, z))


def test_checkpoints_are_looked_through_again_without_building_their_networks(
    folder: Path, only_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checkpoint.list_checkpoints() == [folder.name]

    def again(config: ModelConfig) -> BiGAN:
        raise AssertionError(f"{config} is built a second time.")

    monkeypatch.setattr(checkpoint, "skeleton", again)
    assert checkpoint.list_checkpoints() == [folder.name]
    (only_here / folder.name / "model.safetensors").write_bytes(b"")
    assert checkpoint.list_checkpoints() == []  # what is remembered is what a config asks for, not what a file has


def test_float32_checkpoint_gives_the_same_images(tiny_model: BiGAN, tmp_path: Path) -> None:
    checkpoint.save(tiny_model, tmp_path / "exact", dtype=torch.float32)
    assert_same_model(checkpoint.load(tmp_path / "exact"), tiny_model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_checkpoint_gives_nearly_the_same_images(tiny_model: BiGAN, tmp_path: Path, dtype: torch.dtype) -> None:
    checkpoint.save(tiny_model, tmp_path / "half", dtype)
    z = tiny_model.sample_latents(5, seed=1)
    torch.testing.assert_close(
        checkpoint.load(tmp_path / "half").generate(z), tiny_model.generate(z), atol=20 * torch.finfo(dtype).eps, rtol=0
    )


def test_saving_a_loaded_checkpoint_again_loses_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    checkpoint.save(checkpoint.load(tiny_checkpoint), tmp_path / "again")
    assert weights_of(tmp_path / "again") == weights_of(tiny_checkpoint)


def test_saving_twice_gives_the_same_bytes(tiny_model: BiGAN, tiny_checkpoint: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        checkpoint.save(tiny_model, tmp_path / name)
        assert weights_of(tmp_path / name) == weights_of(tiny_checkpoint)
        assert (tmp_path / name / "config.json").read_bytes() == (tiny_checkpoint / "config.json").read_bytes()


def test_shipped_weights_are_half_and_statistics_are_not(tiny_checkpoint: Path) -> None:
    for name, tensor in safetensors.torch.load_file(tiny_checkpoint / "model.safetensors").items():
        assert tensor.dtype == (torch.float32 if "running" in name else torch.float16), name


def test_loaded_model_is_frozen_float32_and_in_eval_mode(tiny_checkpoint: Path) -> None:
    model = bigan.load(str(tiny_checkpoint))
    assert model.config == CONFIG
    assert not any(module.training for module in model.modules())
    assert not any(weight.requires_grad or weight.dtype != torch.float32 for weight in model.parameters())


def test_config_is_plain_json_of_the_model(tiny_checkpoint: Path) -> None:
    written = json.loads((tiny_checkpoint / "config.json").read_bytes())
    assert ModelConfig.from_dict(written) == CONFIG
    assert written == {name: CONFIG.to_dict()[name] for name in NEEDED_SETTINGS}, "so that older versions read it"


def test_config_says_what_older_versions_do_not_know_of_where_it_matters(tmp_path: Path) -> None:
    config = replace(CONFIG, batch_norm=False, networks=("generator", "discriminator"), discriminator_sees="image")
    checkpoint.save(BiGAN(config).initialise(0), tmp_path / "gan")
    assert json.loads((tmp_path / "gan" / "config.json").read_bytes()) == config.to_dict()


def test_model_without_batch_norm_round_trips(tmp_path: Path) -> None:
    config = ModelConfig(
        dataset="toy", image_shape=(3, 4, 2), latent_dim=2, hidden_dim=8, batch_norm=False, prior="normal"
    )
    model = BiGAN(config).initialise(0).eval()
    checkpoint.save(model, tmp_path / "toy", torch.float32)
    assert_same_model(checkpoint.load(tmp_path / "toy"), model)


def test_hub_mixin_saves_and_loads_without_a_network(tiny_model: BiGAN, tmp_path: Path, no_network: list[str]) -> None:
    tiny_model.save_pretrained(tmp_path / "hub")
    loaded = BiGAN.from_pretrained(str(tmp_path / "hub"))
    assert_same_model(loaded, tiny_model)
    assert not any(weight.requires_grad for weight in loaded.parameters()) and not loaded.training
    assert "library_name: bigan" in (tmp_path / "hub" / "README.md").read_text()
    assert no_network == []


def test_hub_mixin_checks_as_load_does(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(CheckpointError):
        BiGAN.from_pretrained(folder)


def test_hub_id_without_a_network_is_one_sentence(no_network: list[str], tmp_path: Path, refused: Refused) -> None:
    with refused("owner/name"):
        checkpoint.download("owner/name", cache_dir=tmp_path)
    assert set(no_network) == {"huggingface.co"}


def test_hub_cache_may_link_to_its_own_contents(tiny_checkpoint: Path, tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "models--a--b" / "snapshots" / "0123", tmp_path / "models--a--b" / "blobs"
    snapshot.mkdir(parents=True)
    shutil.copytree(tiny_checkpoint, blobs)
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).symlink_to(Path("../../blobs") / name)
    assert checkpoint.load(snapshot).config == CONFIG


def test_threads_sample_as_one_does(tiny_checkpoint: Path) -> None:
    model = checkpoint.load(tiny_checkpoint)

    def look(seed: int) -> torch.Tensor:
        z = model.sample_latents(16, seed)
        x = model.generate(z)
        return torch.cat([x.flatten(1), model.reconstruct(x).flatten(1), model.score(x, z)[:, None]], dim=1)

    serial = [look(seed) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        concurrent = list(pool.map(look, range(40)))
    assert all(map(torch.equal, serial, concurrent))


# Saving


def test_saving_keeps_the_other_files(tiny_model: BiGAN, folder: Path) -> None:
    (folder / "gallery.npz").write_bytes(b"images")
    checkpoint.save(tiny_model, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "gallery.npz", "model.safetensors"]
    assert (folder / "gallery.npz").read_bytes() == b"images"


def test_saving_another_model_replaces_the_config(folder: Path) -> None:
    config = ModelConfig(latent_dim=3, hidden_dim=5)
    checkpoint.save(BiGAN(config).initialise(0), folder)
    assert checkpoint.load(folder).config == config


@pytest.mark.parametrize("existing", [True, False])
def test_kill_between_write_and_rename_leaves_what_was_there(folder: Path, existing: bool) -> None:
    script = f"""
import os, pathlib, signal, sys, torch
from bigan import checkpoint


from pathlib import Path
model = checkpoint.load(Path({str(folder)!r}))
model.generator.output.weight.zero_()
die = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
setattr(Path, {"replace" if existing else "rename"!r}, die)
checkpoint.save(model, Path({str(folder if existing else folder.parent / "fresh")!r}))
"""
    before = weights_of(folder)
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(bigan.__file__).parents[1], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert weights_of(folder) == before
    assert checkpoint.load(folder).config == CONFIG
    assert not (folder.parent / "fresh").exists()


def test_failed_save_leaves_nothing_behind(tiny_model: BiGAN, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("the disk is full")

    before = sorted(path.name for path in folder.iterdir()), weights_of(folder)
    monkeypatch.setattr(os, "fsync", fail)
    for target in (folder, folder.parent / "fresh"):
        with pytest.raises(OSError, match="disk is full"):
            checkpoint.save(tiny_model, target)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert (sorted(path.name for path in folder.iterdir()), weights_of(folder)) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_weights_that_float16_cannot_hold_are_not_saved(tmp_path: Path, value: float) -> None:
    model = BiGAN(CONFIG).initialise(0)
    with torch.no_grad():
        model.generator.output.weight[0, 0] = value
    with pytest.raises(ValueError, match=r"generator\.output\.weight"):
        checkpoint.save(model, tmp_path / "bad")
    assert list(tmp_path.iterdir()) == []


def test_integer_checkpoint_is_refused(tiny_model: BiGAN, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"torch\.int8; it must be one of torch\.float16"):
        checkpoint.save(tiny_model, tmp_path / "bad", torch.int8)


def test_unknown_device_is_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="device is 'gramophone'"):
        checkpoint.load(tiny_checkpoint, "gramophone")


# Names


def test_names_are_looked_up_in_order(tiny_model: BiGAN, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tmp_path / "named"))
    for place, names in {"named": ["a"], "checkpoints": ["a", "b"], ".": ["a", "b", "c"]}.items():
        for name in names:
            checkpoint.save(tiny_model, tmp_path / place / name)
    assert checkpoint.find("a").resolve() == tmp_path / "named" / "a"
    assert checkpoint.find("b").resolve() == tmp_path / "checkpoints" / "b"
    assert checkpoint.find("c").resolve() == tmp_path / "c"
    assert checkpoint.find(Path("a")).resolve() == tmp_path / "a"
    monkeypatch.delenv("BIGAN_CHECKPOINTS")
    assert checkpoint.find("a").resolve() == tmp_path / "checkpoints" / "a"


def test_source_tree_is_the_last_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BIGAN_CHECKPOINTS", raising=False)
    assert checkpoint._places()[-1] == Path(bigan.__file__).parents[1] / "checkpoints"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../..",
        "/",
        "/etc/passwd",
        "no such",
        "no\nsuch",
        "a\0b",
        "x" * 5000,
        "~",
        "a/../b",
        "\u2603",
        "--help",
    ],
)
def test_names_that_are_no_checkpoint_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str], refused: Refused
) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here" / "below")
    with refused(""):
        checkpoint.load(name)
    assert no_network == []


def test_list_has_the_usable_names_with_the_default_first(tiny_model: BiGAN, only_here: Path) -> None:
    for name in ("zebra", "aardvark", "mnist", "broken", "odd name", ".hidden"):
        checkpoint.save(tiny_model, only_here / name)
    (only_here / "broken" / "config.json").unlink()
    (only_here / "README.md").write_text("an index")
    assert bigan.list_checkpoints() == ["mnist", "aardvark", "zebra"]
    problems = {s.name: s.problem for s in checkpoint.summarise_checkpoints() if s.config is None}
    assert list(problems) == ["broken", "odd name"]
    assert "config.json" in str(problems["broken"]) and "renamed" in str(problems["odd name"])


@pytest.mark.usefixtures("only_here")
def test_summary_allocates_no_weights(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BiGAN, "load_state_dict", None)
    (summary,) = checkpoint.summarise_checkpoints()
    assert (summary.name, summary.path, summary.config, summary.problem) == ("copy", folder, CONFIG, None)


# Broken checkpoints


Change = Callable[[Path], object]


def edit_config(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        values = json.loads(path.read_bytes()) | changes
        path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))

    return change


def write(name: str, content: bytes) -> Change:
    return lambda folder: (folder / name).write_bytes(content)


def edit_weights(edit: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load_file(path).items()}
        edit(tensors)
        path.write_bytes(safetensors.torch.save(tensors))

    return change


def edit_bytes(edit: Callable[[bytes], bytes]) -> Change:
    def change(folder: Path) -> None:
        path = folder / "model.safetensors"
        path.write_bytes(edit(path.read_bytes()))

    return change


def link_out(name: str) -> Change:
    def change(folder: Path) -> None:
        outside = folder.parent.parent / "outside"
        (folder / name).rename(outside)
        (folder / name).symlink_to(outside)

    return change


def no_file(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def in_its_place(name: str, make: Callable[[Path], object]) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def long_header(content: bytes) -> bytes:
    size = int.from_bytes(content[:8], "little") + 2**21
    return size.to_bytes(8, "little") + content[8:]


def huge_claim(content: bytes) -> bytes:
    shape = f'"shape":[784,{CONFIG.hidden_dim}]'.encode()
    assert shape in content
    return content.replace(shape, shape.replace(b"784", b"799"), 1)


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def sparse(folder: Path) -> None:
    os.truncate(folder / "model.safetensors", 2**33)


HEADER_BROKEN: dict[str, Change] = {
    "config missing": no_file("config.json"),
    "weights missing": no_file("model.safetensors"),
    "folder empty": empty,
    "config empty": write("config.json", b""),
    "config not JSON": write("config.json", b"latent_dim: 8"),
    "config not UTF-8": write("config.json", b"\xff\xfe\xfa{}"),
    "config a list": write("config.json", b"[1, 2]"),
    "config an empty object": write("config.json", b"{}"),
    "config with NaN": write("config.json", b'{"latent_dim": NaN}'),
    "config nested too deeply": write("config.json", b"[" * 100_000),
    "config with an endless number": write("config.json", b'{"latent_dim": ' + b"9" * 10_000 + b"}"),
    "config too large": write("config.json", b" " * 2**21),
    "config of another library": write("config.json", b'{"model_type": "bert", "hidden_size": 768}'),
    "config with a foreign key": edit_config(zoom=3),
    "config without the prior": edit_config(prior=None),
    "config of a newer version": edit_config(architecture="dcgan"),
    "config with a long unknown architecture": edit_config(architecture="x" * 100_000),
    "config with a prior that is none": edit_config(prior="cauchy"),
    "config with an image_shape that is a number": edit_config(image_shape=28),
    "config with a negative size": edit_config(latent_dim=-8),
    "config with a size that is true": edit_config(latent_dim=True),
    "config beyond all memory": edit_config(hidden_dim=10**12),
    "config with a size too large for the weights": edit_config(hidden_dim=4096),
    "config with line breaks for a data set": edit_config(dataset="mnist\n\n# hostile"),
    "weights of another size": edit_config(latent_dim=9),
    "weights of another depth": edit_config(num_hidden_layers=3),
    "weights without batch norm": edit_config(batch_norm=False),
    "weights empty": write("model.safetensors", b""),
    "weights truncated in the header": edit_bytes(lambda content: content[:100]),
    "weights truncated": edit_bytes(lambda content: content[:-1000]),
    "weights with something after them": edit_bytes(lambda content: content + b"more"),
    "weights with a header too long": edit_bytes(long_header),
    "weights with a header that lies": edit_bytes(huge_claim),
    "weights that are HTML": write("model.safetensors", b"<!DOCTYPE html><html>404 Not Found</html>"),
    "weights a pickle": write("model.safetensors", pickle.dumps({"weight": [1.0] * 100})),
    "weights a PyTorch file": in_its_place("model.safetensors", lambda path: torch.save({"w": torch.ones(3)}, path)),
    "weights too large": sparse,
    "a tensor missing": edit_weights(lambda tensors: tensors.pop(WEIGHT)),
    "a tensor too many": edit_weights(lambda tensors: tensors.update(extra=torch.ones(3))),
    "a tensor transposed": edit_weights(lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT].T.contiguous()})),
    "a tensor of integers": edit_weights(lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT].to(torch.int16)})),
    "a tensor of doubles": edit_weights(lambda tensors: tensors.update({WEIGHT: tensors[WEIGHT].double()})),
    "config a link out of the folder": link_out("config.json"),
    "weights a link out of the folder": link_out("model.safetensors"),
    "weights a link to nowhere": in_its_place("model.safetensors", lambda path: path.symlink_to("nowhere")),
    "weights a link to itself": in_its_place("model.safetensors", lambda path: path.symlink_to(path)),
    "weights a link to a device": in_its_place("model.safetensors", lambda path: path.symlink_to("/dev/zero")),
    "weights a folder": in_its_place("model.safetensors", Path.mkdir),
    "weights a pipe": in_its_place("model.safetensors", os.mkfifo),
    "config a folder": in_its_place("config.json", Path.mkdir),
}
VALUES_BROKEN: dict[str, Change] = {
    "a weight not a number": edit_weights(lambda tensors: tensors[WEIGHT][3].fill_(float("nan"))),
    "a weight infinite": edit_weights(lambda tensors: tensors[WEIGHT][3].fill_(float("inf"))),
    "a variance negative": edit_weights(lambda tensors: tensors[VARIANCE][3].fill_(-1)),
    "a variance zero": edit_weights(lambda tensors: tensors[VARIANCE][3].fill_(0)),
    "a variance not a number": edit_weights(lambda tensors: tensors[VARIANCE][3].fill_(float("nan"))),
}


@pytest.mark.usefixtures("only_here")
@pytest.mark.parametrize("kind", [*HEADER_BROKEN, *VALUES_BROKEN])
def test_broken_checkpoint_is_one_sentence(kind: str, folder: Path, no_network: list[str], refused: Refused) -> None:
    (HEADER_BROKEN | VALUES_BROKEN)[kind](folder)
    with refused(str(folder)) as caught:
        checkpoint.load("copy")
    (summary,) = checkpoint.summarise_checkpoints()
    assert checkpoint.list_checkpoints() == (["copy"] if kind in VALUES_BROKEN else [])
    if kind in HEADER_BROKEN:
        assert summary.config is None and summary.problem == str(caught.value)
    assert no_network == []


def test_newer_architecture_is_called_newer(folder: Path) -> None:
    edit_config(architecture="dcgan")(folder)
    with pytest.raises(CheckpointError, match=r"architecture 'dcgan', which bigan .* does not know.*newer version"):
        checkpoint.load(folder)


def test_folder_with_odd_characters_is_named_in_one_sentence(
    tiny_checkpoint: Path, tmp_path: Path, refused: Refused
) -> None:
    odd = Path(shutil.copytree(tiny_checkpoint, tmp_path / "it's <b>odd</b> \u2603"))
    assert checkpoint.load(odd).config == CONFIG
    (odd / "config.json").write_text("{")
    with refused(odd.name):
        checkpoint.load(odd)
