"""A map as a picture for a file: what is coloured, left out, faint, and enlarged."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor

from bigan.explore.gallery import Gallery
from bigan.explore.map_picture import FAINT, WHOLE, map_picture, where
from bigan.explore.projection import SpaceMap
from bigan.pictures import CLASS_COLOURS, PAPER, RAMP

IDS = ("low-left", "up-left", "up-right", "low-right")  # the class's name stands between them
SHOWN = SpaceMap("latent", torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]), {}, 1.0, 1.0, 1.0)


@pytest.fixture
def gallery() -> Gallery:
    return Gallery(torch.full((4, 1, 8, 8), 255, dtype=torch.uint8), torch.zeros(4).long(), IDS, ("all",), "corners")


def at(picture: Image.Image, name: str, view: tuple[float, float, float] = WHOLE) -> tuple[int, ...]:
    """The colour in the middle of a point."""
    x, y = picture.width * where(SHOWN, SHOWN.coordinates[IDS.index(name)][None], view=view)[0]
    pixel = picture.getpixel((int(x), int(y)))
    assert isinstance(pixel, tuple)
    return pixel


def rgb(colour: str) -> tuple[int, ...]:
    return ImageColor.getrgb(colour)


def test_points_have_the_colour_of_their_class_or_of_their_value(gallery: Gallery) -> None:
    by_class = map_picture(gallery, SHOWN, size_px=600)
    assert {at(by_class, name) for name in IDS} == {rgb(CLASS_COLOURS[0])}
    by_value = map_picture(gallery, SHOWN, size_px=600, values=torch.tensor([5.0, 2.0, 8.0, 8.0]), scale="height")
    assert [at(by_value, name) for name in IDS[1:]] == [rgb(RAMP[0]), rgb(RAMP[-1]), rgb(RAMP[-1])]
    corner = np.asarray(by_value)[-50:, :200].reshape(-1, 3)
    assert {rgb(ink) for ink in RAMP} <= set(map(tuple, corner.tolist())), "the scale has every colour"


def test_what_is_filtered_out_is_missing_and_what_is_not_selected_is_faint(gallery: Gallery) -> None:
    kept = torch.tensor([True, False, True, True])
    picture = map_picture(gallery, SHOWN, size_px=600, kept=kept, selected=("up-right", "up-left"))
    assert at(picture, "up-left") == PAPER
    assert at(picture, "up-right") == rgb(CLASS_COLOURS[0])
    pale = [FAINT * ink + (1 - FAINT) * paper for ink, paper in zip(rgb(CLASS_COLOURS[0]), PAPER, strict=True)]
    np.testing.assert_allclose(at(picture, "low-right"), pale, atol=1)
    none = map_picture(gallery, SHOWN, size_px=600, kept=kept, selected=("up-left",))
    assert at(none, "low-right") == rgb(CLASS_COLOURS[0]), "as on the page: a selection of nothing shown is none"


def test_a_part_of_the_map_is_enlarged_around_its_middle_and_shows_the_images(gallery: Gallery) -> None:
    view = (1.0, 0.0, 4.0)  # in the map's square, which runs downwards
    picture = map_picture(gallery, SHOWN, size_px=600, view=view)
    np.testing.assert_allclose(where(SHOWN, SHOWN.coordinates[2][None], view=view), [[0.5, 0.5]])
    assert at(picture, "up-right", view) == (255, 255, 255)
    shades = set(map(tuple, np.asarray(picture).reshape(-1, 3).tolist()))
    assert rgb(CLASS_COLOURS[0]) in shades, "the frame has the class's colour"
    white = (np.asarray(picture) == 255).all(2)
    assert np.argwhere(white).min() > 200 and np.argwhere(white).max() < 400, "no other image is in view"
