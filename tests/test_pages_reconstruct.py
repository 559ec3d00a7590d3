"""Reconstruct: what is shown of every kind of source, what becomes of uploads, and what is said in words."""

import base64
import csv
import hashlib
import html
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from bigan import checkpoint, preparation
from bigan.benchmark.drawings import drawing
from bigan.explore import reconstruction
from bigan.explore.inversion import encoder_gap, invert, starts
from bigan.explore.pairs import Pair, PairTable, Repeated, pair_table
from bigan.explore.reconstruction import ReconstructionReport, report
from bigan.pictures import png_bytes
from bigan.ui import charts, descent, pairings, preparing, reports, rounds, sources, upload_table, words
from bigan.ui.downloads import csv_bytes
from bigan.ui.loaders import OpenCheckpoint

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


def sent(app: AppTest, component: str) -> dict[str, Any]:
    """What a component of the page is given."""
    found = [one.proto for one in app.get("bidi_component") if one.proto.component_name == f"bigan.{component}"]
    return dict(json.loads(found[0].json))


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
@pytest.mark.parametrize(
    ("way", "until"),
    [("Draw", "you draw"), ("Upload", "you choose a picture of yours"), ("Camera", "you take a photograph")],
)
def test_until_something_comes_in_by_a_way_the_page_says_what_it_still_shows(way: str, until: str) -> None:
    text = texts(open_page(way=way, source="gallery:square-23"))
    assert f"Until {until}, everything below is still about digit “3” of the gallery (square-23)." in text


@pytest.mark.usefixtures("shown")
def test_what_was_brought_is_not_said_to_be_missing() -> None:
    assert "everything below is still" not in texts(bring(open_page(way="Upload"), ("stroke.png", drawing(1))))


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
    table = sent(app, "upload_table")
    assert sorted(row["name"] for row in table["rows"]) == ["a.png", "b.png"]
    distances = [float(row["numbers"][0]) for row in table["rows"]]
    assert distances == sorted(distances)
    assert table["rows"][table["chosen"]]["name"] == "a.png"


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


@pytest.mark.usefixtures("shown")
def test_a_session_remembers_so_many_bytes_of_pictures_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [(f"{i}.png", drawing(i)) for i in range(4)]
    monkeypatch.setattr(sources, "MAX_UPLOADED_BYTES", len(files[2][1]) + len(files[3][1]))
    app = bring(open_page(), *files)
    assert [name for name, _ in app.session_state["uploads"].values()] == ["2.png", "3.png"]


def test_the_table_goes_home_with_ids_all_numbers_and_the_reasons(opened: OpenCheckpoint) -> None:
    assert opened.gallery is not None
    resolved = sources.resolve_source("gallery:square-07", opened)
    found = reports._answers([resolved], opened)[0]
    table = csv_bytes(upload_table.columns([found], [("bad.png", "It is no picture, sorry.")])).decode()
    good, bad = csv.DictReader(io.StringIO(table))
    assert good["source"] == "gallery:square-07" and good["nearest_id"] == "square-07" and good["problem"] == ""
    assert found.report is not None
    for name in ("distance", "ratio", "percentile", "off_prior_share", "encoder_pair_logit"):
        assert float(good[name]) == pytest.approx(getattr(found.report, name), rel=1e-6)
    assert (bad["name"], bad["problem"], bad["distance"]) == ("bad.png", "It is no picture, sorry.", "")


# Preparation


def adjust(app: AppTest) -> None:
    """Open the controls for how the picture is prepared."""
    app.session_state[preparing.adjusting("source")] = True
    app.run()


def shown_x(app: AppTest, name: str) -> np.ndarray:
    """The pixels of the picture after preparation."""
    page = "".join(said(element) for element in app.get("html"))
    data = re.search(rf'src="data:image/png;base64,([^"]+)" alt="{name} after preparation"', page)
    assert data is not None
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("L"))


@pytest.mark.usefixtures("shown")
def test_a_crop_is_in_the_address_and_what_e_gets_is_prepared_so() -> None:
    content = drawing(1)
    app = bring(open_page(), ("stroke.png", content))
    digest = source(app).split(":")[1]
    adjust(app)
    assert app.slider(key="source-x").disabled
    app.slider(key="source-size").set_value(60).run()
    app.slider(key="source-x").set_value(40).run()
    app.toggle(key="source-by-mass").set_value(False).run()
    assert_drawn(app)
    assert source(app) == f"upload:{digest}:digit-frame-crop.40.50.60"
    expected = preparation.prepare(content, (1, 28, 28), "digit-frame-crop.40.50.60")
    assert (shown_x(app, "stroke.png") == (expected[0, 0] * 255).round().numpy()).all()


