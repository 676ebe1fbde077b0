import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines.base import SPEECH_THRESHOLD
from voice.engines.vad.windows import (
    Span,
    Window,
    WindowCutter,
    speech_spans,
    windows,
    windows_of,
)

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


PARTS = st.lists(st.tuples(st.floats(0, 1, width=32), st.integers(1, 400)), max_size=20)


def found_in_pieces(probabilities, cuts):
    """The windows that a cutter closes, fed piece by piece, each time from its state as JSON."""
    cutter, found = WindowCutter(), []
    for piece in np.split(probabilities, sorted(cut % (len(probabilities) + 1) for cut in cuts)):
        found += cutter.feed(piece)
        cutter = WindowCutter.restored(json.loads(json.dumps(cutter.state())))
    left = cutter.open_window(len(probabilities) * FRAME)
    return found, [left] if left else []


@given(PARTS, st.lists(st.integers(0, 10_000), max_size=5))
def test_windows_do_not_depend_on_the_pieces(parts, cuts):
    probabilities = frames((0, 1), *parts)

    closed, left = found_in_pieces(probabilities, cuts)

    assert [*closed, *left] == windows_of(probabilities, len(probabilities) * FRAME)


@given(PARTS, PARTS)
def test_what_follows_changes_no_closed_window(parts, more):
    before, after = frames((0, 1), *parts), frames((0, 1), *parts, *more)

    closed = WindowCutter().feed(before)

    assert WindowCutter().feed(after)[: len(closed)] == closed


@given(PARTS)
def test_windows_are_short_apart_and_hold_all_speech(parts):
    probabilities = frames((0, 1), *parts)

    found = windows_of(probabilities, len(probabilities) * FRAME)

    assert all(0 < sum(map(len, window.spans)) <= 30 * RATE_HZ for window in found)
    spans = [span for window in found for span in window.spans]
    limits = [limit for span in spans for limit in (span.start, span.end)]
    assert limits == sorted(limits)
    for frame in np.flatnonzero(probabilities >= SPEECH_THRESHOLD):
        assert any(span.start <= frame * FRAME < span.end for span in spans)


@given(PARTS)
def test_silence_changes_no_complete_window(parts):
    probabilities = frames((0, 1), *parts, (0.9, 5), (0, 6))
    cutter = WindowCutter()
    cutter.feed(probabilities)
    here = cutter.open_window(len(probabilities) * FRAME)

    is_complete = cutter.is_complete(len(probabilities) * FRAME)
    closed = cutter.feed(frames((0, 1000)))

    assert is_complete
    assert here in (*closed, cutter.open_window(10**9))


@pytest.mark.parametrize(
    ("speech_s", "pause_ms", "is_closed"),
    [(9, 900, False), (11, 500, False), (11, 700, True), (21, 300, False), (21, 400, True)],
)
def test_the_longer_a_window_the_shorter_the_pause_that_ends_it(speech_s, pause_ms, is_closed):
    closed = WindowCutter().feed(frames((0.9, speech_s * 1000 // 32), (0, pause_ms // 32)))

    assert bool(closed) == is_closed
