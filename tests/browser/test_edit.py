"""A latent under one's hands in a real Chromium: press a strength, move a number, carry it on, return by its link."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from visitor import Visitor

EDIT = "a=sample:3:1:1&direction=class-5-3&strength=2"
AFTER = ".bg-bench > figure:nth-of-type(2) img"


@pytest.fixture
def editor(visit: Any) -> Visitor:
    """A visitor who has just opened the page."""
    visitor: Visitor = visit()
    visitor.open(f"/edit?{EDIT}")
    return visitor


def after(visitor: Visitor) -> str:
    """The pixels of G of the edited latent."""
    return str(visitor.page.locator(AFTER).get_attribute("src"))


def test_a_press_on_the_strip_takes_that_strength(editor: Visitor) -> None:
    before = after(editor)
    editor.page.get_by_role("gridcell", name=re.compile("^\N{MINUS SIGN}3 sd")).click()
    editor.page.wait_for_url(re.compile("strength=-3"))
    editor.settle()
    assert after(editor) != before
    editor.assert_well()


def test_a_number_moved_by_keys_changes_the_image_and_the_address_and_reset_undoes_it(editor: Visitor) -> None:
    page, before = editor.page, after(editor)
    slider = page.get_by_role("slider", name=re.compile("^Number [0-9]+, began at")).first
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_url(re.compile("changed=[0-9]+_150"))
    editor.settle()
    assert after(editor) != before
    page.get_by_role("button", name="Reset").click()
    page.wait_for_url(lambda address: "changed=" not in address)
    editor.settle()
    assert after(editor) == page.locator(".bg-bench > figure:nth-of-type(1) img").get_attribute("src")
    editor.assert_well()


def test_reset_is_one_entry_of_the_history_whatever_it_changes(visit: Any) -> None:
    visitor = visit()
    visitor.open(f"/edit?{EDIT}&changed=2_75~3_20&inside=true")
    page = visitor.page
    before, entries = page.url, page.evaluate("history.length")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_url(lambda address: "changed=" not in address and "inside=" not in address)
    page.wait_for_url(re.compile("strength=0"))
    visitor.settle()
    assert page.evaluate("history.length") == entries + 1
    page.go_back()
    page.wait_for_url(before)
    visitor.settle()
    assert page.get_by_role("button", name="Reset").is_enabled()
    visitor.assert_well()


def test_the_images_and_what_is_outside_the_prior_stay_in_sight_while_one_scrolls(editor: Visitor) -> None:
    editor.page.get_by_role("slider", name=re.compile("^Number [0-9]+")).last.scroll_into_view_if_needed()
    expect(editor.page.locator(AFTER)).to_be_in_viewport(ratio=1)
    expect(editor.page.get_by_text(re.compile("numbers lies? outside the prior")).first).to_be_in_viewport()


def test_going_on_makes_the_edit_the_next_start(visit: Any) -> None:
    visitor = visit()
    visitor.open(f"/edit?{EDIT}")
    pixels = after(visitor)
    visitor.page.get_by_role("button", name="Go on from here").click()
    visitor.page.wait_for_url(re.compile("a=edit"), timeout=20_000)
    expect(visitor.page.locator(".bg-bench > figure:nth-of-type(1) img")).to_have_attribute("src", pixels)
    visitor.assert_well()


def test_an_edit_is_carried_to_the_walk_and_its_link_shows_the_same_pixels(visit: Any) -> None:
    visitor = visit()
    visitor.open(f"/edit?{EDIT}&changed=2_75")
    pixels = after(visitor)
    visitor.follow("Walk there", "Walk")
    assert "b=edit" in visitor.page.url
    visitor.page.go_back()
    visitor.arrive("Edit")
    assert after(visitor) == pixels
    other = visit(width=390)
    other.open(f"/edit?{EDIT}&changed=2_75")
    assert after(other) == pixels and not other.has_sideways_scrolling()
    other.page.get_by_role("slider", name=re.compile("^Number [0-9]+")).last.scroll_into_view_if_needed()
    expect(other.page.locator(AFTER)).to_be_in_viewport(ratio=1)
    other.assert_well()
