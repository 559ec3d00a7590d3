"""The ends of a walk, or the corners of a sheet: what each is, another one, and where else it may come from."""

from collections.abc import Mapping

import streamlit as st
from jaxtyping import Float
from torch import Tensor

from bigan.sources import is_local
from bigan.ui import drawing_pad, picker, pictures, preparing, state, unfamiliar, uploads
from bigan.ui.loaders import OpenCheckpoint
from bigan.ui.sources import Resolved, Sample, Upload, keep_drawing

POSITIONS = {"a": 3, "b": 7, "c": 4, "d": 8}  # of the defaults, see `sources.default_source`
WAYS = ("Gallery", "Sample", "Upload", "Draw")
SHOWN_KEY = "shown-ends"
SCALE = 4
LEAST_PX, FRAME_PX = 64, 8  # of a picture, and of its frame
WORDS_PX = 160  # of what stands beside it where there is room
LOCAL = "Your picture stays in this session: a link to this view works here only, and until the page is reloaded."


def resolve(chosen: OpenCheckpoint, letters: str, kept: Mapping[str, str]) -> dict[str, Resolved]:
    """What each end is; where that cannot be had, the reason and a default.

    Args:
        chosen: the model.
        letters: of the ends that this view has.
        kept: what the address has for each, possibly nothing.
    """
    found = {letter: picker.named(chosen, kept[letter], POSITIONS[letter]) for letter in letters}
    st.session_state[SHOWN_KEY] = {letter: str(end.source) for letter, end in found.items()}
    return found


def turn_round(letters: str) -> None:
    """The button that puts the ends that are shown, be they kept or defaults, in the opposite order."""
    a, b = letters[0].upper(), letters[-1].upper()
    label = f"Swap {a} and {b}" if len(letters) == 2 else "Turn round"
    st.button(label, icon=":material/swap_horiz:", key="swap", on_click=_turn, args=(letters,), help="The other way.")


def _turn(letters: str) -> None:
    shown = st.session_state[SHOWN_KEY]
    for letter, other in zip(letters, reversed(letters), strict=True):
        state.keep(letter, shown[other])


def take_samples(letters: str) -> None:
    """Put a sample at each end; only from a callback."""
    for letter in letters:
        state.keep(letter, str(Sample(0, POSITIONS[letter])))


def show(
    chosen: OpenCheckpoint,
    ends: Mapping[str, Resolved],
    roles: Mapping[str, str],
    answer: Float[Tensor, "1 C H W"] | None = None,
) -> None:
    """The ends in a row, each with its controls.

    Args:
        chosen: the model.
        ends: by letter.
        roles: what each is called in this view, by letter.
        answer: one more picture that was found and not chosen.
    """
    columns = st.columns(len(ends) + (answer is not None), gap="medium")
    for column, (letter, shown) in zip(columns, ends.items(), strict=False):
        with column, st.container(horizontal=True):
            words = f"{letter.upper()}, {roles[letter]}: {shown.words}"
            _picture(chosen, shown.x, shown.kind, words)
            with st.container(width=WORDS_PX, gap="small"):
                st.caption(state.as_text(f"{words}."))
                picker.another(chosen, letter, shown.source, "Another one of the same kind at random")
                choose = st.popover(
                    "Choose", icon=":material/tune:", key=f"{letter}-choose", on_change="rerun",
                    help=f"Where {letter.upper()} comes from",
                )  # fmt: skip
            if choose.open:
                with choose:
                    _choice(chosen, letter, shown)
    if answer is not None:
        with columns[-1], st.container(horizontal=True):
            words = "D, the answer: what G makes of C and the step"
            _picture(chosen, answer, "generated", words)
            with st.container(width=WORDS_PX):
                st.caption(f"{words}.")
    if any(is_local(end.source) for end in ends.values()):
        st.caption(LOCAL)
    unfamiliar.warn_of_each(chosen, {letter.upper(): end for letter, end in ends.items()})


def _picture(chosen: OpenCheckpoint, x: Float[Tensor, "1 C H W"], kind: pictures.Kind, words: str) -> None:
    with st.container(width=max(LEAST_PX, SCALE * x.shape[-1]) + FRAME_PX):
        pictures.image(x, kind=kind, alt=words, scale=SCALE, smooth=chosen.smooth)


def _choice(chosen: OpenCheckpoint, key: str, shown: Resolved) -> None:
    source = shown.source
    first = "Sample" if isinstance(source, Sample) else "Upload" if isinstance(source, Upload) else "Gallery"
    way = st.segmented_control("From", WAYS, default=first, required=True, key=f"{key}-way")
    if way == "Gallery":
        picker.gallery(chosen, key, source)
    elif way == "Sample":
        picker.sample(key, source)
    else:
        _own(chosen, key, shown, way)


def _own(chosen: OpenCheckpoint, key: str, shown: Resolved, way: str) -> None:
    source = shown.source
    place = st.container()  # above how it is prepared, which has to be known first
    mode = uploads.preparation(chosen, key, source)

    def draw(drawn: bytes | None) -> None:
        if drawn is not None:
            state.keep(key, str(keep_drawing(drawn, preparing.next_drawing(source, mode))))

    with place:
        if way == "Draw":
            drawing_pad.show(alt=f"Draw a {chosen.info.noun} here", key=f"{key}-pad", on_drawing=draw)
            if drawing_pad.drawing(f"{key}-pad") is None:
                st.markdown(state.as_text(f"Until you draw, {key.upper()} is still {shown.words}."))
            return
        uploads.uploader(chosen, key, mode)
    if found := uploads.answers(chosen, mode):
        uploads.choice(chosen, key, found, source, "The pictures of this session; press one.")
