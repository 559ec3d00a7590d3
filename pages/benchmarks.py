"""Benchmarks: the paper's Table 1 as it was measured here, and the digits on which two of its rows disagree."""

import streamlit as st

from bigan.data import DATASETS
from bigan.evaluation.paper import OFFICIAL_LOG, TABLE_1
from bigan.evaluation.rows import REFERENCE, ROWS
from bigan.evaluation.table1 import Table1
from bigan.ui import address, attempts, benchmarks, charts, disagreements, page, results, state, tables, theme
from bigan.ui.benchmarks import Line
from bigan.ui.disagreements import SHOWN, WHICH
from bigan.ui.glossary import explain
from bigan.ui.loaders import OpenCheckpoint

CURVES_FROM, CURVES_HEIGHT_PX = 95.0, 520  # per cent: the first epochs dip far below, and the rows differ above
TABLE_DATASET = "mnist"  # the paper has its Table 1 for no other
WHY = r"""
**What is measured.** Each test digit gets the label of its nearest training digit, in Euclidean distance between
features. No label is used to learn the features (but in the row *With labels*, where the same network is told the
classes), so the accuracy says how well a model has sorted digits by itself. The terms of the *Extended BiGAN*, and the
error and code of the autoencoders, which the paper does not tell, were chosen on training digits held out for that, the
former by their labels; everything else follows the paper's settings.

**The rows.** The paper compares a BiGAN's $E$ with the discriminator of a standard GAN (D), an encoder trained to
invert a GAN's generator (LR; JLR where the generator helps), and autoencoders; all with the same networks and
optimiser. For LR it has one figure: its text trains that encoder after the GAN, the authors' code beside it, and here
both are rows. The other rows are ours, and some of them surprisingly strong: the pixels themselves, their principal
components, and an encoder that was never trained.

**The interval** (Wilson, 95 %) is how far chance in the choice of the test digits can carry an accuracy. It does not
hold the chance of another training: for that, several seeds have to be trained.

**McNemar's test** asks the sharper question, since all rows answer the same digits: among those that only one of two
rows got right, is the split more uneven than a fair coin would make it? Of many comparisons some come out small by
chance: of ten between equals, one $p$ below 0.1 is to be expected.

Donahue et al. 2017, section 4.2 and Table 1; McNemar 1947.
"""


def draw(chosen: OpenCheckpoint) -> None:
    """The page below its head."""
    found = benchmarks.table()
    shown = benchmarks.lines(found)
    if chosen.config.dataset != TABLE_DATASET:
        _not_in_the_table(chosen)
    page.finding(benchmarks.finding(shown))
    benchmarks.plot(shown, key="table1")
    _caption(found)
    tables.show(benchmarks.HEADER, [benchmarks.cells(line) for line in shown],
                caption="1-nearest-neighbour accuracy, row by row")  # fmt: skip
    st.header("Over the epochs", anchor=False)
    _curves(shown)
    st.header("Where two disagree", anchor=False)
    measured = [line for line in shown if line.measured is not None]
    if found is not None and len(measured) > 1:
        _disagreements(found, measured)
    else:
        st.markdown("As soon as two rows are measured, the digits on which they disagree stand here.")
    _beyond()
    st.header("Measure it again", anchor=False)
    _again(found, measured)


def _not_in_the_table(chosen: OpenCheckpoint) -> None:
    """What is known of a model of other data, in place of a row that the paper does not have."""
    table, own = DATASETS[TABLE_DATASET].title, chosen.info.title
    st.info(
        f"This table is about {table}; the paper has none for {own}, on which the model in the sidebar, "
        f"{state.as_text(chosen.name)}, was trained. What was measured of that model:",
        icon=":material/info:",
    )
    metrics = chosen.metrics
    if metrics is None:
        st.markdown(f"Nothing yet: `python -m bigan evaluate {chosen.name}` does that.")
        return
    page.cards(results.cards(metrics, chosen))
    st.caption(results.protocol_words(metrics), help=explain(*results.card_terms(metrics)))


def _caption(found: Table1 | None) -> None:
    if found is None:
        command = benchmarks.command(None)
        st.markdown(f"Nothing has been measured here yet: `{command}` does it, and this page then reads its result.")
        return
    settings, spread = found.settings, found.to_dict()["spread"]
    held_out = "test digits" if settings["protocol"] == "test" else "held-out digits"
    text = (
        f"{settings['num_queries']:,} {held_out} against {settings['num_references']:,} training digits of "
        f"{settings['dataset']}, {settings['epochs']} epochs. Paper: {TABLE_1}. Log: {OFFICIAL_LOG}, on 10,000 digits "
        "held out of the training set; of an untrained E, epoch 0."
    )
    if spread:
        text += (
            f" Over {len(spread['seeds'])} seeds the BiGAN has {spread['mean']:.2f} % on average, with a standard "
            f"deviation of {spread['standard_deviation']:.2f} points."
        )
    st.caption(state.as_text(text), help=explain("NNC_e-", "NNC_e", "McNemar's p"))


