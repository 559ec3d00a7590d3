"""The map in a real Chromium: points are drawn around, an empty place is asked, colours and views come and stay."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from bigan.explore.areas import selected
from bigan.explore.gallery import load_gallery
from bigan.explore.projection import load_projection


@pytest.fixture
def at_the_map(visit: Any) -> Any:
    visitor = visit()
    visitor.open("/map?source=gallery:square-00")
    visitor.page.locator(".map[data-drawn]").wait_for()
    return visitor


def draw_around(visitor: Any, shares: list[tuple[float, float]], *, add: bool = False, number: int = 0) -> None:
    """Hold Shift and draw through places of a map's canvas."""
    page, box = visitor.page, visitor.page.locator("canvas.map-canvas").nth(number).bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]
    if add:
        page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    if add:
        page.keyboard.up("Shift")
    visitor.settle()


SHADES = "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data.filter((_, i) => i % 4 == 0)]"
LEFT_HALF = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]
RIGHT_HALF = [(0.5, 0.02), (0.98, 0.02), (0.98, 0.98), (0.5, 0.98)]


def query(visitor: Any, name: str) -> str:
    return parse_qs(urlsplit(visitor.page.url).query).get(name, [""])[0]


def test_a_drawn_area_selects_the_same_points_on_both_sides_and_in_a_link(
    at_the_map: Any, visit: Any, mapped_checkpoint: Any
) -> None:
    visitor, page = at_the_map, at_the_map.page
    page.get_by_role("button", name=re.compile("^Select: draw around points")).click()
    draw_around(visitor, LEFT_HALF)
    page.wait_for_url(re.compile("area="))
    gallery, projection = load_gallery(mapped_checkpoint), load_projection(mapped_checkpoint)
    assert gallery is not None and projection is not None
    maps = {name: one.coordinates.numpy() for name, one in projection.maps.items()}
    ids = selected(query(visitor, "area"), gallery.ids, maps)
    assert 0 < len(ids) < len(gallery)
    assert page.locator(".map").first.get_attribute("data-selected") == str(len(ids))
    expect(page.get_by_role("heading", name=f"{len(ids)} selected")).to_be_visible()

    other = visit()
    other.open(page.url.removeprefix(visitor.site))
    other.page.locator(f'.map[data-selected="{len(ids)}"]').wait_for()
    expect(other.page.get_by_role("heading", name=f"{len(ids)} selected")).to_be_visible()

    root, hint = page.locator(".map").first, page.locator(".map-hint").first
    draw_around(visitor, RIGHT_HALF)
    expect(hint).to_contain_text(f"selected, in place of {len(ids)}")
    others = int(root.get_attribute("data-selected"))
    assert 0 < others <= len(gallery) - len(ids), "a line without Shift replaces"
    draw_around(visitor, LEFT_HALF, add=True)
    expect(hint).to_contain_text(f"{len(ids)} added: {len(ids) + others} selected")
    assert root.get_attribute("data-selected") == str(len(ids) + others), "Shift adds"
    page.locator("canvas.map-canvas").first.focus()
    page.keyboard.press("Escape")  # the mode
    page.keyboard.press("Escape")  # the selection
    visitor.settle()
    assert query(visitor, "area") == "" and page.locator(".map").first.get_attribute("data-selected") == "0"
    visitor.assert_well()
    other.assert_well()


def test_an_empty_place_is_asked_and_its_guess_stays_in_the_address(at_the_map: Any) -> None:
    visitor, page = at_the_map, at_the_map.page
    page.locator("canvas.map-canvas").first.focus()
    page.keyboard.press("g")
    page.wait_for_url(re.compile("spot="))
    visitor.settle()
    expect(page.get_by_role("heading", name="Where there is no image")).to_be_visible()
    page.reload()
    visitor.settle()
    expect(page.get_by_role("heading", name="Where there is no image")).to_be_visible()
    page.get_by_role("button", name=re.compile("Forget it")).click()
    visitor.settle()
    expect(page.get_by_role("heading", name="Where there is no image")).to_have_count(0)
    visitor.assert_well()


@pytest.mark.parametrize("width", [1400, 390])
def test_a_guess_at_the_edge_of_the_map_is_whole_and_clear_of_the_buttons(visit: Any, width: int) -> None:
    visitor = visit(width=width)
    visitor.open("/map")
    root, canvas = visitor.page.locator(".map[data-drawn]"), visitor.page.locator("canvas.map-canvas")
    root.wait_for()
    size, buttons = canvas.bounding_box(), visitor.page.locator(".map-buttons").bounding_box()
    places = ((size["width"] - 50, 40), (size["width"] - 50, buttons["height"]), (6, size["height"] - 6))
    for x, y in places:
        canvas.click(position={"x": x, "y": y})
        visitor.settle()
        assert "spot=latent" in visitor.page.url
        left, top = map(int, root.get_attribute("data-ghost").split(","))
        assert 28 <= left <= size["width"] - 28 and 28 <= top <= size["height"] - 28
        beside = left + 28 <= buttons["x"] - size["x"]
        assert beside or top - 28 >= buttons["y"] - size["y"] + buttons["height"]
    visitor.assert_well()


