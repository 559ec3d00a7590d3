"""The benchmark's rows: each runs at a small size, counts what it claims to count, and cannot hold by mistake."""

import asyncio
import contextlib
import importlib
import mmap
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from websockets.asyncio.server import ServerConnection, serve

from bigan.__main__ import main
from bigan.benchmark import (
    GROUPS,
    ROWS,
    Row,
    app,
    at_least,
    at_most,
    browser,
    evaluation,
    explorer,
    measure,
    percentile_95,
    rows_of,
    search,
    take_turns,
    training,
)
from bigan.benchmark.clients import Client
from bigan.cli.benchmark import RowName
from bigan.config import ModelConfig, ObjectiveName, Recipe, TrainConfig
from bigan.data import DataError
from bigan.evaluation import nearest_neighbour
from bigan.models.bigan import BiGAN
from bigan.objectives.bigan import discriminator_loss, label_swapped_loss
from bigan.ui import stopwatch

SMALL = Recipe(ModelConfig(image_shape=(1, 6, 5), latent_dim=3, hidden_dim=16), TrainConfig(batch_size=8))
LOG_TWO = 0.6931472


# Rows


def test_a_row_holds_at_its_limit_and_not_beyond() -> None:
    assert at_most("a", 5.0, "s", 5.0).holds and not at_most("a", 5.1, "s", 5.0).holds
    assert at_least("a", 3.0, "times", 3.0).holds and not at_least("a", 2.9, "times", 3.0).holds
    assert not at_most("a", 1.0, "s", 5.0, also=False).holds
    assert at_most("a", 1.0, "s", 5.0).hold == "<= 5" and at_least("a", 1.0, "", 1.5).hold == ">= 1.5"


def test_the_95th_percentile_is_that_of_the_inclusive_method() -> None:
    assert percentile_95([float(i) for i in range(101)]) == 95


