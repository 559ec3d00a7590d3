"""The lessons: every screen with each kind of shipped model, predictions before answers, what the address holds."""

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.models.bigan import BiGAN
from bigan.records import read_config
from bigan.ui.lessons.frame import LESSONS
from bigan.ui.lessons.lesson import Lesson
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.state import as_text

ROOT = Path(__file__).parents[1]
BUNDLED = sorted(path.parent.name for path in (ROOT / "checkpoints").glob("*/config.json"))
# The first of those with the same networks for the same data: what a lesson asks of a model depends on nothing else.
CONFIGS = {name: read_config(ROOT / "checkpoints" / name) for name in reversed(BUNDLED)}
KINDS = {(config.dataset, config.networks): name for name, config in CONFIGS.items()}
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


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))
@pytest.mark.parametrize("name", KINDS.values())  # one after the other: what is made of a gallery is kept for a few
def test_every_screen_answers_only_after_a_prediction_or_the_lesson_says_what_the_model_lacks(
    lesson: Lesson, name: str
) -> None:
    app, folder = opened(name, lesson=lesson.name), ROOT / "checkpoints" / name
    if lack := lesson.shortcoming(OpenCheckpoint(name, folder, read_config(folder))):
        assert f"{as_text(lack)} Choose another model in the sidebar for this lesson." in texts(app)
        return
    for number, screen in enumerate(lesson.screens, start=1):
        assert f"{number} of {len(lesson.screens)}: {screen.title}" in texts(app)
        assert not has_answer(app)
        lack = read_config(folder).shortcoming("generate", "encode")
        assert has_answer(predict(app)) if app.main.radio else lack and lack in texts(app)
        if number < len(lesson.screens):
            well(app.button(key="way-Next").click().run())


def test_the_address_holds_lesson_and_screen_and_the_buttons_lead_through_all_of_them(shown: Path) -> None:
    app = opened(shown.name)
    assert app.button(key="way-Back").disabled
    for lesson, number in SCREENS[:-1]:
        title = f"{number + 1} of {len(lesson.screens)}: {lesson.screens[number].title}"
        assert title in texts(app)
        assert title in texts(opened(shown.name, lesson=lesson.name, screen=str(number + 1)))
        well(app.button(key="way-Next").click().run())
    assert app.button(key="way-Next").disabled
    assert app.query_params["lesson"] == SCREENS[-1][0].name
    assert app.query_params["screen"] == str(SCREENS[-1][1] + 1)
    well(app.button(key="way-Back").click().run())
    assert app.query_params["screen"] == str(SCREENS[-1][1])


@pytest.mark.parametrize(("lesson", "screen"), [("nonsense", "1"), ("maps", "99"), ("maps", "-1"), ("", "²")])
def test_an_address_of_nothing_shows_a_first_screen(shown: Path, lesson: str, screen: str) -> None:
    assert "1 of " in texts(opened(shown.name, lesson=lesson, screen=screen))


def test_a_prediction_is_kept_in_the_session_and_counts_when_all_of_a_lesson_are_made(shown: Path) -> None:
    app = opened(shown.name, lesson="why-e-inverts-g")
    for number in (1, 2, 3):
        predict(app)
        if number < 3:
            well(app.button(key="way-Next").click().run())
    well(app.run())
    assert "1 of 5 lessons finished" in texts(app)
    well(app.button(key="way-Back").click().run())
    assert has_answer(app), "what was predicted there before is still chosen"


def test_an_encoder_and_its_inverse_chosen_by_hand_reach_the_minimum(shown: Path) -> None:
    app = opened(shown.name, lesson="why-e-inverts-g", screen="2")
    assert "1 of 3 pictures come back" in texts(app)
    app = opened(
        shown.name, lesson="why-e-inverts-g", screen="2", e1="z₂", e2="z₃", e3="z₁", g1="x₃", g2="x₁", g3="x₂"
    )  # fmt: skip
    assert "3 of 3 pictures come back" in texts(app)
    assert "E and G are inverses" in texts(app)


def test_a_lesson_says_what_the_model_lacks_and_the_toy_needs_no_network(shown: Path, tiny_model: BiGAN) -> None:
    checkpoint.save(tiny_model.with_networks(("generator", "discriminator")), shown)
    for lesson in LESSONS.values():
        app = opened(shown.name, lesson=lesson.name)
        lacks = "This model has no encoder" in texts(app)
        assert lacks == ("encode" in lesson.needs)
    assert "encode" in LESSONS["maps"].needs


def test_a_lesson_says_that_there_is_no_gallery_or_map(shown: Path) -> None:
    (shown / "projection.npz").unlink()
    assert "without maps of its gallery" in texts(opened(shown.name, lesson="maps"))
    (shown / "gallery.npz").unlink()
    for lesson in LESSONS.values():
        assert ("without a gallery" in texts(opened(shown.name, lesson=lesson.name))) == lesson.needs_gallery
    assert "without a gallery" in texts(opened(shown.name, lesson="why-e-inverts-g", screen="3"))
