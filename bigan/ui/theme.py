"""The colours of the app, one meaning each, in light and dark, and the style sheet made of them."""

import base64
from dataclasses import dataclass, fields

import streamlit as st

from bigan.pictures import CLASS_COLOURS


@dataclass(frozen=True)
class Colours:
    """One colour per meaning. No meaning hangs on colour alone: see `pictures` and `charts`."""

    real: str
    """A real image x."""
    generated: str
    """What G made."""
    latent: str
    """z, and E's output."""
    opinion: str
    """D's opinion."""
    off_prior: str
    """Outside the prior, and warnings of honesty."""
    on_opinion: str
    """Words on a button or a tag of Streamlit's, which are in D's colour, or on the dark page near it."""
    paper: str
    ink: str
    faint: str
    """Axes and rules."""
    classes: tuple[str, ...]
    """Ten classes: Paul Tol's muted scheme and ink."""


# The two darkest of the muted scheme and its deep red are lifted for the dark page, where they would drown.
_MUTED_ON_DARK = ("#8C7FE8", "#88CCEE", "#44AA99", "#3FA35C", "#B3B34D", "#DDCC77", "#E08796", "#C75A90", "#C97BC4")

LIGHT = Colours(
    "#1F5FA8", "#B4540A", "#0B7A6F", "#6B46B8", "#A3266B", "#FFFFFF", "#FBFAF7", "#1B2026", "#D8D3C8", CLASS_COLOURS
)
DARK = Colours(
    "#7FB2F0", "#F2A65A", "#5CC8BB", "#B79CF0", "#F08CC0", "#12161B", "#12161B", "#E8E6E1", "#333B45",
    (*_MUTED_ON_DARK, "#E8E6E1"),
)  # fmt: skip


def is_dark() -> bool:
    """Whether this session shows the dark theme."""
    return bool(st.context.theme.type == "dark")


def colours() -> Colours:
    """The colours of the theme this session shows, for charts drawn on the server."""
    return DARK if is_dark() else LIGHT


def css_colour(name: str) -> str:
    """A colour that follows the theme by itself, for HTML and SVG.

    Args:
        name: a field of `Colours` that holds one colour.
    """
    return f"light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)})"


def page_icon() -> str:
    """Two arrows, there and back, as a data address: a named Material icon would be fetched from the network."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-width="4" '
        f'stroke-linecap="round" stroke-linejoin="round"><path stroke="{LIGHT.latent}" d="M5 11h20l-6-6"/>'
        f'<path stroke="{LIGHT.generated}" d="M27 21H7l6 6"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def style_sheet() -> str:
    """The app's own rules, as one `<style>` element; all its classes begin with bg-."""
    single = [f.name for f in fields(Colours) if f.name != "classes"]
    colour_rules = "".join(f".bg-{name} {{ color: {css_colour(name)}; }}\n" for name in single)
    variables = " ".join(f"--bg-{name}: {css_colour(name)};" for name in single)  # for the components' style sheets
    return f"<style>:root {{ {variables} }}\n{colour_rules}{_RULES}</style>"


