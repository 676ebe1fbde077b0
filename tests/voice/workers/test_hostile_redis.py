"""Whoever can write to Redis runs nothing: pickles and jobs that are not ours, under every key there is."""

import asyncio
import base64
import json
import logging
import pickle
import re
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django_rq.cron import DjangoCronScheduler
from rq import Queue, Worker, serializers
from rq.cron import CronScheduler
from rq.job import Job
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)

from tests import factories
from tests.conftest import ROOT
from tests.faults.waiting import wait_for
from tests.voice.conftest import QUEUES
from voice.infra import redis_clients
from voice.queues import calls, jobs
from voice.queues.listed_jobs import Json, ListedJob, NotOurs
from voice.service import synthesis
from voice.service.requests import SpeechRequest
from voice.workers.slot import Slot

pytestmark = pytest.mark.django_db(transaction=True)

REGISTRIES = (
    *(CanceledJobRegistry, DeferredJobRegistry, FailedJobRegistry),
    *(FinishedJobRegistry, ScheduledJobRegistry, StartedJobRegistry),
)
STORE = "voice.workers.storing.store"


@pytest.fixture
def harm(tmp_path) -> Path:
    """The file that exists once something of the following has run."""
    return tmp_path / "harm"


@pytest.fixture
def bomb(harm) -> bytes:
    """A pickle that makes the file when it is read."""

    class Bomb:
        def __reduce__(self):
            return Path.touch, (harm,)

    bomb = pickle.dumps(Bomb())
    pickle.loads(bomb)
    assert harm.exists()
    harm.unlink()
    return bomb


def jobs_of_others(bomb: bytes, harm: Path) -> list[dict[str, bytes | str]]:
    """The fields of jobs that would make the file, each in another way."""

    def called(*call) -> bytes:
        return zlib.compress(json.dumps(call).encode())

    ours, command = called(STORE, None, ["no-id"], {}), f"touch {harm}"
    hook = [{"url": "http://127.0.0.1:9/", "events": ["success", "failure"]}]
    return [
        {"data": zlib.compress(bomb)},
        {"data": bomb},
        {"data": called("os.system", None, [command], {})},
        {"data": called("builtins.exec", None, [f"open({str(harm)!r}, 'w')"], {})},
        {"data": called(STORE, "builtins.object", ["an-id"], {})},
        {"data": called(STORE, None, [["no", "id"]], {})},
        {"data": called(STORE, None, [], {"recording_id": "an-id"})},
        {"data": called([STORE], None, [], {})},
        {"data": b"[" * 100_000},
        {"data": ours, "created_at": b"\xff", "timeout": b"x", "status": b"no status"},
        {"data": ours, "result": bomb, "meta": bomb, "exc_info": bomb},
        {"data": ours, "success_callback_name": "os.getpid", "failure_callback_name": "antigravity.fly"},
        {
            "data": ours,
            "webhooks": json.dumps(hook),
            "dependency_ids": json.dumps(["a"]),
            "repeats_left": "3",
        },
    ]


@pytest.fixture
def planted(clean_redis, bomb, harm) -> list[str]:
    """Ids of the jobs, in every queue and registry."""
    ids = [f"harm-{number}" for number in range(len(jobs_of_others(bomb, harm)))]
    for job_id, fields in zip(ids, jobs_of_others(bomb, harm), strict=True):
        clean_redis.hset(Job.key_for(job_id), mapping={"origin": "stt", "status": "queued"} | fields)
        value = {"type": 1, "created_at": 0, "return_value": base64.b64encode(bomb)}
        clean_redis.xadd(f"rq:results:{job_id}", value)
    for name in QUEUES:
        clean_redis.sadd("rq:queues", f"rq:queue:{name}")
        clean_redis.rpush(f"rq:queue:{name}:intermediate", *ids)
        for registry in REGISTRIES:
            entries = [f"{one}:execution" for one in ids] if registry is StartedJobRegistry else ids
            clean_redis.zadd(registry.key_template.format(name), dict.fromkeys(entries, 1))
    return ids


def overwrite(client, bomb: bytes) -> None:
    """Put the pickle under every key, in whatever the key holds."""
    for key in client.scan_iter():
        match client.type(key):
            case b"string":
                client.set(key, bomb)
            case b"hash":
                client.hset(key, mapping=dict.fromkeys([*client.hkeys(key), bomb], bomb))
            case b"list":
                client.rpush(key, bomb)
            case b"set":
                client.sadd(key, bomb)
            case b"zset":
                client.zadd(key, {bomb: 1})
            case b"stream":
                client.xadd(key, dict.fromkeys((b"kind", b"meta", b"body", b"return_value"), bomb))


