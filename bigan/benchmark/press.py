"""What is done in a page of the app, timed inside the browser: from the event to the first frame with its answer."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bigan.benchmark import Row, at_most, percentile_95

LIMIT_MS = 60_000  # an answer that takes longer is not coming
PAUSE_MS = 50  # between the end of an answer and the next press

# From here on SHOWN is an expression: what is shown now, null where that is not there yet
_WAIT = """
const shown = () => SHOWN;
const frame = () => new Promise((done) => requestAnimationFrame(done));
const change = async (before, since) => {
  for (let now = null; now === null || now === before; now = shown()) {
    await frame();
    if (performance.now() - since > LIMIT) throw new Error("no answer to what was done");
  }
  return performance.now() - since;
};
"""
_PRESSES = """async (presses) => {
  WAIT
  const ready = async (is, name) => {
    for (const since = performance.now(); !is(); await frame()) {
      if (performance.now() - since > LIMIT) throw new Error(`${name} is not there`);
    }
  };
  const times = [];
  for (const press of presses) {
    await ready(() => shown() !== null && document.querySelector(press), press);
    await ready(() => document.querySelector("[data-test-script-state=notRunning]"), "rest");
    const target = document.querySelector(press);
    const [before, since] = [shown(), performance.now()];
    target.click();
    times.push(await change(before, since));
    await new Promise((done) => setTimeout(done, PAUSE));
  }
  const failed = document.querySelector("[data-testid=stException], [data-testid=stAlertContentError]");
  if (failed) throw new Error(`the page failed: ${failed.textContent}`);
  return times;
}"""
_WATCH = """(kind) => {
  WAIT
  const before = shown();
  window.biganAnswer = new Promise((give, fail) => {
    const happen = (event) => change(before, event.timeStamp).then(give, fail);
    document.addEventListener(kind, happen, { capture: true, once: true });
  });
  window.biganAnswer.catch(() => {});
}"""


def presses(page: Any, targets: Sequence[str], shown: str) -> list[float]:
    """Milliseconds from each press to its answer, one after the other, each once the page is at rest.

    Args:
        page: playwright's.
        targets: selectors of what is pressed.
        shown: an expression in JavaScript for what the answer changes.
    """
    found = page.evaluate(_script(_PRESSES, shown), list(targets))
    return [float(milliseconds) for milliseconds in found]


def answer(page: Any, event: str, shown: str, act: Callable[[], object]) -> float:
    """Milliseconds from an event, such as "pointerup", that something done here causes, to its answer."""
    page.evaluate(_script(_WATCH, shown), event)
    act()
    return float(page.evaluate("() => window.biganAnswer"))


def drag(page: Any, places: Sequence[tuple[float, float]]) -> None:
    """Press at the first place of the page, go from one to the next, and let go at the last."""
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def answers(name: str, times: Sequence[float], limit: float, note: str = "", *, also: bool = True) -> Row:
    """The row of many answers: their 95th percentile in milliseconds, which is not to be above a limit."""
    median = f"median {statistics.median(times):.0f} ms, {len(times)} times"
    return at_most(name, percentile_95(times), "ms", limit, f"{median}; {note}".removesuffix("; "), also=also)


def _script(script: str, shown: str) -> str:
    whole = script.replace("WAIT", _WAIT).replace("LIMIT", str(LIMIT_MS)).replace("PAUSE", str(PAUSE_MS))
    return whole.replace("SHOWN", shown)
