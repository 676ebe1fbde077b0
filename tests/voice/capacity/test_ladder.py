"""Load shedding: one step at a time, and each process recovers by itself at its own time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.capacity.ladder import (
    CAPTIONS_BACK_WITHIN_S,
    FURTHER_AFTER_S,
    LONGEST_BACK_S,
    SHORTEST_BACK_S,
    Ladder,
    Step,
)

pressures = st.lists(st.floats(0, 3), max_size=200)


def levels(ladder, pressure, seconds, *, begin_s=0):
    """The level after each second of steady pressure."""
    return [ladder.feel(pressure, begin_s + second) for second in range(seconds)]


def soon():
    return 0.0


def test_pressure_that_lasts_takes_one_step_after_the_other_in_order():
    assert levels(Ladder(), 1.0, 16) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 6, 6]
    in_order = ["SPECULATION", "SEMANTIC", "CAPTIONS", "HEARING", "TRANSCRIPTS", "NEWCOMERS"]
    assert [step.name for step in Step] == in_order
    assert [step.value for step in Step] == list(range(1, 7))


def test_pressure_that_passes_changes_nothing():
    ladder = Ladder()
    assert {ladder.feel(3.0 if second % 2 else 0.9, second) for second in range(100)} == {0}


def test_level_comes_back_step_by_step_by_itself():
    ladder = Ladder(spread=lambda: 1.0)
    levels(ladder, 2.0, 13)
    back = levels(ladder, 0.0, 21, begin_s=13)
    assert back == [6] * 4 + [5] * 3 + [4] * 3 + [3] * 3 + [2] * 4 + [1] * 3 + [0]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("level", list(Step))
@pytest.mark.parametrize("look_every_s", [1.0, 1.3])
def test_captions_are_back_soon_after_calm_whatever_level_was_reached(level, share, look_every_s):
    ladder, now_s = Ladder(spread=lambda: share), 0.0
    for _ in range(5):  # bursts with pauses between them
        while ladder.level < level:
            now_s += look_every_s
            ladder.feel(1.5, now_s)
        now_s += look_every_s
        ladder.feel(0.1, now_s)
    calm_since = now_s
    while ladder.level >= Step.CAPTIONS:
        now_s += look_every_s
        ladder.feel(0.4, now_s)
    assert now_s - calm_since <= CAPTIONS_BACK_WITHIN_S


def test_pressure_between_calm_and_too_much_holds_the_level():
    ladder = Ladder()
    levels(ladder, 2.0, 5)
    assert set(levels(ladder, 0.7, 1000, begin_s=5)) == {2}


def test_calm_counts_from_anew_after_it_was_broken():
    ladder = Ladder(spread=soon)
    levels(ladder, 2.0, 3)
    levels(ladder, 0.0, 4, begin_s=3)
    ladder.feel(0.7, 7)
    assert set(levels(ladder, 0.0, 5, begin_s=8)) == {1}
    assert ladder.feel(0.0, 13) == 0


@pytest.mark.parametrize("seconds", [7, 13])  # of pressure: captions off, and everything off
def test_processes_that_felt_the_same_come_back_apart(seconds):
    ladders = [Ladder() for _ in range(200)]
    for ladder in ladders:
        levels(ladder, 1.0, seconds)
    back = [levels(ladder, 0.0, 20, begin_s=seconds) for ladder in ladders]
    came_back_at = [next(s for s, level in enumerate(each) if level < Step.CAPTIONS) for each in back]
    in_one_second = max(came_back_at.count(second) for second in came_back_at)
    assert in_one_second < 60  # 200 over 8 seconds: 25 a second
    assert min(came_back_at) >= SHORTEST_BACK_S


def test_load_that_one_step_relieves_makes_it_flap_at_the_longer_waits():
    ladder, changes = Ladder(spread=soon), []
    for second in range(3600):
        before = ladder.level
        if ladder.feel(0.2 if before else 1.2, second) != before:
            changes.append(second)
    waits = [later - earlier for earlier, later in pairwise(changes)]
    assert waits[:6:2] == [6, 10, 10]  # time off; calm begins a second after the step
    assert set(waits[1::2]) == {FURTHER_AFTER_S + 1}


def test_waits_are_short_again_after_it_came_back_for_good():
    ladder = Ladder(spread=soon)
    for second in range(600):  # the load returns with the first step each time
        ladder.feel(0.2 if ladder.level else 1.2, second)
    levels(ladder, 0.0, 100, begin_s=600)
    levels(ladder, 1.0, 3, begin_s=700)
    assert levels(ladder, 0.0, 6, begin_s=703)[-1] == 0


@given(pressures)
def test_no_step_is_skipped(felt):
    ladder, before = Ladder(), 0
    for second, pressure in enumerate(felt):
        level = ladder.feel(pressure, second)
        assert abs(level - before) <= 1
        assert 0 <= level <= max(Step)
        before = level


@given(pressures)
def test_every_ladder_is_at_the_top_again_after_a_calm_time(felt):
    ladder = Ladder()
    levels_before = [ladder.feel(pressure, second) for second, pressure in enumerate(felt)]
    end_s = len(levels_before)
    calm_s = int(len(Step) * LONGEST_BACK_S) + len(Step)
    assert levels(ladder, 0.4, calm_s, begin_s=end_s)[-1] == 0
