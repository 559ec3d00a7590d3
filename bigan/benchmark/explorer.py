"""The explorer in depth under the hand: what is pressed, drawn, dropped and dragged in a real Chromium, and its answer.

Times are taken inside the browser (see `press`). Where there is none, a row raises BrowserError, which `measure` says.
"""

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bigan.benchmark import Row, app, at_most, drawings, percentile_95, press
from bigan.benchmark.browser import IDLE, browser, opened
from bigan.benchmark.clients import Client
from bigan.explore.gallery import load_gallery

NUM_RUNS, NUM_WARM = 40, 2  # runs that count, and those before them that do not
MAX_CLICK_MS, MAX_SPRITE_MS, MAX_STROKE_MS = 200.0, 300.0, 200.0
MAX_UPLOADS_MS, MAX_SESSIONS_MS = 2000.0, 500.0
NUM_DESCENTS, MAX_DESCENT_SECONDS = 30, 5.0
MAX_GROWTH_MB, MAX_SCRIPTS_KB = 100.0, 200.0
FILM_FRAMES = 64  # of the lengths the page offers, the one above 60
STROKES_BETWEEN = 4  # before the pad is cleared
NUM_FILES, NUM_SESSIONS, SECONDS_BETWEEN = 64, 20, 1.0
CLICKS_EACH, NUM_INTERACTIONS, WARM_INTERACTIONS = 30, 2000, 100
MIN_PACE = 0.9  # of a click a second, below which sessions did not click as they were to
NUM_CELLS = 64  # of the Sample page's grid

DETAIL = """(() => { const image = document.querySelector("img[alt^='G(z) of sample']");
  return image?.complete ? image.src : null; })()"""
RETURNED = """(() => { const image = document.querySelector("img[alt='G(E(x)), the reconstruction']");
  return image?.complete ? image.src : null; })()"""
FILM = """(() => { const film = document.querySelector(".bg-scrubber")?.scrubber;
  return film?.picture?.src === film?.wanted ? film?.wanted ?? null : null; })()"""
DESCENT = """(document.querySelector(".st-key-descend button") ? "not begun" : [...document.querySelectorAll("p")]
  .some((words) => words.textContent.startsWith("This is the honest measure of E")) ? "done" : null)"""
TABLE = f'document.querySelectorAll(".bg-uploads tbody tr").length === {NUM_FILES} || null'
PAGES = ("sample", "reconstruct")  # for many clicks, in turn
DESCEND = ".st-key-descend button"
ROLL, ANOTHER, OTHER_END = ".st-key-dice button", ".st-key-source-another button", ".st-key-a-another button"


def click(num_runs: int = NUM_RUNS) -> Row:
    """From a press on a cell of the Sample page's grid to its close-up, 95th percentile."""
    with _page("sample", ".bg-grid[data-drawn]") as page:
        times = press.presses(page, _cells(num_runs + NUM_WARM), DETAIL)
    return press.answers("click", times[NUM_WARM:], MAX_CLICK_MS)


def scrub(num_runs: int = NUM_RUNS) -> Row:
    """From the choice of another end to its film being ready, 95th percentile; holds only if moving in it asks nobody.

    Raises:
        RuntimeError: the place where the slider was let go is not seen to travel, so that nothing was counted at all.
    """
    address = f"interpolate?a=sample:1:0&b=sample:2:0&steps={FILM_FRAMES}"
    with _page(address, ".bg-scrubber[data-frames]") as page:
        times = press.presses(page, [OTHER_END] * (num_runs + NUM_WARM), FILM)
        while_held, afterwards = _messages_of_scrubbing(page)
    if not afterwards:
        raise RuntimeError("no message to the server was seen when the slider was let go")
    note = f"{FILM_FRAMES} frames, {while_held} messages to the server while scrubbing"
    return press.answers("scrub", times[NUM_WARM:], MAX_SPRITE_MS, note, also=not while_held)


