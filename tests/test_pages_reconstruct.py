"""Reconstruct: what is shown of every kind of source, what becomes of uploads, and what is said in words."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.explore import reconstruction
from bigan.explore.reconstruction import ReconstructionReport, report
from bigan.pictures import png_bytes
from bigan.ui import reports, words
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.stopwatch import drawing

ROOT = Path(__file__).parents[1]
SECONDS = 60
PNG = "image/png"


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a checkpoint with a gallery, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])  # and not those that are shipped
    return folder


@pytest.fixture
def opened(shown: Path) -> OpenCheckpoint:
    return OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)


def assert_drawn(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def open_page(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    app.switch_page("pages/reconstruct.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert_drawn(app)
    return app


def source(app: AppTest) -> str:
    return str(app.text_input(key="source").value)


def texts(app: AppTest) -> str:
    return "\n".join(said(element) for element in (*app.markdown, *app.caption, *app.warning, *app.get("html")))


def said(element: Any) -> str:
    """What an element says, without the marks that keep text from being Markdown."""
    return str(element.value).replace("\\", "")


def bring(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    if not app.file_uploader:
        app.segmented_control(key="way").set_value("Upload").run()
    app.file_uploader[0].set_value([(name, content, PNG) for name, content in files])
    app.run()
    assert_drawn(app)
    return app


# What is shown


@pytest.mark.usefixtures("shown")
def test_something_real_is_shown_before_anything_is_pressed() -> None:
    text = texts(open_page())
    assert "(square-" in text
    assert "random digits are" in text and "closer to G(E(x)) than" in text


@pytest.mark.usefixtures("shown")
def test_a_gallery_image_of_the_address_is_shown_and_its_number_with_it() -> None:
    app = open_page(source="gallery:square-23")
    assert "“3” of the gallery (square-23)" in texts(app)
    assert app.number_input(key="source-number").value == 3  # of the threes 3, 13, 23
    assert "The first is the image itself." in texts(app)


@pytest.mark.usefixtures("shown")
def test_a_sample_says_how_well_e_finds_its_z_again() -> None:
    text = texts(open_page(source="sample:7:12:1"))
    assert "sample 13 of seed 7" in text
    assert "two latents drawn at random are 0.67 apart" in text


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("text", ["nonsense", "gallery:gone", "upload:0123456789ab:digit", "<script>"])
def test_a_source_that_cannot_be_had_gives_its_reason_and_a_real_image(text: str) -> None:
    app = open_page(source=text)
    assert len(app.warning) == 1
    assert "Shown instead" in app.warning[0].value
    assert "closer to G(E(x)) than" in texts(app)


def test_a_checkpoint_without_a_gallery_reconstructs_samples_and_uploads(shown: Path) -> None:
    (shown / "gallery.npz").unlink()
    app = open_page()
    assert "nothing to compare it with" in texts(app)
    assert "stroke.png" in texts(bring(app, ("stroke.png", drawing(1))))


# Choosing from the gallery


@pytest.mark.usefixtures("shown")
def test_another_number_shows_another_image_of_the_same_class() -> None:
    app = open_page(source="gallery:square-23")
    app.number_input(key="source-number").set_value(1).run()
    assert source(app) == "gallery:square-03"


def test_worst_and_best_are_the_ends_of_the_gallery_by_error_and_go_on_to_the_next(opened: OpenCheckpoint) -> None:
    assert opened.index is not None and opened.gallery is not None
    order = [opened.gallery.ids[i] for i in opened.index.distances.argsort().tolist()]
    app = open_page()
    for expected in (order[-1], order[-2]):
        app.button(key="source-worst").click().run()
        assert source(app) == f"gallery:{expected}"
    for expected in (order[0], order[1]):
        app.button(key="source-best").click().run()
        assert source(app) == f"gallery:{expected}"


@pytest.mark.usefixtures("shown")
def test_another_one_is_another_gallery_image() -> None:
    app = open_page()
    seen = {source(app.button(key="source-another").click().run()) for _ in range(5)}
    assert len(seen) > 1
    assert all(text.startswith("gallery:square-") for text in seen)


# Ways in


@pytest.mark.usefixtures("shown")
def test_the_way_in_is_in_the_address_and_each_shows_its_own_controls() -> None:
    seen = []
    for way in ("Gallery", "Upload", "Draw", "Camera"):
        app = open_page(way=way)
        assert app.segmented_control(key="way").value == way
        assert "(square-" in texts(app)
        pads = [element.proto.component_name == "bigan.drawing_pad" for element in app.get("bidi_component")]
        seen.append((len(app.file_uploader), any(pads), len(app.get("camera_input"))))
    assert seen == [(0, False, 0), (1, False, 0), (0, True, 0), (0, False, 1)]


@pytest.mark.usefixtures("shown")
def test_many_drawings_push_no_upload_out_of_the_session() -> None:
    app = bring(open_page(), ("stroke.png", drawing(1)))
    mine = source(app)
    app.session_state["drawings"] = {f"{i:012x}": ("your drawing", b"") for i in range(60)}
    app.segmented_control(key="way").set_value("Gallery").run()
    assert_drawn(app)
    assert source(app) == mine
    assert "stroke.png" in texts(app)


# Uploads


@pytest.mark.usefixtures("shown")
def test_an_upload_is_shown_as_e_sees_it_and_its_link_is_said_to_work_here_only() -> None:
    app = bring(open_page(), ("stroke.png", drawing(1)))
    assert source(app).startswith("upload:") and source(app).endswith(":digit")
    assert "x, as E sees it: stroke.png" in texts(app)
    assert "a link to it works here only" in texts(app)


@pytest.mark.usefixtures("shown")
def test_another_preparation_prepares_the_shown_upload_anew() -> None:
    app = bring(open_page(), ("stroke.png", drawing(1)))
    digest = source(app).split(":")[1]
    app.segmented_control(key="source-preparation").set_value("plain").run()
    assert_drawn(app)
    assert source(app) == f"upload:{digest}:plain"


@pytest.mark.usefixtures("shown")
def test_one_bad_file_among_many_has_its_sentence_and_the_others_are_compared() -> None:
    files = [
        ("a.png", drawing(1)),
        ("bad.png", b"\x89PNG and then nothing"),
        ("text.png", b"words"),
        ("b.png", drawing(2)),
    ]
    app = bring(open_page(), *files)
    lines = said(app.warning[0]).splitlines()
    assert lines[0] == "2 of 4 files cannot be used:"
    assert lines[1].startswith("- bad.png: ") and lines[2].startswith("- text.png: ")
    assert "a.png" in texts(app)
    app.session_state["open-Your pictures as a table"] = True
    table = next(frame.value for frame in app.run().dataframe if "picture" in frame.value)
    assert sorted(table["picture"]) == ["a.png", "b.png"]
    distances = [float(distance) for distance in table["distance to G(E(x))"]]
    assert distances == sorted(distances)


@pytest.mark.usefixtures("shown")
def test_a_blank_picture_is_refused_as_a_digit_and_accepted_as_it_is() -> None:
    app = bring(open_page(), ("blank.png", png_bytes(Image.new("L", (40, 40), 255))))
    assert "blank" in app.warning[0].value
    assert not source(app).startswith("upload:")
    app.segmented_control(key="source-preparation").set_value("plain").run()
    assert_drawn(app)
    assert not app.warning


@pytest.mark.usefixtures("shown")
def test_the_name_of_a_file_is_never_taken_for_markup() -> None:
    app = bring(open_page(), ("<img src=x onerror=alert(1)>**bold**.png", drawing(1)))
    assert "<img src=x" not in "".join(said(element) for element in app.get("html"))
    assert not any("**bold**" in element.value for element in (*app.markdown, *app.caption))


@pytest.mark.usefixtures("shown")
def test_the_same_picture_is_looked_at_once_in_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    app = bring(open_page(), ("stroke.png", drawing(1)))
    looked = []

    def look(*arguments: Any) -> tuple[ReconstructionReport, ...]:
        looked.append(arguments)
        return reconstruction.reports(*arguments)

    monkeypatch.setattr(reports, "reports", look)
    app.run()
    bring(app, ("again.png", drawing(1)))
    assert not looked


# Words


def a_report(opened: OpenCheckpoint, **changes: object) -> ReconstructionReport:
    assert opened.index is not None
    found = report(opened.model, opened.index.gallery.images[:1].float() / 255, opened.index)
    for name, value in changes.items():
        object.__setattr__(found, name, value)
    return found


@pytest.mark.parametrize(
    ("percentile", "sentence"),
    [
        (0.934, "x is closer to G(E(x)) than 93 % of random digits are (ratio 0.58)."),
        (0.9999, "x is closer to G(E(x)) than 99 % of random digits are (ratio 0.58)."),
        (1.0, "x is closer to G(E(x)) than all random digits are (ratio 0.58)."),
        (0.3, "70 % of random digits are closer to G(E(x)) than x is (ratio 0.58)."),
        (0.0, "All random digits are closer to G(E(x)) than x is (ratio 0.58)."),
    ],
)
def test_closeness_is_said_in_a_persons_units_first(percentile: float, sentence: str, opened: OpenCheckpoint) -> None:
    assert words.closeness(a_report(opened, percentile=percentile, ratio=0.58), "digits") == sentence


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.001, "less than 1 %"), (0.29, "29 %"), (0.999, "99 %"), (1.0, "100 %")]
)
def test_a_share_is_never_rounded_up_to_all_nor_down_to_none(share: float, text: str) -> None:
    assert words.percent(share) == text


def test_an_image_unlike_all_others_is_said_to_be_so(opened: OpenCheckpoint) -> None:
    assert opened.index is not None
    sentence = words.far(a_report(opened), opened.index, opened)
    assert sentence.startswith("The model has seen nothing like this.")
    assert "it has only ever seen digits" in sentence


@pytest.mark.parametrize(("prior", "apart"), [("uniform", "0.67"), ("normal", "1.13")])
def test_two_random_latents_are_as_far_apart_as_is_said(prior: str, apart: str) -> None:
    generator = torch.Generator().manual_seed(0)
    draw = torch.rand if prior == "uniform" else torch.randn
    a, b = (draw(1, 200_000, generator=generator) * (2 if prior == "uniform" else 1) for _ in range(2))
    assert f"{(a - b).abs().mean().item():.2f}" == apart
    assert f"{words.RANDOM_GAP[prior]:.2f}" == apart  # type: ignore[index]
    assert "misses it by 0.00 per number" in words.round_trip(a, a, prior)  # type: ignore[arg-type]
