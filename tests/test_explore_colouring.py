"""What the points of a map are coloured and filtered by."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bigan.explore.colouring import COLOURINGS, MappedGallery, colour_values, offered, parse_range, within
from bigan.explore.gallery import Gallery
from bigan.explore.projection import SPACES, space_features
from bigan.explore.reconstruction import GalleryIndex, index_gallery
from bigan.models.bigan import BiGAN

NUM = 40


@pytest.fixture
def index(either_model: BiGAN) -> GalleryIndex:
    images = torch.randint(256, (NUM, 1, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    gallery = Gallery(images, torch.zeros(NUM, dtype=torch.int64), tuple(map(str, range(NUM))), ("a",), "noise")
    return index_gallery(either_model, gallery)


def mapped(model: BiGAN, index: GalleryIndex, space: str = "latent") -> MappedGallery:
    coordinates = torch.randn(NUM, 2, generator=torch.Generator().manual_seed(1))
    return MappedGallery(index, model.config.prior, space, coordinates)


def test_error_and_opinion_are_those_of_each_image(either_model: BiGAN, index: GalleryIndex) -> None:
    shown = mapped(either_model, index)
    x = index.gallery.images.float() / 255
    z = either_model.encode(x)
    errors = np.sqrt(((x - either_model.generate(z)).double().numpy() ** 2).sum((1, 2, 3)))
    np.testing.assert_allclose(colour_values("error", shown), errors, rtol=1e-5)
    torch.testing.assert_close(colour_values("opinion", shown), either_model.score(x, z), rtol=1e-4, atol=1e-5)


def test_outside_the_prior_is_a_percentage_of_the_components(tiny_model: BiGAN) -> None:
    gallery = Gallery(torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.zeros(2).long(), ("a", "b"), ("a",), "none")
    latents = torch.zeros(2, tiny_model.config.latent_dim)
    latents[1, :3] = torch.tensor([2.0, -3.5, 4.0])
    index = replace(index_gallery(tiny_model, gallery), latents=latents)
    for prior, outside in (("uniform", 3), ("normal", 2)):
        values = colour_values("off_prior", MappedGallery(index, prior, "latent", torch.zeros(2, 2)))  # type: ignore[arg-type]
        torch.testing.assert_close(values, torch.tensor([0.0, 100 * outside / latents.shape[1]]))


@pytest.mark.parametrize("space", SPACES)
def test_local_quality_is_of_the_maps_own_space(either_model: BiGAN, index: GalleryIndex, space: str) -> None:
    shown = mapped(either_model, index, space)
    values = colour_values("local_quality", shown)
    points = space_features(either_model, index.gallery.images, space).double().numpy()
    places = shown.coordinates.double().numpy()
    for i in range(NUM):
        true, kept = (
            set(sorted((j for j in range(NUM) if j != i), key=lambda j: ((a[j] - a[i]) ** 2).sum())[:15])
            for a in (points, places)
        )
        assert values[i] == pytest.approx(100 * len(true & kept) / 15)


def test_every_colouring_has_a_title_a_unit_and_a_finite_value_for_every_image(
    either_model: BiGAN, index: GalleryIndex
) -> None:
    for name, colouring in COLOURINGS.items():
        assert colouring.title and colouring.unit
        values = colour_values(name, mapped(either_model, index))
        assert values.shape == (NUM,) and values.isfinite().all()


def test_a_model_whose_discriminator_judges_no_pairs_has_no_opinion_to_colour_by(
    either_model: BiGAN, index: GalleryIndex
) -> None:
    assert offered(index) == tuple(COLOURINGS)
    silent = replace(index, encoder_pair_logits=None)
    assert offered(silent) == ("error", "off_prior", "local_quality")
    with pytest.raises(ValueError, match="does not judge pairs"):
        colour_values("opinion", mapped(either_model, silent))


def test_ranges_keep_what_lies_inside_all_of_them_with_both_ends() -> None:
    values = {"error": torch.tensor([1.0, 2.0, 3.0, 4.0]), "opinion": torch.tensor([-1.0, 0.0, 1.0, 2.0])}
    assert within(values, {}).tolist() == [True] * 4
    assert within(values, {"error": (2.0, 3.0)}).tolist() == [False, True, True, False]
    assert within(values, {"error": (2.0, 4.0), "opinion": (-1.0, 1.0)}).tolist() == [False, True, True, False]
    assert within(values, {"opinion": (0.5, 0.6)}).tolist() == [False] * 4
    least, greatest = values["error"].min().item(), values["error"].max().item()
    assert within(values, {"error": (least, greatest)}).all()


@pytest.mark.parametrize("text", ["a,b", "1", "1,2,3", "3,2", "nan,1", "inf,", ","])
def test_a_range_is_two_numbers_and_either_may_be_open(text: str) -> None:
    inf = float("inf")
    assert [parse_range(good) for good in ("", "3.2,", ",-1", "-2,1e3")] == [
        (-inf, inf), (3.2, inf), (-inf, -1.0), (-2.0, 1000.0)
    ]  # fmt: skip
    assert (parse_range(text) is None) == (text != ",")


def test_what_cannot_be_is_refused(tiny_model: BiGAN, index: GalleryIndex) -> None:
    with pytest.raises(ValueError, match="'hue'; it must be one of error, opinion, off_prior, local_quality"):
        colour_values("hue", mapped(tiny_model, index))
    with pytest.raises(ValueError, match="'colour'; it must be one of pixels, latent, penultimate"):
        mapped(tiny_model, index, "colour")
    with pytest.raises(ValueError, match="as many points as the gallery has images; got 3 points for 40 images"):
        MappedGallery(index, "uniform", "latent", torch.zeros(3, 2))
    values = {"error": torch.zeros(2)}
    with pytest.raises(ValueError, match="'opinion'; there are error"):
        within(values, {"opinion": (0.0, 1.0)})
    with pytest.raises(ValueError, match=r"3\.0 to 2\.0; it must not end before it begins"):
        within(values, {"error": (3.0, 2.0)})
    with pytest.raises(ValueError, match=r"nan to 2\.0"):
        within(values, {"error": (float("nan"), 2.0)})