@pytest.mark.usefixtures("shown")
def test_a_drawing_is_shown_before_and_after_and_its_preparation_can_be_changed() -> None:
    content = drawing(1)
    digest = hashlib.sha256(content).hexdigest()[:12]
    app = open_page(way="Draw")
    app.session_state["drawings"] = {digest: ("your drawing", content)}
    app.session_state[preparing.adjusting("source")] = True
    app.text_input(key="source").set_value(f"upload:{digest}:digit").run()
    assert_drawn(app)
    before = shown_x(app, "your drawing")
    app.slider(key="source-size").set_value(60).run()
    app.toggle(key="source-by-mass").set_value(False).run()
    assert_drawn(app)
    assert source(app) == f"upload:{digest}:digit-frame-crop.50.50.60"
    expected = preparation.prepare(content, (1, 28, 28), "digit-frame-crop.50.50.60")
    after = shown_x(app, "your drawing")
    assert (after == (expected[0, 0] * 255).round().numpy()).all() and (after != before).any()


def test_the_next_drawing_is_prepared_as_the_one_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing.st, "session_state", {})
    usual = preparation.usual_preparation("digit")
    off_centre = preparation.parse_preparation("digit-frame")
    drawn = sources.keep_drawing(drawing(1), off_centre)
    assert preparing.next_drawing(drawn, usual) == off_centre
    assert preparing.next_drawing(sources.keep_upload("mine.png", drawing(2), off_centre), usual) == usual
    assert preparing.next_drawing(sources.GalleryImage("square-03"), usual) == usual


@pytest.mark.usefixtures("shown")
def test_what_was_changed_is_there_again_when_one_returns_to_a_picture() -> None:
    app = bring(open_page(), ("a.png", drawing(1)), ("b.png", drawing(2)))
    first = source(app)
    adjust(app)
    app.slider(key="source-size").set_value(70).run()
    changed = source(app)
    second = next(f"upload:{digest}:digit" for digest in app.session_state["uploads"] if digest not in first)
    app.text_input(key="source").set_value(second).run()
    assert app.slider(key="source-size").value == 100
    table = sent(app, "upload_table")
    app.text_input(key="source").set_value("gallery:square-03").run()
    assert sent(app, "upload_table")["rows"] == table["rows"]
    app.text_input(key="source").set_value(changed).run()
    adjust(app)
    assert app.slider(key="source-size").value == 70
    names = [row["name"] for row in table["rows"]]
    assert sent(app, "upload_table")["chosen"] == names.index("a.png")


@pytest.mark.usefixtures("shown")
def test_a_change_that_makes_a_picture_unusable_is_refused_and_the_picture_stays() -> None:
    app = bring(open_page(), ("stroke.png", drawing(1)))
    before = source(app)
    adjust(app)
    app.toggle(key="source-invert").set_value(True).run()
    assert_drawn(app)
    assert source(app) == before
    assert not app.toggle(key="source-invert").value
    assert "brighter than its background; it cannot be inverted. It stays as it was." in said(app.warning[0])
    assert not app.run().warning


# Questions


@pytest.mark.usefixtures("shown")
def test_only_the_question_that_is_open_is_answered() -> None:
    asked = {
        "Other pairs": "What does D say of x with another z?",
        "Again and again": "Again and again: does it settle?",
        "How good could it be": "How good could it be?",
    }
    for tab in asked:
        app = open_page(ask=tab)
        headings = [heading.value for heading in app.subheader]
        assert [heading for heading in headings if heading in asked.values()] == [asked[tab]]


def test_the_four_pairs_have_the_needles_of_the_latent_that_the_address_names(opened: OpenCheckpoint) -> None:
    assert opened.gallery is not None
    app = open_page(source="gallery:square-23", **{"z-seed": "7"})
    table = pair_table(opened.model, opened.gallery.image("square-23"), 7)
    for pair in table:
        assert html.escape(f"D on D{pair.name}: {charts.opinion_words(pair.logit)}") in texts(app)
    app.button(key="another-z").click().run()
    assert_drawn(app)
    assert app.number_input(key="z-seed").value != 7


@pytest.mark.parametrize(
    ("logits", "begin", "end"),
    [
        ((2.0, -2.0, 0.0, -2.0), "looks less like an encoder pair", "still tells x from G(E(x))"),
        ((0.0, 2.0, 0.0, 0.1), "looks more like an encoder pair", "hardly tells x from G(E(x))"),
        ((0.0, 0.1, 0.0, 2.0), "hardly changes what D says", "takes G(E(x)) for the real image"),
    ],
)
def test_what_the_pairs_say_follows_their_needles(logits: tuple[float, ...], begin: str, end: str) -> None:
    blank = torch.zeros(1, 2, 2), torch.zeros(3)
    names = ("(x, E(x))", "(x, z)", "(G(z), z)", "(G(E(x)), E(x))")
    pairs = [Pair(name, *blank, logit, None, None) for name, logit in zip(names, logits, strict=True)]
    first, second = re.split(r"(?<=\.) (?=With E)", pairings.finding(PairTable(*pairs)))
    assert begin in first and end in second


