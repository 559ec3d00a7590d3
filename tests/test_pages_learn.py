"""The lessons: every screen with every shipped model, predictions before answers, and what the address holds."""

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.ui.lessons.frame import LESSONS
from bigan.ui.lessons.lesson import Lesson

ROOT = Path(__file__).parents[1]
BUNDLED = sorted(path.parent.name for path in (ROOT / "checkpoints").glob("*/config.json"))
SECONDS = 60
SCREENS = [(lesson, number) for lesson in LESSONS.values() for number in range(len(lesson.screens))]


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])
    return folder


def opened(name: str = "tiny", **parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.query_params["checkpoint"] = name
    app.run()
    app.switch_page("pages/learn.py")
    app.query_params.update({"checkpoint": name} | parameters)
    app.run()
    return well(app)


def well(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def predict(app: AppTest, place: int = 0) -> AppTest:
    """Choose one of the options."""
    radio = app.main.radio[0]
    radio.set_value(re.sub(r"\\(.)", r"\1", radio.options[place]))  # what its label escapes
    return well(app.run())


def texts(app: AppTest) -> str:
    pages = "\n".join(element.proto.body for element in app.main.get("html"))
    return pages + "\n".join(element.value for element in (*app.markdown, *app.caption, *app.subheader, *app.info))


def has_answer(app: AppTest) -> bool:
    return "s you predicted" in texts(app)


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
def test_every_screen_answers_only_after_a_prediction(lesson: Lesson, name: str) -> None:
    app = opened(name, lesson=lesson.name)
    for number, screen in enumerate(lesson.screens, start=1):
        assert f"{number} of {len(lesson.screens)}: {screen.title}" in texts(app)
        assert not has_answer(app)
        assert has_answer(predict(app))
        if number < len(lesson.screens):
            well(app.button(key="way-Next").click().run())
