"""The recipe of a view: what it takes to see again what a page of the app showed, small enough to travel in a picture.

It rides in a PNG's text, a WebP's XMP packet, a GIF's comment or an array of an NPZ (see `containers`). A file may come
from anywhere: what is read is bounded, checked field by field, and never decoded or run.

Shapes: B latents of Z components.
"""

import base64
import binascii
import dataclasses
import hashlib
import json
import platform
import re
import reprlib
from dataclasses import dataclass, field
from typing import Any, no_type_check
from urllib.parse import urlencode

import torch
from jaxtyping import Float
from torch import Tensor

from bigan import __version__, containers, sources

KEYWORD = "bigan-view"
ARRAY = "recipe"  # of an NPZ
FORMAT = 1
MAX_CHARACTERS = 2**21  # of a recipe as JSON; nearly all of it pictures of a person's own
MAX_ENTRIES = 40  # of the query, the versions and the pictures
MAX_VALUE = 1000  # characters of a value in the query: an edit of an edit is the longest
MAX_PICTURE = 400_000  # characters of a picture in base 64: the largest image of a model as an uncompressed PNG
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")  # of a checkpoint, see bigan.checkpoint
# Settings that a file carries and no link: what a person chose in a session, as long as it is short enough
CARRIED = ("ids-a", "ids-b", "favourites")
_PAGE = re.compile(r"[a-z][a-z-]{0,31}")
_KEY = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ViewRecipe:
    """A view of the app: the page, its settings, and the model and the latents that they stood for."""

    page: str
    """As in the address."""
    query: dict[str, str]
    """The settings in the address, all that the page has: ids and seeds, no vectors. The checkpoint is not among them.
    """
    checkpoint: str
    """The model's name."""
    weights_sha256: str
    """Of its weights (see bigan.evaluation.report): another model of that name shows something else."""
    latents_sha256: str
    """Of the latents that were shown (see `latents_sha256`)."""
    versions: dict[str, str]
    """Of what made it."""
    pictures: dict[str, str] = field(default_factory=dict)
    """For each source of the query that is a person's own picture, what the model was given of it: a PNG in base 64."""
    others: dict[str, str] = field(default_factory=dict)
    """Of each other model that took part, by its name, the hash of its weights."""
    reader: str = ""
    """The one of them that prepared the images and lent its gallery, if any did."""

    def __post_init__(self) -> None:
        """Check every field: it may be anyone's file."""
        check(_matches(_PAGE, self.page), "page", self.page, "the name of a page")
        check(_matches(NAME, self.checkpoint), "checkpoint", self.checkpoint, "the name of a model")
        for name in ("weights_sha256", "latents_sha256"):
            value = getattr(self, name)
            check(_matches(_SHA256, value), name, value, "64 hexadecimal digits")
        for name in ("query", "versions"):
            values = getattr(self, name)
            check(_is_table(values), name, values, f"at most {MAX_ENTRIES} short texts by name")
            for key, value in values.items():
                check(_matches(_KEY, key) and key != "checkpoint", f"{name}'s name", key, "a name in small letters")
                short = isinstance(value, str) and value.isprintable() and len(value) <= MAX_VALUE
                check(short, key, value, f"a text of at most {MAX_VALUE} characters")
        check(_is_table(self.others), "others", self.others, f"at most {MAX_ENTRIES} models")
        for name, value in self.others.items():
            check(_matches(NAME, name), "other model", name, "the name of a model")
            check(_matches(_SHA256, value), f"hash of {name}", value, "64 hexadecimal digits")
        check(self.reader in ("", *self.others), "reader", self.reader, "one of the other models")
        check(_is_table(self.pictures), "pictures", self.pictures, f"at most {MAX_ENTRIES} pictures by source")
        for source, picture in self.pictures.items():
            check(_is_upload(source), "picture's source", source, "upload:HASH:PREPARATION")
            check(_is_picture(picture), "picture", picture, f"a PNG in base 64, at most {MAX_PICTURE} characters")

    def to_json(self) -> str:
        """One line of ASCII."""
        return json.dumps({"format": FORMAT} | dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "ViewRecipe":
        """The recipe that a text holds.

        Raises:
            ValueError: it is no recipe, or of another version, or too large; one sentence.
        """
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"The recipe in the file has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
        try:
            values = json.loads(text, object_pairs_hook=_named_once)
        except (ValueError, RecursionError):
            raise ValueError("The recipe in the file is damaged: it is not JSON.") from None
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise ValueError(f"The recipe in the file is not of format {FORMAT}: another version wrote it.")
        known = {one.name for one in dataclasses.fields(cls)}
        needed = known - {"others", "reader"}  # which pictures of one model lack
        if different := sorted((values.keys() - known) | (needed - values.keys())):
            raise ValueError(f"The recipe in the file must hold {', '.join(sorted(needed))}; {_short(different[0])} "
                             f"{'is missing' if different[0] in known else 'is foreign'}.")  # fmt: skip
        return cls(**values)


# A value of the wrong type is what a hostile file holds, and `__post_init__` reports it: the tests' type checker is not
# to answer first.
no_type_check(ViewRecipe.__init__)


def embed(content: bytes, recipe: ViewRecipe) -> bytes:
    """The picture with the recipe inside, in place of any that it had.

    Args:
        content: a PNG, GIF or animated WebP.
        recipe: of the view it was made in.

    Raises:
        ValueError: another kind of file.
    """
    return containers.with_text(content, KEYWORD, recipe.to_json())


def read(content: bytes) -> ViewRecipe | None:
    """The recipe inside a file; None where it carries none.

    Raises:
        ValueError: there is one, but damaged, foreign or too large; one sentence.
    """
    text = containers.array_text(content, ARRAY, MAX_CHARACTERS) or containers.text_of(content, KEYWORD)
    return None if text is None else ViewRecipe.from_json(text)


def link(recipe: ViewRecipe) -> str:
    """The path and query of the view within the app, for example "/sample?checkpoint=mnist&seed=7"."""
    told = {key: value for key, value in recipe.query.items() if key not in CARRIED}
    return f"/{recipe.page}?{urlencode({'checkpoint': recipe.checkpoint} | told)}"


def latents_sha256(z: Float[Tensor, "B Z"]) -> str:
    """A fingerprint of latents: SHA-256 of their float32 values, little-endian, row by row."""
    return hashlib.sha256(z.detach().cpu().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()).hexdigest()


def versions() -> dict[str, str]:
    """What this process makes pictures with."""
    return {"bigan": __version__, "torch": torch.__version__, "python": platform.python_version()}


def picture_of(recipe: ViewRecipe, source: str) -> bytes:
    """The PNG of a person's own picture in the recipe, unchecked: open it as any other file of a person's."""
    return base64.b64decode(recipe.pictures[source])


def check(condition: bool, name: str, value: object, allowed: str) -> None:
    """Refuse a recipe of which something is not as it must be."""
    if not condition:
        raise ValueError(f"In the recipe of a view, the {name} is {_short(value)}; it must be {allowed}.")


def _short(value: object) -> str:
    return reprlib.repr(value)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_table(values: object) -> bool:
    return isinstance(values, dict) and len(values) <= MAX_ENTRIES


def _is_upload(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(sources.parse_source(text), sources.Upload)
    except sources.SourceError:
        return False


def _is_picture(text: object) -> bool:
    if not isinstance(text, str) or len(text) > MAX_PICTURE:
        return False
    try:
        return containers.kind_of(base64.b64decode(text, validate=True)) == "png"
    except (binascii.Error, ValueError):
        return False


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a name stands twice")
    return values