def test_a_chain_says_whether_it_settles_and_when() -> None:
    def chain(*steps: float) -> Repeated:
        found = torch.tensor([0.0, *steps]).cumsum(0)
        return Repeated(found[:, None, None, None], torch.zeros(len(steps), 3), found, torch.tensor(steps))

    assert "It settles: after round 2 nothing changes" in rounds.finding(chain(0.5, 0.1, 0.0, 0.0))
    assert "in smaller and smaller steps, by 0.50 in the first and still by 0.10" in rounds.finding(
        chain(0.5, 0.3, 0.1)
    )
    assert "in steps that hardly get smaller" in rounds.finding(chain(0.5, 0.4, 0.4))


@pytest.mark.usefixtures("shown")
def test_a_chain_is_shown_round_by_round() -> None:
    text = texts(open_page(ask="Again and again"))
    assert all(f"after round {i}, " in text for i in range(1, 13))
    assert "E puts" in text


def test_a_descent_finds_what_the_library_finds_and_is_remembered_for_its_picture(opened: OpenCheckpoint) -> None:
    app = open_page(ask="How good could it be", source="gallery:square-23")
    app.button(key="descend").click().run()
    for _ in range(100):
        if not any(button.key == "cancel" for button in app.button):
            break
        app.run()
    assert_drawn(app)
    assert opened.gallery is not None
    x = opened.gallery.image("square-23")
    steps = list(invert(opened.model, x, starts(opened.model, x, descent.SEED)))
    expected = encoder_gap(steps[0], steps[-1])
    assert (
        f"is {expected.encoder_distance:.2f} from x; the best z found comes to {expected.best_distance:.2f}"
        in texts(app)
    )
    app.text_input(key="source").set_value("gallery:square-03").run()
    assert "the best z found" not in texts(app)
    app.text_input(key="source").set_value("gallery:square-23").run()
    assert f"comes to {expected.best_distance:.2f}" in texts(app)


@pytest.mark.usefixtures("shown")
def test_a_descent_stops_where_it_is_cancelled_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "SLICE_SECONDS", 0.0)  # a step a run

    def step() -> int:
        return int(re.findall(r"in (\d+) steps", texts(app))[0])

    app = open_page(ask="How good could it be")
    app.button(key="descend").click().run()
    assert step() == 1 and sent(app, "pulse") == {"step": 1}
    app.run()
    assert step() == 2
    app.button(key="cancel").click().run()
    assert_drawn(app)
    assert step() == 2
    app.run()
    assert step() == 2 and not [one for one in app.get("bidi_component") if "pulse" in one.proto.component_name]
    app.button(key="go-on").click().run()
    assert step() == 3


# Search


@pytest.mark.usefixtures("shown")
def test_the_gallery_is_searched_by_label_or_id_and_the_search_is_in_the_address() -> None:
    app = open_page(find="3")
    names = {component.proto.id: component.proto for component in app.get("bidi_component")}
    found = [json.loads(one.json) for one in names.values() if one.json and "found" in one.id]
    assert found[0]["details"] == [f"square-{i}3" if i else "square-03" for i in range(6)]
    assert "No label or id is “boot”" in texts(open_page(find="boot"))


# What is foreign


def test_a_picture_like_none_is_shown_with_the_nearest_thing_the_model_knows(opened: OpenCheckpoint) -> None:
    assert opened.index is not None
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    app = open_page(way="Upload")
    app.segmented_control(key="source-preparation").set_value("plain").run()
    bring(app, ("noise.png", png_bytes(Image.fromarray(noise))))
    nearest = report(opened.model, torch.from_numpy(noise)[None, None] / 255, opened.index).familiarity.nearest
    assert "This model has only ever seen digits; here is the nearest thing it knows." in texts(app)
    assert f"The nearest real digit: “{nearest.label}” ({nearest.id})" in texts(app)
    assert "nearest thing it knows" not in texts(open_page())


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
    assert sentence.startswith("This model has only ever seen digits. The nearest real digit")


@pytest.mark.parametrize(("prior", "apart"), [("uniform", "0.67"), ("normal", "1.13")])
def test_two_random_latents_are_as_far_apart_as_is_said(prior: str, apart: str) -> None:
    generator = torch.Generator().manual_seed(0)
    draw = torch.rand if prior == "uniform" else torch.randn
    a, b = (draw(1, 200_000, generator=generator) * (2 if prior == "uniform" else 1) for _ in range(2))
    assert f"{(a - b).abs().mean().item():.2f}" == apart
    assert f"{words.RANDOM_GAP[prior]:.2f}" == apart  # type: ignore[index]
    assert "misses it by 0.00 per number" in words.round_trip(a, a, prior)  # type: ignore[arg-type]
