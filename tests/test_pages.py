"""Every page with every checkpoint: it draws without an error, says what it should, and its state is in the address."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.config import MAX_SEED
from bigan.explore.gallery import Gallery, save_gallery
from bigan.models.bigan import BiGAN
from bigan.preparation import Crop, Preparation, usual_preparation
from bigan.records import read_config
from bigan.ui import sources, state, walks
from bigan.ui.loaders import OpenCheckpoint

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.name for path in (ROOT / "pages").glob("*.py"))
BUNDLED = sorted(path.parent.name for path in (ROOT / "checkpoints").glob("*/config.json"))
# Rivals shows all models of one data set, whichever of them is chosen: one is enough.
FIRST = {read_config(ROOT / "checkpoints" / name).dataset: name for name in reversed(BUNDLED)}
DRAWN = [(page, name) for name in BUNDLED for page in PAGES if page != "rivals.py" or name in FIRST.values()]
SECONDS = 60  # a page's first run may index a gallery

Open = Callable[..., AppTest]


@pytest.fixture
def shown(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint "tiny" with a gallery of 30 images, in a place where the app looks first."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    images = torch.randint(0, 256, (30, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    ids = tuple(f"noise-{i:02d}" for i in range(30))
    names = tuple("0123456789")
    save_gallery(Gallery(images, torch.arange(30) % 10, ids, names, "noise"), folder)
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tmp_path))
    return folder


@pytest.fixture
def alone(shown: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, where the app looks nowhere else."""
    monkeypatch.setattr(checkpoint, "_places", lambda: [shown.parent])
    return shown


