"""The clock tells whether it still goes."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from django.core.management import CommandError, call_command
from rq import cron
from rq.cron import StopRequested

from interview_platform.demo.embedded import free_port
from interview_platform.management.commands import rqcron
from tests.faults.waiting import wait_for
from voice.monitoring import process_http

pytestmark = pytest.mark.usefixtures("clean_redis")


@pytest.fixture
def clock(settings, monkeypatch):
    """The port of a clock that goes, in a thread of the test."""
    settings.CRON_PORT = free_port()
    monkeypatch.setattr(rqcron.Clock, "_install_signal_handlers", lambda self: None)
    monkeypatch.setattr(cron, "now", cron.now)  # interview_platform.cron puts its own there
    stopping = threading.Event()

    def sleep(seconds):
        if stopping.wait(min(seconds, 0.05)):
            raise StopRequested

    monkeypatch.setattr(cron.time, "sleep", sleep)
    thread = threading.Thread(target=call_command, args=("rqcron", "interview_platform.cron"))
    thread.start()
    wait_for(lambda: asked(settings.CRON_PORT, "/health")[0], "the clock")
    yield settings.CRON_PORT
    stopping.set()
    thread.join()


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.django_db(transaction=True)
def test_clock_that_goes_is_healthy_and_has_the_metrics(clock):
    assert asked(clock, "/health") == (200, json.dumps({"status": "ok"}))
    assert "voice_last_sweep_timestamp_seconds" in asked(clock, "/metrics")[1]
    assert asked(clock, "/ready")[0] == 404


def test_clock_that_waits_for_redis_for_ever_is_not_healthy(clock, monkeypatch):
    hangs = threading.Event()
    monkeypatch.setattr(rqcron, "STUCK_AFTER_S", 0.1)
    monkeypatch.setattr(cron.CronJob, "should_run", lambda self: hangs.wait(120) and False)

    wait_for(lambda: asked(clock, "/health")[0] == 503, "the clock to be missed")
    hangs.set()


def test_clock_says_that_its_port_is_taken(settings):
    with process_http.listening(("127.0.0.1", 0)) as taken:
        settings.CRON_PORT = taken.getsockname()[1]
        with pytest.raises(CommandError, match="cannot be opened"):
            call_command("rqcron", "interview_platform.cron")
