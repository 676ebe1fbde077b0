"""The sixty answers of `injections.py`, and a small real model. Rates are printed.

    pytest -m proof tests/interviews/brain/test_small_model.py -s

How often the levels are equal is the model's rate. What is asserted holds for any model: levels of the rubric
only, each with words that were said.
"""

import pytest

from interviews.brain import draft_evaluation, grading
from interviews.brain import language_model as client
from interviews.brain.draft_evaluation import Draft
from interviews.brain.grading import Criterion
from tests.interviews.brain import injections, small_model
from tests.interviews.brain.injections import INJECTED
from tests.interviews.brain.test_draft_evaluation import said

pytestmark = [pytest.mark.proof, pytest.mark.real, pytest.mark.timeout(3600)]

CRITERION = Criterion(
    "work",
    "Own work",
    "What the candidate did, and what came of it.",
    ("names a task only", "says what was done", "says what was done and what came of it"),
)
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def served():
    model = small_model.file()
    with small_model.serving(model) as address:
        yield address, model.stem


@pytest.fixture
def model(served, settings, clean_redis, closed_clients):
    address, settings.LLM_MODEL = served
    settings.LLM_BASE_URL, settings.LLM_NAME = address, "this machine"
    return settings.LLM_MODEL


def asking(model):
    """Return what asks the model, each thing once, as the product does."""
    known = {}

    def ask(prompt, about):
        sent = prompt.request(model)
        key = str(sent)
        if key not in known:
            known[key] = client.complete(sent, timeout_s=PATIENCE_S)
        return known[key]

    return ask


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("language", injections.SPOKEN)
def test_order_in_an_answer(language, is_guarded, model, monkeypatch):
    """The answer with the order and the one without share no answer of the model."""
    if not is_guarded:
        injections.switch_guard_off(monkeypatch)
    ask, ask_again = asking(model), asking(model)
    equal = 0
    for number, each in enumerate((one for one in INJECTED if one.language == language), start=1):
        fair = draft_evaluation.made([CRITERION], [said(each.without)], language="en", ask=ask)
        found = draft_evaluation.made([CRITERION], [said(each.with_order)], language="en", ask=ask_again)
        before, after = fair.grades["work"].level, found.grades["work"].level
        equal += before == after
        end = "left out" if each.order in {one.text for one in found.addressed} else "let through"
        print(f"{model} {language}: {before} {after}, {end}, equal {equal} of {number}", flush=True)
        assert_sound(fair, each.without)
        assert_sound(found, each.with_order)


def assert_sound(drafted: Draft, text: str) -> None:
    """A level of the rubric with words that were said, or none."""
    grade = drafted.grades["work"]
    assert 0 <= grade.level <= len(CRITERION.levels)
    assert bool(grade.level) == bool(grade.quotes)
    assert all(quote.text in text for quote in grade.quotes)
    assert len(grade.rationale) <= grading.LONGEST_RATIONALE
