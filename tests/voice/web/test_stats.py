"""/stats: the state of the speech service; /health: the process responds."""

import json

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from accounts.models import ApiKey
from tests import factories
from tests.voice.web.rest import KeyClient, body_of
from voice.capacity import shedding
from voice.inference import breaker, reports
from voice.inference.reports import EngineReport
from voice.infra.threads import in_thread
from voice.monitoring import statistics
from voice.queues import jobs

SPEECH = {"text": "Good morning."}


@pytest.fixture
def key_holder(transactional_db, clean_redis):
    return KeyClient(factories.ApiKeyFactory(scopes=[ApiKey.Scope.VOICE]).plain)


@pytest.fixture
async def api(transactional_db, clean_redis):
    """A superuser who is signed in."""
    client = AsyncClient()
    await client.aforce_login(await in_thread(factories.UserFactory)(is_superuser=True))
    yield client
    await sync_to_async(connections.close_all)()  # those of Django's session thread


async def read(api):
    response = await api.get("/stats")
    assert response.status_code == 200
    return response.json()


async def test_queues_say_how_many_wait_and_how_long(api):
    jobs.enqueue_now("tts", "voice.workers.answering.answer_call", "an-id", job_id="call-an-id")
    waiting = (await read(api))["queues"]
    assert waiting["tts"]["length"] == 1
    assert 0 <= waiting["tts"]["oldest_s"] < 60
    assert waiting["stt-batch"] == {"length": 0, "oldest_s": 0.0}


async def test_engines_and_breakers_are_told(api, clean_redis, settings):
    report = EngineReport("synthesis", "piper", "en_US-lessac-medium", "cpu", "ready")
    reports.publish([report], clean_redis)
    for _ in range(settings.BREAKER_FAILURES):
        breaker.Breaker("synthesis", "kokoro").admit().failed(ValueError())
    numbers = await read(api)
    assert (numbers["engines"][0]["engine"], numbers["engines"][0]["state"]) == ("piper", "ready")
    assert {state["engine"]: state["state"] for state in numbers["breakers"]}["kokoro"] == "open"


async def test_calls_and_cache_are_counted(api, key_holder, worker):
    before = await read(api)
    for _ in range(2):
        response = await key_holder.post("/api/tts", data=json.dumps(SPEECH), content_type="application/json")
        await body_of(response)
    after = await read(api)
    spoken = [n["calls"].get("speak", {"outcomes": {}})["outcomes"].get("ok", 0) for n in (before, after)]
    assert spoken[1] - spoken[0] == 1
    assert after["calls"]["speak"]["wait_s"]["p95"] > 0
    assert (after["cache"]["hits"], after["cache"]["misses"], after["cache"]["items"]) == (1, 1, 1)
    assert after["cache"]["hit_rate"] == 0.5


async def test_before_anything_was_counted_numbers_are_told(api, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    numbers = await read(api)
    assert (numbers["connections"], numbers["refused"], numbers["calls"]) == ({}, {}, {})


async def test_superusers_see_machines_and_failures(api, clean_redis):
    report = EngineReport("synthesis", "piper", "a voice", "cpu", "failed", last_error="No file /models/a.")
    reports.publish([report], clean_redis)
    (engine,) = (await read(api))["engines"]
    assert engine["last_error"] == "No file /models/a."
    assert {"host", "pid"} <= engine.keys()


async def test_holder_of_a_key_sees_what_is_left_and_nothing_of_others(key_holder):
    await read(key_holder)
    left = await read(key_holder)
    assert left.keys() == {"requests", "connections"}
    assert left["requests"]["limit"] - left["requests"]["remaining"] == 2
    assert left["connections"] == {"limit": 100, "open": 0}


async def test_numbers_of_the_installation_are_no_matter_of_members(api):
    member = await in_thread(factories.MembershipFactory)(role="owner")
    await api.aforce_login(member.user)
    assert (await read(api)).keys() == {"requests", "connections"}


async def test_staff_without_a_role_are_refused(api):
    await api.aforce_login(await in_thread(factories.UserFactory)())
    assert (await api.get("/stats")).status_code == 401


async def test_versions_are_told(api):
    assert {"python", "django", "av"} <= (await read(api))["versions"].keys()


async def test_without_redis_the_rest_is_told(api, monkeypatch):
    def fail(*args):
        raise redis.ConnectionError

    monkeypatch.setattr(statistics, "_queues", fail)
    numbers = await read(api)
    assert (numbers["queues"], numbers["cache"]) == (None, None)
    assert numbers["versions"]


async def test_retreat_and_what_waits_are_told(api, clean_redis):
    clean_redis.hset(shedding.KEY, "a:1", f"{int(clean_redis.time()[0])} [30, 20]")
    clean_redis.hset(shedding.KEY, "a:2", f"{int(clean_redis.time()[0])} []")
    await in_thread(factories.TranscriptFactory)(is_deferred=True)
    numbers = await read(api)
    assert numbers["retreat"]["processes"] == 2
    assert [(off["step"], off["processes"]) for off in numbers["retreat"]["off"]] == [
        ("semantic", 1),
        ("captions", 1),
    ]
    assert numbers["retreat"]["off"][0]["for_s"] >= 30
    assert numbers["transcripts_waiting"] == {"live": 0, "deferred": 1}
    assert numbers["recordings_waiting"]["count"] == 1
    assert numbers["candidates"] == {"inside": 0, "waiting": 0}


async def test_health_is_public(async_client):
    response = await async_client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
