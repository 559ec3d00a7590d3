"""Models with some of the networks: back from disk, doing what they can, and saying in a sentence what they cannot."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from torch import Tensor

import bigan
from bigan import checkpoint, records
from bigan.__main__ import main
from bigan.card import card_text
from bigan.config import NETWORKS, RECIPES, ModelConfig, Recipe
from bigan.data import Dataset
from bigan.evaluation import report
from bigan.evaluation.paper import published
from bigan.explore.gallery import Gallery, save_gallery
from bigan.explore.projection import project
from bigan.explore.reconstruction import index_gallery, reports
from bigan.kinds import RIVALS
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm

ROOT = Path(__file__).parents[1]
SECONDS = 60
SENTENCES = {
    "generate": "This model has no generator; it has an encoder.",
    "encode": "This model has no encoder; it has a generator and a discriminator.",
    "score": "This model has no discriminator; it has a generator and an encoder.",
}


def rival(name: str) -> Recipe:
    """A recipe of ours with small networks for images of MNIST's size, as its checkpoint has them."""
    recipe = RECIPES[name]
    objectives = {"mnist-lr": NETWORKS[:2], "mnist-jlr": NETWORKS[:2]}  # their D is not kept
    networks = objectives.get(name, recipe.model.networks)
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, hidden_dim=16, networks=networks))


def built(config: ModelConfig) -> BiGAN:
    """A model whose every weight says something, ready for use."""
    model, generator = BiGAN(config), torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
    estimate_batch_norm(model, gallery().images, num_batches=8)
    return model.requires_grad_(False)


