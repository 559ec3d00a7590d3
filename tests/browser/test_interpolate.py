"""The Walk page in a real Chromium: films and sheets that answer the hand without asking the server."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from visitor import Visitor

READY = ".bg-scrubber[data-frames]"
ENDS = "a=sample:1:0:1&b=sample:1:1:1&c=sample:1:2:1&d=sample:1:3:1"


@pytest.fixture(scope="module")
def at_the_film(browser: Any, site: str) -> Iterator[Visitor]:
    """One visitor for all that is done with a film: opening a page takes longest."""
    context = browser.new_context(viewport={"width": 1400, "height": 1200}, reduced_motion="reduce")
    visitor = Visitor(context, site)
    visitor.open(f"/interpolate?{ENDS}&steps=64&frame=10")
    yield visitor
    context.close()


def ready(visitor: Visitor) -> Any:
    box = visitor.page.locator(READY)
    box.wait_for()
    return box


def at(visitor: Visitor) -> int:
    return int(ready(visitor).get_attribute("data-at"))


def pixels(visitor: Visitor) -> str:
    return str(visitor.page.locator(".bg-scrubber-stage canvas").first.evaluate("canvas => canvas.toDataURL()"))


def slider(visitor: Visitor) -> Any:
    ready(visitor)
    return visitor.page.get_by_role("slider", name="Frame", exact=True)


def test_scrubbing_shows_every_frame_and_asks_the_server_nothing_until_it_is_let_go(at_the_film: Any) -> None:
    visitor = at_the_film
    slider(visitor).hover()  # once it has come to rest
    page, box = visitor.page, slider(visitor).bounding_box()
    before, seen = visitor.received_bytes, set()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, middle)
    page.mouse.down()
    for step in range(1, 60):
        page.mouse.move(box["x"] + 10 + (box["width"] - 20) * step / 60, middle)
        seen.add((at(visitor), pixels(visitor)))
    page.wait_for_timeout(300)
    assert len({frame for frame, _ in seen}) > 30
    assert len({picture for _, picture in seen}) == len({frame for frame, _ in seen})
    assert visitor.received_bytes == before
    page.mouse.up()
    page.wait_for_url(re.compile("frame=6[0-9]"))
    visitor.settle()
    assert at(visitor) >= 59
    visitor.assert_well()


def test_keys_move_frame_by_frame_and_space_plays_and_stops(at_the_film: Any) -> None:
    visitor = at_the_film
    handle, page = slider(visitor), visitor.page
    handle.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert at(visitor) == 1
    expect(handle).to_have_attribute("aria-valuetext", re.compile(r"^Frame 2 of 64[.] "))
    page.wait_for_url(re.compile("frame=2$|frame=2&"))
    visitor.settle()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.wait_for_function("() => Number(document.querySelector('.bg-scrubber').dataset.at) > 3")
    page.keyboard.press("Space")
    shown = at(visitor)
    expect(page.locator(".bg-scrubber-spoken")).to_have_text(re.compile(rf"^Frame {shown + 1} of 64"))
    page.wait_for_url(re.compile(f"frame={shown + 1}(&|$)"))
    visitor.settle()
    assert at(visitor) == shown
    visitor.assert_well()


def test_the_strip_and_the_line_in_the_chart_go_along_without_the_server(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open(f"/interpolate?{ENDS}&steps=16&frame=2")
    handle, line = slider(visitor), page.locator('.st-key-step-chart .shapelayer path[data-index="0"]')
    line.wait_for(state="attached")
    before, place = visitor.received_bytes, line.bounding_box()["x"]
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=4)
    assert at(visitor) == 15
    chosen = page.locator(".st-key-strip [aria-selected=true]")
    expect(chosen).to_have_attribute("data-cell", "15")
    moved = line.bounding_box()["x"] - place
    assert visitor.received_bytes == before
    page.mouse.up()
    page.wait_for_url(re.compile("frame=16"))
    visitor.settle()
    page.wait_for_function("([line, x]) => Math.abs(document.querySelector(line).getBoundingClientRect().x - x) < 1",
                           arg=['.st-key-step-chart .shapelayer path[data-index="0"]', place + moved])  # fmt: skip
    assert moved > 100, "where the server then draws it"
    expect(chosen).to_have_attribute("data-cell", "15")
    visitor.assert_well()


def test_a_film_plays_at_its_speed_and_once_or_for_ever(at_the_film: Any) -> None:
    visitor = at_the_film
    page = visitor.page
    slider(visitor).focus()
    page.keyboard.press("End")
    visitor.settle()
    page.get_by_label("Speed").select_option("4")
    page.get_by_label("Repeat").select_option("once")
    page.get_by_role("button", name="Play").click()
    assert at(visitor) < 50  # from the start again
    page.wait_for_timeout(500)
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=10_000)
    assert at(visitor) == 63
    page.get_by_label("Repeat").select_option("loop")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => Number(document.querySelector('.bg-scrubber').dataset.at) < 40")
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Repeat").select_option("swing")
    visitor.settle()
    visitor.assert_well()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_new_walk_plays_once_but_not_for_those_who_asked_for_less_motion(
    browser: Any, site: str, motion: str
) -> None:
    context = browser.new_context(reduced_motion=motion)
    visitor = Visitor(context, site)
    visitor.open(f"/interpolate?{ENDS}&steps=12")
    ready(visitor)
    stop = visitor.page.get_by_role("button", name="Stop")
    if motion == "reduce":
        visitor.page.wait_for_timeout(500)
        assert stop.count() == 0
    else:
        expect(visitor.page.get_by_role("button", name="Play")).to_be_visible(timeout=20_000)
    assert at(visitor) == 6
    assert "frame=" not in visitor.page.url
    context.close()


def test_a_sheet_follows_the_pointer_and_the_keys(at_the_film: Any) -> None:
    visitor = at_the_film
    page = visitor.page
    visitor.open(f"/interpolate?{ENDS}&mode=Sheet&size=8&square=1")
    ready(visitor)
    sheet = page.get_by_role("application")
    box = page.locator(".bg-scrubber-area").bounding_box()

    def over(row: int, column: int) -> tuple[float, float]:
        return box["x"] + box["width"] * (column + 0.5) / 8, box["y"] + box["height"] * (row + 0.5) / 8

    before = visitor.received_bytes
    for row, column in ((2, 3), (7, 7), (5, 0)):
        page.mouse.move(*over(row, column))
        assert at(visitor) == 8 * row + column
        assert pixels(visitor) == cell_of_the_sheet(visitor, row, column)
    page.mouse.move(5, 5)
    assert at(visitor) == 0  # nothing was chosen
    page.wait_for_timeout(200)
    assert visitor.received_bytes == before
    page.mouse.click(*over(4, 6))
    page.wait_for_url(re.compile("square=39"))
    visitor.settle()
    assert at(visitor) == 38
    page.mouse.move(5, 5)
    sheet.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert at(visitor) == 8 * 5 + 5
    page.wait_for_url(re.compile("square=46"))
    expect(page.locator(".bg-scrubber-spoken")).to_have_text(re.compile("^Row 6, column 6 of 8"))
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowRight")
    assert at(visitor) == 63
    visitor.settle()
    visitor.assert_well()


def cell_of_the_sheet(visitor: Visitor, row: int, column: int) -> str:
    """The pixels of the sheet there, as a picture of their own."""
    script = """(whole, [row, column]) => {
      const side = whole.width / 8, one = document.createElement("canvas");
      one.width = one.height = side;
      one.getContext("2d").drawImage(whole, column * side, row * side, side, side, 0, 0, side, side);
      return one.toDataURL(); }"""
    return str(visitor.page.locator(".bg-scrubber-area canvas").evaluate(script, [row, column]))


def test_a_finger_moves_over_the_sheet_of_a_telephone(browser: Any, site: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    visitor = Visitor(context, site)
    visitor.open(f"/interpolate?{ENDS}&mode=Sheet&size=8&corners=3")
    ready(visitor)
    area = visitor.page.locator(".bg-scrubber-area")
    box = area.bounding_box()
    area.tap(position={"x": box["width"] * 0.95, "y": box["height"] * 0.05})
    visitor.page.wait_for_url(re.compile("square=8(&|$)"))
    visitor.settle()
    assert at(visitor) == 7
    assert not visitor.has_sideways_scrolling()
    visitor.assert_well()
    context.close()


def test_paths_and_analogies_move_as_one(at_the_film: Any) -> None:
    visitor = at_the_film
    visitor.open(f"/interpolate?{ENDS}&mode=Compare+paths&steps=12&frame=1")
    ready(visitor)
    canvases = visitor.page.locator(".bg-scrubber-stage canvas")
    shown = "canvases => new Set(canvases.map(canvas => canvas.toDataURL())).size"
    assert canvases.count() == 3
    assert canvases.evaluate_all(shown) == 1  # all three begin with A
    slider(visitor).focus()
    for _ in range(5):
        visitor.page.keyboard.press("ArrowRight")
    assert canvases.evaluate_all(shown) == 3
    visitor.settle()
    visitor.page.get_by_role("radio", name="Analogy").or_(
        visitor.page.get_by_role("button", name="Analogy")
    ).first.click()
    visitor.page.wait_for_url(re.compile("mode=Analogy"))
    expect(canvases).to_have_count(2)
    expect(visitor.page.get_by_text("D, the answer").first).to_be_visible()
    visitor.settle()
    visitor.assert_well()


def test_an_end_is_chosen_from_the_gallery_in_two_presses(at_the_film: Any) -> None:
    visitor = at_the_film
    visitor.open(f"/interpolate?{ENDS}&steps=12&frame=3")
    visitor.page.get_by_role("button", name="Choose").nth(1).click()
    way = visitor.page.get_by_role("radio", name="Gallery").or_(visitor.page.get_by_role("button", name="Gallery"))
    way.first.click()
    visitor.page.get_by_role("gridcell", name=re.compile("“4”, number 1")).click()
    visitor.page.wait_for_url(re.compile("b=gallery"))
    visitor.page.keyboard.press("Escape")
    visitor.settle()
    expect(visitor.page.get_by_text("B, the end: digit “4”").first).to_be_visible()
    visitor.assert_well()
