"""The recipe of a view: put into a picture and read again, refused when it is not ours, and its picture in Python."""

import base64
import dataclasses
import io
import json
import struct
import zipfile
import zlib
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bigan import containers, view_recipe
from bigan.pictures import animation_bytes, png_bytes
from bigan.view_code import python_code
from bigan.view_recipe import ViewRecipe, embed, latents_sha256, link, read

UPLOAD = "upload:0123456789ab:digit"
PICTURE = base64.b64encode(png_bytes(Image.new("L", (28, 28), 7))).decode()
RECIPE = ViewRecipe(
    page="reconstruct",
    query={"source": UPLOAD, "note": 'é "quoted" <b>&amp; ]]> \u2028'.replace("\u2028", "")},
    checkpoint="mnist",
    weights_sha256="a" * 64,
    latents_sha256="0" * 64,
    versions={"bigan": "0.1.0", "torch": "2.9.0+cpu"},
    pictures={UPLOAD: PICTURE},
)
LARGE = base64.b64encode(containers.PNG_SIGNATURE + bytes(400_000)).decode()
KINDS = ("png", "gif", "webp", "grey gif")


def frames() -> list[Image.Image]:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 3), dtype=np.uint8)
    return [Image.fromarray(one) for one in (*pixels, pixels[-1])]  # the last two are alike


def a_file(kind: str) -> bytes:
    if kind == "png":
        return png_bytes(frames()[0])
    if kind == "grey gif":
        return animation_bytes([frame.convert("L") for frame in frames()], "gif", 0.1)
    animated: Literal["gif", "webp"] = "gif" if kind == "gif" else "webp"
    return animation_bytes(frames(), animated, 0.1)


def decoded(content: bytes) -> list[tuple[Any, bytes]]:
    """Each frame's time and pixels."""
    with Image.open(io.BytesIO(content)) as image:
        found = []
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            found.append((image.info.get("duration"), image.convert("RGBA").tobytes()))
        return found


# In pictures


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_comes_back_from_its_picture_and_the_picture_stays_as_it_was(kind: str) -> None:
    content = a_file(kind)
    carrying = embed(content, RECIPE)
    assert read(content) is None
    assert read(carrying) == RECIPE
    assert decoded(carrying) == decoded(content)
    assert Image.open(io.BytesIO(carrying)).info.get("loop") == Image.open(io.BytesIO(content)).info.get("loop")


def test_other_programs_find_the_recipe_where_they_look() -> None:
    text = RECIPE.to_json()
    png, gif, webp = (Image.open(io.BytesIO(embed(a_file(kind), RECIPE))) for kind in ("png", "gif", "webp"))
    assert png.info["bigan-view"] == text  # tEXt
    assert gif.info["comment"].decode() == f"bigan-view {text}"
    description = ElementTree.fromstring(webp.info["xmp"].decode()).find(".//{*}description/{*}Alt/{*}li")
    assert description is not None and description.text == f"bigan-view {text}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_recipe_takes_the_place_of_the_first(kind: str) -> None:
    other = dataclasses.replace(RECIPE, query={"source": "sample:1:2:1"}, pictures={})
    once, twice = embed(a_file(kind), other), embed(embed(a_file(kind), RECIPE), other)
    assert read(twice) == other
    assert once == twice