@pytest.fixture
def open_page() -> Open:
    """Opens a page as a browser does that asks for it by an address with these parameters."""

    def opened(page: str, **parameters: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
        app.query_params.update(parameters)
        app.run()
        if page != "home.py":
            app.switch_page(f"pages/{page}")
            app.query_params.update(parameters)
            app.run()
        return app

    return opened


def assert_drawn(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    assert app.title


@pytest.mark.parametrize("page", PAGES)
def test_page_is_drawn_from_a_tiny_checkpoint_with_a_gallery(page: str, alone: Path, open_page: Open) -> None:
    app = open_page(page, checkpoint=alone.name)
    assert_drawn(app)
    assert app.sidebar.selectbox(key="checkpoint").value == "tiny"


@pytest.mark.parametrize("page", PAGES)
def test_page_is_drawn_from_a_checkpoint_that_is_nothing_but_a_model(page: str, alone: Path, open_page: Open) -> None:
    (alone / "gallery.npz").unlink()
    assert_drawn(open_page(page, checkpoint=alone.name))


@pytest.mark.parametrize(("page", "name"), DRAWN)
def test_page_is_drawn_from_every_bundled_checkpoint(page: str, name: str, open_page: Open) -> None:
    app = open_page(page, checkpoint=name)
    assert app.sidebar.selectbox(key="checkpoint").value == name
    needs = next(info.needs for info in state.PAGES if Path(info.path).name == page)
    if lack := read_config(ROOT / "checkpoints" / name).shortcoming(*needs):
        assert not app.exception
        assert [error.value.replace("\\", "") for error in app.error] == [
            f"{lack} Please choose another model in the sidebar to see this page."
        ]
    else:
        assert_drawn(app)


def test_every_page_says_what_it_is(alone: Path, open_page: Open) -> None:
    titles = {page: open_page(page, checkpoint=alone.name).title[0].value for page in PAGES}
    assert titles["home.py"] == "What is a BiGAN?"
    assert titles["sample.py"] == "Sample"
    assert len(set(titles.values())) == len(PAGES)


def test_every_page_of_the_folder_is_in_the_navigation() -> None:
    assert sorted(Path(page.path).name for page in state.PAGES) == PAGES


def test_sample_restores_seed_count_truncation_and_the_picked_image_from_the_address(
    shown: Path, open_page: Open
) -> None:
    app = open_page("sample.py", checkpoint=shown.name, seed="7", count="25", truncation="0.5", cell="9")
    assert_drawn(app)
    assert app.number_input(key="seed").value == 7
    assert app.selectbox(key="count").value == 25
    assert app.slider(key="truncation").value == 0.5
    assert app.number_input(key="cell").value == 9


@pytest.mark.usefixtures("shown")
def test_sample_survives_an_address_full_of_nonsense(open_page: Open) -> None:
    app = open_page("sample.py", checkpoint="../etc", seed="-3", count="1000000", truncation="nan", cell="x", order="?")
    assert_drawn(app)
    assert app.selectbox(key="count").value == 64
    (said,) = [one.value.replace("\\", "") for one in app.warning]
    assert said == (
        "The address asks for what there is not here: checkpoint “../etc” (shown instead: mnist; no model here has "
        "that name), seed “-3” (shown instead: 0), count “1000000” (shown instead: 64), truncation “nan” (shown "
        "instead: 1), cell “x” (shown instead: 1), order “?” (shown instead: as drawn)."
    )
    app.number_input(key="seed").set_value(5).run()
    assert "seed" not in app.warning[0].value and "count" in app.warning[0].value


def test_words_of_the_field_are_explained_where_home_first_uses_them(open_page: Open) -> None:
    app = open_page("home.py", checkpoint="mnist")
    tips = [element.proto.help for element in (*app.markdown, *app.caption, *app.header)]
    for term in ("prior", "NNC_e-", "EGr/EGr_b", "NND", "nats", "EGr_b"):
        assert sum(f"**{term}**" in tip for tip in tips) == 1


NONSENSE = {
    "benchmarks.py": {"first": "x", "second": "y", "which": "z"},
    "learn.py": {"lesson": "x", "screen": "99"},
    "rivals.py": {"models": "tiny,x", "seed": "x"},
    "reconstruct.py": {"way": "Post", "ask": "?"},
    "interpolate.py": {"mode": "Fly", "path": "?", "steps": "7", "even": "2"},
}


@pytest.mark.parametrize("page", NONSENSE)
def test_each_value_that_means_nothing_is_named_once(page: str, shown: Path, open_page: Open) -> None:
    app = open_page(page, checkpoint=shown.name, **NONSENSE[page])
    assert_drawn(app)
    (said,) = [one.value.replace("\\", "") for one in app.warning if "The address asks" in one.value]
    for key, text in NONSENSE[page].items():
        assert said.count(f"{key} “{text}” (shown instead: ") == 1


@pytest.mark.usefixtures("shown")
def test_of_a_model_that_cannot_be_opened_the_address_is_told_why_another_is_shown(
    shown: Path, open_page: Open
) -> None:
    broken = shutil.copytree(shown, shown.parent / "broken")
    (broken / "config.json").write_text("{}")
    (said,) = [one.value.replace("\\", "") for one in open_page("sample.py", checkpoint="broken").warning]
    assert "checkpoint “broken” (shown instead: mnist; that one cannot be opened, the sidebar says why)" in said


def test_a_picked_number_beyond_the_count_shows_the_last_image(shown: Path, open_page: Open) -> None:
    assert_drawn(open_page("sample.py", checkpoint=shown.name, count="16", cell="90"))


def test_roll_changes_the_seed(shown: Path, open_page: Open) -> None:
    app = open_page("sample.py", checkpoint=shown.name)
    seeds = {app.button(key="dice").click().run().number_input(key="seed").value for _ in range(4)}
    assert len(seeds) > 1


@pytest.mark.parametrize("page", PAGES)
def test_a_broken_checkpoint_is_greyed_with_its_reason_and_the_others_work(
    page: str, alone: Path, open_page: Open
) -> None:
    broken = alone.parent / "broken"
    shutil.copytree(alone, broken)
    (broken / "model.safetensors").write_bytes(b"not weights")
    app = open_page(page, checkpoint="tiny")
    assert_drawn(app)
    assert "broken" not in app.sidebar.selectbox(key="checkpoint").options
    greyed = app.sidebar.button(key="broken-broken")
    assert greyed.disabled
    problem = next(s.problem for s in checkpoint.summarise_checkpoints() if s.name == "broken")
    assert greyed.help == problem


@pytest.mark.usefixtures("shown")
def test_a_page_that_fails_says_so_in_a_sentence_offers_a_way_back_and_keeps_what_was_chosen(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"a": "sample:7:12:0.5", "path": "great arc", "steps": "8"}
    with monkeypatch.context() as broken:
        broken.delattr(walks, "frame_words")  # asked for after the walk is made
        app = open_page("interpolate.py", checkpoint="tiny", **chosen)
        assert not app.exception
        assert [error.value.replace("\\", "") for error in app.error] == [
            "This page could not be drawn. What happened is in the server's log."
        ]
        (back,) = [one.proto for one in app.main.get("page_link") if one.proto.label == "Back to the beginning"]
        assert back.page == ""
        app.switch_page("pages/home.py").run()
        assert_drawn(app)
    app.query_params.clear()  # a link of the sidebar names nothing
    app.switch_page("pages/interpolate.py").run()
    assert_drawn(app)
    assert app.text_input(key="a").value == chosen["a"]
    assert app.segmented_control(key="path").value == "great arc" and app.selectbox(key="steps").value == 8


def test_a_replaced_checkpoint_is_seen(shown: Path, tiny_model: BiGAN) -> None:
    config = tiny_model.config
    before = OpenCheckpoint("tiny", shown, config).model.sample_latents(2, 0)
    old = OpenCheckpoint("tiny", shown, config).model.generate(before)
    checkpoint.save(BiGAN(config).initialise(1), shown)
    assert not torch.equal(OpenCheckpoint("tiny", shown, config).model.generate(before), old)


@pytest.mark.parametrize(
    "source",
    [
        sources.Sample(7, 12, 0.5),
        sources.Sample(MAX_SEED, 0, 1.0),
        sources.GalleryImage("noise-03"),
        sources.Upload("0123456789ab", usual_preparation("digit")),
        sources.Upload("0123456789ab", Preparation("plain", Crop(40, 60, 50), invert=True, by_mass=True)),
    ],
    ids=str,
)
def test_source_survives_being_written_into_a_link(source: sources.Source) -> None:
    assert sources.parse_source(str(source)) == source


NO_SOURCES = (
    "", "sample", "sample:1:2", "sample:-1:0:1", "sample:1:100:1", "sample:1:0:0", "sample:1:0:2", "sample:1:0:1.1.1",
    "sample:99999999999:0:1", "gallery:", "gallery:../x", "gallery:<script>", "upload:zz:plain",
    "upload:0123456789ab:other", "upload:0123456789ab:digit-crop.1.2", "upload:0123456789ab:plain-crop.1.2.0",
    "upload:0123456789ab:plain-invert-invert", "a:b", "x" * 10000,
)  # fmt: skip


@pytest.mark.parametrize("text", NO_SOURCES, ids=range(len(NO_SOURCES)))
def test_what_is_no_source_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(sources.SourceError, match="is no source") as refused:
        sources.parse_source(text)
    kind = text.partition(":")[0]
    assert {"sample": "a seed from 0", "gallery": "its images", "upload": "bring the picture itself"}.get(
        kind, "a real image is named"
    ) in str(refused.value)
    assert len(str(refused.value)) < 250


def test_sample_source_is_the_image_of_the_sample_grid(shown: Path) -> None:
    opened = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    z = opened.model.sample_latents(16, 7, 0.5)
    resolved = sources.resolve_source("sample:7:12:0.5", opened)
    assert torch.equal(resolved.z, z[12:13])
    torch.testing.assert_close(resolved.x, opened.model.generate(z)[12:13])


def test_gallery_source_is_the_image_with_this_id_and_its_code(shown: Path) -> None:
    opened = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    resolved = sources.resolve_source("gallery:noise-03", opened)
    assert opened.gallery is not None
    assert torch.equal(resolved.x, opened.gallery.images[3:4].float() / 255)
    assert torch.equal(resolved.z, opened.model.encode(resolved.x))
    assert resolved.label == 3


def test_gallery_source_of_another_gallery_is_refused(shown: Path) -> None:
    opened = OpenCheckpoint("tiny", shown, checkpoint.load(shown).config)
    with pytest.raises(sources.SourceError, match="has no image other-1"):
        sources.resolve_source("gallery:other-1", opened)
