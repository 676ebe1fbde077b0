import pytest

from interviews.candidate import frame_length
from interviews.candidate.frame_length import LONG_MS, SHORT_AFTER_S, SHORT_MS, FrameLength
from voice.capacity.shedding import Step


@pytest.fixture
def load(monkeypatch):
    """The level of load shedding, to be set."""
    level = [0]
    monkeypatch.setattr(frame_length.shedding, "is_off", lambda step: level[0] >= step)
    return level


def test_frames_grow_with_the_first_frame_after_captions_went(load):
    length = FrameLength()
    assert (length.has_changed(0.0), length.ms) == (False, SHORT_MS)
    load[0] = Step.CAPTIONS
    assert (length.has_changed(1.0), length.ms) == (True, LONG_MS)
    assert not length.has_changed(2.0)


def test_frames_stay_long_while_captions_come_for_seconds_only(load):
    length = FrameLength()
    for second in range(60):
        load[0] = Step.CAPTIONS if second % 10 == 0 else 0
        length.has_changed(float(second))
    assert length.ms == LONG_MS


def test_frames_shrink_once_captions_stay(load):
    length = FrameLength()
    load[0] = Step.NEWCOMERS
    length.has_changed(0.0)
    load[0] = Step.SEMANTIC
    assert not length.has_changed(1.0)
    assert (length.has_changed(1.0 + SHORT_AFTER_S), length.ms) == (True, SHORT_MS)
