import numpy as np
import onnx
import pytest

from tests.silero import OriginalStream
from tests.speech import spoken
from voice.engines.onnx_models import file_in_package
from voice.engines.vad.silero import CALL_FRAMES, SileroVad, heard_together
from voice.errors import EngineUnavailable


@pytest.fixture(scope="module")
def vad():
    vad = SileroVad()
    vad.load()
    return vad


def test_speech_is_told_from_silence_and_noise(vad):
    noise = np.random.default_rng(0).normal(0, 0.01, 32_000).astype(np.float32)

    assert np.median(vad.probabilities(spoken("I worked on a large project."))) > 0.8
    assert vad.probabilities(noise).max() < 0.5
    assert vad.probabilities(np.zeros(32_000, np.float32)).max() < 0.1


def test_frames_one_by_one_give_what_they_give_together(vad):
    samples = spoken("I worked on a large project.")[: 40 * 512]
    together, one_by_one = vad.stream(), vad.stream()

    single = [one_by_one(samples[start : start + 512]) for start in range(0, len(samples), 512)]

    assert np.concatenate(single) == pytest.approx(together(samples), abs=1e-4)


def test_streams_do_not_know_of_each_other(vad):
    samples = spoken("I worked on a large project.")[: 40 * 512]
    first, second = vad.stream(), vad.stream()

    first(samples)

    assert np.array_equal(second(samples), vad.stream()(samples))


def test_probabilities_are_those_of_the_models_own_file(vad):
    samples = np.tile(spoken("I worked on a large project for two years.", pause_s=1.0), 3)
    samples = samples[: len(samples) // 512 * 512]

    assert len(samples) > CALL_FRAMES * 512
    assert vad.probabilities(samples) == pytest.approx(OriginalStream()(samples), abs=1e-4)


def test_streams_heard_together_give_what_they_give_alone(vad):
    sentences = [spoken(text)[: 24 * 512] for text in ("I worked on a project.", "Why did you leave it?")]
    samples = np.stack(sentences * (CALL_FRAMES // 8))  # more frames than fit into one call
    streams = [vad.stream() for _ in samples]

    parts = [heard_together(streams, samples[:, at : at + 8 * 512]) for at in range(0, 24 * 512, 8 * 512)]

    alone = np.stack([vad.stream()(row) for row in samples])
    assert np.hstack(parts) == pytest.approx(alone, abs=1e-4)


def test_a_recording_has_a_probability_each_frame_begun(vad):
    assert len(vad.probabilities(np.zeros(1025, np.float32))) == 3
    assert len(vad.probabilities(np.zeros(0, np.float32))) == 0


def test_a_file_that_is_no_model_says_so(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")

    with pytest.raises(EngineUnavailable, match=r"model\.onnx cannot be loaded"):
        SileroVad(str(path)).load()


def test_another_model_says_so(tmp_path):
    path = tmp_path / "model.onnx"
    nothing = onnx.helper.make_graph([], "nothing", [], [])
    onnx.save(onnx.helper.make_model(nothing), path)

    with pytest.raises(EngineUnavailable, match=r"not Silero VAD v6"):
        SileroVad(str(path)).load()


@pytest.mark.parametrize("package", ["no_such_package", "numpy"])
def test_a_missing_package_or_file_is_named(package):
    with pytest.raises(EngineUnavailable, match=package):
        file_in_package(package, "no_such_file.onnx")
