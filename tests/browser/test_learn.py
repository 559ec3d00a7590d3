"""In a real Chromium, a learner goes through the lessons by keys, predicts, and finds the place again."""

import re
from typing import Any

from playwright.sync_api import expect


def test_a_learner_goes_on_and_back_by_keys_and_predicts(visit: Any) -> None:
    visitor = visit()
    visitor.open("/learn")
    page = visitor.page
    expect(page.get_by_role("heading", name="1 of 4: Two kinds of pair")).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_visible()  # from now on its keys are heard
    page.keyboard.press("Shift+ArrowRight")
    visitor.settle()
    expect(page.get_by_role("heading", name="2 of 4")).to_be_visible()
    expect(page).to_have_url(re.compile("screen=2"))
    heading = page.get_by_role("heading", name="What D sees")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.get_by_text("s you predicted")).to_have_count(0)
    page.keyboard.press("Tab")  # to the words that the heading explains
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    visitor.settle()
    expect(page.get_by_text("s you predicted")).to_be_visible()
    page.get_by_role("button", name="Back").press("Enter")  # in a field, keys are the field's
    visitor.settle()
    expect(page.get_by_role("heading", name="1 of 4")).to_be_visible()
    expect(heading).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    visitor.settle()
    expect(page.get_by_text("s you predicted")).to_be_visible()
    visitor.settle()
    visitor.assert_well()


def test_a_link_opens_its_screen_and_the_toy_reaches_its_minimum_on_a_telephone(visit: Any) -> None:
    visitor = visit(width=390)
    visitor.open("/learn?lesson=why-e-inverts-g&screen=2")
    page = visitor.page
    expect(page.get_by_text("1 of 3 pictures come back")).to_be_visible()
    page.get_by_test_id("stButtonGroup").filter(has_text="E(x₂)").get_by_text("z₂").click()
    page.get_by_test_id("stButtonGroup").filter(has_text="E(x₃)").get_by_text("z₃").click()
    expect(page.get_by_text("E and G are inverses")).to_be_visible()
    assert not visitor.has_sideways_scrolling()
    visitor.settle()
    visitor.assert_well()
    address = page.url
    visitor.open(address.removeprefix(visitor.site))
    expect(page.get_by_text("E and G are inverses")).to_be_visible()
