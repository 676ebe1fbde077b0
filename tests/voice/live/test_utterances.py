"""Start and end of utterances, with voice activity from plain numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.live import utterances
from voice.live.turn_detection import BLOCK_BYTES
from voice.live.utterances import BYTES_A_SECOND, Began, Ended, Paused, Resumed, UtteranceCutter

LOUD, SILENT = 3000, 100  # loud enough that the model still runs


def probability(samples):
    """Treat loud frames as speech."""
    frames = samples.reshape(-1, 512)
    return (np.abs(frames).max(axis=1) > 0.05).astype(np.float32)


def sound(*stretches: tuple[int, float]) -> bytes:
    """s16le from consecutive (peak, seconds) parts."""
    return b"".join(np.full(int(s * 16_000), peak, "<i2").tobytes() for peak, s in stretches)


def heard(pcm: bytes, *, pieces: int | None = None, silence_ms: int = 600, **options) -> list:
    cutter = UtteranceCutter(probability, silence_ms=silence_ms, **options)
    size = pieces or max(len(pcm), 1)
    events = [e for at in range(0, len(pcm), size) for e in cutter.feed(pcm[at : at + size])]
    return events + cutter.finish()


def kinds(events: list) -> list[type]:
    return [type(event) for event in events]


def test_utterance_begins_pauses_and_ends():
    events = heard(sound((SILENT, 1.024), (LOUD, 1.024), (SILENT, 2)))

    assert kinds(events) == [Began, Paused, Ended]
    assert events[0].timestamp_s == pytest.approx(1.024)
    assert (events[2].utterance.start_s, events[2].utterance.end_s) == pytest.approx((1.024, 2.048))


def test_utterance_has_a_little_sound_before_and_after():
    utterance = heard(sound((SILENT, 1.024), (LOUD, 1.024), (SILENT, 2)))[-1].utterance

    assert utterance.pcm_start_s == pytest.approx(1.024 - utterances.LEAD_S)
    seconds = utterances.LEAD_S + 1.024 + utterances.TAIL_S
    assert len(utterance.pcm) / BYTES_A_SECOND == pytest.approx(seconds, abs=1e-3)
    first = int(utterances.LEAD_S * BYTES_A_SECOND)
    assert np.frombuffer(utterance.pcm[first : first + 2], "<i2")[0] == LOUD


def test_audio_of_a_pause_is_that_of_the_end():
    _, paused, ended = heard(sound((LOUD, 1.024), (SILENT, 2)))

    assert paused.utterance == ended.utterance
    assert paused.utterance.pcm == ended.utterance.pcm


def test_short_pause_does_not_end_it():
    events = heard(sound((LOUD, 1.024), (SILENT, 0.48), (LOUD, 1.024), (SILENT, 2)))

    assert kinds(events) == [Began, Paused, Resumed, Paused, Ended]
    assert events[-1].utterance.end_s == pytest.approx(2.528)


def test_gap_between_words_is_no_pause():
    events = heard(sound((LOUD, 1.024), (SILENT, 0.224), (LOUD, 1.024), (SILENT, 2)))

    assert kinds(events) == [Began, Paused, Ended]


def test_longer_silence_may_be_asked_for():
    pcm = sound((LOUD, 1.024), (SILENT, 1.024), (LOUD, 1.024), (SILENT, 2))

    assert kinds(heard(pcm)).count(Ended) == 2
    assert kinds(heard(pcm, silence_ms=1500)).count(Ended) == 1


def test_end_of_the_stream_ends_what_is_being_said():
    events = heard(sound((LOUD, 1.1)))

    assert kinds(events) == [Began, Paused, Ended]
    assert len(events[-1].utterance.pcm) == pytest.approx(1.1 * BYTES_A_SECOND, abs=1)


def test_silence_is_no_utterance():
    assert heard(sound((SILENT, 5))) == []


def test_times_count_from_where_the_stream_is_joined():
    events = heard(sound((SILENT, 0.512), (LOUD, 1.024), (SILENT, 2)), start_bytes=10 * BYTES_A_SECOND)

    assert events[0].timestamp_s == pytest.approx(10.512)
    assert events[-1].utterance.pcm_start_s == pytest.approx(10.512 - utterances.LEAD_S)


def test_endless_speech_is_cut_where_it_is_quietest():
    pcm = sound((LOUD, 27), (2000, 0.2), (LOUD, 20), (SILENT, 2))
    events = heard(pcm)

    assert kinds(events) == [Began, Ended, Began, Paused, Ended]
    assert events[1].utterance.end_s == pytest.approx(27.1, abs=0.1)
    assert events[2].timestamp_s == events[1].utterance.end_s
    pieces = [event.utterance.pcm for event in events if isinstance(event, Ended)]
    assert all(len(p) <= (utterances.MAX_UTTERANCE_S + 0.3) * BYTES_A_SECOND for p in pieces)
    assert pcm.startswith(b"".join(pieces))  # nothing lost, nothing repeated


def test_pause_at_the_longest_utterance_ends_it():
    events = heard(sound((LOUD, 29.696), (SILENT, 0.512), (LOUD, 1.024), (SILENT, 2)), silence_ms=3000)

    assert kinds(events).count(Began) == kinds(events).count(Ended) == 2


def test_little_is_kept_of_silence():
    cutter = UtteranceCutter(probability)
    for _ in range(60):
        cutter.feed(sound((SILENT, 1)))

    assert len(cutter._kept) < 2 * BLOCK_BYTES + BYTES_A_SECOND


def test_little_more_than_an_utterance_is_kept_of_endless_speech():
    cutter, most = UtteranceCutter(probability), 0
    for _ in range(100):
        cutter.feed(sound((LOUD, 1)))
        most = max(most, len(cutter._kept))

    assert most <= (utterances.MAX_UTTERANCE_S + 1) * BYTES_A_SECOND


def test_speech_so_far_grows_until_it_pauses():
    cutter = UtteranceCutter(probability)
    cutter.feed(sound((LOUD, 1.024)))
    assert cutter.speech_bytes == len(cutter.so_far().pcm) == int(1.024 * BYTES_A_SECOND)

    cutter.feed(sound((SILENT, 0.512)))
    assert cutter.speech_bytes == 0


@settings(deadline=None, max_examples=40)
@given(
    stretches=st.lists(st.tuples(st.sampled_from([LOUD, SILENT]), st.floats(0.05, 3)), max_size=8),
    size=st.integers(101, 40_000),
)
def test_any_pieces_give_the_same_events(stretches, size):
    pcm = sound(*stretches)

    assert heard(pcm, pieces=size) == heard(pcm)


@settings(deadline=None, max_examples=40)
@given(stretches=st.lists(st.tuples(st.sampled_from([LOUD, SILENT]), st.floats(0.05, 8)), max_size=12))
def test_every_utterance_begins_and_ends_once_in_order(stretches):
    events = [e for e in heard(sound(*stretches)) if isinstance(e, Began | Ended)]

    assert kinds(events) == [Began, Ended] * (len(events) // 2)
    times = [e.timestamp_s if isinstance(e, Began) else e.utterance.end_s for e in events]
    assert times == sorted(times)


def test_long_speech_ends_at_a_shorter_silence():
    speech = (sound((LOUD, seconds), (SILENT, 0.45), (LOUD, 1)) for seconds in (19, 21))

    short, long = (kinds(heard(pcm)) for pcm in speech)

    assert short == [Began, Paused, Resumed, Paused, Ended]
    assert long == [Began, Paused, Ended, Began, Paused, Ended]
