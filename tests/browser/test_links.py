"""In a real Chromium, a link to another page arrives with all its values, and back returns to what was shown."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect
from visitor import Visitor

DIGIT, OTHER_DIGIT, FIFTH = "gallery:square-17", "gallery:square-23", "sample:0:4:1"
COMPARED = {"other": "fashion-mnist", "source": OTHER_DIGIT, "cell": "5"}
EDITED = {"a": "sample:3:1:1", "direction": "class-5-3", "strength": "-2"}
EDIT = "edit:class-5-3:-2:free::sample:3:1:1"


def values(visitor: Visitor) -> dict[str, str]:
    """What the address says."""
    return dict(parse_qsl(urlsplit(visitor.page.url).query, keep_blank_values=True))


def address(page: str, query: dict[str, str]) -> str:
    return f"/{page}?" + "&".join(f"{key}={value}" for key, value in query.items())


def follow(visitor: Visitor, link: Any, title: str, entries: int) -> None:
    """Press a link to another page, which makes one entry of the history, of which so many are not after this one."""
    link.click()
    visitor.arrive(title)
    assert num_entries(visitor) == entries + 1


def num_entries(visitor: Visitor) -> int:
    return int(visitor.page.evaluate("history.length"))


def links(visitor: Visitor, name: str, part: str = "stMain") -> Any:
    return visitor.page.get_by_test_id(part).get_by_role("link", name=name, exact=True)


@pytest.mark.parametrize(
    ("page", "title", "query", "link", "target", "carried"),
    [
        ("compare", "Compare", COMPARED, "Reconstruct it", "Reconstruct", {"source": FIFTH}),
        ("map", "Map", {"source": DIGIT, "space": "pixels"}, "Reconstruct it", "Reconstruct", {"source": DIGIT}),
        ("reconstruct", "Reconstruct", {"source": DIGIT}, "On the map", "Map", {"source": DIGIT}),
        ("edit", "Edit", EDITED, "Walk there", "Walk", {"a": EDITED["a"], "b": EDIT}),
    ],
)
def test_a_link_arrives_with_all_its_values_and_back_returns(
    page: str, title: str, query: dict[str, str], link: str, target: str, carried: dict[str, str], visit: Any
) -> None:
    visitor = visit()
    visitor.open(address(page, query))
    entries = num_entries(visitor)
    for _ in range(2):  # also to a page that has been seen with other values
        follow(visitor, links(visitor, link).first, target, entries)
        assert values(visitor) == carried
        visitor.page.go_back()
        visitor.arrive(title)
        assert query.items() <= values(visitor).items()
    visitor.page.go_forward()
    visitor.arrive(target)
    assert values(visitor) == carried


def test_a_sample_of_either_model_is_shown_where_its_link_leads(visit: Any) -> None:
    visitor = visit()
    page = visitor.page
    visitor.open(address("compare", COMPARED))
    entries = num_entries(visitor)
    for number, name in enumerate(("mnist", "fashion-mnist")):
        follow(visitor, links(visitor, "Reconstruct it").nth(number), "Reconstruct", entries)
        expect(page.get_by_alt_text("sample 5 of seed 0").first).to_be_visible()
        assert values(visitor).get("checkpoint", "mnist") == name
        assert values(visitor)["source"] == FIFTH
        page.go_back()
        visitor.arrive("Compare")
        assert "checkpoint" not in values(visitor)
        expect(page.get_by_alt_text("G(z) of mnist, number 5 of seed 0")).to_be_visible()
        expect(page.get_by_text("digit “3” of the gallery (square-23)").first).to_be_visible()


def test_the_sidebar_leads_away_in_one_entry_and_carries_nothing(visit: Any) -> None:
    visitor = visit()
    visitor.open(f"/map?source={DIGIT}&space=pixels")
    follow(visitor, links(visitor, "Reconstruct", "stSidebarNav"), "Reconstruct", num_entries(visitor))
    assert "space" not in values(visitor)
    visitor.page.go_back()
    visitor.arrive("Map")
    assert values(visitor) == {"source": DIGIT, "space": "pixels"}


def test_on_a_telephone_the_sidebar_is_put_away_once_it_has_led_somewhere(visit: Any) -> None:
    visitor = visit(width=390)
    visitor.open("/learn")
    visitor.page.get_by_test_id("stExpandSidebarButton").click()
    follow(visitor, links(visitor, "Rivals", "stSidebar"), "Rivals", num_entries(visitor))
    expect(visitor.page.get_by_test_id("stSidebar")).not_to_be_in_viewport()


def test_a_link_without_values_leads_to_what_was_last_chosen_there(visit: Any) -> None:
    visitor = visit()
    visitor.open(address("compare", COMPARED))
    page = visitor.page
    follow(visitor, links(visitor, "Rivals", "stSidebarNav"), "Rivals", num_entries(visitor))
    follow(visitor, links(visitor, "Two of them closely").first, "Compare", num_entries(visitor))
    assert COMPARED.items() <= values(visitor).items()
    expect(page.get_by_alt_text("G(z) of mnist, number 5 of seed 0")).to_be_visible()


def test_an_address_that_settles_while_a_link_away_is_held_down_makes_no_entry(visit: Any) -> None:
    visitor = visit()
    visitor.open("/learn")
    before, link = num_entries(visitor), links(visitor, "Rivals", "stSidebarNav")
    for kind in ("pointerdown", "keydown"):
        link.dispatch_event(kind)
        visitor.page.evaluate("history.pushState(history.state, '', '?lesson=late')")
    assert num_entries(visitor) == before and values(visitor) == {"lesson": "late"}
    follow(visitor, link, "Rivals", before)


def test_a_link_opened_by_itself_loses_its_mark(visit: Any) -> None:
    visitor = visit()
    visitor.open(f"/map?source={DIGIT}")
    target = links(visitor, "Reconstruct it").first.get_attribute("href")
    other = visit()
    other.open(f"/{target}")
    assert values(other) == {"source": DIGIT}
    other.assert_well()