_RULES = f"""
.stMainBlockContainer {{ padding-top: 3rem; max-width: 1240px; }}
@media (max-width: 768px) {{ .stMainBlockContainer {{ padding-top: 4.5rem; }} }}
[class*="st-key-url-"] {{ display: none; }}
.bg-path {{ font-family: "Source Serif", "Source Serif 4", Georgia, serif; font-size: 1.05rem; line-height: 1.7;
  display: flex; flex-wrap: wrap; column-gap: 2.2rem; padding-bottom: 0.35rem;
  border-bottom: 1px solid {css_colour("faint")}; }}
.bg-path span {{ white-space: nowrap; }}
.bg-path i {{ font-style: italic; font-weight: 600; }}
.bg-path .bg-off {{ opacity: 0.65; color: inherit; }}
.stApp [data-testid="stCaptionContainer"] {{ opacity: 0.8; }}
.stApp button kbd {{ opacity: 1; }}
.stApp [data-testid="stBaseButton-primary"], .stApp .stMultiSelect span[title] {{ color: {css_colour("on_opinion")}; }}
.bg-figure {{ margin: 0 0 0.5rem 0; max-width: 100%; container-type: inline-size; }}
.bg-figure figcaption {{ font-size: 0.875rem; line-height: 1.35; margin-top: 0.3rem; max-width: 34rem; }}
.bg-frame {{ position: relative; display: block; box-sizing: content-box; padding: 2px; --room: calc(100cqw - 8px);
  width: max(min(var(--room), var(--own)),
    round(down, min(var(--room), var(--largest)), calc(var(--own) / var(--steps, 1)))); }}
@media (min-resolution: 2dppx) {{ .bg-frame {{ --steps: 2; }} }}
.bg-frame img {{ display: block; width: 100%; height: auto; }}
.bg-crisp img {{ image-rendering: pixelated; }}
.bg-frame-real {{ border: 2px solid {css_colour("real")}; }}
.bg-frame-generated {{ border: 2px dashed {css_colour("generated")}; }}
.bg-frame-plain {{ border: 2px solid transparent; }}
.bg-cells {{ position: absolute; inset: 2px; display: grid; }}
.bg-pair {{ display: flex; flex-wrap: wrap; gap: 0.75rem; }}
.bg-pair > div {{ flex: 1 1 9rem; max-width: 11.5rem; }}
.bg-crop {{ position: absolute; inset: 2px; overflow: hidden; }}
.bg-crop i {{ position: absolute; outline: 2px solid {css_colour("opinion")}; box-shadow: 0 0 0 200vmax #0009; }}
.bg-svg {{ display: block; width: 100%; height: auto; }}
.bg-big {{ font-size: 1.25rem; line-height: 1.45; margin: 0.2rem 0 0.6rem 0; }}
.bg-card {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: 0.9rem;
  margin: 0.4rem 0 0.8rem 0; }}
.bg-diagram {{ position: relative; max-width: 960px; margin: 0 auto; }}
.bg-diagram a {{ position: absolute; border-radius: 6px; }}
.bg-diagram a:hover, .bg-diagram a:focus-visible {{ outline: 2px solid {css_colour("opinion")}; }}
.bg-card div {{ border-top: 3px solid {css_colour("latent")}; padding-top: 0.4rem; }}
.bg-card strong {{ font-size: 1.7rem; font-weight: 600; display: block; line-height: 1.2; }}
.bg-card small {{ font-size: 0.875rem; display: block; }}
.bg-lanes {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(var(--lane), 1fr));
  gap: 1.1rem 1rem; }}
.bg-lane {{ border-top: 3px solid {css_colour("generated")}; padding-top: 0.3rem; min-width: 0; }}
.bg-lane-real {{ border-color: {css_colour("real")}; }}
.bg-lane h3 {{ font-size: 1.05rem; font-weight: 600; padding: 0; margin: 0; overflow-wrap: anywhere; }}
.bg-lane small {{ display: block; font-size: 0.875rem; line-height: 1.35; margin-bottom: 0.4rem; }}
.bg-lane p {{ font-size: 0.875rem; line-height: 1.4; margin: 0 0 0.4rem 0; }}
.bg-lane .bg-lacks {{ border-left: 3px solid {css_colour("faint")}; padding-left: 0.5rem; font-style: italic; }}
.bg-lane-lacking {{ border-color: {css_colour("faint")}; }}
.bg-lane-lacking h3, .bg-lane-lacking small {{ opacity: 0.75; }}
.bg-marks {{ position: absolute; inset: 2px; }}
.bg-marks span {{ position: absolute; transform: translate(-50%, -50%); min-width: 1.15rem; height: 1.15rem;
  border-radius: 1rem; text-align: center; font-size: 0.72rem; line-height: 1rem; font-weight: 600;
  color: {css_colour("ink")}; background: {css_colour("paper")}; border: 1px solid {css_colour("ink")}; }}
.bg-marks .bg-mark-x {{ color: {css_colour("paper")}; background: {css_colour("real")}; z-index: 1; }}
.bg-scroll {{ overflow-x: auto; max-width: 100%; margin-bottom: 0.8rem; }}
.bg-table {{ border-collapse: collapse; font-size: 0.875rem; line-height: 1.35; font-variant-numeric: tabular-nums; }}
.bg-table caption {{ text-align: left; padding-bottom: 0.4rem; }}
.bg-table th, .bg-table td {{ text-align: left; vertical-align: top; padding: 0.3rem 0.9rem 0.3rem 0;
  border-bottom: 1px solid {css_colour("faint")}; min-width: 3.5rem; }}
.bg-table th {{ font-weight: 600; }}
"""
