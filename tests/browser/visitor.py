"""A visitor of the app in a real Chromium, who notes everything that goes wrong and may reach no other host."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bigan.benchmark.browser import IDLE

WAIT_SECONDS = 60.0  # other work may keep the machine busy
PATIENCE_SECONDS, MAX_PRESSES = 10.0, 3  # before someone whose press did nothing presses again
OWN_HOST = "127.0.0.1"
# Opened at the address of a page, Streamlit first asks for these beside the page, and then where they are.
PROBES = ("/_stcore/health", "/_stcore/host-config")


class Visitor:
    """Someone at the app, who notes everything that goes wrong."""

    def __init__(self, context: Any, site: str) -> None:
        self.site = site
        self.problems: list[str] = []
        self.foreign: list[str] = []
        self.received_bytes = 0
        self.page = context.new_page()
        self.page.on("request", self._asked)
        self.page.set_default_timeout(1e3 * WAIT_SECONDS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("websocket", self._connected)

    def _asked(self, request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.hostname != OWN_HOST:
            self.foreign.append(request.url)

    def _heard(self, message: Any) -> None:
        probe = urlsplit(message.location.get("url", "")).path.endswith(PROBES)
        if message.type == "error" and not probe:
            self.problems.append(f"console: {message.text} ({message.location})")

    def _connected(self, websocket: Any) -> None:
        if urlsplit(websocket.url).hostname != OWN_HOST:
            self.foreign.append(websocket.url)
        websocket.on("framereceived", self._received)

    def _received(self, payload: str | bytes) -> None:
        self.received_bytes += len(payload)

    def open(self, path: str = "/") -> None:
        """Ask for an address, and wait until the page is drawn."""
        self.page.goto(self.site + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the server's script is done."""
        self.page.wait_for_selector("[data-testid='stMain'] h1", state="visible")
        self.page.wait_for_timeout(250)  # what was just pressed has to reach the server first
        self.page.wait_for_selector(IDLE)

    def press(self, button: Any, is_answered: Callable[[str], bool]) -> None:
        """Press a button beside which the page goes on changing, until the address says that it was heard.

        On a machine without a core to spare such a press was lost once; no cause was found, and none in 40 trials.
        """
        from playwright.sync_api import TimeoutError

        for _ in range(MAX_PRESSES):
            button.click()
            try:
                return self.page.wait_for_url(is_answered, timeout=1e3 * PATIENCE_SECONDS)
            except TimeoutError:
                pass
        raise AssertionError(f"pressed {MAX_PRESSES} times, and the address is still {self.page.url}")

    def title(self) -> str:
        return str(self.page.locator("[data-testid='stMain'] h1").first.inner_text())

    def follow(self, name: str, title: str) -> None:
        """Press a link of the page's own part, and arrive."""
        self.page.locator("[data-testid='stMain']").get_by_role("link", name=name).first.click()
        self.arrive(title)

    def arrive(self, title: str) -> None:
        self.page.wait_for_function(
            "title => document.querySelector('[data-testid=stMain] h1')?.innerText === title", arg=title
        )
        self.settle()
        self.assert_well()

    def assert_well(self) -> None:
        """No exception, no error, nothing in the console, and no other host asked."""
        for failure in ("stException", "stAlertContentError"):
            shown = self.page.get_by_test_id(failure)
            assert shown.count() == 0, shown.first.inner_text()
        assert self.problems == []
        assert self.foreign == []

    def has_sideways_scrolling(self) -> bool:
        script = """() => [document.documentElement, document.querySelector('[data-testid=stMain]')]
          .some(element => element.scrollWidth > element.clientWidth + 1)"""
        return bool(self.page.evaluate(script))
