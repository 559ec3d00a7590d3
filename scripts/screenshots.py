"""The pictures of the README, taken of the running app in a real browser: `make screenshots`."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from bigan.benchmark.app import running_app
from bigan.benchmark.browser import IDLE, TITLE, browser

FOLDER = Path(__file__).parents[1] / "docs"
# Films stand still for those who ask for less motion: a picture does not depend on when it is taken.
CONTEXT: dict[str, Any] = {"viewport": {"width": 1400, "height": 1000}, "reduced_motion": "reduce"}
SETTLE_MS = 3000  # charts and the map draw after the script is done
SHOTS = {
    "home": "",
    "sample": "sample?seed=3&cell=4",
    "reconstruct": "reconstruct?source=gallery:opencv-2512",
    "walk": "interpolate?a=gallery:opencv-3507&b=gallery:opencv-2512",
    "map": "map?area=latent:560,520,800,520,800,760,560,760",
    "compare": "compare",
    "edit": "edit?strength=2",
}
COLOURS = 256  # of a screenshot's palette: a tenth of the size, and no difference to the eye


def main() -> None:
    """Take every picture."""
    FOLDER.mkdir(exist_ok=True)
    with running_app() as server, browser() as chromium:
        page = chromium.new_context(**CONTEXT).new_page()
        for name, address in SHOTS.items():
            take(page, f"{server.address}/{address}").save(FOLDER / f"{name}.png", optimize=True)


def take(page: Any, address: str) -> Image.Image:
    """A page once it is drawn."""
    page.goto(address)
    page.wait_for_selector(TITLE, state="visible", timeout=60_000)
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_timeout(SETTLE_MS)
    shot = Image.open(io.BytesIO(page.screenshot()))
    return shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
