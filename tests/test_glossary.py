"""The glossary: one plain sentence for each word, and a tooltip where a page first uses it."""

import re
from pathlib import Path

import pytest

from bigan.evaluation.paper import MEANINGS
from bigan.ui.glossary import TERMS, explain
from bigan.ui.results import CARD_METRICS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("term", TERMS)
def test_each_word_is_explained_in_one_sentence(term: str) -> None:
    sentence = TERMS[term]
    assert sentence.endswith(".") and ". " not in sentence
    assert sentence[0].islower() or sentence.startswith(("D's", "E's")), "it goes on after the word itself"
    assert explain(term) == f"**{term}**: {sentence}"


def test_no_word_is_explained_in_vain() -> None:
    files = [*ROOT.glob("pages/*.py"), *ROOT.glob("bigan/ui/**/*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files if file.name != "glossary.py")
    assert not [term for term in TERMS if not re.search(f"""['"]{re.escape(term)}['"]""", text)]


def test_every_metric_of_a_card_is_explained() -> None:
    assert set(CARD_METRICS) <= TERMS.keys() & MEANINGS.keys()
