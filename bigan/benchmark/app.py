"""The app as its users meet it: how soon it is there, how quickly it answers, how much memory it takes.

The app runs in processes of its own. A page in a real browser is measured where there is a Chromium and playwright;
the server's work alone by `bigan.ui.stopwatch`.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigan.benchmark import Row, at_most, percentile_95
from bigan.benchmark.browser import BrowserError, browser, open_page

ROOT = Path(__file__).parents[2]
PAGES = ("", "sample", "reconstruct", "interpolate", "map")  # of the address; the first is Home
TOGETHER = "rivals"  # the page that opens all checkpoints at once
MAP = ".map[data-drawn] canvas"  # of bigan/ui/map_component.js, once it has its points
SHIPPED = ("mnist", "fashion-mnist")  # checkpoints
NUM_RUNS = 40
MAP_POINTS = 10_000
COARSE_PX = 7  # of the images on that map, before they are enlarged
START_SECONDS = 60.0  # a server that takes longer is not coming
STOPWATCH_SECONDS = 300.0
MAX_START_SECONDS, MAX_SAMPLES_SECONDS, MAX_RECONSTRUCT_SECONDS, MAX_MAP_SECONDS = 5.0, 0.1, 0.2, 2.0
MAX_ANSWER_SECONDS = 0.2  # as a press on the explorer's pages has, which a browser adds to
MAX_MEMORY_MB = 900.0


@dataclass(frozen=True)
class Server:
    """A running app."""

    address: str
    process: int


@contextlib.contextmanager
def running_app(checkpoints: Path | None = None) -> Iterator[Server]:
    """The app on a free port of this machine, answering; ended afterwards.

    Args:
        checkpoints: a folder of further checkpoints.

    Raises:
        RuntimeError: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(_script()), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true", "--browser.gatherUsageStats", "false"]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(checkpoints), stdout=silent, stderr=silent)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _is_healthy(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the app's server did not start")
            time.sleep(0.02)
        yield Server(address, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def running_map(num_points: int) -> Iterator[str]:
    """The address of a random map of so many points, in an app of its own."""
    with tempfile.TemporaryDirectory() as folder:
        _large_map(Path(folder) / "large", num_points)
        with running_app(Path(folder)) as server:
            yield f"{server.address}/map?checkpoint=large"


def start() -> Row:
    """Seconds from starting the server to its first page drawn in a browser; the disk is warm from a first time.

    Holds only if the pages load none of the packages that are slow to import.
    """
    slow = json.loads(_stopwatch("modules"))
    note = f"imported: {', '.join(slow)}" if slow else "no umap, numba, lightning, pandas imported"
    try:
        with browser() as chromium:
            for _ in range(2):
                started = time.perf_counter()
                with running_app() as server:
                    open_page(chromium, server.address)
                    seconds = time.perf_counter() - started
    except BrowserError as error:
        return Row("start", None, "s", f"<= {MAX_START_SECONDS:g}", note=f"{error}; {note}")
    return at_most("start", seconds, "s", MAX_START_SECONDS, note, also=not slow)


def samples(num_runs: int = NUM_RUNS) -> Row:
    """Server's time from another seed to the page with 64 samples, 95th percentile."""
    return _answers("samples", MAX_SAMPLES_SECONDS, num_runs)


def reconstruct(num_runs: int = NUM_RUNS) -> Row:
    """Server's time from an upload to E(x), G(E(x)) and the report on the page, 95th percentile."""
    return _answers("reconstruct", MAX_RECONSTRUCT_SECONDS, num_runs)


def rivals(num_runs: int = NUM_RUNS) -> Row:
    """Server's time from another image to what every model of the Rivals page makes of it, 95th percentile."""
    return _answers("rivals", MAX_ANSWER_SECONDS, num_runs)


def disagreements(num_runs: int = NUM_RUNS) -> Row:
    """Server's time from another row of the Benchmarks page to the digits on which it disagrees, 95th percentile."""
    return _answers("disagreements", MAX_ANSWER_SECONDS, num_runs)


def map_page(num_points: int = MAP_POINTS, name: str = "map", limit: float = MAX_MAP_SECONDS) -> Row:
    """Seconds from opening the page of a map to its being drawn, for a visitor after the first."""
    note = f"{num_points:,} points"
    try:
        with browser() as chromium, running_map(num_points) as address:
            for _ in range(2):  # the first visitor waits for the model and the gallery too
                seconds = open_page(chromium, address, MAP)
    except BrowserError as error:
        return Row(name, None, "s", f"<= {limit:g}", note=f"{error}; {note}")
    return at_most(name, seconds, "s", limit, note)


def memory() -> Row:
    """Megabytes of the app's process after `PAGES` were seen with both shipped BiGANs of the paper's recipe.

    Holds only if both are there. The note says what it is after they and Rivals were seen with all others too.
    """
    from bigan.checkpoint import list_checkpoints

    names = list_checkpoints()
    both, others = [name for name in SHIPPED if name in names], [name for name in names if name not in SHIPPED]
    missing = [name for name in SHIPPED if name not in names]
    note = f"checkpoints: {', '.join(both) or 'none'}" + (f"; without {', '.join(missing)}" if missing else "")
    try:
        with browser() as chromium, running_app() as server:
            megabytes = _megabytes_after(chromium, server, both)
            if others:
                note += f"; with {', '.join(others)} and {TOGETHER} too "
                note += f"{_megabytes_after(chromium, server, others, (*PAGES, TOGETHER)):.0f} MB"
    except BrowserError as error:
        return Row("memory", None, "MB", f"<= {MAX_MEMORY_MB:g}", note=f"{error}; {note}")
    return at_most("memory", megabytes, "MB", MAX_MEMORY_MB, note, also=not missing)


def _megabytes_after(chromium: Any, server: Server, names: Iterable[str], pages: Iterable[str] = PAGES) -> float:
    """Memory of the app once these pages were seen with these checkpoints."""
    for name in names:
        for page in pages:
            open_page(chromium, f"{server.address}/{page}?checkpoint={name}")
    return resident_megabytes(server.process)


def resident_megabytes(process: int) -> float:
    """Memory of a process in 10^6 bytes, what it shares with others included (Linux: Rss)."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    kibibytes = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))
    return kibibytes * 1024 / 1e6


def _answers(name: str, limit: float, num_runs: int) -> Row:
    seconds = json.loads(_stopwatch(name, str(num_runs)))
    note = f"median {1e3 * statistics.median(seconds):.0f} ms, {len(seconds)} runs"
    return at_most(name, 1e3 * percentile_95(seconds), "ms", 1e3 * limit, note)


def _stopwatch(*arguments: str) -> str:
    """What `python -m bigan.ui.stopwatch` prints."""
    command = [sys.executable, "-m", "bigan.ui.stopwatch", str(_script()), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(None), capture_output=True, text=True, timeout=STOPWATCH_SECONDS
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the app failed")
    return done.stdout.splitlines()[-1]


def _script() -> Path:
    script = ROOT / "app.py"
    if not script.exists():
        raise RuntimeError("there is no app.py beside the library; run this in the source tree")
    return script


def _environment(checkpoints: Path | None) -> dict[str, str]:
    return os.environ | ({"BIGAN_CHECKPOINTS": str(checkpoints)} if checkpoints else {})


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _large_map(folder: Path, num_points: int) -> None:
    """A checkpoint of an untrained model with random images at random places of a map.

    The images are 7 x 7 random grey values enlarged smoothly: 1.6 MB as 10,000 thumbnails, where MNIST's digits take
    1.3 MB and Fashion-MNIST's pictures 1.8 MB. Noise, which nothing compresses, takes 7.3 MB.
    """
    import torch

    from bigan import checkpoint
    from bigan.config import ModelConfig
    from bigan.data import to_uint8
    from bigan.evaluation.report import weights_sha256
    from bigan.explore.gallery import Gallery, save_gallery
    from bigan.explore.projection import SPACES, Projection, SpaceMap, save_projection
    from bigan.models.bigan import BiGAN

    generator = torch.Generator().manual_seed(0)
    config = ModelConfig()
    checkpoint.save(BiGAN(config).initialise(seed=0), folder)
    coarse = torch.rand(num_points, config.image_shape[0], COARSE_PX, COARSE_PX, generator=generator)
    images = to_uint8(torch.nn.functional.interpolate(coarse, config.image_shape[1:], mode="bilinear"))
    labels = torch.randint(10, (num_points,), generator=generator)
    ids = tuple(f"random-{index:05d}" for index in range(num_points))
    save_gallery(Gallery(images, labels, ids, tuple("0123456789"), "random greys"), folder)
    places = torch.randn(num_points, 2, generator=generator)
    maps: dict[str, SpaceMap] = {
        space: SpaceMap(space, places, {"method": "random"}, 0.0, 0.1, 0.1) for space in SPACES
    }
    save_projection(Projection(ids, maps, weights_sha256(checkpoint.load(folder))), folder)
