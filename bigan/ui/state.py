"""What the app remembers: the chosen checkpoint, the values in the address bar, and the links between pages.

A widget with `bind="query-params"` keeps its value in the URL, over page changes and through back and forward. A value
that no single widget holds (a source, see `sources`) sits in a hidden text field bound the same way: `kept` reads it.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import Page

from bigan import checkpoint
from bigan.checkpoint import CheckpointError, CheckpointSummary
from bigan.config import ModelConfig, Verb
from bigan.ui import address, links, pictures, theme
from bigan.ui.loaders import OpenCheckpoint

CHECKPOINT_KEY = "checkpoint"
_ROUTED_KEY, _REMEMBERED_KEY, _AT_KEY, _ASKED_KEY, _NEWEST_KEY = "routed", "remembered", "at", "asked", "newest"
_CONFIG_KEY = "config-of-chosen"  # of the model that the sidebar shows, for links
UNHEARD_SECONDS = 10.0  # for so long a browser may not have heard yet of what was changed here
PREVIEW_COLUMNS, PREVIEW_ROWS, PREVIEW_SEED = 8, 2, 0


@dataclass(frozen=True)
class _Newest:
    """A value that was just put in place of others, of which the browser may not have heard."""

    value: str | int | float
    since: float
    overwritten: frozenset[str | int | float | None]


@dataclass(frozen=True)
class PageInfo:
    """A page of the app."""

    title: str
    path: str
    url: str
    icon: str
    needs: tuple[Verb, ...] = ()
    """What a model must be able to do to be shown there."""


HOME = PageInfo("Home", "pages/home.py", "home", ":material/home:")
SAMPLE = PageInfo("Sample", "pages/sample.py", "sample", ":material/casino:", ("generate",))
RECONSTRUCT = PageInfo(
    "Reconstruct", "pages/reconstruct.py", "reconstruct", ":material/sync_alt:", ("generate", "encode")
)
INTERPOLATE = PageInfo("Walk", "pages/interpolate.py", "interpolate", ":material/timeline:", ("generate", "encode"))
WALK_URL = "walk"
MAP = PageInfo("Map", "pages/map.py", "map", ":material/scatter_plot:", ("generate", "encode"))
EDIT = PageInfo("Edit", "pages/edit.py", "edit", ":material/tune:", ("generate", "encode"))
COMPARE = PageInfo("Compare", "pages/compare.py", "compare", ":material/compare_arrows:")
RIVALS = PageInfo("Rivals", "pages/rivals.py", "rivals", ":material/groups:")
BENCHMARKS = PageInfo("Benchmarks", "pages/benchmarks.py", "benchmarks", ":material/leaderboard:")
LEARN = PageInfo("Learn", "pages/learn.py", "learn", ":material/school:")
PAGES = (HOME, SAMPLE, RECONSTRUCT, INTERPOLATE, MAP, EDIT, COMPARE, RIVALS, BENCHMARKS, LEARN)


def navigation() -> Page:
    """The page that the address asks for, with the settings and the list of all pages; called by the router."""
    st.set_page_config("BiGAN Explorer", page_icon=theme.page_icon(), layout="wide")
    st.html(theme.style_sheet())
    st.session_state[_ROUTED_KEY] = True
    pages = [st.Page(p.path, title=p.title, url_path=p.url, icon=p.icon, default=p is HOME) for p in PAGES]
    named = st.Page(_to_walk, title=INTERPOLATE.title, url_path=WALK_URL, visibility="hidden")
    page = st.navigation([*pages, named])
    _recall(page.url_path)
    return page


def _to_walk() -> None:
    """What is typed by the page's title leads to it; its links, old and new, go by `INTERPOLATE.url`."""
    st.switch_page(INTERPOLATE.path, query_params=st.query_params.to_dict())


def run(page: Page) -> None:
    """Draw the page, and remember what was chosen on it for when one comes back."""
    page.run()
    remember()


def remember() -> None:
    """Keep what the address says of the page that one is at, for when one comes back."""
    named = {key: text for key, text in st.query_params.items() if key != CHECKPOINT_KEY}
    chosen = {key: (st.session_state[key], text) for key, text in named.items() if key in st.session_state}
    st.session_state.setdefault(_REMEMBERED_KEY, {})[st.session_state.get(_AT_KEY, "")] = chosen


