"""A job whose worker is asked to end before it is done loses no attempt; one that kills its worker does."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection as database
from rq.job import Job

from interview_platform.demo.processes import end_with_parent
from tests.factories import SpeechFactory
from tests.faults.waiting import wait_for
from tests.voice.workers.test_pools import answers, begun, written
from voice.models import Speech, Transcript
from voice.queues import leases, turns
from voice.recordings import queueing
from voice.workers import rendering, slot, sweeper
from voice.workers.attempts import MAX_ATTEMPTS
from voice.workers.transcription import transcribe

ROOT = Path(__file__).resolve().parents[3]
WITHIN_S = 120
DRAINS = 10
WORKER, NAME = "rq:worker:one", "one"

pytestmark = pytest.mark.django_db(transaction=True)


def take(client, queue="stt"):
    return turns.take([queue], WORKER, NAME, client)


@pytest.fixture
def running(monkeypatch):
    """A function that makes a taken job that of this thread."""

    def run(taken, work, *args):
        monkeypatch.setattr(slot, "running", lambda: (None, taken))
        return work(*args)

    return run


class Evicted(BaseException):
    """The process ends: nothing is caught any more."""


def test_job_that_was_drained_says_so_until_it_begins_again(clean_redis):
    [recording] = answers(1)
    first = take(clean_redis)
    leases.give_up([WORKER], clean_redis, is_drained=True)
    sweeper.sweep()
    again = take(clean_redis)

    assert (again.job_id, first.note(leases.DRAINED), again.note(leases.DRAINED)) == (first.job_id, "", "1")
    assert not leases.pending([queueing.transcription_job_id(recording.id)], clean_redis) - {again.job_id}


@pytest.mark.parametrize("end", [leases.give_up, leases.end], ids=["stuck", "dead"])
def test_job_whose_worker_died_or_hung_does_not_say_so(clean_redis, end):
    answers(1)
    first = take(clean_redis)
    end([WORKER], clean_redis)
    sweeper.sweep()

    assert take(clean_redis).job_id == first.job_id
    assert clean_redis.hget(Job.key_for(first.job_id), leases.DRAINED) is None


def test_worker_that_goes_without_a_job_leaves_nothing(clean_redis):
    clean_redis.hset(WORKER, "current_job", "gone")
    leases.give_up([WORKER], clean_redis, is_drained=True)

    assert clean_redis.keys("rq:job:*") == []


@pytest.mark.parametrize(("is_drained", "status", "attempts"), [(True, "done", 1), (False, "failed", 5)])
def test_recording_survives_evictions_but_not_what_kills_its_worker(
    clean_redis, fail_recognition, fake_recognition, use_recognition, running, is_drained, status, attempts
):
    [recording] = answers(1)
    fail_recognition(Evicted())
    for _ in range(DRAINS):
        taken = take(clean_redis)
        if not is_drained and Transcript.objects.get().attempts == MAX_ATTEMPTS:
            break
        with pytest.raises(Evicted):
            running(taken, transcribe, str(recording.id))
        clean_redis.hdel(Job.key_for(taken.job_id), leases.DRAINED)  # as the slot does
        leases.give_up([WORKER], clean_redis, is_drained=is_drained)
        sweeper.sweep()
    use_recognition(fake_recognition)
    running(take(clean_redis) or taken, transcribe, str(recording.id))

    row = Transcript.objects.get()
    assert (row.status, row.attempts) == (status, attempts)


def test_question_that_was_drained_is_not_left_to_another_voice(clean_redis, running, monkeypatch):
    """The last attempt takes any voice: evictions must not lead there."""
    speech = SpeechFactory(attempts=MAX_ATTEMPTS - 1)
    monkeypatch.setattr(rendering, "_spoken", lambda row, is_stand_in_allowed: pytest.fail("never"))
    monkeypatch.setattr(slot, "is_drained", lambda: True)
    allowed = []

    def speak(row, *, is_stand_in_allowed):
        allowed.append(is_stand_in_allowed)
        raise Evicted

    monkeypatch.setattr(rendering, "_spoken", speak)
    with pytest.raises(Evicted):
        rendering.render_speech(speech.pk)

    assert allowed == [False]
    assert Speech.objects.get().attempts == MAX_ATTEMPTS - 1


@pytest.mark.proof
def test_ten_sigterms_in_the_middle_of_a_job_cost_no_attempt(clean_redis):
    clean_redis.set("mode:small", "hold")
    [recording] = answers(1)

    attempts = []
    for _ in range(DRAINS):
        with worker() as process:
            begun(clean_redis, "small")
            process.terminate()
            assert process.wait(WITHIN_S) == 1
        attempts.append(Transcript.objects.get(recording=recording).attempts)
        job_id = queueing.transcription_job_id(recording.id)
        wait_for(lambda job_id=job_id: not leases.is_pending(job_id, clean_redis), "its job to be free")
        sweeper.sweep()
    clean_redis.set("mode:small", "0")
    with worker():
        wait_for(lambda: Transcript.objects.get().status == "done", "the transcript", within_s=WITHIN_S)

    assert attempts == [1] * DRAINS
    assert Transcript.objects.get().attempts == 1
    assert list(written(clean_redis).values()) == [1]


def worker() -> subprocess.Popen:
    """A worker without grace."""
    of_tests = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.voice.workers.pool_worker", "stt", "small", "cpu", "8", "0.5", "0.5"],
        cwd=ROOT,
        env={**os.environ, "POOL": "", "DATABASE_URL": of_tests.geturl(), "WORKER_GRACE_S": "0"},
        preexec_fn=end_with_parent(signal.SIGKILL),
    )
