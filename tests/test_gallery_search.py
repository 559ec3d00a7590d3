"""The gallery searched from the Reconstruct page: what the address says of it is what is shown."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bigan.ui import gallery_search

APP, SECONDS = Path(__file__).parents[1] / "app.py", 60


@pytest.fixture
def app(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    shutil.copytree(mapped_checkpoint, tmp_path / "tiny")
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(gallery_search, "SHOWN", 4)  # two pages of the six squares of a class
    return AppTest.from_file(str(APP), default_timeout=SECONDS)


def shown(app: AppTest) -> str:
    (caption,) = [one.value for one in app.caption if " found" in one.value] or [""]
    return caption or next(str(one.proto) for one in app.get("bidi_component") if " found" in str(one.proto))


def test_the_page_of_what_was_found_is_in_the_address_and_never_beyond_the_last(app: AppTest) -> None:
    asked = {"checkpoint": "tiny", "find": "3", "find-page": "2"}
    app.query_params.update(asked)
    app.run()
    app.switch_page("pages/reconstruct.py")
    app.query_params.update(asked)
    app.run()
    assert not app.exception and app.number_input(key="find-page").value == 2
    assert "6 digits found, 5 to 6 shown" in shown(app)
    app.number_input(key="find-page").set_value(1).run()
    assert "6 digits found, 1 to 4 shown" in shown(app)
    app.number_input(key="find-page").set_value(2).run()
    app.text_input(key="find").set_value("square").run()  # 60 of them
    assert app.number_input(key="find-page").value == 2
