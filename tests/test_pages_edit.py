"""The Edit page: what a link restores, what an edit makes of a latent, and what the page says of it."""

import shutil
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.explore.directions import Direction
from bigan.ui import editing, edits, selections

ROOT = Path(__file__).parents[1]
SECONDS = 60


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])
    return folder


def open_edit(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/edit.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def test_changes_survive_a_link() -> None:
    changes = {0: 0.5, 7: -0.25, 9: 1.0}
    assert edits.from_text(edits.to_text(changes), 10) == changes


@pytest.mark.parametrize("text", ["", "x", "0~1", "11~0.5", "3~", "3~nan", "3~1e9", "~", "3-0.5", "3~0.123"])
def test_what_is_no_change_changes_nothing(text: str) -> None:
    assert edits.from_text(text, 10) == {}


def test_an_edit_sets_components_and_then_moves_along_its_direction_inside_the_prior() -> None:
    z = torch.tensor([0.1, 0.2, 0.3])
    direction = Direction("up", torch.tensor([0.0, 0.6, 0.8]), standard_deviation=0.5)
    free = edits.Edit({0: -0.9}, direction, 2.0, inside=False)
    torch.testing.assert_close(free.of(z, "uniform"), torch.tensor([-0.9, 0.8, 1.1]))
    torch.testing.assert_close(free.of(z, "uniform", 0.0), torch.tensor([-0.9, 0.2, 0.3]))
    held = edits.Edit({0: -0.9}, direction, 2.0, inside=True)
    torch.testing.assert_close(held.of(z, "uniform"), torch.tensor([-0.9, 0.8, 1.0]))
    assert z.tolist() == pytest.approx([0.1, 0.2, 0.3]), "the latent one started from stays as it is"


def test_the_ends_of_a_component_differ_from_the_latent_there_alone() -> None:
    z = torch.tensor([0.1, 0.2, 0.3])
    expected = [[-1, 0.2, 0.3], [0.1, 0.2, -1], [1, 0.2, 0.3], [0.1, 0.2, 1]]
    torch.testing.assert_close(edits.ends_of(z, [0, 2], "uniform"), torch.tensor(expected))


@pytest.mark.usefixtures("shown")
def test_a_link_restores_start_direction_strength_and_changes() -> None:
    app = open_edit(a="sample:3:1:1", direction="from the rest to “3”", strength="2.5", changed="2~0.75")
    assert app.selectbox(key=editing.DIRECTION).value == "from the rest to “3”"
    assert app.slider(key=editing.STRENGTH).value == 2.5
    assert app.slider(key="component-1").value == 0.75


@pytest.mark.usefixtures("shown")
def test_a_changed_number_goes_into_the_address_and_back_by_reset() -> None:
    app = open_edit(a="sample:3:1:1")
    slider = next(slider for slider in app.slider if str(slider.key).startswith("component-"))
    number = int(str(slider.key).rpartition("-")[2]) + 1
    slider.set_value(0.5).run()
    assert f"{number}~0.50" in app.query_params[editing.CHANGED]
    app.button(key="reset").click().run()
    assert not app.query_params.get(editing.CHANGED) and not app.exception


@pytest.mark.usefixtures("shown")
def test_without_the_clamp_the_share_outside_the_prior_is_said() -> None:
    far = {"a": "sample:3:1:1", "direction": "component 1", "strength": "4"}
    assert "**0 of 10 numbers lie outside" in texts(open_edit(**far))
    assert "**0 of 10 numbers lie outside" not in texts(open_edit(**far, inside="false", changed="1~1_2~1_3~1"))


def test_two_kept_selections_give_the_direction_between_them(shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections.st, "session_state", {})
    selections.keep("A", "tiny", ("square-00",))
    assert selections.kept("tiny") == {"A": ("square-00",)} and selections.kept("other") == {}
    selections.keep("B", "tiny", ("square-17", "square-18"))
    from bigan.ui.loaders import OpenCheckpoint

    chosen = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    found = edits.directions(chosen)["from selection A to selection B"]
    index = chosen.index
    assert index is not None
    a, b = (index.latents[index.gallery.indices_of(ids)].mean(0) for ids in selections.kept("tiny").values())
    torch.testing.assert_close(found.vector, (b - a) / (b - a).norm(), atol=1e-5, rtol=1e-4)
