"""The picture of a view as a few lines of Python with the public interface."""

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from bigan import sources
from bigan.explore.areas import parse_view
from bigan.explore.colouring import COLOURINGS, parse_range
from bigan.latent import Path
from bigan.view_recipe import NAME, ViewRecipe, check

# The words that the address has for what the library names otherwise.
PATH_NAMES: dict[Path, str] = {"prior": "within the prior", "slerp": "great arc", "line": "straight line"}
SPACE_NAMES: dict[str, str] = {"pixels": "pixels", "latent": "E(x)", "penultimate": "penultimate"}

SAMPLE_SCALE, RECONSTRUCTION_SCALE, WALK_SCALE, COMPARISON_SCALE, EDIT_SCALE = 4, 8, 4, 6, 8  # of the PNG of each page
IMPORTS = {
    "find(": "from bigan.checkpoint import find",
    "selected(": "from bigan.explore.areas import selected",
    "MappedGallery(": "from bigan.explore.colouring import MappedGallery, colour_values",
    "edited(": "from bigan.explore.editing import edited",
    "find_direction(": "from bigan.explore.editing import find_direction",
    "load_gallery(": "from bigan.explore.gallery import load_gallery",
    **{
        f"{name}(": f"from bigan.explore.interpolation import {name}"
        for name in ("analogy", "compare_paths", "retime", "sheet", "through", "walk")
    },
    "map_picture(": "from bigan.explore.map_picture import map_picture",
    "load_projection(": "from bigan.explore.projection import load_projection",
    "place(": "from bigan.explore.projection import place, space_features",
    "index_gallery(": "from bigan.explore.reconstruction import index_gallery",
    "comparison(": "from bigan.pictures import comparison",
    "mosaic(": "from bigan.pictures import mosaic",
}


def python_code(recipe: ViewRecipe) -> str:
    """A few lines of Python with the public interface that make the PNG of the view, pixel for pixel.

    A person's own picture is read from "your-picture.png", and two selections of theirs from "your-edit.npz".

    Raises:
        ValueError: the page has no picture of its own, or its settings are not those that the page writes.
    """
    pages: dict[str, Callable[[ViewRecipe], list[str]]] = {
        "sample": _sample_code,
        "reconstruct": _reconstruction_code,
        "interpolate": _walk_code,
        "edit": _edit_code,
        "map": _map_code,
        "compare": _comparison_code,
        "rivals": _comparison_code,
    }
    if recipe.page not in pages:
        raise ValueError(f"The page {recipe.page!r} has no picture of its own; {', '.join(pages)} have.")
    model = f"model = bigan.load({_quoted(_reader(recipe))})"
    lines = pages[recipe.page](recipe)
    lines[-1] = f"{lines[-1]}.save({_quoted(f'{recipe.checkpoint}-{recipe.page}.png')})"
    body = "\n".join([model, *lines] if any("model." in line or "(model" in line for line in lines) else lines)
    tools = [f"import {name}" for name in ("bigan", "numpy", "torch") if f"{name}." in body]
    used = [statement for name, statement in IMPORTS.items() if re.search(rf"\b{re.escape(name)}", body)]
    return "\n".join([*tools, *used, "", body, ""])


def _sample_code(recipe: ViewRecipe) -> list[str]:
    count, seed = _whole(recipe, "count"), _whole(recipe, "seed")
    arguments = f"{count}, seed={seed}{_truncation(_number(recipe, 'truncation'))}"
    return [
        f"x = model.generate(model.sample_latents({arguments}))",
        f"mosaic(x, columns={round(count**0.5)}, scale={SAMPLE_SCALE})",
    ]


def _reconstruction_code(recipe: ViewRecipe) -> list[str]:
    source = _source(recipe, "source")
    return [f"x = {_image(recipe, source)}", f"comparison(x, model.reconstruct(x), scale={RECONSTRUCTION_SCALE})"]


def _walk_code(recipe: ViewRecipe) -> list[str]:
    kind = recipe.query.get("mode", "Walk")
    kinds: dict[str, Callable[[ViewRecipe], list[str]]] = {
        "Walk": _way_code, "Sheet": _sheet_code, "Analogy": _analogy_code, "Compare paths": _paths_code
    }  # fmt: skip
    check(kind in kinds, "setting mode", kind, f"one of {', '.join(kinds)}")
    return kinds[kind](recipe)


def _way_code(recipe: ViewRecipe) -> list[str]:
    letters, num_steps = _letters(recipe, "ends", 2), _whole(recipe, "steps")
    ends = "a, b" if letters == "ab" else f"torch.stack([{', '.join(letters)}])"
    made = f"{'walk' if letters == 'ab' else 'through'}(model, {ends}, {_along(recipe)})"
    lines = _ends(recipe, letters)
    if recipe.query.get("even") == "true":
        lines += [f"made = {made}", f"frames = retime(model, made, num_steps={num_steps}).images"]
    else:
        lines += [f"frames = {made}.images"]
    return [*lines, _strip(num_steps)]


