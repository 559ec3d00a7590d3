"""A map of many points under the hand: drawn around, opened and dragged in a real Chromium.

Times are taken inside the browser (see `press`). Where there is none, a row raises BrowserError, which `measure` says.
"""

import itertools
import statistics
from typing import Any

from bigan.benchmark import Row, app, at_least, percentile_95, press
from bigan.benchmark.browser import IDLE, browser, opened

NUM_RUNS, NUM_WARM = 40, 2  # runs that count, and those before them that do not
MAX_LASSO_MS, MAX_LOAD_SECONDS, MIN_FRAMES_A_SECOND = 300.0, 3.0, 30.0
LASSO_POINTS, LASSO_SHARE, LARGE_POINTS = 10_000, 5, 70_000  # one point in five is drawn around
LASSO_TRIES, LASSO_EDGES = 8, (0.02, 0.98)  # how often the line's right edge is halved to its place; of the map
ZOOMS, DRAG_PX, DRAG_STEPS = 3, 250, 40

PANEL = """[...document.querySelectorAll("figcaption")].map((caption) => caption.textContent)
  .find((text) => / of the [0-9,]+ selected /.test(text)) ?? null"""
# Times of the frames that the browser shows, until the page is asked to stop
_FRAMES = """() => { window.biganFrames = []; window.biganCounts = true;
  const count = (now) => { window.biganFrames.push(now); if (window.biganCounts) requestAnimationFrame(count); };
  requestAnimationFrame(count); }"""
_FRAMES_END = "() => { window.biganCounts = false; return window.biganFrames; }"


def lasso(num_points: int = LASSO_POINTS, num_runs: int = NUM_RUNS) -> Row:
    """From the end of a line around a fifth of the map's points to their panel with its pictures, 95th percentile."""
    with browser() as chromium, app.running_map(num_points) as address, opened(chromium, address, app.MAP) as page:
        low, high = LASSO_EDGES
        for _ in range(LASSO_TRIES):
            edge = (low + high) / 2
            _encircle(page, edge)
            page.locator(".map:not([data-selected='0'])").wait_for()
            low, high = (low, edge) if _num_selected(page) > num_points / LASSO_SHARE else (edge, high)
            _clear(page)
        times = []
        for _ in range(num_runs + NUM_WARM):
            times.append(press.answer(page, "pointerup", PANEL, lambda: _encircle(page, edge)))
            count = _num_selected(page)
            _clear(page)
    return press.answers("lasso", times[NUM_WARM:], MAX_LASSO_MS, f"{count:,} of {num_points:,} points")


def large_map(num_points: int = LARGE_POINTS) -> Row:
    """Seconds from opening the page of a large map to its being drawn, for a visitor after the first."""
    return app.map_page(num_points, "large-map", MAX_LOAD_SECONDS)


def pan(num_points: int = LARGE_POINTS, num_drags: int = NUM_RUNS) -> Row:
    """Frames a second that the browser shows while a large map is dragged, in the median of the drags."""
    with browser() as chromium, app.running_map(num_points) as address, opened(chromium, address, app.MAP) as page:
        for _ in range(ZOOMS):
            page.get_by_role("button", name="Zoom in").click()
        rates, intervals = [], []
        for i in range(num_drags + NUM_WARM):
            taken = _frame_intervals(page, DRAG_PX if i % 2 else -DRAG_PX)
            if i >= NUM_WARM:
                intervals += taken
                rates.append(1e3 * len(taken) / sum(taken))
        page.wait_for_url("**view=*")  # the map did move, and says where to
    note = f"{num_points:,} points, {num_drags} drags, 95 % of frames within {percentile_95(intervals):.0f} ms"
    return at_least("pan", statistics.median(rates), "frames/s", MIN_FRAMES_A_SECOND, note)


def _encircle(page: Any, edge: float) -> None:
    """Draw around what lies left of a share of the map's width."""
    box = page.locator(app.MAP).first.bounding_box()
    low, high = LASSO_EDGES
    corners = [(low, low), (edge, low), (edge, high), (low, high)]
    page.keyboard.down("Shift")
    press.drag(page, [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners])
    page.keyboard.up("Shift")


def _num_selected(page: Any) -> int:
    return int(page.locator(".map").first.get_attribute("data-selected"))


def _clear(page: Any) -> None:
    """Take the selection away, and wait until its panel is gone and the page is at rest."""
    page.get_by_role("button", name="Clear the selection").click()
    page.locator(".map[data-selected='0']").wait_for()
    page.wait_for_function(f"() => ({PANEL}) === null")
    page.wait_for_selector(IDLE)


def _frame_intervals(page: Any, distance_px: int) -> list[float]:
    """Milliseconds between the frames of a drag."""
    box = page.locator(app.MAP).first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(_FRAMES)
    page.mouse.move(x + distance_px, y, steps=DRAG_STEPS)
    times = page.evaluate(_FRAMES_END)
    page.mouse.up()
    return [float(later - sooner) for sooner, later in itertools.pairwise(times)]
