"""The drawing pad of the Reconstruct page under mouse, finger and keys, and what E gets of it; camera and clipboard."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from visitor import Visitor

from bigan import preparation
from bigan.benchmark.browser import ARGUMENTS
from bigan.benchmark.drawings import drawing
from bigan.data import to_uint8

SEVEN = [(70, 60), (210, 60), (130, 230)]
BAR = [(90, 150), (190, 150)]
SLASH = [(80, 240), (200, 60)]
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def at_the_pad(browser: Any, site: str) -> Iterator[Visitor]:
    """One visitor for all that a mouse and keys do: opening a page takes longest."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    visitor = Visitor(context, site)
    visitor.open("/reconstruct?way=Draw")
    yield visitor
    context.close()


@pytest.fixture
def empty_pad(at_the_pad: Visitor) -> Visitor:
    pad(at_the_pad.page)
    press(at_the_pad, "Pen")
    if drawn(at_the_pad.page).any():
        press(at_the_pad, "Clear")
    return at_the_pad


def pad(page: Any) -> Any:
    canvas = page.get_by_role("application", name=re.compile("Draw a digit here"))
    canvas.wait_for()
    return canvas


def press(visitor: Visitor, name: str) -> None:
    visitor.page.locator(".bg-pad").get_by_role("button", name=name, exact=True).click()
    visitor.settle()


