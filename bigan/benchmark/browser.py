"""A real browser, where there is one: Chromium or Chrome of this machine, driven by playwright."""

import contextlib
import importlib
import importlib.util
import shutil
import time
from collections.abc import Iterator
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
IDLE = "[data-testid='stApp'][data-test-script-state='notRunning']"  # Streamlit's own mark of a page that is done
TITLE = "[data-testid='stMain'] h1"
PAGE_SECONDS = 60.0
# Quiet: it asks nobody for anything. The sandbox does not work for root, as in most containers; only our own pages are
# opened.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


class BrowserError(RuntimeError):
    """There is no browser to measure with."""


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, or None where there is neither."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A headless browser (playwright's Browser).

    Raises:
        BrowserError: no Chromium, or no playwright to drive it.
    """
    path = find_chromium()
    if path is None:
        raise BrowserError("no Chromium or Chrome on this machine")
    # imported by name: a requirement of development only, which `pip install bigan-explorer` does not bring
    if importlib.util.find_spec("playwright") is None:
        raise BrowserError("playwright is not installed")
    with importlib.import_module("playwright.sync_api").sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def opened(chromium: Any, address: str, selector: str = TITLE) -> Iterator[Any]:
    """A page as a new visitor has it: something on it is visible, and its script is done."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        page.set_default_timeout(1e3 * PAGE_SECONDS)
        page.goto(address)
        page.wait_for_selector(selector, state="visible")
        page.wait_for_selector(IDLE)
        yield page
    finally:
        context.close()


def open_page(chromium: Any, address: str, selector: str = TITLE) -> float:
    """Seconds from asking for a page, as a new visitor, until something on it is visible and its script is done."""
    started = time.perf_counter()
    with opened(chromium, address, selector):
        return time.perf_counter() - started
