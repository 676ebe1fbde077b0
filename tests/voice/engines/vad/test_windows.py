import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines.vad.windows import Span, Window, speech_spans, windows

RATE_HZ = 16_000
FRAME = 512


def frames(*parts):
    """Probabilities from (probability, number of frames) parts."""
    return np.concatenate([np.full(count, probability, np.float32) for probability, count in parts])


def spans_s(probabilities, longest_s=30.0):
    found = speech_spans(probabilities, len(probabilities) * FRAME, longest_s=longest_s)
    return [(span.start / RATE_HZ, span.end / RATE_HZ) for span in found]


def test_silence_has_no_span():
    assert spans_s(frames((0.1, 100))) == []


def test_no_audio_has_no_span():
    assert spans_s(np.zeros(0, np.float32)) == []


def test_speech_is_padded():
    assert spans_s(frames((0, 50), (0.9, 25), (0, 50))) == [(1.2, 2.8)]


def test_padding_stays_within_the_recording():
    assert spans_s(frames((0.9, 25))) == [(0.0, 0.8)]


def test_speech_around_a_short_silence_is_one_span():
    assert len(spans_s(frames((0.9, 25), (0, 20), (0.9, 25)))) == 1


def test_speech_around_a_long_silence_is_two_spans():
    assert len(spans_s(frames((0.9, 25), (0, 60), (0.9, 25)))) == 2


def test_long_speech_is_cut_where_it_is_least_likely():
    probabilities = frames((0.9, 250), (0.4, 1), (0.9, 249))

    assert spans_s(probabilities, longest_s=10.0)[0] == (0.0, 8.0)


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(1, 300)), max_size=20))
def test_spans_are_apart_in_order_and_short_enough(parts):
    probabilities = frames(*parts) if parts else np.zeros(0, np.float32)

    found = spans_s(probabilities, longest_s=5.0)

    assert all(0 < end - start <= 5.0 for start, end in found)
    assert [limit for span in found for limit in span] == sorted(limit for span in found for limit in span)
    assert all(end <= len(probabilities) * FRAME / RATE_HZ for _, end in found)


def test_spans_are_packed_into_few_windows():
    spans = [Span(start, start + 10 * RATE_HZ) for start in range(0, 100 * RATE_HZ, 20 * RATE_HZ)]

    assert [len(window.spans) for window in windows(spans, longest_s=30)] == [3, 2]


@pytest.mark.parametrize(
    ("time_s", "is_end", "original_s"),
    [
        (0.0, False, 1.0),
        (1.5, False, 2.5),
        (2.0, True, 3.0),
        (2.0, False, 10.0),
        (3.0, False, 11.0),
        (9.0, True, 12.0),
    ],
)
def test_times_in_a_window_lead_back_to_the_recording(time_s, is_end, original_s):
    window = Window((Span(1 * RATE_HZ, 3 * RATE_HZ), Span(10 * RATE_HZ, 12 * RATE_HZ)))

    assert window.original_s(time_s, is_end=is_end) == original_s


def test_a_window_holds_the_sound_of_its_spans():
    recording = np.arange(100, dtype=np.float32)

    assert Window((Span(1, 3), Span(50, 51))).cut_from(recording).tolist() == [1, 2, 50]