def stroke(num_runs: int = NUM_RUNS) -> Row:
    """From the end of a stroke on the pad to G(E(drawing)), 95th percentile."""
    times = []
    with _page("reconstruct?way=Draw", ".bg-pad canvas") as page:
        pad = page.locator(".bg-pad canvas")
        pad.scroll_into_view_if_needed()
        for i in range(num_runs + NUM_WARM):
            if i % STROKES_BETWEEN == 0 and i:
                page.locator(".bg-pad").get_by_role("button", name="Clear", exact=True).click()
            page.wait_for_timeout(press.PAUSE_MS)
            page.wait_for_selector(IDLE)
            box = pad.bounding_box()
            scale = box["width"] / drawings.SIDE_PX
            corners = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in drawings.stroke(i)]
            times.append(press.answer(page, "pointerup", RETURNED, lambda corners=corners: press.drag(page, corners)))  # type: ignore[misc]
    return press.answers("stroke", times[NUM_WARM:], MAX_STROKE_MS)


def uploads(num_runs: int = NUM_RUNS) -> Row:
    """From the choice of 64 files to the table of what comes back of them, of new visitors, 95th percentile."""
    files = [{"name": f"{i}.png", "mimeType": "image/png", "buffer": drawings.drawing(i)} for i in range(NUM_FILES)]
    times = []
    with browser() as chromium, app.running_app() as server:
        for _ in range(num_runs + 1):
            with opened(chromium, f"{server.address}/reconstruct?way=Upload", "[data-testid=stFileUploader]") as page:
                choose = page.locator("input[type=file]").first
                times.append(press.answer(page, "change", TABLE, lambda choose=choose: choose.set_input_files(files)))  # type: ignore[misc]
    return press.answers("uploads", times[1:], MAX_UPLOADS_MS, f"{NUM_FILES} files")


def descent(num_runs: int = NUM_DESCENTS) -> Row:
    """From asking how good a reconstruction could be to the end of all 200 steps, shown on the way, 95th percentile.

    Each of the gallery's first images is asked about once, by a new visitor: a session remembers its answers.
    """
    images = load_gallery(app.ROOT / "checkpoints" / app.SHIPPED[0])
    if images is None:
        raise RuntimeError("the checkpoint has no gallery to take digits from")
    seconds = []
    with browser() as chromium, app.running_app() as server:
        for image_id in images.ids[: num_runs + 1]:
            address = f"{server.address}/reconstruct?source=gallery:{image_id}&ask=How+good+could+it+be"
            with opened(chromium, address, DESCEND) as page:
                seconds.append(press.presses(page, [DESCEND], DESCENT)[0] / 1e3)
    note = f"median {statistics.median(seconds[1:]):.1f} s, {len(seconds) - 1} images"
    return at_most("descent", percentile_95(seconds[1:]), "s", MAX_DESCENT_SECONDS, note)


def sessions(num_sessions: int = NUM_SESSIONS, num_clicks: int = CLICKS_EACH) -> Row:
    """From a press to the end of its answer while many sessions press once a second, 95th percentile.

    They press cells and the dice on Sample, and another image on Reconstruct, and draw nothing (see `clients`): twenty
    browsers on the server's own processors would measure themselves. Holds only if they do press so often and the app's
    memory grows by less than 100 MB.
    """
    with app.running_app() as server:
        times, pace, (before, after) = asyncio.run(_sessions(server, num_sessions, num_clicks))
    milliseconds = [1e3 * seconds for seconds in times]
    note = f"{num_sessions} sessions, {pace:.2f} presses/s each, {before:.0f} to {after:.0f} MB"
    return press.answers(
        "sessions", milliseconds, MAX_SESSIONS_MS, note, also=pace >= MIN_PACE and after - before <= MAX_GROWTH_MB
    )


