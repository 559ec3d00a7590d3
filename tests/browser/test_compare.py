"""Models side by side and the Benchmarks page in a browser: what is pressed is seen on both sides."""

import re
from typing import Any

from playwright.sync_api import expect
from visitor import Visitor

from bigan.benchmark.drawings import drawing
from bigan.ui.disagreements import SHOWN

PAIR = "checkpoint=mnist&other=fashion-mnist"


def test_what_is_pressed_on_one_side_is_seen_on_both(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open(f"/compare?{PAIR}&source=gallery:square-23")
    expect(page.get_by_role("heading", name="mnist", exact=True).first).to_be_visible()
    expect(page.get_by_alt_text("G(E(x)) of fashion-mnist")).to_be_visible()
    page.get_by_role("gridcell", name=re.compile("“7”")).last.click()
    page.wait_for_url(re.compile("source=gallery(:|%3A)square-27"))
    expect(page.get_by_text("digit “7” of the gallery (square-27)")).to_be_visible()
    visitor.settle()
    page.get_by_role("gridcell", name=re.compile("^number 5(,|$)")).last.click()
    page.wait_for_url(re.compile("cell=5"))
    for name in ("mnist", "fashion-mnist"):
        expect(page.get_by_alt_text(f"G(z) of {name}, number 5 of seed 0")).to_be_visible()
    page.get_by_role("radio", name="pixels").or_(page.get_by_role("button", name="pixels", exact=True)).first.click()
    expect(page.get_by_alt_text(re.compile("The map of 60 digits by pixels as mnist sees them"))).to_be_visible()
    visitor.settle()
    visitor.assert_well()


def test_a_picture_of_ones_own_goes_through_every_model(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open("/rivals?checkpoint=mnist&way=Upload&models=mnist,fashion-mnist")
    picture = {"name": "seven.png", "mimeType": "image/png", "buffer": drawing(11)}
    page.locator("[data-testid=stFileUploader] input").set_input_files(picture)
    page.wait_for_url(re.compile("source=upload"))
    expect(page.get_by_alt_text("x: seven.png")).to_be_visible()
    for name in ("mnist", "fashion-mnist"):
        expect(page.get_by_alt_text(f"G(E(x)) of {name}")).to_be_visible()
        expect(page.get_by_alt_text(re.compile(f"^16 samples .* of {name}$"))).to_be_visible()
    visitor.settle()
    visitor.assert_well()


def test_the_three_pages_are_linked_and_fit_a_telephone(visit: Any) -> None:
    visitor = visit(width=390)
    visitor.open("/benchmarks?checkpoint=mnist")
    expect(visitor.page.get_by_role("table").first).to_be_visible()
    assert not visitor.has_sideways_scrolling()
    visitor.follow("Try the rivals on an image", "Rivals")
    assert not visitor.has_sideways_scrolling()
    visitor.follow("Two of them closely", "Compare")
    assert not visitor.has_sideways_scrolling()


def test_two_rows_of_the_table_are_chosen_and_the_digits_between_them_leafed_through(
    context: Any, shipped_site: str
) -> None:
    visitor = Visitor(context, shipped_site)
    page = visitor.page
    visitor.open("/benchmarks?first=PCA")
    second = page.get_by_role("combobox", name="Second")
    second.scroll_into_view_if_needed()
    visitor.settle()  # the list closes when the page is scrolled
    second.click()
    page.get_by_role("option", name="Raw pixels").click()
    page.wait_for_url(re.compile("second=Raw.pixels"))
    words = "only the second is right"
    page.get_by_role("radio", name=words).or_(page.get_by_role("button", name=words)).first.click()
    page.wait_for_url(re.compile("which=only.the.second"))
    cards = page.get_by_alt_text(re.compile("and the nearest image by PCA, labelled .*, and by Raw pixels, labelled"))
    expect(cards).to_have_count(SHOWN)
    before = cards.first.get_attribute("alt")
    leaf = page.get_by_role("spinbutton", name=re.compile("^Page of"))
    leaf.fill("2")
    leaf.press("Enter")
    page.wait_for_url(re.compile("part=2"))
    expect(cards.first).not_to_have_attribute("alt", str(before))
    visitor.settle()
    visitor.assert_well()
    page.close()