def test_a_recipe_as_large_as_may_be_comes_back() -> None:
    large = base64.b64encode(containers.PNG_SIGNATURE + bytes(299_900)).decode()
    recipe = dataclasses.replace(RECIPE, pictures={f"upload:{i:012d}:plain": large for i in range(5)})
    for kind in KINDS:
        assert read(embed(a_file(kind), recipe)) == recipe


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "WEBP"])
def test_what_cannot_carry_a_recipe_is_refused(kind: str) -> None:
    file = io.BytesIO()
    frames()[0].save(file, kind)
    assert read(file.getvalue()) is None
    with pytest.raises(ValueError, match=r"no PNG, WebP or GIF|simple kind"):
        embed(file.getvalue(), RECIPE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_cut_off_anywhere_gives_its_recipe_or_none(kind: str) -> None:
    content = embed(a_file(kind), dataclasses.replace(RECIPE, pictures={}))
    found = [read(content[:size]) for size in range(len(content))]
    assert {recipe for recipe in map(str, found)} <= {"None", str(dataclasses.replace(RECIPE, pictures={}))}
    with pytest.raises(ValueError, match="cut off or damaged"):
        embed(content[: len(content) // 2], RECIPE)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 2**31), st.binary(min_size=1)), max_size=4))
def test_a_damaged_picture_never_does_more_than_refuse(kind: str, damages: list[tuple[int, bytes]]) -> None:
    content = bytearray(embed(a_file(kind), dataclasses.replace(RECIPE, pictures={})))
    for at, new in damages:
        at %= len(content)
        content[at : at + len(new)] = new
    try:
        recipe = read(bytes(content))
    except ValueError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
    else:
        assert recipe is None or isinstance(recipe, ViewRecipe)


# In an NPZ


def archived(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def test_a_recipe_comes_back_from_an_npz() -> None:
    text = np.array(RECIPE.to_json())
    for array in (text, text.astype(text.dtype.newbyteorder(">"))):
        assert read(archived(x=np.arange(5.0), recipe=array)) == RECIPE
    assert read(archived(x=np.arange(5.0))) is None
    with pytest.raises(ValueError, match="not JSON"):
        read(archived(recipe=np.array("no recipe")))


def test_an_array_that_is_no_text_is_never_made() -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<U9", "fortran_order": False, "shape": (10**12,)})
    texts = ("{'descr': (", "{1: 0, 'a': 0}", "{'descr': (), 'fortran_order': False, 'shape': ()}", "()" * 5000)
    damaged = [b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() for text in texts]
    for content in (header.getvalue(), header.getvalue()[:20], b"", b"\x93NUMPY\x09\x00", *damaged):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("recipe.npy", content)
        assert read(file.getvalue()) is None
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("recipe.npy", header.getvalue())
    broken = file.getvalue()
    for at in range(40, len(broken) - 80):
        assert read(broken[:at] + b"\xff" + broken[at + 1 :]) is None
    for array in (np.arange(3.0), np.array(["a", "b"]), np.array(b"{}")):
        assert read(archived(recipe=array)) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**31), st.binary(min_size=1)), max_size=4), st.integers(0, 10_000))
def test_a_damaged_npz_never_does_more_than_refuse(damages: list[tuple[int, bytes]], cut: int) -> None:
    content = bytearray(archived(recipe=np.array(dataclasses.replace(RECIPE, pictures={}).to_json())))
    for at, new in damages:
        at %= len(content)
        content[at : at + len(new)] = new
    try:
        recipe = read(bytes(content[: len(content) - cut % len(content)]))
    except ValueError as error:
        assert "\n" not in str(error) and str(error).endswith(".")
    else:
        assert recipe is None or isinstance(recipe, ViewRecipe)


# As JSON


def test_json_gives_the_recipe_back() -> None:
    assert ViewRecipe.from_json(RECIPE.to_json()) == RECIPE
    assert RECIPE.to_json().isascii()


def test_a_recipe_of_several_models_names_them_and_who_read_and_one_of_before_names_none() -> None:
    several = dataclasses.replace(RECIPE, others={"mnist-gan": "b" * 64}, reader="mnist-gan")
    assert ViewRecipe.from_json(several.to_json()) == several
    before = {name: value for name, value in json.loads(RECIPE.to_json()).items() if name not in ("others", "reader")}
    assert ViewRecipe.from_json(json.dumps(before)) == RECIPE


def with_values(**values: object) -> str:
    return json.dumps(json.loads(RECIPE.to_json()) | values)


