"""Models side by side: who can be compared, what is said of each, and what one that lacks a network says."""

import base64
import csv
import dataclasses
import html
import io
import json
import os
import re
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.benchmark.drawings import drawing
from bigan.config import RECIPES, ModelConfig
from bigan.data import scale
from bigan.explore.familiarity import familiarities
from bigan.explore.gallery import load_gallery, save_gallery
from bigan.models.bigan import BiGAN
from bigan.models.statistics import estimate_batch_norm
from bigan.pictures import mosaic
from bigan.ui import comparison_words, comparisons, lanes, loaders, results
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import GalleryImage
from bigan.view_code import COMPARISON_SCALE, python_code
from bigan.view_recipe import link, read

ROOT = Path(__file__).parents[1]
SECONDS = 60
NO_ENCODER = "This model has no encoder; it has a generator and a discriminator."
NO_GENERATOR = "This model has no generator; it has an encoder."


def built(config: ModelConfig, images: torch.Tensor, seed: int = 7) -> BiGAN:
    """A model whose every weight says something, ready for use."""
    model, generator = BiGAN(config), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(std=weight.shape[1] ** -0.5, generator=generator)
    estimate_batch_norm(model, images, num_batches=8)
    return model.requires_grad_(False)


@pytest.fixture(scope="session")
def shelf(mapped_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint with its gallery and maps, rivals with small networks, and one of another image size."""
    folder = tmp_path_factory.mktemp("shelf")
    shutil.copytree(mapped_checkpoint, folder / "tiny")
    gallery = load_gallery(mapped_checkpoint)
    assert gallery is not None
    for name in ("mnist-gan", "mnist-ae-l2", "mnist-supervised"):
        config = dataclasses.replace(RECIPES[name].model, hidden_dim=16)
        if name == "mnist-ae-l2":
            config = dataclasses.replace(config, latent_dim=RECIPES["tiny"].model.latent_dim)
        checkpoint.save(built(config, gallery.images), folder / name, torch.float32)
        train = {"train": RECIPES[name].train.to_dict()}
        (folder / name / "train.json").write_text(json.dumps(train))
    clothes = dataclasses.replace(RECIPES["tiny"].model, dataset="fashion-mnist", hidden_dim=16)
    checkpoint.save(built(clothes, gallery.images, seed=8), folder / "clothes", torch.float32)
    checkpoint.save(BiGAN(ModelConfig(image_shape=(3, 8, 8), hidden_dim=8)).initialise(0), folder / "photos")
    return folder


@pytest.fixture
def places(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where alone the app and a person's script look."""
    copy = tmp_path / "places"
    shutil.copytree(shelf, copy)
    monkeypatch.setattr(checkpoint, "_places", lambda: [copy])
    return copy


def open_page(page: str, **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.query_params.update(parameters)
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.query_params.update(parameters)
    app.run()
    assert not app.exception and not app.error, (app.exception, [one.value for one in app.error])
    return app


def written(app: AppTest) -> str:
    """All text of the page, with the HTML of its own parts."""
    shown = [html.unescape(element.proto.body) for element in app.get("html")]
    return " ".join([*shown, *(one.value for one in (*app.markdown, *app.caption))])


def lane_of(app: AppTest, name: str) -> str:
    """The HTML of a model's first lane."""
    found = re.search(rf'<div class="bg-lane bg-lane-\w+"><h3>{name}</h3>.*?</div>(?=<div class="bg-lane |</div>)',
                      written(app), re.DOTALL)  # fmt: skip
    assert found is not None
    return found[0]


def opened(places: Path, name: str) -> OpenCheckpoint:
    return OpenCheckpoint(name, places / name, checkpoint.load(places / name).config)


# Who stands beside whom


def test_all_of_one_image_size_are_company_the_same_data_first_and_others_are_named_with_their_reason(
    places: Path,
) -> None:
    found = comparisons.company(opened(places, "mnist-gan"))
    names = [one.name for one in found.members]
    assert names == ["mnist-gan", "mnist-ae-l2", "mnist-supervised", "tiny", "clothes"]
    assert found.strangers == {
        "photos": "photos takes images of 8 by 8 pixels, in colour, and mnist-gan of 28 by 28 pixels."
    }
    assert found.reader is not None and found.reader.name == "tiny", "the only one with G, E and a gallery"


def test_models_of_one_gallery_share_it_and_what_is_made_of_it_alone(places: Path) -> None:
    shutil.copytree(places / "tiny", places / "second")
    one, other = opened(places, "tiny"), opened(places, "second")
    assert one.gallery is other.gallery and one.known is other.known
    assert one.index is not other.index, "E's latents are each model's own"
    gallery = other.gallery
    assert gallery is not None
    save_gallery(dataclasses.replace(gallery, source="another"), places / "second")
    changed = opened(places, "second")
    assert changed.gallery is not None and changed.gallery.source == "another" and one.gallery is gallery


def test_a_gallery_of_another_shape_than_the_models_is_named(places: Path) -> None:
    gallery = load_gallery(places / "tiny")
    assert gallery is not None
    save_gallery(dataclasses.replace(gallery, images=gallery.images[:, :, ::2, ::2].contiguous()), places / "clothes")
    with pytest.raises(
        ValueError, match=r"The gallery of clothes has images of \(1, 14, 14\); it must be \(1, 28, 28\)"
    ):
        _ = opened(places, "clothes").known


def test_a_file_that_is_replaced_while_a_page_is_open_changes_nothing_of_what_it_shows(places: Path) -> None:
    page, gallery = opened(places, "tiny"), load_gallery(places / "tiny")
    assert gallery is not None and page.gallery is not None
    save_gallery(dataclasses.replace(gallery, images=255 - gallery.images), places / "tiny")
    later = opened(places, "tiny")
    assert page.known is not None and later.known is not None and page.known.gallery is page.gallery
    assert torch.equal(later.known.gallery.images, 255 - page.gallery.images)
    assert page.gallery_key != later.gallery_key and page.index_key != later.index_key


def test_a_page_of_many_models_reads_the_gallery_and_draws_a_seed_with_each_of_them_once(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = load_gallery(places / "tiny")
    assert gallery is not None
    for seed in range(loaders.MAX_CHECKPOINTS + 2):
        checkpoint.save(built(RECIPES["tiny"].model, gallery.images, seed), places / f"other-{seed}", torch.float32)
        save_gallery(gallery, places / f"other-{seed}")
    open_page("rivals", checkpoint="tiny")

    def again(*_: object) -> None:
        raise AssertionError("The same is computed a second time.")

    monkeypatch.setattr(loaders, "index_gallery", again)
    monkeypatch.setattr(loaders, "known_images", again)
    monkeypatch.setattr(comparisons, "gallery_features", again)
    monkeypatch.setattr(comparisons, "compare_samples", again)
    open_page("rivals", checkpoint="tiny")


def test_without_a_gallery_anywhere_nobody_reads(places: Path) -> None:
    (places / "tiny" / "gallery.npz").unlink()
    assert comparisons.company(opened(places, "tiny")).reader is None


def test_companions_are_one_image_of_each_class_in_the_same_place(places: Path) -> None:
    found = comparisons.companions(opened(places, "tiny"), GalleryImage("square-23"))  # the third "3"
    assert [str(source) for source in found.sources] == [f"gallery:square-{20 + i}" for i in range(10)]
    gallery = load_gallery(places / "tiny")
    assert gallery is not None and torch.equal(found.x, scale(gallery.images[20:30]))


# Compare


@pytest.mark.usefixtures("places")
def test_two_models_are_compared_on_the_image_and_the_seed_of_the_address() -> None:
    app = open_page("compare", checkpoint="tiny", other="mnist-ae-l2", source="gallery:square-23", seed="5", cell="9")
    assert app.sidebar.selectbox(key="checkpoint").value == "tiny"
    assert app.selectbox(key="other").value == "mnist-ae-l2"
    assert app.selectbox(key="other").options == ["mnist-ae-l2", "mnist-gan", "mnist-supervised", "clothes"]
    assert app.number_input(key="seed").value == 5 and app.number_input(key="cell").value == 9
    text = written(app)
    assert "digit “3” of the gallery (square-23)" in text
    assert "Nearest to x comes" in text and "Both are given the same z, 10 numbers of the uniform prior" in text
    assert "photos takes images of 8 by 8 pixels" in re.sub(r"\\", "", text)


def test_the_numbers_of_a_lane_are_those_of_the_model(places: Path) -> None:
    app = open_page("compare", checkpoint="tiny", other="clothes", source="gallery:square-23")
    gallery = load_gallery(places / "tiny")
    assert gallery is not None
    x = gallery.image("square-23")
    for name in ("tiny", "clothes"):
        x_hat = checkpoint.load(places / name).reconstruct(x)
        others = (scale(gallery.images) - x_hat).flatten(1).double().norm(dim=1)  # (N,)
        distance = (x - x_hat).double().norm()
        ratio, closer = distance / others.mean(), int(100 * (others > distance).double().mean())
        said = f"{distance:.1f} from x, ratio {ratio:.2f}: closer than {closer or 'less than 1'} % of random digits."
        if closer == 0 and not (others > distance).any():
            said = said.replace("less than 1 %", "0 %")
        assert said in lane_of(app, name)
    assert "trained on Fashion-MNIST" in lane_of(app, "clothes")
    assert "neither E can say that it does not know" in written(app)


@pytest.mark.usefixtures("places")
def test_a_model_that_lacks_a_network_says_so_and_shows_what_it_can() -> None:
    app = open_page("compare", checkpoint="mnist-gan", other="mnist-supervised")
    text = written(app)
    assert NO_ENCODER in lane_of(app, "mnist-gan") and "Nearest in D's eyes" in lane_of(app, "mnist-gan")
    assert NO_GENERATOR in lane_of(app, "mnist-supervised")
    assert "Nearest in E's eyes" in lane_of(app, "mnist-supervised")
    assert "None of these models can bring an image back." in text
    assert "Only the seed is the same: mnist-gan takes 50 numbers of a uniform prior" in text
    assert text.count("has not been measured yet") == 2


@pytest.mark.usefixtures("places")
def test_the_models_own_gallery_is_the_map_and_images_are_marked_where_they_lie() -> None:
    app = open_page("compare", checkpoint="tiny", other="clothes", source="gallery:square-23", space="pixels")
    marks = re.findall(
        r'<span class="bg-mark(?:-x)?" style="left: ([\d.]+)%; top: ([\d.]+)%">(\w+)</span>', written(app)
    )
    assert [name for *_, name in marks] == ["x", "1", "2", "3", "5", "6", "7", "8", "9", "10"], "4 is x itself"
    assert all(0 <= float(left) <= 100 and 0 <= float(top) <= 100 for left, top, _ in marks)
    assert "It ships no gallery of real images" in written(app)


def test_a_model_that_becomes_the_sidebars_own_is_not_compared_with_itself(places: Path) -> None:
    app = open_page("compare", checkpoint="tiny", other="mnist-ae-l2")
    app.sidebar.selectbox(key="checkpoint").set_value("mnist-ae-l2").run()
    assert not app.exception and app.selectbox(key="other").value != "mnist-ae-l2"
    for folder in places.iterdir():
        if folder.name not in ("tiny", "photos"):
            shutil.rmtree(folder)
    assert "There is no other model of the same image size here" in written(open_page("compare", checkpoint="tiny"))


def test_the_numbers_stand_beside_each_other_with_their_intervals(places: Path) -> None:
    def measured(value: float, low: float, high: float) -> dict[str, Any]:
        known = {
            "NNC_e-": {"value": value, "unit": "%", "interval": [low, high]},
            "EGr": {"value": 5.0, "unit": "pixel L2"},
        }
        return {"dataset": "mnist", "protocol": "test", "seed": 0, "metrics": known}

    config = checkpoint.load(places / "tiny").config
    one, other = measured(97.0, 96.6, 97.3), measured(97.5, 97.2, 97.8)
    del other["metrics"]["EGr"]
    header, rows = results.side_by_side([("a", config, one), ("b", config, other)])
    assert header == ["metric", "a", "b", "95 % intervals", "what it is"]
    assert [row[:4] for row in rows] == [
        ["NNC_e-", "97.00 % (96.60 to 97.30)", "97.50 % (97.20 to 97.80)", "overlap"],
        ["EGr", "5", "not measured", ""],
    ]
    _, rows = results.side_by_side([("a", config, one), ("b", config, measured(98.5, 98.2, 98.8))])
    assert rows[0][3] == "apart"
    for name, numbers in (("tiny", one), ("clothes", measured(80.0, 79.0, 81.0) | {"dataset": "fashion-mnist"})):
        (places / name / "metrics.json").write_text(json.dumps(numbers))
    text = written(open_page("compare", checkpoint="tiny", other="clothes"))
    assert "<td>80.00 % (79.00 to 81.00)</td>" in text and "They were measured on different data" in text


def test_a_sentence_counts_who_comes_nearer(places: Path) -> None:
    pair = (opened(places, "tiny"), opened(places, "mnist-ae-l2"))
    more = comparisons.companions(pair[0], GalleryImage("square-00"))
    found = comparisons.readings(pair, pair[0], more.x, with_neighbours=False)
    distances = [(checkpoint.load(one.path).reconstruct(more.x) - more.x).flatten(1).norm(dim=1) for one in pair]
    nearer = sum(a < b for a, b in zip(*(one.tolist() for one in distances), strict=True))
    expected = f"tiny comes nearer to x in {nearer} of 10, mnist-ae-l2 in {10 - nearer}."
    assert comparison_words.count(pair, found) == expected
    assert all(reading.neighbours is None for reading in found)


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("there", ["rivals", "reconstruct"])
def test_where_an_image_comes_from_is_a_choice_on_every_page_one_goes_on_to(there: str) -> None:
    app = open_page("compare", checkpoint="tiny", other="clothes")
    for page in (there, "compare"):
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        assert "source-another" in [button.key for button in app.button], "the gallery's controls"


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("page", ["compare", "rivals"])
def test_a_picture_like_none_in_a_models_gallery_is_said_to_be_so(page: str) -> None:
    app = open_page(page, checkpoint="tiny", way="Upload")
    assert "nearest thing it knows" not in written(app)
    app.file_uploader(key="source-files").set_value([("seven.png", drawing(7), "image/png")]).run()
    assert not app.exception and not app.error
    assert "tiny: this model has only ever seen digits; here is the nearest thing it knows." in written(app)


def test_models_of_one_gallery_are_named_in_one_warning(places: Path) -> None:
    for name in ("second", "third"):
        shutil.copytree(places / "tiny", places / name)
    app = open_page("rivals", checkpoint="tiny", way="Upload", models="tiny,second,mnist-gan,third")
    app.file_uploader(key="source-files").set_value([("seven.png", drawing(7), "image/png")]).run()
    said = "tiny, second, third: these models have only ever seen digits; here is the nearest thing they know."
    assert said in written(app) and written(app).count("the nearest thing") == 1


# Rivals


@pytest.mark.usefixtures("places")
def test_one_image_goes_through_every_model_and_those_that_cannot_say_why() -> None:
    app = open_page("rivals", checkpoint="tiny", source="gallery:square-23")
    assert app.multiselect[0].value == ["tiny", "mnist-ae-l2", "mnist-gan", "mnist-supervised"]
    assert "Autoencoder (l2)" in lane_of(app, "mnist-ae-l2") and "from x, ratio" in lane_of(app, "mnist-ae-l2")
    assert NO_ENCODER in lane_of(app, "mnist-gan") and "Nearest in D's eyes" in lane_of(app, "mnist-gan")
    text = written(app)
    assert "Nearest to x comes" in text and text.count("Nearest to x.</strong>") == 1
    assert text.count("misses z by") == 2 and text.count("No E, so no E(G(z)).") == 1
    assert 'bg-lane-lacking"><h3>mnist-supervised</h3>' in text, "it draws nothing"


@pytest.mark.usefixtures("places")
def test_the_rivals_are_chosen_in_the_address_foreign_data_and_nonsense_included() -> None:
    app = open_page("rivals", checkpoint="tiny", models="clothes,../etc,tiny,clothes")
    assert app.multiselect[0].value == ["clothes", "tiny"]
    assert "trained on Fashion-MNIST" in lane_of(app, "clothes")
    app.multiselect[0].set_value(["mnist-ae-l2"]).run()
    assert not app.exception and app.multiselect[0].value == ["mnist-ae-l2"]
    assert "Only mnist-ae-l2 brings x back" in written(app)
    app.multiselect[0].set_value([]).run()
    assert len(app.multiselect[0].value) > 1 and "With none chosen" in written(app)


def test_samples_like_nothing_in_the_gallery_are_counted_for_its_own_data_only(places: Path) -> None:
    members = tuple(opened(places, name) for name in ("tiny", "clothes", "mnist-supervised", "mnist-gan"))
    found = comparisons.foreign_counts(members, members[0], 16, 3)
    assert found[1] is None and found[2] is None
    model, known = members[0].model, members[0].known
    samples = model.generate(model.sample_latents(16, 3))
    assert known is not None
    assert found[0] == sum(one.is_foreign for one in familiarities(samples, known))
    assert found[3] == 16, "noise is no bright square"


def test_models_that_differ_in_their_prior_alone_draw_as_their_own(places: Path) -> None:
    shutil.copytree(places / "tiny", places / "normal")
    config = json.loads((places / "normal" / "config.json").read_text())
    assert config["prior"] == "uniform"
    (places / "normal" / "config.json").write_text(json.dumps(config | {"prior": "normal"}))
    uniform, normal = opened(places, "tiny"), opened(places, "normal")
    assert uniform.weights_sha256 == normal.weights_sha256
    drawn, other = (comparisons.drawings((one,), 16, 0)[0].latents for one in (uniform, normal))
    assert drawn.abs().max() <= 1 < other.abs().max()


def test_the_cloud_puts_every_number_above_that_of_z(tiny_model: BiGAN) -> None:
    z = tiny_model.sample_latents(2, seed=0)
    dots = dots_of(lanes.cloud(z, z, "uniform", "all alike"))
    assert len(dots) == z.numel()
    assert all(abs(x + y - lanes.PLOT_PX) <= 1 for x, y in dots), "on the diagonal"
    assert 'alt="all alike"' in lanes.cloud(z, z, "uniform", "all alike")
    ((x, y),) = dots_of(lanes.cloud(torch.tensor([[0.0]]), torch.tensor([[1.0]]), "uniform", "too high"))
    assert x == lanes.PLOT_PX / 2 and y < lanes.PLOT_PX / 4, "z to the right, E(G(z)) upwards"


def dots_of(cloud: str) -> list[tuple[int, int]]:
    svg = base64.b64decode(re.findall(r"base64,([^\"]+)", cloud)[0]).decode()
    return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1", svg)]


# Ways out


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What the buttons of the last page would give, by the ending of the file's name, and what it holds if not x."""
    found: dict[str, Callable[[], bytes]] = {}
    add = MediaFileManager.add_deferred

    def watched(self: Any, data: Any, mimetype: Any, coordinates: Any, file_name: Any = None, **options: Any) -> str:
        part = next((f"{part}." for part in ("samples", "maps") if f"-{part}-" in file_name), "")
        found[part + file_name.rpartition(".")[2]] = data
        return add(self, data, mimetype, coordinates, file_name, **options)

    monkeypatch.setattr(MediaFileManager, "add_deferred", watched)
    return found


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("compare", {"checkpoint": "tiny", "other": "clothes", "source": "sample:7:12:0.5"}),
        (
            "compare",
            {
                "checkpoint": "mnist-gan",
                "other": "mnist-ae-l2",
                "source": "gallery:square-23",
                "seed": "5",
                "cell": "9",
                "space": "pixels",
            },
        ),
        ("rivals", {"checkpoint": "tiny", "source": "gallery:square-23"}),
        (
            "rivals",
            {"checkpoint": "mnist-supervised", "source": "sample:7:12:0.5", "models": "clothes,mnist-gan", "seed": "5"},
        ),
    ],
)
def test_the_picture_carries_its_view_and_its_code_makes_it_again(
    page: str, query: dict[str, str], places: Path, files: dict[str, Callable[[], bytes]], tmp_path: Path
) -> None:
    app = open_page(page, **query)
    picture = files["png"]()
    recipe = read(picture)
    assert recipe is not None and query.items() <= recipe.query.items() | {("checkpoint", recipe.checkpoint)}
    assert recipe.query["seed"] and ("cell" in recipe.query) == (page == "compare")
    taking_part = {recipe.checkpoint: recipe.weights_sha256} | recipe.others
    assert taking_part.items() >= {
        (name, opened(places, name).weights_sha256) for name in ("tiny", query["checkpoint"])
    }
    assert recipe.reader == ("" if recipe.checkpoint == "tiny" else "tiny"), "who prepared x, and has a gallery"
    address = urlsplit(link(recipe))
    open_page(address.path.strip("/"), **dict(parse_qsl(address.query)))
    assert files["png"]() == picture
    assert np.array_equal(run(next(one.value for one in app.code if "bigan" in one.value), tmp_path), pixels(picture))
    if page == "rivals" and query["checkpoint"] == "tiny":
        gallery = load_gallery(places / "tiny")
        assert gallery is not None
        x = gallery.image("square-23")
        able = [checkpoint.load(places / name) for name in ("tiny", "mnist-ae-l2")]
        expected = mosaic(torch.cat([x, *(one.reconstruct(x) for one in able)]), 3, COMPARISON_SCALE)
        assert np.array_equal(pixels(picture), np.asarray(expected.convert("RGBA")))


def test_samples_maps_and_numbers_leave_with_the_recipe_of_all_that_is_shown(
    files: dict[str, Callable[[], bytes]], places: Path
) -> None:
    open_page("compare", checkpoint="tiny", other="mnist-gan", seed="5", space="pixels", source="gallery:square-23")
    recipe = read(files["png"]())
    assert recipe is not None and recipe.others.keys() == {"mnist-gan"}
    for part, (width, height) in (("samples.png", (2 * 6 * 86, 6 * 86)), ("maps.png", (800, 800))):
        assert read(files[part]()) == recipe
        shown = Image.open(io.BytesIO(files[part]()))
        assert width < shown.width < width + 60 and height < shown.height < height + 100
    arrays = np.load(io.BytesIO(files["samples.npz"]()))
    assert arrays["models"].tolist() == ["tiny", "mnist-gan"] and arrays["seed"] == 5
    for i, name in enumerate(("tiny", "mnist-gan")):
        z = checkpoint.load(places / name).sample_latents(36, 5)
        assert np.array_equal(arrays[f"z_{i}"], z.numpy()) and arrays[f"x_{i}"].shape == (36, 1, 28, 28)
    rows = list(csv.DictReader(io.StringIO(files["csv"]().decode())))
    assert [row["model"] for row in rows] == ["tiny", "mnist-gan"]
    assert float(rows[0]["distance"]) > 0 and not rows[1]["distance"]
    x_hat = checkpoint.load(places / "tiny").reconstruct(torch.from_numpy(np.load(io.BytesIO(files["npz"]()))["x"]))
    assert np.array_equal(np.load(io.BytesIO(files["npz"]()))["x_hat"], x_hat.numpy())


def test_a_view_of_several_models_opens_only_where_all_of_them_have_these_weights(
    files: dict[str, Callable[[], bytes]], places: Path
) -> None:
    open_page("compare", checkpoint="tiny", other="clothes", seed="5")
    picture = files["png"]()

    def brought() -> AppTest:
        app = open_page("home", checkpoint="tiny")
        app.session_state["saved-view"] = True
        app.run()
        app.sidebar.file_uploader[0].set_value([("view.png", picture, "image/png")]).run()
        assert not app.exception
        return app

    app = brought()
    assert [one.proto.page for one in app.sidebar.get("page_link")] == ["compare"] and not app.sidebar.warning
    checkpoint.save(checkpoint.load(places / "tiny"), places / "clothes")
    (said,) = brought().sidebar.warning
    assert "other weights than the model clothes has here" in said.value.replace("\\", "")
    shutil.rmtree(places / "clothes")
    (said,) = brought().sidebar.warning
    assert "the model clothes, which is not here" in said.value.replace("\\", "")


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def run(code: str, folder: Path) -> np.ndarray:
    """The picture that a script saves."""
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    before = os.getcwd()
    os.chdir(folder)
    try:
        runpy.run_path(str(script))
    finally:
        os.chdir(before)
    (saved,) = folder.glob("*.png")
    return pixels(saved.read_bytes())


def test_no_code_is_made_of_a_name_that_is_a_path(files: dict[str, Callable[[], bytes]], places: Path) -> None:
    open_page("compare", checkpoint="tiny", other="clothes")
    recipe = read(files["png"]())
    assert recipe is not None
    for other in ("../../etc", "owner/name", 'a"; import os'):
        with pytest.raises(ValueError, match="model beside"):
            python_code(dataclasses.replace(recipe, query=recipe.query | {"other": other}))
    assert places.is_dir()