def grey(data: str) -> np.ndarray:
    """The pixels of a picture that comes as the address of its data."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("L"))


def drawn(page: Any) -> np.ndarray:
    """What is on the pad."""
    return grey(pad(page).evaluate("canvas => canvas.toDataURL()"))


def source(page: Any) -> str:
    return str(parse_qs(urlsplit(page.url).query).get("source", [""])[0])


def move(page: Any, points: list[tuple[int, int]], up: bool = True) -> None:
    box = pad(page).bounding_box()
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    if up:
        page.mouse.up()


def stroke(visitor: Visitor, points: list[tuple[int, int]]) -> str:
    """Draw, and wait until the drawing is what is reconstructed; its source."""
    before = source(visitor.page)
    move(visitor.page, points)
    return changed(visitor, before)


def changed(visitor: Visitor, before: str) -> str:
    visitor.page.wait_for_url(lambda url: source_of(url) not in ("", before))
    visitor.settle()
    visitor.assert_well()
    return source(visitor.page)


def source_of(url: str) -> str:
    return str(parse_qs(urlsplit(url).query).get("source", [""])[0])


def test_e_gets_the_drawing_prepared_as_an_upload_is(empty_pad: Any) -> None:
    page = empty_pad.page
    assert stroke(empty_pad, SEVEN).endswith(":digit")
    pixels = drawn(page)
    assert pixels[60, 140] == 255 and pixels[10, 10] == 0
    picture = Image.fromarray(pixels)
    shown = page.get_by_alt_text("x, as E sees it: your drawing")
    shown.wait_for()
    expected = to_uint8(preparation.prepare(picture, (1, 28, 28), "digit"))[0, 0].numpy()
    assert (grey(shown.get_attribute("src")) == expected).all()


def test_a_drawing_is_sent_when_a_stroke_ends_and_not_before(empty_pad: Any) -> None:
    page = empty_pad.page
    before = source(page)
    move(page, BAR, up=False)
    page.wait_for_timeout(600)
    assert drawn(page)[150, 140] == 255
    assert source(page) == before
    page.mouse.up()
    changed(empty_pad, before)


def test_undo_redo_and_clear_go_back_and_forth_over_strokes(empty_pad: Any) -> None:
    page = empty_pad.page
    first = stroke(empty_pad, SEVEN)
    alone = drawn(page)
    second = stroke(empty_pad, BAR)
    both = drawn(page)
    assert (alone != both).any()
    press(empty_pad, "Undo")
    assert (drawn(page) == alone).all() and source(page) == first
    press(empty_pad, "Redo")
    assert (drawn(page) == both).all() and source(page) == second
    pad(page).focus()
    page.keyboard.press("Control+z")
    empty_pad.settle()
    assert source(page) == first
    page.keyboard.press("Control+y")
    empty_pad.settle()
    press(empty_pad, "Clear")
    assert not drawn(page).any()
    assert source(page) == second  # what was drawn last stays on the page until there is something new
    press(empty_pad, "Undo")
    assert (drawn(page) == both).all()
    expect(page.get_by_role("button", name="Redo", exact=True)).to_have_attribute("aria-disabled", "false")
    empty_pad.assert_well()


def test_the_eraser_takes_away_and_the_pen_has_a_width(empty_pad: Any) -> None:
    page = empty_pad.page
    width = page.get_by_label("Width of the pen")
    width.fill("8")
    stroke(empty_pad, BAR)
    thin = (drawn(page)[:, 140] > 127).sum()
    press(empty_pad, "Eraser")
    expect(page.get_by_role("button", name="Eraser", exact=True)).to_have_attribute("aria-pressed", "true")
    width.fill("40")
    stroke(empty_pad, [(140, 100), (140, 200)])
    assert drawn(page)[150, 140] == 0 and drawn(page)[150, 95] == 255
    press(empty_pad, "Pen")
    stroke(empty_pad, BAR)
    assert thin == pytest.approx(8, abs=1)
    assert (drawn(page)[:, 140] > 127).sum() == pytest.approx(40, abs=1)
    width.fill("22")


def test_arrow_keys_draw_while_the_pen_is_down(empty_pad: Any) -> None:
    page = empty_pad.page
    before = source(page)
    pad(page).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    spoken = page.locator(".bg-pad-spoken")
    expect(spoken).to_contain_text("Pen down")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(spoken).to_contain_text("Pen up")
    changed(empty_pad, before)
    pixels = drawn(page)
    rows, columns = np.nonzero(pixels > 127)
    assert np.ptp(rows) > 2 * np.ptp(columns) > 0
    expect(pad(page)).to_be_focused()


def test_a_drawing_is_there_again_after_another_page_and_in_the_other_theme(empty_pad: Any) -> None:
    page = empty_pad.page
    first = stroke(empty_pad, SEVEN)
    before = drawn(page)
    page.emulate_media(color_scheme="dark")
    empty_pad.settle()
    assert (drawn(page) == before).all()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Sample").click()
    empty_pad.arrive("Sample")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Reconstruct").click()
    empty_pad.arrive("Reconstruct")
    assert (drawn(page) == before).all()
    stroke(empty_pad, BAR)
    press(empty_pad, "Undo")
    assert source(page) == first and (drawn(page) == before).all()
    page.emulate_media(color_scheme="light")


def test_one_returns_from_the_gallery_to_ones_drawing(empty_pad: Any) -> None:
    page = empty_pad.page
    mine = stroke(empty_pad, SLASH)
    page.get_by_role("radio", name="Gallery").or_(page.get_by_role("button", name="Gallery")).first.click()
    page.get_by_role("button", name=re.compile("Another one")).click()
    page.wait_for_url(lambda url: source_of(url).startswith("gallery"))
    page.get_by_role("radio", name="Draw").or_(page.get_by_role("button", name="Draw")).first.click()
    page.wait_for_url(lambda url: source_of(url) == mine)
    empty_pad.settle()
    assert drawn(page)[150, 140] == 255


def test_a_finger_draws_and_the_page_stays_where_it_is(browser: Any, site: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    visitor = Visitor(context, site)
    page = visitor.page
    visitor.open("/reconstruct?way=Draw")
    pad(page).scroll_into_view_if_needed()
    box = pad(page).bounding_box()
    touch = context.new_cdp_session(page)
    top = page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop")
    for kind, share in [("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8), ("touchEnd", 0)]:
        point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + share * box["height"]}
        points = [] if kind == "touchEnd" else [point]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    changed(visitor, "")
    assert (drawn(page)[60:220, 140] == 255).all()
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop") == top
    assert not visitor.has_sideways_scrolling()
    context.close()


def test_a_picture_is_pasted_as_if_it_had_been_dropped(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open("/reconstruct?way=Upload")
    page.get_by_test_id("stFileUploader").wait_for()
    page.locator("[data-pastes-into]").wait_for(state="attached")
    paste = """data => { const carried = new DataTransfer();
      const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
      carried.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, cancelable: true })); }"""
    page.evaluate(paste, base64.b64encode(drawing(5)).decode())
    page.wait_for_url(re.compile("source=upload"))
    visitor.settle()
    assert page.get_by_text("pasted.png").first.is_visible()
    visitor.assert_well()


def test_the_camera_gives_a_picture(browser: Any, chromium: str, site: str) -> None:
    with browser.browser_type.launch(executable_path=chromium, args=[*ARGUMENTS, *CAMERA]) as with_camera:
        visitor = Visitor(with_camera.new_context(viewport={"width": 1400, "height": 1000}), site)
        page = visitor.page
        visitor.open("/reconstruct?way=Camera")
        page.locator("[data-testid=stCameraInput] video").wait_for()
        page.wait_for_function("document.querySelector('[data-testid=stCameraInput] video').readyState >= 2")
        shutter = page.get_by_role("button", name="Take Photo")
        for _ in range(20):  # Streamlit takes none where the camera has not given its first picture yet
            if shutter.is_visible():
                shutter.click()
                visitor.settle()
        page.wait_for_url(re.compile("source=upload"))
        visitor.settle()
        page.get_by_alt_text("x, as E sees it: your photograph").wait_for()
        visitor.assert_well()
