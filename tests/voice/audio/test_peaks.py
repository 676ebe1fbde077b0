import numpy as np
import pytest

from tests.factories import tone
from voice.audio.peaks import peaks_of


def pcm(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


def test_peak_is_the_loudest_sample_of_a_tenth_of_a_second():
    quiet, loud = [0] * 1600, [0] * 1599 + [-32_768]
    assert list(peaks_of(pcm(*quiet, *loud, *[16_384] * 1600))) == [0, 255, 127]


@pytest.mark.parametrize(("n_samples", "n_peaks"), [(0, 0), (1, 1), (1600, 1), (1601, 2)])
def test_last_piece_counts_although_it_is_shorter(n_samples, n_peaks):
    assert len(peaks_of(pcm(*[5] * n_samples))) == n_peaks


def test_a_minute_takes_600_bytes():
    assert peaks_of(tone(60.0)) == bytes([25]) * 600
