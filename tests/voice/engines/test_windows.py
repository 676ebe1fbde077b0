"""The windows of speech are the same whether a recording is read at once or while it grows."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.speech import spoken
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import windows_of
from voice.engines.windows import WindowPlanner

SENTENCE = "I led a team of five people, and we built a small service."


@pytest.fixture(scope="module")
def vad():
    return SileroVad()


@pytest.fixture(scope="module")
def answer():
    """Half a minute of sentences with pauses of several lengths."""
    pauses = (0.3, 0.8, 2.5, 0.1, 1.0, 0.7, 0.4)
    return np.concatenate([spoken(SENTENCE, pause_s=pause_s) for pause_s in pauses])


def whole(vad, samples):
    return windows_of(vad.probabilities(samples), len(samples))


def test_there_are_several_windows(vad, answer):
    assert len(whole(vad, answer)) >= 2


@settings(max_examples=8)
@given(st.lists(st.integers(0, 500_000), max_size=6))
def test_windows_do_not_depend_on_the_cut(vad, answer, cuts):
    planner, found = WindowPlanner(vad.stream()), []
    for piece in np.split(answer, sorted(cut % len(answer) for cut in cuts)):
        found += planner.feed(piece)

    assert [*found, *planner.rest()] == whole(vad, answer)


@settings(max_examples=8)
@given(st.lists(st.integers(0, 500_000), max_size=4))
def test_another_process_goes_on_from_the_state(vad, answer, cuts):
    planner, found = WindowPlanner(vad.stream()), []
    for end in [*sorted(cut % len(answer) for cut in cuts), len(answer)]:
        found += planner.feed(answer[planner.position : end])
        planner = WindowPlanner.restored(vad.stream(), json.loads(json.dumps(planner.state())))
    planner.feed(answer[planner.position :])

    assert [*found, *planner.rest()] == whole(vad, answer)


def test_no_sound_before_what_is_needed_is_used(vad, answer):
    planner = WindowPlanner(vad.stream())
    planner.feed(answer[: len(answer) // 2])
    needs_from = planner.needs_from

    later = [*planner.feed(answer[planner.position :]), *planner.rest()]

    assert min(window.spans[0].start for window in later) >= needs_from


def test_a_state_of_other_rules_is_not_used(vad):
    state = WindowPlanner(vad.stream()).state()

    assert WindowPlanner.restored(vad.stream(), state | {"rules": -1}) is None
