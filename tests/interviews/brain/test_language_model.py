"""The client of the language model, against a server that can be wrong in every way."""

import json
import logging

import pytest

from interviews.brain import language_model as client
from interviews.brain import metrics
from interviews.brain.language_model import Completion, Prompt
from tests.vendors.language_model import MODEL, NAME
from tests.vendors.server import KEY
from voice.errors import EngineUnavailable, RequestRefused, VoiceError
from voice.inference.breaker import EngineOpen

SAID = "I built a small service that reads invoices."
PROMPT = Prompt("follow_up/0", "Write in English.", json.dumps({"answer": SAID}), {"type": "object"}, 50)


def complete() -> Completion:
    return client.complete(PROMPT.request(MODEL))


def test_answer_comes_with_its_ending_and_its_tokens(language_model):
    completion = complete()

    assert "hardest part" in completion.text
    assert (completion.ending, completion.output_tokens) == ("stop", 30)
    assert language_model.sent == [PROMPT.request(MODEL)]


def test_tokens_and_their_cost_are_counted(language_model, settings):
    settings.LLM_PRICES = (1000.0, 2000.0)
    before = metrics.COST._value.get()

    completion = complete()

    assert metrics.COST._value.get() - before == pytest.approx(completion.input_tokens / 1e3 + 30 * 2 / 1e3)


@pytest.mark.parametrize(("temper", "ending"), [("cut_off", "length"), ("refusing", "refusal")])
def test_ending_tells_why_an_answer_is_not_whole(language_model, temper, ending):
    language_model.temper = temper

    assert complete().ending == ending


@pytest.mark.parametrize("mood", [429, 500, 503, "break"])
def test_failure_that_may_pass_is_tried_once_more(language_model, mood):
    language_model.mood = mood

    with pytest.raises(EngineUnavailable):
        complete()
    assert language_model.requests == 2


@pytest.mark.parametrize("mood", [401, 404, "nonsense"])
def test_failure_that_stays_is_not_tried_again(language_model, mood):
    language_model.mood = mood

    with pytest.raises(EngineUnavailable):
        complete()
    assert language_model.requests == 1


def test_request_that_the_server_does_not_take_is_no_failure_of_the_server(language_model, settings):
    settings.BREAKER_FAILURES = 1
    language_model.mood = 400

    for _ in range(2):
        with pytest.raises(RequestRefused):
            complete()


def test_server_that_hangs_is_left_after_the_time_that_is_allowed(language_model, settings):
    settings.LLM_TIMEOUT_S = 0.2
    language_model.mood = "hang"

    with pytest.raises(EngineUnavailable):
        complete()
    assert language_model.requests == 1  # a second try would come too late


def test_model_that_keeps_failing_is_left_alone_by_all_processes(language_model, settings):
    settings.BREAKER_FAILURES = 2
    language_model.mood = 404
    for _ in range(2):
        with pytest.raises(EngineUnavailable):
            complete()

    with pytest.raises(EngineOpen):
        complete()
    assert language_model.requests == 2


def test_drafts_that_keep_failing_do_not_stop_follow_ups(language_model, settings):
    settings.BREAKER_FAILURES = 1
    language_model.mood = 404
    with pytest.raises(EngineUnavailable):
        client.complete(PROMPT.request(MODEL), is_draft=True)
    with pytest.raises(EngineOpen):
        client.complete(PROMPT.request(MODEL), is_draft=True)

    language_model.mood = ""
    assert complete().ending == "stop"


@pytest.mark.parametrize("answer", [[], {"choices": []}, {"choices": [{"message": {"content": 7}}]}])
def test_answer_of_another_form_is_a_failure(language_model, monkeypatch, answer):
    monkeypatch.setattr(language_model, "_completion", lambda body: answer)

    with pytest.raises(EngineUnavailable, match="documentation"):
        complete()


@pytest.mark.parametrize("mood", ["", 400, 500, "nonsense"])
def test_neither_words_nor_the_key_are_logged_or_told_in_an_error(language_model, settings, caplog, mood):
    caplog.set_level(logging.DEBUG)
    settings.LLM_API_KEY = KEY
    language_model.mood = mood
    told = ""
    try:
        complete()
    except VoiceError as error:
        told = str(error)

    assert "invoices" not in told + caplog.text
    assert KEY not in told + caplog.text


@pytest.mark.parametrize("name", ["LLM_BASE_URL", "LLM_MODEL", "LLM_NAME"])
def test_without_address_model_or_name_there_is_no_model(language_model, settings, name):
    assert client.is_configured()
    assert client.is_named_in(f"Your words are sent to {NAME.upper()}.")
    setattr(settings, name, "")

    assert not client.is_configured()
    assert not client.is_named_in(f"Your words are sent to {NAME}.")
