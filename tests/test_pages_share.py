"""What leaves a page finds its way back: links show the same pixels, files carry recipes, code makes the pictures."""

import csv
import io
import json
import math
import os
import re
import runpy
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest

from bigan import checkpoint, containers
from bigan.benchmark.drawings import drawing
from bigan.explore.editing import find_direction
from bigan.explore.gallery import load_gallery
from bigan.explore.pairs import pair_table, repeat
from bigan.explore.reconstruction import index_gallery
from bigan.explore.sampling import around, mean_latent
from bigan.models.bigan import BiGAN
from bigan.panels import panels
from bigan.pictures import mosaic, png_bytes
from bigan.records import read_config
from bigan.ui import downloads, editing
from bigan.view_code import EDIT_SCALE, RECONSTRUCTION_SCALE, SAMPLE_SCALE, python_code
from bigan.view_recipe import ViewRecipe, latents_sha256, link, read

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "checkpoints").glob("*/config.json"))
BIGANS = [folder.name for folder in FOLDERS if read_config(folder).is_bigan]  # which every page can be shown with
SECONDS = 60
BESIDE = re.compile("-(around|mean|favourites|pairs|rounds|best|selection)")  # files of a page beside its own
STROKE = ("stroke.png", drawing(1), "image/png")

# Page, what is chosen on it (not only defaults), and the length of its code without the imports
VIEWS = {
    "sample": ("sample", {"seed": "7", "count": "25", "truncation": "0.5", "order": "by D's opinion"}, 3),
    "chosen samples": ("sample", {"cell": "5", "with": "2-3", "ask": "The mean of several"}, 3),
    "samples around one": ("sample", {"cell": "5", "radius": "0.5"}, 3),
    "default sample": ("sample", {}, 3),
    "gallery image": ("reconstruct", {"source": "gallery:square-23"}, 3),
    "question": ("reconstruct", {"source": "gallery:square-23", "ask": "Again and again", "find": "3"}, 3),
    "way in": ("reconstruct", {"source": "gallery:square-23", "way": "Draw"}, 3),
    "edit": (
        "edit",
        {"a": "sample:3:1:1", "direction": "class-5-3", "strength": "-2", "changed": "4_-50", "sliders": "10"},
        4,
    ),
    "pairs": ("reconstruct", {"source": "gallery:square-23", "z-seed": "7"}, 3),
    "default image": ("reconstruct", {}, 3),
    "sample's image": ("reconstruct", {"source": "sample:7:12:0.5"}, 3),
    "walk": (
        "interpolate",
        {"a": "sample:7:12:0.5", "b": "gallery:square-23", "path": "straight line", "steps": "8"},
        5,
    ),
    "default walk": ("interpolate", {}, 5),
    "even walk": ("interpolate", {"ends": "3", "c": "sample:3:0:1", "even": "true", "steps": "12"}, 7),
    "default sheet": ("interpolate", {"mode": "Sheet"}, 7),
    "sheet": ("interpolate", {"mode": "Sheet", "corners": "3", "size": "4", "square": "7", "path": "great arc"}, 6),
    "analogy": ("interpolate", {"mode": "Analogy", "steps": "8", "c": "sample:3:0:1"}, 8),
    "paths": ("interpolate", {"mode": "Compare paths", "steps": "8"}, 6),
    "map": ("map", {"source": "gallery:square-17", "space": "penultimate"}, 3),
    "default map": ("map", {}, 3),
    "asked map": (
        "map",
        {
            "area": "square-00 square-11",
            "view": "500,500,400",
            "spot": "latent:500,500",
            "colour": "error",
            "range": "1,",
            "hide": "3,7",
            "source": "gallery:square-17",
        },
        8,
    ),
    "all maps": ("map", {"all": "true", "view-pixels": "400,500,200", "colour": "off_prior", "range": ",40"}, 6),
    "star on the map": ("map", {"source": "sample:7:12:1", "space": "pixels"}, 6),
}


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where the app and a person's script look first."""
    folder = tmp_path / "places" / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(folder.parent))
    return folder


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What the buttons of the last page would give, by the file's ending; "around.png" of what is beside its own."""
    found: dict[str, Callable[[], bytes]] = {}
    add = MediaFileManager.add_deferred

    def watched(self: Any, data: Any, mimetype: Any, coordinates: Any, file_name: Any = None, **options: Any) -> str:
        kind, beside = file_name.rpartition(".")[2], BESIDE.search(file_name.replace("mnist-best", ""))
        found[f"{beside[1]}.{kind}" if beside else kind] = data
        return add(self, data, mimetype, coordinates, file_name, **options)

    monkeypatch.setattr(MediaFileManager, "add_deferred", watched)
    return found


