"""The map: what is packed for the browser, where an image is placed, and what the page says in every case."""

import base64
import decimal
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.arrays import write_arrays
from bigan.benchmark.drawings import drawing
from bigan.explore.areas import box
from bigan.explore.gallery import Gallery, load_gallery
from bigan.explore.projection import SPACES, Projection, load_projection, save_projection, space_features
from bigan.models.bigan import BiGAN
from bigan.records import REPLAY_FILE
from bigan.ui import map_colours, map_component, map_places, sources
from bigan.ui.loaders import OpenCheckpoint

ROOT = Path(__file__).parents[1]
SECONDS = 60


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])  # and not those that are shipped
    return folder


@pytest.fixture
def opened(shown: Path) -> OpenCheckpoint:
    return OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)


def gallery_of(folder: Path) -> Gallery:
    gallery = load_gallery(folder)
    assert gallery is not None
    return gallery


def projection_of(folder: Path) -> Projection:
    projection = load_projection(folder)
    assert projection is not None
    return projection


def open_map(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/map.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def all_component_data(app: AppTest) -> list[dict[str, Any]]:
    """What each canvas was given."""
    canvases = [one.proto for one in app.get("bidi_component") if one.proto.component_name == "bigan.map"]
    return [json.loads(one.json)[0] for one in canvases if one.json]


def component_data(app: AppTest) -> dict[str, Any]:
    """What the canvas was given."""
    return all_component_data(app)[0]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption, *app.header, *app.warning))


# The points


def unpacked(packed: bytes, num_images: int) -> tuple[str, dict[str, Any], np.ndarray, dict[str, np.ndarray], bytes]:
    """An independent reading of the packed points: key, header, labels, places per space, picture."""
    size = int.from_bytes(packed[16:20], "little")
    header = json.loads(packed[20 : 20 + size])
    at = 20 + size
    labels = np.frombuffer(packed, np.uint8, num_images, at)
    at += num_images
    places = {}
    for space in header["spaces"]:
        places[space["name"]] = np.frombuffer(packed, "<u2", 2 * num_images, at).reshape(-1, 2) / 65535
        at += 4 * num_images
    return packed[:16].decode(), header, labels, places, packed[at:]


def test_packed_points_hold_ids_labels_places_and_pictures(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    _, header, labels, places, picture = unpacked(map_component.pack(gallery, projection), len(gallery))
    assert tuple(header["ids"]) == gallery.ids
    assert tuple(header["classNames"]) == gallery.class_names
    assert labels.tolist() == gallery.labels.tolist()
    assert tuple(places) == SPACES
    sprite = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), float)
    columns, (width, height) = header["columns"], header["tile"]
    for i in (0, 7, 59):
        row, column = divmod(i, columns)
        tile = sprite[row * height : (row + 1) * height, column * width : (column + 1) * width]
        assert np.abs(tile - gallery.images[i, 0].numpy()).mean() < 12  # lossy: alike to the eye


