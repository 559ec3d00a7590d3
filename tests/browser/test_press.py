"""The benchmark's clock in a real Chromium, on a page whose answers take a known time."""

from collections.abc import Iterator
from typing import Any

import pytest

from bigan.benchmark import press

DELAY_MS = 300
LATE_MS = 2000  # of a busy machine
SLOW_BUTTON = f"""<p>0</p><button onclick="setTimeout(() => document.querySelector('p').textContent++, {DELAY_MS})">
</button><div data-test-script-state="notRunning"></div>"""
COUNT = "document.querySelector('p').textContent"


@pytest.fixture
def slow_page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_content(SLOW_BUTTON)
    yield page
    page.close()


def test_a_press_is_timed_until_its_answer_shows(slow_page: Any) -> None:
    times = press.presses(slow_page, ["button"] * 3, COUNT)
    assert len(times) == 3 and all(DELAY_MS <= milliseconds < DELAY_MS + LATE_MS for milliseconds in times)
    assert slow_page.locator("p").inner_text() == "3"


def test_what_a_mouse_does_is_timed_from_its_event(slow_page: Any) -> None:
    def act() -> None:
        slow_page.wait_for_timeout(LATE_MS)  # before the event: does not count
        slow_page.locator("button").click()

    assert DELAY_MS <= press.answer(slow_page, "click", COUNT, act) < DELAY_MS + LATE_MS


def test_an_answer_that_does_not_come_and_a_page_that_fails_are_errors(
    slow_page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(press, "LIMIT_MS", 200)
    with pytest.raises(Exception, match="no answer"):
        press.presses(slow_page, ["button"], "'always the same'")
    with pytest.raises(Exception, match="#nowhere is not there"):
        press.presses(slow_page, ["#nowhere"], COUNT)
    monkeypatch.setattr(press, "LIMIT_MS", 60_000)
    slow_page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<i data-testid=stException>oh</i>')")
    with pytest.raises(Exception, match="the page failed: oh"):
        press.presses(slow_page, ["button"], COUNT)