def open_page(page: str, session: Mapping[str, object] | None = None, **parameters: str) -> AppTest:
    """A page by its address, in a fresh session but for what is given."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    for key, value in (session or {}).items():
        app.session_state[key] = value
    asked = {"checkpoint": "tiny"} | parameters
    app.query_params.update(asked)
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.query_params.update(asked)
    app.run()
    assert_drawn(app)
    assert app.sidebar.selectbox(key="checkpoint").value == asked["checkpoint"]
    return app


def assert_drawn(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def follow(recipe: ViewRecipe) -> AppTest:
    """The view that a recipe's link opens for somebody else."""
    address = urlsplit(link(recipe))
    return open_page(address.path.strip("/"), **dict(parse_qsl(address.query, keep_blank_values=True)))


def pictures(app: AppTest) -> list[str]:
    """Everything on a page that holds pixels, as it is sent to the browser."""
    sent = [str(element.value) for element in app.get("html")]
    sent += [element.proto.json for element in app.get("bidi_component")]
    sent = [text.replace('"plays": true', '"plays": false') for text in sent]  # only while no frame is chosen
    return [text for text in sent if "data:image" in text or "ids" in text]


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def recipe_in(content: bytes) -> ViewRecipe:
    recipe = read(content)
    assert recipe is not None
    return recipe


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("page", "query", "_"), VIEWS.values(), ids=VIEWS.keys())
def test_a_link_opened_by_somebody_else_shows_the_same_pixels(
    page: str, query: dict[str, str], _: int, files: dict[str, Callable[[], bytes]]
) -> None:
    here = open_page(page, **query)
    picture = files["png"]()
    there = follow(recipe_in(picture))
    assert not here.warning and not there.warning
    assert pictures(here) == pictures(there) != []
    assert files["png"]() == picture
    assert query.items() <= recipe_in(picture).query.items()


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("page", "query", "num_lines"), VIEWS.values(), ids=VIEWS.keys())
def test_the_code_makes_the_same_picture(
    page: str, query: dict[str, str], num_lines: int, files: dict[str, Callable[[], bytes]], tmp_path: Path
) -> None:
    app = open_page(page, **query)
    picture = files["png"]()
    code = app.code[0].value
    assert code.strip() == python_code(recipe_in(picture)).strip()
    statements = [line for line in code.splitlines() if line and not line.startswith(("import", "from"))]
    assert len(statements) == num_lines
    assert np.array_equal(run(code, tmp_path), pixels(picture))


