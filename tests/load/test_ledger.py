"""The load driver's comparison: it reports every lost byte and no false ones."""

import random

import pytest

from tests.benchmarks.load.ledger import Comparison
from tests.benchmarks.load.measures import Figures, Latencies, most_in, slope
from tests.benchmarks.load.take import Take

PCM = random.Random(0).randbytes(20_000)


@pytest.fixture
def take():
    """A recording that was finished completely."""
    take = Take(PCM, answer_id="a", figures=Figures())
    take.begin(0.0, len(PCM))
    for now in (0.25, 0.5, 0.75):
        take.speak(now)
    for at in (0, 8000, 16_000):
        take.frame(at, 0.75)
    take.acknowledge(len(PCM), 0.8)
    take.finish(0.9)
    return take


def compared(take, stored: bytes) -> Comparison:
    comparison = Comparison()
    comparison.count(take, stored)
    return comparison


def test_comparison_of_equal_bytes(take):
    comparison = compared(take, PCM)

    assert (comparison.recordings_equal, comparison.bytes_sent, comparison.bytes_stored) == (
        1,
        20_000,
        20_000,
    )
    assert comparison.bytes_lost == comparison.bytes_altered == 0


def test_comparison_of_a_recording_whose_end_is_missing(take):
    comparison = compared(take, PCM[:19_000])

    assert (comparison.recordings_equal, comparison.bytes_lost, comparison.bytes_altered) == (0, 1000, 0)


def test_comparison_of_a_recording_with_another_byte(take):
    other = bytearray(PCM)
    other[5] ^= 1

    assert (compared(take, bytes(other)).bytes_lost, compared(take, bytes(other)).bytes_altered) == (0, 1)


def test_comparison_of_a_recording_that_is_too_long(take):
    assert compared(take, PCM + b"ab").bytes_altered == 2


def test_take_counts_what_was_acknowledged_though_the_server_now_holds_less(take):
    take.cut(8000)
    take.finish(1.0)

    comparison = compared(take, PCM[:8000])

    assert take.byte_count == 20_000
    assert comparison.bytes_lost == 12_000


def test_take_that_was_abandoned_promises_only_what_was_acknowledged():
    take = Take(PCM, answer_id="a", figures=Figures())
    take.begin(0.0, len(PCM))
    take.speak(0.25)
    take.speak(0.5)
    take.frame(0, 0.5)
    take.frame(8000, 0.5)
    take.acknowledge(8000, 0.6)

    assert (take.sent, take.byte_count) == (16_000, 8000)


def test_ack_that_covers_two_frames_counts_for_both():
    figures = Figures()
    take = Take(PCM, answer_id="a", figures=figures)
    take.begin(0.0, len(PCM))
    take.speak(0.25)
    take.speak(0.5)
    take.frame(0, 1.0)
    take.frame(8000, 1.1)

    take.acknowledge(16_000, 1.2)

    assert figures.ack_ms.summary() == {"n": 2, "p50": 100.0, "p95": 200.0, "p99": 200.0, "max": 200.0}


def test_percentiles_are_values_that_were_measured():
    latencies = Latencies()
    for value in range(1, 101):
        latencies.add(float(value))

    assert latencies.summary() == {"n": 100, "p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


def test_latencies_without_any():
    assert Latencies().summary() == {"n": 0}


def test_most_moments_that_lie_close_together():
    assert most_in(1.0, [0.0, 0.9, 1.0, 1.1, 3.0, 3.5]) == 3
    assert most_in(1.0, []) == 0


def test_slope_is_the_growth_that_fits_best():
    assert slope([(0.0, 1.0), (1.0, 3.5), (2.0, 5.0)]) == pytest.approx(2.0)
    assert slope([(0.0, 1.0)]) == 0.0
