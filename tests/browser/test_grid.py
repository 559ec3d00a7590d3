"""The grid of the Sample page under a pointer, a finger and the keys, and what the server gets of it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from visitor import Visitor

GRID = ".bg-grid[data-drawn]"
VIOLET_TICK = re.compile(r"^number \d+, D: ")


@pytest.fixture(scope="module")
def at_the_grid(browser: Any, site: str) -> Iterator[Visitor]:
    """One visitor for all that a pointer and keys do: opening a page takes longest."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    visitor = Visitor(context, site)
    visitor.open("/sample?seed=3&count=25")
    yield visitor
    context.close()


def cells(page: Any) -> Any:
    page.locator(GRID).wait_for()
    return page.get_by_role("gridcell")


def chosen(page: Any) -> list[int]:
    """The numbers of the cells that are chosen, in the order in which they were."""
    found = page.locator("[role=gridcell][aria-selected=true]").evaluate_all(
        "cells => cells.map(cell => [Number(cell.dataset.order ?? 1), Number(cell.dataset.cell) + 1])"
    )
    return [number for _, number in sorted(found)]


def in_the_address(page: Any) -> list[int]:
    """The same, as the address has them."""
    named = parse_qs(urlsplit(page.url).query)
    texts = [*named.get("with", [""])[0].split("-"), named.get("cell", ["1"])[0]]
    return [int(text) for text in texts if text]


def assert_chosen(visitor: Visitor, *numbers: int) -> None:
    """The browser shows these as chosen, and so does the server say, in its address and in its close-up."""
    assert chosen(visitor.page) == list(numbers)
    visitor.page.get_by_text(f"sample {numbers[-1]} of seed 3").first.wait_for()
    visitor.settle()
    assert in_the_address(visitor.page) == list(numbers)
    assert chosen(visitor.page) == list(numbers)
    visitor.assert_well()


def test_a_click_chooses_one_and_shift_or_control_adds_and_takes_away(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page).nth(4).click()
    assert_chosen(at_the_grid, 5)
    cells(page).nth(11).click(modifiers=["Shift"])
    assert_chosen(at_the_grid, 5, 12)
    cells(page).nth(7).click(modifiers=["Control"])
    assert_chosen(at_the_grid, 5, 12, 8)
    cells(page).nth(4).click(modifiers=["Shift"])
    assert_chosen(at_the_grid, 12, 8)
    cells(page).nth(20).click()
    assert_chosen(at_the_grid, 21)


def test_quick_clicks_are_all_counted(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page).nth(0).click()
    for i in (3, 6, 9, 12):
        cells(page).nth(i).click(modifiers=["Shift"])
    assert chosen(page) == [1, 4, 7, 10, 13]
    page.wait_for_url(re.compile("with=1-4-7-10"))
    assert_chosen(at_the_grid, 1, 4, 7, 10, 13)