@pytest.mark.parametrize("name", BIGANS)
@pytest.mark.parametrize("page", ["sample", "reconstruct", "interpolate", "map"])
def test_what_a_shipped_model_shows_is_made_again_by_its_link_and_by_its_code(
    page: str, name: str, files: dict[str, Callable[[], bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(page, checkpoint=name)
    picture = files["png"]()
    follow(recipe_in(picture))
    assert files["png"]() == picture
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(ROOT / "checkpoints"))
    assert np.array_equal(run(app.code[0].value, tmp_path), pixels(picture))


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
    (saved,) = (path for path in folder.glob("*-*.png") if path.name != "your-picture.png")
    return pixels(saved.read_bytes())


@pytest.mark.usefixtures("shown")
def test_every_kind_of_picture_carries_the_recipe_of_its_view(
    files: dict[str, Callable[[], bytes]], tiny_model: BiGAN
) -> None:
    open_page("interpolate", a="sample:7:12:0.5", b="sample:7:13:0.5", path="straight line", steps="8", frame="3")
    png, gif, webp = (recipe_in(files[kind]()) for kind in ("png", "gif", "webp"))
    assert png == gif == webp
    assert png.query == {
        "mode": "Walk", "ends": "2", "path": "straight line", "steps": "8", "even": "false", "frame": "3",
        "a": "sample:7:12:0.5", "b": "sample:7:13:0.5",
    }  # fmt: skip
    z = np.load(io.BytesIO(files["npz"]()))["z"]
    ends = tiny_model.sample_latents(14, 7, 0.5)[12:].numpy()
    assert np.array_equal(z[[0, -1]], ends)
    assert png.latents_sha256 == latents_sha256(tiny_model.sample_latents(1, 0).new_tensor(z))
    assert png.versions.keys() == {"bigan", "torch", "python"}
    for kind, frames in (("gif", 8), ("webp", 8), ("png", 1)):
        assert getattr(Image.open(io.BytesIO(files[kind]())), "n_frames", 1) == frames


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("page", ["sample", "reconstruct", "interpolate", "map"])
def test_arrays_leave_with_the_model_and_the_recipe(page: str, files: dict[str, Callable[[], bytes]]) -> None:
    open_page(page)
    arrays = np.load(io.BytesIO(files["npz"]()), allow_pickle=False)
    recipe = recipe_in(files["png"]())
    assert str(arrays["checkpoint"]) == "tiny"
    assert str(arrays["weights_sha256"]) == recipe.weights_sha256
    assert ViewRecipe.from_json(str(arrays["recipe"])) == recipe


@pytest.mark.usefixtures("shown")
def test_tables_leave_with_ids(files: dict[str, Callable[[], bytes]]) -> None:
    open_page("sample", seed="7", count="16")
    rows = list(csv.DictReader(io.StringIO(files["csv"]().decode())))
    assert [row["source"] for row in rows] == [f"sample:7:{i}:1" for i in range(16)]
    assert np.load(io.BytesIO(files["npz"]()))["ids"].tolist() == [row["source"] for row in rows]
    open_page("map")
    rows = list(csv.DictReader(io.StringIO(files["csv"]().decode())))
    arrays = np.load(io.BytesIO(files["npz"]()))
    assert [row["id"] for row in rows] == arrays["ids"].tolist() == [f"square-{i:02d}" for i in range(60)]
    assert [[float(row["x"]), float(row["y"])] for row in rows] == arrays["map_latent"].tolist()


def arrays_in(content: bytes) -> dict[str, np.ndarray]:
    return dict(np.load(io.BytesIO(content), allow_pickle=False))


def test_samples_around_one_and_their_mean_leave_as_pictures_and_arrays(
    files: dict[str, Callable[[], bytes]], shown: Path
) -> None:
    model = checkpoint.load(shown)  # with the weights as they are stored
    open_page("sample", seed="3", cell="5", radius="0.5")
    centre = model.sample_latents(5, 3)[-1]
    z = around(model, centre, 36, 0.5, 3)
    arrays, recipe = arrays_in(files["around.npz"]()), recipe_in(files["around.png"]())
    assert np.array_equal(arrays["z"], z.numpy()) and str(arrays["centre"]) == "sample:3:4:1"
    assert recipe.latents_sha256 == latents_sha256(z) and recipe.query["radius"] == "0.5"
    expected = mosaic(model.generate(z), 12, SAMPLE_SCALE)
    assert np.array_equal(pixels(files["around.png"]()), pixels(png_bytes(expected)))
    open_page("sample", seed="3", cell="5", ask="The mean of several", **{"with": "2"})
    arrays, recipe = arrays_in(files["mean.npz"]()), recipe_in(files["mean.png"]())
    two = model.sample_latents(5, 3)[[1, 4]]
    means = torch.stack([mean_latent(two, model.config.prior), two.mean(0)])
    assert np.allclose(arrays["z"], means) and arrays["ids"].tolist() == ["sample:3:1:1", "sample:3:4:1"]
    assert (recipe.query["with"], recipe.query["cell"]) == ("2", "5")


def test_a_selection_on_the_map_leaves_with_its_images_and_latents(
    files: dict[str, Callable[[], bytes]], shown: Path
) -> None:
    model, gallery = checkpoint.load(shown), load_gallery(shown)
    assert gallery is not None
    open_page("map", area="square-07 square-31 square-22", hide="1")
    arrays, recipe = arrays_in(files["selection.npz"]()), recipe_in(files["selection.png"]())
    assert arrays["ids"].tolist() == ["square-07", "square-22"]  # the class of the third is hidden
    rows = [7, 22]
    assert np.array_equal(arrays["images"], gallery.images[rows]) and arrays["labels"].tolist() == [7, 2]
    assert np.allclose(arrays["latents"], model.encode(gallery.images[rows].float() / 255), atol=1e-5)
    assert recipe.latents_sha256 == latents_sha256(torch.from_numpy(arrays["latents"]))
    assert (recipe.query["area"], recipe.query["hide"]) == ("square-07 square-31 square-22", "1")
    rows_of_table = list(csv.DictReader(io.StringIO(files["selection.csv"]().decode())))
    assert [(row["id"], row["label"]) for row in rows_of_table] == [("square-07", "7"), ("square-22", "2")]


def test_favourites_leave_with_the_latents_that_were_chosen_and_come_back_to_somebody_else(
    files: dict[str, Callable[[], bytes]], shown: Path
) -> None:
    model = checkpoint.load(shown)  # with the weights as they are stored
    app = open_page("sample", ask="Favourites", seed="3", cell="5")
    app.button(key="favourite").click().run()
    app.number_input(key="cell").set_value(2).run()
    app.button(key="favourite").click().run()
    arrays, z = arrays_in(files["favourites.npz"]()), model.sample_latents(5, 3)[[4, 1]]
    assert np.array_equal(arrays["z"], z.numpy()) and np.allclose(arrays["x"], model.generate(z), atol=1e-5)
    assert arrays["ids"].tolist() == ["sample:3:4:1", "sample:3:1:1"]
    picture = files["favourites.png"]()
    assert np.array_equal(pixels(picture), pixels(png_bytes(mosaic(torch.from_numpy(arrays["x"]), 2, SAMPLE_SCALE))))
    somebody = bring(open_page("reconstruct", way="Upload"), picture)
    (proto,) = offered(somebody)
    assert "favourites" not in dict(parse_qsl(proto.query_string)) and proto.page == "sample"
    assert somebody.session_state["favourites-kept"] == {"tiny": ["sample:3:4:1", "sample:3:1:1"]}


def test_what_one_asks_of_a_reconstruction_leaves_with_its_numbers(
    files: dict[str, Callable[[], bytes]], shown: Path
) -> None:
    model = checkpoint.load(shown)  # with the weights as they are stored
    gallery = load_gallery(shown)
    assert gallery is not None
    x = gallery.image("square-23")
    app = open_page("reconstruct", source="gallery:square-23", **{"z-seed": "7"})
    table = pair_table(model, x, 7)
    four = table.encoder_pair, table.random_pair, table.reconstruction_pair, table.generator_pair
    rows = list(csv.DictReader(io.StringIO(files["pairs.csv"]().decode())))
    assert [(row["pair"], float(row["logit"])) for row in rows] == [
        (pair.name, pytest.approx(pair.logit)) for pair in four
    ]
    names = [f"D{pair.name}: {100 / (1 + math.exp(-pair.logit)):.0f} % encoder pair" for pair in four]
    sheet = panels([mosaic(pair.image[None], 1, RECONSTRUCTION_SCALE) for pair in four], names)
    assert np.array_equal(pixels(files["pairs.png"]()), pixels(png_bytes(sheet)))
    assert recipe_in(files["pairs.png"]()).query["z-seed"] == "7"
    found = repeat(model, x)
    open_page("reconstruct", source="gallery:square-23", ask="Again and again")
    assert np.allclose(arrays_in(files["rounds.npz"]())["z"], found.latents, atol=1e-5)
    rows = list(csv.DictReader(io.StringIO(files["rounds.csv"]().decode())))
    assert [float(row["distance from x"]) for row in rows] == pytest.approx(found.distances.tolist(), abs=1e-4)
    assert recipe_in(files["rounds.png"]()).query["ask"] == "Again and again"
    app = open_page("reconstruct", source="gallery:square-23", ask="How good could it be")
    app.button(key="descend").click().run()
    app.button(key="cancel").click().run()
    arrays = arrays_in(files["best.npz"]())
    encoded, best = torch.from_numpy(arrays["z"])
    assert torch.allclose(encoded, model.encode(x)[0], atol=1e-5)
    assert np.allclose(model.generate(best[None])[0], arrays["x"][2], atol=1e-5)
    distance = (x[0] - torch.from_numpy(arrays["x"][2])).norm().item()
    assert distance == pytest.approx(min(arrays["from_encoder"][-1], arrays["from_random"][-1]), rel=1e-4)


def test_an_edit_leaves_as_a_picture_an_animation_and_arrays_that_hold_it(
    files: dict[str, Callable[[], bytes]], shown: Path
) -> None:
    model = checkpoint.load(shown)  # with the weights as they are stored
    open_page("edit", a="sample:3:1:1", direction="class-5-3", strength="2", changed="4_-50")
    gallery = load_gallery(shown)
    assert gallery is not None
    way, start = find_direction("class-5-3", index_gallery(model, gallery)), model.sample_latents(2, 3)[1]
    changed = start.clone()
    changed[3] = -0.5
    arrays = arrays_in(files["npz"]())
    assert np.allclose(arrays["z"], torch.stack([start, changed + 2 * way.standard_deviation * way.vector]), atol=1e-5)
    assert np.allclose(arrays["x"], model.generate(torch.from_numpy(arrays["z"])), atol=1e-5)
    assert np.allclose(arrays["direction"], way.vector, atol=1e-5)
    assert str(arrays["source"]) == "edit:class-5-3:2:free:4_-50:sample:3:1:1"
    assert recipe_in(files["gif"]()) == recipe_in(files["png"]()) == ViewRecipe.from_json(str(arrays["recipe"]))
    film = Image.open(io.BytesIO(files["gif"]()))
    assert getattr(film, "n_frames", 1) == 2 * len(editing.FILM)
    film.seek(len(editing.FILM) - 1)  # the end, 3 standard deviations
    last = model.generate((changed + 3 * way.standard_deviation * way.vector)[None])
    shown_last = pixels(png_bytes(mosaic(last, 1, EDIT_SCALE)))[..., :3].astype(int)
    assert np.abs(np.asarray(film.convert("RGB")).astype(int) - shown_last).max() <= 1


def test_a_table_survives_commas_quotes_and_lines() -> None:
    table = {"name": ['a "b", c', "two\nlines", "é"], "value": [1.5, "", None]}
    rows = list(csv.reader(io.StringIO(downloads.csv_bytes(table).decode(), newline="")))
    assert rows == [["name", "value"], ['a "b", c', "1.5"], ["two\nlines", ""], ["é", ""]]


# Ways back


def choose_upload(app: AppTest, letter: str) -> None:
    """Open where an end of a walk comes from, at the place for files."""
    app.session_state[f"{letter}-choose"] = True
    app.run()
    app.segmented_control(key=f"{letter}-way").set_value("Upload").run()


def bring(app: AppTest, content: bytes, name: str = "view.png") -> AppTest:
    app.file_uploader[0].set_value([(name, content, "image/png")]).run()
    assert_drawn(app)
    return app


def staying(app: AppTest) -> list[str]:
    """What is said of a person's own picture beside a link."""
    return [one.value for one in app.markdown if "does not travel" in one.value]


def open_view(app: AppTest) -> None:
    """Press the button that a picture offers."""
    next(button for button in app.button if button.label.startswith("Open the view")).click().run()
    assert_drawn(app)


def offered(app: AppTest) -> list[Any]:
    return [element.proto for element in app.get("page_link") if element.proto.label.startswith("Open the view")]


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("kind", ["png", "gif", "webp"])
def test_a_picture_brought_back_opens_the_view_it_was_made_in(kind: str, files: dict[str, Callable[[], bytes]]) -> None:
    open_page("interpolate", a="sample:7:12:0.5", b="gallery:square-23", steps="8")
    picture = files[kind]()
    app = bring(open_page("reconstruct", way="Upload"), picture)
    assert not app.warning
    assert not str(app.text_input(key="source").value).startswith("upload:")  # it is not taken for a person's picture
    (proto,) = offered(app)
    assert proto.page == "interpolate"
    assert "/interpolate?" + proto.query_string.removeprefix("link=&") == link(recipe_in(picture))


@pytest.mark.usefixtures("shown")
def test_a_walk_is_opened_again_from_another_view_of_its_page(files: dict[str, Callable[[], bytes]]) -> None:
    chosen = {"ends": "3", "path": "great arc", "steps": "8", "even": "true", "frame": "2", "c": "sample:3:0:1"}
    open_page("interpolate", **chosen)
    picture = files["png"]()
    app = open_page("interpolate", mode="Sheet", corners="3")
    choose_upload(app, "a")
    bring(app, picture)
    open_view(app)
    assert files["png"]() == picture


# Page, the view of a picture, and what one looks at when it is brought back: it must leave no trace
OTHER_VIEWS = {
    "reconstruct": ({}, {"source": "sample:7:12:0.5", "way": "Upload", "ask": "Again and again", "z-seed": "7"}),
    "edit": (
        {"a": "sample:3:1:1", "strength": "1"},
        {"a": "square", "direction": "component-2", "changed": "2_75", "inside": "true", "sliders": "10"},
    ),
    "map": (
        {"colour": "error", "hide": "3", "view": "400,400,300"},
        {
            "space": "pixels",
            "area": "square-00 square-11",
            "spot": "latent:500,500",
            "view": "500,500,400",
            "colour": "off_prior",
            "range": "1,",
            "all": "true",
            "epochs": "true",
        },
    ),
}


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("page", "chosen", "other"), [(page, *views) for page, views in OTHER_VIEWS.items()])
def test_a_view_opened_on_its_own_page_takes_nothing_over_from_what_was_there(
    page: str, chosen: dict[str, str], other: dict[str, str], files: dict[str, Callable[[], bytes]]
) -> None:
    open_page(page, **chosen)
    picture = files["png"]()
    app = open_page(page, **other)
    if page == "edit":
        choose_upload(app, "a")
    assert recipe_in(files["png"]()).query != recipe_in(picture).query
    bring(app, picture)
    open_view(app)
    assert recipe_in(files["png"]()).query == recipe_in(picture).query
    assert files["png"]() == picture


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("page", ["edit", "reconstruct"])
def test_a_view_between_two_selections_comes_back_with_its_file_and_not_with_its_link(
    page: str, files: dict[str, Callable[[], bytes]]
) -> None:
    edit = {"a": "sample:3:1:1", "direction": "selections", "strength": "-2"}
    if page == "reconstruct":
        edit = {"source": "edit:selections:-2:free::sample:3:1:1", "way": "Upload"}
    kept = {"A": ("tiny", ("square-00",)), "B": ("tiny", ("square-17", "square-18"))}
    here = open_page(page, **edit, session={"kept-selections": kept})
    picture = files["png"]()
    assert "ids-a" in recipe_in(picture).query and "ids-a" not in link(recipe_in(picture))
    assert page != "edit" or any("Your selections do not travel in this link" in one.value for one in here.markdown)
    somebody = open_page(page, **({"way": "Upload"} if page == "reconstruct" else {}))
    if page == "edit":
        choose_upload(somebody, "a")
    bring(somebody, picture)
    open_view(somebody)
    assert somebody.session_state["kept-selections"] == kept
    assert files["png"]() == picture


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("page", ["reconstruct", "map", "interpolate"])
def test_a_persons_own_picture_comes_back_with_the_file_for_somebody_else(
    page: str, files: dict[str, Callable[[], bytes]]
) -> None:
    here = open_page(page, **({"way": "Upload"} if page == "reconstruct" else {}))
    key = "b" if page == "interpolate" else "source"
    if page == "interpolate":
        choose_upload(here, key)
    here.file_uploader(key=f"{key}-files").set_value([STROKE]).run()
    assert_drawn(here)
    assert str(here.text_input(key=key).value).startswith("upload:")
    picture = files["png"]()
    elsewhere = open_page("reconstruct", way="Upload") if page == "map" else open_page("map")
    somebody = bring(elsewhere, picture, "<b>sent</b>.png")
    (proto,) = offered(somebody)
    query = dict(parse_qsl(proto.query_string))
    assert query[key] != recipe_in(picture).query[key]
    somebody.switch_page(f"pages/{page}.py")
    somebody.query_params.update(query)
    somebody.run()
    assert_drawn(somebody)
    assert not somebody.warning
    assert np.array_equal(pixels(files["png"]()), pixels(picture))
    assert not any("<b>sent</b>" in str(element.value) for element in somebody.get("html"))


@pytest.mark.usefixtures("shown")
def test_the_code_for_a_persons_own_picture_reads_their_file(
    files: dict[str, Callable[[], bytes]], tmp_path: Path
) -> None:
    app = open_page("reconstruct", way="Upload")
    assert not staying(app)
    app.file_uploader(key="source-files").set_value([STROKE]).run()
    (said,) = staying(app)
    assert "send the PNG from here" in said and "send your file along" in said
    (tmp_path / "your-picture.png").write_bytes(STROKE[1])
    assert np.array_equal(run(app.code[0].value, tmp_path), pixels(files["png"]()))


def test_a_view_of_a_model_that_is_not_here_or_another_one_is_refused_in_a_sentence(
    shown: Path, files: dict[str, Callable[[], bytes]], tiny_model: BiGAN
) -> None:
    open_page("sample", seed="7")
    picture = files["png"]()
    other = shown.parent / "other"
    shown.rename(other)
    app = bring(open_page("reconstruct", checkpoint="other", way="Upload"), picture)
    assert app.warning[0].value.replace("\\", "") == ("view.png: It was made with the model tiny, which is not here.")
    assert not offered(app)
    checkpoint.save(BiGAN(tiny_model.config).initialise(0), shown)
    app = bring(open_page("reconstruct", checkpoint="other", way="Upload"), picture)
    assert "It was made with other weights than the model tiny has here" in app.warning[0].value.replace("\\", "")
    (shown / "model.safetensors").write_bytes(b"damaged")
    app = bring(open_page("reconstruct", checkpoint="other", way="Upload"), picture)
    assert "tiny, which cannot be opened" in app.warning[0].value.replace("\\", "")


@pytest.mark.usefixtures("shown")
def test_a_damaged_recipe_is_said_to_be_one_and_the_picture_is_used_as_any_other() -> None:
    text = json.dumps({"format": 1, "page": "<script>"})
    app = bring(open_page("reconstruct", way="Upload"), containers.with_text(drawing(1), "bigan-view", text))
    assert str(app.text_input(key="source").value).startswith("upload:")
    assert any("The recipe in the file" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("shown")
def test_a_view_of_a_page_that_does_not_exist_is_refused(files: dict[str, Callable[[], bytes]]) -> None:
    open_page("sample")
    text = recipe_in(files["png"]()).to_json().replace('"page":"sample"', '"page":"tomorrow"')
    app = bring(open_page("reconstruct", way="Upload"), containers.with_text(files["png"](), "bigan-view", text))
    assert "this version of the app does not have" in app.warning[0].value
