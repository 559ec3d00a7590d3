"""Selections on a map: what lies inside a drawn line, as text and back."""

import math

import numpy as np
import pytest

from bigan.explore.areas import MAX_CORNERS, MAX_PARTS, Area, box, parse_view, parts, places, selected

IDS = tuple(f"p{i}" for i in range(400))


@pytest.fixture
def coordinates() -> np.ndarray:
    """Points of a map that is wider than high, far from the origin."""
    return np.random.default_rng(0).uniform((10, -5), (30, 1), (400, 2)).astype(np.float32)


def test_a_box_takes_the_map_into_its_square_and_back(coordinates: np.ndarray) -> None:
    frame = box(coordinates)
    inside = frame.inside(coordinates)
    assert inside.min() >= 0 and inside.max() <= 1 and inside[:, 0].min() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(frame.outside(inside), coordinates, atol=1e-5)
    highest = coordinates[:, 1].argmax()
    assert inside[highest, 1] == inside[:, 1].min(), "y runs downwards"


def test_a_circle_of_corners_holds_what_is_nearer_than_its_radius() -> None:
    corners = tuple((0.5 + 0.3 * math.cos(a), 0.5 + 0.3 * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 31)[:-1])
    points = np.random.default_rng(1).uniform(0, 1, (2000, 2))
    distances = np.hypot(*(points - 0.5).T)
    held = Area("latent", corners).holds(points)
    clear = abs(distances - 0.3) > 0.01  # the corners' sides cut the circle a little
    assert np.array_equal(held[clear], (distances < 0.3)[clear]) and held.any() and not held.all()


def test_what_a_line_goes_around_twice_is_outside() -> None:
    star = Area(
        "latent", tuple((0.5 + 0.4 * math.cos(a), 0.5 + 0.4 * math.sin(a)) for a in 0.8 * math.pi * np.arange(5))
    )
    assert star.holds(np.array([[0.5, 0.5], [0.85, 0.5], [0.95, 0.95]])).tolist() == [False, True, False]


def test_a_selection_is_the_union_of_its_areas_and_ids(coordinates: np.ndarray) -> None:
    maps = {"latent": coordinates, "pixels": coordinates[::-1].copy()}
    left, right = "latent:0,0,400,0,400,1000,0,1000", "pixels:600,0,1000,0,1000,1000,600,1000"
    found = selected(f"{left} p7 {right} nobody", IDS, maps)
    here, there = places(coordinates), places(maps["pixels"])
    assert found == tuple(n for i, n in enumerate(IDS) if here[i, 0] < 0.4 or 0.6 < there[i, 0] < 1 or n == "p7")
    assert selected(left, IDS, maps) == tuple(n for i, n in enumerate(IDS) if here[i, 0] < 0.4)


@pytest.mark.parametrize("text", ["", "latent:", "latent:1,2,3,4", "latent:1,2,3,4,5", "other:0,0,1000,0,1000,1000",
                                  "latent:99999,0,1,1,2,2", "<b>:1,2,3,4,5,6", "latent:1,2,3,4,5,-6"])  # fmt: skip
def test_what_is_no_selection_selects_nothing(text: str, coordinates: np.ndarray) -> None:
    assert selected(text, IDS, {"latent": coordinates}) == ()


def test_a_selection_is_bounded() -> None:
    assert len(parts("p " * 1000)) == MAX_PARTS
    long = "latent:" + ",".join(["1"] * 2 * (MAX_CORNERS + 1))
    assert parts(long) == (long,), "an area with too many corners is taken for the id of nothing"


def test_a_view_is_its_middle_in_thousandths_and_its_zoom_in_hundredths() -> None:
    assert parse_view("250,-10,400") == (0.25, -0.01, 4.0)
    assert [parse_view(text) for text in ("", "1,2", "1,2,99", "1,2,-400", "a,b,c", "1,2,300,4")] == [None] * 6