async def _sessions(
    server: app.Server, num_sessions: int, num_clicks: int
) -> tuple[list[float], float, tuple[float, float]]:
    """Seconds to each answer, presses a second of each session, and the app's megabytes before and after."""
    async with contextlib.AsyncExitStack() as stack:
        clients = []
        for i in range(num_sessions):
            clients.append(await Client.open(server.address, PAGES[i % len(PAGES)]))
            stack.push_async_callback(clients[-1].close)
        before = app.resident_megabytes(server.process)
        began = time.perf_counter()
        offsets = [began + i * SECONDS_BETWEEN / num_sessions for i in range(num_sessions)]
        found = await asyncio.gather(*(_press(*one, num_clicks) for one in zip(clients, offsets, strict=True)))
        pace = num_clicks / (time.perf_counter() - began)
        after = app.resident_megabytes(server.process)
    return list(itertools.chain(*found)), pace, (before, after)


async def _press(client: Client, begin: float, num_clicks: int) -> list[float]:
    """Seconds to the answer of each press, of which one a second is due; a late one counts from when it is made."""
    times = []
    for i in range(num_clicks):
        await asyncio.sleep(max(0.0, begin + i * SECONDS_BETWEEN - time.perf_counter()))
        if client.page == "reconstruct":
            times.append(await client.press("source-another"))
        elif i % 2:
            times.append(await client.press("dice"))
        else:
            times.append(await client.choose("grid", 1 + i % (NUM_CELLS - 1)))
    return times


def growth(num_interactions: int = NUM_INTERACTIONS, num_warm: int = WARM_INTERACTIONS) -> Row:
    """Megabytes by which the app's process grows over many interactions, half on Sample and half on Reconstruct."""
    half = num_interactions // 2
    with browser() as chromium, app.running_app() as server, contextlib.ExitStack() as stack:
        pages = [stack.enter_context(opened(chromium, f"{server.address}/{name}")) for name in PAGES]
        for i, page in enumerate(pages):
            press.presses(page, *_session(i, num_warm // 2))
        before = app.resident_megabytes(server.process)
        times = [one for i, page in enumerate(pages) for one in press.presses(page, *_session(i, half, num_warm))]
        after = app.resident_megabytes(server.process)
    note = f"{len(times):,} interactions after {num_warm}, {before:.0f} to {after:.0f} MB"
    return at_most("growth", after - before, "MB", MAX_GROWTH_MB, note)


def scripts() -> Row:
    """Kilobytes of all scripts and style sheets of our own components, as they lie in the source."""
    files = [path for path in (Path(__file__).parents[1] / "ui").rglob("*") if path.suffix in (".js", ".css")]
    kilobytes = sum(path.stat().st_size for path in files) / 1e3
    return at_most("scripts", kilobytes, "kB", MAX_SCRIPTS_KB, f"{len(files)} files")


@contextlib.contextmanager
def _page(address: str, selector: str) -> Iterator[Any]:
    with (
        browser() as chromium,
        app.running_app() as server,
        opened(chromium, f"{server.address}/{address}", selector) as page,
    ):
        yield page


def _cells(count: int, first: int = 0) -> list[str]:
    """Cells to press one after the other, none soon again; the first of the grid is shown already."""
    return [f"[data-cell='{1 + i % (NUM_CELLS - 1)}']" for i in range(first, first + count)]


def _session(index: int, num_clicks: int, first: int = 0) -> tuple[list[str], str]:
    """What is pressed on a page, and what that changes: cells and new seeds in turn, or images on Reconstruct."""
    if PAGES[index % 2] == "reconstruct":
        return [ANOTHER] * num_clicks, RETURNED
    return [ROLL if i % 2 else cell for i, cell in enumerate(_cells(num_clicks, first))], DETAIL


def _messages_of_scrubbing(page: Any) -> tuple[int, int]:
    """How often the page speaks to the server while its slider is dragged from end to end, and once it is let go."""
    sent: list[object] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.webSocketFrameSent", lambda message: sent.append(message))
    network.send("Network.enable")
    page.wait_for_selector(IDLE)
    slider = page.locator(".bg-scrubber input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, y)
    sent.clear()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, y, steps=FILM_FRAMES)
    page.locator(f".bg-scrubber[data-at='{FILM_FRAMES - 1}']").wait_for()
    while_held = len(sent)
    page.mouse.up()
    page.wait_for_timeout(1e3)
    return while_held, len(sent) - while_held