def _sheet_code(recipe: ViewRecipe) -> list[str]:
    letters, size = _letters(recipe, "corners", 4), _whole(recipe, "size")
    path = _quoted(_named(recipe, "path", PATH_NAMES))
    return [
        *_ends(recipe, letters),
        f"made = sheet(model, torch.stack([{', '.join(letters)}]), size={size}, path={path})",
        f"mosaic(made.images.flatten(0, 1), columns={size}, scale={WALK_SCALE})",
    ]


def _analogy_code(recipe: ViewRecipe) -> list[str]:
    return [
        *_ends(recipe, "abc"),
        "d = analogy(model, a, b, c)",
        f"made = [walk(model, *ends, {_along(recipe)}) for ends in ((a, b), (c, d))]",
        "frames = torch.cat([one.images for one in made])",
        _strip(_whole(recipe, "steps")),
    ]


def _paths_code(recipe: ViewRecipe) -> list[str]:
    num_steps = _whole(recipe, "steps")
    return [
        *_ends(recipe, "ab"),
        f"made = compare_paths(model, a, b, num_steps={num_steps})",
        "frames = torch.cat([one.images for one in made.values()])",
        _strip(num_steps),
    ]


def _letters(recipe: ViewRecipe, name: str, default: int) -> str:
    """The names of so many ends as a setting says."""
    count = _whole(recipe, name) if name in recipe.query else default
    check(2 <= count <= 4, f"setting {name}", count, "2 to 4")
    return "abcd"[:count]


def _ends(recipe: ViewRecipe, letters: str) -> list[str]:
    return [f"{letter} = {_latent(recipe, _source(recipe, letter))}" for letter in letters]


def _along(recipe: ViewRecipe) -> str:
    """The arguments of a walk after its ends."""
    return f"num_steps={_whole(recipe, 'steps')}, path={_quoted(_named(recipe, 'path', PATH_NAMES))}"


def _strip(num_steps: int) -> str:
    return f"mosaic(frames, columns={num_steps}, scale={WALK_SCALE})"


def _edit_code(recipe: ViewRecipe) -> list[str]:
    kept = "inside" if _text(recipe, "inside") == "true" else "free"
    direction, strength = recipe.query.get("direction", ""), _text(recipe, "strength")
    last = sources.parse_source(f"edit:{direction}:{strength}:{kept}::{sources.Sample(0, 0)}")
    assert isinstance(last, sources.Edit)
    changes = sources.parse_changes(recipe.query.get("changed", ""))
    edit = dataclasses.replace(last, start=_source(recipe, "a"), changes=changes)
    return [
        f"z = {_latent(recipe, edit.start)}",
        f"x = model.generate(torch.stack([z, {_edited(recipe, 'z', edit)}]))",
        f"comparison(x[:1], x[1:], scale={EDIT_SCALE})",
    ]


def _map_code(recipe: ViewRecipe) -> list[str]:
    source, space = _source(recipe, "source"), _quoted(_named(recipe, "space", SPACE_NAMES))
    look, more = _map_look(recipe, space)
    maps = f"load_projection(find({_quoted(recipe.checkpoint)})).maps"
    lines = [f"gallery = {_gallery(recipe)}", f"shown = {maps}[{space}]"]
    if "selected" in look:
        lines[1:] = [f"maps = {maps}", f"shown = maps[{space}]"]
    if isinstance(source, sources.GalleryImage):
        place = f"shown.coordinates[gallery.index_of({_quoted(source.image_id)})]"
    else:
        lines += [f"x = {_image(recipe, source)}", f"references = space_features(model, gallery.images, {space})"]
        place = f"place(space_features(model, x, {space})[0], references, shown.coordinates)"
    arguments = ["gallery", "shown", place, *(f"{name}={value}" for name, value in look.items())]
    return [*lines, *more, f"map_picture({', '.join(arguments)})"]


def _map_look(recipe: ViewRecipe, space: str) -> tuple[dict[str, str], list[str]]:
    """What `map_picture` is told beside the points, and the lines before it: colours, what is shown, selected, seen."""
    query, lines, kept = recipe.query, [], []
    look: dict[str, str] = {}
    if "colour" in query:
        name = query["colour"]
        check(name in COLOURINGS, "setting colour", name, f"one of {', '.join(COLOURINGS)}")
        mapped = f"MappedGallery(index_gallery(model, gallery), model.config.prior, {space}, shown.coordinates)"
        lines.append(f"values = colour_values({_quoted(name)}, {mapped})")
        look |= {"values": "values", "scale": _quoted(COLOURINGS[name].words)}
        span = parse_range(query.get("range", ""))
        check(span is not None, "setting range", query.get("range"), "two numbers, either of them left out")
        assert span is not None
        kept += [f"(values {sign} {end})" for sign, end in zip((">=", "<="), span, strict=True) if math.isfinite(end)]
    if query.get("hide"):
        check(re.fullmatch(r"\d{1,3}(,\d{1,3})*", query["hide"]) is not None, "setting hide", query["hide"], "labels")
        kept.append(f"~torch.isin(gallery.labels, torch.tensor([{', '.join(query['hide'].split(','))}]))")
    if kept:
        lines.append(f"kept = {' & '.join(kept)}")
        look["kept"] = "kept"
    if query.get("area"):
        places = "{name: one.coordinates.numpy() for name, one in maps.items()}"
        lines.append(f"held = selected({_quoted(query['area'])}, gallery.ids, {places})")
        look["selected"] = "held"
    if query.get("view") and query.get("all") != "true":
        view = parse_view(query["view"])
        check(view is not None, "setting view", query["view"], "three whole numbers")
        look["view"] = repr(view)
    return look, lines


