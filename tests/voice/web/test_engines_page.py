import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import Client
from django.urls import reverse
from rq.job import Job
from rq.utils import utcformat

from tests import factories
from voice.capacity import shedding
from voice.errors import TransientFailure
from voice.inference import breaker, reports
from voice.inference.breaker import Breaker
from voice.inference.reports import EngineReport
from voice.queues import jobs
from voice.speech import cache
from voice.speech.cache import CachedSpeech
from voice.web.engines_page import STEP_MEANINGS, STEP_NAMES

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, clean_redis):
    """A function that returns the page after these engines have reported."""

    def look(*published):
        reports.publish(published, clean_redis)
        client.force_login(factories.UserFactory(is_superuser=True))
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


def test_operators_see_where_a_model_came_from_and_its_checksum(page):
    origin = {"model": "Whisper base", "source": "packages: a 1.0", "licence": "MIT", "sha256": "d01c" * 16}
    shown = page(report("faster_whisper", "ready", origins=[origin]))
    for told in origin.values():
        assert told in shown


def test_recruiters_do_not_see_where_a_model_came_from(client, clean_redis):
    origin = {"model": "Whisper base", "source": "put there by hand: /srv", "licence": "", "sha256": ""}
    reports.publish([report("faster_whisper", "ready", origins=[origin])], clean_redis)
    client.force_login(factories.MembershipFactory(role="recruiter").user)
    assert "/srv" not in client.get(reverse("speech-engines")).content.decode()


@pytest.mark.parametrize("state", ["ready", "standby", "loading", "unavailable", "stuck"])
def test_every_state_is_explained(page, state):
    from voice.web.engines_page import STATE_MEANINGS

    assert str(STATE_MEANINGS[state]) in page(report("piper", state, direction="synthesis"))


def test_every_queue_is_explained(page):
    shown = page()
    for name in settings.QUEUE_NAMES:
        assert f"({name})" in shown


# Queues and load shedding


def test_first_job_says_for_how_long_it_has_waited(page, clean_redis):
    clean_redis.rpush(jobs.key("stt"), "a-job")
    queued_at = utcformat(datetime.now(UTC) - timedelta(seconds=90))
    clean_redis.hset(Job.key_for("a-job"), "enqueued_at", queued_at)
    assert re.search(r"recordings to recognise .*, the first for (9|10|11)\d seconds", page())


def test_what_waits_in_the_database_is_counted(page):
    for is_deferred in (True, True, False):
        factories.TranscriptFactory(is_deferred=is_deferred)
    shown = page()
    assert "<strong>2</strong> transcripts put off under load" in shown
    assert "<strong>1</strong> transcripts not made yet" in shown
    assert "<strong>3</strong> recordings not stored yet" in shown


def test_nothing_off_is_good(page, clean_redis):
    told(clean_redis, "a:1", [])
    assert "Nothing is off in the 1 web process" in page()


def test_nobody_connected_is_no_load(page):
    assert "No candidate has been connected lately" in page()


def test_every_step_that_is_off_is_explained(page, clean_redis):
    told(clean_redis, "a:1", [60, 50, 40, 30, 20, 10])
    told(clean_redis, "a:2", [5])
    shown = page()
    for step in shedding.Step:
        assert str(STEP_NAMES[step]) in shown
        assert str(STEP_MEANINGS[step]) in shown
    assert shown.count("1 of 2") == len(shedding.Step) - 1
    assert shown.count("2 of 2") == 1


def told(client, process, off_s):
    client.hset(shedding.KEY, process, f"{int(client.time()[0])} {json.dumps(off_s)}")


def test_last_resort_voice_is_named_without_its_texts(page):
    row = factories.SpeechFactory(
        ready=True, is_last_resort=True, engine_voice="espeak:hi", language="hi", text="A secret question"
    )
    shown = page()
    assert row.engine_voice in shown
    assert "last-resort voice" in shown
    assert "A secret question" not in shown


# Breakers


@pytest.fixture
def paused(clean_redis):
    """A function that opens the breaker of an engine."""

    def fail(engine, direction="recognition"):
        seen = Breaker(direction, engine)
        for _ in range(5):
            seen.admit().failed(TransientFailure("The vendor answered 503."))
        return seen

    return fail


