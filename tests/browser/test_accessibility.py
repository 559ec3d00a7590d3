"""No page has what axe-core calls a serious or critical obstacle, by day and by night, or scrolls sideways."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from bigan.ui import state

BARRED = ("serious", "critical")  # axe-core's words for what keeps people out
DRAWN_MS = 500  # charts draw after the script is done
WAYS_IN = ("reconstruct?way=Upload", "reconstruct?way=Draw", "map?area=square-00")  # what the pages show when asked
MODES = ("interpolate?mode=Sheet", "interpolate?mode=Compare+paths", "learn?lesson=straight-lines&screen=2")
ADDRESSES = tuple("" if page is state.HOME else page.url for page in state.PAGES) + WAYS_IN + MODES
# What Streamlit itself draws and we cannot mend: (rule, part of the element's HTML) -> why it may stay
STREAMLITS_OWN: dict[tuple[str, str], str] = {}


def violations(page: Any) -> list[str]:
    """The barred violations of a page, one line for each element, and none of STREAMLITS_OWN."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:300]} {node.get('failureSummary', '')[:300]}"
        for rule in found
        if rule["impact"] in BARRED
        for node in rule["nodes"]
        if not any(rule["id"] == name and part in node["html"] for name, part in STREAMLITS_OWN)
    ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_page_keeps_anybody_out(address: str, visit: Any) -> None:
    visitor = visit()
    visitor.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    visitor.open(f"/{address}")
    assert_open_to_all(visitor, "light")
    visitor.page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # as where evening comes
    visitor.settle()
    assert_open_to_all(visitor, "dark")
    visitor.assert_well()
    visitor.page.set_viewport_size({"width": 390, "height": 1000})  # of a telephone
    visitor.settle()
    assert not visitor.has_sideways_scrolling()


def assert_open_to_all(visitor: Any, theme: str) -> None:
    visitor.page.wait_for_timeout(DRAWN_MS)
    assert visitor.page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).colorScheme") == theme
    found = violations(visitor.page)
    assert not found, "\n".join(found)


def test_an_unnamed_button_would_be_found(visit: Any) -> None:
    visitor = visit()
    visitor.page.set_content("<html lang=en><title>One button</title><main><button></button></main></html>")
    assert [line.split()[0] for line in violations(visitor.page)] == ["button-name"]
