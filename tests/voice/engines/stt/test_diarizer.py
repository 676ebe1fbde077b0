import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.diarization_models import write_embedding, write_segmentation
from tests.sounds import resample
from tests.speech import spoken
from voice.engines.stt.diarizer import Diarizer
from voice.errors import AudioRejected, EngineUnavailable

RATE_HZ = 16_000
ROOT = Path(__file__).resolve().parents[4]
PAUSE = np.zeros(12_000, np.float32)


def tone(frequency_hz: float, seconds: float) -> np.ndarray:
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.3 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


@pytest.fixture(scope="module")
def diarizer(tmp_path_factory) -> Diarizer:
    pytest.importorskip("sherpa_onnx", reason="the extra [diarization] is not installed")
    folder = tmp_path_factory.mktemp("diarization")
    write_segmentation(folder / "segmentation.onnx", loudness=0.01, steepness=0.5)
    write_embedding(folder / "embedding.onnx")
    diarizer = Diarizer(str(folder / "segmentation.onnx"), str(folder / "embedding.onnx"))
    diarizer.load()
    return diarizer


def test_two_tones_are_two_speakers_and_the_first_comes_back(diarizer):
    samples = np.concatenate([PAUSE, tone(200, 3), PAUSE, tone(2500, 3), PAUSE, tone(200, 2), PAUSE])

    turns = diarizer.turns(samples)

    assert [turn.speaker for turn in turns] == [0, 1, 0]
    assert [turn.start_s for turn in turns] == pytest.approx([0.75, 4.5, 8.25], abs=0.2)
    assert [turn.end_s for turn in turns] == pytest.approx([3.75, 7.5, 10.25], abs=0.2)


def test_two_voices_are_told_apart_across_windows(diarizer):
    asking = spoken("Hello, please tell me about your last project at work.")
    answer = spoken("I led the team that moved our billing system to another place, and it was hard.")
    answering = resample(answer, 30_000, RATE_HZ)  # played faster: a higher voice
    thanking = spoken("Thank you, and what was the hardest part of that?")

    turns = diarizer.turns(np.concatenate([PAUSE, asking, PAUSE, answering, PAUSE, thanking, PAUSE]))

    assert [turn.speaker for turn in turns] == [0, 1, 0]


def test_a_known_number_of_speakers_is_kept_to(diarizer):
    samples = np.concatenate([tone(200, 3), PAUSE, tone(2500, 3)])

    assert {turn.speaker for turn in diarizer.turns(samples, speakers=1)} == {0}
    assert {turn.speaker for turn in diarizer.turns(samples)} == {0, 1}


@pytest.mark.parametrize("n_samples", [0, 1, 100, 50_000])
def test_silence_has_no_turns(diarizer, n_samples):
    assert diarizer.turns(np.zeros(n_samples, np.float32)) == ()


def test_the_first_to_speak_is_speaker_0(diarizer):
    assert diarizer.turns(np.concatenate([PAUSE, tone(2500, 3), PAUSE, tone(200, 3)]))[0].speaker == 0


def test_threads_share_one_diarizer(diarizer):
    samples = np.concatenate([tone(200, 2), PAUSE, tone(2500, 2)])
    alone = diarizer.turns(samples)

    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(diarizer.turns, [samples] * 4))

    assert together == [alone] * 4


@pytest.mark.parametrize("speakers", [0, -1, 21])
def test_an_absurd_number_of_speakers_is_rejected(diarizer, speakers):
    with pytest.raises(AudioRejected, match="1 to 20"):
        diarizer.turns(tone(200, 1), speakers=speakers)


def test_samples_that_are_no_audio_are_rejected(diarizer):
    with pytest.raises(AudioRejected):
        diarizer.turns(np.array([np.nan], np.float32))


@pytest.mark.parametrize(
    ("segmentation", "embedding", "named"),
    [
        ("", "", "DIARIZATION_SEGMENTATION_MODEL"),
        (__file__, "", "DIARIZATION_EMBEDDING_MODEL"),
        ("/nowhere.onnx", __file__, "DIARIZATION_SEGMENTATION_MODEL names /nowhere.onnx"),
    ],
)
def test_a_model_that_is_not_there_is_named(segmentation, embedding, named):
    with pytest.raises(EngineUnavailable, match=named):
        Diarizer(segmentation, embedding).load()


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)

    with pytest.raises(EngineUnavailable, match=r"\[diarization\]"):
        Diarizer(__file__, __file__).load()


@pytest.mark.parametrize("kind", ["junk", "other model"])
def test_a_file_that_is_no_such_model_is_refused_and_the_process_lives(tmp_path, kind):
    pytest.importorskip("sherpa_onnx", reason="the extra [diarization] is not installed")
    segmentation, embedding = tmp_path / "segmentation.onnx", tmp_path / "embedding.onnx"
    write_embedding(embedding)
    segmentation.write_bytes(b"no model" if kind == "junk" else embedding.read_bytes())
    script = (
        "from voice.errors import EngineUnavailable\n"
        "from voice.engines.stt.diarizer import Diarizer\n"
        f"try: Diarizer({str(segmentation)!r}, {str(embedding)!r}).load()\n"
        "except EngineUnavailable as error: print('refused', error)\n"
    )

    # a process of its own, because a C++ library may end it
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.stdout.startswith("refused"), result.stderr
