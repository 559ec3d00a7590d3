"""Edit: what a link restores, what an edit makes of a latent, where it can be carried, and what the page says of it."""

import json
import runpy
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.explore.directions import Direction
from bigan.explore.editing import edited, find_direction
from bigan.explore.reconstruction import GalleryIndex
from bigan.pictures import comparison
from bigan.sources import (
    MAX_CHANGES,
    MAX_EDIT_CHARACTERS,
    Edit,
    GalleryImage,
    Sample,
    SourceError,
    Upload,
    innermost,
    parse_source,
)
from bigan.ui import edit_bench, edits, sources
from bigan.ui.loaders import OpenCheckpoint
from bigan.view_code import EDIT_SCALE

ROOT = Path(__file__).parents[1]
SECONDS = 60
LATENT_DIM = 10
START = "sample:3:1:1"


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where alone the app and a person's script look."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])
    return folder


@pytest.fixture
def opened(shown: Path) -> OpenCheckpoint:
    return OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)


@pytest.fixture
def index(opened: OpenCheckpoint) -> GalleryIndex:
    assert opened.index is not None
    return opened.index


def open_page(**parameters: str) -> AppTest:
    return open_of("edit", parameters)


def open_of(page: str, parameters: dict[str, str], **session: object) -> AppTest:
    """A page by its address, in a fresh session but for what is given."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    for key, value in session.items():
        app.session_state[key] = value
    app.run()
    app.switch_page(f"pages/{page}.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert_drawn(app)
    return app


def codes(app: AppTest) -> list[str]:
    """What is offered to be copied."""
    return [element.value for element in app.code]


def assert_drawn(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def texts(app: AppTest) -> str:
    shown = (*app.markdown, *app.caption, *app.warning, *app.get("html"))
    return "\n".join(str(element.value).replace("\\", "") for element in shown)  # without Markdown's escapes


def address(app: AppTest) -> dict[str, str]:
    """What the address bar has; a list where a test put it there, a text where a widget did."""
    return {key: value if isinstance(value, str) else value[0] for key, value in app.query_params.items()}


def number_sliders(app: AppTest) -> list[Any]:
    return [slider for slider in app.slider if str(slider.key).startswith("number-")]


# Directions by name


def mean(index: GalleryIndex, labels: Sequence[int]) -> np.ndarray:
    rows = [i for i, label in enumerate(index.gallery.labels.tolist()) if label in labels]
    return index.latents.double().numpy()[rows].mean(0)


def assert_leads(direction: Direction, start: np.ndarray, end: np.ndarray, index: GalleryIndex) -> None:
    vector = (end - start) / np.linalg.norm(end - start)
    np.testing.assert_allclose(direction.vector.numpy(), vector, atol=1e-6)
    assert direction.standard_deviation == pytest.approx(np.std(index.latents.double().numpy() @ vector))


def test_a_name_finds_the_way_between_two_classes_from_all_others_and_between_selections(index: GalleryIndex) -> None:
    assert_leads(find_direction("class-5-3", index), mean(index, [5]), mean(index, [3]), index)
    others = [label for label in range(10) if label != 3]
    assert_leads(find_direction("class-3", index), mean(index, others), mean(index, [3]), index)
    ids = [[f"square-{i:02d}" for i in range(label, 60, 10)] for label in (2, 7)]
    assert_leads(find_direction("selections", index, *ids), mean(index, [2]), mean(index, [7]), index)


def test_a_name_finds_a_principal_component(index: GalleryIndex) -> None:
    z = index.latents.double().numpy()
    _, singular, vectors = np.linalg.svd(z - z.mean(0))
    found = find_direction("component-2", index)
    assert abs(float(vectors[1] @ found.vector.numpy())) == pytest.approx(1)
    assert found.standard_deviation == pytest.approx(singular[1] / len(z) ** 0.5)


@pytest.mark.parametrize(
    "name", ["", "up", "class-", "class-3-3", "class-10", "class-99-3", "component-0", "component-11", "class--3"]
)
def test_what_is_no_direction_is_refused_with_what_was_asked_for(name: str, index: GalleryIndex) -> None:
    with pytest.raises(ValueError, match=r"direction|origin is 99|label is 10|num is|no other class"):
        find_direction(name, index)


# Edits


def test_an_edit_sets_numbers_and_then_moves_along_its_direction() -> None:
    z = torch.tensor([0.1, 0.2, 0.3])
    direction = Direction("up", torch.tensor([0.0, 0.6, 0.8]), standard_deviation=0.5)
    free = edited(z, {0: -0.9}, direction, 2.0, "uniform", inside=False)
    torch.testing.assert_close(free, torch.tensor([-0.9, 0.8, 1.1]))
    held = edited(z, {0: -0.9}, direction, 2.0, "uniform", inside=True)
    torch.testing.assert_close(held, torch.tensor([-0.9, 0.8, 1.0]))
    assert z.tolist() == pytest.approx([0.1, 0.2, 0.3]), "the latent one started from stays as it is"


def test_without_a_direction_the_numbers_alone_are_set_and_kept_inside() -> None:
    z = torch.zeros(2)
    assert edited(z, {1: 1.5}, None, 3.0, "uniform", inside=False).tolist() == [0, 1.5]
    assert edited(z, {1: 1.5}, None, 3.0, "uniform", inside=True).tolist() == [0, 1]
    assert edited(z, {1: -4.0}, None, 3.0, "normal", inside=True).tolist() == [0, -3]


def test_a_number_that_the_latent_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="Number 4 is to be changed; this model's latent has numbers 1 to 3"):
        edited(torch.zeros(3), {3: 0.0}, None, 0.0, "uniform", inside=False)


def test_at_each_end_of_a_number_the_edit_is_the_same_but_for_it(opened: OpenCheckpoint) -> None:
    z = torch.linspace(-0.5, 0.4, LATENT_DIM)
    edit = Edit(Sample(3, 1), inside=True, changes=((1, 0.7),))
    expected = z.repeat(4, 1)
    expected[:, 1] = 0.7
    expected[torch.arange(4), torch.tensor([1, 1, 4, 4])] = torch.tensor([-1.0, 1.0, -1.0, 1.0])
    torch.testing.assert_close(edits.at_ends(opened, z, edit, [1, 4]), expected)


# Edits as sources

WHOLE = Edit(GalleryImage("square-03"), "class-5-3", -1.5, True, ((16, -0.31), (3, 0.8)))


@pytest.mark.parametrize(
    "edit",
    [
        WHOLE,
        Edit(Sample(7, 12, 0.5)),
        Edit(Upload("0123456789ab"), "selections", 3.0),
        Edit(WHOLE, "component-12", 0.1, False, ((0, -4.5),)),
    ],
    ids=str,
)
def test_an_edit_survives_being_written_into_a_link(edit: Edit) -> None:
    assert parse_source(str(edit)) == edit


def test_an_edit_reads_as_the_module_says() -> None:
    assert str(WHOLE) == "edit:class-5-3:-1.5:inside:17_-31~4_80:gallery:square-03"
    assert innermost(Edit(WHOLE)) == GalleryImage("square-03")


def many_changes(count: int) -> str:
    return "~".join(f"{i}_1" for i in range(1, count + 1))


@pytest.mark.parametrize(
    "text",
    [
        "edit:::free::sample:0:0:1", "edit::3.1:free::sample:0:0:1", "edit::1:open::sample:0:0:1",
        "edit::1:free:0_5:sample:0:0:1", "edit::1:free:3_5~3_6:sample:0:0:1", "edit::1:free:3_x:sample:0:0:1",
        "edit::1:free:~:sample:0:0:1", "edit::1:free::nothing", "edit:<b>:1:free::sample:0:0:1", "edit::1:free::",
        f"edit::1:free:{many_changes(MAX_CHANGES + 1)}:sample:0:0:1",
        "edit::1:free::" * MAX_EDIT_CHARACTERS + "sample:0:0:1",
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_edit_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(SourceError, match=r"no source|no changes"):
        parse_source(text)


def test_as_many_changes_as_a_link_holds_are_read() -> None:
    edit = parse_source(f"edit::1:free:{many_changes(MAX_CHANGES)}:sample:0:0:1")
    assert isinstance(edit, Edit) and len(edit.changes) == MAX_CHANGES


def test_an_edited_source_is_g_of_the_edited_latent_also_of_an_edit(
    opened: OpenCheckpoint, index: GalleryIndex
) -> None:
    first = Edit(Sample(3, 1), "class-5-3", 2.0, False, ((4, 0.25),))
    z = opened.model.sample_latents(2, 3)[-1]
    z[4] = 0.25
    way = find_direction("class-5-3", index)
    z = z + 2 * way.standard_deviation * way.vector
    resolved = sources.resolve_source(str(first), opened)
    torch.testing.assert_close(resolved.z[0], z)
    torch.testing.assert_close(resolved.x, opened.model.generate(resolved.z))
    assert resolved.kind == "generated" and resolved.words == "sample 2 of seed 3, edited"
    again = sources.resolve_source(Edit(first, inside=True), opened)
    torch.testing.assert_close(again.z[0], z.clamp(-1, 1))


def test_an_edit_of_a_number_that_this_model_has_not_is_refused_where_it_is_carried(opened: OpenCheckpoint) -> None:
    with pytest.raises(ValueError, match="numbers 1 to 10"):
        sources.resolve_source("edit::1:free:11_5:sample:3:1:1", opened)


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize(("page", "key"), [("reconstruct", "source"), ("interpolate", "b"), ("map", "source")])
def test_an_edit_is_carried_to_the_other_pages(page: str, key: str) -> None:
    edit = "edit:class-5-3:2:free:5_25:sample:3:1:1"
    app = open_of(page, {key: edit})
    assert not app.warning, [warning.value for warning in app.warning]
    assert "sample 2 of seed 3, edited" in texts(app)
    assert any(edit.replace(":", "%3A") in code for code in codes(app))


# The page


@pytest.mark.usefixtures("shown")
def test_an_edit_is_there_before_anything_is_pressed() -> None:
    app = open_page()
    assert app.segmented_control(key="kind").value == "class"
    assert app.selectbox(key="from").value != app.selectbox(key="to").value
    assert "None of the 10 numbers lies outside the prior." in texts(app)
    assert len(number_sliders(app)) == 8


@pytest.mark.usefixtures("shown")
def test_the_strip_says_which_of_its_images_is_unchanged() -> None:
    given = [
        json.loads(element.proto.json) for element in open_page(a=START).get("bidi_component") if element.proto.json
    ]
    (strip,) = [data for data in given if isinstance(data, dict) and "names" in data]
    signs = [name.split()[0] for name in strip["names"]]
    assert signs == ["\N{MINUS SIGN}3", "\N{MINUS SIGN}2", "\N{MINUS SIGN}1", "unchanged", "+1", "+2", "+3"]


@pytest.mark.usefixtures("shown")
def test_a_link_restores_start_direction_strength_changes_and_clamp() -> None:
    app = open_page(a=START, direction="class-5-3", strength="2.5", changed="2_75", inside="true", sliders="10")
    assert (app.selectbox(key="from").value, app.selectbox(key="to").value) == (5, 3)
    assert app.slider(key="strength").value == 2.5
    assert app.slider(key="number-1-1").value == 0.75
    assert app.toggle(key="inside").value is True
    assert len(number_sliders(app)) == LATENT_DIM
    assert "None of the 10 numbers lies outside the prior" in texts(app)


@pytest.mark.usefixtures("shown")
def test_an_address_full_of_nonsense_gives_reasons_and_a_page() -> None:
    app = open_page(a="nonsense", direction="up", strength="nan", changed="<b>", inside="?", sliders="0")
    assert "Shown instead" in texts(app) and "are no changes of a latent" in texts(app)
    assert "'up' is no direction" in texts(app)
    assert app.slider(key="strength").disabled


@pytest.mark.usefixtures("shown")
def test_the_numbers_are_those_that_change_the_image_most_first(opened: OpenCheckpoint) -> None:
    z = opened.model.sample_latents(2, 3)[-1]
    jacobian = torch.autograd.functional.jacobian(lambda one: opened.model.generator(one[None]).flatten(), z)
    ranked = jacobian.norm(dim=0).argsort(descending=True).tolist()
    app = open_page(a=START)
    assert [int(str(slider.key).split("-")[1]) for slider in number_sliders(app)] == ranked[:8]


@pytest.mark.usefixtures("shown")
def test_a_number_goes_into_the_address_leaves_it_where_it_is_back_and_reset_undoes_all() -> None:
    app = open_page(a=START)
    slider = number_sliders(app)[0]
    key, began = slider.key, slider.value
    number = int(key.split("-")[1]) + 1
    slider.set_value(0.5).run()
    assert address(app)["changed"] == f"{number}_50"
    app.slider(key=key).set_value(began).run()
    assert not address(app).get("changed")
    app.slider(key=key).set_value(-0.4).run()
    app.button(key="reset").click().run()
    assert_drawn(app)
    assert not address(app).get("changed") and app.slider(key="strength").value == 0
    assert app.button(key="reset").disabled and app.slider(key=key).value == began


@pytest.mark.usefixtures("shown")
def test_choosing_classes_component_or_kind_goes_into_the_address() -> None:
    app = open_page(a=START, direction="class-5-3")
    app.selectbox(key="to").select(7).run()
    assert address(app)["direction"] == "class-5-7"
    app.selectbox(key="from").select(7).run()  # from a class to itself leads from all others
    assert address(app)["direction"] == "class-7" and app.selectbox(key="from").value == -1
    app.segmented_control(key="kind").set_value("component").run()
    app.number_input(key="component").set_value(4).run()
    assert_drawn(app)
    assert address(app)["direction"] == "component-4" and "% of the variance" in texts(app)


@pytest.mark.usefixtures("shown")
def test_going_on_makes_the_edit_the_next_start() -> None:
    app = open_page(a=START, direction="class-5-3", strength="2", changed="2_75")
    app.button(key="go-on").click().run()
    assert_drawn(app)
    assert address(app)["a"] == "edit:class-5-3:2:free:2_75:sample:3:1:1"
    assert "where to start: sample 2 of seed 3, edited" in texts(app)
    assert app.slider(key="strength").value == 0 and not address(app).get("changed")


@pytest.mark.usefixtures("shown")
def test_what_leaves_the_prior_is_counted_and_brought_back() -> None:
    far = {"a": START, "direction": "component-1", "strength": "0", "changed": "1_150~2_-120~3_100"}
    assert "2 of 10 numbers lie outside the prior (before: 0). G was never asked" in texts(open_page(**far))
    assert "None of the 10 numbers lies outside the prior" in texts(open_page(**far, inside="true"))
    one = open_page(a=START, direction="component-1", strength="0", changed="1_150")
    assert "1 of 10 numbers lies outside the prior (before: 0). G was never asked" in texts(one)


@pytest.mark.usefixtures("shown")
def test_between_selections_one_is_told_what_is_missing_and_led_once_both_are_kept(index: GalleryIndex) -> None:
    app = open_page(a=START, direction="selections")
    assert "selection A has none yet, selection B has none yet" in texts(app) and app.slider(key="strength").disabled
    ids = {"A": ("tiny", ("square-00",)), "B": ("tiny", ("square-17", "square-18"))}
    app = open_of("edit", {"a": START, "direction": "selections"}, **{"kept-selections": ids})
    assert "selection A has 1 image, selection B has 2 images" in texts(app) and not app.slider(key="strength").disabled
    way = find_direction("selections", index, ["square-00"], ["square-17", "square-18"])
    assert f"is {way.standard_deviation:.2f} long" in texts(app)


def test_a_checkpoint_without_a_gallery_has_its_numbers_all_the_same(shown: Path) -> None:
    (shown / "gallery.npz").unlink()
    app = open_page(a=START)
    assert "without a gallery of real images, in which directions are found" in texts(app)
    assert app.slider(key="strength").disabled and len(number_sliders(app)) == 8


def test_the_code_makes_the_picture_of_the_page(
    opened: OpenCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "edit:component-1:1:inside:2_75:gallery:square-23"
    app = open_page(a=start, direction="class-5-3", strength="-2", changed="4_-50~1_150")
    script = tmp_path / "view.py"
    script.write_text(codes(app)[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    begin = sources.resolve_source(start, opened)
    edit = Edit(begin.source, "class-5-3", -2.0, False, ((3, -0.5), (0, 1.5)))
    made = edit_bench.make(opened, begin, edit)
    expected = comparison(made.x[:1], made.x[1:], EDIT_SCALE)
    with Image.open(tmp_path / "tiny-edit.png") as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(expected))
    assert made.is_changed and made.num_outside[1] > 0


@pytest.mark.usefixtures("shown")
def test_two_numbers_moved_at_once_are_both_kept() -> None:
    app = open_page(a=START)
    first, second = (str(slider.key) for slider in number_sliders(app)[:2])
    app.slider(key=first).set_value(0.5)
    app.slider(key=second).set_value(-0.5)
    app.run()
    numbers = {int(key.split("-")[1]): hundredths for key, hundredths in ((first, 50), (second, -50))}
    found = dict(piece.split("_") for piece in address(app)["changed"].split("~"))
    assert {int(name) - 1: int(hundredths) for name, hundredths in found.items()} == numbers


@pytest.mark.usefixtures("shown")
def test_reset_leads_back_to_the_start_from_inside_the_prior_too() -> None:
    far = "edit::0:free:1_120~2_110:sample:3:1:1"
    app = open_page(a=far, direction="class-5-3", strength="2", inside="true")
    assert not app.button(key="reset").disabled
    app.button(key="reset").click().run()
    assert_drawn(app)
    assert app.button(key="reset").disabled and "2 of 10 numbers lie outside the prior (before: 2)" in texts(app)


@pytest.mark.usefixtures("shown")
def test_a_number_beyond_its_slider_counts_as_what_the_slider_shows() -> None:
    app = open_page(a=START, changed="1_900")
    (slider,) = [slider for slider in number_sliders(app) if str(slider.key).startswith("number-0-")]
    assert slider.value == edits.BEYOND
    same = open_page(a=START, changed=f"1_{round(100 * edits.BEYOND)}")
    assert [one for one in texts(app).splitlines() if "bg-bench" in one] == [
        one for one in texts(same).splitlines() if "bg-bench" in one
    ]


@pytest.mark.usefixtures("shown")
def test_going_on_keeps_the_direction() -> None:
    app = open_page(a="gallery:square-05")
    before = app.segmented_control(key="kind").value
    assert before == "class"
    app.button(key="go-on").click().run()
    assert_drawn(app)
    assert app.segmented_control(key="kind").value == before


@pytest.mark.usefixtures("shown")
def test_an_edit_too_long_for_a_link_is_shown_all_the_same() -> None:
    changes = "~".join(f"{i}_-100" for i in range(1, 11))
    start = START
    while len(start) < MAX_EDIT_CHARACTERS - 120:
        start = f"edit::0:free:{changes}:{start}"
    app = open_page(a=start, changed=changes, direction="class-5-3")
    assert "longer than a link can be" in texts(app)
    assert app.code