def _recall(url: str) -> None:
    """On arriving, put back what Streamlit took out of the address; where that names nothing, what was chosen there.

    The sidebar's links name nothing, and would not bring back what one has left.
    """
    arrived = st.session_state.get(_AT_KEY) != url
    st.session_state[_AT_KEY] = url
    if not arrived:
        return
    asked = links.asked()
    named = st.query_params.to_dict() if asked is None else dict(asked)
    st.session_state[_ASKED_KEY] = named.pop(CHECKPOINT_KEY, None if asked is None else "")
    address.arrive(named)
    st.session_state.pop(_NEWEST_KEY, None)
    remembered = st.session_state.get(_REMEMBERED_KEY, {})
    if asked is not None and links.put_back(asked):
        if links.is_step():  # what other pages have left there is not what was shown
            for key in {key for values in remembered.values() for key in values} - set(named):
                st.session_state.pop(key, None)
        st.rerun()  # widgets read the address as it is when a run begins
    if not named and remembered.get(url):
        for key, (value, text) in remembered[url].items():
            st.query_params[key] = text
            st.session_state[key] = value
        st.rerun()  # in a run that the back button began, an address without a value overrules the session


def ensure_routed() -> None:
    """Start again through the router if this run has not come through it.

    When the first address that a fresh server is asked for is that of a page, Streamlit has not seen the router yet and
    takes the folder pages/ for its older kind of app: the page runs alone.
    """
    if not st.session_state.pop(_ROUTED_KEY, False):
        navigation()
        st.rerun()


def here() -> PageInfo:
    """The page that one is at."""
    return next((page for page in PAGES if page.url == st.session_state.get(_AT_KEY)), HOME)


def current(summaries: list[CheckpointSummary] | None = None) -> OpenCheckpoint:
    """The checkpoint that the sidebar shows as chosen.

    Args:
        summaries: all checkpoints, where they have been looked for already.

    Raises:
        CheckpointError: there is none that can be opened.
    """
    found = checkpoint.summarise_checkpoints() if summaries is None else summaries
    usable = [summary for summary in found if summary.problem is None]
    if not usable:
        raise CheckpointError("No checkpoint can be opened: train one with `python -m bigan train mnist`.")
    name = st.session_state.get(CHECKPOINT_KEY)
    summary = next((summary for summary in usable if summary.name == name), usable[0])
    assert summary.config is not None
    return OpenCheckpoint(summary.name, summary.path, summary.config)


def checkpoint_picker() -> None:
    """The sidebar: the models to choose from, what the chosen one draws, and the others with their reasons.

    A model that is chosen stays so on a page that it cannot be shown on, and the page says why.
    """
    summaries = checkpoint.summarise_checkpoints()
    whole = {summary.name: summary.config for summary in summaries if summary.config is not None}
    problems = {name: config.shortcoming(*here().needs) for name, config in whole.items()}
    chosen = st.session_state.get(CHECKPOINT_KEY, st.query_params.get(CHECKPOINT_KEY))
    usable = [name for name, problem in problems.items() if problem is None or name == chosen]
    asked = st.session_state.pop(_ASKED_KEY, None)
    if usable:
        if asked == "":  # by a link or a step back that names none, and so means the first
            asked = usable[0]
        if asked in usable:  # a link may lead to a page with another model
            st.session_state[CHECKPOINT_KEY] = asked
        st.selectbox(
            "Model", usable, key=CHECKPOINT_KEY, bind="query-params", help="Which trained model all pages show."
        )
        st.session_state[_CONFIG_KEY] = current(summaries).config
        if asked and asked not in usable:
            address.note(CHECKPOINT_KEY, asked, _instead(asked, whole, summaries))
        _preview(current(summaries))
    for summary in summaries:
        if summary.problem is not None:
            st.button(
                summary.name, disabled=True, icon=":material/block:", key=f"broken-{summary.name}", help=summary.problem
            )
            st.caption(as_text(summary.problem))
    if lacking := {name: problem for name, problem in problems.items() if problem is not None and name not in usable}:
        with st.expander("Models that cannot do this", icon=":material/block:"):
            for name, problem in lacking.items():
                st.button(name, disabled=True, key=f"lacking-{name}", help=problem)
                st.caption(as_text(problem))


