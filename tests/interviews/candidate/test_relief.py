import pytest

from interviews.candidate import relief as reliefs
from interviews.candidate.relief import LATEST_END_S, LONG_MS, LONGEST_MS, SHORT_MS, SOONEST_END_S, Relief
from voice.capacity.shedding import Step


@pytest.fixture
def load(monkeypatch):
    """The level of load shedding, to be set."""
    level = [0]
    monkeypatch.setattr(reliefs.shedding, "is_off", lambda step: level[0] >= step)
    return level


def test_frames_grow_with_the_first_frame_after_captions_went(load):
    relief = Relief()
    assert (relief.follow(0.0), relief.frame_ms) == (False, SHORT_MS)
    load[0] = Step.CAPTIONS
    assert (relief.follow(1.0), relief.frame_ms) == (True, LONG_MS)
    assert not relief.follow(2.0)
    assert not relief.hears


def test_page_hears_from_the_next_step_on_and_until_frames_are_short(load):
    relief = Relief(spread=lambda: 0.0)
    load[0] = Step.HEARING
    relief.follow(0.0)
    load[0] = Step.CAPTIONS
    relief.follow(1.0)
    assert (relief.frame_ms, relief.hears) == (LONGEST_MS, True)
    load[0] = 0
    relief.follow(2.0)
    assert relief.hears
    assert relief.follow(2.0 + SOONEST_END_S)
    assert (relief.frame_ms, relief.hears) == (SHORT_MS, False)


def test_relief_stays_while_captions_come_for_seconds_only(load):
    relief = Relief(spread=lambda: 0.0)
    for second in range(60):
        load[0] = Step.HEARING if second % 10 == 0 else 0
        relief.follow(float(second))
    assert (relief.frame_ms, relief.hears) == (LONGEST_MS, True)


def test_connections_return_one_after_the_other(load):
    load[0] = Step.NEWCOMERS
    all_of_them = [Relief() for _ in range(200)]
    for relief in all_of_them:
        relief.follow(0.0)
    load[0] = 0
    returned = [sum(relief.follow(float(second)) for relief in all_of_them) for second in range(1, 40)]
    assert sum(returned) == 200
    assert max(returned) < 40  # 200 over 20 seconds: 10 a second
    assert not any(returned[: int(SOONEST_END_S) - 1])
    assert not any(returned[int(LATEST_END_S) + 1 :])
