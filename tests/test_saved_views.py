"""A picture from this app is brought back on any page, and opens the view it was made in."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from bigan import checkpoint, containers
from bigan.explore.gallery import load_gallery
from bigan.models.bigan import BiGAN
from bigan.ui import downloads, saved_views, selections, state
from bigan.ui.loaders import OpenCheckpoint
from bigan.view_recipe import embed

APP, SECONDS = Path(__file__).parents[1] / "app.py", 60


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenCheckpoint:
    folder = shutil.copytree(mapped_checkpoint, tmp_path / "places" / "tiny")
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(folder.parent))
    return OpenCheckpoint("tiny", folder, checkpoint.load(folder).config)


@pytest.fixture
def picture(shown: OpenCheckpoint, tiny_model: BiGAN) -> bytes:
    """A black dot that says it was made on the Sample page."""
    z = tiny_model.sample_latents(25, 7)
    return embed(dot(), downloads.recipe(shown, state.SAMPLE, z, [], seed=7, count=25))


def dot() -> bytes:
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    return file.getvalue()


def bring(page: str, content: bytes) -> AppTest:
    """A page in a fresh session, on which a file was brought to the sidebar."""
    app = AppTest.from_file(str(APP), default_timeout=SECONDS)
    app.query_params["checkpoint"] = "tiny"
    app.run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.sidebar.file_uploader, "the place is closed until one asks for it"
    app.session_state[saved_views.KEY] = True
    app.run()
    app.sidebar.file_uploader[0].set_value([("<i>.png", content, "image/png")]).run()
    assert not app.exception and not app.error
    return app


def links(app: AppTest) -> list[Any]:
    return [one.proto for one in app.sidebar.get("page_link")]


@pytest.mark.parametrize("page", ["home", "benchmarks", "learn"])
def test_a_picture_is_brought_back_on_pages_without_a_place_for_images(page: str, picture: bytes) -> None:
    app = bring(page, picture)
    (link,) = links(app)
    assert link.page == "sample" and "seed=7" in link.query_string and "count=25" in link.query_string
    assert "<i>.png was made on the page Sample" in app.sidebar.markdown[0].value.replace("\\", "")
    app.switch_page("pages/sample.py").run()
    assert not app.sidebar.file_uploader, "the place is closed again"


def test_on_its_own_page_the_view_opens_there(picture: bytes) -> None:
    app = bring("sample", picture)
    next(one for one in app.sidebar.button if one.label.startswith("Open the view")).click().run()
    assert not app.exception and app.number_input(key="seed").value == 7


def test_an_npz_is_brought_back_too_and_what_is_no_picture_is_named(shown: OpenCheckpoint) -> None:
    z = shown.model.sample_latents(25, 7)
    made_by = downloads.recipe(shown, state.SAMPLE, z, [], seed=7, count=25)
    (link,) = links(bring("home", downloads.npz_bytes(made_by, z=z)))
    assert link.page == "sample" and "seed=7" in link.query_string
    app = bring("home", b"no picture at all")
    assert "<i>.png" in app.sidebar.warning[0].value.replace("\\", "") and not links(app)


def test_two_selections_of_any_size_travel_in_a_recipe(shown: OpenCheckpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = load_gallery(shown.path)
    assert gallery is not None
    session: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", session)
    few, many = gallery.ids[3:5], tuple(one for i, one in enumerate(gallery.ids) if i % 7)
    monkeypatch.setattr(selections, "MAX_VALUE", len(" ".join(few)))
    for name, ids in (("A", few), ("B", many)):
        selections.keep(name, shown.name, ids)
    carried = selections.settings(shown)
    assert carried["ids-a"] == " ".join(few) and carried["ids-b"].startswith("bits:")
    session.clear()
    assert selections.take(shown, carried)
    assert selections.kept(shown.name) == {"A": few, "B": many}
    for text in ("bits:AAAA", "bits:?", "bits:", "square-nowhere", ""):  # another gallery's, or somebody's invention
        session.clear()
        assert not selections.take(shown, {"ids-a": text, "ids-b": " ".join(few)})
        assert selections.kept(shown.name) == {}


def test_a_picture_without_a_recipe_and_one_with_a_damaged_one_are_told_apart(shown: OpenCheckpoint) -> None:
    app = bring("home", dot())
    assert "does not say how it was made" in app.sidebar.markdown[0].value
    (link,) = links(app)
    assert link.page == "reconstruct" and "way=Upload" in link.query_string
    app = bring("home", containers.with_text(dot(), "bigan-view", '{"format": 1}'))
    assert "The recipe in the file" in app.sidebar.warning[0].value and not links(app)
    assert shown.name == "tiny"
