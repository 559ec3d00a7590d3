"""What a selection of gallery images has in common."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bigan.explore.gallery import Gallery
from bigan.explore.reconstruction import GalleryIndex, index_gallery
from bigan.explore.sampling import mean_latent
from bigan.explore.selection import summarise
from bigan.latent import off_prior_share
from bigan.models.bigan import BiGAN


@pytest.fixture
def index(either_model: BiGAN) -> GalleryIndex:
    images = torch.randint(256, (30, 1, 28, 28), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    gallery = Gallery(images, torch.arange(30) % 4, tuple(f"id-{i}" for i in range(30)), tuple("abcde"), "noise")
    return index_gallery(either_model, gallery)


def test_a_selection_is_summed_up_by_counts_and_means(either_model: BiGAN, index: GalleryIndex) -> None:
    rows = [3, 7, 8, 11, 29]
    found = summarise(either_model, index, [f"id-{i}" for i in rows])
    assert found.num == 5
    assert found.label_counts == (1, 1, 0, 3, 0)
    images = index.gallery.images.double().numpy()[rows] / 255
    np.testing.assert_allclose(found.mean_image, images.mean(0), atol=1e-6)
    assert torch.equal(found.mean_latent, mean_latent(index.latents[rows], either_model.config.prior))
    assert off_prior_share(found.mean_latent[None], either_model.config.prior) == 0
    assert torch.equal(found.generated, either_model.generate(found.mean_latent[None])[0])


def test_its_direction_leads_from_the_plain_mean_of_the_rest_to_its_own(
    either_model: BiGAN, index: GalleryIndex
) -> None:
    rows = [0, 4, 20]
    direction = summarise(either_model, index, [f"id-{i}" for i in rows]).direction
    assert direction is not None
    z = index.latents.double().numpy()
    rest = [i for i in range(30) if i not in rows]
    difference = z[rows].mean(0) - z[rest].mean(0)
    np.testing.assert_allclose(direction.vector, difference / np.linalg.norm(difference), atol=1e-5)
    assert direction.standard_deviation == pytest.approx((z @ direction.vector.double().numpy()).std(), rel=1e-4)
    assert direction.name == "from the rest to the selection"


def test_order_and_repetition_do_not_matter(either_model: BiGAN, index: GalleryIndex) -> None:
    first, again = (summarise(either_model, index, ids) for ids in (["id-1", "id-2"], ("id-2", "id-1", "id-2")))
    assert (first.num, first.label_counts) == (again.num, again.label_counts) == (2, (0, 1, 1, 0, 0))
    torch.testing.assert_close(first.mean_latent, again.mean_latent)
    torch.testing.assert_close(first.mean_image, again.mean_image)


def test_one_image_is_its_own_mean_and_all_of_them_have_no_direction(either_model: BiGAN, index: GalleryIndex) -> None:
    one = summarise(either_model, index, ["id-9"])
    torch.testing.assert_close(one.mean_latent, index.latents[9], rtol=0, atol=1e-5)
    assert one.direction is not None
    assert summarise(either_model, index, index.gallery.ids).direction is None


def test_images_with_one_and_the_same_latent_have_no_direction(either_model: BiGAN, index: GalleryIndex) -> None:
    same = replace(index, latents=index.latents[:1].expand(30, -1))
    assert summarise(either_model, same, ["id-0"]).direction is None


def test_no_images_and_unknown_ones_are_refused(either_model: BiGAN, index: GalleryIndex) -> None:
    with pytest.raises(ValueError, match="The selection is empty; it must have at least one image"):
        summarise(either_model, index, [])
    with pytest.raises(ValueError, match=r"'id-30'.*id-0 to id-29"):
        summarise(either_model, index, ["id-1", "id-30"])
