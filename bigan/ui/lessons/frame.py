"""The frame of the lessons: which one, which screen of it, on and back, and how far one has come in this session."""

import streamlit as st

from bigan.ui import address, assets, state
from bigan.ui.glossary import explain
from bigan.ui.lessons import discriminator, inverse, line, maps, reconstruction
from bigan.ui.lessons.lesson import Lesson
from bigan.ui.loaders import OpenCheckpoint

LESSONS: dict[str, Lesson] = {
    lesson.name: lesson
    for lesson in (discriminator.LESSON, inverse.LESSON, reconstruction.LESSON, line.LESSON, maps.LESSON)
}
LESSON_KEY, SCREEN_KEY = "lesson", "screen"
_DONE_KEY, _PICK_KEY = "lessons-done", "pick-lesson"
ON, BACK = "Shift+Right", "Shift+Left"


def show(chosen: OpenCheckpoint) -> None:
    """The lesson and the screen that the address names."""
    with st.container(gap=None):
        lesson, number = _asked()
        _lessons(lesson)
        turning = st.container(gap=None)  # above all that changes, so that it stays one and the same
    screen = lesson.screens[number]
    st.header(lesson.title, anchor=False, help=explain(*lesson.terms) or None)
    if problem := lesson.shortcoming(chosen):
        st.info(
            f"{state.as_text(problem)} Choose another model in the sidebar for this lesson.", icon=":material/info:"
        )
    else:
        st.subheader(f"{number + 1} of {len(lesson.screens)}: {screen.title}", anchor=False)
        if screen.draw(chosen):
            _done().add((lesson.name, number))
    _ways(lesson, number)
    with st.expander("The formulae, and where they come from", icon=":material/menu_book:"):
        st.markdown(lesson.why)
    with turning:
        assets.mount("turn", {"screen": f"{lesson.name}-{number}"}, key="turn")


def _asked() -> tuple[Lesson, int]:
    """What the address names, or the first lesson and screen where it names none that there is."""
    name, text = state.kept(LESSON_KEY, ""), state.kept(SCREEN_KEY, "1")
    lesson = LESSONS.get(name) or next(iter(LESSONS.values()))
    number = int(text) - 1 if text.isascii() and text.isdigit() and len(text) < 4 else -1
    if name and name not in LESSONS:
        address.note(LESSON_KEY, name, lesson.name)
    if not 0 <= number < len(lesson.screens):
        address.note(SCREEN_KEY, text, "1")
        number = 0
    return lesson, number


def _done() -> set[tuple[str, int]]:
    """Lessons and screens that are finished in this session."""
    done: set[tuple[str, int]] = st.session_state.setdefault(_DONE_KEY, set())
    return done


def _is_done(lesson: Lesson) -> bool:
    return all((lesson.name, i) in _done() for i in range(len(lesson.screens)))


def _go(lesson: Lesson, number: int) -> None:
    state.keep(LESSON_KEY, lesson.name)
    state.keep(SCREEN_KEY, str(number + 1))


def _lessons(lesson: Lesson) -> None:
    """All lessons as buttons; a tick on those that are finished."""
    st.session_state[_PICK_KEY] = lesson.name

    def label(name: str) -> str:
        tick = ":material/check: " if _is_done(LESSONS[name]) else ""
        return f"{tick}{list(LESSONS).index(name) + 1}. {LESSONS[name].short}"

    st.segmented_control(
        "Lesson", list(LESSONS), required=True, format_func=label, key=_PICK_KEY, label_visibility="collapsed",
        on_change=lambda: _go(LESSONS[st.session_state[_PICK_KEY]], 0),
    )  # fmt: skip


def _ways(lesson: Lesson, number: int) -> None:
    """Back and on, through all screens of all lessons."""
    every = [(one, i) for one in LESSONS.values() for i in range(len(one.screens))]
    at = every.index((lesson, number))
    with st.container(horizontal=True, vertical_alignment="center"):
        _way("Back", every[at - 1] if at else None, lesson, BACK, "This is the first screen.")
        _way("Next", every[at + 1] if at + 1 < len(every) else None, lesson, ON, "This was the last screen.")
        finished = sum(map(_is_done, LESSONS.values()))
        st.caption(f"{finished} of {len(LESSONS)} lessons finished in this session.")


def _way(label: str, target: tuple[Lesson, int] | None, lesson: Lesson, shortcut: str, end: str) -> None:
    elsewhere = target is not None and target[0] is not lesson
    st.button(
        f"{'Next' if label == 'Next' else 'Previous'} lesson" if elsewhere else label,
        key=f"way-{label}",
        type="primary" if label == "Next" else "secondary",
        icon=":material/arrow_forward:" if label == "Next" else ":material/arrow_back:",
        disabled=target is None,
        help=end if target is None else None,
        shortcut=shortcut,
        on_click=_go,
        args=target,
    )
