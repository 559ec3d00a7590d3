"""What leaves a page finds its way back: links show the same pixels, files carry recipes, code makes the pictures."""

import csv
import io
import json
import os
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest

from bigan import checkpoint, containers
from bigan.benchmark.drawings import drawing
from bigan.models.bigan import BiGAN
from bigan.records import read_config
from bigan.ui import downloads
from bigan.view_code import python_code
from bigan.view_recipe import ViewRecipe, latents_sha256, link, read

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "checkpoints").glob("*/config.json"))
BIGANS = [folder.name for folder in FOLDERS if read_config(folder).is_bigan]  # which every page can be shown with
SECONDS = 60
STROKE = ("stroke.png", drawing(1), "image/png")

# Page, what is chosen on it (not only defaults), and the length of its code without the imports
VIEWS = {
    "sample": ("sample", {"seed": "7", "count": "25", "truncation": "0.5", "order": "by D's opinion"}, 3),
    "default sample": ("sample", {}, 3),
    "gallery image": ("reconstruct", {"source": "gallery:square-23"}, 3),
    "question": ("reconstruct", {"source": "gallery:square-23", "ask": "Again and again"}, 3),
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
            "colour": "Reconstruction error",
            "source": "gallery:square-17",
        },
        3,
    ),
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
    """What the buttons of the last page would give, by the label in the file's ending."""
    found: dict[str, Callable[[], bytes]] = {}
    add = MediaFileManager.add_deferred

    def watched(self: Any, data: Any, mimetype: Any, coordinates: Any, file_name: Any = None, **options: Any) -> str:
        if "-around-" not in file_name:  # what the Sample page makes beside its grid
            found[file_name.rpartition(".")[2]] = data
        return add(self, data, mimetype, coordinates, file_name, **options)

    monkeypatch.setattr(MediaFileManager, "add_deferred", watched)
    return found


def open_page(page: str, **parameters: str) -> AppTest:
    """A page in a fresh session, by its address."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
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
    next(button for button in app.button if button.label.startswith("Open the view")).click().run()
    assert_drawn(app)
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
    assert any("The recipe in the picture" in caption.value for caption in app.caption)


@pytest.mark.usefixtures("shown")
def test_a_view_of_a_page_that_does_not_exist_is_refused(files: dict[str, Callable[[], bytes]]) -> None:
    open_page("sample")
    text = recipe_in(files["png"]()).to_json().replace('"page":"sample"', '"page":"tomorrow"')
    app = bring(open_page("reconstruct", way="Upload"), containers.with_text(files["png"](), "bigan-view", text))
    assert "this version of the app does not have" in app.warning[0].value
