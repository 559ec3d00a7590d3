"""The picture of a BiGAN: both ways between x and z, both kinds of pair, and D. SVG, in the colours of either theme."""

import base64
import html
from collections.abc import Mapping

from bigan.ui import theme

WIDTH, HEIGHT = 960, 330
ALT = (
    "A real image x goes through the encoder E to a latent E(x). A latent z drawn from the prior goes through the "
    "generator G to an image G(z). Both pairs, (x, E(x)) and (G(z), z), go to the discriminator D, which tells which "
    "kind of pair it sees."
)

# Digits of a few strokes, drawn in a box of 60 px: a real one, crisp, and one as a generator might make it.
_REAL_DIGIT = "M18 20 h24 l-14 26"
_MADE_DIGIT = "M17 21 q12 -4 25 0 q-8 10 -13 25"
_BARS = (14, -9, 20, 6, -16, 11, -5, 17, -12, 8)

_BOX_PX = 60


def _image(x: int, y: int, kind: str, path: str) -> str:
    return (
        f'<g transform="translate({x} {y})"><rect class="{kind} frame" width="{_BOX_PX}" height="{_BOX_PX}"/>'
        f'<path class="stroke" d="{path}"/></g>'
    )


def _latent(x: int, y: int, flip: int) -> str:
    bars = "".join(
        f'<rect class="latent" x="{6 * i}" y="{30 - max(0, flip * value)}" width="4" height="{abs(value)}"/>'
        for i, value in enumerate(_BARS)
    )
    return f'<g transform="translate({x} {y})"><line class="rule" x1="-4" x2="62" y1="30" y2="30"/>{bars}</g>'


def _network(x: int, y: int, name: str, words: str, kind: str) -> str:
    """A trapezium, its wide side towards the image on the left; x is its right edge."""
    return (
        f'<g transform="translate({x - 110} {y})"><path class="{kind} net" d="M110 8 L0 -10 V70 L110 52 Z"/>'
        f'<text class="name" x="55" y="32">{name}</text><text class="small" x="55" y="50">{words}</text></g>'
    )


def _arrow(*points: tuple[int, int], kind: str = "rule") -> str:
    line = " L".join(f"{x} {y}" for x, y in points)
    return f'<path class="{kind} arrow" d="M{line}" marker-end="url(#tip)"/>'


def svg() -> str:
    """The diagram, whole."""
    rules = "".join(
        f".{name}{{fill:{theme.css_colour(colour)}}} .{name}.frame,.{name}.net{{stroke:{theme.css_colour(colour)}}} "
        for name, colour in (("real", "real"), ("made", "generated"), ("latent", "latent"), ("opinion", "opinion"))
    )
    ink, paper = theme.css_colour("ink"), theme.css_colour("paper")
    style = (
        f":root{{color-scheme:light dark}} {rules} text{{font-family:Georgia,'Source Serif 4',serif;fill:{ink};"
        "text-anchor:middle} .name{font-size:24px;font-style:italic;font-weight:600} .small{font-size:13px}"
        ".term{font-size:18px;font-style:italic} .left{text-anchor:start}"
        ".net{fill-opacity:.13;stroke-width:2} .frame{fill-opacity:.08;stroke-width:2.5}"
        f".made.frame{{stroke-dasharray:6 4}} .stroke{{fill:none;stroke:{ink};stroke-width:5;stroke-linecap:round;"
        f"stroke-linejoin:round}} .rule{{stroke:{ink};stroke-width:1.5;opacity:.75}} .arrow{{fill:none}}"
        f"marker path{{fill:{ink};stroke:none}} .halo{{fill:{paper};stroke:none}}"
    )
    top, bottom = 45, 215
    parts = [
        _image(60, top, "real", _REAL_DIGIT),
        _arrow((128, top + 30), (176, top + 30)),
        _network(294, top, "E", "encoder", "latent"),
        _arrow((300, top + 30), (346, top + 30)),
        _latent(358, top, 1),
        _latent(358, bottom, -1),
        _arrow((350, bottom + 30), (304, bottom + 30)),
        _network(294, bottom, "G", "generator", "made"),
        _arrow((176, bottom + 30), (132, bottom + 30)),
        _image(60, bottom, "made", _MADE_DIGIT),
        f'<text class="term" x="90" y="{top - 14}">x, a real image</text>',
        f'<text class="term" x="388" y="{top - 14}">E(x)</text>',
        f'<text class="term" x="90" y="{bottom + 86}">G(z)</text>',
        f'<text class="term" x="388" y="{bottom + 86}">z, drawn from the prior</text>',
        _arrow((434, top + 30), (560, top + 30), (640, 138)),
        _arrow((434, bottom + 30), (560, bottom + 30), (640, 182)),
        f'<text class="term" x="515" y="{top + 18}">( x , E(x) )</text>',
        f'<text class="term" x="515" y="{bottom + 54}">( G(z) , z )</text>',
        '<rect class="opinion net" x="650" y="110" width="120" height="100" rx="6"/>',
        '<text class="name" x="710" y="158">D</text><text class="small" x="710" y="180">discriminator</text>',
        _arrow((776, 160), (806, 160)),
        '<text class="term left" x="816" y="154">which kind</text>',
        '<text class="term left" x="816" y="178">of pair?</text>',
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"><style>{style}</style>'
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" '
        f'orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>{"".join(parts)}</svg>'
    )


# Where each part lies, in shares of the width and height: left, top, width, height.
PLACES = {
    "E": (0.19, 0.09, 0.12, 0.27),
    "z": (0.36, 0.60, 0.12, 0.37),
    "G(z)": (0.05, 0.61, 0.09, 0.36),
    "G": (0.19, 0.61, 0.12, 0.27),
    "D": (0.67, 0.32, 0.14, 0.33),
    "E(x)": (0.36, 0.03, 0.12, 0.33),
}


def with_links(links: Mapping[str, tuple[str, str]]) -> str:
    """The diagram as HTML whose parts lead to pages.

    Args:
        links: part (of `PLACES`) -> (address, what one finds there).
    """
    data = base64.b64encode(svg().encode()).decode()
    anchors = "".join(
        f'<a href="{html.escape(address)}" title="{html.escape(words)}" aria-label="{html.escape(words)}" '
        f'style="left: {100 * left:g}%; top: {100 * top:g}%; width: {100 * width:g}%; height: {100 * height:g}%"></a>'
        for (left, top, width, height), (address, words) in ((PLACES[part], link) for part, link in links.items())
    )
    return (
        f'<div class="bg-diagram"><img class="bg-svg" alt="{html.escape(ALT)}" '
        f'src="data:image/svg+xml;base64,{data}">{anchors}</div>'
    )