def test_the_keys_move_choose_add_and_clear_and_a_rerun_keeps_the_focus(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page).nth(6).click()
    assert_chosen(at_the_grid, 7)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(cells(page).nth(12)).to_be_focused()
    page.keyboard.press("Enter")
    assert_chosen(at_the_grid, 13)
    expect(cells(page).nth(12)).to_be_focused()
    page.keyboard.press("Home")
    expect(cells(page).nth(10)).to_be_focused()
    page.keyboard.press("Control+End")
    expect(cells(page).nth(24)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(cells(page).nth(24)).to_be_focused()
    page.keyboard.press("Shift+Space")
    assert_chosen(at_the_grid, 13, 25)
    page.keyboard.press("Escape")
    page.wait_for_url(lambda url: "with=" not in url)
    at_the_grid.settle()
    assert_chosen(at_the_grid, 25)  # one is always looked at
    expect(cells(page).nth(24)).to_be_focused()


def test_one_cell_alone_is_reached_by_tab_and_each_says_what_it_is(at_the_grid: Any) -> None:
    page = at_the_grid.page
    grid = page.get_by_role("grid", name="25 images G(z) drawn with seed 3")
    expect(grid).to_have_attribute("aria-multiselectable", "true")
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1
    assert grid.get_by_role("row").count() == 5
    names = cells(page).evaluate_all("cells => cells.map(cell => cell.getAttribute('aria-label'))")
    assert len(names) == 25 and all(VIOLET_TICK.match(name) for name in names)


def test_resting_on_a_cell_says_what_it_is_and_what_d_thinks(at_the_grid: Any) -> None:
    page = at_the_grid.page
    tip = page.locator(".bg-grid-tip")
    cells(page).nth(8).hover()
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("number 9")
    expect(tip).to_contain_text("% encoder pair, logit")
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()


def test_images_are_enlarged_by_a_whole_factor(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page)
    own, shown, rendering = page.locator(f"{GRID} canvas").evaluate(
        "canvas => [canvas.width, canvas.getBoundingClientRect().width, getComputedStyle(canvas).imageRendering]"
    )
    assert own == 5 * 28 + 4
    assert shown == 3 * own
    assert rendering == "pixelated"
    box, place = cells(page).nth(6).bounding_box(), page.locator(f"{GRID} canvas").bounding_box()
    assert (box["x"] - place["x"], box["y"] - place["y"]) == pytest.approx((3 * 29, 3 * 29), abs=0.1)
    assert (box["width"], box["height"]) == pytest.approx((84, 84), abs=0.1)


def test_a_click_does_not_move_anything(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page).nth(2).click()
    at_the_grid.settle()
    script = """() => new PerformanceObserver(list => list.getEntries().forEach(entry => {
      globalThis.shifted = (globalThis.shifted ?? 0) + entry.value; })).observe({ type: "layout-shift" })"""
    page.evaluate(script)
    for i in (17, 22):
        cells(page).nth(i).click(modifiers=["Shift"])
        at_the_grid.settle()
    assert page.evaluate("globalThis.shifted ?? 0") < 0.01


def test_a_change_elsewhere_changes_the_choice(at_the_grid: Any) -> None:
    page = at_the_grid.page
    cells(page).nth(2).click()
    assert_chosen(at_the_grid, 3)
    number = page.get_by_label(re.compile("Look closer"))
    number.fill("19")
    number.press("Enter")
    page.wait_for_url(re.compile("cell=19"))
    at_the_grid.settle()
    assert_chosen(at_the_grid, 19)


def test_a_link_brings_the_choice_back(visit: Any) -> None:
    visitor = visit()
    visitor.open("/sample?seed=3&count=25&with=9-2&cell=4")
    cells(visitor.page)
    assert_chosen(visitor, 9, 2, 4)


@pytest.fixture
def on_a_telephone(browser: Any, site: str) -> Iterator[Visitor]:
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    yield Visitor(context, site)
    context.close()


def test_a_finger_chooses_holds_for_several_and_finds_cells_large_enough(on_a_telephone: Any) -> None:
    visitor = on_a_telephone
    page = visitor.page
    visitor.open("/sample?seed=3&count=100")
    assert min(cells(page).nth(0).bounding_box()[side] for side in ("width", "height")) >= 40
    cells(page).nth(3).tap()
    assert_chosen(visitor, 4)
    hold = """cell => { const box = cell.getBoundingClientRect(), at = { bubbles: true, pointerType: "touch",
      clientX: box.x + 9, clientY: box.y + 9 };
      cell.dispatchEvent(new PointerEvent("pointerdown", at));
      return new Promise(done => setTimeout(() => {
        cell.dispatchEvent(new PointerEvent("pointerup", at));
        cell.click();
        done(); }, 600)); }"""
    cells(page).nth(8).evaluate(hold)
    assert_chosen(visitor, 4, 9)
    toggle = page.get_by_role("button", name="Select several")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    cells(page).nth(6).tap()
    assert_chosen(visitor, 4, 9, 7)
    page.get_by_role("button", name="Clear").tap()
    page.wait_for_url(lambda url: "with=" not in url)
    visitor.settle()
    assert_chosen(visitor, 7)
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert not visitor.has_sideways_scrolling()
