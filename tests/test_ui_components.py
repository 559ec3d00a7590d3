"""What browsers send to our components is believed only as far as it can be right, and what they are sent is small."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from bigan.ui import drawing_pad, grid, samples

UI = Path(drawing_pad.__file__).parent
MOST_BYTES = 200_000  # of scripts and style sheets together, uncompressed


def png(size: tuple[int, int] = (280, 280), grey: int = 0, dot: int = 0) -> str:
    picture = Image.new("L", size, grey)
    picture.putpixel((5, 5), dot)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_scripts_and_style_sheets_stay_small() -> None:
    sizes = [path.stat().st_size for kind in ("js", "css") for path in UI.glob(f"*.{kind}")]
    assert len(sizes) > 6
    assert sum(sizes) <= MOST_BYTES


@pytest.mark.parametrize(
    ("cells", "several"),
    [([3], False), ([3], True), ([], True), ([4, 0, 2], True)],
    ids=["one", "one of", "none", "some"],
)
def test_a_choice_that_can_be_made_is_taken_in_its_order(cells: list[int], several: bool) -> None:
    assert grid._sent({"cells": cells, "stamp": 7}, 5, several) == (tuple(cells), 7)


WRONG_CHOICES = (
    None, 3, "0", [], {}, {"cells": [1]}, {"stamp": 1}, {"cells": [5], "stamp": 1}, {"cells": [-1], "stamp": 1},
    {"cells": [True], "stamp": 1}, {"cells": [1.0], "stamp": 1}, {"cells": [1, 1], "stamp": 1},
    {"cells": ["1"], "stamp": 1}, {"cells": [[1]], "stamp": 1}, {"cells": [1], "stamp": "1"},
    {"cells": "1", "stamp": 1},
)  # fmt: skip


@pytest.mark.parametrize("value", WRONG_CHOICES, ids=repr)
def test_a_choice_that_cannot_be_made_is_none(value: object) -> None:
    assert grid._sent(value, 5, several=True) is None


@pytest.mark.parametrize("cells", [[], [1, 2]])
def test_one_of_a_grid_cannot_be_none_nor_two(cells: list[int]) -> None:
    assert grid._sent({"cells": cells, "stamp": 1}, 5, several=False) is None


def test_a_drawing_comes_as_a_greyscale_picture_of_its_pixels() -> None:
    drawn, stamp = drawing_pad._sent({"picture": png(dot=200), "stamp": 9}) or (None, 0)
    assert stamp == 9 and drawn is not None
    picture = Image.open(io.BytesIO(drawn))
    assert (picture.mode, picture.size, picture.getpixel((5, 5))) == ("L", (280, 280), 200)


def test_nothing_is_left_of_a_drawing_that_is_black() -> None:
    assert drawing_pad._sent({"picture": png(), "stamp": 9}) == (None, 9)


WRONG_DRAWINGS = {
    "nothing": None,
    "no picture": {"stamp": 1},
    "no stamp": {"picture": png()},
    "another size": {"picture": png((28, 28), 9), "stamp": 1},
    "not base64": {"picture": "no picture", "stamp": 1},
    "not a picture": {"picture": base64.b64encode(b"<svg onload=alert(1)>").decode(), "stamp": 1},
    "cut off": {"picture": png(grey=3)[:80], "stamp": 1},
    "too long": {"picture": "A" * 400_004, "stamp": 1},
}


@pytest.mark.parametrize("name", WRONG_DRAWINGS)
def test_what_is_no_drawing_is_none(name: str) -> None:
    assert drawing_pad._sent(WRONG_DRAWINGS[name]) is None


@pytest.mark.parametrize("numbers", [[], [7], [5, 12, 1]])
def test_chosen_samples_survive_being_written_into_a_link(numbers: list[int]) -> None:
    assert samples.from_text(samples.to_text(numbers), 12) == numbers


def test_a_link_names_only_samples_that_are_there_and_each_once() -> None:
    assert samples.from_text("3-0-99-3-x-2", 16) == [3, 2]