@pytest.fixture
def told(planted):
    """What is logged, from the start of the worker on: it cleans its registries before caplog listens."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    yield messages
    logging.getLogger().removeHandler(handler)


def test_worker_runs_only_our_jobs(planted, told, worker, clean_redis, harm, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda *args: harm.touch())  # what `antigravity` does
    for name in QUEUES:
        clean_redis.rpush(f"rq:queue:{name}", *planted)
    wait_for(lambda: not any(clean_redis.llen(f"rq:queue:{name}") for name in QUEUES), "the queues")
    jobs.enqueue_now("tts", STORE, "00000000-0000-0000-0000-000000000000", job_id="ours")
    wait_for(lambda: not clean_redis.exists("rq:job:ours"), "our job, which comes last")

    assert not harm.exists()
    assert "job harm-0 is dropped: it is not in the form of this version" in told
    assert "job harm-2 is dropped: 'os.system' is not listed in settings.JOBS" in told
    assert str(harm) not in "".join(told)


def test_registries_are_cleaned_without_harm(planted, clean_redis, harm):
    Slot(QUEUES, name="cleaner", connection=clean_redis).run_maintenance_tasks()
    assert Worker.all(connection=clean_redis) == []
    assert not harm.exists()


def test_cron_runs_without_harm(planted, clean_redis, bomb, harm):
    scheduler = DjangoCronScheduler()
    scheduler.load_config_from_file("interview_platform.cron")
    scheduler.register_birth()
    scheduler.enqueue_jobs()
    queued = Queue("cron", connection=clean_redis, job_class=ListedJob).jobs
    assert sorted(job.func_name for job in queued) == [
        "accounts.audit.jobs.expire",
        "accounts.audit.jobs.extend",
        "accounts.audit.jobs.verify",
        "interview_platform.web.owners.erase_of_deleted",
        "interviews.jobs.count_groups",
        "interviews.jobs.erase_overdue",
        "interviews.jobs.expire",
        "interviews.jobs.repair_search",
        "interviews.jobs.sweep_drafts",
        "interviews.jobs.sweep_erasures",
        "interviews.jobs.sweep_exports",
        "interviews.jobs.sweep_webhooks",
        "voice.workers.storing.move_resting",
        "voice.workers.sweeper.sweep",
    ]

    overwrite(clean_redis, bomb)
    scheduler.enqueue_jobs()
    for read in (CronScheduler.all, DjangoCronScheduler.all):
        with suppress(UnicodeDecodeError):  # what is no text
            read(clean_redis)
    assert not harm.exists()


def test_pages_show_the_queues_without_harm(planted, client, clean_redis, harm):
    client.force_login(factories.UserFactory(is_superuser=True, is_staff=True))
    client.raise_request_exception = False
    lists = (
        "",
        "finished/",
        "failed/",
        "scheduled/",
        "started/",
        "deferred/",
        *(f"{one}/" for one in planted),
    )
    answers = {page: client.get(f"/django-rq/queues/1/{page}").status_code for page in lists}
    for action in ("requeue", "enqueue"):
        client.post(f"/django-rq/queues/1/{planted[0]}/{action}/")
    assert answers["harm-0/"] == 200  # RQ's own class fails at the garbage of others
    assert client.get("/admin/speech-engines/").status_code == 200
    assert not harm.exists()


async def test_calls_and_channels_are_read_without_harm(worker, clean_redis, bomb, harm, api):
    request = SpeechRequest.checked(text="Good morning.", language="en")
    speech = await synthesis.synthesize(request, tenant="organisation:1")
    assert [part async for part in speech.parts()]
    channels = get_channel_layer()
    name = await channels.new_channel()
    await channels.group_add("people", name)

    await sync_to_async(overwrite)(clean_redis, bomb)
    for channel in [*clean_redis.pubsub_channels(), b"rq:cron_jobs", b"rq:pubsub:no-one"]:
        if not channel.startswith(b"rq:pubsub"):  # our own slots, which a command may end
            clean_redis.publish(channel, bomb)
    with suppress(Exception):  # whatever MessagePack makes of it
        await asyncio.wait_for(channels.receive(name), 60)
    await channels.flush()
    api.raise_request_exception = False
    for path in ("/stats", "/ready", "/metrics"):
        await api.get(path)
    call = calls.Call("forged", "tts")
    clean_redis.xadd("voice:call:forged:answer", {"kind": "done", "meta": bomb, "body": bomb})
    with pytest.raises(UnicodeDecodeError):
        await call.complete()
    assert not harm.exists()


def test_no_cache_of_django_lies_in_redis():
    assert not [name for name, cache in settings.CACHES.items() if "redis" in cache["BACKEND"].lower()]


def test_rq_never_pickles():
    assert serializers.resolve_serializer() is Json
    assert serializers.resolve_serializer("pickle") is Json
    assert Queue("stt", connection=redis_clients.sync_client()).serializer is Json


def test_job_that_no_worker_would_run_is_not_queued(queued):
    with pytest.raises(NotOurs, match=r"'os.system' is not listed in settings.JOBS"):
        jobs.enqueue_now("stt", "os.system", "true")
    assert queued("stt") == []


def test_every_job_of_the_source_is_listed(settings):
    folders = [ROOT / name for name in ("voice", "interviews", "interview_platform", "accounts")]
    source = "".join(file.read_text() for folder in folders for file in folder.rglob("*.py"))
    rooms = r"voice\.workers|interviews\.jobs|accounts\.audit\.jobs|interview_platform\.web\.owners"
    named = set(re.findall(rf'"((?:{rooms})\.[\w.]+)"', source))
    assert named == set(settings.JOBS)
