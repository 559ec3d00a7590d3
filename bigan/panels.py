"""Pictures beside each other on paper, each under its name: what is sent where models are compared."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from bigan.pictures import INK, PAPER

MARGIN_PX, TEXT_PX = 16, 18


def panels(pictures: Sequence[Image.Image], names: Sequence[str]) -> Image.Image:
    """Pictures in a row, mode "RGB"; a name that is wider than its picture makes room for itself.

    Args:
        pictures: at least one, of any sizes.
        names: of each, a line.

    Raises:
        ValueError: not as many names as pictures, or no picture.
    """
    if not pictures or len(pictures) != len(names):
        raise ValueError(f"There are {len(pictures)} pictures and {len(names)} names; at least one of each, as many.")
    font = ImageFont.load_default(TEXT_PX)
    widths = [max(picture.width, round(font.getlength(name))) for picture, name in zip(pictures, names, strict=True)]
    top = 2 * MARGIN_PX + TEXT_PX
    height = top + max(picture.height for picture in pictures) + MARGIN_PX
    sheet = Image.new("RGB", (MARGIN_PX + sum(width + MARGIN_PX for width in widths), height), PAPER)
    draw, left = ImageDraw.Draw(sheet), MARGIN_PX
    for picture, name, width in zip(pictures, names, widths, strict=True):
        draw.text((left, MARGIN_PX + TEXT_PX), name, INK, font, "ls")
        own = picture.convert("RGBA")
        sheet.paste(own, (left, top), own)
        left += width + MARGIN_PX
    return sheet
