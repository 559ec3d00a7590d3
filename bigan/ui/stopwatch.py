"""Times the app's answers without a browser, for `python -m bigan benchmark`, which runs this in its own process.

    python -m bigan.ui.stopwatch app.py modules            the slow packages that the pages have imported
    python -m bigan.ui.stopwatch app.py samples 40         seconds from another seed to the page, 40 times
    python -m bigan.ui.stopwatch app.py reconstruct 40     seconds from an upload to the page, 40 times
    python -m bigan.ui.stopwatch app.py rivals 40          seconds from another image to what all models make of it
    python -m bigan.ui.stopwatch app.py disagreements 40   seconds from another row to the digits beside it

Prints one line of JSON.
"""

import json
import sys
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bigan.benchmark.drawings import drawing
from bigan.ui.state import BENCHMARKS, PAGES, RECONSTRUCT, RIVALS, SAMPLE, PageInfo

SLOW = ("umap", "numba", "lightning", "lightning_fabric", "pytorch_lightning", "pandas", "pyarrow")
TIMEOUT_SECONDS = 60.0


def open_app(script: Path, page: PageInfo | None = None) -> AppTest:
    """The app, drawn, on a page."""
    app = _run(AppTest.from_file(str(script), default_timeout=TIMEOUT_SECONDS))
    return app if page is None else _run(app.switch_page(page.path))


def slow_modules(script: Path) -> list[str]:
    """Which slow packages are imported once every page has been drawn."""
    app = open_app(script)
    for page in PAGES:
        if (script.parent / page.path).exists():
            _run(app.switch_page(page.path))
    return [name for name in SLOW if name in sys.modules]


def sample_seconds(script: Path, num_runs: int) -> list[float]:
    """Seconds from another seed to the Sample page; one run before them does not count."""
    app = open_app(script, SAMPLE)
    seconds = []
    for seed in range(1, num_runs + 2):
        app.number_input(key="seed").set_value(seed)
        seconds.append(_seconds(app))
    return seconds[1:]


def reconstruct_seconds(script: Path, num_runs: int) -> list[float]:
    """Seconds from a new visitor's picture to the Reconstruct page; one run before them does not count."""
    seconds = []
    for seed in range(num_runs + 1):
        app = open_app(script, RECONSTRUCT)
        _choose_upload(app)
        app.file_uploader[0].set_value((f"digit-{seed}.png", drawing(seed), "image/png"))
        seconds.append(_seconds(app))
    return seconds[1:]


def rivals_seconds(script: Path, num_runs: int) -> list[float]:
    """Seconds from another image to the Rivals page with what every model makes of it; the first does not count."""
    app = open_app(script, RIVALS)
    seconds = []
    for _ in range(num_runs + 1):
        app.button(key="source-another").click()
        seconds.append(_seconds(app))
    return seconds[1:]


def disagreements_seconds(script: Path, num_runs: int) -> list[float]:
    """Seconds from another second row to the digits on which it disagrees, once each row has been shown."""
    app = open_app(script, BENCHMARKS)
    rows = app.selectbox(key="second").options
    seconds = []
    for run in range(num_runs + len(rows)):
        app.selectbox(key="second").select_index(run % len(rows))
        seconds.append(_seconds(app))
    return seconds[len(rows) :]


def _choose_upload(app: AppTest) -> None:
    """Bring the page's uploader on the screen, where a choice of sources hides it."""
    if not app.file_uploader:
        for choice in (*app.segmented_control, *app.pills, *app.radio, *app.selectbox):
            if named := [option for option in choice.options if "upload" in option.lower()]:
                choice.set_value(named[0])
        _run(app)
    if not app.file_uploader:
        raise RuntimeError("The page has no uploader.")


def _run(app: AppTest) -> AppTest:
    _seconds(app)
    return app


def _seconds(app: AppTest) -> float:
    """Seconds of one run of the script; what the page shows as an error is raised."""
    started = time.perf_counter()
    app.run()
    elapsed = time.perf_counter() - started
    if problems := [element.value for element in (*app.exception, *app.error)]:
        raise RuntimeError(f"The page failed: {problems}")
    return elapsed


MEASURES = {
    "samples": sample_seconds,
    "reconstruct": reconstruct_seconds,
    "rivals": rivals_seconds,
    "disagreements": disagreements_seconds,
}


def main(script: str, what: str, num_runs: str = "40") -> None:
    """Measure and print."""
    path = Path(script).resolve()
    if what == "modules":
        found: list[str] | list[float] = slow_modules(path)
    else:
        found = MEASURES[what](path, int(num_runs))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
