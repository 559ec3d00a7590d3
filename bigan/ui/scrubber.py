"""Frames as a film: a slider that shows each frame while it moves, and a button that plays them.

All frames travel once, as one picture; nothing is asked of the server until the slider is let go. Shapes: T frames.
"""

import base64
from collections.abc import Callable, Sequence

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.pictures import mosaic, png_bytes


def show(
    frames: Float[Tensor, "T C H W"],
    *,
    words: Sequence[str],
    frame: int,
    key: str,
    on_frame: Callable[[int], None],
    scale: int,
    smooth: bool,
) -> None:
    """The film, opened at a frame.

    Args:
        frames: what G made.
        words: of each frame, said under it.
        frame: the one to show, from 0.
        key: unlike any other widget's on the page.
        on_frame: called with the frame at which the slider was let go, before the page is drawn anew.
        scale: how many times a frame is enlarged where there is room.
        smooth: enlarge smoothly.
    """
    height, width = frames.shape[-2:]
    film = mosaic(frames, len(frames), gap_px=0)

    def let_go() -> None:
        chosen = st.session_state[key].frame
        if isinstance(chosen, int) and 0 <= chosen < len(frames):
            on_frame(chosen)

    mount = st.components.v2.component("bigan.scrubber", css=_STYLE, js=_SCRIPT, isolate_styles=False)
    data = {
        "film": "data:image/png;base64," + base64.b64encode(png_bytes(film)).decode(),
        "words": tuple(words),  # in lists Streamlit looks for tables, and loads pandas (80 MB) to know one
        "frame": frame,
        "style": f"--own: {width}px; --largest: {width * scale}px; aspect-ratio: {width} / {height}; "
        f"image-rendering: {'auto' if smooth else 'pixelated'}",
    }
    mount(data=data, key=key, on_frame_change=let_go)


_STYLE = """
.bg-film { background-repeat: no-repeat; background-origin: content-box; background-clip: content-box; }
.bg-scrubber output { display: block; font-size: 0.875rem; line-height: 1.35; min-height: 2.8em; margin: 0.3rem 0; }
.bg-scrubber .bg-row { display: flex; gap: 0.8rem; align-items: center; }
.bg-scrubber input { flex: 1; min-width: 0; accent-color: var(--st-primary-color); }
.bg-scrubber button { font: inherit; color: inherit; background: none; cursor: pointer; min-width: 5.2rem;
  border: 1px solid var(--st-border-color); border-radius: 0.375rem; padding: 0.3rem 0.8rem; }
.bg-scrubber button:hover, .bg-scrubber button:focus-visible { border-color: var(--st-primary-color); }
"""

# Playing goes to the last frame and back again. While the slider is held, what the server says is not shown.
_SCRIPT = """
const FRAME_MILLISECONDS = 110;
export default function ({ data, parentElement, setTriggerValue }) {
  let box = parentElement.querySelector(".bg-scrubber");
  if (!box) {
    box = document.createElement("div");
    box.className = "bg-scrubber";
    box.innerHTML = `<div class="bg-figure"><div class="bg-frame bg-frame-generated bg-film" role="img"></div></div>
      <output></output><div class="bg-row"><button type="button">Play</button>
      <input type="range" min="0" step="1" aria-label="Frame"></div>`;
    parentElement.append(box);
  }
  const film = box.querySelector(".bg-film"), slider = box.querySelector("input");
  const button = box.querySelector("button"), output = box.querySelector("output");
  const last = data.words.length - 1;
  const show = (frame) => {
    slider.value = frame;
    film.style.backgroundPosition = `${100 * frame / last}% 0`;
    film.setAttribute("aria-label", data.words[frame]);
    slider.setAttribute("aria-valuetext", data.words[frame]);
    output.textContent = data.words[frame];
  };
  const stop = () => {
    clearInterval(box.playing);
    box.playing = undefined;
    button.textContent = "Play";
  };
  const send = () => {
    box.server = Number(slider.value);
    setTriggerValue("frame", box.server);
  };
  const isNew = box.film !== data.film;
  if (isNew) {
    box.film = data.film;
    film.style.cssText = data.style;
    film.style.backgroundImage = `url(${data.film})`;
    film.style.backgroundSize = `${100 * (last + 1)}% 100%`;
    slider.max = last;
  }
  if (!box.held && !box.playing && (isNew || box.server !== data.frame)) show(data.frame);
  else show(Math.min(Number(slider.value), last));
  box.server = data.frame;
  slider.oninput = () => { box.held = true; stop(); show(Number(slider.value)); };
  slider.onchange = () => { box.held = false; send(); };
  button.onclick = () => {
    if (box.playing) { stop(); send(); return; }
    button.textContent = "Stop";
    box.way = Number(slider.value) === last ? -1 : 1;
    box.playing = setInterval(() => {
      if (!box.isConnected) { stop(); return; }
      const end = Number(slider.max), next = Number(slider.value) + box.way;
      if (next >= end || next <= 0) box.way = next >= end ? -1 : 1;
      box.show(Math.max(0, Math.min(end, next)));
    }, FRAME_MILLISECONDS);
  };
  box.show = show;
}
"""