def _curves(shown: list[Line]) -> None:
    found = benchmarks.curves(shown)
    if found.series:
        c = theme.colours()
        paper = next((line.paper for line in shown if line.name == REFERENCE), None)
        charts.curves(
            found.epochs,
            found.series,
            dict(zip(found.series, (c.latent, *c.classes), strict=False)),
            x_title="epoch",
            y_title="1-NN accuracy, %",
            alt=f"Accuracy over the epochs of {', '.join(found.series)}.",
            key="epochs",
            references={} if paper is None else {"the paper's BiGAN": paper},
            from_y=CURVES_FROM,
            height_px=CURVES_HEIGHT_PX,
        )
        st.caption(
            "Measured while training, on the digits of the table, with batch-norm statistics of fewer batches than "
            "the table's figures. Epoch 0 is the untrained network: random features keep digits apart rather well. "
            f"What is below {CURVES_FROM:g} % stands in the table alone."
        )
    if found.missing:
        st.caption(f"There is no record of the training here for: {', '.join(found.missing)}.")


@page.part
def _disagreements(found: Table1, measured: list[Line]) -> None:
    """Two rows on the same digits."""
    titles = {line.name: line.title for line in measured}
    left, right = st.columns(2)
    first = left.selectbox(
        "First", list(titles), format_func=address.names("first", titles), key="first", bind="query-params"
    )
    second = right.selectbox(
        "Second", list(titles), 1, format_func=address.names("second", titles), key="second", bind="query-params"
    )
    if first == second:
        st.markdown("A row agrees with itself on every digit: choose another one.")
        return
    pair = (titles[first], titles[second])
    st.markdown(state.as_text(disagreements.verdict(found, first, second, pair)))
    asked = disagreements.ask(found, {first: titles[first], second: titles[second]})
    if asked.words:
        within = disagreements.verdict(asked.found, first, second, pair) if asked.gallery is not None else ""
        st.markdown(f"{asked.words} {state.as_text(within)}")
    which = st.segmented_control(
        "Digits where", list(WHICH), default="first", required=True, format_func=address.names("which", WHICH),
        key="which", bind="query-params",
    ) or "first"  # fmt: skip
    count = len(disagreements.positions(asked.found, first, second, which))
    if not count:
        st.markdown(_none_such(asked.found, first, second))
        return
    most = -(-count // SHOWN)
    number = 1
    if most > 1:
        if "part" in st.session_state:  # of another choice, which may have had more
            st.session_state["part"] = min(int(st.session_state["part"]), most)
        label = f"Page of {count:,} digits, 1 to {most}"
        number = int(st.number_input(label, 1, most, step=1, key="part", bind="query-params", width=240))
    disagreements.show(asked, first, second, pair, which, number)


def _none_such(found: Table1, first: str, second: str) -> str:
    """That there is nothing to show, and which of the other choices has something."""
    counts = {words: len(disagreements.positions(found, first, second, which)) for which, words in WHICH.items()}
    some = " or ".join(f"“{words}” ({count:,})" for words, count in counts.items() if count)
    return f"There is no such digit. Choose {some or 'another row: these two answer every digit alike'}."


@page.part
def _beyond() -> None:
    """What was tried for the recipe that is not the paper's."""
    tried = attempts.attempts()
    if not tried:
        return
    st.header("Beyond the table", anchor=False)
    st.markdown(
        f"`{attempts.RECIPE}` is a recipe of ours, the row “{ROWS['best'].title}”: a BiGAN with terms that the paper "
        "does not have, a higher learning rate, larger batches and fewer epochs. What was tried for it, on digits held "
        "out of the training set; the test set played no part.",
        help=explain("EGr/EGr_b", "NND", "JD"),
    )
    st.markdown(state.as_text(attempts.finding(tried)))
    tables.show(
        attempts.HEADER, [attempts.cells(one) for one in tried], caption=f"What was tried for {attempts.RECIPE}"
    )
    charts.table_twin(
        lambda: {"what was tried": [one.why for one in tried], "trained by": [one.command for one in tried]},
        "Each attempt's command",
        icon=":material/terminal:",
    )
    st.caption(
        f"`{attempts.COMMAND}` trains, into a folder RUNS, those that are not in `results/{attempts.FILE}` yet, and "
        "adds them; without that file, all of them."
    )


def _again(found: Table1 | None, measured: list[Line]) -> None:
    st.code(benchmarks.command(found), language="bash", wrap_lines=True)
    st.markdown(
        "It trains models that are missing, goes on with what was interrupted, measures the rows that are not in "
        "`results/table1.json` yet and adds them; this page reads that file. To measure the shipped models yourself, "
        "add `--out mine.json`. `--epochs 2` tries all of it in minutes, into a file of its own. "
        f"{benchmarks.cost(measured)}"
    )
    charts.table_twin(
        lambda: {
            "row": [line.title for line in measured],
            "measured by": [(line.measured or {})["evaluation"]["command"] for line in measured],
            "trained by": [((line.measured or {})["training"] or {}).get("command", "") for line in measured],
            "seed": [(line.measured or {})["seed"] for line in measured],
            "processor": [(line.measured or {})["evaluation"]["processor"] for line in measured],
            "threads in training": [((line.measured or {})["training"] or {}).get("threads") for line in measured],
            "weights": [((line.measured or {})["weights_sha256"] or "")[:12] for line in measured],
        },
        "Each row's command, seed and machine",
        icon=":material/terminal:",
    )
    with st.container(horizontal=True):
        state.link(state.RIVALS, "Try the rivals on an image", "One image through every model that is here")
        state.link(state.COMPARE, "Compare two of them", "Two models side by side")


page.show(
    draw,
    title="Benchmarks",
    sentence="The paper's Table 1, on MNIST's handwritten digits, measured again: how well a nearest neighbour sorts "
    "them by what each method learned without labels.",
    lit=("x", "E"),
    why=WHY,
)