@pytest.mark.parametrize("kind", [RuntimeError, ImportError, subprocess.SubprocessError])
def test_what_goes_wrong_is_a_row_that_does_not_hold(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Row:
        raise kind("no\nserver")

    monkeypatch.setattr(app, "start", fail)
    row = measure("start")
    assert row.value is None and row.holds is False and row.note == "failed: no server"


def test_an_unknown_row_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'juggling'.*start, samples"):
        measure("juggling")


def test_the_command_knows_every_row_and_every_row_its_function() -> None:
    assert get_args(RowName) == (*ROWS, *GROUPS)
    for module, function in ROWS.values():
        assert callable(getattr(importlib.import_module(f"bigan.benchmark.{module}"), function))


def test_a_group_is_its_rows_and_no_row_is_measured_twice() -> None:
    assert rows_of(["scripts", "evaluation", "nearest-neighbours"]) == [
        "scripts", "nearest-neighbours", "evaluate", "objectives", "rivals", "disagreements",
    ]  # fmt: skip
    assert rows_of([]) == list(ROWS)
    assert set(ROWS) > {row for group in GROUPS.values() for row in group}


def test_without_a_browser_a_row_that_needs_one_neither_holds_nor_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    row = measure("click")
    assert row.value is None and row.holds is None and "no Chromium" in row.note


def test_the_command_prints_the_rows_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "start", lambda: at_most("start", 4.0, "s", 5.0))
    monkeypatch.setattr(app, "memory", lambda: Row("memory", None, "MB", "<= 900", note="no browser"))
    assert main(["benchmark", "start", "memory", "--json"]) == 0
    printed = capsys.readouterr().out
    assert '"name": "start"' in printed and '"holds": true' in printed and '"value": null' in printed
    assert main(["benchmark", "memory", "start"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("memory") and lines[2].endswith("no browser") and "4 s" in lines[3]


# Training


@pytest.mark.parametrize("num_hidden_layers", [2, 3, 4])
def test_the_count_of_operations_is_that_of_the_gradients_alone(num_hidden_layers: int) -> None:
    config = ModelConfig(image_shape=(1, 6, 5), latent_dim=3, hidden_dim=16, num_hidden_layers=num_hidden_layers)
    model = BiGAN(config).initialise(0).train()
    x, z = torch.rand(8, 1, 6, 5), torch.rand(8, 3)
    with FlopCounterMode(display=False) as counter:
        encoder_logits = model.discriminator(x, model.encoder(x))
        generator_logits = model.discriminator(model.generator(z), z)
        both = [*model.generator.parameters(), *model.encoder.parameters()]
        d_loss = discriminator_loss(encoder_logits, generator_logits)
        # autograd computes no product that these gradients do not need
        torch.autograd.grad(d_loss, list(model.discriminator.parameters()), retain_graph=True)
        torch.autograd.grad(label_swapped_loss(encoder_logits, generator_logits), both)
    assert training.step_flops(config, 8) == counter.get_total_flops()


def test_the_plain_loop_starts_undecided_and_moves_every_network() -> None:
    images = torch.randint(256, (40, 1, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    loop = training.PlainLoop(SMALL, images)
    before = [weight.clone() for weight in loop.model.parameters()]
    d_loss, _ = loop.step()
    assert d_loss == pytest.approx(LOG_TWO, abs=1e-6)  # D ends in zeros
    loop.step()
    assert not any(torch.equal(old, new) for old, new in zip(before, loop.model.parameters(), strict=True))


@pytest.mark.parametrize(("flag", "hold"), [("amx_bf16", ">= 3"), ("avx512_bf16", ">= 2"), ("sse", None)])
def test_training_is_held_to_what_the_processor_can_do(
    flag: str, hold: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "processor_flags", lambda: frozenset({flag}))
    row = training.training(SMALL, num_images=40, num_rounds=2, num_steps=2)
    assert row.value is not None and row.value > 0 and row.hold == hold
    assert (row.holds is None) == (hold is None) and "images/s" in row.note


def test_matrix_products_compares_a_step_with_its_products() -> None:
    row = training.matrix_products(SMALL, num_images=40, num_rounds=2, num_steps=2, product_size=64)
    assert row.value is not None and row.value > 0 and row.hold == "<= 1.5"
    assert "GFLOP" in row.note and "products" in row.note and "Adam" in row.note


def test_turns_are_taken_in_order_and_the_first_round_does_not_count() -> None:
    order: list[str] = []
    seconds = take_turns(2, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 3 and [len(taken) for taken in seconds] == [2, 2]


# Evaluation


def test_each_objective_trains_and_the_slowest_is_the_row() -> None:
    small = {
        name: Recipe(replace(recipe.model, image_shape=(1, 6, 5), hidden_dim=16), replace(recipe.train, batch_size=8))
        for name, recipe in evaluation.OBJECTIVES.items()
    }
    assert {recipe.train.objective for recipe in small.values()} == set(get_args(ObjectiveName)) - {"minimax"}
    row = evaluation.objectives(small, num_images=40, num_rounds=1, num_steps=2)
    rates = {
        name: float(rate.replace(",", "")) for name, rate in re.findall(r"([a-z0-9-]+) ([0-9,]+)(?:, |$)", row.note)
    }
    assert list(rates) == list(small) and row.value == pytest.approx(min(rates.values()), abs=1) and row.holds is None


def test_an_evaluation_without_its_data_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise DataError("MNIST was not found in nowhere")

    monkeypatch.setattr("bigan.data.load", missing)
    row = evaluation.evaluate()
    assert row.value is None and row.holds is None and "nowhere" in row.note


def test_an_evaluation_holds_below_its_limit_and_tells_why_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigan.data.load", lambda *_: None)
    monkeypatch.setattr(evaluation, "MAX_EVALUATE", 60.0)
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    assert evaluation.evaluate().holds is True
    monkeypatch.setattr(evaluation, "MAX_EVALUATE", 0.0)
    assert evaluation.evaluate().holds is False
    monkeypatch.setattr(sys, "executable", shutil.which("ls"))  # knows no option --protocol, and says so
    with pytest.raises(RuntimeError, match=r"ls"):
        evaluation.evaluate()


# Search


def test_the_search_finds_the_neighbours_of_scikit_learn() -> None:
    row = search.nearest_neighbours(num_references=600, num_queries=50, num_features=16, num_rounds=1)
    assert row.value is not None and row.value > 0
    assert "same neighbours" in row.note and "the bare float32 product" in row.note and "MB" in row.note


def test_the_memory_of_a_search_is_what_it_needs_at_most_beyond_what_was_there() -> None:
    def take_and_give_back() -> None:
        with mmap.mmap(-1, 80_000_000) as block:
            block.write(bytes(80_000_000))

    assert search.peak_megabytes(lambda: None) < 10
    assert 70 < search.peak_megabytes(take_and_give_back) < 200


@pytest.mark.parametrize("wrong", ["neighbour", "distance"])
def test_a_search_that_errs_about_one_query_does_not_hold_however_fast(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = nearest_neighbour.nearest_neighbours

    def erring(queries: Tensor, references: Tensor) -> tuple[Tensor, Tensor]:
        distances, indices = right(queries, references, 2)
        if wrong == "neighbour":
            indices[7, 0] = indices[7, 1]
        else:
            distances[7, 0] = distances[7, 1]
        return distances[:, :1], indices[:, :1]

    monkeypatch.setattr(search, "MIN_TIMES", 0.0)
    monkeypatch.setattr(search, "search_megabytes", lambda *_: 5.0)
    monkeypatch.setattr(nearest_neighbour, "nearest_neighbours", erring)
    row = search.nearest_neighbours(num_references=600, num_queries=50, num_features=16, num_rounds=1)
    assert row.holds is False and "OTHER neighbours" in row.note


@pytest.mark.parametrize("limit", ["MAX_OVER_PRODUCT", "MAX_MEGABYTES"])
def test_a_search_that_is_slow_or_large_does_not_hold(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MIN_TIMES": 0.0, "MAX_OVER_PRODUCT": 1e9, "MAX_MEGABYTES": 1e9}.items():
        monkeypatch.setattr(search, name, value)
    monkeypatch.setattr(search, "search_megabytes", lambda *_: 5.0)
    assert search.nearest_neighbours(num_references=600, num_queries=50, num_features=16, num_rounds=1).holds is True
    monkeypatch.setattr(search, limit, -1.0)
    assert search.nearest_neighbours(num_references=600, num_queries=50, num_features=16, num_rounds=1).holds is False


# App


def test_without_a_browser_the_rows_of_pages_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(app, "_stopwatch", lambda *_: "[]")
    rows: tuple[Callable[[], Row], ...] = (app.start, app.memory, lambda: app.map_page(50))
    for row in (measure_row() for measure_row in rows):
        assert row.value is None and row.holds is None and "no Chromium" in row.note and row.hold


def test_start_does_not_hold_where_a_slow_package_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    monkeypatch.setattr(app, "_stopwatch", lambda *_: '["umap"]')
    assert "imported: umap" in app.start().note


@pytest.mark.parametrize(("names", "holds"), [(("mnist", "mine", "fashion-mnist"), True), (("mnist", "mine"), False)])
def test_memory_holds_only_with_both_shipped_checkpoints_loaded(
    names: tuple[str, ...], holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("bigan.checkpoint.list_checkpoints", lambda: list(names))
    monkeypatch.setattr(app, "browser", lambda: contextlib.nullcontext())
    monkeypatch.setattr(app, "running_app", lambda: contextlib.nullcontext(app.Server("http://here", os.getpid())))
    monkeypatch.setattr(app, "open_page", lambda _, address: opened.append(address))
    monkeypatch.setattr(app, "resident_megabytes", lambda _: 1.0 * len(opened))
    row = app.memory()
    assert row.holds is holds and ("without fashion-mnist" in row.note) is not holds
    assert row.value == len(app.PAGES) * (len(names) - 1), "those that are no part of the number are not open yet"
    assert f"with mine and rivals too {len(app.PAGES) * len(names) + 1} MB" in row.note
    assert {f"http://here/map?checkpoint={name}" for name in names} <= set(opened)


def test_memory_is_that_of_the_process() -> None:
    with mmap.mmap(-1, 50_000_000) as block:  # which the system takes back at once, whatever the allocator keeps
        block.write(bytes(50_000_000))
        with_block = app.resident_megabytes(os.getpid())
    assert 30 < with_block - app.resident_megabytes(os.getpid()) < 70


def test_the_app_answers_on_a_port_of_its_own_and_is_gone_afterwards() -> None:
    with app.running_app() as server:
        with urllib.request.urlopen(f"{server.address}/_stcore/health", timeout=5) as answer:
            assert answer.status == 200
        assert Path(f"/proc/{server.process}").exists()
    assert not Path(f"/proc/{server.process}").exists()


def test_an_answer_of_the_app_is_timed_by_the_stopwatch(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tiny_checkpoint.parent))
    row = app.samples(num_runs=2)
    assert row.value is not None and 1 < row.value < 10_000 and row.unit == "ms" and row.hold == "<= 100"


@pytest.mark.parametrize("measured", [stopwatch.rivals_seconds, stopwatch.disagreements_seconds])
def test_another_image_and_another_row_are_timed_once_the_page_is_warm(
    measured: Callable[[Path, int], list[float]],
) -> None:
    seconds = measured(app.ROOT / "app.py", 2)
    assert len(seconds) == 2 and min(seconds) > 0


@pytest.mark.usefixtures("chromium")
def test_a_page_is_timed_in_a_real_browser_until_it_is_drawn(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tiny_checkpoint.parent))
    with browser.browser() as driven, app.running_app() as server:
        assert 0 < browser.open_page(driven, f"{server.address}/sample") < browser.PAGE_SECONDS


# Explorer


def test_the_scripts_are_all_of_ours_and_no_larger_than_they_are() -> None:
    folder = Path(app.ROOT) / "bigan" / "ui"
    total = sum(len(path.read_bytes()) for pattern in ("*.js", "*.css") for path in folder.glob(pattern))
    row = explorer.scripts()
    assert row.value == pytest.approx(total / 1e3) and row.hold == "<= 200"


def test_sessions_without_a_browser_press_and_are_answered(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGAN_CHECKPOINTS", str(tiny_checkpoint.parent))
    row = explorer.sessions(2, 3)
    assert row.value is not None and row.value > 0 and "6 times; 2 sessions" in row.note


def test_a_session_hears_of_a_page_that_fails_and_of_a_button_that_is_not_there() -> None:
    failed, finished = ForwardMsg(), ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    failed.delta.new_element.exception.message = "oh"

    async def answer(connection: ServerConnection) -> None:
        await connection.send(
            (failed if b"reconstruct" in bytes(await connection.recv()) else finished).SerializeToString()
        )

    async def visit() -> None:
        async with serve(answer, "127.0.0.1", 0) as server:
            site = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(RuntimeError, match="the page failed"):
                await Client.open(site, "reconstruct")
            client = await Client.open(site, "sample")
            with pytest.raises(KeyError, match="no widget dice"):
                await client.press("dice")
            await client.close()

    asyncio.run(visit())