HOSTILE = {
    "no JSON": "{",
    "no object": "[]",
    "a number": "7",
    "nothing": "",
    "deep": "[" * 200_000,
    "of another format": with_values(format=2),
    "of no format": with_values(format=None),
    "a foreign key": with_values(command="rm"),
    "a missing key": json.dumps({"format": 1, "page": "sample"}),
    "twice": '{"format": 1, "page": "sample", "page": "map"}',
    "page": with_values(page="javascript:alert(1)"),
    "page as a number": with_values(page=3),
    "page above": with_values(page="../etc"),
    "name": with_values(checkpoint="../../etc/passwd"),
    "name as a list": with_values(checkpoint=["mnist"]),
    "hash": with_values(weights_sha256="A" * 64),
    "hash too short": with_values(latents_sha256="a" * 63),
    "query": with_values(query=[["a", "b"]]),
    "query's number": with_values(query={"seed": 7}),
    "query's name": with_values(query={"Seed\n": "7"}),
    "query's model": with_values(query={"checkpoint": "other"}),
    "query's line": with_values(query={"seed": "7\n8"}),
    "query's length": with_values(query={"seed": "7" * 1001}),
    "query's size": with_values(query={f"k{i}": "" for i in range(41)}),
    "versions": with_values(versions={"torch": None}),
    "others": with_values(others=["mnist"]),
    "other's name": with_values(others={"../etc": "a" * 64}),
    "other's hash": with_values(others={"mnist-gan": "a"}),
    "reader": with_values(reader="mnist"),
    "reader as a list": with_values(others={"a": "a" * 64}, reader=["a"]),
    "picture's source": with_values(pictures={"gallery:x": PICTURE}),
    "picture": with_values(pictures={UPLOAD: "not base64"}),
    "picture of another kind": with_values(pictures={UPLOAD: base64.b64encode(b"GIF89a").decode()}),
    "picture too large": with_values(pictures={UPLOAD: LARGE}),
    "too large": with_values(padding="x" * 2**21),
    "a huge number": '{"format": ' + "9" * 10_000 + "}",
    "not a number": '{"format": NaN}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_recipe_of_ours_is_refused_in_one_sentence(text: str) -> None:
    content = containers.with_text(a_file("png"), "bigan-view", text)
    with pytest.raises(ValueError, match=r"^(The recipe in the file|In the recipe of a view)") as caught:
        read(content)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 400


def test_compressed_text_is_not_unpacked() -> None:
    bomb = b"bigan-view\0\0" + zlib.compress(bytes(10**7))
    chunk = struct.pack(">I", len(bomb)) + b"zTXt" + bomb + struct.pack(">I", zlib.crc32(b"zTXt" + bomb))
    png = a_file("png")
    assert read(png[:33] + chunk + png[33:]) is None


@pytest.mark.parametrize(("count", "found"), [(5, True), (200_000, False)])
@pytest.mark.parametrize("kind", ["png", "gif", "one long comment", "comments"])
def test_a_recipe_behind_countless_small_pieces_is_not_looked_for(kind: str, count: int, found: bool) -> None:
    recipe = dataclasses.replace(RECIPE, pictures={})
    first, gif = embed(a_file("png" if kind == "png" else "gif"), recipe), b"GIF89a" + bytes(7)
    recipe_on = first[33 if kind == "png" else first.index(b"\x21\xfe") :]  # to the end of the file
    many = {
        "png": first[:33] + (bytes(4) + b"none" + bytes(4)) * count,
        "gif": gif + b"\x21\xfe\0" * count,
        "one long comment": gif + b"\x21\xfe" + b"\1a" * count + b"\0",
        "comments": gif + (b"\x21\xfe" + b"\1a" * (count // 5) + b"\0") * 5,
    }
    assert read(many[kind] + recipe_on) == (recipe if found else None)


def test_a_link_is_the_path_and_query_of_the_app() -> None:
    recipe = dataclasses.replace(RECIPE, page="sample", query={"seed": "7", "order": "by D's opinion"}, pictures={})
    assert link(recipe) == "/sample?checkpoint=mnist&seed=7&order=by+D%27s+opinion"


def test_latents_have_one_fingerprint_whatever_their_layout() -> None:
    z = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    assert latents_sha256(z) == latents_sha256(z.T.contiguous().T) == latents_sha256(z.double())
    assert latents_sha256(z) != latents_sha256(z.flip(0))
    assert latents_sha256(torch.zeros(1, 1)) == "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"


# As code


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("sample", {"seed": "0", "count": "__import__('os')", "truncation": "1"}),
        ("sample", {"seed": "0", "count": "16"}),
        ("sample", {"seed": "0", "count": "16", "truncation": "1e9"}),
        ("interpolate", {"steps": "8", "path": 'line"); evil("', "a": "sample:0:0:1", "b": "sample:0:1:1"}),
        ("reconstruct", {"source": 'gallery:"); evil("'}),
        ("map", {"source": "gallery:a", "space": "nowhere"}),
        ("home", {}),
    ],
)
def test_no_code_comes_from_what_a_recipe_says_but_checked_settings(page: str, query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        python_code(dataclasses.replace(RECIPE, page=page, query=query, pictures={}))


def test_code_for_a_sample_is_three_statements_a_person_would_write() -> None:
    query = {"seed": "7", "count": "16", "truncation": "0.5", "order": "as drawn"}
    assert python_code(dataclasses.replace(RECIPE, page="sample", query=query, pictures={})) == (
        "import bigan\n"
        "from bigan.pictures import mosaic\n"
        "\n"
        'model = bigan.load("mnist")\n'
        "x = model.generate(model.sample_latents(16, seed=7, truncation=0.5))\n"
        'mosaic(x, columns=4, scale=4).save("mnist-sample.png")\n'
    )


def test_the_picture_in_a_recipe_is_the_file_that_went_in() -> None:
    assert view_recipe.picture_of(RECIPE, UPLOAD) == base64.b64decode(PICTURE)
