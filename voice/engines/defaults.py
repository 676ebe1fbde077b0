"""Which engines serve where a project names none, and how each of them is set up.

Plain values and no import, so that settings may read them before any library is loaded.
"""

from typing import Any, Final

SETTINGS: Final[dict[str, Any]] = {
    "STT_ENGINES": ["faster_whisper", "pocketsphinx"],
    "TTS_ENGINES": ["piper", "kokoro", "espeak"],
    "WHISPER_MODEL": "base",
    "WHISPER_DEVICE": "auto",
    "WHISPER_COMPUTE_TYPE": "",
    "WHISPER_SMALLER_MODELS": [],  # when memory runs out
    "ENGINE_DEADLINE_S": 60.0,  # a model that takes longer hangs
    "PIPER_VOICES_DIR": "",
    "PIPER_VOICES": ["en_US-lessac-medium", "de_DE-thorsten-medium"],
    "KOKORO_MODEL": "",
    "KOKORO_DEVICE": "auto",
    "CHATTERBOX_MODEL": "",
    "CHATTERBOX_DEVICE": "auto",
    "MODELS_DIR": "",
    "SMART_TURN_MODEL": "",
    "DIARIZATION_SEGMENTATION_MODEL": "",
    "DIARIZATION_EMBEDDING_MODEL": "",
    "HUB_TIMEOUT_S": 5.0,
    "STT_SLOTS": 2,
    "BATCH_SIZE": 16,
    "BATCH_WAIT_MS": 10,
}
"""The keys of `settings.VOICE` that concern engines."""
LOGGERS: Final = (
    "piper",  # its DEBUG lines carry the text that is spoken
    "faster_whisper",
    # what goes to vendors: addresses at INFO, whole messages at DEBUG
    "httpx",
    "httpcore",
    "websockets",
    "botocore",
)
"""Loggers of the engines' libraries that say too much below WARNING."""
LIBRARIES: Final = ("faster-whisper", "ctranslate2", "piper-tts", "kokoro")
"""Packages whose version an operator wants to know."""
FOLDERS: Final = {"PIPER_VOICES_DIR": "piper"}
"""Settings that name a folder, and what it is called below MODELS_DIR."""
FURTHER_VOICES: Final = "install a Piper voice for it (PIPER_VOICES)"
