"""Pictures beside each other under their names."""

import numpy as np
import pytest
from PIL import Image

from bigan.panels import MARGIN_PX, TEXT_PX, panels


def test_each_picture_stands_whole_under_its_name_and_makes_room_for_it() -> None:
    red, blue = Image.new("RGB", (10, 30), "red"), Image.new("RGBA", (200, 20), "blue")
    sheet = panels([red, blue], ["a long name over a small picture", "b"])
    shown = np.asarray(sheet)
    top = 2 * MARGIN_PX + TEXT_PX
    assert sheet.height == top + 30 + MARGIN_PX
    assert (shown[top : top + 30, MARGIN_PX : MARGIN_PX + 10] == (255, 0, 0)).all()
    ((first, left), *_) = np.argwhere((shown == (0, 0, 255)).all(2))
    assert first == top and left > MARGIN_PX + 10 + MARGIN_PX, "the name of the first is longer than it is wide"
    assert (shown[top : top + 20, left : left + 200] == (0, 0, 255)).all() and left + 200 + MARGIN_PX == sheet.width
    assert len(np.unique(shown[:top, :left].reshape(-1, 3), axis=0)) > 2, "something is written"


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="0 pictures and 1 names"):
        panels([], ["a"])
