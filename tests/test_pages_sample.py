"""The Sample page's further questions: what each answers, beside an independent computation."""

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from bigan import checkpoint
from bigan.explore.gallery import load_gallery
from bigan.explore.sampling import mean_latent
from bigan.ui import favourites, sample_questions

ROOT = Path(__file__).parents[1]
SECONDS = 60


@pytest.fixture
def shown(mapped_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the mapped checkpoint, where alone the app looks."""
    folder = tmp_path / "tiny"
    shutil.copytree(mapped_checkpoint, folder)
    monkeypatch.setattr(checkpoint, "_places", lambda: [tmp_path])
    return folder


def open_sample(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    app.run()
    app.switch_page("pages/sample.py")
    app.query_params.update({"checkpoint": "tiny"} | parameters)
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


@pytest.mark.usefixtures("shown")
@pytest.mark.parametrize("asked", [sample_questions.LIKE, sample_questions.MEAN, sample_questions.OPINION,
                                   sample_questions.COVER, sample_questions.KEPT])  # fmt: skip
def test_every_question_is_answered_from_its_address(asked: str) -> None:
    app = open_sample(ask=asked, seed="3")
    assert app.segmented_control(key=sample_questions.ASK).value == asked


def test_the_mean_of_two_samples_is_said_with_its_length(shown: Path) -> None:
    app = open_sample(ask=sample_questions.MEAN, seed="3", cell="5", **{"with": "2"})
    model = checkpoint.load(shown)
    z = model.sample_latents(64, 3)[[1, 4]]
    lengths = [float(torch.linalg.vector_norm(mean)) for mean in (mean_latent(z, model.config.prior), z.mean(0))]
    html = "\n".join(element.proto.body for element in app.get("html"))
    found = re.findall(r"G of the (?:mean that respects the prior|plain mean) \(length ([\d.]+)\)", html)
    assert {float(one) for one in found} == {round(length, 1) for length in lengths}
    assert "samples 2, 5" in texts(app)


@pytest.mark.usefixtures("shown")
def test_a_mean_of_one_sample_asks_for_more() -> None:
    assert "two samples or more" in texts(open_sample(ask=sample_questions.MEAN))


def test_the_share_that_d_takes_for_encoder_pairs_is_counted(shown: Path) -> None:
    app, model = open_sample(ask=sample_questions.OPINION, seed="3"), checkpoint.load(shown)
    z = model.sample_latents(64, 3)
    share = (model.score(model.generate(z), z) > 0).float().mean().item()
    assert f"samples: D(G(z), z): {100 * share:.0f} % taken for encoder pairs" in texts(app)


def test_samples_in_the_order_of_d_opinion_are_in_that_order(shown: Path) -> None:
    app, model = open_sample(order="by D's opinion", seed="3", count="16"), checkpoint.load(shown)
    z = model.sample_latents(16, 3)
    ranked = model.score(model.generate(z), z).argsort(descending=True).tolist()
    given = [json.loads(one.proto.json) for one in app.get("bidi_component") if one.proto.json]
    (cells,) = [data for data in given if "drawn with seed 3" in data.get("alt", "")]
    assert cells["names"] == [f"number {i + 1}" for i in ranked] != [f"number {i + 1}" for i in range(16)]
    assert cells["shares"] == sorted(cells["shares"], reverse=True)


def test_d_opinions_of_samples_and_of_the_gallery_are_counted_in_the_same_bins(shown: Path) -> None:
    app, model, gallery = (
        open_sample(ask=sample_questions.OPINION, seed="3"),
        checkpoint.load(shown),
        load_gallery(shown),
    )
    assert gallery is not None
    x, z = gallery.images.float() / 255, model.sample_latents(64, 3)
    logits = [model.score(model.generate(z), z), model.score(x, model.encode(x))]
    figures = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    (figure,) = [one for one in figures if any("D(x, E(x))" in bar.get("name", "") for bar in one["data"])]
    low, high = torch.cat(logits).min().item(), torch.cat(logits).max().item()
    for bars, values in zip(figure["data"], logits, strict=True):
        shares = np.array(decoded(bars["y"]))
        centres = np.array(decoded(bars["x"]))
        width = centres[1] - centres[0]
        assert centres[0] - width / 2 == pytest.approx(low, abs=1e-3)
        assert centres[-1] + width / 2 == pytest.approx(high, abs=1e-3)
        nearest = np.abs(values.numpy()[:, None] - centres).argmin(1)  # each value counts for the bar it stands in
        counted = np.bincount(nearest, minlength=len(centres)) / len(values)
        assert np.abs(shares - counted).max() <= 1 / len(values) and shares.sum() == pytest.approx(1)
    share = (logits[1] > 0).float().mean().item()
    assert f"gallery: D(x, E(x)): {100 * share:.0f} % taken for encoder pairs" in texts(app)


def decoded(values: Any) -> Any:
    """Numbers as plotly sends them: a list, or its own packed form."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return values


@pytest.mark.usefixtures("shown")
def test_a_favourite_is_kept_shown_and_forgotten() -> None:
    app = open_sample(ask=sample_questions.KEPT, seed="3", cell="5")
    assert "No favourites yet" in texts(app)
    app.button(key="favourite").click().run()
    assert "No favourites yet" not in texts(app) and app.button(key="favourite").disabled
    assert not app.exception


def test_no_more_favourites_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(favourites.st, "session_state", {})
    for index in range(favourites.MAX_KEPT + 5):
        favourites.keep("tiny", f"sample:0:{index % 100}:{1 if index < 100 else 0.5}")
    favourites.keep("tiny", "sample:0:50:1")
    favourites.forget("tiny", "sample:0:60:1")
    found = [(source.index, source.truncation) for source in favourites.kept("tiny")]
    first = [(index, 1.0) for index in range(5, 100) if index != 60]
    assert found == first + [(index, 0.5) for index in range(5)] and favourites.kept("other") == []


def test_a_gan_draws_samples_without_an_opinion_and_its_links_to_other_pages_are_greyed_with_the_reason() -> None:
    app = open_sample(checkpoint="mnist-gan", order="by D's opinion")
    assert "sees images alone" in texts(app)
    assert sample_questions.OPINION not in app.segmented_control(key=sample_questions.ASK).options
    links = {link.proto.label: link.proto for link in app.get("page_link")}
    assert links["Edit it"].disabled
    assert links["Edit it"].help == "This model has no encoder; it has a generator and a discriminator."
