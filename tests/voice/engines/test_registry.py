import subprocess
import sys

import pytest

from voice.engines.base import RecognitionEngine, SynthesisEngine
from voice.engines.registry import EngineConfig, recognition_engines, synthesis_engines


def test_engines_come_in_the_configured_order():
    config = EngineConfig(
        stt_engines=("pocketsphinx", "faster_whisper"), tts_engines=("espeak", "kokoro", "piper")
    )

    recognisers, synthesisers = recognition_engines(config), synthesis_engines(config)

    assert [engine.name for engine in recognisers] == ["pocketsphinx", "faster_whisper"]
    assert [engine.name for engine in synthesisers] == ["espeak", "kokoro", "piper"]
    assert all(isinstance(engine, RecognitionEngine) for engine in recognisers)
    assert all(isinstance(engine, SynthesisEngine) for engine in synthesisers)


def test_no_whisper_model_leaves_whisper_out():
    engines = recognition_engines(EngineConfig(whisper_model=""))

    assert [engine.name for engine in engines] == ["pocketsphinx"]


@pytest.mark.parametrize(
    ("make", "config"),
    [
        (recognition_engines, EngineConfig(stt_engines=("whisperer",))),
        (synthesis_engines, EngineConfig(tts_engines=("sing",))),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(make, config):
    with pytest.raises(ValueError, match=r"(STT|TTS)_ENGINES names (whisperer|sing); known engines are"):
        make(config)


def test_settings_become_a_config():
    config = EngineConfig.from_settings(
        {"STT_ENGINES": ["pocketsphinx"], "WHISPER_MODEL": "small", "MODELS_DIR": None, "OTHER_KEY": 1}
    )

    assert config == EngineConfig(stt_engines=("pocketsphinx",), whisper_model="small", models_dir="")


def test_settings_of_local_engines_reach_them():
    references = object()
    config = EngineConfig.from_settings(
        {
            "STT_ENGINES": ["faster_whisper"],
            "TTS_ENGINES": ["chatterbox"],
            "WHISPER_MODEL": "large-v3",
            "WHISPER_SMALLER_MODELS": ["small", "tiny"],
            "ENGINE_DEADLINE_S": 90.0,
            "CHATTERBOX_DEVICE": "cuda",
        },
        references=references,
    )

    (whisper,), (chatterbox,) = recognition_engines(config), synthesis_engines(config)

    assert (whisper._smaller, whisper._deadline_s) == (("small", "tiny"), 90.0)
    assert (chatterbox.device, chatterbox._references) == ("cuda", references)


PROBE = """
import sys
from voice.engines.{module} import {names}
heavy = "av chatterbox ctranslate2 django faster_whisper huggingface_hub kokoro piper pocketsphinx torch"
print(sorted(set(heavy.split()) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("registry", "EngineConfig, recognition_engines"),
        ("vad.silero", "SileroVad"),
        ("vad.smart_turn", "SmartTurn"),
    ],
)
def test_importing_imports_no_model_library(module, names):
    code = PROBE.format(module=module, names=names)

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert printed.stdout.strip() == "[]"


def test_listening_to_a_stream_imports_neither_faster_whisper_nor_pipecat():
    code = (
        "import sys\n"
        "from voice.engines.vad.silero import SileroVad\n"
        "from voice.live.turn_detection import TurnDetector\n"
        "TurnDetector(SileroVad().stream()).feed(b'\\x00\\x40' * 16000)\n"
        "print(sorted({'av', 'ctranslate2', 'django', 'faster_whisper', 'pipecat'} & set(sys.modules)))\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert printed.stdout.strip() == "[]"
