import asyncio

import pytest

from voice.live import voice_check
from voice.live.voice_check import VoiceCheck


class Detector:
    has_speech = False


def check(*, has_missed=False):
    check, detector = VoiceCheck(has_missed=has_missed), Detector()
    check.follow(detector)
    return check, detector


def test_stream_in_which_nothing_came_has_no_speech():
    assert VoiceCheck(has_missed=False).has_speech is False


def test_silence_is_known_when_everything_was_heard():
    voice, _ = check()
    voice.expect()
    assert voice.has_speech is None
    voice.caught_up()
    assert voice.has_speech is False


@pytest.mark.parametrize("is_late", [True, False])
def test_nobody_calls_a_stream_silent_that_was_heard_in_part(is_late):
    voice, _ = check(has_missed=is_late)
    if not is_late:
        voice.miss()
    assert voice.has_speech is None


def test_voice_that_was_heard_counts_whatever_is_missed_later():
    voice, detector = check(has_missed=True)
    detector.has_speech = True
    voice.miss()
    voice.follow(Detector())
    voice.expect()
    assert voice.has_speech is True


async def test_answer_waits_for_what_is_still_to_be_heard():
    voice, detector = check()
    voice.expect()
    waiting = asyncio.create_task(voice.has_speech_by_now())
    await asyncio.sleep(0)
    assert not waiting.done()
    detector.has_speech = True
    voice.caught_up()
    assert await waiting is True


async def test_answer_waits_no_longer_than_that(monkeypatch):
    monkeypatch.setattr(voice_check, "CATCH_UP_WITHIN_S", 0.01)
    voice, _ = check()
    voice.expect()
    assert await voice.has_speech_by_now() is None
