"""Addresses as people type them."""

from typing import Any

from playwright.sync_api import expect


def test_walk_is_found_by_its_title_and_by_its_old_address(visit: Any) -> None:
    for address in ("/walk?steps=8", "/interpolate?steps=8"):
        visitor = visit()
        visitor.open("/")  # of a server that has never been asked, Streamlit knows no page but those of the folder
        visitor.open(address)
        expect(visitor.page.locator("[data-testid='stMain'] h1")).to_have_text("Walk")
        visitor.settle()
        assert visitor.page.url == f"{visitor.site}/interpolate?steps=8"
        assert visitor.page.get_by_role("dialog").count() == 0, "no page is missing"
        assert visitor.page.get_by_test_id("stSidebarNav").get_by_role("link", name="Walk").count() == 1
        visitor.assert_well()