def _instead(asked: str, whole: Collection[str], summaries: list[CheckpointSummary]) -> str:
    """What is shown in place of a model that is not, and why."""
    if asked in whole:
        why = "that one is not for this page"
    elif any(asked == summary.name for summary in summaries):
        why = "that one cannot be opened, the sidebar says why"
    else:
        why = "no model here has that name"
    return f"{current(summaries).name}; {why}"


def _preview(chosen: OpenCheckpoint) -> None:
    if problem := chosen.config.shortcoming("generate"):
        st.caption(as_text(problem))
        return
    try:
        z = chosen.model.sample_latents(PREVIEW_COLUMNS * PREVIEW_ROWS, PREVIEW_SEED)
    except CheckpointError as error:
        st.caption(as_text(str(error)))
        return
    pictures.grid(
        chosen.model.generate(z),
        columns=PREVIEW_COLUMNS,
        kind="generated",
        alt=f"{PREVIEW_COLUMNS * PREVIEW_ROWS} samples of the model {chosen.name}",
        smooth=chosen.smooth,
        scale=2,
    )
    st.caption(f"{chosen.info.title}: {chosen.config.latent_dim} numbers make one {chosen.info.noun}.")


def as_text(text: str) -> str:
    """Text in which no character is taken for Markdown."""
    return "".join("\\" + c if c in r"\`*_{}[]()#+-.!|~$:<>" else c for c in text)


def kept(key: str, default: str) -> str:
    """A value of this page that lives in the URL as `?key=value` and is changed by `keep`; call it once a run.

    Args:
        key: the name in the URL; unlike any widget's key on the page.
        default: the value while the URL names none.
    """
    if key in st.session_state:
        st.session_state[key] = newest(key)
    with st.container(key=f"url-{key}"):
        value = st.text_input(key, key=key, bind="query-params", label_visibility="collapsed")
    return value or default


def newest(key: str) -> str:
    """A `kept` value as it was changed last, also where the browser has not heard of that; for callbacks."""
    value: str = st.session_state.get(key, "")
    if links.asked() is not None:  # by a step back, or by a link, one means the value that was before
        st.session_state.get(_NEWEST_KEY, {}).pop(key, None)
    changed = st.session_state.get(_NEWEST_KEY, {}).get(key)
    if changed is not None and value in changed.overwritten:
        in_address = st.query_params.get(key, "") == changed.value
        if in_address or time.monotonic() - changed.since < UNHEARD_SECONDS:
            return str(changed.value)
    return value


def keep(key: str, value: str | int | float) -> None:
    """Change a `kept` value, or that of a widget with this key.

    Only from a widget's callback: `st.button(..., on_click=keep, args=(key, value))`.

    With each press the browser sends the values of all widgets. One pressed before it has heard of this change still
    sends the old value, which `kept` therefore does not take for a while; a widget's own value has no such guard.
    """
    changed, now = st.session_state.setdefault(_NEWEST_KEY, {}), time.monotonic()
    before = changed.get(key)
    overwritten = before.overwritten if before is not None and now - before.since < UNHEARD_SECONDS else frozenset()
    changed[key] = _Newest(value, now, (overwritten | {st.session_state.get(key)}) - {value})
    st.session_state[key] = value


def parameters(**values: object) -> dict[str, str]:
    """Query parameters of a link within the app: these and the chosen checkpoint.

    The checkpoint that is chosen by default is in no address. Streamlit would take it out again, which makes one more
    entry of the browser's history, from which the back button leads to the same page.
    """
    named = st.query_params.get(CHECKPOINT_KEY)
    return ({CHECKPOINT_KEY: named} if named else {}) | texts(**values)


def texts(**values: object) -> dict[str, str]:
    """Values as they stand in an address."""
    return {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in values.items()}


def link(page: PageInfo, label: str, help: str | None = None, **values: object) -> None:
    """A link to another page that carries values with it, for example `source="gallery:opencv-0001"`.

    Greyed, with the reason, where the chosen model cannot be shown there.
    """
    config: ModelConfig | None = st.session_state.get(_CONFIG_KEY)
    problem = config.shortcoming(*page.needs) if config is not None and CHECKPOINT_KEY not in values else None
    st.page_link(
        page.path,
        label=label,
        icon=page.icon,
        help=problem or help,
        disabled=problem is not None,
        query_params=links.marked(parameters(**values)) if values else parameters(),
    )
