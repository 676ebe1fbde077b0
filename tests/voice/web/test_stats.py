"""/stats: callers see what is theirs, superusers the whole service; /health: the process responds."""

import json

import pytest
import redis
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from tests import factories
from tests.voice.web.rest import body_of
from voice.callers import Caller
from voice.capacity import rate_limits, shedding
from voice.inference import breaker, reports
from voice.inference.reports import EngineReport
from voice.infra.threads import in_thread
from voice.models import Batch, BatchFile
from voice.monitoring import statistics
from voice.queues import jobs

SPEECH = {"text": "Good morning."}


@pytest.fixture
async def root(transactional_db, clean_redis):
    """A superuser's browser."""
    root = AsyncClient()
    await root.aforce_login(await in_thread(factories.UserFactory)(is_superuser=True))
    yield root
    await sync_to_async(connections.close_all)()  # those of Django's session thread


async def read(api):
    response = await api.get("/stats")
    assert response.status_code == 200
    return response.json()


async def test_caller_sees_what_is_its_own(key, api, clean_redis):
    def of_each(owner, organisation):
        batch = Batch.objects.create(owner=owner)
        for position, status in enumerate(("waiting", "done", "done")):
            BatchFile.objects.create(batch=batch, position=position, byte_count=1, status=status)
        session = factories.SessionFactory(invitation__interview__organisation=organisation)
        return session.status

    theirs = await in_thread(factories.OrganisationFactory)()
    await in_thread(of_each)(f"organisation:{theirs.pk}", theirs)
    nothing = await read(api)
    assert nothing["connections"] == nothing["cloned_voices"] == 0
    assert set(nothing["batch_files"].values()) == set(nothing["interviews"].values()) == {0}

    status = await in_thread(of_each)(f"organisation:{key.organisation_id}", key.organisation)
    async with rate_limits.connection(Caller(f"key:{key.pk}", "", "")):
        own = await read(api)
    assert own.keys() == {"connections", "batch_files", "cloned_voices", "interviews"}
    assert own["connections"] == 1
    assert own["batch_files"] == {"waiting": 1, "done": 2, "failed": 0}
    assert (own["interviews"][status], sum(own["interviews"].values())) == (1, 1)


async def test_caller_of_no_organisation_sees_its_connections(async_client, transactional_db, settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}
    assert await read(async_client) == {"connections": 0}


async def test_own_numbers_without_redis_are_null(api, monkeypatch):
    def fail(caller):
        raise redis.ConnectionError

    monkeypatch.setattr(rate_limits, "open_connections", fail)
    own = await read(api)
    assert own["connections"] is None
    assert own["batch_files"] == {"waiting": 0, "done": 0, "failed": 0}


async def test_queues_say_how_many_wait_and_how_long(root):
    jobs.enqueue_now("tts", "voice.workers.answering.answer_call", "an-id", job_id="call-an-id")
    waiting = (await read(root))["queues"]
    assert waiting["tts"]["length"] == 1
    assert 0 <= waiting["tts"]["oldest_s"] < 60
    assert waiting["stt-batch"] == {"length": 0, "oldest_s": 0.0}


async def test_engines_and_breakers_are_told(root, clean_redis, settings):
    report = EngineReport("synthesis", "piper", "en_US-lessac-medium", "cpu", "ready")
    reports.publish([report], clean_redis)
    for _ in range(settings.BREAKER_FAILURES):
        breaker.Breaker("synthesis", "kokoro").admit().failed(ValueError())
    numbers = await read(root)
    assert (numbers["engines"][0]["engine"], numbers["engines"][0]["state"]) == ("piper", "ready")
    assert {state["engine"]: state["state"] for state in numbers["breakers"]}["kokoro"] == "open"


async def test_calls_and_cache_are_counted(api, root, worker):
    before = await read(root)
    for _ in range(2):
        response = await api.post("/api/tts", data=json.dumps(SPEECH), content_type="application/json")
        await body_of(response)
    after = await read(root)
    spoken = [n["calls"].get("speak", {"outcomes": {}})["outcomes"].get("ok", 0) for n in (before, after)]
    assert spoken[1] - spoken[0] == 1
    assert after["calls"]["speak"]["wait_s"]["p95"] > 0
    assert (after["cache"]["hits"], after["cache"]["misses"], after["cache"]["items"]) == (1, 1, 1)
    assert after["cache"]["hit_rate"] == 0.5


async def test_before_anything_was_counted_numbers_are_told(root, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    numbers = await read(root)
    assert (numbers["connections"], numbers["refused"], numbers["calls"]) == ({}, {}, {})


async def test_superusers_see_machines_and_failures(root, clean_redis):
    report = EngineReport("synthesis", "piper", "a voice", "cpu", "failed", last_error="No file /models/a.")
    reports.publish([report], clean_redis)
    (seen,) = (await read(root))["engines"]
    assert (seen["host"], seen["pid"], seen["last_error"]) == (report.host, report.pid, "No file /models/a.")


async def test_versions_are_told(root):
    assert {"python", "django", "av"} <= (await read(root))["versions"].keys()


async def test_without_redis_the_rest_is_told(root, monkeypatch):
    def fail(*args):
        raise redis.ConnectionError

    monkeypatch.setattr(statistics, "_queues", fail)
    numbers = await read(root)
    assert (numbers["queues"], numbers["cache"]) == (None, None)
    assert numbers["versions"]


async def test_retreat_and_what_waits_are_told(root, clean_redis):
    clean_redis.hset(shedding.KEY, "a:1", f"{int(clean_redis.time()[0])} [30, 20]")
    clean_redis.hset(shedding.KEY, "a:2", f"{int(clean_redis.time()[0])} []")
    await in_thread(factories.TranscriptFactory)(is_deferred=True)
    numbers = await read(root)
    assert numbers["retreat"]["processes"] == 2
    assert [(off["step"], off["processes"]) for off in numbers["retreat"]["off"]] == [
        ("speculation", 1),
        ("semantic", 1),
    ]
    assert numbers["retreat"]["off"][0]["for_s"] >= 30
    assert numbers["transcripts_waiting"] == {"live": 0, "deferred": 1}
    assert numbers["recordings_waiting"]["count"] == 1
    assert numbers["candidates"] == {"inside": 0, "waiting": 0}


async def test_health_is_public(async_client):
    response = await async_client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_staff_without_a_role_are_refused(root):
    await root.aforce_login(await in_thread(factories.UserFactory)())
    assert (await root.get("/stats")).status_code == 401
