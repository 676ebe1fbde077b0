import numpy as np
import pytest

from voice.engines.vad.smart_turn import SmartTurn, log_mel
from voice.errors import EngineUnavailable


def test_log_mel_has_the_shape_the_model_takes():
    features = log_mel(np.random.default_rng(0).normal(0, 0.1, 128_000).astype(np.float32))

    assert features.shape == (80, 800)
    assert features.dtype == np.float32


def test_log_mel_does_not_change_with_loudness():
    samples = np.random.default_rng(0).normal(0, 0.1, 128_000).astype(np.float32)

    assert log_mel(samples * 3) == pytest.approx(log_mel(samples), abs=1e-3)


def test_log_mel_of_a_tone_peaks_in_its_band():
    tone = np.sin(2 * np.pi * 1000 * np.arange(128_000) / 16_000).astype(np.float32)

    # 1 000 Hz is at 15 of 45.2 mel; 82 corner frequencies are evenly spaced
    assert log_mel(tone).mean(axis=1).argmax() == pytest.approx(15 / 45.2456 * 81 - 1, abs=1)


def test_a_missing_model_names_the_extra_and_the_setting(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EngineUnavailable, match=r"\[turn\].*SMART_TURN_MODEL"):
        SmartTurn().load()


def test_any_length_gives_a_probability():
    model = SmartTurn()
    try:
        model.load()
    except EngineUnavailable as error:
        pytest.skip(str(error))

    for n_samples in (0, 1000, 200_000):
        assert 0 <= model.probability(np.zeros(n_samples, np.float32)) <= 1