def test_paused_engine_says_when_it_is_tried_again_and_why(page, paused):
    paused("faster_whisper")

    shown = page(report("faster_whisper", "ready"), report("pocketsphinx", "standby"))

    assert re.search(r"left alone\. Next try in (5\d|60) seconds\.", shown)
    assert "The vendor answered 503." in shown
    assert "pocketsphinx serves, because faster_whisper does not." in shown
    assert shown.count("again now") == 1


def test_all_engines_paused_is_said(page, paused):
    for engine in ("faster_whisper", "pocketsphinx"):
        paused(engine)

    assert "Every engine kept failing" in page(report("faster_whisper", "ready"))


def test_engine_on_trial_says_how_many_tries_went_well(page, paused, clean_redis):
    seen = paused("piper", "synthesis")
    clean_redis.pexpire(breaker.keys_of("synthesis", "piper")[1], 0)
    seen.admit().succeeded()

    assert "1 of 2 tries went well" in page()


def test_engine_that_failed_now_and_then_is_not_paused(page):
    Breaker("synthesis", "piper").admit().failed(TransientFailure("Busy."))

    shown = page()

    assert "1 failed call since the last good one. The last failure: Busy." in shown
    assert "again now" not in shown


def test_reset_lets_the_engine_be_called_at_once(client, page, paused):
    seen = paused("piper", "synthesis")
    page()

    shown = client.post(reverse("speech-engines"), {"reset": "synthesis:piper"}, follow=True).content.decode()

    assert "piper is called again from now on." in shown
    assert seen.state().name == "closed"


@pytest.mark.parametrize("name", ["", "synthesis", "synthesis:gone", "elsewhere:piper"])
def test_reset_of_an_engine_that_is_not_there_is_refused(client, page, name):
    page()

    shown = client.post(reverse("speech-engines"), {"reset": name}, follow=True).content.decode()

    assert "There is no such engine any more." in shown


def test_reset_needs_a_token_of_the_page(page, paused):
    seen = paused("piper", "synthesis")
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.UserFactory(is_superuser=True))

    assert client.post(reverse("speech-engines"), {"reset": "synthesis:piper"}).status_code == 403
    assert seen.state().name == "open"


def test_reset_is_for_superusers(client, paused):
    seen = paused("piper", "synthesis")

    assert client.post(reverse("speech-engines"), {"reset": "synthesis:piper"}).status_code == 302
    client.force_login(factories.MembershipFactory(role="owner").user)
    assert client.post(reverse("speech-engines"), {"reset": "synthesis:piper"}).status_code == 403
    assert seen.state().name == "open"


def test_members_see_whether_engines_work_and_nothing_of_the_installation(client, clean_redis, paused):
    paused("piper", "synthesis")
    failing = report("faster_whisper", "unavailable", last_error="No file /models/a.")
    reports.publish([failing, report("pocketsphinx", "ready")], clean_redis)
    client.force_login(factories.MembershipFactory(role="reviewer").user)
    shown = client.get(reverse("speech-engines")).content.decode()

    assert "pocketsphinx serves, because faster_whisper does not." in shown
    assert not any(told in shown for told in ("node-1", "/models/a", 'name="reset"', "stt-later", " MB"))


def test_users_without_a_role_are_refused(client, clean_redis):
    client.force_login(factories.UserFactory())

    assert client.get(reverse("speech-engines")).status_code == 403


def test_cache_is_told_in_figures(page, settings):
    settings.SPEECH_CACHE_MB = 256.0
    cache.put("a", CachedSpeech(b"x" * 2_500_000))
    for key in ("a", "a", "a", "b"):
        async_to_sync(cache.get)(key)

    shown = page()

    assert "<strong>1</strong> text" in shown
    assert "<strong>2.5 MB</strong> of 256 MB" in shown
    assert "<strong>75 %</strong> of requests" in shown


def test_redis_away_is_said(client, monkeypatch):
    import redis

    def gone(*args):
        raise redis.ConnectionError

    monkeypatch.setattr(reports, "current", gone)
    monkeypatch.setattr("voice.queues.waits.read", gone)
    monkeypatch.setattr(cache, "statistics", gone)
    client.force_login(factories.UserFactory(is_superuser=True))
    assert "Redis cannot be reached" in client.get(reverse("speech-engines")).content.decode()


def test_page_is_for_staff(client):
    assert client.get(reverse("speech-engines")).status_code == 302
