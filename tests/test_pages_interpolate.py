"""Walk: any two ends, three paths, frames that can be asked for by an address, and what is said of the walk."""

import shutil
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.explore.interpolation import Walk
from bigan.latent import PATHS
from bigan.ui import walks
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.stopwatch import drawing

ROOT = Path(__file__).parents[1]
SECONDS = 60


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a checkpoint with a gallery, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])  # and not those that are shipped
    return folder


def assert_drawn(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def open_page(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    app.switch_page("pages/interpolate.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert_drawn(app)
    return app


def texts(app: AppTest) -> str:
    shown = (*app.markdown, *app.caption, *app.warning, *app.get("html"))
    return "\n".join(str(element.value).replace("\\", "") for element in shown)  # without Markdown's escapes


def ends(app: AppTest) -> tuple[str, str]:
    return str(app.text_input(key="a").value), str(app.text_input(key="b").value)


def a_walk(steps: list[float], outside: list[float] | None = None, logits: list[float] | None = None) -> Walk:
    num = len(steps) + 1
    shares = torch.tensor(outside if outside is not None else [0.0] * num)
    opinions = torch.tensor(logits if logits is not None else [0.0] * num)
    return Walk(torch.ones(num, 50), torch.zeros(num, 1, 2, 2), shares, torch.tensor(steps), opinions, "prior")


@pytest.mark.usefixtures("shown")
def test_a_walk_between_two_real_images_is_there_before_anything_is_pressed() -> None:
    text = texts(open_page())
    assert text.count("of the gallery (square-") >= 2
    assert "The walk is" in text and "takes" in text


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("end", ["sample:7:12:0.5", "gallery:square-23"])
@pytest.mark.parametrize("start", ["sample:1:0:1", "gallery:square-04"])
@pytest.mark.parametrize("path", walks.PATH_NAMES.values())
def test_every_mix_of_ends_is_walked_on_every_path(start: str, end: str, path: str) -> None:
    app = open_page(a=start, b=end, path=path)
    assert app.segmented_control(key="path").value == path
    assert ends(app) == (start, end)
    assert not app.warning


@pytest.mark.usefixtures("shown")
def test_the_address_restores_path_frames_and_frame() -> None:
    app = open_page(path="straight line", steps="24", frame="20")
    assert app.selectbox(key="steps").value == 24
    assert "Mixes the two latents" in texts(app)
    assert "Frame 20 is marked." in alt_texts(app)


def alt_texts(app: AppTest) -> str:
    return " ".join(element.proto.alt for element in app.get("plotly_chart"))


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(
    ("frame", "marked"), [("1", 1), ("16", 16), ("99", 16), ("0", 9), ("-3", 9), ("x", 9), ("9" * 50, 9), ("²", 9)]
)
def test_any_frame_of_an_address_is_one_of_the_walk(frame: str, marked: int) -> None:
    assert f"Frame {marked} is marked." in alt_texts(open_page(frame=frame))


@pytest.mark.usefixtures("shown")
def test_an_address_full_of_nonsense_gives_reasons_and_a_walk() -> None:
    app = open_page(a="nonsense", b="upload:0123456789ab:digit", path="?", steps="1000000", frame="<b>")
    assert len(app.warning) == 2
    assert all("Shown instead" in warning.value for warning in app.warning)
    assert app.selectbox(key="steps").value == 16


@pytest.mark.usefixtures("shown")
def test_swapping_exchanges_ends_whether_chosen_or_defaults() -> None:
    app = open_page(a="sample:1:0:1")
    app.button(key="swap").click().run()
    assert_drawn(app)
    a, b = ends(app)
    assert a.startswith("gallery:") and b == "sample:1:0:1"


@pytest.mark.usefixtures("shown")
def test_another_one_keeps_the_kind_of_its_end_and_leaves_the_other_alone() -> None:
    app = open_page(a="sample:1:0:0.5", b="gallery:square-23")
    app.button(key="a-another").click().run()
    a, b = ends(app)
    assert a.startswith("sample:") and a.endswith(":0.5") and b == "gallery:square-23"
    app.button(key="b-another").click().run()
    assert ends(app)[0] == a and ends(app)[1].startswith("gallery:square-")


@pytest.mark.usefixtures("shown")
def test_a_sample_is_taken_by_seed_and_number() -> None:
    app = open_page()
    app.number_input(key="b-seed").set_value(41).run()
    app.number_input(key="b-index").set_value(5).run()
    assert ends(app)[1] == "sample:41:4:1"


@pytest.mark.usefixtures("shown")
def test_an_upload_is_an_end_like_any_other_and_its_link_is_said_to_work_here_only() -> None:
    app = open_page()
    app.file_uploader(key="b-files").set_value([("stroke.png", drawing(1), "image/png")]).run()
    assert_drawn(app)
    assert ends(app)[1].startswith("upload:")
    assert "B: stroke.png. The walk ends with G(E(x))" in texts(app)
    assert "a link to this walk works here only" in texts(app)


def test_a_checkpoint_without_a_gallery_walks_between_samples(shown: Path) -> None:
    (shown / "gallery.npz").unlink()
    assert "The walk begins with it." in texts(open_page())


def test_the_same_walk_is_made_once_and_a_replaced_checkpoint_is_seen(shown: Path) -> None:
    opened = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    start, end = opened.model.sample_latents(2, 0).split(1)
    first = walks.make(opened, start, end, 5, "line")
    assert walks.make(opened, start.clone(), end.clone(), 5, "line") is first
    assert walks.make(opened, start, end, 5, "prior") is not first
    (shown / "model.safetensors").touch()
    assert walks.make(opened, start, end, 5, "line") is not first


# Words


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [([1.0, 1.0, 1.0], "even"), ([1.0, 1.0, 2.0], "somewhat uneven"), ([1.0, 1.0, 1.0, 9.0], "rough")],
)
def test_evenness_is_a_verdict_with_its_numbers(steps: list[float], verdict: str) -> None:
    sentence = walks.evenness(a_walk(steps))
    assert sentence.startswith(f"The walk is {verdict}: ")
    assert f"{max(steps) / min(steps):.1f} times the shortest" in sentence


def test_a_walk_that_goes_nowhere_is_said_to() -> None:
    assert "nothing moves" in walks.evenness(a_walk([0.0, 0.0]))
    assert "does not move" in walks.evenness(a_walk([0.0, 3.0]))


def test_what_leaves_the_prior_is_counted() -> None:
    assert "0 of 50 numbers lie outside" in walks.honesty(a_walk([1.0, 1.0]))
    sentence = walks.honesty(a_walk([1.0, 1.0], outside=[0.0, 0.08, 0.02]))
    assert sentence.startswith("2 of 3 frames leave the prior, frame 2 the most, with 4 of 50 numbers outside.")


def test_each_frame_has_its_line() -> None:
    lines = walks.frame_words(a_walk([1.0], outside=[0.04, 0.0], logits=[3.0, -3.0]))
    assert lines[0].startswith("Frame 1 of 2. 2 of 50 numbers outside the prior. D: an encoder pair")
    assert lines[1].startswith("Frame 2 of 2. 0 of 50 numbers outside the prior. D: a generator pair")


def test_the_length_of_z_is_set_against_a_random_draw() -> None:
    sentence = walks.length(a_walk([1.0, 1.0]), "uniform")  # 50 ones: sqrt(50); a draw: sqrt(50 / 3)
    assert sentence == "Halfway, z is 7.1 long; one drawn from the prior is 4.1 long on average."


def test_every_path_has_a_name_and_words() -> None:
    assert tuple(walks.PATH_NAMES) == tuple(walks.PATH_WORDS) == PATHS
