"""A server of the app with a tiny checkpoint, and a visitor in a real Chromium who may reach nothing else."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from visitor import OWN_HOST, WAIT_SECONDS, Visitor

from bigan.benchmark.browser import ARGUMENTS
from bigan.checkpoint import DEFAULT_NAME

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
# Nobody else can be reached; to stop each request on its way would cost the browser its cache.
NOBODY_ELSE = f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {OWN_HOST}"


@pytest.fixture(scope="session")
def site(mapped_checkpoint: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001
    """The address of a running app whose default checkpoint is the tiny one with a map, in place of the shipped."""
    places = tmp_path_factory.mktemp("places")
    shutil.copytree(mapped_checkpoint, places / DEFAULT_NAME)
    with _serving(places) as address:
        yield address


@pytest.fixture(scope="session")
def shipped_site(chromium: str) -> Iterator[str]:  # noqa: ARG001
    """The address of a running app with the shipped checkpoints, for what takes its time."""
    with _serving(ROOT / "checkpoints") as address:
        yield address


@contextlib.contextmanager
def _serving(places: Path) -> Iterator[str]:
    """The address of a running app that finds its checkpoints there."""
    with socket.socket() as listener:
        listener.bind((OWN_HOST, 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    options = ["--server.address", OWN_HOST, "--server.port", str(port), "--server.headless", "true"]
    environment = os.environ | {"BIGAN_CHECKPOINTS": str(places), "OMP_NUM_THREADS": "1"}
    address = f"http://{OWN_HOST}:{port}"
    with subprocess.Popen(
        command + options, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(address, server)
            yield address
        finally:
            server.kill()


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended by itself"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not answer within {START_SECONDS:.0f} s")


@pytest.fixture(scope="module")  # ended before another test starts playwright in this process
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1e3 * WAIT_SECONDS)
    with sync_playwright() as playwright:
        chromium_ = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, NOBODY_ELSE])
        yield chromium_
        chromium_.close()


Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """One profile for the visitors of a module: the second one has the app's scripts already."""
    shared = browser.new_context()
    yield shared
    shared.close()


@pytest.fixture
def visit(context: Any, site: str) -> Iterator[Visit]:
    """Makes a new visitor, for example on a telephone: `visit(width=390)`. Nobody finds what another one left."""
    visitors = []

    def made(width: int = 1400) -> Visitor:
        visitors.append(Visitor(context, site))
        visitors[-1].page.set_viewport_size({"width": width, "height": 1000})
        return visitors[-1]

    yield made
    for visitor in visitors:
        if visitor.page.url.startswith(site):
            visitor.page.evaluate("localStorage.clear()")
        visitor.page.close()
    context.clear_cookies()
