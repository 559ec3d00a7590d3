"""Walk: any two ends, three paths, frames that can be asked for by an address, and what is said of the walk."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.benchmark.drawings import drawing
from bigan.explore.interpolation import Walk
from bigan.latent import PATHS
from bigan.ui import links, scrubber, walks
from bigan.ui.loaders import OpenCheckpoint

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


def choose(app: AppTest, letter: str, way: str) -> None:
    """Open where an end comes from, at one of the ways."""
    app.session_state[f"{letter}-choose"] = True
    app.run()
    app.segmented_control(key=f"{letter}-way").set_value(way).run()
    assert_drawn(app)


def component(app: AppTest, holds: str) -> dict[str, Any]:
    """What the last of our components was given that holds a certain thing."""
    given = [json.loads(element.proto.json) for element in app.get("bidi_component") if element.proto.json]
    found: dict[str, Any] = next(data for data in reversed(given) if isinstance(data, dict) and holds in data)
    return found


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
    assert app.segmented_control(key="mode").value == "Walk"
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
    head, *ends = app.warning
    assert "path “?”" in head.value and "steps “1000000”" in head.value
    assert len(ends) == 2
    assert all("Shown instead" in warning.value for warning in ends)
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
    choose(app, "b", "Sample")
    assert app.number_input(key="b-seed").help and app.number_input(key="b-index").help
    assert "No sample is taken yet" in texts(app)
    app.number_input(key="b-seed").set_value(41).run()
    assert ends(app)[1] == "sample:41:0:1" and "takes that sample at once" in texts(app)
    app.number_input(key="b-index").set_value(5).run()
    assert ends(app)[1] == "sample:41:4:1"


@pytest.mark.usefixtures("shown")
def test_an_upload_is_an_end_like_any_other_and_its_link_is_said_to_work_here_only() -> None:
    app = open_page()
    choose(app, "b", "Upload")
    app.file_uploader(key="b-files").set_value([("stroke.png", drawing(1), "image/png")]).run()
    assert_drawn(app)
    assert ends(app)[1].startswith("upload:")
    assert "B, the end: stroke.png." in texts(app)
    assert "B: this model has only ever seen digits; here is the nearest thing it knows." in texts(app)
    assert "nearest thing it knows" not in texts(open_page())
    assert "a link to this view works here only" in texts(app)


def test_a_checkpoint_without_a_gallery_walks_between_samples(shown: Path) -> None:
    (shown / "gallery.npz").unlink()
    text = texts(open_page())
    assert "A, the start: sample 4 of seed 0." in text and "B, the end: sample 8 of seed 0." in text


def test_the_same_walk_is_made_once_and_a_replaced_checkpoint_is_seen(shown: Path) -> None:
    opened = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    start, end = opened.model.sample_latents(2, 0).split(1)
    first = walks.make(opened, [start, end], 5, "line")
    assert walks.make(opened, [start.clone(), end.clone()], 5, "line") is first
    assert walks.make(opened, [start, end], 5, "prior") is not first
    assert walks.make(opened, [end, start], 5, "line") is not first
    (shown / "model.safetensors").touch()
    assert walks.make(opened, [start, end], 5, "line") is first, "a page shows the model that it began with"
    again = OpenCheckpoint("tiny", shown, opened.config)
    assert walks.make(again, [start, end], 5, "line") is not first


# Several ends, sheets, analogies, and the paths beside each other


@pytest.mark.usefixtures("shown")
def test_a_walk_over_four_ends_turns_round_and_even_steps_are_a_toggle() -> None:
    four = {"a": "sample:1:0:1", "b": "sample:1:1:1", "c": "sample:1:2:1", "d": "gallery:square-04"}
    app = open_page(ends="4", steps="12", even="true", **four)
    assert app.segmented_control(key="ends").value == 4 and app.toggle(key="even").value is True
    assert "The walk is even" in texts(app)
    assert "D, the end: digit" in texts(app)
    app.button(key="swap").click().run()
    assert_drawn(app)
    assert [app.text_input(key=letter).value for letter in "abcd"] == list(reversed(four.values()))


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("corners", "above", "below"), [("4", ["A", "B"], ["C", "D"]), ("3", ["A"], ["B", "C"])])
def test_a_sheet_shows_the_cell_that_the_address_asks_for(corners: str, above: list[str], below: list[str]) -> None:
    app = open_page(mode="Sheet", corners=corners, size="6", square="9")
    data = component(app, "words")
    assert len(data["words"]) == 36 and data["at"] == 8
    assert data["words"][8].startswith("Row 2, column 3 of 6.")
    assert data["corners"] == [above, below]


def test_the_answer_to_an_analogy_is_c_and_the_step_from_a_to_b(shown: Path) -> None:
    model = checkpoint.load(shown)
    z = model.sample_latents(3, 5)  # (3, Z)
    text = texts(open_page(mode="Analogy", a="sample:5:0:1", b="sample:5:1:1", c="sample:5:2:1", steps="8"))
    assert "D, the answer" in text
    g = torch.special.ndtri((1 + z.double()) / 2)
    d = (2 * torch.special.ndtr(g[2] + g[1] - g[0]) - 1).float()  # (Z,)
    x = model.generate(torch.stack([*z, d]))  # (4, C, H, W)
    assert f"changes by {(x[1] - x[0]).norm():.1f} (pixel distance)" in text
    assert f"C by {(x[3] - x[2]).norm():.1f}." in text


@pytest.mark.usefixtures("shown")
def test_three_paths_stand_beside_each_other_with_their_evenness() -> None:
    app = open_page(mode="Compare paths", a="sample:1:0:1", b="sample:1:1:1", steps="12")
    data = component(app, "words")
    assert data["films"] == list(walks.PATH_NAMES.values())
    assert len(data["words"]) == 12
    text = texts(app)
    assert all(f"unevenness, {name}" in text for name in walks.PATH_NAMES.values())
    assert "Between these two, the picture changes most evenly on the path" in text
    assert "Three paths frame by frame." in alt_texts(app)


@pytest.mark.usefixtures("shown")
def test_what_was_chosen_in_one_view_is_there_again_when_one_comes_back() -> None:
    app = open_page(steps="24", ends="3", even="true", path="great arc", a="sample:1:0:1", frame="5")
    for mode in ("Sheet", "Compare paths", "Walk"):
        app.segmented_control(key="mode").set_value(mode).run()
        assert_drawn(app)
    assert app.selectbox(key="steps").value == 24
    assert app.segmented_control(key="ends").value == 3
    assert app.toggle(key="even").value is True
    assert app.segmented_control(key="path").value == "great arc"
    assert ends(app)[0] == "sample:1:0:1"
    assert "Frame 5 is marked." in alt_texts(app)


@pytest.mark.usefixtures("shown")
def test_an_end_can_be_drawn() -> None:
    app = open_page()
    choose(app, "a", "Draw")
    assert component(app, "pad")["alt"].startswith("Draw a")


@pytest.mark.usefixtures("shown")
def test_until_something_is_drawn_the_page_says_what_the_end_still_is() -> None:
    app = open_page(a="gallery:square-04")
    choose(app, "a", "Draw")
    assert "Until you draw, A is still digit “4” of the gallery (square-04)." in texts(app)


@pytest.mark.usefixtures("shown")
def test_where_the_ends_are_shorter_than_draws_two_samples_are_one_press_away() -> None:
    app = open_page(a="sample:1:0:0.1", b="sample:2:0:0.1", ends="3", c="gallery:square-04")
    assert "walk between samples" in texts(app)
    app.button(key="samples").click().run()
    assert_drawn(app)
    assert [app.text_input(key=letter).value for letter in "abc"] == ["sample:0:3:1", "sample:0:7:1", "sample:0:4:1"]
    assert app.segmented_control(key="path").value == "straight line"


@pytest.mark.usefixtures("shown")
def test_two_samples_for_three_paths_are_one_press_away_too() -> None:
    app = open_page(mode="Compare paths", a="sample:1:0:0.1", b="sample:2:0:0.1")
    app.button(key="samples").click().run()
    assert_drawn(app)
    assert ends(app) == ("sample:0:3:1", "sample:0:7:1")


@pytest.mark.usefixtures("shown")
def test_only_walks_without_a_chosen_frame_play_by_themselves() -> None:
    assert component(open_page(), "words")["plays"] is True
    assert component(open_page(frame="3"), "words")["plays"] is False


def test_a_frame_is_taken_with_the_time_it_was_chosen() -> None:
    assert scrubber._sent({"at": 4, "stamp": 7}, 5) == (4, 7)


WRONG_FRAMES: tuple[object, ...] = (
    None, 3, {}, {"at": 1}, {"stamp": 1}, {"at": 5, "stamp": 1}, {"at": -1, "stamp": 1}, {"at": True, "stamp": 1},
    {"at": "1", "stamp": 1}, {"at": 1.0, "stamp": 1}, {"at": 1, "stamp": None},
)  # fmt: skip


@pytest.mark.parametrize("value", WRONG_FRAMES, ids=repr)
def test_a_frame_that_the_browser_cannot_have_sent_is_none(value: object) -> None:
    assert scrubber._sent(value, 5) is None


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
    assert "0 of 50 lie outside" in walks.honesty(a_walk([1.0, 1.0]))
    sentence = walks.honesty(a_walk([1.0, 1.0], outside=[0.0, 0.08, 0.02]))
    assert sentence.startswith("2 of 3 frames leave the prior, frame 2 the most, with 4 of 50 numbers outside.")


def test_one_frame_leaves_the_prior() -> None:
    assert walks.honesty(a_walk([1.0], outside=[0.0, 0.02])).startswith("1 of 2 frames leaves the prior, frame 2")


def test_ends_shorter_than_draws_are_said_to_be() -> None:
    made = a_walk([1.0, 1.0])  # 50 ones: sqrt(50), longer than any draw
    assert walks.short_ends(made, "uniform") == ""
    sentence = walks.short_ends(
        replace(made, latents=torch.outer(torch.tensor([0.1, 1.0, 0.5]), torch.ones(50))), "uniform"
    )
    assert sentence.startswith("At these ends |z| is 0.7 and 3.5 already, where 19 of 20 draws have 3.5 to 4.6")


@pytest.mark.parametrize(
    ("last_steps", "said"),
    [
        ((1.1, 2.0, 3.0), "the picture changes most evenly on the path “within the prior”."),
        ((1.1, 1.1001, 3.0), "the paths “within the prior” and “great arc” tie as the most even: on each, the steps"),
        ((2.0, 2.0, 2.0), "the paths tie: on each, the steps vary by 33 % of their mean."),
    ],
)
def test_paths_that_are_as_even_to_the_digits_shown_tie(last_steps: tuple[float, ...], said: str) -> None:
    lanes = {name: a_walk([1.0, step]) for name, step in zip(walks.PATH_NAMES.values(), last_steps, strict=True)}
    assert walks.verdict(lanes, "uniform").startswith(f"Between these two, {said}")


def test_each_frame_has_its_line() -> None:
    lines = walks.frame_words(a_walk([1.0], outside=[0.04, 0.0], logits=[3.0, -3.0]))
    assert lines[0].startswith("Frame 1 of 2. 2 of 50 numbers outside the prior. D: an encoder pair")
    assert lines[1].startswith("Frame 2 of 2. 0 of 50 numbers outside the prior. D: a generator pair")


def test_the_length_of_z_is_set_against_a_random_draw() -> None:
    sentence = walks.length(a_walk([1.0, 1.0]), "uniform")  # 50 ones: sqrt(50); a draw: sqrt(50 / 3)
    assert sentence == (
        "Halfway, z is 7.1 long, longer than nearly every draw: as a whole it has left where the prior's latents lie. "
        "Draws from the prior are 4.1 long on average, and 19 of 20 are 3.5 to 4.6."
    )


def test_every_path_has_a_name_and_words() -> None:
    assert tuple(walks.PATH_NAMES) == tuple(walks.PATH_WORDS) == PATHS


@pytest.mark.usefixtures("shown")
def test_a_press_that_overtakes_the_last_change_does_not_undo_it_but_the_back_button_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = open_page(a="sample:1:0:1", b="sample:2:0:1")
    app.button(key="swap").click().run()
    app.text_input(key="a").set_value("sample:1:0:1").run()  # what a browser sends that has not heard of the swap
    assert ends(app) == ("sample:2:0:1", "sample:1:0:1")
    monkeypatch.setattr(links, "is_step", lambda: True)
    app.query_params["a"] = "sample:1:0:1"
    app.text_input(key="a").set_value("sample:1:0:1").run()
    assert ends(app) == ("sample:1:0:1", "sample:1:0:1")


@pytest.mark.parametrize("mode", ["Walk", "Compare paths", "Analogy"])
def test_a_model_without_a_discriminator_walks_without_an_opinion(mode: str, shown: Path) -> None:
    model = checkpoint.load(shown).with_networks(("generator", "encoder"))
    checkpoint.save(model, shown)
    app = open_page(mode=mode)
    assert "of 16 frames for" not in texts(app)
    assert "D:" not in component(app, "films")["words"][0]
    assert mode != "Walk" or "This model has no discriminator of pairs" in texts(app)
