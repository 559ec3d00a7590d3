"""What one can ask of a picture on the Reconstruct page: a search that runs, stops, and lets the rest be."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from visitor import Visitor

from bigan.benchmark.drawings import drawing

NUM_STEPS = 200


@pytest.fixture
def searching(browser: Any, shipped_site: str) -> Any:
    """Someone who looks for a better z of a shipped model, which takes a second or more."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    visitor = Visitor(context, shipped_site)
    visitor.open("/reconstruct?ask=How+good+could+it+be")
    visitor.page.get_by_role("button", name="Look for a better z").click()
    yield visitor
    context.close()


def step(page: Any) -> int:
    return int(re.findall(r"Step (\d+) of 200", page.get_by_text("Step").first.inner_text())[0])


def source(page: Any) -> str:
    return str(parse_qs(urlsplit(page.url).query).get("source", [""])[0])


def upload(visitor: Visitor, *files: tuple[str, bytes]) -> Any:
    """The table of these pictures."""
    visitor.open("/reconstruct?way=Upload")
    sent = [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files]
    visitor.page.locator("[data-testid=stFileUploader] input").set_input_files(sent)
    table = visitor.page.locator(".bg-uploads")
    table.wait_for()
    visitor.settle()
    return table


def test_a_search_goes_on_by_itself_to_its_end_and_the_picture_above_is_left_alone(searching: Any) -> None:
    page = searching.page
    shown = page.get_by_alt_text(re.compile("^x, as E sees it"))
    shown.evaluate("image => { image.mine = true; }")
    page.get_by_text("This is the honest measure of E").wait_for()
    searching.settle()
    assert shown.evaluate("image => image.mine")
    assert page.get_by_alt_text(re.compile("^G of the best z found")).is_visible()
    assert page.get_by_role("button", name="Cancel").count() == 0
    page.get_by_role("tab", name="Again and again").click()
    page.get_by_role("heading", name="Again and again: does it settle?").wait_for()
    page.get_by_role("tab", name="How good could it be").click()
    page.get_by_text("This is the honest measure of E").wait_for()
    searching.assert_well()


def test_a_search_stops_when_it_is_cancelled_and_goes_on_from_there(searching: Any) -> None:
    page = searching.page
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Go on").wait_for()
    searching.settle()
    stopped = step(page)
    assert 0 < stopped < NUM_STEPS
    page.wait_for_timeout(800)
    assert step(page) == stopped
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("This is the honest measure of E").wait_for()
    searching.assert_well()


def test_another_picture_can_be_chosen_while_a_search_runs(searching: Any) -> None:
    page = searching.page
    page.get_by_role("button", name="Cancel").wait_for()
    searching.press(page.get_by_role("button", name="Another one"), lambda url: "source=gallery" in url)
    page.get_by_role("button", name="Look for a better z").wait_for()
    searching.settle()
    searching.assert_well()
    page.go_back()
    page.get_by_text("This is the honest measure of E").or_(page.get_by_role("button", name="Cancel")).first.wait_for()


def test_a_row_of_the_table_opens_its_picture_by_click_and_by_key(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    table = upload(visitor, *((f"stroke-{i}.png", drawing(i)) for i in range(5)), ("bad.png", b"hm"))
    assert page.get_by_text("bad.png: ").is_visible()
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(5)
    first = source(page)
    closed = rows.and_(page.locator(":not([aria-current])"))
    name = closed.first.locator("button").inner_text()
    closed.first.locator("td").last.click()
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query)["source"] != [first])
    page.get_by_alt_text(f"x, as E sees it: {name}").wait_for()
    visitor.settle()
    expect(table.locator("tr[aria-current] button")).to_have_text(name)
    last = rows.last.locator("button")
    last.focus()
    page.keyboard.press("Enter")
    page.get_by_alt_text(f"x, as E sees it: {last.inner_text()}").wait_for()
    expect(last).to_be_focused()
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    assert len(download.value.path().read_text().splitlines()) == 7
    visitor.assert_well()


def test_a_crop_is_drawn_on_the_picture_before_and_changes_the_one_after(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open("/reconstruct?way=Upload")
    page.locator("[data-testid=stFileUploader] input").set_input_files(
        [{"name": "stroke.png", "mimeType": "image/png", "buffer": drawing(1)}]
    )
    after = page.get_by_alt_text("stroke.png after preparation")
    before = after.get_attribute("src")
    assert page.locator(".bg-crop").count() == 0
    page.get_by_text("Crop, invert, centre").click()
    slider = page.get_by_role("slider", name="Size of the crop")
    for _ in range(5):
        slider.focus()  # on a slow machine the page may have been drawn anew since the last press
        page.keyboard.press("PageDown")
        visitor.settle()
    page.wait_for_url(re.compile("crop"))
    assert page.locator(".bg-crop i").is_visible()
    expect(after).not_to_have_attribute("src", before)
    visitor.assert_well()


def test_what_the_search_finds_is_a_grid_to_choose_from(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open("/reconstruct")
    page.get_by_label("Find by label or id").fill("7")
    page.keyboard.press("Enter")
    page.get_by_role("grid", name=re.compile("6 real digits found")).wait_for()
    page.get_by_role("gridcell", name=re.compile("square-27")).click()
    page.wait_for_url(re.compile("square-27"))
    visitor.settle()
    assert page.get_by_alt_text("x, as E sees it: digit “7” of the gallery (square-27)").is_visible()
    visitor.assert_well()


@pytest.mark.parametrize("tab", ["Other pairs", "Again and again", "How good could it be"])
def test_the_questions_fit_a_telephone(visit: Any, tab: str) -> None:
    visitor = visit(width=390)
    visitor.open(f"/reconstruct?ask={tab.replace(' ', '+')}")
    expect(visitor.page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    assert not visitor.has_sideways_scrolling()
    visitor.assert_well()
