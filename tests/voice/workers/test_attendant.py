"""What an attendant makes of the notes of its worker, with a clock of the test's."""

import pytest

from voice.workers import attendant
from voice.workers.attendant import Attendant, Ward

WORK = {"job_id": "call-1", "queue_name": "stt", "execution_id": "e"}
ENGINE = {"direction": "recognition", "engine": "fake", "model": "m", "device": "cpu"}


def test_job_is_stuck_after_its_deadline():
    ward = Ward(deadline_s=60)
    ward.note("began", {"slot": "one", **WORK}, now_s=100)

    assert ward.stuck(160) == ""
    assert ward.stuck(161) == "job call-1 has run for 61 s"


@pytest.mark.parametrize(("allowance_s", "is_stuck"), [(60, False), (30, True)])
def test_job_may_take_as_long_as_it_asked_for(allowance_s, is_stuck):
    ward = Ward(deadline_s=60)
    ward.note("began", {"slot": "one", **WORK}, now_s=0)
    ward.note("allowed", {"slot": "one", "seconds": allowance_s}, now_s=1)

    assert bool(ward.stuck(100)) == is_stuck


def test_job_that_has_ended_is_not_stuck():
    ward = Ward(deadline_s=60)
    ward.note("began", {"slot": "one", **WORK}, now_s=0)
    ward.note("ended", {"slot": "one"}, now_s=1)
    ward.note("allowed", {"slot": "one", "seconds": 5}, now_s=2)

    assert ward.stuck(1000) == ""


@pytest.mark.parametrize(("state", "reason"), [("ready", ""), ("stuck", "fake hangs")])
def test_model_that_hangs_ends_the_process_though_its_jobs_gave_up_on_it(state, reason):
    ward = Ward(deadline_s=60)
    ward.note("engines", {"reports": [{**ENGINE, "state": state}]}, now_s=0)

    assert ward.stuck(1) == reason


def test_worker_that_says_nothing_for_longer_than_a_job_may_take_is_not_healthy():
    ward = Ward(deadline_s=60)
    assert ward.silent(1000) == ""  # it has not begun yet
    ward.note("engines", {"reports": []}, now_s=1000)

    assert ward.silent(1060) == ""
    assert ward.silent(1061) == "no sign of life for 61 s"


def test_worker_whose_long_job_holds_the_lock_of_python_is_healthy():
    ward = Ward(deadline_s=60)
    ward.note("began", {"slot": "one", **WORK}, now_s=0)
    ward.note("allowed", {"slot": "one", "seconds": 100}, now_s=0)

    assert [bool(ward.silent(now_s)) for now_s in (160, 161)] == [False, True]


def test_worker_that_stands_still_counts_as_dead_until_it_goes_on(clean_redis):
    is_stopped = [False, True, True, True, False]
    ward = Ward(deadline_s=60)
    ward.note("slot", {"slot": "rq:worker:one"}, now_s=0)
    watching = Attendant(
        *(0, ward),
        connection=clean_redis,
        now_s=lambda: 0.0,
        end_worker=pytest.fail,
        is_stopped=lambda: is_stopped.pop(0),
    )

    lives = []
    for _ in range(attendant.STOPPED_BEATS + 3):
        clean_redis.hset("rq:worker:one", "current_job", "a-job")  # as a worker that goes on does
        watching._beat()
        lives.append(bool(clean_redis.exists("rq:worker:one")))

    assert lives == [True, True, False, False, True]