def test_places_keep_the_shape_of_the_map_and_turn_it_downwards(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    *_, places, _ = unpacked(map_component.pack(gallery, projection), len(gallery))
    for space in SPACES:
        coordinates = projection.maps[space].coordinates.numpy().astype(float)
        spans = coordinates.max(0) - coordinates.min(0)
        inside = places[space]
        assert inside.min() >= 0 and inside.max() <= 1
        # one scale for both axes: distances are those of the map, in shares of its longer side
        expected = np.linalg.norm(coordinates[:, None] - coordinates, axis=-1) / spans.max()
        np.testing.assert_allclose(np.linalg.norm(inside[:, None] - inside, axis=-1), expected, atol=1e-4)
        assert inside[coordinates[:, 1].argmax(), 1] == inside[:, 1].min()


def test_class_names_stand_at_the_medians(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    _, header, labels, places, _ = unpacked(map_component.pack(gallery, projection), len(gallery))
    for space in header["spaces"]:
        for label, median in enumerate(space["medians"]):
            of_class = places[space["name"]][labels == label]
            np.testing.assert_allclose(median, np.median(of_class, axis=0), atol=2e-4)


def test_a_class_without_images_has_no_name_on_the_map(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    names = Gallery(gallery.images, gallery.labels, gallery.ids, (*gallery.class_names, "ten"), "squares")
    _, header, *_ = unpacked(map_component.pack(names, projection), len(gallery))
    assert all(space["medians"][10] is None for space in header["spaces"])


def test_packing_is_the_same_twice_so_that_the_points_travel_once(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    assert map_component.pack(gallery, projection) == map_component.pack(gallery, projection)


def test_another_map_has_another_key(mapped_checkpoint: Path) -> None:
    gallery, projection = gallery_of(mapped_checkpoint), projection_of(mapped_checkpoint)
    keys = {map_component.pack(gallery, projection)[:16]}
    projection.maps["latent"].coordinates[0] += 1
    keys.add(map_component.pack(gallery, projection)[:16])
    assert len(keys) == 2


def test_a_map_whose_points_coincide_is_packed() -> None:
    frame = box(np.ones((5, 2), np.float32))
    np.testing.assert_array_equal(frame.inside(np.ones((5, 2), np.float32)), np.full((5, 2), 0.5))
    assert min(frame.extent) > 0


# Neighbours and places


@pytest.mark.parametrize("space", SPACES)
def test_neighbours_are_the_nearest_in_the_space_and_never_the_image_itself(space: str, opened: OpenCheckpoint) -> None:
    gallery = opened.gallery
    assert gallery is not None
    resolved = sources.resolve_source("gallery:square-07", opened)
    found = map_places.neighbours(opened, resolved, space)
    features = space_features(opened.model, gallery.images, space).double()
    distances = (features - features[7]).norm(dim=1)
    distances[7] = float("inf")
    assert [neighbour.index for neighbour in found] == distances.argsort()[:5].tolist()


@pytest.mark.parametrize("space", SPACES)
def test_an_image_from_elsewhere_is_placed_by_its_nearest_in_the_space(space: str, opened: OpenCheckpoint) -> None:
    gallery, projection = opened.gallery, opened.projection
    assert gallery is not None and projection is not None
    resolved = sources.resolve_source("sample:1:0:1", opened)
    placed = map_places.placement(opened, projection, resolved, space)
    features = space_features(opened.model, gallery.images, space).double()
    distances = (features - space_features(opened.model, resolved.x, space).double()).norm(dim=1)
    nearest = distances.argsort()[:15]
    weights = 1 / distances[nearest]
    expected = (weights[:, None] * projection.maps[space].coordinates[nearest]).sum(0) / weights.sum()
    torch.testing.assert_close(placed.place.double(), expected, rtol=1e-3, atol=1e-3)
    assert "15 nearest digits" in placed.words


# The page


@pytest.mark.usefixtures("shown")
def test_map_begins_with_an_image_of_the_gallery_picked() -> None:
    data = component_data(open_map())
    assert data["picked"].startswith("square-")
    assert len(data["neighbours"]) == 5 and data["picked"] not in data["neighbours"]
    assert data["star"] is None
    assert data["space"] == "latent"


@pytest.mark.usefixtures("shown")
def test_map_restores_the_picked_image_and_the_space_from_the_address() -> None:
    app = open_map(source="gallery:square-17", space="penultimate")
    data = component_data(app)
    assert (data["picked"], data["space"]) == ("square-17", "penultimate")
    assert "Digit “7”" in texts(app) and "square-17" in texts(app)


@pytest.mark.usefixtures("shown")
def test_map_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    alt = component_data(open_map(source="gallery:square-17"))["alt"]
    for word in ("60 digits", "E(x)", "square-17", "Arrow keys"):
        assert word in alt


@pytest.mark.usefixtures("shown")
def test_a_sample_lands_on_the_map_as_a_star_and_stays_when_another_image_is_picked() -> None:
    landed = component_data(open_map(source="sample:3:2:1"))
    assert landed["picked"] == "star"
    assert landed["star"]["kind"] == "generated"
    assert all(0 <= landed["star"][axis] <= 1 for axis in "xy")
    stayed = component_data(open_map(source="gallery:square-05", star="sample:3:2:1"))
    assert stayed["picked"] == "square-05"
    assert stayed["star"] == landed["star"]


@pytest.mark.usefixtures("shown")
def test_an_upload_lands_as_a_star_with_a_sentence_how_it_was_placed() -> None:
    app = open_map()
    app.file_uploader[0].set_value(("mine.png", drawing(4), "image/png"))
    app.run()
    assert not app.exception and not app.error
    data = component_data(app)
    assert data["picked"] == "star"
    assert data["star"]["name"] == "your image"
    assert "mean of those of its 15 nearest" in texts(app)


@pytest.mark.usefixtures("shown")
def test_an_upload_that_is_no_picture_gets_a_sentence_and_the_map_stays() -> None:
    app = open_map(source="gallery:square-11")
    app.file_uploader[0].set_value(("mine.png", b"not a picture", "image/png"))
    app.run()
    assert not app.exception and not app.error
    assert any("mine" in warning.value for warning in app.warning)
    assert component_data(app)["picked"] == "square-11"


@pytest.mark.parametrize("source", ["gallery:opencv-0001", "upload:0123456789ab:digit", "nonsense"])
@pytest.mark.usefixtures("shown")
def test_a_link_to_what_is_not_there_says_so_and_shows_another_image(source: str) -> None:
    app = open_map(source=source, star=source)
    assert app.warning
    data = component_data(app)
    assert data["picked"].startswith("square-")
    assert data["star"] is None


@pytest.mark.usefixtures("shown")
def test_what_the_address_asks_for_in_vain_is_named_and_the_map_is_drawn() -> None:
    asked = {"space": "no", "colour": "<b>", "all": "maybe", "spot": "x", "view": "1,2", "area": "square"}
    (said,) = [one.value.replace("\\", "") for one in open_map(**asked).warning]
    for key, text in asked.items():
        assert said.count(f"{key} “{text}” (shown instead: ") == 1
    assert open_map(area="latent:1,2,3").warning  # no line has one corner and a half
    usual = {"space": "E(x)", "colour": "Label", "all": "false", "area": "latent:1,1,1,2,2,2", "view": "500,500,400"}
    assert not open_map(**usual).warning


def values_of(data: dict[str, Any]) -> np.ndarray:
    """What each point is coloured by, as the canvas was given it."""
    return np.frombuffer(base64.b64decode(data["values"]), np.uint8)


@pytest.mark.usefixtures("shown")
def test_the_lesson_leads_to_the_map_coloured_by_what_it_speaks_of() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/learn.py")
    app.query_params.update({"checkpoint": "tiny", "lesson": "maps", "screen": "3"})
    app.run()
    radio = app.main.radio[0]
    radio.set_value(re.sub(r"\\(.)", r"\1", radio.options[0])).run()  # what its label escapes
    (link,) = [one.proto for one in app.get("page_link") if one.proto.label.startswith("See on the map")]
    asked = dict(parse_qsl(link.query_string))
    landed = open_map(space=asked["space"], colour=asked["colour"])
    assert not landed.warning
    assert landed.selectbox(key="colour-by").value == "local_quality"
    assert component_data(landed)["values"] is not None
    titled = open_map(space=asked["space"], colour="Local quality of this map")
    assert component_data(titled)["values"] == component_data(landed)["values"]


@pytest.mark.parametrize("value", [0.0, 1e-7, 0.1009, 13.2489, -3.00005, 99995.0])
def test_the_ends_of_the_filter_are_rounded_outwards_once(value: float) -> None:
    for rounding, holds in ((decimal.ROUND_FLOOR, float.__le__), (decimal.ROUND_CEILING, float.__ge__)):
        text = map_colours._outwards(value, rounding)
        assert holds(float(text), value) and float(text) == pytest.approx(value, rel=1e-3)
        assert map_colours._outwards(float(text), rounding) == text


def test_the_filter_hides_what_lies_outside_its_range_and_stays_in_the_address(opened: OpenCheckpoint) -> None:
    index = opened.index
    assert index is not None
    errors = index.distances.numpy()
    middle = float(f"{np.median(errors):.4g}")
    app = open_map(colour="error", range=f",{middle}", area="latent:0,0,1001,0,1001,1001,0,1001")
    shown = errors <= middle
    assert 0 < shown.sum() < 60
    assert ((values_of(component_data(app)) != 255) == shown).all()
    assert f"{shown.sum()} of 60 shown" in texts(app)
    assert f"{shown.sum()} selected" in texts(app)  # of an area around all points
    low, high = app.slider[0].value
    assert (low, high) == pytest.approx((errors.min(), middle))
    app.slider[0].set_range(float(middle), float(errors.max())).run()
    least, _, most = str(app.text_input(key="range").value).partition(",")
    assert float(least) == pytest.approx(middle, rel=0.01) and most == ""
    assert ((values_of(component_data(app)) != 255) == (errors >= float(least))).all()
    greatest = float(errors.max())
    app.slider[0].set_range(greatest, greatest).run()
    shown = values_of(component_data(app)) != 255
    assert shown[errors.argmax()] and shown.sum() < 6, "the farthest one, and what four digits do not tell from it"
    app.selectbox(key="colour-by").set_value("off_prior").run()
    assert app.text_input(key="range").value == "" and app.text_input(key="colour").value == "off_prior"
    assert (values_of(component_data(app)) != 255).all()


@pytest.mark.usefixtures("shown")
def test_all_spaces_hold_the_same_selection_and_each_its_own_view() -> None:
    views = {"view-pixels": "400,500,200", "view-penultimate": "600,500,300"}
    app = open_map(all="true", area="square-00 square-11 square-07", hide="7", **views)
    maps = {data["space"]: data for data in all_component_data(app)}
    assert tuple(maps) == SPACES
    assert {data["selection"] for data in maps.values()} == {"square-00 square-11 square-07"}
    assert {data["hidden"] for data in maps.values()} == {"7"}
    assert "2 selected" in texts(app)  # what is hidden is not
    assert [maps[space]["view"] for space in SPACES] == ["400,500,200", "", "600,500,300"]


def test_the_epochs_open_at_the_frame_that_the_address_names(shown: Path) -> None:
    ids = gallery_of(shown).ids
    latents = np.random.default_rng(0).normal(size=(3, 60, checkpoint.load(shown).config.latent_dim))
    few = np.zeros((3, 4, 1, 28, 28), np.uint8)
    write_arrays(
        shown / REPLAY_FILE, epochs=np.array([0, 5, 9]), generated=few, originals=few[0], reconstructed=few,
        latents=latents.astype(np.float16), ids=np.array(ids),
    )  # fmt: skip
    assert not [one for one in open_map().get("bidi_component") if "After 5 epochs" in one.proto.json]
    app = open_map(epochs="true", **{"epoch-frame": "1"})
    (film,) = [json.loads(one.proto.json) for one in app.get("bidi_component") if "After 5 epochs" in one.proto.json]
    assert film["at"] == 1 and len(film["words"]) == 3
    assert "epochs=true" in app.code[1].value and "epoch-frame=1" in app.code[1].value


@pytest.mark.usefixtures("shown")
def test_a_selection_shows_what_tells_it_from_the_rest_and_leads_to_edit() -> None:
    app = open_map(area="square-00 square-10 square-20")
    (strip,) = [one.proto.body for one in app.get("html") if "What tells them from the rest" in one.proto.body]
    assert "Outside the prior: " in strip
    app.button(key="keep-rest").click().run()
    assert not app.exception and not app.error
    assert [one.proto.page for one in app.get("page_link") if one.proto.label == "Follow it"] == ["edit"]
    held = {name: ids for name, (_, ids) in app.session_state["kept-selections"].items()}
    assert held["B"] == ("square-00", "square-10", "square-20")
    assert len(held["A"]) == 57 and not set(held["A"]) & set(held["B"])


@pytest.mark.usefixtures("shown")
def test_what_is_kept_of_the_selections_stands_beside_them() -> None:
    app = open_map(area="square-00 square-11")
    assert "Kept" not in texts(app)
    app.button(key="keep-A").click().run()
    assert "Kept **A: 2 images**. Keep another selection as B" in texts(app)
    app.text_input(key="area").set_value("square-07").run()
    app.button(key="keep-B").click().run()
    assert "Kept **A: 2 images**, **B: 1 image**. The Edit page" in texts(app)
    (link,) = [one.proto for one in app.get("page_link") if one.proto.label == "Follow it"]
    assert (link.page, "direction=selections" in link.query_string) == ("edit", True)


@pytest.mark.usefixtures("shown")
def test_map_shows_how_far_it_can_be_trusted_and_its_points_as_a_table() -> None:
    app = open_map()
    said = texts(app) + "".join(element.proto.body for element in app.get("html"))
    for number in ("0.900", "80.0 %", "95.0 %", "mean little"):
        assert number in said
    app.session_state["open-The 60 points as a table"] = True
    table = app.run().dataframe[0].value
    assert list(table.columns) == ["id", "label", "x", "y"]
    assert len(table) == 60


def test_a_checkpoint_without_a_map_names_the_command_that_makes_one(shown: Path) -> None:
    (shown / "projection.npz").unlink()
    assert "`python -m bigan project tiny`" in texts(open_map())


def test_the_map_of_another_gallery_is_not_shown(shown: Path) -> None:
    projection = projection_of(shown)
    save_projection(replace(projection, ids=tuple(f"other-{i}" for i in range(60))), shown)
    app = open_map()
    assert "`python -m bigan project tiny`" in texts(app)
    assert not app.main.get("bidi_component")


def test_a_map_made_with_other_weights_is_none(shown: Path) -> None:
    checkpoint.save(BiGAN(checkpoint.load(shown).config).initialise(seed=1), shown)
    app = open_map()
    assert "has no map yet: `python -m bigan project tiny`" in texts(app)
    assert not app.main.get("bidi_component")


def test_a_broken_map_is_one_sentence(shown: Path) -> None:
    (shown / "projection.npz").write_bytes(b"not arrays")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/map.py").run()
    assert not app.exception
    assert "projection" in app.error[0].value
