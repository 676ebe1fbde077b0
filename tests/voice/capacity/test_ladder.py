"""Load shedding: one step at a time, and each process recovers by itself at its own time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voice.capacity.ladder import BACK_AFTER_S, FURTHER_AFTER_S, LONGEST_DOUBLING, SPREAD, Ladder, Step

pressures = st.lists(st.floats(0, 3), max_size=200)
LONGEST_WAIT_S = int(BACK_AFTER_S * SPREAD * LONGEST_DOUBLING)


def levels(ladder, pressure, seconds, *, begin_s=0):
    """The level after each second of steady pressure."""
    return [ladder.feel(pressure, begin_s + second) for second in range(seconds)]


def soon():
    return 0.0


def test_pressure_that_lasts_takes_one_step_after_the_other_in_order():
    assert levels(Ladder(), 1.0, 12) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4]
    assert list(Step) == [Step.SEMANTIC, Step.CAPTIONS, Step.TRANSCRIPTS, Step.NEWCOMERS]


def test_pressure_that_passes_changes_nothing():
    ladder = Ladder()
    assert {ladder.feel(3.0 if second % 2 else 0.9, second) for second in range(100)} == {0}


def test_level_comes_back_step_by_step_by_itself():
    ladder = Ladder(spread=soon)
    levels(ladder, 2.0, 9)
    back = levels(ladder, 0.0, 61, begin_s=9)
    assert back == [4] * 15 + [3] * 15 + [2] * 15 + [1] * 15 + [0]


def test_pressure_between_calm_and_too_much_holds_the_level():
    ladder = Ladder()
    levels(ladder, 2.0, 5)
    assert set(levels(ladder, 0.7, 1000, begin_s=5)) == {2}


def test_calm_counts_from_anew_after_it_was_broken():
    ladder = Ladder(spread=soon)
    levels(ladder, 2.0, 3)
    levels(ladder, 0.0, 14, begin_s=3)
    ladder.feel(0.7, 17)
    assert set(levels(ladder, 0.0, 15, begin_s=18)) == {1}
    assert ladder.feel(0.0, 33) == 0


def test_processes_that_felt_the_same_come_back_apart():
    ladders = [Ladder() for _ in range(200)]
    for ladder in ladders:
        levels(ladder, 1.0, 3)
    came_back_at = [levels(ladder, 0.0, 40, begin_s=3).index(0) for ladder in ladders]
    in_one_second = max(came_back_at.count(second) for second in came_back_at)
    assert in_one_second < 40  # 200 over 15 seconds: 13 a second
    assert min(came_back_at) >= BACK_AFTER_S


def test_load_that_one_step_relieves_makes_it_flap_ever_more_rarely():
    ladder, changes = Ladder(spread=soon), []
    for second in range(3600):
        before = ladder.level
        if ladder.feel(0.2 if before else 1.2, second) != before:
            changes.append(second)
    waits = [later - earlier for earlier, later in pairwise(changes)]
    assert waits[:10:2] == [16, 31, 61, 121, 121]  # time off; calm begins a second after the step
    assert set(waits[1::2]) == {FURTHER_AFTER_S + 1}


def test_waits_are_short_again_after_it_came_back_for_good():
    ladder = Ladder(spread=soon)
    for second in range(600):  # the load returns with the first step each time
        ladder.feel(0.2 if ladder.level else 1.2, second)
    end_s = 600 + 2 * LONGEST_WAIT_S
    levels(ladder, 0.0, end_s - 600, begin_s=600)
    levels(ladder, 1.0, 5, begin_s=end_s)
    assert levels(ladder, 0.0, 32, begin_s=end_s + 5)[-1] == 0


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
    assert levels(ladder, 0.4, len(Step) * LONGEST_WAIT_S + 4, begin_s=end_s)[-1] == 0


@given(pressures, st.floats(0, 1))
def test_steps_back_are_at_least_a_calm_time_after_the_last_change(felt, share):
    ladder, changed_at = Ladder(spread=lambda: share), 0
    for second, pressure in enumerate(felt):
        before = ladder.level
        level = ladder.feel(pressure, second)
        if level < before:
            assert second - changed_at >= BACK_AFTER_S
        if level != before:
            changed_at = second
