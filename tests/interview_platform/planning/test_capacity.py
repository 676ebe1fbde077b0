"""Pods and stores of a plan."""

from functools import partial

import pytest

from interview_platform.planning.capacity import capacity
from interview_platform.planning.demand import Plan
from interview_platform.planning.figures import Figures
from interview_platform.planning.inputs import DEFAULTS, BadInput, read
from interview_platform.planning.jobs import Job
from interview_platform.planning.simulation import Rule, played
from interview_platform.planning.sizing import fewest_pods

HOURLY = [0] * 8 + [1, 3, 2] + [0] * 13


@pytest.fixture(scope="module")
def figures():
    return read(DEFAULTS / "figures.toml", Figures)


@pytest.fixture
def plan():
    return partial(read, DEFAULTS / "plan.toml", Plan)


def test_the_fewest_pods_keep_the_target_and_one_less_does_not():
    jobs = [Job(float(second), 3.0) for second in range(100) for _ in range(4)]
    sized = fewest_pods(jobs, slots=2, target_s=4.0, target="transcript_s", span_s=100)

    assert sized.wait_s <= 4.0
    assert played(jobs, Rule(sized.pods - 1, sized.pods - 1, slots=2)).wait_s() > 4.0


def test_slots_are_not_busier_than_allowed():
    jobs = [Job(float(second), 1.0) for second in range(100)]
    sized = fewest_pods(jobs, slots=1, target_s=50, target="stored_s", span_s=100, utilisation=0.5)
    assert sized.pods == 2


def test_a_target_below_the_engines_own_time_is_named(plan, figures):
    with pytest.raises(BadInput, match=r"targets\.question_audio_s.*cannot be met"):
        capacity(plan({"demand.candidates": 50, "targets.question_audio_s": 0.1}), figures)


def test_more_candidates_take_no_fewer_pods_and_stores(plan, figures):
    small, large = (capacity(plan({"demand.candidates": count}), figures) for count in (60, 240))

    for pool in small.pools:
        assert large.pool(pool.name).pods >= pool.pods
    assert large.stores.redis_memory_mb > small.stores.redis_memory_mb
    assert large.stores.egress_gb == pytest.approx(4 * small.stores.egress_gb)


def test_the_busiest_hour_of_a_day_decides_how_many_are_there(plan, figures):
    day = plan({"demand.candidates": 1200, "demand.hourly": HOURLY, "interview.questions": 4})
    needed = capacity(day, figures)

    # 600 of them in the busiest hour, for 4 answers of 33 s and their pauses: 330 s.
    assert needed.at_once == round(600 / 3600 * 330) == 55
    assert needed.interviews == 1200


def test_storage_grows_by_the_recordings(plan, figures):
    day = plan({"demand.candidates": 1000, "demand.hourly": HOURLY, "interview.questions": 10})
    seconds = 1000 * 10 * 33
    gb = seconds * 32 * figures.platform.flac_share / 1e6
    assert capacity(day, figures).stores.storage_gb == pytest.approx(gb)


def test_engines_on_a_gpu_make_pools_of_their_own(plan, figures):
    choices = {"choices.recognition": "whisper-large-v3-gpu", "choices.captions": False}
    needed = capacity(plan({"demand.candidates": 40} | choices), figures)

    assert needed.pool("worker-stt-gpu").pods == needed.gpus == 1
    assert not needed.pool("worker-stt-gpu").is_measured
