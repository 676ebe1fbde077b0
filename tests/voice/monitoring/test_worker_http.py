"""A worker's /health, /ready and /metrics, and its job metrics."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from prometheus_client import REGISTRY
from rq import Queue

from interview_platform.demo.embedded import free_port
from interview_platform.demo.processes import end_with_parent
from tests.faults.waiting import wait_for
from voice.inference.reports import EngineReport
from voice.monitoring import readiness
from voice.monitoring.worker_http import Door
from voice.workers import slot
from voice.workers import worker as workers
from voice.workers.worker import VoiceWorker

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120

pytestmark = pytest.mark.django_db(transaction=True)


class Engine:
    """A service whose warm state is set by the test."""

    state, last_error = "ready", ""

    def load(self):
        pass

    def reports(self):
        return [EngineReport("recognition", "an engine", "", "cpu", self.state, last_error=self.last_error)]

    def offered(self):
        return self.served()

    def served(self):
        return {"an engine": ["en"]}


def succeed():
    pass


def fail():
    raise ValueError


@pytest.fixture
def engine():
    return Engine()


@pytest.fixture
def worker(clean_redis, engine, monkeypatch):
    """A worker in this process that is not started."""
    monkeypatch.setattr(slot, "DEQUEUE_S", 0.05)
    monkeypatch.setattr(workers, "TELL_EVERY_S", 0.2)  # the telling thread sees the end only then
    return VoiceWorker(["stt"], connection=clean_redis, services=[engine])


@contextmanager
def working(worker):
    worker.start()
    try:
        yield
    finally:
        assert worker.stop()
        for thread in threading.enumerate():
            if thread.name in ("telling", "attendant"):  # they stop last, and still use the client
                thread.join(WITHIN_S)


@pytest.fixture
def door():
    with contextlib.closing(Door(("127.0.0.1", 0))) as door:
        yield door


@pytest.fixture
def ask(worker, door):
    """A function that returns status and body of a worker's address."""
    with door.answering(lambda: ""), door.serving(worker.checks()):
        yield lambda path: get(door.port, path)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def parts(answer):
    return json.loads(answer[1])["parts"]


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, {"queue": "stt"} | labels) or 0.0


def test_worker_that_works_is_ready(worker, ask):
    with working(worker):
        status, body = ask("/ready")
    assert (status, set(json.loads(body)["parts"])) == (
        200,
        {"postgresql", "redis", "storage", "slots", "recognition"},
    )


def test_worker_that_loads_is_not_ready_yet_but_healthy(worker, ask):
    assert ask("/health") == (200, '{"status": "ok"}')
    answer = ask("/ready")
    assert answer[0] == 503
    assert parts(answer)["slots"] == "not working yet, or not any more"


def test_cold_model_is_named_with_its_reason(worker, ask, engine):
    engine.state, engine.last_error = "unavailable", "The hub did not answer."
    with working(worker):
        answer = ask("/ready")
    assert answer[0] == 503
    assert parts(answer)["recognition"] == "no engine is warm: an engine The hub did not answer."


def test_worker_that_has_stopped_is_not_ready(worker, ask):
    with working(worker):
        pass
    assert ask("/ready")[0] == 503


def test_store_that_is_away_is_named(worker, ask, monkeypatch):
    def away():
        raise ConnectionError("secret address")

    monkeypatch.setattr(readiness, "STORES", {**readiness.STORES, "storage": away})
    with working(worker):
        answer = ask("/ready")
    assert answer[0] == 503
    assert parts(answer)["storage"] == "ConnectionError"


def test_unknown_address_is_404(ask):
    assert ask("/admin")[0] == 404


def test_metrics_are_those_of_the_machine(ask):
    status, body = ask("/metrics")
    assert status == 200
    assert "# TYPE voice_jobs_total counter" in body
    assert "voice_queue_length{" in body


def test_client_that_says_nothing_holds_nobody_up(door):
    with door.answering(lambda: ""), socket.create_connection(("127.0.0.1", door.port)):
        assert get(door.port, "/health")[0] == 200


def test_health_is_answered_though_the_worker_answers_nothing(door):
    """As while a model holds Python's lock there."""
    with door.answering(lambda: ""), contextlib.ExitStack() as waiting:
        for _ in range(300):  # more than may wait for the worker
            asking = waiting.enter_context(socket.create_connection(("127.0.0.1", door.port)))
            asking.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert get(door.port, "/health") == (200, '{"status": "ok"}')


def test_worker_that_is_stuck_is_not_healthy(door):
    with door.answering(lambda: "no sign of life for 121 s"):
        assert get(door.port, "/health") == (503, '{"status": "no sign of life for 121 s"}')


def test_jobs_are_counted_by_queue_and_outcome(worker, clean_redis, settings):
    settings.JOBS = [f"{__name__}.succeed", f"{__name__}.fail"]

    def counts():
        outcomes = [counted("voice_jobs_total", outcome=outcome) for outcome in ("ok", "failed")]
        return [*outcomes, counted("voice_job_seconds_count"), counted("voice_job_wait_seconds_count")]

    before = counts()
    queue = Queue("stt", connection=clean_redis)
    for job in (succeed, fail, succeed):
        queue.enqueue_call(f"{__name__}.{job.__name__}")
    with working(worker):
        wait_for(lambda: not queue.count, "the jobs to be taken", within_s=WITHIN_S)  # the stop ends the last
    assert [after - was for after, was in zip(counts(), before, strict=True)] == [2, 1, 3, 3]


def test_command_serves_on_its_port_until_it_ends(clean_redis, tmp_path):
    port = free_port()
    env = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "voiceworker", "default", "--slots", "1", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, preexec_fn=end_with_parent(signal.SIGKILL)
    )
    try:
        assert process.stdout.readline().startswith(b"ready: default")
        assert get(port, "/ready")[0] == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=WITHIN_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        get(port, "/health")


def test_command_says_that_its_port_is_taken(clean_redis, door):
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("voiceworker", "default", "--port", str(door.port))