def _comparison_code(recipe: ViewRecipe) -> list[str]:
    pair = recipe.page == "compare"
    beside = [recipe.checkpoint, _text(recipe, "other")] if pair else _text(recipe, "models").split(",")
    for name in beside:
        check(re.fullmatch(NAME, name) is not None, "model beside", name, "the name of a model")
    return [
        f"x = {_image(recipe, _source(recipe, 'source'))}",
        f"loaded = [bigan.load(name) for name in ({', '.join(map(_quoted, beside))},)]",
        'able = [one for one in loaded if one.config.shortcoming("generate", "encode") is None]',
        "images = torch.cat([x, *(one.reconstruct(x) for one in able)])",
        f"mosaic(images, columns=len(images), scale={COMPARISON_SCALE})",
    ]


def _image(recipe: ViewRecipe, source: sources.Source) -> str:
    """The expression for x."""
    if isinstance(source, sources.Sample):
        return f"model.generate({_latents(source)}[-1:])"
    if isinstance(source, sources.GalleryImage):
        return f"{_gallery(recipe)}.image({_quoted(source.image_id)})"
    if isinstance(source, sources.Edit):
        return f"model.generate({_latent(recipe, source)}[None])"
    return f'model.prepare("your-picture.png", mode={_quoted(str(source.preparation))})'


def _latent(recipe: ViewRecipe, source: sources.Source) -> str:
    """The expression for z, without its batch."""
    if isinstance(source, sources.Sample):
        return f"{_latents(source)}[-1]"
    if isinstance(source, sources.Edit):
        return _edited(recipe, _latent(recipe, source.start), source)
    return f"model.encode({_image(recipe, source)})[0]"


def _edited(recipe: ViewRecipe, z: str, edit: sources.Edit) -> str:
    """The expression for an edited latent; z is that of where it starts."""
    direction = "None"
    if edit.direction:
        ids = ', *(numpy.load("your-edit.npz")[ids].tolist() for ids in ("ids_a", "ids_b"))'
        rest = ids if edit.direction == "selections" else ""
        direction = f"find_direction({_quoted(edit.direction)}, index_gallery(model, {_gallery(recipe)}){rest})"
    return f"edited({z}, {dict(edit.changes)}, {direction}, {edit.strength}, model.config.prior, {edit.inside})"


def _latents(source: sources.Sample) -> str:
    return f"model.sample_latents({source.index + 1}, seed={source.seed}{_truncation(source.truncation)})"


def _gallery(recipe: ViewRecipe) -> str:
    return f"load_gallery(find({_quoted(_reader(recipe))}))"


def _reader(recipe: ViewRecipe) -> str:
    """The model that says what an image is."""
    return recipe.reader or recipe.checkpoint


def _truncation(value: float) -> str:
    return "" if value == 1 else f", truncation={value:g}"


def _quoted(text: str) -> str:
    """A text that was checked, as Python writes it."""
    return json.dumps(text, ensure_ascii=False)


def _text(recipe: ViewRecipe, name: str) -> str:
    check(name in recipe.query, f"setting {name}", None, f"there for the page {recipe.page}")
    return recipe.query[name]


def _whole(recipe: ViewRecipe, name: str) -> int:
    text = _text(recipe, name)
    check(re.fullmatch("[0-9]{1,10}", text) is not None, f"setting {name}", text, "a whole number")
    return int(text)


def _number(recipe: ViewRecipe, name: str) -> float:
    text = _text(recipe, name)
    check(re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,8})?", text) is not None, f"setting {name}", text, "a number")
    return float(text)


def _named(recipe: ViewRecipe, name: str, names: Mapping[Any, str]) -> str:
    """What the library calls what the address has a word for."""
    text, by_word = _text(recipe, name), {word: named for named, word in names.items()}
    check(text in by_word, f"setting {name}", text, f"one of {', '.join(by_word)}")
    return by_word[text]


def _source(recipe: ViewRecipe, name: str) -> sources.Source:
    return sources.parse_source(_text(recipe, name))
