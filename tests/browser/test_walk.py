"""A stranger in a real Chromium walks through the five pages, presses what is there, and brings a picture."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from visitor import Visitor

from bigan.benchmark.drawings import drawing

PICTURE = {"name": "seven.png", "mimeType": "image/png", "buffer": drawing(11)}


def bring_picture(visitor: Any) -> None:
    if visitor.title() == "Reconstruct":
        take_way(visitor, "Upload")
    visitor.page.locator("input[type=file]").first.set_input_files(PICTURE)
    visitor.page.wait_for_url(re.compile("source=upload"))
    visitor.settle()
    visitor.assert_well()


def take_way(visitor: Any, name: str) -> None:
    """Choose where the image of the Reconstruct page comes from."""
    page = visitor.page
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first.click()
    visitor.settle()


def map_is_drawn(visitor: Any) -> Any:
    """The canvas, once its points are there."""
    box = visitor.page.locator(".map[data-in-view]")
    box.wait_for()
    return box.locator("canvas").first


def test_a_stranger_walks_through_all_five_pages(visit: Any) -> None:
    visitor = visit()
    page = visitor.page

    visitor.open()
    assert visitor.title() == "What is a BiGAN?"
    expect(page.get_by_role("img", name=re.compile("A real image x goes through the encoder"))).to_be_visible()

    visitor.follow("See what it imagines", "Sample")
    page.get_by_role("gridcell", name=re.compile(r"^number 5,")).click()
    page.wait_for_url(re.compile("cell=5"))
    page.get_by_role("button", name=re.compile("Roll")).click()
    page.wait_for_url(re.compile("seed=[1-9]"))
    visitor.settle()
    visitor.assert_well()

    visitor.follow("Reconstruct it", "Reconstruct")
    bring_picture(visitor)
    assert page.get_by_text("seven.png").first.is_visible()
    take_way(visitor, "Gallery")
    page.get_by_role("button", name=re.compile("Another one")).first.click()
    page.wait_for_url(re.compile("source=gallery"))
    visitor.settle()
    visitor.assert_well()

    visitor.follow("Walk from here", "Walk")
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Stop").click()
    visitor.settle()
    page.get_by_role("button", name=re.compile("Swap A and B")).click()
    page.wait_for_url(re.compile("b=gallery"))
    visitor.settle()
    visitor.assert_well()

    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Map").click()
    visitor.arrive("Map")
    map_is_drawn(visitor)
    bring_picture(visitor)
    expect(page.get_by_role("heading", name="Your image", exact=True)).to_be_visible()

    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
    visitor.arrive("What is a BiGAN?")


def test_a_reload_keeps_the_samples(visit: Any) -> None:
    visitor = visit()
    visitor.open("/sample?seed=7&count=25&cell=9")
    visitor.page.reload()
    visitor.settle()
    visitor.assert_well()
    expect(visitor.page.get_by_label("Seed", exact=True)).to_have_value("7")
    expect(visitor.page.get_by_label(re.compile("Look closer"))).to_have_value("9")


def test_a_reload_keeps_what_was_picked_on_the_map(visit: Any) -> None:
    visitor = visit()
    visitor.open("/map?source=gallery:square-17")
    map_is_drawn(visitor)
    visitor.page.get_by_role("radio", name="penultimate").or_(
        visitor.page.get_by_role("button", name="penultimate")
    ).first.click()
    visitor.page.wait_for_url(re.compile("space=penultimate"))
    visitor.page.reload()
    visitor.settle()
    visitor.page.locator(".map[data-drawn=penultimate]").wait_for()
    expect(visitor.page.get_by_role("heading", name="Digit “7”")).to_be_visible()
    visitor.assert_well()


@pytest.fixture(scope="module")
def at_the_map(browser: Any, site: str) -> Iterator[Visitor]:
    """One visitor for all that is done on the map: opening a page takes longest."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    visitor = Visitor(context, site)
    visitor.open("/map?source=gallery:square-00")
    yield visitor
    context.close()


def test_the_map_answers_the_pointer(at_the_map: Any) -> None:
    visitor = at_the_map
    canvas, page = map_is_drawn(visitor), visitor.page
    box = canvas.bounding_box()
    tip = page.locator(".map-tip")
    # the squares of a class lie around a ring: somewhere on a line through its left side there is a point
    for step in range(150):
        page.mouse.move(box["x"] + box["width"] * step / 300, box["y"] + box["height"] / 2)
        if tip.is_visible():
            break
    assert tip.is_visible()
    name = tip.inner_text().strip()
    assert re.fullmatch(r"\d, square-\d\d", name)
    before = visitor.received_bytes
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(re.compile("source=gallery(:|%3A)" + name[-9:]))
    visitor.settle()
    assert page.get_by_text(name[-9:]).first.is_visible()
    assert 0 < visitor.received_bytes - before < before / 2, "the points were sent again"
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    assert not tip.is_visible()
    visitor.assert_well()


def test_the_map_answers_the_keyboard(at_the_map: Any) -> None:
    visitor = at_the_map
    canvas, page = map_is_drawn(visitor), visitor.page
    canvas.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    named = page.locator(".map-spoken").inner_text()
    assert re.fullmatch(r"\d, square-\d\d", named)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("source=gallery(:|%3A)" + named[-9:]))
    page.keyboard.press("+")
    assert float(page.locator(".map").get_attribute("data-zoom")) > 1
    page.keyboard.press("0")
    assert float(page.locator(".map").get_attribute("data-zoom")) == 1
    page.keyboard.press("Escape")
    visitor.settle()
    visitor.assert_well()


def test_scrolling_over_the_map_scrolls_the_page_until_the_map_is_meant(at_the_map: Any) -> None:
    visitor = at_the_map
    canvas, page = map_is_drawn(visitor), visitor.page
    box = canvas.bounding_box()
    canvas.blur()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 150)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(200)
    assert float(page.locator(".map").get_attribute("data-zoom")) == 1
    canvas.focus()
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(200)
    assert float(page.locator(".map").get_attribute("data-zoom")) > 1
    page.get_by_role("button", name="Show all").click()
    assert float(page.locator(".map").get_attribute("data-zoom")) == 1
    visitor.assert_well()


def test_a_neighbour_is_one_click_away(at_the_map: Any) -> None:
    visitor = at_the_map
    map_is_drawn(visitor)
    button = visitor.page.get_by_role("gridcell", name=re.compile(r"square-\d\d, distance")).first
    name = re.search(r"square-\d\d", button.get_attribute("aria-label"))
    assert name is not None
    button.click()
    visitor.page.wait_for_url(re.compile("source=gallery(:|%3A)" + name[0]))
    visitor.settle()
    visitor.assert_well()


def test_going_back_leads_to_the_page_before_as_it_was(visit: Any) -> None:
    visitor = visit()
    visitor.open("/sample?seed=5&count=16")
    visitor.follow("On the map", "Map")
    visitor.page.go_back()
    visitor.arrive("Sample")
    visitor.page.wait_for_url(re.compile("seed=5"))
    expect(visitor.page.get_by_role("spinbutton", name="Seed")).to_have_value("5")
    visitor.page.go_forward()
    visitor.arrive("Map")
    map_is_drawn(visitor)
