import pytest
from django.conf import settings
from django.urls import reverse

from tests import factories
from voice import engine_reports
from voice.engine_reports import EngineReport

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, clean_redis):
    """A function: the page, after these engines have reported."""

    def look(*reports):
        engine_reports.publish(reports, clean_redis)
        client.force_login(factories.UserFactory())
        return client.get(reverse("speech-engines")).content.decode()

    return look


def report(engine, state, direction="recognition", **fields):
    return EngineReport(direction, engine, "base", "cpu", state, host="node-1", pid=7, **fields)


def test_no_worker_says_what_to_do(page):
    assert "No worker is running. Start the workers" in page()


def test_first_engine_serving_is_good(page):
    shown = page(report("faster_whisper", "ready"), report("pocketsphinx", "standby"))
    assert "faster_whisper serves." in shown
    assert "It takes over when those before it cannot serve" in shown
    assert "node-1, 7" in shown


def test_fallback_serving_says_why(page):
    error = "The hub did not answer: set WHISPER_MODEL to a directory."
    shown = page(report("faster_whisper", "unavailable", last_error=error), report("pocketsphinx", "ready"))
    assert "pocketsphinx serves, because faster_whisper does not." in shown
    assert error in shown


@pytest.mark.parametrize("state", ["ready", "standby", "loading", "unavailable", "stuck"])
def test_every_state_is_explained(page, state):
    from voice.admin import STATE_MEANINGS

    assert str(STATE_MEANINGS[state]) in page(report("piper", state, direction="synthesis"))


def test_every_queue_is_explained(page):
    shown = page()
    for name in settings.QUEUE_NAMES:
        assert f"({name})" in shown


def test_last_resort_voice_is_named_without_its_texts(page):
    row = factories.SpeechFactory(
        ready=True, is_last_resort=True, engine_voice="espeak:hi", language="hi", text="A secret question"
    )
    shown = page()
    assert row.engine_voice in shown
    assert "last-resort voice" in shown
    assert "A secret question" not in shown


def test_redis_away_is_said(client, monkeypatch):
    import redis

    def gone(*args):
        raise redis.ConnectionError

    monkeypatch.setattr(engine_reports, "current", gone)
    monkeypatch.setattr("voice.queues.length", gone)
    client.force_login(factories.UserFactory())
    assert "Redis cannot be reached" in client.get(reverse("speech-engines")).content.decode()


def test_page_is_for_staff(client):
    assert client.get(reverse("speech-engines")).status_code == 302