def gallery() -> Gallery:
    images = torch.randint(0, 256, (60, 1, 28, 28), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    ids = tuple(f"noise-{index:02d}" for index in range(60))
    return Gallery(images, torch.arange(60) % 10, ids, tuple("0123456789"), "noise")


def inputs(model: BiGAN) -> tuple[Tensor, Tensor]:
    x = torch.rand(4, *model.config.image_shape, generator=torch.Generator().manual_seed(0))
    return x, model.sample_latents(4, seed=1)


GAN, AUTOENCODER, CLASSIFIER = (built(rival(name).model) for name in ("mnist-gan", "mnist-ae-l2", "mnist-supervised"))


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Checkpoints "gan", "ae" and "classifier", each with a gallery; the current folder is empty."""
    for name, model in MODELS.items():
        checkpoint.save(model, tmp_path / "places" / name, torch.float32)
        save_gallery(gallery(), tmp_path / "places" / name)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path / "places"])
    return tmp_path / "places"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 30), np.uint8)).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


# The public interface


def verbs(model: BiGAN) -> dict[str, Callable[[], Tensor]]:
    x, z = inputs(model)
    return {
        "generate": lambda: model.generate(z),
        "encode": lambda: model.encode(x),
        "score": lambda: model.score(x, z),
        "reconstruct": lambda: model.reconstruct(x),
        "features": lambda: model.features(x),
    }


MODELS = {"gan": GAN, "ae": AUTOENCODER, "classifier": CLASSIFIER}
CAN = {
    "gan": {"generate", "features"},
    "ae": {"generate", "encode", "reconstruct", "features"},
    "classifier": {"encode", "features"},
}
REFUSAL = (
    r"^This model('s discriminator sees images alone; it has no opinion of pairs| has no \w+; it has an? [\w ]+)\.$"
)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_does_what_it_can_and_refuses_the_rest_in_one_sentence(name: str) -> None:
    for verb, call in verbs(MODELS[name]).items():
        if verb in CAN[name]:
            assert len(call()) == 4 and call().isfinite().all()
            continue
        with pytest.raises(bigan.CapabilityError, match=REFUSAL) as refused:
            call()
        assert isinstance(refused.value, ValueError)


def test_the_sentences_name_what_is_missing_and_what_there_is() -> None:
    for verb, model in (("generate", CLASSIFIER), ("encode", GAN), ("score", AUTOENCODER)):
        with pytest.raises(bigan.CapabilityError) as refused:
            verbs(model)[verb]()
        assert str(refused.value) == SENTENCES[verb]


def test_a_network_that_is_not_there_is_no_attribute() -> None:
    assert not hasattr(GAN, "encoder") and hasattr(GAN, "generator") and hasattr(GAN, "discriminator")
    with pytest.raises(AttributeError, match="This model has no encoder"):
        _ = GAN.encoder
    with pytest.raises(AttributeError, match="no attribute 'critic'"):
        _ = GAN.critic


def test_the_features_of_a_gan_are_its_discriminators() -> None:
    x, _ = inputs(GAN)
    assert GAN.feature_layers == ("hidden1", "penultimate")
    hidden, penultimate, _ = GAN.discriminator.activations(x)
    assert torch.equal(GAN.features(x), penultimate) and torch.equal(GAN.features(x, "hidden1"), hidden)
    for layer in ("output", "latent"):
        with pytest.raises(bigan.CapabilityError, match="no encoder"):
            GAN.features(x, layer)
    with pytest.raises(ValueError, match="'conv1'; this model has hidden1, penultimate"):
        GAN.features(x, "conv1")


def test_a_discriminator_of_pairs_gives_no_features_of_images() -> None:
    model = built(dataclasses.replace(GAN.config, discriminator_sees="pair"))
    assert model.feature_layers == ()
    with pytest.raises(bigan.CapabilityError, match="no encoder"):
        model.features(inputs(model)[0])


def test_a_discriminator_of_images_has_no_opinion_of_pairs() -> None:
    model = built(dataclasses.replace(GAN.config, networks=NETWORKS))
    with pytest.raises(bigan.CapabilityError, match=r"^This model's discriminator sees images alone; .*\.$"):
        model.score(*inputs(model))
    assert model.feature_layers[-1] == "latent" and not model.config.is_bigan


def test_a_picture_can_be_prepared_for_any_model(picture: Path) -> None:
    for model in (GAN, AUTOENCODER, CLASSIFIER):
        assert model.prepare(picture).shape == (1, 1, 28, 28)


def test_a_gans_discriminator_is_normalised_by_real_and_generated_images_alike() -> None:
    model = BiGAN(GAN.config).initialise(0)
    sizes: list[int] = []
    model.discriminator.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs)))
    estimate_batch_norm(model, gallery().images, num_batches=3, batch_size=16)
    assert sizes == [1] * 6, "an image alone, of each kind once a batch"


# Checkpoints


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_with_some_of_the_networks_comes_back_bit_for_bit(name: str, places: Path) -> None:
    model, loaded = MODELS[name], bigan.load(name)
    assert loaded.config == model.config and {key for key, _ in loaded.named_children()} == set(model.config.networks)
    state = model.state_dict()
    assert all(torch.equal(tensor, state[key]) for key, tensor in loaded.state_dict().items() if "tracked" not in key)
    for verb in CAN[name]:
        assert torch.equal(verbs(loaded)[verb](), verbs(model)[verb]())
    assert records.read_replay(places / name) is None


def test_rivals_are_listed_and_summarised(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bigan.list_checkpoints() == ["ae", "classifier", "gan"]
    (places / "ae" / "config.json").write_text((places / "gan" / "config.json").read_text())  # not of these weights
    assert bigan.list_checkpoints() == ["classifier", "gan"]
    assert main(["checkpoints", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert entries["gan"]["config"]["networks"] == ["generator", "discriminator"]
    assert "tensor" in entries["ae"]["problem"]
    assert main(["checkpoints"]) == 0
    assert "generator, discriminator" in capsys.readouterr().out


# Measuring


@pytest.mark.parametrize(
    ("model", "metrics"),
    [
        (GAN, ["NND/100", "NND/10", "NND", "NNC_d"]),
        (
            AUTOENCODER,
            ["NND/100", "NND/10", "NND", "NNC_e", "NNC_e-", "CLS_e-", "EGr", "EGr_b", "EGr/EGr_b", "EGg", "EGg_b",
             "EGg/EGg_b", "latent_round_trip", "latent_round_trip_b", "prior_distance"],
        ),
        (CLASSIFIER, ["NNC_e", "NNC_e-", "CLS_e-"]),
    ],
    ids=["gan", "autoencoder", "classifier"],
)  # fmt: skip
def test_only_what_a_model_can_do_is_measured(
    model: BiGAN, metrics: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "NUM_GENERATED", 100)
    monkeypatch.setattr(report, "NND_NAMES", {10: "NND/100", 20: "NND/10", 30: "NND"})
    monkeypatch.setattr(report, "NUM_LATENTS", 100)
    shown = gallery()
    half = Dataset("mnist", shown.images, shown.labels, shown.class_names)
    found = report.evaluate(model, half, half, protocol="test").metrics
    assert list(found) == metrics and all(np.isfinite(metric.value) for metric in found.values())
    for name in ("NNC_e-", "NNC_d"):
        assert name not in found or found[name].value == 100, "every image is its own nearest neighbour"
    quick = report.quick_metrics(model, shown.images, shown.labels, shown.images, shown.labels)
    assert quick.keys() == {"EGr", "EGr_b", "NNC_e-", "NNC_d"} & found.keys()
    assert all(quick[name] == found[name].value for name in quick)


# Exploring


def test_a_gallery_is_indexed_and_reported_on_without_a_discriminator() -> None:
    index = index_gallery(AUTOENCODER, gallery())
    assert index.encoder_pair_logits is None and len(index.latents) == len(index.distances) == 60
    (found,) = reports(AUTOENCODER, gallery().images[:1].float() / 255, index)
    assert found.encoder_pair_logit is None and found.reconstruction_pair_logit is None
    assert found.neighbours[0].id == "noise-00" and found.ratio > 0


@pytest.mark.parametrize("model", [GAN, CLASSIFIER], ids=["gan", "classifier"])
def test_what_cannot_reconstruct_cannot_be_indexed(model: BiGAN) -> None:
    with pytest.raises(bigan.CapabilityError, match="This model has no"):
        index_gallery(model, gallery())


# The command line


def failure(words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says that ends with exit code 1."""
    capsys.readouterr()
    assert main(words.split()) == 1
    written = capsys.readouterr()
    assert not written.out
    return written.err.splitlines()[-1]


@pytest.mark.usefixtures("places")
def test_samples_without_a_discriminator_are_drawn_without_an_opinion(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ae", "gan"):
        assert main(["sample", name, "--count", "4", "--out", "samples.npz", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["count"] == 4 and "logits" not in document
        with np.load("samples.npz") as arrays:
            assert set(arrays) == {"z", "x", "seed", "truncation"} and arrays["x"].shape == (4, 1, 28, 28)
        assert main(["sample", name]) == 0 and "D" not in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("with_gallery", [True, False])
def test_pictures_are_reconstructed_without_a_discriminator(
    with_gallery: bool, places: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not with_gallery:
        (places / "ae" / "gallery.npz").unlink()
    assert main(["reconstruct", "ae", str(picture), "--json"]) == 0
    (facts,) = json.loads(capsys.readouterr().out)["images"]
    assert facts["distance"] > 0 and len(facts["latent"]) == 50 and ("ratio" in facts) == with_gallery
    assert not [name for name in facts if name.endswith("logit")]
    assert main(["reconstruct", "ae", str(picture)]) == 0


def test_what_a_model_cannot_do_ends_with_one_and_one_sentence(
    places: Path, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (places / "classifier" / "gallery.npz").unlink()
    for words, verb in (
        ("sample classifier", "generate"),
        (f"reconstruct gan {picture}", "encode"),
        (f"reconstruct classifier {picture}", "generate"),
        ("interpolate gan --start gallery:noise-01", "encode"),
        ("interpolate classifier", "generate"),
        ("project gan", "encode"),
    ):
        assert failure(words, capsys) == SENTENCES[verb], words
    assert not list(Path().iterdir()), "and leaves nothing behind"


@pytest.mark.usefixtures("places")
def test_a_walk_of_a_model_without_a_discriminator_has_no_opinion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interpolate", "ae", "--out", "walk.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["logits"] is None
    assert "logits" not in np.load("walk.npz") and "x" in np.load("walk.npz")


def test_maps_need_an_encoder_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def flat(features: Tensor, *_: Any) -> Tensor:
        asked.append(features.shape[1])
        return features[:, :2].contiguous()

    monkeypatch.setattr("bigan.explore.projection._umap", flat)
    assert len(project(CLASSIFIER, gallery()).maps) == 3 and asked == [784, 10, 16]


@pytest.mark.usefixtures("places")
def test_no_figure_of_a_bigan_stands_beside_those_of_a_rival(
    places: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"NNC_e-": report.Measurement(97.5, "%", num_queries=100, num_references=600)}
    monkeypatch.setattr(report, "_stages", lambda *_: [("NNC_e-", lambda: known)])
    assert main(["evaluate", "ae", "--data", str(places / "ae" / "gallery.npz")]) == 0
    table = capsys.readouterr().out
    assert "97.50" in table and "97.39" not in table and "Donahue" not in table


# Cards


@pytest.mark.parametrize("name", [name for name in RECIPES if RECIPES[name].train.objective in RIVALS])
def test_a_card_describes_a_rival_as_what_it_is_with_code_that_runs(name: str, tmp_path: Path) -> None:
    recipe, folder = rival(name), tmp_path / name
    checkpoint.save(built(recipe.model), folder, torch.float32)
    settings = {
        "recipe": name, "train": recipe.train.to_dict(), "command": f"python -m bigan train {name}", "hours": 1.0,
        "epochs_done": 400, "device": "cpu", "processor": "Abacus", "versions": {}, "num_images": 60_000,
    }  # fmt: skip
    (folder / "train.json").write_text(json.dumps(settings))
    known = {"NNC_e-": {"value": 96.58, "unit": "%"}}
    digest = report.weights_sha256(bigan.load(folder))
    (folder / "metrics.json").write_text(json.dumps({"protocol": "test", "weights_sha256": digest, "metrics": known}))
    text = card_text(folder)
    assert f"# {RIVALS[recipe.train.objective].title} of MNIST: {name}\n" in text
    assert "BiGAN of" not in text and "96.58" in text and "97.39" not in text
    theirs = published("mnist", RIVALS[recipe.train.objective].row, "NNC_e-")
    assert f"| {theirs.value:.2f} % | Donahue" in text if theirs else "Donahue et al. 2017, table" not in text
    head = text.partition("\n---\n")[0]
    assert "- bigan\n" not in head and "- ali\n" not in head
    assert ("unconditional-image-generation" in head) == ("generator" in recipe.model.networks)
    failures = text.partition("## Where it fails")[2]
    assert "{" not in failures and failures.count("\n- ") >= 2
    (code,) = (block for block in text.split("```python\n")[1:])
    code = code.partition("```")[0].replace(f'"{name}"', repr(str(folder))).replace('"picture.png"', repr(str(folder)))
    if "prepare" in code:
        Image.new("L", (28, 28), 9).save(folder / "picture.png")
        code = code.replace(f"prepare({str(folder)!r})", f"prepare({str(folder / 'picture.png')!r})")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["model"].config == recipe.model and len(names) >= 3


def test_a_card_without_its_training_says_no_more_than_the_networks_tell(tmp_path: Path) -> None:
    checkpoint.save(AUTOENCODER, tmp_path / "some")
    text = card_text(tmp_path / "some")
    assert "# Model of MNIST: some" in text and "two multi-layer perceptrons (generator, encoder)" in text
    assert "discriminator" not in text.partition("## ")[0].partition("# Model")[2]


# The app


PAGES = ("home.py", "sample.py", "reconstruct.py", "interpolate.py", "map.py")
SHOWN = {"gan": {"home.py", "sample.py"}, "ae": {*PAGES}, "classifier": {"home.py"}}


def open_page(page: str, **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.query_params.update(parameters)
    app.run()
    if page != "home.py":
        app.switch_page(f"pages/{page}")
        app.query_params.update(parameters)
        app.run()
    return app


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_a_model_or_says_in_one_sentence_what_it_lacks(page: str, name: str) -> None:
    app = open_page(page, checkpoint=name)
    assert not app.exception
    assert app.sidebar.selectbox(key="checkpoint").value == name, "what was chosen stays chosen"
    if page in SHOWN[name]:
        assert not app.error
    else:
        (error,) = app.error
        assert error.value.startswith("This model") and "choose another model" in error.value


@pytest.mark.usefixtures("places")
def test_the_picker_greys_out_the_other_models_that_a_page_cannot_show_with_the_reason(tiny_checkpoint: Path) -> None:
    checkpoint.save(checkpoint.load(tiny_checkpoint), Path("../places/tiny"))
    home, reconstruct = (open_page(page, checkpoint="tiny") for page in ("home.py", "reconstruct.py"))
    assert set(home.sidebar.selectbox(key="checkpoint").options) == {"tiny", "gan", "ae", "classifier"}
    assert set(reconstruct.sidebar.selectbox(key="checkpoint").options) == {"tiny", "ae"}
    for name, verb in (("gan", "encode"), ("classifier", "generate")):
        greyed = reconstruct.sidebar.button(key=f"lacking-{name}")
        assert greyed.disabled and greyed.help == SENTENCES[verb]
    assert not [button for button in home.sidebar.button if button.key and button.key.startswith("lacking")]


@pytest.mark.usefixtures("places")
def test_home_shows_the_losses_and_numbers_that_a_rival_has(places: Path) -> None:
    (places / "gan" / "history.csv").write_text("epoch,D,G,NNC_d\n0,,,90\n1,0.69,0.70,91\n")
    numbers = {"NNC_d": {"value": 97.3, "unit": "%"}}
    (places / "gan" / "metrics.json").write_text(
        json.dumps({"dataset": "mnist", "protocol": "test", "seed": 0, "metrics": numbers})
    )
    app = open_page("home.py", checkpoint="gan")
    assert not app.exception and not app.error
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "97.30 %" in shown and "the paper:" not in shown
    (plot,) = (json.loads(one.proto.spec) for one in app.get("plotly_chart"))  # without G and E, nothing comes back
    assert {one["name"]: (one["x"], one["y"]) for one in plot["data"]} == {"D": ([1], [0.69]), "G": ([1], [0.7])}