def test_the_legend_hides_a_class_and_space_selects_a_point(at_the_map: Any) -> None:
    visitor, page = at_the_map, at_the_map.page
    root = page.locator(".map").first
    before = int(root.get_attribute("data-in-view"))
    chip = page.locator(".map-chip").first
    chip.click()
    expect(root).not_to_have_attribute("data-in-view", str(before))
    assert int(root.get_attribute("data-in-view")) < before
    assert chip.get_attribute("aria-pressed") == "false"
    chip.click()
    expect(root).to_have_attribute("data-in-view", str(before))
    visitor.settle()
    page.locator("canvas.map-canvas").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("area=square-"))
    visitor.settle()
    expect(page.get_by_role("heading", name="1 selected")).to_be_visible()
    visitor.assert_well()


def test_all_spaces_stand_beside_each_other_coloured_by_what_comes_back(visit: Any) -> None:
    visitor = visit()
    visitor.open("/map?colour=Reconstruction+error&all=true&area=square-00+square-11&view-pixels=500,500,200")
    maps = visitor.page.locator(".map[data-drawn]")
    expect(maps).to_have_count(3)
    assert [one.get_attribute("data-selected") for one in maps.all()] == ["2", "2", "2"]
    assert [one.get_attribute("data-zoom") for one in maps.all()] == ["2.00", "1.00", "1.00"]
    draw_around(visitor, [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98)], add=True, number=1)
    assert [one.get_attribute("data-selected") for one in maps.all()] == ["60", "60", "60"]
    visitor.page.get_by_role("button", name="Zoom in").last.click()
    visitor.page.wait_for_url(re.compile("view-penultimate="))
    visitor.assert_well()
    visitor.open("/map?colour=error&range=,0")
    visitor.page.locator('.map[data-in-view="0"]').wait_for()  # and what is picked among them has its ring
    visitor.assert_well()


def test_zoom_and_selection_stay_through_what_draws_the_page_anew_and_move_with_the_address(visit: Any) -> None:
    visitor = visit()
    visitor.open("/map?colour=Reconstruction+error&view=500,500,400&area=square-00+square-11")
    page, root = visitor.page, visitor.page.locator(".map").first
    page.locator('.map[data-zoom="4.00"]').wait_for()
    assert "view=500" in page.url
    page.emulate_media(color_scheme="dark")
    page.locator("canvas.map-canvas").first.focus()
    page.keyboard.press("Enter")  # picks, and the page is drawn anew
    visitor.settle()
    assert (root.get_attribute("data-zoom"), root.get_attribute("data-selected")) == ("4.00", "2")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("!location.search.includes('view=500')")
    visitor.settle()
    x = int(query(visitor, "view").split(",")[0])
    assert x < 500 and root.get_attribute("data-zoom") == "4.00"
    page.keyboard.press("0")
    page.wait_for_function("!location.search.includes('view=')")
    visitor.settle()
    page.go_back()
    page.locator('.map[data-zoom="4.00"]').wait_for()
    visitor.assert_well()


def test_what_lies_under_the_pointer_is_shown_with_what_comes_back(at_the_map: Any) -> None:
    visitor, page = at_the_map, at_the_map.page
    canvas, tip = page.locator("canvas.map-canvas").first, page.locator(".map-tip").first
    pictures = tip.locator("canvas")
    canvas.focus()
    for _ in range(50):  # until the pictures, which come after the points, are there
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        if pictures.nth(1).is_visible():
            break
        page.wait_for_timeout(100)
    expect(tip).to_contain_text("square-")
    shades = [one.evaluate(SHADES) for one in pictures.all()]
    assert all(len(set(values)) > 5 for values in shades), "both hold a picture"
    assert shades[0] != shades[1]
    visitor.assert_well()


def test_what_is_in_view_is_selected_by_a_key_and_its_direction_followed(at_the_map: Any) -> None:
    visitor, page = at_the_map, at_the_map.page
    root = page.locator(".map").first
    page.locator(".map-chip").first.click()
    page.wait_for_url(re.compile("hide="))
    page.locator("canvas.map-canvas").first.focus()
    page.keyboard.press("a")
    page.wait_for_url(re.compile("area="))
    visitor.settle()
    assert root.get_attribute("data-selected") == root.get_attribute("data-in-view") == "54"
    expect(page.get_by_role("heading", name="54 selected")).to_be_visible()
    page.get_by_role("button", name="Keep against the rest").click()
    visitor.follow("Follow it", "Edit")
    assert query(visitor, "direction") == "selections"
    expect(page.get_by_text("selection A has 6 images, selection B has 54 images")).to_be_visible()
    page.go_back()
    visitor.arrive("Map")
    page.locator('.map[data-selected="54"]').wait_for()
    visitor.assert_well()
