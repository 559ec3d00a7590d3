"""In a real Chromium, what one visitor downloads opens the same view for another."""

import io
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import expect
from visitor import Visitor

from bigan.benchmark.drawings import drawing
from bigan.view_recipe import link, read


def downloaded(visitor: Visitor, label: str) -> bytes:
    with visitor.page.expect_download() as download:
        visitor.page.get_by_test_id("stDownloadButton").get_by_role("button", name=label, exact=True).click()
    return Path(download.value.path()).read_bytes()


def bring(visitor: Visitor, content: bytes, name: str = "view.png") -> None:
    picture = {"name": name, "mimeType": "image/png", "buffer": content}
    visitor.page.locator("input[type=file]").first.set_input_files(picture)


def follow(visitor: Visitor, title: str, query: str) -> None:
    """Go to the view that a picture offers."""
    name = "Open the view it was made in"
    visitor.page.get_by_role("link", name=name).or_(visitor.page.get_by_role("button", name=name)).first.click()
    visitor.page.wait_for_url(re.compile(query))
    visitor.arrive(title)


def test_samples_sent_as_a_picture_are_seen_by_another_visitor(visit: Any) -> None:
    sender, receiver = visit(), visit()
    sender.open("/sample?seed=7&count=25&truncation=0.5")
    for label in ("PNG", "NPZ", "CSV"):
        assert downloaded(sender, label)
    picture = downloaded(sender, "PNG")
    recipe = read(picture)
    assert recipe is not None
    receiver.open("/reconstruct?way=Upload")
    bring(receiver, picture)
    follow(receiver, "Sample", "seed=7")
    expect(receiver.page.get_by_label("Seed", exact=True)).to_have_value("7")
    assert downloaded(receiver, "PNG") == picture
    receiver.open(link(recipe))
    assert downloaded(receiver, "PNG") == picture
    receiver.page.get_by_role("button", name="Copy as code").click()
    expect(receiver.page.get_by_text(f"{receiver.site}{link(recipe)}")).to_be_visible()
    expect(receiver.page.get_by_text("model.sample_latents(25, seed=7, truncation=0.5)")).to_be_visible()
    receiver.assert_well()


def test_a_view_of_the_page_that_one_is_at_opens_there(visit: Any) -> None:
    visitor = visit()
    visitor.open("/reconstruct?source=gallery:square-23")
    picture = downloaded(visitor, "PNG")
    visitor.open("/reconstruct?source=gallery:square-04&way=Upload&z-seed=7")
    assert downloaded(visitor, "PNG") != picture
    bring(visitor, picture)
    follow(visitor, "Reconstruct", "source=gallery(:|%3A)square-23")
    expect(visitor.page.get_by_text("(square-23)").first).to_be_visible()
    expect(visitor.page.get_by_label("Seed of z", exact=True)).to_have_value("0")
    visitor.settle()
    assert downloaded(visitor, "PNG") == picture


def test_favourites_sent_as_a_picture_are_the_favourites_of_another_visitor(visit: Any) -> None:
    sender, receiver = visit(), visit()
    sender.open("/sample?seed=7&cell=3&ask=Favourites")
    sender.page.get_by_role("button", name="Keep as a favourite").click()
    picture = downloaded(sender, "Favourites as PNG")
    receiver.open("/reconstruct?way=Upload")
    bring(receiver, picture)
    follow(receiver, "Sample", "ask=Favourites")
    assert downloaded(receiver, "Favourites as PNG") == picture
    receiver.assert_well()


def test_a_view_of_another_model_opens_with_that_model(visit: Any) -> None:
    visitor = visit()
    visitor.open("/sample?checkpoint=fashion-mnist&seed=3&count=16")
    picture = downloaded(visitor, "PNG")
    visitor.open("/reconstruct?way=Upload")
    bring(visitor, picture)
    follow(visitor, "Sample", "checkpoint=fashion-mnist")
    assert downloaded(visitor, "PNG") == picture


def test_handwriting_travels_with_its_picture(visit: Any) -> None:
    sender, receiver = visit(), visit()
    sender.open("/reconstruct?way=Upload")
    bring(sender, drawing(11), "seven.png")
    sender.page.wait_for_url(re.compile("source=upload"))
    sender.settle()
    picture = downloaded(sender, "PNG")
    receiver.open("/reconstruct?way=Upload")
    bring(receiver, picture)
    follow(receiver, "Reconstruct", "source=upload")
    receiver.settle()
    received = downloaded(receiver, "PNG")
    assert pixels(received) == pixels(picture)


def test_a_walk_leaves_as_an_animation_and_comes_back(visit: Any) -> None:
    visitor = visit()
    visitor.open("/interpolate?a=gallery:square-23&b=sample:7:12:0.5&steps=8&path=great+arc")
    animations = [downloaded(visitor, label) for label in ("GIF", "WebP")]
    visitor.open("/map")
    bring(visitor, animations[1], "walk.webp")
    follow(visitor, "Walk", "steps=8")
    assert [downloaded(visitor, label) for label in ("GIF", "WebP")] == animations


def pixels(content: bytes) -> bytes:
    return Image.open(io.BytesIO(content)).tobytes()
